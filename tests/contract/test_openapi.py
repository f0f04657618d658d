"""The OpenAPI document describes what is served, and the server does what the document says."""

import copy
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import jsonschema_rs
import pytest

from tests.fixtures.book import Book
from tests.fixtures.server import Server
from tradebook.crud.resource import ItemRoute, ListRoute
from tradebook.resources import ALL
from tradebook.transfer.demo_book import demo_customers

LIST = "/v1/sales/customers"
READS = ("--include-method", "GET")
ONLY_LIST = (*READS, "--include-path", LIST)


@pytest.fixture(scope="module")
def document(server: Server):
    """The served document."""
    return httpx.get(f"{server.url}/openapi.json").json()


@pytest.fixture(scope="module")
def book(server: Server):
    """A book with everything in it."""
    made = Book(server)
    made.add(*demo_customers(300))
    yield made
    made.close()


def validator(document: dict, name: str) -> jsonschema_rs.Draft202012Validator:
    """Validate bodies against a schema of the document."""
    return jsonschema_rs.Draft202012Validator({"$ref": f"#/components/schemas/{name}", **document})


def test_every_route_is_in_the_document_and_the_reverse(document):
    assert set(document["paths"]) == {route.path for resource in ALL for route in resource.routes}


def test_every_reference_resolves(document):
    for reference in re.findall(r'"#/([^"]+)"', json.dumps(document)):
        found = document
        for part in reference.split("/"):
            found = found[part]


def test_every_parameter_of_the_contract_is_described(document):
    names = [p["name"] for p in document["paths"][LIST]["get"]["parameters"]]

    assert names == [
        "cursor", "limit", "q", "customer_group_ids[]", "pricing_group_ids[]", "sales_rep_ids[]", "status_codes[]",
        "shipping_term_ids[]", "payment_term_ids[]", "commission_status_codes[]", "freight_status_codes[]",
        "carrier_ids[]", "service_level_ids[]", "parent_account_status", "city", "state", "postal_code",
        "start_date", "end_date", "include[]",
    ]  # fmt: skip
    assert all(p["description"] for p in document["paths"][LIST]["get"]["parameters"])


def test_real_answers_are_what_the_document_says(document, book):
    include = next(p for p in document["paths"][LIST]["get"]["parameters"] if p["name"] == "include[]")
    page = book.get(include=",".join(include["schema"]["items"]["enum"]), limit=1000)
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


def run_schemathesis(
    document: str, url: str, key: str, *options: str, examples: int = 60
) -> subprocess.CompletedProcess[str]:
    """Let schemathesis make up requests from the document and check the answers against it.

    A good cursor can't be described, so none is sent: the hook leaves the parameter out.
    """
    command = [
        Path(sys.executable).with_name("schemathesis"), "run", document, "--url", url,
        "-H", f"Authorization: Bearer {key}", "--phases", "examples,coverage,fuzzing", "--seed", "1",
        "--max-examples", str(examples), "--generation-database", "none", "--no-color", *options,
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "tests.contract.no_cursor", "PYTHONPATH": "."}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=120, check=False, env={**os.environ, **hooks}
    )


def test_schemathesis_finds_nothing(server, book):
    done = run_schemathesis(f"{server.url}/openapi.json", server.url, book.key, *READS, examples=8)

    assert done.returncode == 0, done.stdout[-4000:]
    count = sum(isinstance(route, (ListRoute, ItemRoute)) for each in ALL for route in each.routes)
    assert f"{count} passed" in done.stdout


def test_schemathesis_finds_nothing_in_what_writes(server):
    """A body that fits the schema may still name what isn't there, so not all of them have to be accepted."""
    book = Book(server)
    done = run_schemathesis(
        f"{server.url}/openapi.json",
        server.url,
        book.key,
        *("--exclude-method", "GET"),
        *("--exclude-checks", "positive_data_acceptance"),
        # The routes that end keys would end the one that asks.
        *("--exclude-path-regex", "/api-keys/"),
        examples=4,
    )
    book.close()

    assert done.returncode == 0, done.stdout[-6000:]


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
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(wrong))

    done = run_schemathesis(str(path), server.url, book.key, *ONLY_LIST, "--max-failures", "1")

    assert done.returncode == 1, done.stdout[-2000:]
