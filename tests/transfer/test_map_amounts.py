"""Amounts and dates through a map: what people write, and nothing guessed."""

import re

import pytest

from tradebook.transfer.cells import CREATED_AT, Dated
from tradebook.transfer.columns import column_named
from tradebook.transfer.maps.amounts import amount_reader
from tradebook.transfer.maps.dates import date_reader, read_formats, read_zone


@pytest.mark.parametrize(
    ("decimal", "text", "plain"),
    [
        (",", "1.234,56", "1234.56"),
        (",", "25000,-", "25000"),
        (",", "25000,--", "25000"),
        (",", "25.000,\N{EN DASH} €", "25000"),
        (",", "12 500,00 €", "12500.00"),
        (",", "12\N{NARROW NO-BREAK SPACE}500,00\N{NO-BREAK SPACE}€", "12500.00"),
        (",", "€ 1 234 567", "1234567"),
        (",", "EUR1234,5", "1234.5"),
        (",", "1'234'567,89", "1234567.89"),
        (",", "1.234", "1234"),
        (",", ",50", "0.50"),
        (",", "5,", "5"),
        (",", "-5,00", "-5.00"),
        (",", "5,00-", "-5.00"),
        (",", "(5,00 EUR)", "-5.00"),
        (",", "\N{MINUS SIGN}5", "-5"),
        (",", "+5", "5"),
        (".", "1,234.56", "1234.56"),
        (".", "1\N{RIGHT SINGLE QUOTATION MARK}234.56", "1234.56"),
        (".", "12,34,567.89", "1234567.89"),
        (".", "500.\N{EN DASH}", "500"),
        (".", "\N{EURO SIGN}.50", "0.50"),
        (".", "0.00", "0.00"),
    ],
)
def test_amounts_as_people_write_them(decimal, text, plain):
    assert amount_reader(decimal)(text, "EUR") == plain


@pytest.mark.parametrize(
    ("decimal", "text", "currency", "reason"),
    [
        (",", "1234.56", "EUR", "is no amount such as 1.234,56"),
        (",", "1.23", "EUR", "is no amount such as 1.234,56"),
        (",", "1.234.56", "EUR", "is no amount"),
        (",", "1 234.567", "EUR", "is no amount"),
        (",", "1,234,567", "EUR", "is no amount"),
        (".", "1,2345", "EUR", "is no amount such as 1,234.56"),
        (".", "1,23,4", "EUR", "is no amount"),
        (".", "much", "EUR", "is no amount"),
        (".", "5 or 6", "EUR", "is no amount"),
        (".", "\N{FULLWIDTH DIGIT FIVE}", "EUR", "is no amount"),
        (".", "1e4", "EUR", "is rounded, written with an exponent: write all its digits"),
        (",", "1,5E+05", "EUR", "is rounded, written with an exponent"),
        (",", "$5", "EUR", "has $ beside the amount, but the currency is EUR"),
        (",", "5 USD", "eur", "has USD beside the amount, but the currency is EUR"),
        (",", "5 %", "EUR", "is no amount"),
        (".", "25000,-", "EUR", "is no amount"),
        (".", "Rs.500", "INR", "has Rs. beside the amount, but the currency is INR"),
        (",", "5 €", None, "has € beside the amount: say the currency in credit_limit_currency too"),
    ],
)
def test_what_is_no_amount_is_told(decimal, text, currency, reason):
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}"):
        amount_reader(decimal)(text, currency)


@pytest.mark.parametrize(
    ("currency", "marks"),
    [
        ("NOK", ["kr", "NOK"]),
        ("DKK", ["kr.", "kr"]),
        ("CZK", ["Kč"]),
        ("PLN", ["zł"]),
        ("HUF", ["Ft"]),
        ("CAD", ["$", "CA$"]),
        ("USD", ["$", "US$", "USD"]),
        ("CHF", ["CHF", "chf"]),
        ("GBP", ["£"]),
        ("BRL", ["R$"]),
        ("INR", ["₹"]),
        ("EUR", ["€", "Eur"]),
        ("JPY", ["¥"]),
    ],
)
def test_signs_agree_with_their_currencies(currency, marks):
    assert {amount_reader(",")(f"5,50 {mark}", currency) for mark in marks} == {"5.50"}


