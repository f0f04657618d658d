"""The OpenAPI document describes what is served, and the server does what the document says."""

import copy
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import falcon.inspect
import httpx
import jsonschema_rs
import pytest

from tests.fixtures import plain_http
from tests.fixtures.application import application
from tests.fixtures.book import Book, filled
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import length
from tests.fixtures.samples import Maker, creating
from tests.fixtures.server import Server, start_server, stop_server
from tradebook.crud.resource import Action, ItemRoute, ListRoute
from tradebook.demo.book import demo_customers
from tradebook.errors import CATALOGUE
from tradebook.resources import ALL
from tradebook.web import account_header
from tradebook.web.agents import AGENTS_PATH
from tradebook.web.pages.serving import PATHS as FOR_PEOPLE

LIST = "/v1/sales/customers"
GROUPS = "/v1/sales/account-groups"
PAGES = ("/healthz", "/readyz", "/openapi.json")
TRANSPORT = {"date", "server", "content-length", "content-type", "transfer-encoding", "connection"}
READS = ("--include-method", "GET")
ONLY_LIST = (*READS, "--include-path", LIST)


@pytest.fixture(scope="module")
def document(server: Server):
    """The served document."""
    return plain_http.get(f"{server.url}/openapi.json").json()


@pytest.fixture(scope="module")
def book(server: Server):
    """A book with everything in it."""
    with filled(server, *demo_customers(300)) as made:
        yield made


def validator(document: dict, name: str) -> jsonschema_rs.Draft202012Validator:
    """Validate bodies against a schema of the document."""
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document})


def resolved(document: dict, found: dict) -> dict:
    """Follow a reference, where there is one."""
    while "$ref" in found:
        _, *parts = found["$ref"].split("/")
        found = document
        for part in parts:
            found = found[part]
    return found


def operations(document: dict) -> list[tuple[str, str, dict]]:
    """List what the document describes: (method, path, operation)."""
    return [
        (verb.upper(), path, operation)
        for path, verbs in document["paths"].items()
        for verb, operation in verbs.items()
    ]


def headers_asked(document: dict, operation: dict) -> set[str]:
    """Name the request headers that an operation looks at."""
    parameters = (resolved(document, p) for p in operation.get("parameters", ()))
    return {p["name"] for p in parameters if p["in"] == "header"}


def places_alike(path: str) -> str:
    """Call all places of a path the same."""
    return re.sub(r"{\w+(:path)?}", "{}", path)


def test_every_route_is_in_the_document_and_the_reverse(document, book):
    """OPTIONS is on every path and HEAD wherever GET is; no client needs either to be told."""
    app = application(book.database, book.server.database)
    served = {
        (method.method, places_alike(route.path))
        for route in falcon.inspect.inspect_routes(app)
        for method in route.methods
        if not method.internal and method.method != "HEAD" and route.path not in {*FOR_PEOPLE, AGENTS_PATH}
    }

    assert {(method, places_alike(path)) for method, path, _ in operations(document)} == served
    assert set(PAGES) < set(document["paths"])


def test_every_operation_has_a_name_of_its_own(document):
    names = [operation["operationId"] for _, _, operation in operations(document)]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("get", LIST, "list_customers"),
        ("patch", f"{LIST}/{{id}}", "update_customer"),
        ("post", f"{LIST}/{{id}}/actions/merge", "merge_customer"),
        ("get", f"{LIST}/{{id}}/child_accounts", "list_customer_child_accounts"),
        ("get", "/v1/sales/addresses/{id}/customers", "list_address_customers"),
        ("get", "/v1/sales/account-statuses/{id}", "get_account_status"),
        ("get", "/v1/operations/carriers/{carrier_id}/service-levels", "list_service_levels"),
        ("post", "/v1/operations/carriers/{carrier_id}/service-levels", "create_service_level"),
        ("delete", "/v1/operations/carriers/{carrier_id}/service-levels/{id}", "delete_service_level"),
    ],
)
def test_a_name_is_the_verb_and_the_object(document, method, path, name):
    assert document["paths"][path][method]["operationId"] == name


def test_every_reference_resolves(document):
    for reference in re.findall(r'"#/([^"]+)"', json.dumps(document)):
        found = document
        for part in reference.split("/"):
            found = found[part]


