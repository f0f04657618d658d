"""From names and codes in a file to the account's carriers and service levels; missing ones are made."""

import re
from collections import Counter

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.resources.carriers import CODES, carriers
from tradebook.resources.service_levels import VISIBILITIES, service_levels
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.text import fold
from tradebook.transfer.imports.names import Refusal
from tradebook.transfer.imports.row_keys import RowKeys

_CARRIERS = prepare(
    sa.select(
        carriers.c.id,
        carriers.c.name,
        carriers.c.code,
        carriers.c.is_system,
        carriers.c.deleted_at,
    )
    .where(carriers.c.account_id == ACCOUNT)
    .order_by(carriers.c.id)
)
_LEVELS = prepare(
    sa.select(service_levels.c.carrier_id, service_levels.c.name, service_levels.c.id).where(
        service_levels.c.account_id == ACCOUNT
    )
)
_NEW_CARRIER = prepare(sa.insert(carriers))
_NEW_LEVEL = prepare(sa.insert(service_levels))
_NOT_TOKEN = re.compile(r"[^a-z0-9]+")
_VISIBLE = VISIBILITIES.index("visible")


class Carriers:
    """Carriers by name or code, and levels by carrier and name."""

    def __init__(self, writer: Writer, keys: RowKeys, made: Counter[str]) -> None:
        self._writer, self._keys, self._made = writer, keys, made
        self._name_of: dict[int, str] = {}
        self._code_of: dict[int, str] = {}
        self._by_name: dict[str, int] = {}
        self._of_system: dict[str, int] = {}
        self._by_code: dict[str, int] = {}
        self._levels: dict[int, dict[str, int]] = {}
        self._deleted: set[int] = set()
        for key, name, code, is_system, deleted_at in writer.rows(_CARRIERS):
            self._know(key, name, None if code is None else CODES[code], is_deleted=deleted_at is not None)
            if is_system:
                self._of_system[name.casefold()] = key
        for carrier, name, key in writer.rows(_LEVELS):
            self._levels[carrier][name] = key

    def _know(self, key: int, name: str, code: str | None, *, is_deleted: bool) -> None:
        self._name_of[key] = name
        self._levels[key] = {}
        if code is not None:
            self._code_of[key] = code
        # Customers that have a deleted carrier keep it; no other customer gets it.
        if is_deleted:
            self._deleted.add(key)
            return
        self._by_name[name] = key
        if code is not None:
            self._by_code.setdefault(code, key)

    def key_of(self, name: str, current: int | None) -> int:
        """Return the carrier of this name or code: the current one if it fits, a new one if none does."""
        if current is not None and name in (self._name_of[current], self._code_of.get(current)):
            return current
        folded = name.casefold()
        found = self._by_name.get(name) or self._of_system.get(folded) or self._by_code.get(folded)
        return found or self._add(name, folded if folded in CODES else None)

    def level_of(self, carrier: int, name: str) -> int:
        """Return the carrier's level of this name, a new one where there is none and may be one."""
        levels = self._levels[carrier]
        if name in levels:
            return levels[name]
        if carrier in self._deleted:
            reason = (
                f"is no service level of {self._name_of[carrier]}, which was deleted and gets no new ones"
            )
            raise Refusal("service_level", name, reason)
        if carrier in self._of_system.values():
            folded = name.casefold()
            for known, key in levels.items():
                if known.casefold() == folded:
                    return key
            self._refuse_level_of_another(carrier, name)
        return self._add_level(carrier, name)

    def _refuse_level_of_another(self, carrier: int, name: str) -> None:
        """Refuse what is likely a mistake: the system's carriers have levels of their own."""
        for other, levels in self._levels.items():
            if name in levels:
                raise Refusal(
                    "service_level",
                    name,
                    f"is a service level of {self._name_of[other]}, not of "
                    f"{self._name_of[carrier]}, which has {', '.join(sorted(self._levels[carrier]))}",
                )

    def _add(self, name: str, code: str | None) -> int:
        key = self._keys.now()
        self._know(key, name, code, is_deleted=False)
        self._writer.run(
            _NEW_CARRIER,
            id=key,
            name=name,
            code=None if code is None else CODES.index(code),
            account_number=None,
            customer_portal_visibility=_VISIBLE,
            is_system=0,
            deleted_at=None,
            updated_at=now_ms(),
        )
        self._made["carriers"] += 1
        return key

    def _add_level(self, carrier: int, name: str) -> int:
        key = self._keys.now()
        front = self._code_of.get(carrier) or self._name_of[carrier]
        self._writer.run(
            _NEW_LEVEL,
            id=key,
            carrier_id=carrier,
            name=name,
            service_level_token=_NOT_TOKEN.sub("_", fold(f"{front} {name}")).strip("_"),
            customer_portal_visibility=_VISIBLE,
            is_default=int(not self._levels[carrier]),
            is_system=0,
            updated_at=now_ms(),
        )
        self._levels[carrier][name] = key
        self._made["service_levels"] += 1
        return key