def test_an_amount_looks_at_the_currency_of_its_row(values, told):
    text = '[columns]\ncredit_limit = { from = "L", decimal = "," }\ncredit_limit_currency = "C"\n'
    text += '[defaults]\ncredit_limit_currency = "EUR"\n'

    assert [row["credit_limit"] for row in values(text, "L;C\n5,50 $;USD\n5,50 €;\n", "csv")] == [
        "5.50",
        "5.50",
    ]
    assert told(text, "L;C\n5,50 $;\n") == [
        "line 2, L (credit_limit): '5,50 $' has $ beside the amount, but the currency is EUR"
    ]


def test_an_amount_that_can_not_be_is_shown_as_the_file_has_it(told):
    text = '[columns]\ncredit_limit = { from = "L", decimal = "," }\n'

    assert told(text, 'L\n"-1.234,50"\n') == ["line 2, L (credit_limit): '-1.234,50' must not be negative"]


def test_a_dollar_sign_is_the_currency_where_none_is_told(values):
    text = '[columns]\ncredit_limit = { from = "L", decimal = "." }\n'

    assert values(text, 'L\n"$1,234.50"\n5\n') == [
        {"credit_limit": "1234.50", "credit_limit_currency": "USD"},
        {"credit_limit": "5"},
    ]


def test_a_default_and_a_number_of_json_are_plain_whatever_the_map_says(values):
    text = '[file]\ndecimal = ","\n[columns]\ncredit_limit = "L"\nname = "N"\n[defaults]\ncredit_limit = "1000.50"\n'
    text += '[values.credit_limit]\nunlimited = "99.5"\n'
    content = '{"L": 1.234}\n{"L": "1.234"}\n{"L": ""}\n{"L": "unlimited"}\n'

    assert [row["credit_limit"] for row in values(text, content, "ndjson")] == [
        "1.234",
        "1234",
        "1000.50",
        "99.5",
    ]


@pytest.mark.parametrize(
    ("formats", "zone", "text", "time"),
    [
        (["%d/%m/%Y"], None, "03/11/2019", "2019-11-03T00:00:00.000Z"),
        (["%d/%m/%Y"], None, "3/1/2019", "2019-01-03T00:00:00.000Z"),
        (["%d/%m/%Y %H:%M", "%d/%m/%Y"], "Europe/Dublin", "01/07/2021 08:15", "2021-07-01T07:15:00.000Z"),
        (["%d/%m/%Y %H:%M", "%d/%m/%Y"], "Europe/Dublin", "01/07/2021", "2021-06-30T23:00:00.000Z"),
        (["%b %d, %Y %I:%M %p"], None, "nov 3, 2019 1:05 pm", "2019-11-03T13:05:00.000Z"),
        (["%d %B %Y"], None, "3 November 2019", "2019-11-03T00:00:00.000Z"),
        (["%d.%m.%y"], None, "03.11.68", "2068-11-03T00:00:00.000Z"),
        (["%d.%m.%y"], None, "03.11.19", "2019-11-03T00:00:00.000Z"),
        (["%Y-%m-%dT%H:%M:%S%z"], "Europe/Dublin", "2021-07-01T08:15:00+0200", "2021-07-01T06:15:00.000Z"),
        (["%d%m%Y"], None, "03112019", "2019-11-03T00:00:00.000Z"),
        (["%d%m%Y"], None, "3112019", None),
        (["%d/%m/%Y"], None, "03/11/2019 10:00", None),
        (["%d/%m/%Y"], None, "31/02/2019", None),
        (["%d/%m/%Y"], None, "2019-11-03", None),
        (["%d/%m/%Y"], None, "0000-00-00", None),
        (["iso"], None, "2019-11-03", "2019-11-03T00:00:00.000Z"),
        (["iso"], None, "2019-11-03T10:20:30.5Z", "2019-11-03T10:20:30.500Z"),
        (["iso"], "Europe/Dublin", "2021-07-01 08:15:00", "2021-07-01T07:15:00.000Z"),
        (["iso"], "Europe/Dublin", "2021-07-01T08:15+02:00", "2021-07-01T06:15:00.000Z"),
        (["iso"], None, "20191103", None),
        ([], "Europe/Dublin", "2021-07-01", "2021-06-30T23:00:00.000Z"),
        # Summer time: an hour that there is twice is the first one, one that there is not is counted on.
        (["iso"], "Europe/Dublin", "2021-10-31 01:30", "2021-10-31T00:30:00.000Z"),
        (["iso"], "Europe/Dublin", "2021-03-28 01:30", "2021-03-28T01:30:00.000Z"),
    ],
)
def test_dates_have_these_formats_and_no_other(formats, zone, text, time):
    read = date_reader(read_formats(formats) if formats else (), read_zone(zone) if zone else None)

    if time is None:
        with pytest.raises(ValueError, match="is no date of the form"):
            read(text)
    else:
        assert read(text) == time