def test_every_parameter_of_the_contract_is_described(document):
    described = [p for p in document["paths"][LIST]["get"]["parameters"] if p.get("in") == "query"]
    names = [p["name"] for p in described]

    assert names == [
        "cursor", "limit", "q", "customer_group_ids", "pricing_group_ids", "sales_rep_ids", "status_codes",
        "shipping_term_ids", "payment_term_ids", "commission_status_codes", "freight_status_codes",
        "carrier_ids", "service_level_ids", "parent_account_status", "city", "state", "postal_code",
        "start_date", "end_date", "include",
    ]  # fmt: skip
    assert all(p["description"] for p in described)


@pytest.mark.parametrize(
    ("text", "is_taken"), [("a", True), ("a\nb", True), ("a\0b", False), ("a" * 501, False)]
)
def test_the_text_that_a_query_takes_is_described(document, book, text, is_taken):
    q = next(p for p in document["paths"][LIST]["get"]["parameters"] if p.get("name") == "q")

    assert jsonschema_rs.Draft202012Validator(q["schema"]).is_valid(text) == is_taken
    assert book.client.get(LIST, params={"q": text}).status_code == (200 if is_taken else 400)


def test_every_operation_lists_what_it_can_refuse_with(document):
    for method, path, operation in operations(document):
        statuses, asked = set(operation["responses"]), headers_asked(document, operation)
        if path in PAGES:
            assert operation["security"] == []
            assert statuses >= {"200", "405", "413", "500"}
            continue
        assert statuses >= {"400", "401", "403", "405", "413", "429", "500", "503"}
        # A PUT that creates what its path names.
        creates_too = {"200", "201"} <= statuses
        assert ("404" in statuses) == ("{" in path and not creates_too)
        assert statuses.isdisjoint({"304"} if method != "GET" else {"409", "412", "415", "422"})
        assert statuses >= ({"304"} if method == "GET" else {"415"})
        assert ("422" in statuses) == ("Idempotency-Key" in asked) == (method in {"POST", "PATCH"})
        assert ("If-None-Match" in asked) == (method == "GET" or creates_too)
        assert ("412" in statuses) == ("If-Match" in asked)


def test_nothing_of_the_catalogue_is_left_out(document):
    """An error that no route declares would be none; only what is no route has no place in the document."""
    told = " ".join(answer["description"] for answer in document["components"]["responses"].values())
    statuses = {status for _, _, operation in operations(document) for status in operation["responses"]}

    assert [error.code for error in CATALOGUE if f"`{error.code}`" not in told] == []
    assert {str(error.status) for error in CATALOGUE} <= statuses


def test_what_is_transient_says_when_to_come_again(document):
    for answer in document["components"]["responses"].values():
        is_transient = any(e.is_transient and f"`{e.code}`:" in answer["description"] for e in CATALOGUE)

        assert ("Retry-After" in answer["headers"]) == is_transient


@pytest.mark.parametrize(
    "route",
    [r for each in ALL for r in each.routes if isinstance(r, Action) and r.path_objects],
    ids=lambda route: f"{route.method} {route.path}",
)
def test_if_match_is_declared_exactly_where_it_is_looked_at(document, module_book, route):
    maker = Maker(module_book)
    body = maker.body(route.body, only_required=True) if route.body.fields else None
    last = next(each for each in ALL if each.id_prefix == route.path_objects[-1].id_prefix)
    is_its_own = route.path.startswith(creating(last).path) and route.path_objects[-1].by is None
    path = maker.make_at(last)[0] + route.path.rpartition("}")[2] if is_its_own else maker.path(route)

    answer = module_book.client.request(route.method, path, json=body, headers={"If-Match": '"0-0"'})

    operation = document["paths"][route.path][route.method.lower()]
    assert (answer.status_code == 412) == ("If-Match" in headers_asked(document, operation)), answer.text


@pytest.fixture(scope="module")
def limited(tmp_path_factory, engine):
    """A book on a server that counts requests and takes small bodies only."""
    folder = tmp_path_factory.mktemp("limited")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"RATE_LIMIT": 60, "RATE_LIMIT_SECONDS": 86_400, "BODY_BYTES_MAX": 4_000}.items():
            patch.setenv(f"TRADEBOOK_{name}", str(value))
        server = start_server(folder, database=engine.new(folder))
    book = Book(server)
    book.add({"name": "Kept"}, {"name": "Merged"})
    yield book
    book.close()
    stop_server(server)


