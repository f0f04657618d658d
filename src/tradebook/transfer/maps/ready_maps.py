"""The maps that ship with Tradebook, one for the list of customers of each of some systems."""

import tomllib
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path

import msgspec

from tradebook.crud.kinds import did_you_mean
from tradebook.text import shortened
from tradebook.transfer.maps.column_map import ColumnMap, MapError, load_map, load_map_text

_FOLDER = files("tradebook.transfer.maps") / "ready"


class ReadyMap(msgspec.Struct, frozen=True):
    """A map that ships: its name, what file it is for, and how one gets it."""

    name: str
    system: str
    file: str
    export: str
    """How the system writes the file."""
    known_by: tuple[tuple[str, ...], ...]
    """Headings by which its file is known: all of one of these lists."""


READY = (
    ReadyMap(
        "shopify",
        "Shopify",
        "customers_export.csv",
        "Customers > Export > All customers, as CSV",
        (("First Name", "Last Name", "Accepts Email Marketing"),),
    ),
    ReadyMap(
        "woocommerce",
        "WooCommerce",
        "the Analytics report Customers",
        "Analytics > Customers > Download",
        (("Name", "Username", "AOV"),),
    ),
    ReadyMap(
        "xero",
        "Xero",
        "Contacts.csv",
        "Contacts > Customers > Export",
        (("*ContactName", "POAddressLine1"), ("ContactName", "POAddressLine1")),
    ),
    ReadyMap(
        "quickbooks",
        "QuickBooks Online",
        "the report Customer Contact List",
        "Reports > Customer Contact List > Export",
        (
            ("Customer full name", "Phone numbers"),
            ("Customer", "Phone Numbers"),
            ("Customer", "Billing Address"),
        ),
    ),
    ReadyMap(
        "odoo",
        "Odoo",
        "res.partner, with labels as headings",
        "Contacts, list view, all rows, Action > Export",
        (("Name", "Customer Rank"), ("External ID", "Name", "Street2")),
    ),
    ReadyMap(
        "hubspot",
        "HubSpot",
        "companies, as CSV",
        "CRM > Companies > Export, all properties",
        (("Record ID", "Company name"), ("Company ID", "Name", "Company Domain Name")),
    ),
    ReadyMap(
        "salesforce",
        "Salesforce",
        "Account, with API names as headings",
        "Data Loader or Data Export, object Account, all fields",
        (("Id", "Name", "BillingStreet"),),
    ),
    ReadyMap(
        "magento",
        "Magento, Adobe Commerce",
        "customers with their addresses, as customer_composite.csv has them",
        "System > Export, customers and addresses in one file",
        (("email", "_website", "_address_city"),),
    ),
    ReadyMap(
        "prestashop",
        "PrestaShop",
        "the list of customers, and addresses.csv beside it",
        "Customers > Export; addresses by the SQL Manager (`tradebook import maps prestashop` has the query)",
        (("ID", "Social title", "Email address"), ("ID", "First name", "Last name", "Email address")),
    ),
    ReadyMap(
        "myob",
        "MYOB",
        "customer cards",
        "File > Import/Export > Export > Cards > Customer Cards",
        (("Co./Last Name", "Card ID"),),
    ),
    ReadyMap(
        "datev",
        "DATEV",
        "debtors (Debitoren/Kreditoren), format EXTF",
        "Bestand > Exportieren > ASCII-Daten > Debitoren/Kreditoren",
        (("Konto", "Name (Adressattyp Unternehmen)"),),
    ),
)
NAMES = tuple(ready.name for ready in READY)


def ready_text(name: str) -> str | None:
    """Return the text of the map of a name; None if none ships with that name."""
    return (_FOLDER / f"{name}.toml").read_text(encoding="utf-8") if name in NAMES else None


def load_ready(name: str, folders: Sequence[Path] = ()) -> ColumnMap:
    """Load a map that ships; MapError if there is none of this name.

    The files of its lookups lie in these folders.
    """
    text = ready_text(name)
    if text is None:
        raise MapError(no_such_map(name))
    try:
        return load_map_text(text, folders, name)
    except MapError as error:
        # It has no mistakes; what it may lack is a second file.
        raise MapError(f"{error} `tradebook import maps {name}` tells how to make it.") from None


def matched_by(name: str) -> list[str]:
    """Return the columns by which a map that ships matches rows; its lookups needn't be there."""
    text = ready_text(name)
    assert text is not None
    by: list[str] = tomllib.loads(text)["match"]["by"]
    return by


def no_such_map(name: str) -> str:
    """Say that no map of this name ships, and name the nearest one, or all."""
    hint = did_you_mean(name, NAMES) or f"; there are {', '.join(NAMES)}. A file's name has a dot or a slash"
    return f"No map named {shortened(name)!r} ships with Tradebook{hint}"


def load_named(name: str, folder: Path) -> ColumnMap:
    """Load the map that an option names: one that ships, or a file.

    A name with a dot or a slash is a file's. Any other is that of a map that ships, or else of a file.
    """
    path = Path(name)
    if name in NAMES:
        return load_ready(name, (folder,))
    if "." in name or path.name != name or path.exists():
        return load_map(path, folder)
    return load_ready(name, (folder,))


def recognise(headings: Iterable[str]) -> ReadyMap | None:
    """Find the map that is for a file with these headings."""
    present = set(headings)
    for ready in READY:
        if any(present.issuperset(known) for known in ready.known_by):
            return ready
    return None
