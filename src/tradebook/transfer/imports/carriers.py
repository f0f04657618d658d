"""From names and codes in a file to the account's carriers and service levels; missing ones are made."""

import sqlalchemy as sa

from tradebook.resources import carriers, service_levels
from tradebook.resources.carriers import CODES
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.text import fold_case
from tradebook.transfer.imports.making import Making
from tradebook.transfer.imports.names import ByName, Refusal

_c, _l = carriers.carriers.c, service_levels.service_levels.c
_CARRIERS = prepare(
    sa.select(_c.id, _c.name, _c.code, _c.is_system, _c.deleted_at)
    .where(_c.account_id == ACCOUNT)
    .order_by(_c.id.desc())
)
_LEVELS = prepare(
    sa.select(_l.carrier_id, _l.name, _l.id).where(_l.account_id == ACCOUNT).order_by(_l.id.desc())
)


class Carriers:
    """Carriers by name or code, and levels by carrier and name."""

    def __init__(self, reader: Reader, making: Making) -> None:
        self._making = making
        self.carrier_of: dict[int, int] = {}
        """Whose each service level is."""
        self.name_of: dict[int, str] = {}
        self.level_name_of: dict[int, str] = {}
        self._code_of: dict[int, str] = {}
        self._by_name: ByName[int] = ByName()
        self._of_system: set[int] = set()
        self._by_code: dict[str, int] = {}
        self._levels: dict[int, ByName[int]] = {}
        self._deleted: set[int] = set()
        for key, name, code, is_system, deleted_at in reader.rows(_CARRIERS):
            self._know(key, name, None if code is None else CODES[code], is_deleted=deleted_at is not None)
            if is_system:
                self._of_system.add(key)
        for carrier, name, key in reader.rows(_LEVELS):
            self._know_level(carrier, name, key)

    def _know(self, key: int, name: str, code: str | None, *, is_deleted: bool) -> None:
        self.name_of[key] = name
        self._levels[key] = ByName()
        if code is not None:
            self._code_of[key] = code
        # Customers that have a deleted carrier keep it; no other customer gets it.
        if is_deleted:
            self._deleted.add(key)
            return
        self._by_name.put(name, key)
        if code is not None:
            # Of several with one code, the oldest.
            self._by_code[code] = key

    def names(self) -> list[str]:
        """List the carriers of the book that a customer can get."""
        return [name for key, name in self.name_of.items() if key > 0 and key not in self._deleted]

    def level_names(self, carrier: int) -> list[str]:
        """List the levels that a carrier has in the book."""
        return [
            name for key, name in self.level_name_of.items() if key > 0 and self.carrier_of[key] == carrier
        ]

    def key_of(self, name: str, current: int | None) -> int:
        """Return the carrier of this name or code: the current one if it fits, a new one if none does."""
        if current is not None and name in (self.name_of[current], self._code_of.get(current)):
            return current
        folded = fold_case(name)
        found = self._by_name.get(name)
        if found is None and current is not None and folded == fold_case(self.name_of[current]):
            return current
        found = found or self._by_code.get(folded)
        return found or self._add(name, folded if folded in CODES else None)

    def level_of(self, carrier: int, name: str) -> int:
        """Return the carrier's level of this name, a new one where there is none and may be one."""
        level = self._levels[carrier].get(name)
        if level is not None:
            return level
        if carrier in self._deleted:
            reason = f"is no service level of {self.name_of[carrier]}, which was deleted and gets no new ones"
            raise Refusal("service_level", name, reason)
        if carrier in self._of_system:
            self._refuse_level_of_another(carrier, name)
        return self._add_level(carrier, name)

    def _refuse_level_of_another(self, carrier: int, name: str) -> None:
        """Refuse what is likely a mistake: the system's carriers have levels of their own."""
        for other, levels in self._levels.items():
            if levels.get(name) is not None:
                raise Refusal(
                    "service_level",
                    name,
                    f"is a service level of {self.name_of[other]}, not of "
                    f"{self.name_of[carrier]}, which has {', '.join(self._levels[carrier].names())}",
                )

    def _know_level(self, carrier: int, name: str, key: int) -> None:
        self._levels[carrier].put(name, key)
        self.carrier_of[key] = carrier
        self.level_name_of[key] = name

    def _add(self, name: str, code: str | None) -> int:
        place = None if code is None else CODES.index(code)
        key = self._making.make(
            "carriers",
            name,
            0,
            lambda writer: carriers.acts.add(writer, carriers.CREATE.new(name=name, code=place)),
        )
        self._know(key, name, code, is_deleted=False)
        return key

    def _add_level(self, carrier: int, name: str) -> int:
        key = self._making.make(
            "service_levels",
            name,
            carrier,
            lambda writer: service_levels.add(writer, carrier, service_levels.CREATE.new(name=name)),
        )
        self._know_level(carrier, name, key)
        return key
