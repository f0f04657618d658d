"""Imports over HTTP: a file is uploaded and planned, its plan is read, applied or discarded."""

import gzip

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.book import Book, walk
from tests.fixtures.raw_http import exchange
from tests.fixtures.server import wait_until
from tests.fixtures.uploads import IMPORTS, act, planned, settled, upload
from tradebook.resources import import_shapes
from tradebook.transfer import rows
from tradebook.transfer.imports import plan, summary

FILE = b"number,name,email\n1,Caf\xc3\xa9 A,a@example.com\n2,B,\n3,,\n"
GOOD = b"number,name\n1,A\n2,B\n"


@pytest.fixture(scope="module")
def planned_book(server):
    """A book with one plan, which is only read; the rows: created, created, a problem."""
    made = Book(server)
    made.at = planned(made.client, FILE)
    yield made
    made.close()


# From the upload to the end


def test_a_file_is_planned_and_then_applied(book):
    book.add({"number": "1", "name": "A"}, {"number": "2", "name": "Old"})
    answer = upload(book.client, b"number,name\n1,A\n2,B\n3,C\n")
    begun, at = answer.json(), answer.headers["location"]

    assert (answer.status_code, at) == (202, f"{IMPORTS}/{begun['id']}")
    assert (begun["object"], begun["state"], begun["summary"]) == ("import", "planning", None)
    found = settled(book.client, at)
    assert (found["state"], found["progress"]) == ("planned", {"rows": 3, "total": 3})
    counts = [found["summary"][name] for name in ("rows", "created", "updated", "unchanged", "is_kept")]
    assert counts == [3, 1, 1, 1, False]
    assert book.numbers() == ["2", "1"]

    applied = act(book.client, at, "apply")
    assert (applied.status_code, applied.json()["state"]) == (200, "applying")
    found = settled(book.client, at)
    assert (found["state"], found["summary"]["is_kept"]) == ("applied", True)
    assert {each["number"]: each["name"] for each in walk(book.client)} == {"1": "A", "2": "B", "3": "C"}
    for name in ("apply", "discard"):
        check_envelope(act(book.client, at, name), 409, "id", "resource_conflict")
    rows = book.client.get(f"{at}/rows").json()["data"]
    assert [(row["line"], row["outcome"]) for row in rows] == [
        (2, "unchanged"),
        (3, "updated"),
        (4, "created"),
    ]


def test_a_plan_that_is_discarded_changes_nothing_and_leaves_nothing(book):
    at = planned(book.client, GOOD)

    assert act(book.client, at, "discard").json()["state"] == "discarded"
    check_envelope(act(book.client, at, "apply"), 409, "id", "resource_conflict")
    assert book.client.get(at).json()["summary"]["created"] == 2
    check_envelope(book.client.get(f"{at}/rows"), 410, "id", "resource_gone")
    assert book.numbers() == []


def test_bad_rows_and_doubts_need_a_word_before_the_others_are_applied(book):
    book.add({"number": "00417", "name": "A"})
    at = planned(book.client, b"number,name\n1,A\n2,\n417,C\n")

    check_envelope(act(book.client, at, "apply"), 409, "rejects", "resource_conflict")
    check_envelope(act(book.client, at, "apply", "?rejects=true"), 409, "yes", "resource_conflict")
    check_envelope(act(book.client, at, "apply", "?rejects=1"), 400, "rejects", "parameter_invalid")
    assert act(book.client, at, "apply", "?rejects=true&yes=true").status_code == 200
    assert settled(book.client, at)["state"] == "applied"
    assert sorted(book.numbers()) == ["00417", "1", "417"]


def test_a_plan_that_the_book_has_overtaken_is_refused_and_says_where(book):
    book.add({"number": "1", "name": "A"}, {"number": "9", "name": "I"})
    at = planned(book.client, b"number,name,price_groups\n1,B,\n2,C,\n9,I,\n4,D,Staff\n")
    one, nine = (next(c["id"] for c in walk(book.client) if c["number"] == n) for n in ("1", "9"))

    book.client.patch(f"/v1/sales/customers/{nine}", json={"note": "what the plan leaves as it is"})
    book.client.patch(f"/v1/sales/customers/{one}", json={"note": "meanwhile"})
    book.add({"number": "2", "name": "Somebody else"})
    book.client.post("/v1/sales/account-groups", json={"name": "Staff", "type": "type_group"})
    answer = act(book.client, at, "apply")

    message = answer.json()["error"]["message"]
    check_envelope(answer, 409, "id", "resource_conflict")
    assert "line 2, customer 1, has changed; line 3, customer 2, is there by now; " in message
    assert "line 5, customer 4, can't be written any more: price_groups" in message
    assert book.client.get(at).json()["state"] == "planned"


