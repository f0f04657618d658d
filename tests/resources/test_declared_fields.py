"""What is declared of customers and what is shown of them agree, though the hot loop that shows them is by hand."""

from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from tests.fixtures.ledgers import Ledger
from tradebook.crud.resource import View
from tradebook.resources.customers import load as whole
from tradebook.resources.customers import load_plain, reads, records
from tradebook.resources.customers.fields import FIELDS, as_given
from tradebook.resources.customers.finished import FINISHED
from tradebook.resources.customers.load import INCLUDES
from tradebook.resources.customers.tables import customers
from tradebook.storage.schema import ACCOUNT, any_of, prepare

SHOWN = {
    "number": "number",
    "name": "name",
    "status": "status",
    "edi_status": "edi_status",
    "commission_policy": "commission_policy",
    "freight_policy": "freight_preferences.status",
    "note": "note",
    "email": "contact_info.email",
    "phone": "contact_info.phone",
    "url": "contact_info.url",
    "customer_type_group_id": "type.id",
    "parent_account_id": "parent_account.id",
    "default_carrier_id": "freight_preferences.carrier.id",
    "default_service_level_id": "freight_preferences.service_level.id",
    "carrier_billing_type": "freight_preferences.billing_type",
    "carrier_billing_account": "freight_preferences.billing_account",
    "default_payment_term_id": "defaults.payment_term.id",
    "default_shipping_term_id": "defaults.shipping_term.id",
    "default_priority": "defaults.priority.code",
    "default_sales_rep_id": "defaults.sales_rep.id",
    "accepts_invoice_emails": "notification_preferences.accepts_invoice_emails",
    "bill_to_address_id": "bill_to_address.id",
    "ship_to_address_id": "ship_to_address.id",
}
"""Where the object shows what a field says. The credit limit is not said as it is shown, and looked at apart."""

ROWS: list[dict[str, Any]] = [
    {"number": "head", "name": "Head", "bill_to.country": "FR"},
    {
        "number": "1", "name": "Name", "status": "hold_all", "edi_status": "enabled",
        "commission_policy": "commission_exempt", "freight_policy": "free_freight", "note": "Note", "email": "e@x.y",
        "phone": "+1", "url": "x.y", "credit_limit": "7.50", "credit_limit_currency": "EUR", "type": "Type",
        "parent_number": "head", "carrier": "Van", "service_level": "Day", "carrier_billing_type": "third_party",
        "carrier_billing_account": "99", "payment_term": "Soon", "shipping_term": "By hand", "priority": "high",
        "sales_rep_email": "r@x.y", "accepts_invoice_emails": True, "bill_to.country": "FR", "ship_to.country": "DE",
    },
]  # fmt: skip


def at(shown: Any, path: str) -> Any:
    """Return what stands at a path of an object; None where the way to it ends in null."""
    for name in path.split("."):
        shown = None if shown is None else shown[name]
    return shown


def check_agreement(ledger: Ledger) -> None:
    """Hold every customer of an account, as it is shown, against its row, as the declaration tells it."""
    keys = [row[1] for row in ledger.sql("SELECT account_id, id FROM customers")]
    with ledger.database.read(ledger.key) as reader:
        view = View(reader, include=frozenset(INCLUDES))
        for key, customer in whole(view, keys).items():
            row = records.find(reader, key)
            assert row is not None
            said, shown = as_given(row), msgspec.json.decode(msgspec.json.encode(customer))
            plain = msgspec.json.decode(msgspec.json.encode(load_plain(view, [key])[key]))
            for field, path in SHOWN.items():
                assert at(shown, path) == said[field], field
                assert "." in path or field.endswith("_id") or plain[path] == said[field], field
            limit = said["credit_limit"]
            assert at(shown, "credit_limit.value") == at(limit, "value")
            assert at(shown, "credit_limit.unit.id") == at(limit, "unit_id")


def test_whatever_the_loop_reads_is_looked_at():
    read = {column.name for column in (*FINISHED.columns, *reads._ADDRESSES, *reads.REFERRED)} - {
        "id",
        "updated_at",
        "is_parent",
    }
    looked_at = {*SHOWN, "credit_limit"}

    assert read == {c.name for field in FIELDS if field.name in looked_at for c in field.columns}


def test_what_is_shown_is_what_the_declaration_says(ledger):
    ledger.take(*ROWS)

    check_agreement(ledger)


@pytest.mark.parametrize(
    ("one", "other"), [("payment_term_id", "shipping_term_id"), ("bill_to_address_id", "ship_to_address_id")]
)
def test_two_columns_that_change_places_are_noticed(ledger, monkeypatch, one, other):
    """The planted fault: the statement reads its columns in another order than the loop takes them."""
    ledger.take(*ROWS)
    names = {one: other, other: one}
    for listed in ("_ADDRESSES", "REFERRED"):
        columns = [customers.c[names.get(column.name, column.name)] for column in getattr(reads, listed)]
        monkeypatch.setattr(reads, listed, columns)
    reads._whole.cache_clear()

    with pytest.raises(AssertionError):
        check_agreement(ledger)
    reads._whole.cache_clear()


@pytest.mark.parametrize(("one", "other"), [("email", "url"), ("name", "number")])
def test_two_columns_that_change_places_in_finished_json_are_noticed(ledger, monkeypatch, one, other):
    ledger.take(*ROWS)
    names = {one: other, other: one}
    columns = [column.table.c[names.get(column.name, column.name)] for column in FINISHED.columns]
    own = (customers.c.account_id == ACCOUNT, any_of(customers.c.id, "ids"))
    swapped = prepare(sa.select(*columns).where(*own))
    monkeypatch.setattr(FINISHED, "_rows", swapped)
    with ledger.database.write(ledger.key) as writer:
        FINISHED.renew(writer, [row[1] for row in ledger.sql("SELECT account_id, id FROM customers")])

    with pytest.raises(AssertionError):
        check_agreement(ledger)
