"""The demo's customers: made up, believable, and the same on every machine."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from tradebook.clock import format_ms
from tradebook.demo.places import (
    ADJECTIVES,
    CITIES,
    CITIES_OF,
    CITY_WEIGHTS,
    PEOPLE,
    STREETS,
    TRADES,
    City,
)
from tradebook.ids import example_key, milliseconds_of
from tradebook.resources.carriers import SYSTEM as CARRIERS
from tradebook.text import fold

DemoRow = dict[str, Any]

_FIRST_NUMBER = 10_001
_FROM_MS = milliseconds_of(example_key())
_UNTIL_MS = int(datetime(2026, 6, 30, 17, tzinfo=UTC).timestamp() * 1000)
_LARGE_FAMILY = 120
EXAMPLES = 4
"""So many customers come first in every book, with the ids of the examples."""

_TYPES = ("Retailer", "Restaurant", "Hotel", "Distributor", "Institution")
_PRICE_GROUPS = ("Bronze", "Silver", "Gold", "Volume 500", "Spring Contract", "Export List")
_PAYMENT_TERMS = ("Due on Receipt", "Prepaid", "Net 15", "Net 30", "Net 45", "Net 60", "Net 90")
_SHIPPING_TERMS = ("Free Freight", "Flat Rate Freight", "Carrier Rate Freight")
_REPS = tuple(
    (f"{first} {last}", f"{first}.{last}@tradebook.example".lower())
    for first, last in (
        ("Nora", "Whitman"), ("Luis", "Ortega"), ("Dana", "Fields"), ("Peter", "Lang"), ("Aiko", "Mori"),
        ("Jean", "Caron"), ("Sofia", "Lind"), ("Marek", "Nowak"), ("Ruth", "Adeyemi"), ("Tom", "Baines"),
        ("Ines", "Prado"), ("Greta", "Holm"),
    )
)  # fmt: skip
_NOTES = (
    "Call before delivery.",
    "Dock closes at 15:00.\nNo deliveries on Fridays.",
    "Pays by bank transfer only.",
    "Ask for the purchase order number.",
)
_CREDIT_LIMITS = ("2500.00", "5000.00", "10000.00", "12500.50", "25000.00", "50000.00", "100000.00")


def demo_customers(count: int, seed: int = 1) -> Iterator[DemoRow]:
    """Make up customers as import records; children come right after their parent, which is never a child."""
    chance = random.Random(seed)  # noqa: S311 - a made-up book, not a secret
    step = (_UNTIL_MS - _FROM_MS) // max(count, 1)
    made, parent, branches_left = 0, None, 0
    wants_large_family = count > 2 * _LARGE_FAMILY
    at = _FROM_MS
    while made < count:
        # Now and then several are entered in one go and share their time to the millisecond.
        at = (
            at if made and chance.random() < 0.04 else _FROM_MS + made * step + chance.randrange(max(step, 1))
        )
        is_example = made < EXAMPLES
        if is_example:
            # These have the same time in a book of any size, and with it the same ids.
            at = _FROM_MS
        record = _customer(chance, _FIRST_NUMBER + made, at)
        if parent is not None and branches_left:
            _make_branch(record, parent)
            branches_left -= 1
        elif wants_large_family and made >= count // 2:
            parent, branches_left, wants_large_family = record, _LARGE_FAMILY, False
        elif chance.random() < 0.02 and not is_example:
            parent, branches_left = record, chance.randint(1, 8)
        made += 1
        yield record


def _customer(chance: random.Random, number: int, created_ms: int) -> DemoRow:
    pick = chance.choice
    city = chance.choices(CITIES, CITY_WEIGHTS)[0]
    name = _company(chance, city)
    domain = "".join(filter(str.isascii, filter(str.isalnum, fold(name))))[:24] or f"shop{number}"
    carrier, code, levels = pick(CARRIERS)
    rep_name, rep_email = pick(_REPS)
    record = {
        "number": str(number),
        "name": name,
        "status": chance.choices(("normal", "preferred", "hold_shipment", "hold_all"), (80, 14, 4, 2))[0],
        "edi_status": "enabled" if chance.random() < 0.2 else "disabled",
        "commission_policy": "commission_exempt" if chance.random() < 0.1 else "commission_applied",
        "freight_policy": "free_freight" if chance.random() < 0.15 else "billed_freight",
        "email": f"orders@{domain}.example",
        "phone": _phone(chance, city),
        "type": pick(_TYPES),
        "price_groups": sorted(chance.sample(_PRICE_GROUPS, chance.choices((0, 1, 2, 3), (3, 4, 2, 1))[0])),
        "carrier": code or carrier,
        "service_level": pick(levels),
        "payment_term": pick(_PAYMENT_TERMS),
        "shipping_term": pick(_SHIPPING_TERMS),
        "priority": chance.choices(("low", "normal", "high"), (1, 8, 1))[0],
        "sales_rep_email": rep_email,
        "sales_rep_name": rep_name,
        "accepts_invoice_emails": chance.random() < 0.7,
        "created_at": format_ms(created_ms),
        **_address(chance, "bill_to", city, name),
    }
    _add_what_some_have(chance, record, city, domain)
    return record


def _add_what_some_have(chance: random.Random, record: DemoRow, city: City, domain: str) -> None:
    if chance.random() < 0.8:
        record["credit_limit"] = chance.choice(_CREDIT_LIMITS)
        record["credit_limit_currency"] = _currency(record["bill_to.country"])
    if chance.random() < 0.6:
        record["url"] = f"https://www.{domain}.example"
    if chance.random() < 0.15:
        record["note"] = chance.choice(_NOTES)
    if chance.random() < 0.1:
        record["carrier_billing_type"] = chance.choice(("sender", "third_party"))
        record["carrier_billing_account"] = f"{chance.randrange(10**8):08}"
    if chance.random() < 0.3:
        ship_to = chance.choice(CITIES_OF[city.country])
        record |= _address(chance, "ship_to", ship_to, f"{record['name']} – Warehouse")
        record["ship_to.type"] = "drop_ship" if chance.random() < 0.2 else "standard"


def _make_branch(record: DemoRow, parent: DemoRow) -> None:
    record["parent_number"] = parent["number"]
    record["name"] = f"{parent['name']} – {record['bill_to.locality']} branch"
    record["type"] = parent["type"]
    record["bill_to.name"] = record["name"]


def _company(chance: random.Random, city: City) -> str:
    pick = chance.choice
    surname, form, trade = pick(city.country.surnames), pick(city.country.legal_forms), pick(TRADES)
    front = (
        f"{surname} {pick(ADJECTIVES)}",
        f"{pick(ADJECTIVES)} {city.name}",
        f"{surname} & {pick(city.country.surnames)}",
        f"{pick(ADJECTIVES)} {surname}",
    )
    return f"{pick(front)} {trade} {form}"


def _phone(chance: random.Random, city: City) -> str:
    area = sum(map(ord, city.name)) % 700 + 201
    return city.country.phone.format(a=area, p=chance.randrange(100), q=chance.randrange(100))


def _address(chance: random.Random, kind: str, city: City, name: str) -> DemoRow:
    street = city.country.street.format(s=chance.choice(STREETS), n=chance.randint(1, 240))
    address = {
        f"{kind}.name": name,
        f"{kind}.street_line_1": street,
        f"{kind}.locality": city.name,
        f"{kind}.postal_code": _postal_code(chance, city),
        f"{kind}.country": city.country.code,
    }
    if city.state:
        address[f"{kind}.state"] = city.state
    if chance.random() < 0.2:
        address[f"{kind}.street_line_2"] = f"Suite {chance.randint(2, 40)}"
    if chance.random() < 0.3:
        address[f"{kind}.phone"] = _phone(chance, city)
        address[f"{kind}.email"] = f"{fold(chance.choice(PEOPLE))}@{city.country.code.lower()}.example"
    return address


def _postal_code(chance: random.Random, city: City) -> str:
    end = city.country.postal_end.replace("?", chance.choice("ABDEJL"))
    while "#" in end:
        end = end.replace("#", str(chance.randrange(10)), 1)
    return city.postal + end


def _currency(country: str) -> str:
    return {
        "US": "USD", "CA": "CAD", "GB": "GBP", "SE": "SEK", "DK": "DKK", "PL": "PLN", "TR": "TRY",
        "JP": "JPY", "AU": "AUD", "CH": "CHF",
    }.get(country, "EUR")  # fmt: skip
