"""A plan: what each row of a file would do, decided on a snapshot, with nothing written."""

import gzip
import io
import random
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tradebook.crud.strict_json import Number
from tradebook.resources.import_shapes import OUTCOMES
from tradebook.storage import helping
from tradebook.storage.helping import Helper
from tradebook.storage.sqlite.handles import SqliteWriter
from tradebook.transfer.columns import ATTACHED, COLUMNS
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports import planned, planning
from tradebook.transfer.imports.planning import plan_customers
from tradebook.transfer.imports.seen import changed_since
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.maps.options import Options
from tradebook.transfer.rows import Match, Problem, Row, Skipping

HOME = {"bill_to.country": "DE", "bill_to.locality": "Bonn"}


def rows_of(*records):
    return [Row(line, record) for line, record in enumerate(records, 1)]


def plan(ledger, *records, skips=(), **how):
    """Plan some records, and return the rows and the summary."""
    rows = [record if isinstance(record, Row | Problem) else None for record in records]
    listed = [
        row or Row(line, record) for line, (row, record) in enumerate(zip(rows, records, strict=True), 1)
    ]
    with (
        ledger.database.read(ledger.key) as reader,
        closing(plan_customers(reader, listed, Options(skips=skips), **how)) as found,
    ):
        return list(found), found.summary


def check_sum(summary: Summary) -> None:
    parts = ("created", "updated", "unchanged", "skipped", "joined", "faulty")
    assert summary.rows == sum(getattr(summary, part) for part in parts)


def test_every_row_has_an_outcome_its_customer_and_what_changes_in_the_words_of_an_export(ledger):
    ledger.take(
        {"number": "1", "name": "A", "type": "Retail", "phone": "1", "price_groups": ["Gold"], **HOME},
        {"number": "2", "name": "B"},
    )
    before = ledger.export()

    rows, summary = plan(
        ledger,
        {
            "number": "1",
            "type": "Export",
            "phone": "",
            "price_groups": "",
            "bill_to.locality": "Köln",
            "credit_limit": "12.50",
            "credit_limit_currency": "EUR",
            "accepts_invoice_emails": "yes",
        },
        {"number": "2", "name": "B"},
        {"number": "3", "name": "C", "type": "retail", "status": "hold_all", "parent_number": "2", **HOME},
        {"number": "4"},
        Row(9, {}, skipped=0),
        skips=(Skipping("Kind", "Supplier"),),
    )

    assert [row.outcome for row in rows] == ["updated", "unchanged", "created", "problem", "skipped"]
    assert rows[0].changes == {
        "type": ("Retail", "Export"),
        "phone": ("1", None),
        "price_groups": (["Gold"], []),
        "bill_to.locality": ("Bonn", "Köln"),
        "credit_limit": (None, "12.50"),
        "credit_limit_currency": (None, "EUR"),
        "accepts_invoice_emails": (False, True),
    }
    assert rows[1].changes == {}
    assert {
        name: rows[2].changes[name] for name in ("type", "status", "parent_number", "bill_to.country")
    } == {
        "type": (None, "Retail"),
        "status": (None, "hold_all"),
        "parent_number": (None, "2"),
        "bill_to.country": (None, "DE"),
    }
    assert [(row.customer.id is None, row.customer.number) for row in rows[:3]] == [
        (False, "1"),
        (False, "2"),
        (True, "3"),
    ]
    assert summary.cleared == {"phone": 1, "price_groups": 1}
    assert [(by.column, by.is_, by.rows) for by in summary.skipped_by] == [("Kind", "Supplier", 1)]
    check_sum(summary)
    assert ledger.export() == before


def test_a_plan_takes_no_lock_and_writes_nothing(ledger):
    record = {
        "name": "New",
        "type": "T",
        "carrier": "Own Van",
        "service_level": "Day",
        "sales_rep_name": "Ann",
    }
    tables = ("customers", "addresses", "account_groups", "carriers", "service_levels", "account_users")
    before = {table: ledger.sql(f"SELECT account_id, id FROM {table}") for table in tables}

    with ledger.database.write(ledger.key) as writer:
        assert writer.revision
        rows, summary = plan(ledger, {**record, **HOME})

    assert rows[0].outcome == "created"
    assert len(summary.made) == 4
    assert {table: ledger.sql(f"SELECT account_id, id FROM {table}") for table in tables} == before


def test_names_of_rows_with_a_problem_are_not_made(ledger):
    _, summary = plan(
        ledger,
        {"number": "1", "name": "A", "type": "Lost", "email": "nobody"},
        {"number": "2", "name": "B", "type": "Late", "parent_number": "none"},
        {"number": "3", "name": "C", "type": "Late", "payment_term": "House 10"},
    )

    assert {kind: [(made.name, made.line) for made in listed] for kind, listed in summary.made.items()} == {
        "type_groups": [("Late", 3)],
        "payment_terms": [("House 10", 3)],
    }
    assert (summary.created, summary.faulty, summary.problems) == (1, 2, 2)


