"""How many statements a change of customers takes: what is known is not read again, nobody is asked about."""

import pytest

from tests.fixtures.samples import Maker, creating
from tradebook.resources import customers
from tradebook.resources.customers import writing

CUSTOMERS = "/v1/sales/customers"
PATCH_NOTE_MAX, POST_PLAIN_MAX, MERGE_OF_TWO_MAX = 8, 21, 31
"""Among them the finished JSON: of what is changed or made, and of what a merge turns; and the ids in other systems."""

ADDRESS = {"name": "Dock", "country": "DE", "locality": "Ulm"}


@pytest.fixture
def maker(book):
    return Maker(book)


def plain(maker, **fields):
    """The smallest body of a customer; what it refers to is there."""
    body = creating(customers.resource).body
    return {**maker.body(body, only_required=True), **fields}


def customer(maker, **fields):
    """The path of a new customer."""
    return f"{CUSTOMERS}/{maker.of_prefix('ac', **fields)}"


def test_a_note_is_changed_in_few_statements_and_not_indexed(maker, counting):
    path = customer(maker)

    assert counting.count("PATCH", path, json={"note": "Rings twice."}) <= PATCH_NOTE_MAX
    assert not any(statement.startswith("reindex") for statement in counting.statements)


def test_a_name_is_indexed(maker, counting):
    path = customer(maker)

    counting.count("PATCH", path, json={"name": "Another"})

    assert sum("customers_index" in statement for statement in counting.statements) == 1


@pytest.mark.parametrize("fields", [{}, {"number": "A-1"}], ids=str)
def test_a_plain_customer_is_made_in_few_statements(maker, counting, fields):
    assert counting.count("POST", CUSTOMERS, json=plain(maker, **fields)) <= POST_PLAIN_MAX


def test_a_customer_with_everything_takes_one_statement_for_each_thing_more(maker, counting):
    parent, carrier = maker.of_prefix("ac"), maker.of_prefix("cr")
    levels = f"/v1/operations/carriers/{carrier}/service-levels"
    body = plain(
        maker,
        default_carrier_id=carrier,
        default_service_level_id=maker.client.post(levels, json={"name": "Day"}).json()["id"],
        default_sales_rep_id=maker.of_prefix("acus"),
        customer_price_group_ids=[maker.of_prefix("acgr", type="pricing_group") for _ in range(3)],
        parent_account_id=parent,
        credit_limit={"value": "1.00"},
    )

    counts = counting.count("POST", CUSTOMERS, json=body)

    # The level, the rep, the groups; the parent, its children, its flag twice, its JSON, its index, with its groups;
    # the groups written.
    assert counts <= POST_PLAIN_MAX + 12


def test_a_merge_of_two_takes_few_statements(maker, counting):
    target, *sources = (maker.of_prefix("ac") for _ in range(3))

    made = counting.count(
        "POST", f"{CUSTOMERS}/{target}/actions/merge", json={"source_customer_ids": sources}
    )

    assert made <= MERGE_OF_TWO_MAX


def test_a_merge_takes_no_statement_more_for_a_source_more(maker, counting):
    target, *sources = (maker.of_prefix("ac") for _ in range(12))

    def count(some):
        body = {"source_customer_ids": some}
        return counting.count("POST", f"{CUSTOMERS}/{target}/actions/merge", json=body)

    assert count(sources[:1]) == count(sources[1:])


def test_an_address_is_attached_in_few_statements_and_again_in_fewer(maker, counting):
    path = f"/v1/sales/addresses/{maker.of_prefix('ad')}/customers/{maker.of_prefix('ac')}"

    first, again = counting.count("PUT", path), counting.count("PUT", path)

    # The first time, nobody used the address before: its mark is taken away, in its list too.
    assert first <= 18
    assert again == 6


def test_what_is_read_twice_is_noticed(maker, counting, monkeypatch):
    path = customer(maker)
    few = counting.count("PATCH", path, json={"note": "a"})
    find = type(writing.records).find
    monkeypatch.setattr(type(writing.records), "find", lambda *told: find(*told) and find(*told))

    assert counting.count("PATCH", path, json={"note": "b"}) > few
