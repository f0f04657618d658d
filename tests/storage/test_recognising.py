"""Customers are found by e-mail, phone, and numbers that look alike: through an index, on both engines."""

from pathlib import Path

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.ledgers import Ledger
from tests.storage.old_books import run_sql, take_back
from tradebook.app import open_database
from tradebook.resources.customers import recognising, records
from tradebook.resources.customers.likeness import digits_of, plain_number, plainest
from tradebook.settings import Settings

BOOK = (
    {"number": "00417", "name": "A", "email": "Hello@Lomond.example", "phone": "0141 555-0100"},
    {"number": "417.0", "name": "B", "email": "straße@x.example", "phone": "+44 (141) 555 0100"},
    {"number": "AB-1", "name": "C", "email": "HELLO@lomond.example", "phone": "none"},
    {"number": "12\u200b3", "name": "D", "phone": "\u0661\u0662\u0663"},
    {"number": "417", "name": "E"},
)


def found(ledger, look_up, *asked):
    """Names of customers by what was asked."""
    with ledger.database.read(ledger.key) as reader:
        keys = look_up(reader, *asked)
        rows = records.find_all(reader, {key for listed in keys.values() for key in listed})
    return {value: [rows[key]["name"] for key in listed] for value, listed in keys.items()}


def of_number(ledger, *numbers):
    return found(ledger, recognising.resembling, [plainest(number) for number in numbers])


@pytest.mark.parametrize(
    ("number", "plain"),
    [
        ("417", None),
        ("0", None),
        ("000", "0"),
        ("00417", "417"),
        ("417.0", "417"),
        ("00417,00", "417"),
        ("4.10", None),
        ("417.10", None),
        ("A.0", None),
        ("0A1", "a1"),
        ("0-1", None),
        ("４１７", "417"),
        ("4\u00ad17\u200b", "417"),
        ("4\u00a017", "417"),
        ("AB1", None),
        ("Straße", None),
    ],
)
def test_the_plainest_form_of_a_number_is_what_a_person_sees(number, plain):
    assert plain_number(number) == plain


@pytest.mark.parametrize(
    ("phone", "digits"), [("+44 (0)1 2-3", "440123"), ("none", None), ("４１\u0663", "413"), ("x٣", "3")]
)
def test_a_phone_is_its_digits(phone, digits):
    assert digits_of(phone) == digits


def test_customers_are_found_by_what_they_are_known_by(ledger):
    ledger.take(*BOOK)

    assert found(
        ledger, recognising.keys_by, "email", ["hello@lomond.example", "strasse@x.example", "no@x"]
    ) == {
        "hello@lomond.example": ["A", "C"],
        "strasse@x.example": ["B"],
    }
    assert found(ledger, recognising.keys_by, "phone", ["01415550100", "123", "5"]) == {
        "01415550100": ["A"],
        "123": ["D"],
    }
    assert of_number(ledger, "０417", "ab-1", "0123", "9") == {
        "417": ["E", "A", "B"],
        "ab-1": ["C"],
        "123": ["D"],
    }


def test_a_changed_customer_is_found_by_its_new_values(ledger):
    ledger.take(*BOOK)

    ledger.take({"number": "00417", "email": "new@x.example", "phone": ""})

    assert found(ledger, recognising.keys_by, "email", ["hello@lomond.example", "new@x.example"]) == {
        "hello@lomond.example": ["C"],
        "new@x.example": ["A"],
    }
    assert found(ledger, recognising.keys_by, "phone", ["01415550100"]) == {}


def test_of_many_with_one_value_a_few_are_read(ledger):
    ledger.take(*({"name": f"C{each}", "email": "info@x.example"} for each in range(20)))

    names = found(ledger, recognising.keys_by, "email", ["info@x.example"])["info@x.example"]

    assert len(names) == recognising.SOME


def test_those_of_an_older_book_are_found_once_it_is_migrated(engine, tmp_path):
    url = engine.new(tmp_path)
    ledger = Ledger(open_database(Settings(database=url)))
    ledger.take(*BOOK)
    ledger.database.close()

    take_back(url, "0009")
    run_sql(url, "UPDATE customers SET email = 'Older@x.example' WHERE number = '417'")
    CommandLine(Path.cwd(), url).good("migrate")

    ledger.database = open_database(Settings(database=url))
    assert of_number(ledger, "417") == {"417": ["E", "A", "B"]}
    assert found(ledger, recognising.keys_by, "email", ["older@x.example"]) == {"older@x.example": ["E"]}
    assert found(ledger, recognising.keys_by, "phone", ["01415550100"]) == {"01415550100": ["A"]}
    ledger.database.close()