@pytest.fixture(scope="module")
def answers(limited):
    """A real answer of each kind: by its status, and what came of it."""
    client, url = limited.client, limited.server.url
    merged, kept = (f"{LIST}/{customer['id']}" for customer in limited.get()["data"])
    body, once = {"name": "A", "type": "type_group"}, {"Idempotency-Key": "once"}
    _, weak = limited.new_key(permissions=("customer_groups:read",))
    shown = client.get(kept)
    created = client.post(GROUPS, json=body, headers=once)
    group = f"{GROUPS}/{created.json()['id']}"
    found = [
        (200, client.get(LIST)),
        (200, client.get(LIST, headers={"Accept": "text/csv"})),
        (200, client.get(LIST, headers={"Accept-Encoding": "gzip"})),
        (200, shown),
        (304, client.get(kept, headers={"If-None-Match": shown.headers["etag"]})),
        (201, created),
        (201, client.post(GROUPS, json=body, headers=once)),
        (422, client.post(GROUPS, json={}, headers=once)),
        (400, client.get(LIST, params={"limit": "0"})),
        *[(400, client.post(GROUPS, json={}, headers={"Idempotency-Key": "wrong"})) for _ in range(2)],
        (409, client.post(GROUPS, json=body)),
        (415, client.post(GROUPS, content=b"name,type", headers={"Content-Type": "text/csv"})),
        (413, client.post(GROUPS, json={"name": "A" * 4_000})),
        (401, plain_http.get(url + LIST)),
        (403, plain_http.delete(url + group, headers={"Authorization": f"Bearer {weak}"})),
        (405, client.put(LIST)),
        (412, client.patch(group, json={"name": "B"}, headers={"If-Match": '"0-0"'})),
        (200, client.patch(group, json={"name": "B"})),
        (200, client.delete(group)),
        (404, client.get(group)),
        (
            200,
            client.post(f"{kept}/actions/merge", json={"source_customer_ids": [merged.rpartition("/")[2]]}),
        ),
        (404, client.get(merged)),
        (404, client.patch(merged, json={"name": "B"}, headers={"Idempotency-Key": "merged"})),
        *[(200, client.get(path)) for path in PAGES],
        (405, client.put("/healthz")),
    ]
    while (answer := client.get(kept)).status_code == 200:
        pass
    return [*found, (429, answer)]


def declared(document: dict, answer: httpx.Response) -> dict[str, Any]:
    """Find what the document says of an answer to a request like this one."""
    path = answer.request.url.path
    template = next(t for t in document["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", t), path))
    verbs = document["paths"][template]
    # That a path has no such method is told by those that it has.
    operation = verbs.get(answer.request.method.lower()) or next(iter(verbs.values()))
    return resolved(document, operation["responses"][str(answer.status_code)])


def header_faults(document: dict, headers: dict[str, Any], answer: httpx.Response) -> list[str]:
    """Say which headers of an answer are not among those declared, and which of those it must have it lacks."""
    sent = set(answer.headers) - TRANSPORT
    required = {name.lower() for name, header in headers.items() if resolved(document, header)["required"]}
    undeclared = sent - {name.lower() for name in headers}
    return [f"undeclared: {n}" for n in sorted(undeclared)] + [
        f"missing: {n}" for n in sorted(required - sent)
    ]


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_every_header_of_a_real_answer_is_declared(document, answers):
    seen = set()
    for status, answer in answers:
        assert answer.status_code == status, (answer.request, answer.text)
        headers = declared(document, answer)["headers"]
        assert header_faults(document, headers, answer) == [], (answer.request, status)
        seen |= {name for name in headers if name in answer.headers}

    assert seen == set(document["components"]["headers"])


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_a_header_that_the_document_lacks_is_noticed(document, answers):
    for _, answer in answers:
        headers = declared(document, answer)["headers"]
        for name in [name for name in headers if name in answer.headers]:
            fewer = {other: header for other, header in headers.items() if other != name}

            assert header_faults(document, fewer, answer) == [f"undeclared: {name.lower()}"]


