"""Files that other programs write, brought in by a map: what the book has in the end."""

import pytest


@pytest.fixture
def brought_in(ledger, tmp_path):
    """Bring in a file by a map: the summary, and the book's customers with what matters here."""

    def bring(map_text, content, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
        summary, problems = ledger.take_through(map_text, content, tmp_path)
        assert problems == []
        return summary, ledger.records()

    return bring


def only(record, *names):
    return {name: record.get(name) for name in names}


def test_a_decimal_comma(brought_in):
    _, records = brought_in(
        '[file]\ndecimal = ","\n[columns]\nnumber = "Nr"\nname = "Name"\ncredit_limit = "Limit"\n'
        '[defaults]\ntype = "Import"\ncredit_limit_currency = "EUR"\n',
        "Nr;Name;Limit\n1;Weinbau;1.234,56\n2;Druck;25000,-\n3;KG;12 500,00 €\n4;OG;\n",
    )

    assert [record["credit_limit"] for record in records] == ["1234.56", "25000", "12500.00", None]


def test_foreign_dates(brought_in):
    _, records = brought_in(
        '[columns]\nnumber = "No"\nname = "Name"\n[columns.created_at]\nfrom = "Since"\n'
        'date = ["%d/%m/%Y", "%Y-%m-%d %H:%M:%S"]\nzone = "Europe/Dublin"\nempty = "0000-00-00 00:00:00"\n',
        "No,Name,Since\n1,Mills,03/11/2019\n2,Foods,2021-07-01 08:15:00\n3,Ltd,0000-00-00 00:00:00\n",
    )

    times = {record["number"]: record["created_at"] for record in records}
    assert times.pop("3") > "2024"
    assert times == {"1": "2019-11-03T00:00:00.000Z", "2": "2021-07-01T07:15:00.000Z"}


def test_groups_with_commas(brought_in):
    summary, records = brought_in(
        '[columns]\nnumber = "id"\nname = "name"\nprice_groups = { from = "tags", split = "," }\n',
        'id,name,tags\n1,Rossa,"retail, ag-exempt"\n2,Verde,"ag-exempt, retail"\n3,Blu,retail\n',
    )

    assert [record["price_groups"] for record in records] == [["ag-exempt", "retail"]] * 2 + [["retail"]]
    assert {made.name for made in summary.made["pricing_groups"]} == {"retail", "ag-exempt"}


def test_addresses_of_another_file(brought_in, ledger):
    _, records = brought_in(
        """
        [columns]
        number = "id"
        name = "{first} {last}"
        email = "mail"
        [[lookup]]
        file = "addresses.csv"
        key = "mail"
        from = "mail"
        missing = "empty"
        many = "attach"
        columns = { "bill_to.street_line_1" = "street", "bill_to.locality" = "town", "bill_to.country" = "land" }
        """,
        "id;mail;first;last\n1;wen@x.example;Wen;Dahl\n2;tig@x.example;Tig;Lind\n",
        addresses="mail;street;town;land\nwen@x.example;High St 1;New York;US\nwen@x.example;Park Rd 5;London;GB\n",
    )

    wen, tig = records
    assert only(wen, "name", "bill_to.street_line_1", "bill_to.country") == {
        "name": "Wen Dahl", "bill_to.street_line_1": "High St 1", "bill_to.country": "US"
    }  # fmt: skip
    assert ledger.found("London") == {"1"}
    assert tig["bill_to.country"] is None


def test_words_for_nothing(brought_in):
    _, records = brought_in(
        '[file]\nnothing = ["NULL", "\\\\N", "n/a"]\n[columns]\nnumber = "no"\nname = "company"\nphone = "tel"\n'
        'note = "[Tel. {tel}][, region {region}]"\n"bill_to.state" = "region"\n"bill_to.postal_code" = "zip"\n'
        '"bill_to.country" = "land"\n',
        "no,company,region,zip,tel,land\nA1,Ortega,NULL,28013,NULL,Spain\nA2,Ibarra,\\N,NULL,n/a,Spain\n",
    )

    shown = [only(each, "phone", "note", "bill_to.state", "bill_to.postal_code") for each in records]
    assert shown == [
        {"phone": None, "note": None, "bill_to.state": None, "bill_to.postal_code": code}
        for code in ("28013", None)
    ]


def test_equal_headings_and_nameless_ones_that_nothing_takes(brought_in):
    summary, records = brought_in(
        '[columns]\nnumber = "No"\nname = "Firm"\n',
        ",No,Firm,Reserved,Reserved\n0,S-1,Optik,,\n1,S-2,Bau,,x\n",
    )

    assert [record["name"] for record in records] == ["Optik", "Bau"]
    assert summary.rows == 2


def test_several_emails_in_a_cell(brought_in):
    _, records = brought_in(
        '[columns]\nnumber = "number"\nname = "name"\n'
        'email = { from = "email", split = [";", ","], take = "first", empty = "n/a" }\n',
        "number,name,email\n"
        '1,Orchard,"pat@orchard.example, accounts@orchard.example"\n2,Mill,Jo Mill <jo@mill.example>\n3,Pound,n/a\n',
    )

    assert [record["email"] for record in records] == ["pat@orchard.example", "jo@mill.example", None]


def test_a_street_in_lines(brought_in):
    _, records = brought_in(
        '[columns]\nname = "Name"\nnote = "About"\n"bill_to.country" = "Country"\n'
        '"bill_to.street_line_1" = { from = "Street", line = 1 }\n'
        '"bill_to.street_line_2" = { from = "Street", line = "2-" }\n',
        'Name,Street,Country,About\nKyoto,"Hill 1\nRear building",GB,"first line\nsecond line"\n',
    )

    assert only(records[0], "bill_to.street_line_1", "bill_to.street_line_2", "note") == {
        "bill_to.street_line_1": "Hill 1",
        "bill_to.street_line_2": "Rear building",
        "note": "first line\nsecond line",
    }


def test_a_template_with_gaps(brought_in):
    _, records = brought_in(
        '[columns]\nnumber = "No"\nname = "Name"\nnote = "[Mobile {Mobile}][, ABN {Tax}]"\n',
        "No,Name,Mobile,Tax\n1,Reef,0401 555 010,48 900\n2,Cove,,48 901\n3,Bay,,\n",
    )

    assert [each["note"] for each in records] == ["Mobile 0401 555 010, ABN 48 900", "ABN 48 901", None]


def test_a_total_below_the_list(brought_in):
    summary, records = brought_in(
        '[columns]\nname = "Customer"\n[[skip]]\ncolumn = "City"\nis = [""]\n',
        'Customer,City\nAspen Works,Aspen\nDelta Farm,Delta\nTOTAL,\n"Friday, Nov. 20, 2026 03:12 PM",\n',
    )

    assert [record["name"] for record in records] == ["Aspen Works", "Delta Farm"]
    assert (summary.rows, summary.created, summary.skipped) == (4, 2, 2)
    assert [(each.column, each.is_, each.rows) for each in summary.skipped_by] == [("City", "", 2)]


def test_empty_cells_and_defaults_leave_what_a_customer_has_where_the_map_says_so(brought_in):
    """A default is for new customers then; a currency goes with its amount, an address begins with the defaults."""
    columns = (
        '[columns]\nnumber = "n"\nname = "f"\nphone = "p"\ncredit_limit = "l"\n"bill_to.locality" = "c"\n'
    )
    defaults = '[defaults]\ntype = "Import"\ncredit_limit_currency = "EUR"\n"bill_to.country" = "DE"\n'
    first = columns + defaults.replace("Import", "Shop").replace("EUR", "USD").replace("DE", "FR")
    brought_in(first, "n,f,p,l,c\n1,A,17,5,Paris\n2,B,18,5,\n")

    _, records = brought_in(
        f'[file]\nempty = "keep"\n{columns}{defaults}', "n,f,p,l,c\n1,,,,Lyon\n2,B2,,7,Bonn\n3,C,19,,\n"
    )

    names = (
        "name",
        "phone",
        "type",
        "credit_limit",
        "credit_limit_currency",
        "bill_to.locality",
        "bill_to.country",
    )
    assert [tuple(only(each, *names).values()) for each in records] == [
        ("A", "17", "Shop", "5", "USD", "Lyon", "FR"),
        ("B2", "18", "Shop", "7", "EUR", "Bonn", "DE"),
        ("C", "19", "Import", None, None, None, None),
    ]
