"""What looks wrong in a file's values, and is no problem: told, and some of it waits for a yes."""

import time

import pytest

from tradebook.transfer.imports.warnings import Warnings, odd_columns
from tradebook.transfer.rows import Row


def look(warnings, row, changed=None):
    return warnings.see(row, changed, odd_columns(row))


def seen(*rows: dict, changed=None) -> list[tuple]:
    """Line, column, value and whether it needs a yes, of each warning."""
    warnings = Warnings()
    found = [each for line, row in enumerate(rows, 2) for each in look(warnings, Row(line, row), changed)]
    return [(each.line, each.column, each.value, each.needs_yes) for each in (*found, *warnings.settle())]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "MÃ¼ller"),
        ("note", "Tel. 1\nlost: \ufffd"),
        ("bill_to.locality", "M├╝nchen"),
        ("type", "GroÃŸhandel"),
        ("email", "a\u200bb@x.example"),
        ("ship_to.email", "a\u00adb@x.example"),
        ("number", "7.21045E+12"),
        ("number", "4,91523E+11"),
        ("phone", "+4.9E+11"),
        ("address.phone", "4e+11"),
        ("bill_to.postal_code", "1.2E5"),
        ("carrier_billing_account", "4.17733E+07"),
        ("external_ids.shopify", "6.4E+12"),
        ("parent_number", "7.21045E+12"),
    ],
)
def test_text_that_was_spoilt_needs_a_yes(column, value):
    assert seen({column: value}) == [(2, column, value, True)]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("name", "SÃO PAULO"),
        ("name", "4.9E+11"),
        ("note", "7.21045E+12"),
        ("number", "4E-11"),
        ("number", "12E4"),
        ("number", "E+11"),
        ("bill_to.postal_code", "1E5"),
        ("phone", "+49 30 1"),
        ("name", "Zero\u200bwidth"),
        ("email", "jürgen@müller.example"),
        ("accepts_invoice_emails", True),
        ("name", None),
        ("name", "Null & Nichtig"),
    ],
)
def test_what_may_be_meant_is_left_alone(column, value):
    assert seen({column: value}) == []


def test_lists_and_attached_addresses_are_looked_into():
    row = {
        "price_groups": ["CafÃ©", "Bar"],
        "addresses": [{"locality": "KÃ¶ln", "phone": "4.9E+11"}, {"name": "X"}],
    }

    assert [each[1:3] for each in seen(row)] == [
        ("price_groups", "CafÃ©"),
        ("address.locality", "KÃ¶ln"),
        ("address.phone", "4.9E+11"),
    ]


def test_of_a_known_customer_only_what_changes_is_told():
    row = {"name": "MÃ¼ller", "phone": "4.9E+11", "address.locality": "KÃ¶ln"}

    assert [each[1] for each in seen(row, changed={"phone": ()})] == ["phone"]
    assert [each[1] for each in seen(row, changed={"addresses": ()})] == ["address.locality"]


def test_words_for_nothing_are_counted_by_column():
    rows = [{"phone": "NULL"}, {"phone": "1"}, {"phone": "NULL", "bill_to.state": "\\N"}]

    warnings = Warnings()
    for line, row in enumerate(rows, 2):
        assert look(warnings, Row(line, row)) == []
    first, second = warnings.settle()

    assert (first.line, first.column, first.value, first.needs_yes) == (2, "phone", "NULL", False)
    assert first.reason.startswith("stands 2 times in this column")
    assert 'nothing = ["NULL"]' in first.reason
    assert (second.line, second.column) == (4, "bill_to.state")
    assert second.reason.startswith("stands once")
    assert 'nothing = ["\\\\N"]' in second.reason


def test_a_word_for_nothing_is_found_in_what_a_template_has_made_of_it():
    warnings = Warnings()
    for line, note in enumerate(("Tel. NULL, region \\N", "NULLARBOR", "NULL/5", "C:\\New"), 2):
        assert look(warnings, Row(line, {"note": note})) == []

    assert [(each.line, each.value, each.reason[:14]) for each in warnings.settle()] == [
        (2, "NULL", "stands 2 times")
    ]


def test_signs_that_keep_text_in_a_spreadsheet_are_counted_by_column():
    rows = [
        {"number": f'="0041{n}"', "name": '="A"', "phone": f"'0123{n}", "note": "'90s only"} for n in range(3)
    ]

    assert seen(*rows, {"name": "='A'", "note": "=1+1"}, {"number": "'t Hof"}) == [
        (2, "number", '="00410"', False),
        (2, "name", '="A"', False),
        (2, "phone", "'01230", False),
    ]