@pytest.mark.parametrize(
    ("content", "content_type", "query"),
    [
        (b'{"number": "1", "name": "A"}\n', "application/x-ndjson", ""),
        (b'{"number": "1", "name": "A"}\n', "application/jsonl", ""),
        (b'[{"number": "1", "name": "A"}]', "application/json", ""),
        (b"number\tname\n1\tA\n", "text/tab-separated-values", ""),
        (gzip.compress(b"number,name\n1,A\n", mtime=0), "text/csv", ""),
        ("number,name\n1,Zażółć\n".encode("cp1250"), "text/csv", "?encoding=cp1250"),
        ("number,name\n1,Zażółć\n".encode("cp1250"), "text/csv; charset=cp1250", ""),
    ],
)
def test_a_file_is_read_as_its_type_and_the_options_say(planned_book, content, content_type, query):
    at = planned(planned_book.client, content, content_type, query)
    rows = planned_book.get(f"{at}/rows")["data"]

    assert [row["outcome"] for row in rows] == ["created"]
    assert rows[0]["customer"]["name"] in {"A", "Zażółć"}
    assert act(planned_book.client, at, "discard").status_code == 200


def test_options_decide_which_customer_a_row_is_and_what_it_may_do(book):
    book.add({"number": "1", "name": "A", "email": "a@example.com", "phone": "1"})
    file = b"name,email,phone\nB,A@example.com,\nC,c@example.com,\n"

    at = planned(book.client, file, query="?match=email&only=update&keep_empty=true")
    rows = book.get(f"{at}/rows")["data"]

    assert [row["outcome"] for row in rows] == ["updated", "problem"]
    assert rows[0]["changes"] == {"name": ["A", "B"]} or set(rows[0]["changes"]) <= {"name", "email"}
    options = book.client.get(at).json()["options"]
    assert (options["match"], options["only"], options["keep_empty"]) == (["email"], "update", True)


def test_a_map_comes_with_the_file_or_by_its_name(book):
    own = '[columns]\nname = "Firma"\nnumber = "Nr"\n'
    parts = {"file": ("Kunden.csv", b"Firma;Nr\nA;1\n"), "map": ("map.toml", own)}

    answer = book.client.post(IMPORTS, files=parts)
    found = settled(book.client, answer.headers["location"])
    assert (found["state"], found["file_name"], found["options"]["map"]) == ("planned", "Kunden.csv", "own")
    assert found["summary"]["created"] == 1
    for files, query in (
        ({**parts, "map": ("map.toml", "[columns")}, ""),
        (
            {
                **parts,
                "map": (
                    "map.toml",
                    '[lookup.name]\nfile = "/etc/passwd"\nkey = "a"\nvalue = "b"\nfrom = "Nr"\n',
                ),
            },
            "",
        ),
        (parts, "?map=shopify"),
        ({"file": parts["file"]}, "?map=shopfy"),
    ):
        refused = book.client.post(f"{IMPORTS}{query}", files=files)
        check_envelope(refused, 400, "map", "parameter_invalid")
    assert len(book.get(IMPORTS)["data"]) == 1


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ((b"number,nmae\n1,A\n",), "nmae"),
        # Its beginning is no list: whoever applied it would have half of the customers.
        ((b'[{"number": "1", "name": "A"},\n{"numb', "application/json"), "line 2: "),
        ((b"number,name\n1,A\n", "text/csv", "?match=email"), "matched by email, which no row has"),
    ],
    ids=["headings", "cut", "match"],
)
def test_a_file_that_cannot_be_read_has_failed_and_says_why(book, sent, error):
    at = upload(book.client, *sent).headers["location"]

    found = settled(book.client, at)

    assert (found["state"], found["summary"]) == ("failed", None)
    assert error in found["error"]
    check_envelope(act(book.client, at, "apply"), 409, "id", "resource_conflict")


# What is told


