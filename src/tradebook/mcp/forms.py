"""Customers as text that a model reads with few tokens."""

from collections.abc import Iterator
from typing import Any

import msgspec

from tradebook.mcp.asking import Json
from tradebook.text import shortened

TEXT_MAX = 60
"""How long a text in a row is at most."""

HEADING = "id | number | name | bill-to place | status if not normal, parent or child"
ROW_INCLUDES = ("bill_to_address.geolocation",)
LISTS = ("price_groups", "child_accounts")
"""The lists inside a customer."""

INCLUDES = (
    "bill_to_address.geolocation",
    "ship_to_address.geolocation",
    "type",
    "parent_account",
    *LISTS,
    "contact_info",
    "credit_limit",
    "credit_limit.unit",
    "notification_preferences",
    "freight_preferences.carrier",
    "freight_preferences.service_level",
    "defaults.payment_term",
    "defaults.shipping_term",
    "defaults.priority",
    "defaults.sales_rep.user",
)


def row_of(customer: Json) -> str:
    """Write a customer as one row: what tells it from others, and what is unusual about it."""
    address = customer["bill_to_address"]
    place = _joined(address["geolocation"], "locality", "state", "country") if address else ""
    unusual = [
        word
        for word in (customer["status"], customer["relationship_type"])
        if word not in {"normal", "standalone"}
    ]
    parts = (customer["number"], customer["name"], place, ", ".join(unusual))
    return " | ".join((customer["id"], *map(in_row, parts))).removesuffix(" | ")


def short_row(customer: Json) -> str:
    """Write a customer of whom only the plain fields are known."""
    return f"{in_row(customer['number'])} {in_row(customer['name'])} ({customer['id']})"


def lines_of(customer: Json) -> Iterator[str]:
    """Write everything about a customer but the lists inside it; what is not set has no line."""
    freight, defaults = customer["freight_preferences"], customer["defaults"]
    parent, limit = customer["parent_account"], customer["credit_limit"]
    rep = defaults["sales_rep"]
    said = {
        "id": customer["id"],
        "number": customer["number"],
        "name": customer["name"],
        "status": customer["status"],
        "relationship": customer["relationship_type"],
        "parent": parent and short_row(parent),
        "type group": _name(customer["type"]),
        "credit limit": limit and f"{limit['value']} {limit['unit']['code']}",
        **{key: customer["contact_info"][key] for key in ("email", "phone", "url")},
        "carrier": _name(freight["carrier"]),
        "service level": _name(freight["service_level"]),
        "carrier billing": _joined(freight, "billing_type", "billing_account"),
        "freight policy": freight["status"],
        "commission policy": customer["commission_policy"],
        "payment term": _name(defaults["payment_term"]),
        "shipping term": _name(defaults["shipping_term"]),
        "priority": defaults["priority"] and defaults["priority"]["code"],
        "sales rep": rep and _joined(rep["user"], "name", "email"),
        "edi": customer["edi_status"],
        "invoice emails": "yes" if customer["notification_preferences"]["accepts_invoice_emails"] else "no",
        "bill to": _address(customer["bill_to_address"]),
        "ship to": _address(customer["ship_to_address"], customer["bill_to_address"]),
        "created": customer["created_at"],
        "updated": customer["updated_at"],
        "note": customer["note"],
    }
    for name, value in said.items():
        if value:
            yield f"{name}: {_on_a_line(value)}"


def group_row(group: Json) -> str:
    """Write a pricing group."""
    return f"{in_row(group['name'])} ({group['id']})"


def _address(address: Json | None, same: Json | None = None) -> str:
    if address is None:
        return ""
    if same is not None and address["id"] == same["id"]:
        return "the same address"
    place = _joined(
        address["geolocation"],
        "street_line_1",
        "street_line_2",
        "postal_code",
        "locality",
        "state",
        "country",
    )
    return f"{_joined(address, 'name')}, {place} ({_joined(address, 'id', 'phone', 'email')})"


def _name(named: Json | None) -> str:
    return "" if named is None else str(named["name"])


def _joined(found: Json, *names: str) -> str:
    return ", ".join(found[name] for name in names if found[name])


def in_row(text: str) -> str:
    """Shorten a text, and quote one that has what stands between two columns."""
    short = shortened(text, TEXT_MAX)
    return _quoted(short) if "|" in short or '"' in short else short


def _on_a_line(text: str) -> str:
    return _quoted(text) if "\n" in text else text


def _quoted(value: Any) -> str:
    return msgspec.json.encode(value).decode()