def test_letters_as_web_pages_write_them_are_counted_by_column():
    names = (
        "Smith &amp; Sons",
        "Dr&auml;xler &amp; Co",
        "Müller &amp; Co",
        "O&#39;Neil",
        "R&D; M&S",
        "&noentity;",
    )
    warnings = Warnings()
    for line, name in enumerate(names, 2):
        assert look(warnings, Row(line, {"name": name})) == []

    told = [(each.line, each.value, each.reason) for each in warnings.settle()]

    assert [(line, value) for line, value, _ in told] == [(2, "&amp;"), (3, "&auml;"), (5, "&#39;")]
    assert told[0][2] == (
        "stands 2 times in this column: it is how web pages write &, so the list was not exported as text"
    )


def test_postal_codes_that_lost_their_zeros_are_counted_by_column():
    german = [
        {"bill_to.postal_code": code, "bill_to.country": "Germany"} for code in ("1067", "01069", "1097")
    ]
    others = [
        {"ship_to.postal_code": "501", "ship_to.country": "US"},
        {"ship_to.postal_code": "4101", "ship_to.country": "CH"},
        {"ship_to.postal_code": "12", "ship_to.country": "US"},
        {"ship_to.postal_code": "4101", "ship_to.country": ""},
        {"ship_to.postal_code": "0150", "ship_to.country": "NO"},
    ]

    assert seen(*german, *others) == [
        (2, "bill_to.postal_code", "1067", False),
        (5, "ship_to.postal_code", "501", False),
    ]
    assert seen(german[0], changed={"phone": ()}) == []


@pytest.mark.parametrize("name", ["TOTAL", "Total", "Grand Total:", "Totals (34)", "Summe", "Итого"])
def test_a_total_at_the_end_of_a_list_is_told(name):
    rows = [{"name": "A"}, {"name": name}, {"name": "Friday, Nov. 20, 2026 03:12 PM"}]

    assert seen(*rows) == [(3, "name", name, False)]


def test_a_customer_that_is_called_so_is_not():
    assert seen({"name": "TOTAL"}, *[{"name": "A"}] * 3, {"name": "Total Energies"}, {"name": "Summer"}) == []


def test_codes_that_a_program_took_for_amounts_are_told_once_for_a_column():
    rows = [{"phone": f"49176{n}.0", "external_ids.shop": "72.0", "note": "5.0"} for n in range(3)]

    assert seen(*rows, {"phone": "1.5.0"}, {"number": "v2.0"}, {"number": "5.0"}) == [
        (2, "phone", "491760.0", False),
        (2, "external_ids.shop", "72.0", False),
    ]


def test_a_new_group_with_a_comma_is_told():
    found = Warnings().new_group(2, "price_groups", "retail, ag-exempt")

    assert (found.line, found.column, found.value, found.needs_yes) == (
        2,
        "price_groups",
        "retail, ag-exempt",
        False,
    )
    assert Warnings().new_group(2, "price_groups", "retail") is None
    assert "split" in found.reason
    of_type = Warnings().new_group(2, "type", "Retail, Food")
    assert of_type.reason.endswith("a customer has one type, so look whether it is one")


def test_a_row_of_an_ordinary_list_takes_microseconds():
    row = {
        f"bill_to.{name}": "High Street 5" for name in ("name", "street_line_1", "locality", "state", "phone")
    }
    row |= {
        "name": "Harbor Coffee",
        "number": "417",
        "email": "a@b.example",
        "note": "Call first",
        "type": "Retail",
    }
    warnings, rows = Warnings(), [Row(line, row) for line in range(2_000)]

    started = time.process_time()
    for each in rows:
        look(warnings, each)

    # Ten on a quiet machine: what this fails for is a test of every text.
    assert (time.process_time() - started) / len(rows) < 100e-6


def test_a_cell_of_which_nothing_is_told_is_not_looked_at_again():
    values = {"name": "Kürschner – Ærø", "number": "Ö1", "email": "jörg@example.com", "note": "NULLABLE"}
    told = {"phone": "NULL", "bill_to.name": "MÃ¼ller", "parent_number": "17.0"}

    assert odd_columns(Row(1, values | told)) == list(told)
