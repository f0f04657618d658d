"""What unpacks a row of a customer agrees with the declaration: every column shows where it should, and nowhere else."""

import msgspec
import pytest

from tests.transfer.test_importing import EVERYTHING
from tradebook.crud.resource import View
from tradebook.resources.customers.fields import FIELDS
from tradebook.resources.customers.load import INCLUDES, load

SHOWN_AS = {
    "email": "contact_info",
    "phone": "contact_info",
    "url": "contact_info",
    "credit_limit_currency": "credit_limit",
    "freight_policy": "freight_preferences",
    "carrier_id": "freight_preferences",
    "service_level_id": "freight_preferences",
    "carrier_billing_type": "freight_preferences",
    "carrier_billing_account": "freight_preferences",
    "payment_term_id": "defaults",
    "shipping_term_id": "defaults",
    "priority": "defaults",
    "sales_rep_id": "defaults",
    "accepts_invoice_emails": "notification_preferences",
    "bill_to_address_id": "bill_to_address",
    "ship_to_address_id": "ship_to_address",
    "type_id": "type",
    "parent_id": "parent_account",
}
"""The key of the object that shows a column, where it isn't called the same."""
OTHERWISE = {"parent_id": {"relationship_type"}}
COLUMNS = [column.name for field in FIELDS for column in field.columns]


@pytest.fixture
def known(ledger):
    ledger.take({"number": "P", "name": "Parent"}, {**EVERYTHING, "parent_number": "P"})
    return ledger


def shown(ledger) -> dict:
    """Customer 1, with all that it can include."""
    key = {row[2]: row[1] for row in ledger.sql("SELECT account_id, id, number FROM customers")}
    with ledger.database.read(ledger.key) as reader:
        view = View(reader=reader, include=frozenset(INCLUDES))
        found = load(view, [min(key.values())])
    return msgspec.to_builtins(msgspec.json.decode(msgspec.json.encode(next(iter(found.values())))))


def changed_by(ledger, column: str) -> set[str]:
    """Change one column in the table itself, and see which keys of the object are others then."""
    before = shown(ledger)
    new = {"credit_limit": "'7.25'", "credit_limit_currency": "'JPY'", "accepts_invoice_emails": "0"}
    words = {
        "status": "0",
        "edi_status": "1",
        "commission_policy": "0",
        "freight_policy": "1",
        "priority": "0",
    }
    texts = {
        name: f"'{name} of now'"
        for name in ("name", "number", "note", "email", "phone", "url", "carrier_billing_account")
    }
    value = {**new, **words, **texts, "carrier_billing_type": "0"}.get(column, "NULL")
    key = min(row[1] for row in ledger.sql("SELECT account_id, id FROM customers"))
    ledger.plant(f"UPDATE customers SET {column} = {value} WHERE account_id = {ledger.key} AND id = {key}")
    after = shown(ledger)
    return {name for name in before if before[name] != after[name]}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_column_is_shown_where_it_should_be_and_nowhere_else(known, column):
    assert changed_by(known, column) == {SHOWN_AS.get(column, column)} | OTHERWISE.get(column, set())


def test_two_columns_that_change_places_are_noticed(known, monkeypatch):
    """The planted fault: the statement yields them in another order than they are unpacked in."""
    monkeypatch.setitem(SHOWN_AS, "note", "name")

    assert changed_by(known, "note") != {"name"}
