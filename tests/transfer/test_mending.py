"""Ready lines for a map: each one really mends what it is for."""

import pytest

from tradebook.transfer.maps.column_map import load_map_text
from tradebook.transfer.maps.mending import mending_line
from tradebook.transfer.rows import Problem


def line_of(column, value, reason="", heading=None):
    return mending_line(Problem(2, column, value, reason, heading))


@pytest.mark.parametrize(
    ("column", "value", "line"),
    [
        ("bill_to.country", "Deutschland", '[values."bill_to.country"] Deutschland = "DE"'),
        ("bill_to.country", "Königreich Belgien", None),
        ("address.country", "Österreich", '[values."address.country"] "Österreich" = "AT"'),
        ("bill_to.country", "Grmany", '[values."bill_to.country"] Grmany = "DE"'),
        ("bill_to.country", "Korea", '[values."bill_to.country"] Korea = "…"  # KR (South Korea) or KP (North Korea)'),
        ("status", "Hold all", '[values.status] "Hold all" = "hold_all"'),
        ("status", "vip", '[values.status] vip = "…"  # one of normal, preferred, hold_shipment, hold_all'),
        ("accepts_invoice_emails", "Ja", '[values.accepts_invoice_emails] Ja = "true"'),
        ("accepts_invoice_emails", "maybe", '[values.accepts_invoice_emails] maybe = "…"  # true or false'),
        ("credit_limit", "1.234,56", '[file] decimal = ","'),
        ("credit_limit", "12 500,00 €", '[file] decimal = ","'),
        ("credit_limit", "1,234", '[file] decimal = ","  # or "."'),
        ("credit_limit", "1,234.56", '[file] decimal = "."'),
        ("credit_limit", "much", None),
        ("credit_limit_currency", "€", '[values.credit_limit_currency] "€" = "EUR"'),
        ("credit_limit_currency", "euro", '[values.credit_limit_currency] euro = "EUR"'),
        ("credit_limit_currency", "Taler", '[values.credit_limit_currency] Taler = "…"  # a code such as USD'),
        ("created_at", "13/11/2019", '[file] date = "%d/%m/%Y"'),
        ("created_at", "03/11/2019 08:15", '[file] date = "%d/%m/%Y %H:%M"  # or "%m/%d/%Y %H:%M"'),
        ("created_at", "2021-07-01 08:15:00", '[file] date = "iso"'),
        ("created_at", "soon", None),
        ("created_at", "0000-00-00 00:00:00", '[file] nothing = ["0000-00-00 00:00:00"]'),
        ("credit_limit", "25000,-", '[file] decimal = ","'),
        ("email", "a@x.example, b@x.example", '[columns] email = { from = "Mails", split = [";", ","], take = "first" }'),
        ("email", "Jo <jo@x.example>", '[columns] email = { from = "Mails", split = [";", ","], take = "first" }'),
        ("email", "siehe oben", '[columns] email = { from = "Mails", empty = ["siehe oben"] }'),
        ("email", "a@b@c", None),
        ("email", "mailto:a@x.example", '[columns] email = { from = "Mails", split = ":", take = "last" }'),
        ("email", "a@x.example;", '[columns] email = { from = "Mails", split = [";", ","], take = "first" }'),
        ("bill_to.country", "N/A", '[file] nothing = ["N/A"]'),
        ("url", "http://", '[columns] url = { from = "Mails", empty = ["http://"] }'),
        ("url", "a.example, b.example", None),
        ("email", "n/a", '[file] nothing = ["n/a"]'),
        ("number", "5", None),
        ("name", "", None),
        (None, "x", None),
    ],
)  # fmt: skip
def test_what_would_mend_a_problem(column, value, line):
    if column == "bill_to.country" and line is None:
        line = '[values."bill_to.country"] "Königreich Belgien" = "…"  # a code of two letters, such as FR'

    assert line_of(column, value, heading="Mails") == line


def test_a_key_that_is_in_no_other_file_is_no_value_of_the_column():
    assert line_of("bill_to.country", "b@birch.example", "is not a key in prices.csv") is None


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("credit_limit", "$ 5,00", "has $ beside the amount, but the currency is EUR"),
        ("credit_limit", "$ 5,00", "has $ beside the amount: say the currency in credit_limit_currency too"),
        ("credit_limit", "-5,00", "must not be negative"),
        ("credit_limit", "9" * 26, "has 26 digits, more than 24"),
        ("credit_limit", "1,234,567", "is no amount such as 1.234,56"),
        ("created_at", "1969-01-01", "is not between 1970 and 2109"),
        (
            "created_at",
            "2021-01-01T00:00:00.000Z",
            "can't change: the customer was created at 2020-01-01T00:00:00.000Z",
        ),
        (
            "email",
            "a@x.example",
            "is the e-mail of several customers, such as 1 (A), 2 (B): match by what only one has",
        ),
        ("email", "a@x.example", "is the e-mail of line 2 already"),
    ],
)
def test_nothing_is_offered_where_no_map_would_help(column, value, reason):
    assert line_of(column, value, reason) is None


def test_a_date_of_another_form_is_a_further_form():
    reason = "is no date of the form %d/%m/%Y %H:%M or %d/%m/%Y"

    assert line_of("created_at", "2020-01-01", reason) == 'date = ["…", "iso"]  # …: what stands there'
    assert (
        line_of("created_at", "1/7/21", reason)
        == 'date = ["…", "%d/%m/%y"]  # …: what stands there, or "%m/%d/%y"'
    )
    assert line_of("created_at", "31/02/2020", reason) is None


def test_a_word_for_nothing_is_one_whatever_the_map_says():
    assert line_of("credit_limit", "-", "is no amount such as 1.234,56") == '[file] nothing = ["-"]'


def test_lines_of_a_cell_go_where_they_belong():
    reason = "has a line break or another control character"

    assert line_of("bill_to.street_line_1", "a\nb", reason, "Street") == (
        '[columns] "bill_to.street_line_1" = { from = "Street", line = 1 } and '
        '"bill_to.street_line_2" = { from = "Street", line = "2-" }'
    )
    assert line_of("name", "a\nb", reason) == '[columns] name = { from = "name", line = "1-" }'
    assert line_of("name", "a\x1b[31mb", reason) is None


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("bill_to.country", 'a "b" = \\c'),
        ("status", "preferd"),
        ("created_at", "1.2.2020"),
        ("email", "none"),
    ],
)
def test_a_ready_line_is_right_in_a_map(column, value):
    section, _, line = line_of(column, value, heading="H").partition("] ")

    load_map_text(f"{section}]\n{line}".replace('"…"', '"DE"'), ())