def test_a_list_of_problems_that_is_not_whole_says_so(book):
    lines = "".join(f"{number},\n" for number in range(summary.LISTED_MAX + 1))
    at = planned(book.client, b"number,name\n" + lines.encode())

    told = book.get(at)["summary"]

    assert (told["problems"], len(told["problem_list"])) == (1_001, 1_000)
    assert told["recognised"]["notes"] == [
        "problem_list has the first 1,000 of 1,001 problems; the rows, with outcome[]=problem, have all of them."
    ]


def test_a_warning_names_the_customer_that_a_row_resembles(book):
    book.add({"number": "00417", "name": "A"})
    at = planned(book.client, b"number,name\n417,A\n")

    (warning,) = book.get(at)["summary"]["warnings"]

    assert warning["customer"] == {"id": book.get("/v1/sales/customers")["data"][0]["id"], "number": "00417"}


def test_rows_are_paged_in_the_order_of_the_file_and_filtered_by_outcome(planned_book):
    whole = planned_book.get(f"{planned_book.at}/rows")["data"]

    assert [row["line"] for row in whole] == [2, 3, 4]
    assert [row["outcome"] for row in whole] == ["created", "created", "problem"]
    assert set(whole[0]) == {"line", "outcome", "customer", "changes", "problems"}
    assert whole[0]["customer"] == {"id": None, "number": "1", "name": "Café A"}
    assert whole[0]["changes"]["name"] == [None, "Café A"]
    assert whole[2]["problems"][0] | {"reason": ""} == {
        "line": 4, "column": "name", "value": "", "reason": "", "heading": None,
    }  # fmt: skip
    rows = f"{planned_book.at}/rows"
    assert list(walk(planned_book.client, rows, limit=1)) == whole
    for name in ("outcome", "outcome[]"):
        assert list(walk(planned_book.client, rows, limit=1, **{name: "created"})) == whole[:2]
    assert list(walk(planned_book.client, rows, outcome="problem,skipped")) == whole[2:]
    last = planned_book.client.get(rows, params={"limit": 2}).json()["page_info"]["next_page_url"]
    back = planned_book.client.get(last).json()["page_info"]["previous_page_url"]
    assert planned_book.client.get(back).json()["data"] == whole[:2]


def test_imports_are_listed_newest_first_by_state(planned_book):
    listed = planned_book.get(IMPORTS, states="planned")["data"]

    assert planned_book.at.endswith(listed[-1]["id"])
    assert [each["state"] for each in listed] == ["planned"] * len(listed)
    assert planned_book.get(IMPORTS, **{"states[]": "applying,failed"})["data"] == []


# Who may, and what is refused


def test_each_permission_opens_its_routes_and_nobody_elses_imports_are_seen(planned_book, server):
    def keyed(*permissions):
        key = planned_book.new_key(permissions=permissions)[1]
        return {"Authorization": f"Bearer {key}"}

    ask = planned_book.client.request
    reads = keyed("imports:read")
    assert ask("GET", f"{planned_book.at}/rows", headers=reads).status_code == 200
    for method, path, headers, needed in (
        ("POST", IMPORTS, reads, "imports:create"),
        ("POST", f"{planned_book.at}/actions/apply", reads, "imports:update"),
        ("POST", f"{planned_book.at}/actions/discard", keyed("imports:create"), "imports:update"),
        ("GET", planned_book.at, keyed("customers:read"), "imports:read"),
    ):
        answer = ask(method, path, headers={**headers, "Content-Type": "text/csv"})
        check_envelope(answer, 403, code="insufficient_permissions")
        assert needed in answer.json()["error"]["message"]
    other = Book(server)
    for method, path in (
        ("GET", ""),
        ("GET", "/rows"),
        ("POST", "/actions/apply"),
        ("POST", "/actions/discard"),
    ):
        answer = other.client.request(method, f"{planned_book.at}{path}")
        check_envelope(answer, 404, "id", "resource_not_found")
    other.close()


