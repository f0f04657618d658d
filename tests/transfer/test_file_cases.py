"""Files that were refused or misread, each with what is right: read, planned, and told."""

import datetime as dt
import io

import pytest

from tests.fixtures.ledgers import Ledger
from tests.fixtures.workbooks import xlsx
from tradebook.transfer.files.formats import format_of
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.maps.column_map import load_map


@pytest.fixture
def told(ledger: Ledger, tmp_path):
    """Import files of these names and contents, the first with the map; return summary, problems and reader."""

    def take(map_text=None, **files):
        for name, content in files.items():
            (tmp_path / name.replace("_", ".")).write_bytes(
                content if isinstance(content, bytes) else content.encode()
            )
        name = next(iter(files)).replace("_", ".")
        mapping = None
        if map_text is not None:
            (tmp_path / "map.toml").write_text(map_text)
            mapping = load_map(tmp_path / "map.toml", tmp_path)
        with (tmp_path / name).open("rb") as file:
            reader = read_file(file, format_of(name), mapping)
            summary, problems = ledger.take_rows(reader)
        return summary, problems, reader.recognised

    return take


def test_a_first_line_names_the_separator(told):
    summary, problems, recognised = told(
        customers_csv="sep=;\r\nnumber;name;type;bill_to.locality;bill_to.country\r\n"
        "510;Nordlys Verktøy;Retail;Bodø;NO\r\n511;Sjøberg & Sønn;Retail;Oslo;NO\r\n512;;Retail;Oslo;NO\r\n"
    )

    assert (summary.rows, summary.faulty) == (3, 1)
    assert problems[0].startswith("line 5, name")
    assert (recognised.separator, recognised.header) == (";", 2)


def test_a_row_index_without_a_heading_is_left_out_and_told(told):
    text = ",Id,Name,Country\n0,S-1,Brightwater Ltd,GB\n1,S-2,Fairfield Ltd,GB\n"
    mapping = '[columns]\nnumber = "Id"\nname = "Name"\n"bill_to.country" = "Country"\n[defaults]\ntype = "Import"\n'

    summary, problems, recognised = told(mapping, customers_csv=text)
    without, refused, _ = told(customers_csv=text)

    assert (summary.rows, summary.created, problems) == (2, 2, [])
    assert recognised.left_out == ["column 1, without a name"]
    assert without.rows == 0
    assert refused[0].startswith("line 1: Column 1 has no name: with a map, ")


def test_a_heading_that_stands_twice_is_a_problem_only_where_it_is_taken(told):
    text = "No;Firm;Reserved;Town;Land;Reserved\n1;Kaiser Optik;;Graz;AT;x\n2;Lenz Bau;;Linz;AT;y\n"
    mapping = (
        '[columns]\nnumber = "No"\nname = "Firm"\n"bill_to.locality" = "Town"\n"bill_to.country" = "Land"\n'
    )

    summary, problems, recognised = told(mapping, customers_csv=text)
    taken = told(mapping + 'note = "Reserved"\n', customers_csv=text)
    second = told(mapping + 'note = { from = "Reserved", nth = 2 }\n', customers_csv=text)

    assert (summary.rows, summary.created, problems) == (2, 2, [])
    assert len(recognised.left_out) == 2
    assert taken[0].rows == 0
    assert "Reserved" in taken[1][0]
    assert second[0].updated == 2


def test_a_workbook_is_read_whatever_it_is_called(told):
    book = xlsx([["number", "name", "type"], [417, "Zoë", "Retail"]], formats={"A2": "00000"})

    for name in ("list_csv", "list_xlsx", "list_ndjson", "list_dat"):
        summary, problems, _ = told(**{name: book})

        assert (summary.rows, problems) == (1, [])


def test_rows_are_rows_of_the_file_and_never_problems(told):
    headings, refused, _ = told(customers_csv="Id,Name,Mail,Tel,Land\n1,Alder Ltd,a@alder.example,1,GB\n")
    rows, problems, _ = told(
        customers_csv="number,name,type,email,status,bill_to.country\n1,Alder Ltd,Retail,none,vip,Utopia\n\n"
        "2,Birch Ltd,Retail,,,GB\n"
    )
    lookup = '[columns]\nnumber = "cust"\nname = "mail"\n[defaults]\ntype = "Import"\n'
    for column, value in (("phone", "phone"), ('"bill_to.locality"', "town"), ('"bill_to.country"', "land")):
        lookup += f'[lookup.{column}]\nfile = "prices.csv"\nfrom = "mail"\nkey = "mail"\nvalue = "{value}"\n'
    looked_up, missing, _ = told(
        lookup,
        lookup_csv="cust;mail\n1;a@alder.example\n2;b@birch.example\n",
        prices_csv="mail;phone;town;land\na@alder.example;1;Leeds;GB\n",
    )

    assert (headings.rows, bool(refused)) == (0, True)
    assert (rows.rows, rows.faulty, len(problems)) == (2, 1, 3)
    assert (looked_up.rows, looked_up.faulty, len(missing)) == (2, 1, 3)


def test_a_time_of_a_workbook_is_when_a_customer_was_entered(told, ledger):
    book = xlsx([["number", "name", "created_at"], ["1", "A", dt.datetime(2024, 5, 1, 9, 30)]])

    _, problems, _ = told(list_xlsx=book)

    assert problems == []
    assert ledger.customer("1")["created_at"] == "2024-05-01T09:30:00.000Z"


def test_no_bytes_of_a_file_end_an_import_with_an_exception(ledger):
    for content in (
        b"\0",
        b"number\n\xff",
        b'{"number": "\xff"}',
        bytes(range(256)),
        b"PK\x03\x04",
        b"\xff\xfe\x00",
    ):
        for file_format in ("csv", "ndjson", "json", "workbook"):
            summary, problems = ledger.take_rows(read_file(io.BytesIO(content), file_format, None))

            assert summary.created == 0
            assert problems
