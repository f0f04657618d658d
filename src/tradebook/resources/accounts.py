"""Accounts: the tenants of a book. A new one gets the system's carriers, levels and terms."""

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.ids import decode_id, encode_id, new_key
from tradebook.resources import carriers, payment_terms, service_levels, shipping_terms
from tradebook.resources.system import system_key
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Database, Reader, Writer
from tradebook.storage.schema import ACCOUNT, prepare, prepare_of_all_accounts

ID_PREFIX = "ac"
LEVELS_OF_A_CARRIER_MAX = 50

_ALL = prepare_of_all_accounts(
    sa.select(accounts.c.account_id, accounts.c.name, accounts.c.environment).order_by(accounts.c.account_id)
)
_OWN = prepare(sa.select(accounts.c.name, accounts.c.environment).where(accounts.c.account_id == ACCOUNT))


class NoSuchAccount(LookupError):
    """The id names no account of this book."""


def create_account(database: Database, name: str, environment: str) -> str:
    """Add an account with the system's carriers, levels and terms, and return its id."""
    key = new_key()
    with database.create_account(key, name=name, environment=environment) as writer:
        _add_system_rows(writer)
    return encode_id(ID_PREFIX, key)


def list_accounts(database: Database) -> list[tuple[str, str, str]]:
    """List all accounts as (id, name, environment), oldest first."""
    rows = database.rows_of_all_accounts(_ALL)
    return [(encode_id(ID_PREFIX, key), name, environment) for key, name, environment in rows]


def describe(reader: Reader) -> tuple[str, str]:
    """Return name and environment of the account that is read."""
    name, environment = reader.rows(_OWN)[0]
    return name, environment


def account_keys(database: Database) -> list[int]:
    """List the keys of all accounts, oldest first."""
    return [key for key, *_ in database.rows_of_all_accounts(_ALL)]


def find_account(database: Database, text: str) -> tuple[int, str]:
    """Return key and environment of the account with this id; NoSuchAccount if there is none."""
    key = decode_id(ID_PREFIX, text)
    for found, _, environment in database.rows_of_all_accounts(_ALL):
        if found == key:
            return found, environment
    raise NoSuchAccount(text)


def _add_system_rows(writer: Writer) -> None:
    common = {"is_system": 1, "updated_at": now_ms()}
    carriers_of, levels_of = [], []
    for place, (name, code, levels) in enumerate(carriers.SYSTEM):
        carrier = system_key("carrier", place)
        carriers_of.append(
            {
                "id": carrier,
                "name": name,
                "code": carriers.CODES.index(code),
                "account_number": None,
                "customer_portal_visibility": 0,
                "deleted_at": None,
                **common,
            }
        )
        first = place * LEVELS_OF_A_CARRIER_MAX
        levels_of += [
            {
                "id": system_key("service_level", first + number),
                "carrier_id": carrier,
                "name": level,
                "service_level_token": service_levels.token_of(f"{code} {level}"),
                "customer_portal_visibility": 0,
                "is_default": int(number == 0),
                **common,
            }
            for number, level in enumerate(levels)
        ]
    carriers.records.insert(writer, carriers_of)
    service_levels.records.insert(writer, levels_of)
    payment_terms.records.insert(
        writer,
        [
            {"id": system_key("payment_term", place), "name": name, "status": 0, **common}
            for place, name in enumerate(payment_terms.SYSTEM_NAMES)
        ],
    )
    nothing = ("flat_rate", "flat_rate_currency", "minimum_order_value", "minimum_order_value_currency")
    shipping_terms.records.insert(
        writer,
        [
            {
                "id": system_key("shipping_term", place),
                "name": name,
                "type": place,
                **dict.fromkeys(nothing),
                **common,
            }
            for place, name in enumerate(shipping_terms.SYSTEM_NAMES)
        ],
    )
