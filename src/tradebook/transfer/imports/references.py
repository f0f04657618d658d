"""Turns the names in a record into keys: of type, groups, carrier, level, terms and sales rep."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from tradebook.resources import payment_terms, shipping_terms
from tradebook.resources.service_levels import go_together
from tradebook.storage.database import Writer
from tradebook.transfer.imports.carriers import Carriers
from tradebook.transfer.imports.names import PRICING_GROUP, TYPE_GROUP, Groups, Refusal, SalesReps, Terms
from tradebook.transfer.imports.records import CheckedRow

Values = dict[str, Any]


class References:
    """The account's names, read once; `made` counts what a file had and the account did not."""

    def __init__(self, writer: Writer) -> None:
        self.made: Counter[str] = Counter()
        self._groups = Groups(writer, self.made)
        self._carriers = Carriers(writer, self.made)
        self._payment_terms = Terms(
            writer, self.made, payment_terms.records, payment_terms.CREATE, payment_terms.acts.add
        )
        self._shipping_terms = Terms(
            writer, self.made, shipping_terms.records, shipping_terms.CREATE, shipping_terms.add
        )
        self._reps = SalesReps(writer, self.made)

    def columns(self, record: CheckedRow, known: Mapping[str, Any]) -> Values:
        """Return the customer's columns that the record gives by name; refusals go to the record."""
        found = Values()
        for resolve in (self._type, self._terms, self._sales_rep, self._carrier_and_level):
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
                groups.append(self._groups.key_of(name, PRICING_GROUP, "price_groups"))
            except Refusal as refusal:
                record.refuse(refusal.column, refusal.value, refusal.reason)
        return groups

    def _type(self, own: Values, _known: Mapping[str, Any], found: Values) -> None:
        if "type" in own:
            name = own["type"]
            found["type_id"] = None if name is None else self._groups.key_of(name, TYPE_GROUP, "type")

    def _terms(self, own: Values, _known: Mapping[str, Any], found: Values) -> None:
        if "payment_term" in own:
            name = own["payment_term"]
            found["payment_term_id"] = None if name is None else self._payment_terms.key_of(name)
        if "shipping_term" in own:
            name = own["shipping_term"]
            found["shipping_term_id"] = None if name is None else self._shipping_terms.key_of(name)

    def _sales_rep(self, own: Values, known: Mapping[str, Any], found: Values) -> None:
        if "sales_rep_email" not in own and "sales_rep_name" not in own:
            return
        current, name = known["sales_rep_id"], own.get("sales_rep_name")
        if "sales_rep_email" not in own and current is not None and self._reps.name_of(current) == name:
            return
        found["sales_rep_id"] = self._reps.key_of(own.get("sales_rep_email"), name, current)

    def _carrier_and_level(self, own: Values, known: Mapping[str, Any], found: Values) -> None:
        if "carrier" not in own and "service_level" not in own:
            return
        carrier, level = known["carrier_id"], known["service_level_id"]
        if "carrier" in own:
            name = own["carrier"]
            carrier = None if name is None else self._carriers.key_of(name, carrier)
        if "service_level" in own:
            level = self._level(carrier, own["service_level"])
        elif not go_together(carrier, level, self._carriers.carrier_of):
            reason = "leaves the customer's service level with another carrier: give service_level too"
            raise Refusal("carrier", own["carrier"], reason)
        found.update(carrier_id=carrier, service_level_id=level)

    def _level(self, carrier: int | None, name: str | None) -> int | None:
        if name is None:
            return None
        if carrier is None:
            raise Refusal("service_level", name, "needs a carrier, and the customer has none")
        return self._carriers.level_of(carrier, name)
