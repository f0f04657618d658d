"""What a new customer or group has of which nothing is said: the same by request and by import."""

import pytest

from tests.fixtures.samples import Maker

CUSTOMERS, GROUPS = "/v1/sales/customers", "/v1/sales/account-groups"
MORE = {"include": "type,defaults.priority"}


@pytest.fixture
def maker(book):
    return Maker(book)


def by_request(maker):
    made = maker.of_prefix("ac")
    return maker.book.get(f"{CUSTOMERS}/{made}", **MORE)


def by_import(maker):
    maker.book.add({"name": "A", "number": "A", "type": "Fresh"})
    return maker.book.get(**MORE)["data"][0]


@pytest.mark.parametrize("new", [by_request, by_import])
def test_a_customer_is_exempt_from_commission_and_of_normal_priority(maker, new):
    customer = new(maker)

    assert customer["commission_policy"] == "commission_exempt"
    assert customer["defaults"]["priority"]["code"] == "normal"


@pytest.mark.parametrize("new", [by_request, by_import])
def test_a_group_is_exempt_from_commission(maker, new):
    customer = new(maker)

    assert customer["type"]["commission_policy"] == "commission_exempt"


def test_no_priority_is_said_by_null_or_an_empty_cell(maker):
    """So a customer without one comes back from an export as it was."""
    made = maker.of_prefix("ac", default_priority=None)
    maker.book.add({"name": "A", "number": "A", "priority": ""})

    shown = maker.book.get(**MORE)["data"]

    assert {customer["id"]: customer["defaults"]["priority"] for customer in shown}[made] is None
    assert [customer["defaults"]["priority"] for customer in shown] == [None, None]


def test_who_is_there_keeps_what_he_has(maker):
    maker.book.add({"name": "A", "number": "A", "commission_policy": "commission_applied", "priority": ""})
    maker.book.add({"name": "B", "number": "A"})

    (customer,) = maker.book.get(**MORE)["data"]

    assert customer["name"] == "B"
    assert customer["commission_policy"] == "commission_applied"
    assert customer["defaults"]["priority"] is None