def test_a_day_that_a_spreadsheet_has_counted_is_told_with_its_date():
    with pytest.raises(ValueError, match="if 2024-05-01 is meant, show the column as dates there"):
        date_reader(("%d/%m/%Y",), None)("45413")
    with pytest.raises(ValueError, match="if 2024-05-01 is meant"):
        CREATED_AT.kind.read_cell("45413.5")


def test_a_date_out_of_range_is_told():
    with pytest.raises(ValueError, match="is not between 1970 and 2109"):
        date_reader(("%d/%m/%Y",), None)("01/01/0001")


def test_what_a_workbook_has_as_a_date_needs_no_format():
    read = date_reader(("%d/%m/%Y",), read_zone("Europe/Dublin"))

    assert read(Dated("2021-07-01T08:15:00")) == "2021-07-01T07:15:00.000Z"


@pytest.mark.parametrize(
    ("words", "told_of_it"),
    [
        ('date = "DD/MM/YYYY"', "'DD/MM/YYYY' has no % in it; did you mean %d/%m/%Y?"),
        ('date = "dd.mm.yyyy"', "has no % in it; did you mean %d.%m.%Y?"),
        ('date = "yyyy-MM-dd HH:mm:ss"', "did you mean %Y-%m-%d %H:%M:%S?"),
        ('date = "%d/%Q/%Y"', "is no format of dates"),
        ('date = "%d/%m"', "has no year; write it as %Y"),
        ('date = "%Y-%m-%d %Z"', "has %Z"),
        ("date = 5", 'takes text in quotes, or a list of texts such as ["a", "b"]'),
        ('zone = "Europe/Dubln"', "'Europe/Dubln' is none; did you mean Europe/Dublin?"),
        ('zone = "../etc/passwd"', "takes a time zone such as Europe/Dublin"),
        ('zone = "Europe"', "takes a time zone such as Europe/Dublin"),
        ("zone = 1", "takes the name of a time zone in quotes, such as Europe/Dublin"),
        ('decimal = ";"', 'takes "," or ".", not \';\''),
    ],
)
def test_a_wrong_format_or_zone_is_a_mistake_of_the_map(told, words, told_of_it):
    column = "credit_limit" if words.startswith("decimal") else "created_at"

    assert told_of_it in told(f"[file]\n{words}\n", "name\nx\n")[0]
    assert told_of_it in told(f'[columns]\n{column} = {{ from = "x", {words} }}\n', "x\n1\n")[0]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("1e4", "is written with an exponent, which may have rounded it: write a plain decimal"),
        ("1,5E+05", "is written with an exponent"),
        ("1.234,56", "has a thousands separator or a decimal comma"),
        ("25000,-", "has a thousands separator or a decimal comma"),
        ("5 USD", "has a currency beside the amount"),
        ("(5)", "is no amount"),
    ],
)
def test_nothing_is_guessed_of_an_amount_without_a_map(text, reason):
    with pytest.raises(ValueError, match=f"^{re.escape(reason)}"):
        column_named("credit_limit").read(text)
