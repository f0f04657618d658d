"""Whom a new customer resembles: one whose number only looks different, or who has its e-mail."""

import unicodedata
from collections.abc import Iterable, Sequence

from tradebook.crud.records import Values
from tradebook.ids import encode_id
from tradebook.resources import customers
from tradebook.resources.import_shapes import ImportDoubt, ImportResembled
from tradebook.storage.database import Reader
from tradebook.text import fold_case, shortened
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.rows import VALUE_SHOWN_MAX


class Resembled:
    """Whom a row resembles."""

    def __init__(self) -> None:
        self.warnings: list[ImportDoubt] = []
        self.nearest: Values | None = None
        """The customer that it resembles most."""

    def note(self, customer: Values, warning: ImportDoubt) -> None:
        """Note a customer that it resembles; the first one is the nearest."""
        self.nearest = self.nearest or customer
        self.warnings.append(warning)

    @property
    def has_number_like_another(self) -> bool:
        """Whether its number looks like that of a customer of the book."""
        return any(warning.column == "number" for warning in self.warnings)


class Resemblance:
    """Looks up whom the new customers of some rows resemble."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def of(
        self, records: Sequence[CheckedRow], known: Sequence[Values | None], is_new: Sequence[bool]
    ) -> list["Resembled"]:
        """Return for each row whom it resembles, and the warnings of that."""
        numbers, emails = {}, {}
        for place, record in enumerate(records):
            number, email = record.own.get("number"), record.own.get("email")
            if number is not None and _is_another(number, known[place]) and "number" not in record.refused:
                numbers[place] = customers.likeness.plainest(number)
            if email is not None and is_new[place]:
                emails[place] = fold_case(email)
        alike = customers.recognising.resembling(self._reader, numbers.values())
        having = customers.recognising.keys_by(self._reader, "email", emails.values())
        rows = customers.records.find_all(
            self._reader, {key for found in (alike, having) for keys in found.values() for key in keys}
        )
        resembled = [Resembled() for _ in records]
        for place, plain in numbers.items():
            found = alike.get(plain)
            if found:
                other = rows[found[0]]
                resembled[place].note(other, _of_number(records[place], other, known[place]))
            elif customers.likeness.UNSEEN.search(records[place].own["number"]):
                reason = "has characters that nobody sees: nobody finds a customer by it"
                resembled[place].warnings.append(_doubt(records[place], "number", reason, None))
        for place, folded in emails.items():
            for key in having.get(folded, [])[:1]:
                resembled[place].note(rows[key], _of_email(records[place], rows[key]))
        return resembled


def _is_another(number: str, known: Values | None) -> bool:
    return known is None or fold_case(number) != fold_case(known["number"])


def _of_number(record: CheckedRow, other: Values, known: Values | None) -> ImportDoubt:
    number = record.own["number"]
    reason = f"looks like {named(other)}, from which it differs by {difference(number, other['number'])}"
    if known is None:
        reason += ": this row would make a second customer"
    elif known["id"] == other["id"]:
        reason += ": this row would change the customer's number"
    return _doubt(record, "number", reason, other)


def _of_email(record: CheckedRow, other: Values) -> ImportDoubt:
    reason = (
        f"is the e-mail of {named(other)}, and this row would make a second customer: "
        "match by e-mail (--match email) if they are one"
    )
    return _doubt(record, "email", reason, other)


def _doubt(record: CheckedRow, column: str, reason: str, other: Values | None) -> ImportDoubt:
    customer = (
        None
        if other is None
        else ImportResembled(encode_id(customers.ID_PREFIX, other["id"]), other["number"])
    )
    value = shortened(record.own[column], VALUE_SHOWN_MAX)
    return ImportDoubt(record.line, column, value, reason, customer, needs_yes=True)


def nearest_of(reader: Reader, numbers: Iterable[str]) -> dict[str, Values]:
    """Return the customers whose numbers only look different from some that nobody has."""
    plain = {number: customers.likeness.plainest(number) for number in numbers}
    found = customers.recognising.resembling(reader, plain.values()) if plain else {}
    rows = customers.records.find_all(reader, {keys[0] for keys in found.values()})
    return {number: rows[found[form][0]] for number, form in plain.items() if form in found}


def did_you_mean(customer: Values | None) -> str:
    """Name the customer that somebody may have meant, as the end of a sentence."""
    return "" if customer is None else f". Did you mean {named(customer)}?"


def named(customer: Values) -> str:
    """Name a customer in a sentence."""
    return f"{shortened(customer['number'])} ({shortened(customer['name'])})"


def difference(one: str, other: str) -> str:
    """Say by what two numbers differ that look alike."""
    both = (one, other)
    seen = [customers.likeness.UNSEEN.sub("", number) for number in both]
    narrow = [unicodedata.normalize("NFKC", number) for number in seen]
    whole = [customers.likeness.without_decimals(number) for number in narrow]
    zeros = [len(number) - len(number.lstrip("0")) for number in whole]
    differs = {
        "characters that nobody sees": seen != list(both),
        "full-width characters": narrow != seen,
        "a .0 at the end": whole != narrow,
        "leading zeros": zeros[0] != zeros[1],
    }
    return " and ".join(word for word, is_so in differs.items() if is_so)