def test_real_answers_are_what_the_document_says(document, book):
    page = book.get(
        include=",".join(document["components"]["schemas"]["CustomerInclude"]["enum"]), limit=1000
    )
    child = next(c for c in page["data"] if c["child_accounts"])

    validator(document, "CustomerList").validate(page)
    validator(document, "Customer").validate(child)
    validator(document, "AccountGroupList").validate(book.get(f"{LIST}/{child['id']}/price_groups"))
    carrier = child["freight_preferences"]["carrier"]
    validator(document, "ServiceLevelList").validate(
        book.get(f"/v1/operations/carriers/{carrier['id']}/service-levels")
    )
    refused = book.client.get(LIST, params={"limit": "0"}).json()
    validator(document, "ErrorEnvelope").validate(refused)


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("note"),
        lambda c: c.update(status="great"),
        lambda c: c.update(name=None),
        lambda c: c.update(created_at=5),
        lambda c: c.update(contact_info={}),
    ],
    ids=range(5),
)
def test_an_answer_that_is_not_as_described_is_noticed(document, book, change):
    customer = book.get(limit=1)["data"][0]
    validator(document, "Customer").validate(customer)

    change(customer)

    with pytest.raises(jsonschema_rs.ValidationError):
        validator(document, "Customer").validate(customer)


PHASES = length("examples,coverage,stateful", "examples,coverage,fuzzing,stateful")


def run_schemathesis(
    document: dict, folder: Path, url: str, key: str, *options: str, examples: int = 60
) -> subprocess.CompletedProcess[str]:
    """Let schemathesis make up requests from the document and check the answers against it.

    A good cursor can't be described, nor which customer an account has: those parameters are left out. That an empty `limit=` is as good
    as none stands in words only: generators of clients would make a text of the number.
    """
    without, left_out = copy.deepcopy(document), {"cursor", *account_header.NAMES}
    for _, _, operation in operations(without):
        operation["parameters"] = [
            p for p in operation.get("parameters", ()) if p.get("name") not in left_out
        ]
        for parameter in operation["parameters"]:
            if parameter.get("name") == "limit":
                parameter["schema"] = {"anyOf": [parameter["schema"], {"const": ""}]}
    path = folder / "openapi.json"
    path.write_text(json.dumps(without))
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", path, "--url", url,
        "-H", f"Authorization: Bearer {key}", "--phases", PHASES, "--seed", "1",
        "--max-examples", str(examples), "--generation-database", "none", "--no-color", *options,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, timeout=length(120, 1800), check=False)


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_schemathesis_finds_nothing(document, server, book, tmp_path):
    # The rows of an import go with its plan: that of a good id is 410 then.
    reads = (*READS, "--exclude-path-regex", "/imports/.*/rows")
    done = run_schemathesis(document, tmp_path, server.url, book.key, *reads, examples=length(2, 60))

    assert done.returncode == 0, done.stdout[-4000:]
    count = -1 + sum(isinstance(route, (ListRoute, ItemRoute)) for each in ALL for route in each.routes)
    assert f"{count + len(PAGES)} passed" in done.stdout


NOT_WRITTEN = ("/api-keys/", *length(("/by-number/", "/by-external-id/"), ()))
"""The routes that end keys would end the one that asks. The others have the bodies of routes that are written to: 1,200 more requests."""


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
def test_schemathesis_finds_nothing_in_what_writes(document, server, tmp_path):
    """A body that fits the schema may still name what isn't there, so not all of them have to be accepted."""
    book = Book(server)
    done = run_schemathesis(
        document,
        tmp_path,
        server.url,
        book.key,
        *("--exclude-method", "GET"),
        # A change has the fields of what creates; in a short run, those refuse for both.
        *length(("--exclude-method", "PATCH"), ()),
        *("--exclude-checks", "positive_data_acceptance"),
        *("--exclude-path-regex", "|".join(NOT_WRITTEN)),
        examples=length(1, 40),
    )
    book.close()

    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "lie",
    [
        lambda operation: operation["parameters"][1]["schema"].update(maximum=5000),
        lambda operation: operation["responses"].pop("400"),
    ],
    ids=["accepts more", "refuses nothing"],
)
def test_schemathesis_notices_a_document_that_lies(document, server, book, tmp_path, lie):
    wrong = copy.deepcopy(document)
    lie(wrong["paths"][LIST]["get"])

    done = run_schemathesis(wrong, tmp_path, server.url, book.key, *ONLY_LIST, "--max-failures", "1")

    assert done.returncode == 1, done.stdout[-2000:]
