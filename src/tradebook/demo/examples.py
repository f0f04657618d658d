"""What the examples of the API are about: there in every demo book, with the same ids."""

from typing import Any

from tradebook.crud.records import Values
from tradebook.ids import ATTACHED, SOURCE, SPARE, example_key
from tradebook.resources import (
    account_groups,
    account_users,
    addresses,
    api_keys,
    carriers,
    customers,
    import_routes,
    import_shapes,
    payment_terms,
    service_levels,
    shipping_terms,
)
from tradebook.storage.database import Writer

_TYPE, _PRICES = (account_groups.TYPES.index(word) for word in ("type_group", "pricing_group"))
_NO_AMOUNTS = dict.fromkeys(
    ("flat_rate", "flat_rate_currency", "minimum_order_value", "minimum_order_value_currency")
)


def add_examples(writer: Writer) -> None:
    """Add what customers refer to, before there are any: of each kind one to show and one to delete."""
    group = account_groups.CREATE
    for name, kind, place in (("Retailer", _TYPE, 0), ("Seasonal", _TYPE, SPARE), ("Gold", _PRICES, SOURCE)):
        account_groups.acts.add(writer, _at(place, group.new(name=name, type=kind)))
    person = account_users.CREATE.new(name="Nora Whitman", email="nora.whitman@tradebook.example")
    account_users.add(writer, _at(0, person))
    for place, name in enumerate(("Net 21", "Net 120")):
        payment_terms.acts.add(writer, _at(place, payment_terms.CREATE.new(name=name)))
    for place, name in enumerate(("Dock Pickup", "Shared Freight")):
        row = {"name": name, "type": 0, "is_system": 0, **_NO_AMOUNTS}
        shipping_terms.records.add(writer, _at(place, row))
    for place, name in enumerate(("Harbor Couriers", "Old Town Haulage")):
        carriers.acts.add(writer, _at(place, carriers.CREATE.new(name=name)))
    for place, name in enumerate(("Same Day", "Overnight")):
        service_levels.add(writer, example_key(), _at(place, service_levels.CREATE.new(name=name)))
    for place, name in enumerate(("Harbor Coffee", "Harbor Coffee – Old Warehouse")):
        row = {field.name: field.default for field in addresses.FIELDS}
        row |= {"name": name, "country": "US", "locality": "Portland", "state": "ME", "is_unused": 1}
        addresses.records.add(writer, _at(place, row))
    for place, name in enumerate(("Web shop", "Old EDI gateway")):
        may: Any = {"permissions": ("customers:read",), "expires_at": None}
        api_keys.add_key(writer, "test", name=name, key=example_key(place), **may)
    add_example_imports(writer)


def add_example_imports(writer: Writer) -> None:
    """Add two plans, one to apply and one to discard: each is about one customer, and changes nothing."""
    row = import_shapes.ImportRow(
        2, "unchanged", import_shapes.ImportCustomer(None, "10001", "Harbor Coffee")
    )
    for place in (0, SPARE):
        import_routes.add_plan(writer, example_key(place), "customers.csv", [row])


def attach_examples(writer: Writer) -> None:
    """Attach an address to a customer, and give one its id in another system, when there are customers."""
    address, customer = example_key(), example_key(ATTACHED)
    customers.link(writer, [(customer, address)], is_attached=True)
    # As the examples of the path say.
    name, value = (str(part.kind.example()) for part in customers.EXTERNAL_ID.parts)
    customers.external_ids.set_external_ids(writer, {example_key(): {name: value}})
    writer.reindex(customers.INDEX, [customer])


def _at(place: int, row: Values) -> dict[str, Any]:
    return {**row, "id": example_key(place)}