def test_the_child_of_a_row_that_is_left_out_is_left_out(ledger):
    ledger.take({"number": "known", "name": "Known"})

    rows, summary = plan(
        ledger,
        {"number": "a", "name": "A", "parent_number": "bad"},
        {"number": "bad", "name": ""},
        {"number": "b", "name": "B", "parent_number": "lost"},
        {"number": "lost", "name": "Lost", "parent_number": "nobody"},
        {"number": "c", "name": "C", "parent_number": "known"},
        {"number": "known", "email": "nobody"},
        {"number": "known", "name": "Again"},
    )

    assert [row.outcome for row in rows] == [*["problem"] * 4, "created", "problem", "problem"]
    assert rows[0].problems[0].reason == "is the number of line 2, which has a problem itself"
    assert rows[2].problems[0].reason == "is the number of line 4, which has a problem itself"
    check_sum(summary)


GOES_ALONG = "The row goes with another one of its customer, which has a problem."


def test_the_rows_of_a_customer_are_taken_in_together_or_not_at_all(ledger):
    """Alone, a further row that was mended would clear what the first one says."""
    rows, summary = plan(
        ledger,
        {"number": "1", "name": "A", "address.locality": "York", "address.country": "GB"},
        {"number": "1", "address.locality": "Bath", "address.country": "Grmany"},
        {"number": "1", "address.locality": "Hull", "address.country": "GB"},
        {"number": "2", "name": "B"},
    )

    assert [row.outcome for row in rows] == ["problem", "problem", "problem", "created"]
    assert [row.problems[0].reason for row in (rows[0], rows[2])] == [GOES_ALONG, GOES_ALONG]
    assert [problem.column for problem in rows[1].problems] == ["address.country"]
    check_sum(summary)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_a_family_may_be_turned_around(ledger, order):
    """The head becomes the child of its child, which leaves it: possible once both rows are done."""
    ledger.take(
        {"number": "head", "name": "Head"},
        {"number": "kid", "name": "Kid", "parent_number": "head"},
        {"number": "other", "name": "Other", "parent_number": "head"},
    )
    rows = [
        {"number": "head", "parent_number": "kid"},
        {"number": "kid", "parent_number": ""},
        {"number": "other", "parent_number": "kid"},
    ]

    ledger.take(*(rows[place] for place in order))

    parents = {record["number"]: record["parent_number"] for record in ledger.records()}
    assert parents == {"head": "kid", "kid": None, "other": "kid"}
    flags = {row[1]: row[2] for row in ledger.sql("SELECT account_id, number, is_parent FROM customers")}
    assert flags == {"head": 0, "kid": 1, "other": 0}


def test_a_customer_whose_children_only_partly_leave_cannot_become_a_child(ledger):
    ledger.take(
        {"number": "head", "name": "Head"},
        {"number": "top", "name": "Top"},
        *({"number": kid, "name": kid, "parent_number": "head"} for kid in ("k1", "k2")),
    )

    _, summary = plan(
        ledger, {"number": "head", "parent_number": "top"}, {"number": "k1", "parent_number": ""}
    )
    _, whole = plan(
        ledger,
        {"number": "head", "parent_number": "top"},
        *({"number": kid, "parent_number": ""} for kid in ("k1", "k2")),
    )

    assert [problem.line for problem in summary.problem_list] == [1]
    assert whole.problems == 0


def test_a_child_without_a_number_may_stand_before_its_parent(ledger):
    ledger.take({"name": "Child", "parent_number": "head"}, {"number": "head", "name": "Head"})

    assert {record["name"]: record["parent_number"] for record in ledger.records()} == {
        "Child": "head",
        "Head": None,
    }


def test_a_row_that_is_refused_leaves_the_address_that_it_shares_as_it_was(ledger):
    """Two rows of one batch change one address; the first can't be taken in, for its other address."""
    ledger.take({"number": "1", "name": "A", **HOME})
    row = {"number": "1", "bill_to.locality": "Köln", "ship_to.locality": "Ulm", "created_at": "2001-01-01"}

    rows, _ = plan(ledger, row, {"number": "1", "bill_to.state": "NW"})

    assert [row.outcome for row in rows] == ["problem", "problem"]
    assert rows[1].problems[0].reason == "is the number of line 1 already"