@pytest.mark.parametrize(
    ("content_type", "query", "status", "param", "code"),
    [
        ("application/pdf", "", 415, None, "unsupported_media_type"),
        ("", "", 415, None, "unsupported_media_type"),
        ("multipart/form-data", "", 400, "Content-Type", "validation_failed"),
        ("text/csv", "?encoding=utf9", 400, "encoding", "parameter_invalid"),
        ("text/csv", "?encoding=base64", 400, "encoding", "parameter_invalid"),
        ("text/csv", "?match=nubmer", 400, "match", "parameter_invalid"),
        ("text/csv", "?match=number,number", 400, "match", "parameter_invalid"),
        ("text/csv", "?match=external_ids.", 400, "match", "parameter_invalid"),
        ("text/csv", "?only=both", 400, "only", "parameter_invalid"),
        ("text/csv", "?keep_empty=yes", 400, "keep_empty", "parameter_invalid"),
        ("text/csv", "?sheet=", 400, "sheet", "parameter_invalid"),
        ("text/csv", "?encodng=utf-8", 400, "encodng", "parameter_unknown"),
    ],
)
def test_what_an_upload_cannot_mean_is_refused(planned_book, content_type, query, status, param, code):
    answer = upload(planned_book.client, GOOD, content_type, query)

    check_envelope(answer, status, param, code)


def test_a_form_without_a_file_an_empty_file_and_what_is_packed_otherwise_are_refused(planned_book):
    answer = planned_book.client.post(IMPORTS, files={"map": ("map.toml", "[columns]")})
    check_envelope(answer, 400, "file", "missing_field")
    check_envelope(upload(planned_book.client, b""), 400, None, "validation_failed")
    packed = {"Content-Encoding": "br"}
    check_envelope(upload(planned_book.client, GOOD, **packed), 415, None, "unsupported_media_type")


def test_a_file_may_be_larger_than_a_body_and_no_larger_than_its_own_limit(planned_book):
    large = b"number,name\n" + b"1,A\n" * 600_000
    at = upload(planned_book.client, large).headers["location"]
    act(planned_book.client, at, "discard")
    answer = exchange(
        planned_book.server.url,
        f"POST {IMPORTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {planned_book.key}\r\n"
        f"Content-Type: text/csv\r\nContent-Length: {5 * 1024**3}\r\n\r\n".encode(),
    )

    assert answer.startswith(b"HTTP/1.1 413"), answer


def test_a_request_that_is_sent_again_begins_one_import(book):
    key = {"Idempotency-Key": "once"}
    first = upload(book.client, GOOD, **key)
    again = upload(book.client, GOOD, **key)

    assert (again.status_code, again.json()) == (202, first.json())
    assert again.headers["idempotent-replayed"] == "true"
    check_envelope(upload(book.client, FILE, **key), 422, "Idempotency-Key", "idempotency_key_reused")
    assert len(book.get(IMPORTS)["data"]) == 1
    at = first.headers["location"]
    settled(book.client, at)
    once = [book.client.post(f"{at}/actions/apply", headers=key | {"Idempotency-Key": "a"}) for _ in range(2)]
    assert [each.status_code for each in once] == [200, 200]
    assert once[1].headers["idempotent-replayed"] == "true"


def files_in(folder):
    """The files that wait to be planned: beside an embedded book, or in the folder that is named."""
    return sorted(path for place in folder.glob("*imports") for path in place.rglob("*") if path.is_file())


def test_an_upload_that_is_cut_leaves_nothing(book):
    folder = book.server.log.parent
    before = files_in(folder)
    head = (
        f"POST {IMPORTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {book.key}\r\n"
        "Content-Type: text/csv\r\nContent-Length: 900000\r\n\r\n"
    )

    exchange(book.server.url, head.encode() + b"x" * 400_000, is_cut=True)

    wait_until(lambda: files_in(folder) == before, "the end of what was cut")
    assert book.get(IMPORTS)["data"] == []


@pytest.mark.parametrize(
    ("shown", "kept"),
    [
        (import_shapes.ImportSummary, summary.Summary),
        (import_shapes.ImportSkipped, summary.SkippedBy),
        (import_shapes.ImportRecognised, rows.Recognised),
    ],
)
def test_what_is_kept_of_a_plan_is_told_whole(shown, kept):
    assert shown.__struct_encode_fields__ == kept.__struct_encode_fields__


def test_what_is_told_of_rows_is_in_a_plan():
    assert set(import_shapes.ImportProblem.__struct_fields__) <= set(rows.Problem.__struct_fields__)
    assert set(import_shapes.ImportRow.__struct_fields__) <= set(plan.PlannedRow.__struct_fields__)
