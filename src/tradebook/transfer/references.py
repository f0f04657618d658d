"""What a record names becomes the keys of the book's rows: type, groups, carrier, level, terms, sales rep."""

from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tradebook.resources.payment_terms import payment_terms
from tradebook.resources.shipping_terms import shipping_terms
from tradebook.storage.database import Writer
from tradebook.transfer.carrier_names import Carriers
from tradebook.transfer.checking import Record
from tradebook.transfer.names import PRICING_GROUP, TYPE_GROUP, Groups, Refusal, SalesReps, Terms
from tradebook.transfer.row_keys import RowKeys

Values = dict[str, Any]


class References:
    """The account's names, read once; `made` counts what a file had and the account did not."""

    def __init__(self, writer: Writer, keys: RowKeys) -> None:
        self.made: Counter[str] = Counter()
        self._groups = Groups(writer, keys, self.made)
        self._carriers = Carriers(writer, keys, self.made)
        self._payment_terms = Terms(writer, keys, self.made, payment_terms)
        self._shipping_terms = Terms(writer, keys, self.made, shipping_terms)
        self._reps = SalesReps(writer, keys, self.made)

    def columns(self, record: Record, known: Mapping[str, Any]) -> Values:
        """Return the columns of the customer that the record's names decide; refusals go to the record."""
        own, found = record.own, Values()
        if own.get("type") is not None:
            _try(record, lambda: found.update(type_id=self._groups.key_of(own["type"], TYPE_GROUP, "type")))
        elif "type" in own:
            found["type_id"] = None
        for column, terms in (
            ("payment_term", self._payment_terms),
            ("shipping_term", self._shipping_terms),
        ):
            if column in own:
                name = own[column]
                found[f"{column}_id"] = None if name is None else terms.key_of(name)
        if "sales_rep_email" in own or "sales_rep_name" in own:
            found.update(self._sales_rep(own, known))
        if "carrier" in own or "service_level" in own:
            _try(record, lambda: found.update(self._carrier_and_level(own, known)))
        return found

    def price_groups(self, record: Record) -> list[int] | None:
        """Return the pricing groups that the record names, none where it clears them; None: they stay."""
        if "price_groups" not in record.own:
            return None
        groups: list[int] = []
        for name in record.own["price_groups"] or ():
            _try(record, partial(self._add_price_group, groups, name))
        return groups

    def _add_price_group(self, groups: list[int], name: str) -> None:
        groups.append(self._groups.key_of(name, PRICING_GROUP, "price_groups"))

    def _sales_rep(self, own: Values, known: Mapping[str, Any]) -> Values:
        current, name = known["sales_rep_id"], own.get("sales_rep_name")
        if "sales_rep_email" not in own and current is not None and self._reps.name_of(current) == name:
            return {}
        return {"sales_rep_id": self._reps.key_of(own.get("sales_rep_email"), name, current)}

    def _carrier_and_level(self, own: Values, known: Mapping[str, Any]) -> Values:
        carrier, level = known["carrier_id"], known["service_level_id"]
        if "carrier" in own:
            name = own["carrier"]
            carrier = None if name is None else self._carriers.key_of(name, carrier)
        if "service_level" in own:
            level = self._level(carrier, own["service_level"])
        elif level is not None and carrier != known["carrier_id"]:
            reason = "leaves the customer's service level with another carrier: give service_level too"
            raise Refusal("carrier", own["carrier"], reason)
        return {"carrier_id": carrier, "service_level_id": level}

    def _level(self, carrier: int | None, name: str | None) -> int | None:
        if name is None:
            return None
        if carrier is None:
            raise Refusal("service_level", name, "needs a carrier, and the customer has none")
        return self._carriers.level_of(carrier, name)


def _try(record: Record, resolve: Callable[[], Any]) -> None:
    try:
        resolve()
    except Refusal as refusal:
        record.refuse(refusal.column, refusal.value, refusal.reason)
