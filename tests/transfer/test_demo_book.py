"""The demo's customers are believable, complete in variety, and the same everywhere."""

from collections import Counter
from itertools import islice

import phonenumbers
import pycountry
import pytest

from tradebook.demo.book import demo_customers
from tradebook.transfer.columns import COLUMNS


@pytest.fixture(scope="module")
def thousand():
    """The book of `make demo`."""
    return list(demo_customers(1000))


def test_the_same_arguments_give_the_same_customers(thousand):
    assert list(demo_customers(1000)) == thousand
    assert list(demo_customers(1000, seed=2)) != thousand


def test_exactly_as_many_are_made_as_asked_for():
    assert [len(list(demo_customers(count))) for count in (1, 2, 7, 250)] == [1, 2, 7, 250]


def test_every_column_is_one_of_the_import(thousand):
    assert {column for record in thousand for column in record} <= set(COLUMNS)


def test_numbers_are_unique_and_names_nearly(thousand):
    assert len({record["number"] for record in thousand}) == 1000
    assert len({record["name"] for record in thousand}) > 850


def test_the_hierarchy_has_one_level_and_parents_come_first(thousand):
    seen = {}
    for record in thousand:
        parent = record.get("parent_number")
        assert parent is None or (parent in seen and "parent_number" not in seen[parent])
        seen[record["number"]] = record
    families = Counter(record.get("parent_number") for record in thousand)
    assert max(count for parent, count in families.items() if parent) > 100


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("status", 4),
        ("edi_status", 2),
        ("commission_policy", 2),
        ("freight_policy", 2),
        ("priority", 3),
        ("carrier", 7),
        ("carrier_billing_type", 2),
        ("ship_to.type", 2),
        ("type", 5),
    ],
)
def test_every_value_occurs(thousand, column, values):
    assert len({record[column] for record in thousand if column in record}) == values


def test_phones_and_countries_are_possible(thousand):
    for record in islice(thousand, 300):
        assert phonenumbers.is_possible_number(phonenumbers.parse(record["phone"])), record["phone"]
        assert pycountry.countries.get(alpha_2=record["bill_to.country"])


def test_some_share_their_time_of_creation(thousand):
    assert max(Counter(record["created_at"] for record in thousand).values()) > 1
    assert [r["created_at"] for r in thousand] == sorted(r["created_at"] for r in thousand)
