"""Turns the names in a record into keys: of type, groups, carrier, level, terms and sales rep."""

from collections.abc import Callable, Mapping
from typing import Any

from tradebook.resources import payment_terms, shipping_terms
from tradebook.resources.service_levels import go_together
from tradebook.storage.database import Reader
from tradebook.transfer.imports.carriers import Carriers
from tradebook.transfer.imports.making import Making
from tradebook.transfer.imports.names import PRICING_GROUP, TYPE_GROUP, Groups, Refusal, SalesReps, Terms
from tradebook.transfer.imports.records import CheckedRow

Values = dict[str, Any]


class References:
    """The account's names, read once; `making` gets those that a file has and the account has not."""

    def __init__(self, reader: Reader, making: Making) -> None:
        self.groups = Groups(reader, making)
        self.carriers = Carriers(reader, making)
        self.payment_terms = Terms(
            *(reader, making, payment_terms.records, payment_terms.CREATE, payment_terms.acts.add),
            "payment_terms",
        )
        self.shipping_terms = Terms(
            *(reader, making, shipping_terms.records, shipping_terms.CREATE, shipping_terms.add),
            "shipping_terms",
        )
        self.reps = SalesReps(reader, making)
        self.words: dict[str, Callable[[int], str | None]] = {
            "account_groups.name": self.groups.name_of.__getitem__,
            "carriers.name": self.carriers.name_of.__getitem__,
            "service_levels.name": self.carriers.level_name_of.__getitem__,
            "payment_terms.name": self.payment_terms.name_of.__getitem__,
            "shipping_terms.name": self.shipping_terms.name_of.__getitem__,
            "account_users.email": self.reps.email_of,
            "account_users.name": self.reps.name_of,
        }
        """The words of keys, by what a cell names: see `Cell.names`. None of these may hold this object."""

    def columns(self, record: CheckedRow, known: Mapping[str, Any]) -> Values:
        """Return the customer's columns that the record gives by name; refusals go to the record."""
        found = Values()
        resolvers = (self._type, self._terms, self._sales_rep, self._carrier_and_level)
        for resolve in resolvers[:3] if "carrier" in record.refused else resolvers:
            try:
                resolve(record.own, known, found)
            except Refusal as refusal:
                record.refuse(refusal.column, refusal.value, refusal.reason)
        return found

    def price_groups(self, record: CheckedRow) -> list[int] | None:
        """Return the pricing groups that the record names: empty if it clears them, None if they stay."""
        if "price_groups" not in record.own:
            return None
        groups: list[int] = []
        for name in record.own["price_groups"] or ():
            try:
                groups.append(self.groups.key_of(name, PRICING_GROUP, "price_groups"))
            except Refusal as refusal:
                record.refuse(refusal.column, refusal.value, refusal.reason)
        return groups

    def new_name_of(self, record: CheckedRow, rep: int | None) -> str | None:
        """Return the name that the record gives a rep that has another one; None if it gives none.

        Without an e-mail the name is what the rep is meant by.
        """
        name = record.own.get("sales_rep_name")
        if rep is None or name is None or record.own.get("sales_rep_email") is None:
            return None
        return None if self.reps.known[rep][1] == name else str(name)

    def _type(self, own: Values, _known: Mapping[str, Any], found: Values) -> None:
        if "type" in own:
            name = own["type"]
            found["type_id"] = None if name is None else self.groups.key_of(name, TYPE_GROUP, "type")

    def _terms(self, own: Values, _known: Mapping[str, Any], found: Values) -> None:
        if "payment_term" in own:
            name = own["payment_term"]
            found["payment_term_id"] = None if name is None else self.payment_terms.key_of(name)
        if "shipping_term" in own:
            name = own["shipping_term"]
            found["shipping_term_id"] = None if name is None else self.shipping_terms.key_of(name)

    def _sales_rep(self, own: Values, known: Mapping[str, Any], found: Values) -> None:
        if "sales_rep_email" not in own and "sales_rep_name" not in own:
            return
        current, name = known["sales_rep_id"], own.get("sales_rep_name")
        if "sales_rep_email" not in own and current is not None and self.reps.known[current][1] == name:
            return
        found["sales_rep_id"] = self.reps.key_of(own.get("sales_rep_email"), name, current)

    def _carrier_and_level(self, own: Values, known: Mapping[str, Any], found: Values) -> None:
        if "carrier" not in own and "service_level" not in own:
            return
        carrier, level = known["carrier_id"], known["service_level_id"]
        if "carrier" in own:
            name = own["carrier"]
            carrier = None if name is None else self.carriers.key_of(name, carrier)
        if "service_level" in own:
            level = self._level(carrier, own["service_level"])
        elif not go_together(carrier, level, self.carriers.carrier_of):
            reason = "leaves the customer's service level with another carrier: give service_level too"
            raise Refusal("carrier", own["carrier"], reason)
        found.update(carrier_id=carrier, service_level_id=level)

    def _level(self, carrier: int | None, name: str | None) -> int | None:
        if name is None:
            return None
        if carrier is None:
            raise Refusal("service_level", name, "needs a carrier, and the customer has none")
        return self.carriers.level_of(carrier, name)