def test_a_rep_that_a_file_spells_in_two_ways_is_one_and_told(ledger):
    _, summary = plan(
        ledger,
        *(
            {"number": str(place), "name": "A", "sales_rep_email": email}
            for place, email in enumerate(
                ("kim@a.example", "Kim@a.example", "Kim@a.example", "KIM@a.example")
            )
        ),
    )

    assert [made.name for made in summary.made["sales_reps"]] == ["kim@a.example"]
    assert [(warning.line, warning.needs_yes) for warning in summary.warnings] == [(2, False), (4, False)]


def test_what_has_changed_since_is_named_and_nothing_else(ledger):
    ledger.take(*({"number": number, "name": "A", **HOME} for number in "1234"))
    rows, _ = plan(
        ledger,
        *({"number": number, "name": "B"} for number in "123"),
        {"number": "4", "name": "A"},
        {"number": "5", "name": "New"},
        {"number": "6", "name": "New"},
    )

    ledger.take({"number": "1", "phone": "1"}, {"number": "2", "bill_to.locality": "Ulm"})
    ledger.take({"number": "4", "phone": "4"}, {"number": "5", "name": "Taken"})

    with ledger.database.read(ledger.key) as reader:
        found = changed_since(reader, rows, Match())
    assert [row.customer.number for row in found] == ["1", "2", "5"]


def test_objects_of_one_line_are_told_apart(ledger):
    """As in a list of JSON that has no line breaks."""
    rows = [Row(1, {"number": number, "name": name}) for number, name in ("1A", "2B", "1C", "3D")]

    found, _ = plan(ledger, *rows)

    assert [row.outcome for row in found] == ["created", "created", "problem", "created"]


# Anything at all in any cell

STRANGE = [
    Number("1"), Number("1e400"), True, False, None, "", " ", [], ["a", "a"], [Number("1")], [None], [["x"]], {},
    {"a": "b"}, [{"a": "b"}], "x" * 100_000, "\0", "a\tb\nc", "\ud800", "\udcff", "\u202e", "\u200b", "١٢٣", "4.9E+11",
    "MÃ¼ller", "\ufffd", "=1+1", "'", '"', "NULL", "-0", "1" * 400, "9999-99-99", "0000-01-01T00:00:00Z", "@", "a@b",
    "a;b\\;c\\", "; ; ;", "http://[", "ß", "e\u0301" * 200, "+/-", "{x}", "\N{PILE OF POO}" * 300,
]  # fmt: skip
EVERY_COLUMN = [*COLUMNS, *ATTACHED, "external_ids.shop", "addresses"]


def check_told(ledger: Ledger, rows: list[Row]) -> Summary:
    """Plan rows; whatever is wrong is a problem with its line, and every row is counted once."""
    lines = {row.line for row in rows}
    with (
        ledger.database.read(ledger.key) as reader,
        closing(plan_customers(reader, rows, keeps_raw=True)) as found,
    ):
        planned_rows, summary, problems = list(found), found.summary, list(found.problems())
    assert summary.rows == len(rows) == len(planned_rows)
    check_sum(summary)
    assert {problem.line for problem in problems} <= lines
    for problem in problems:
        assert problem.reason
        assert "\ud800" not in str(problem)
        str(problem).encode()
    assert {row.outcome for row in planned_rows} <= set(OUTCOMES)
    assert all((row.outcome == "problem") == bool(row.problems) for row in planned_rows)
    return summary


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_every_column_wrong_in_every_way_is_a_problem_and_never_an_error(ledger):
    ledger.take({"number": "0", "name": "Known", "sales_rep_email": "a@b.c", **HOME})
    rows, chance = [], random.Random(5)
    for column in EVERY_COLUMN:
        for strange in STRANGE:
            known = {"number": "0"} if chance.random() < 0.1 else {"number": f"n{len(rows)}", "name": "A"}
            rows.append({**known, **HOME, column: strange})
    chance.shuffle(rows)
    rows = [Row(line, values, raw=["x"]) for line, values in enumerate(rows, 2)]

    summary = check_told(ledger, rows)

    assert summary.faulty > 500
    assert summary.created > 500


