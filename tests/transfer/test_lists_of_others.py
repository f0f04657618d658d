"""Lists as other programs write them, brought in by their maps: what is a customer, and what is told."""

import io

import pytest

from tests.fixtures.ledgers import Ledger
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports.summary import Summary
from tradebook.transfer.maps.column_map import load_map_text


@pytest.fixture
def bring_in(ledger, tmp_path):
    """Bring a file into an account through a map; what needs a yes gets none."""

    def bring(content: str, map_text: str = "", **more: str) -> Summary:
        for name, text in more.items():
            (tmp_path / f"{name}.csv").write_text(text)
        if map_text:
            return ledger.take_through(map_text, content, tmp_path, yes=False)[0]
        return ledger.take_rows(read_file(io.BytesIO(content.encode()), "csv", None), yes=False)[0]

    return bring


def told(summary: Summary) -> list[tuple]:
    return [(each.line, each.column, each.value, each.needs_yes) for each in summary.warnings]


DUMP = "custNo,company,region,zip,tel,land\nA1,Ortega,NULL,28013,NULL,Spain\nA2,Ibarra,\\N,NULL,n/a,Spain\n"
DUMP_MAP = """
[columns]
number = "custNo"
name = "company"
phone = "tel"
note = "Tel. {tel}, region {region}"
"bill_to.state" = "region"
"bill_to.postal_code" = "zip"
"bill_to.country" = "land"
[defaults]
type = "Import"
"""


def test_words_for_nothing_are_told_until_the_map_says_what_they_mean(ledger, bring_in):
    asked = bring_in(DUMP, DUMP_MAP)
    said = bring_in(DUMP, DUMP_MAP + '[file]\nnothing = ["NULL", "\\\\N", "n/a"]\n')

    assert (asked.is_kept, asked.needs_yes) == (True, 0)
    assert [each[1:3] for each in told(asked)] == [
        ("phone", "NULL"),
        ("bill_to.state", "NULL"),
        ("note", "NULL"),
        ("phone", "n/a"),
        ("bill_to.state", "\\N"),
        ("bill_to.postal_code", "NULL"),
        ("note", "\\N"),
    ]
    assert told(said) == []
    assert [ledger.customer(number)["bill_to.state"] for number in ("A1", "A2")] == [None, None]


TOTALS = (
    "Customer,Phone,City,Country\nAspen Works,970 555 0111,Aspen,US\nDelta Farm,,Delta,US\nTOTAL,,,\n"
    '"Friday, Nov. 20, 2026 03:12 PM",,,\n'
)
TOTALS_MAP = """
[columns]
name = "Customer"
phone = "Phone"
"bill_to.locality" = "City"
"bill_to.country" = "Country"
[defaults]
type = "Import"
"""


def test_a_total_is_told_until_the_map_leaves_it_out(ledger, bring_in):
    told_of = told(bring_in(TOTALS, TOTALS_MAP))

    assert told_of == [(4, "name", "TOTAL", False)]
    left_out = bring_in(TOTALS, TOTALS_MAP + '[[skip]]\ncolumn = "City"\nis = [""]\n')
    assert (left_out.rows, left_out.created, left_out.skipped, told(left_out)) == (4, 2, 2, [])


def test_a_total_that_has_no_name_is_told_how_to_leave_it_out(ledger):
    content = b"Customer ID,Name,Spent\n'71,Aspen,5\nTotal,,5\n"
    text = (
        '[columns]\n"external_ids.shop" = "Customer ID"\nname = "Name"\n[match]\nby = ["external_ids.shop"]\n'
    )

    (problem,) = ledger.problems_of(content, load_map_text(text, ()))

    assert (problem.line, problem.column, problem.reason) == (
        3,
        "name",
        "is missing: a new customer needs a name. Total looks like the sum of a list: a [[skip]] in the map leaves it out",
    )


def test_a_group_with_a_comma_is_told_until_the_map_splits_it(bring_in):
    content = 'id,name,tags\n1,Rossa,"fresh, exempt"\n2,Verde,"exempt, fresh"\n3,Blu,fresh\n'
    columns = '[columns]\nnumber = "id"\nname = "name"\nprice_groups = {}\n[defaults]\ntype = "Import"\n'

    asked = bring_in(content, columns.format('"tags"'))
    split = bring_in(content, columns.format('{ from = "tags", split = "," }'))

    assert told(asked) == [
        (2, "price_groups", "fresh, exempt", False),
        (3, "price_groups", "exempt, fresh", False),
    ]
    assert told(split) == []
    assert split.updated == 2


def test_a_rep_in_two_spellings_is_one_and_told(bring_in):
    content = (
        "number,name,type,sales_rep_email\n1,A,Retail,kim@seller.example\n2,B,Retail,Kim@seller.example\n"
        "3,C,Retail,kim@seller.example\n"
    )

    summary = bring_in(content)

    assert told(summary) == [(3, "sales_rep_email", "Kim@seller.example", False)]
    assert [each.name for each in summary.made["sales_reps"]] == ["kim@seller.example"]


CUSTOMERS = "id;mail;first;last\n1;wen@x.example;Wen;Dahl\n2;tig@x.example;Tig;Lind\n"
ADDRESSES = (
    "mail;street;town;land\nwen@x.example;High St 1;New York;US\nwen@x.example;Park Rd 5;London;GB\n"
    "wen@x.example;Kai 3;Bonn;DE\n"
)
ADDRESSES_MAP = """
[columns]
number = "id"
name = "{first} {last}"
email = "mail"
[defaults]
type = "Import"
[[lookup]]
file = "addresses.csv"
key = "mail"
from = "mail"
missing = "empty"
many = "attach"
columns = { "bill_to.street_line_1" = "street", "bill_to.locality" = "town", "bill_to.country" = "land" }
"""


def test_further_addresses_of_another_file_are_attached_once(ledger: Ledger, bring_in):
    first = bring_in(CUSTOMERS, ADDRESSES_MAP, addresses=ADDRESSES)
    again = bring_in(CUSTOMERS, ADDRESSES_MAP, addresses=ADDRESSES)

    assert (first.created, again.unchanged) == (2, 2)
    assert ledger.customer("1")["bill_to.street_line_1"] == "High St 1"
    assert ledger.customer("2")["bill_to.country"] is None
    streets = ledger.sql(
        "SELECT l.account_id, a.street_line_1, l.is_attached FROM customer_addresses AS l JOIN addresses AS a"
        " ON a.account_id = l.account_id AND a.id = l.address_id"
    )
    assert sorted(row[1:] for row in streets) == [("High St 1", 0), ("Kai 3", 1), ("Park Rd 5", 1)]


def test_numbers_that_a_spreadsheet_has_rounded_wait_for_a_yes(ledger, bring_in):
    content = 'number,name,type,phone\n7.21045E+12,Harbor,Retail,4.91761E+11\n8,Ufer,Retail,"4,91523E+11"\n'

    summary = bring_in(content)

    assert (summary.needs_yes, summary.is_kept, ledger.records()) == (3, False, [])
    assert [each[:2] for each in told(summary)] == [(2, "number"), (2, "phone"), (3, "phone")]
