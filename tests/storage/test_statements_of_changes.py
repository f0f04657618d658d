"""How many statements a change takes: the path's object is read once, and so is the API key."""

import pytest

from tests.fixtures.samples import Maker
from tradebook.crud.records import Records
from tradebook.resources import payment_terms
from tradebook.resources.customers.fields import CREATE

TERMS = "/v1/finance/payment-terms"
GROUPS = "/v1/sales/account-groups"
CARRIERS = "/v1/operations/carriers"
CUSTOMERS = "/v1/sales/customers"
KEY, ROW, UPDATE, ANSWER, REVISION = 1, 1, 1, 1, 1
"""The key is known before the body, and read in the transaction: it may have been revoked since."""
FREE, REFERENCES = 1, 1
"""Whether a unique value is free; whether anything refers to what is deleted."""
INDEX = 1
"""The index; what is to be indexed is at hand."""


@pytest.fixture
def term(book):
    """The path of a payment term."""
    return f"{TERMS}/{Maker(book).of_prefix('pytm')}"


@pytest.mark.parametrize("body", [{}, {"status": "inactive"}, {"status": "active"}], ids=str)
def test_a_change_reads_the_key_and_the_row_once(term, counting, body):
    assert counting.count("PATCH", term, json=body) == KEY + ROW + UPDATE + ANSWER + REVISION


def test_a_unique_value_that_changes_is_looked_for(term, counting):
    assert counting.count("PATCH", term, json={"name": "Of its own"}) == (
        KEY + ROW + FREE + UPDATE + ANSWER + REVISION
    )


def test_a_unique_value_that_stays_is_not_looked_for(book, term, counting):
    name = book.get(term)["name"]

    assert counting.count("PATCH", term, json={"name": name}) == KEY + ROW + UPDATE + ANSWER + REVISION


def test_a_deletion_reads_the_key_and_the_row_once(term, counting):
    assert counting.count("DELETE", term) == KEY + ROW + REFERENCES + 1 + REVISION


def test_a_level_of_a_carrier_reads_both_of_its_path_once(book, counting):
    carrier = Maker(book).of_prefix("cr")
    levels = f"{CARRIERS}/{carrier}/service-levels"

    made = counting.count("POST", levels, json={"name": "Slow"})
    level = f"{levels}/{counting.ask('GET', levels)['data'][0]['id']}"

    assert made == KEY + ROW + FREE + 1 + ANSWER + REVISION
    assert counting.count("PATCH", level, json={"name": "Slower"}) == (
        KEY + 2 * ROW + FREE + UPDATE + ANSWER + REVISION
    )


@pytest.mark.parametrize(
    ("body", "more"), [({"commission_policy": "commission_exempt"}, 0), ({"description": "New"}, INDEX)]
)
def test_the_index_is_written_where_something_indexed_has_changed(book, counting, body, more):
    group = f"{GROUPS}/{Maker(book).of_prefix('acgr')}"

    assert counting.count("PATCH", group, json=body) == KEY + ROW + UPDATE + more + ANSWER + REVISION


def test_all_that_a_customer_refers_to_is_one_question(book, counting):
    given = Maker(book).body(CREATE, only_required=True)
    customer = f"{CUSTOMERS}/{counting.ask('POST', CUSTOMERS, json=given)['id']}"
    references = {name: value for name, value in given.items() if name.endswith("_id")}
    first, *_ = references.items()

    assert len(references) > 3
    assert counting.count("PATCH", customer, json=references) == counting.count(
        "PATCH", customer, json=dict([first])
    )


def test_a_new_customer_is_answered_as_it_is_read(book, counting):
    given = {**Maker(book).body(CREATE, only_required=True), "note": 'ü "\\\n'}
    made = counting.ask("POST", CUSTOMERS, json=given)

    assert counting.ask("GET", f"{CUSTOMERS}/{made['id']}") == made


def test_a_row_that_is_read_twice_is_noticed(term, counting, monkeypatch):
    find = Records.find
    monkeypatch.setattr(Records, "find", lambda *told: find(*told) and find(*told))

    assert counting.count("PATCH", term, json={}) == KEY + 2 * ROW + UPDATE + ANSWER + REVISION


def test_a_statement_about_nothing_is_noticed(book, counting):
    with book.database.write(book.account_key) as writer, pytest.raises(AssertionError, match="of nothing"):
        writer.rows(payment_terms.records._some, ids=[])