cells = st.dictionaries(
    st.sampled_from(EVERY_COLUMN),
    st.sampled_from(STRANGE)
    | st.text(max_size=20)
    | st.sampled_from(["1", "2", "A", "DE", "a@b.c", "Gold", "FedEx"]),
    max_size=12,
)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@settings(
    deadline=None, max_examples=length(60, 1_000), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(records=st.lists(cells, max_size=8))
def test_any_cells_in_any_rows_are_told_of_and_what_is_planned_can_be_written(ledger, records):
    rows = [Row(line, record) for line, record in enumerate(records, 2)]

    check_told(ledger, rows)
    summary, problems = ledger.take_rows(rows)

    assert summary.is_kept == (not problems)


GOOD = (
    "number,name,email,credit_limit,created_at,bill_to.country,price_groups\n"
    "1,Müller,a@b.example,12.50,2020-01-01,DE,Gold;Silver\n"
    '2,"A ""B""\n C",,,,,\n'
).encode()
LINES = b'{"number": "1", "name": "M\xc3\xbcller", "bill_to": {"country": "DE"}}\n{"name": "B", "price_groups": ["Gold"]}\n'
FILES = [
    GOOD,
    LINES,
    b"[" + b",".join(LINES.splitlines()) + b"]",
    GOOD.decode().encode("utf-16"),
    gzip.compress(GOOD, mtime=0),
]


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A file that is cut, or has bytes put in, taken out or in another order; or any bytes at all."""
    content = bytearray(draw(st.sampled_from(FILES) | st.binary(max_size=200)))
    for _ in range(draw(st.integers(0, 4))):
        at, to = sorted((draw(st.integers(0, len(content))), draw(st.integers(0, len(content)))))
        match draw(st.sampled_from(["cut", "put", "drop", "swap"])):
            case "cut":
                del content[at:]
            case "put":
                content[at:at] = draw(st.binary(max_size=4))
            case "drop":
                del content[at : at + 3]
            case _:
                content = content[to:] + content[at:to] + content[:at]
    return bytes(content)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@settings(
    deadline=None, max_examples=length(80, 2_000), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(content=damaged(), told=st.sampled_from([None, "csv", "ndjson", "json", "workbook"]))
def test_any_bytes_are_a_file_of_which_all_is_told(ledger, content, told):
    with (
        ledger.database.read(ledger.key) as reader,
        closing(plan_customers(reader, read_file(io.BytesIO(content), told, None), keeps_raw=True)) as found,
    ):
        rows, summary, problems = list(found), found.summary, list(found.problems())

    check_sum(summary)
    assert len(rows) == summary.rows
    assert len(problems) == summary.problems
    for problem in problems:
        str(problem).encode()


def test_the_check_of_the_sum_finds_a_row_that_is_not_counted(ledger, monkeypatch):
    """The planted fault: a late problem that doesn't turn its row into one with a problem."""
    monkeypatch.setattr(planned.KeptRow, "refuse", lambda *_: None)

    with pytest.raises(AssertionError):
        test_the_child_of_a_row_that_is_left_out_is_left_out(ledger)


def test_the_check_of_the_lock_finds_a_plan_that_writes(ledger, monkeypatch):
    monkeypatch.setattr(
        "tradebook.transfer.imports.planning.Foreseen.make",
        lambda _, __, ___, ____, write: write(SqliteWriter),
    )

    with pytest.raises(Exception):  # noqa: B017 - whatever comes of a reader that is to write
        plan(ledger, {"name": "A", "type": "T"})


_ODD = [
    {"number": "1", "name": "Plain", **HOME},
    {"number": Number("417"), "name": "A number of JSON"},
    {"number": "3", "name": "N/A", "credit_limit": Number("1250.50"), "credit_limit_currency": "EUR"},
    {"number": "4", "name": "Half \udc80 of a character"},
    {"number": "5", "name": "Groups", "price_groups": ["Gold", "Silver"], "email": "no address"},
    {"number": "6", "name": "Names", "addresses": [{"country": "IE", "locality": "Cork"}, {"street": "x"}]},
    {"number": "7", "name": 10**30, "created_at": "2020-01-01T00:00:00Z"},
    {"number": "8", "name": "MÃ¼ller", "status": "strange"},
    {"number": "8", "address.country": "FR", "address.locality": "Paris"},
]


@pytest.mark.parametrize("wrong", [None, *range(len(_ODD))])
def test_a_helper_finds_in_a_row_what_is_found_without_one(ledger, monkeypatch, wrong):
    """Also in those that it can't be told of: then their chunk is looked at here."""
    monkeypatch.setattr(planning, "ROWS_AT_ONCE", 2)
    asked, ask = [], Helper.ask
    monkeypatch.setattr(Helper, "ask", lambda self, content: [asked.append(content), ask(self, content)][1])
    records = _ODD if wrong is None else [_ODD[0], _ODD[0] | {"number": "0"}, _ODD[wrong], _ODD[-1]]
    helped = plan(ledger, *records, keeps_raw=True)
    was_asked = len(asked)
    monkeypatch.setattr(helping.os, "sched_getaffinity", lambda _: {0})

    alone = plan(ledger, *records, keeps_raw=True)

    assert helped == alone
    assert len(asked) == was_asked
    assert bool(was_asked) == (wrong not in (3, 6))


def test_a_few_rows_need_no_helper(ledger, monkeypatch):
    monkeypatch.setattr(Helper, "_start", lambda _: pytest.fail("it was started"))

    _, summary = plan(ledger, *_ODD)

    assert summary.rows == len(_ODD)
