"""Which customer a row is about: found by what identifies it, a thousand rows at once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from tradebook.crud.records import Values
from tradebook.resources import customers
from tradebook.resources.import_shapes import ImportDoubt
from tradebook.storage.database import Reader
from tradebook.text import fold_case
from tradebook.transfer.columns import EXTERNAL_IDS
from tradebook.transfer.imports.mentions import Late, Mentions, word_of
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.resemblance import Resemblance, Resembled, did_you_mean, named
from tradebook.transfer.rows import Match, Row

_BY: dict[str, customers.recognising.By] = {"email": "email", "phone": "phone"}


class Matched(NamedTuple):
    """What was found for one row."""

    known: Values | None = None
    """The row of the customer in the book; None where there is none: a new one."""
    by: str | None = None
    """The column that decided; None where the row has none of them."""
    warnings: Sequence[ImportDoubt] = ()
    """Whom a new customer resembles. They count if the row is taken in."""


class Sought(NamedTuple):
    """What a row says which customer it is by."""

    column: str
    text: str
    folded: str
    """What is compared of the text."""


class Matcher:
    """Finds the customers of all rows of a file.

    What is wrong goes to the record's problems. What two rows have in common shows only at the end of the
    file: `settle` tells it, and `close` lets go of the temporary files.
    """

    def __init__(self, reader: Reader, match: Match) -> None:
        self._reader, self._match = reader, match
        self._resemblance = Resemblance(reader)
        self._mentions = Mentions(match.by)

    def match(self, records: Sequence[CheckedRow]) -> list[Matched]:
        """Find the customer of each record: joined ones come in one record."""
        sought = [_sought(record, self._match) for record in records]
        found = self._find([each for each in sought if each is not None])
        known: list[Values | None] = []
        for record, each in zip(records, sought, strict=True):
            meant = [] if each is None else found.get(each[:2], [])
            if len(meant) > 1:
                assert each is not None
                record.refuse(each.column, each.text, _several(each.column, meant))
            record.is_undecided = bool(record.refused) and any(by in record.refused for by in self._match.by)
            known.append(meant[0] if len(meant) == 1 else None)
        self._refuse_what_others_have(records, known, sought)
        # A row that several customers could be meant by is no new one.
        is_new = [
            customer is None and (each is None or each[:2] not in found)
            for customer, each in zip(known, sought, strict=True)
        ]
        resembled = self._resemblance.of(records, known, is_new)
        columns = [each and each.column for each in sought]
        for place, record in enumerate(records):
            self._check_write(record, sought[place], known[place], resembled[place])
            is_told = resembled[place].has_number_like_another
            self._mentions.note(
                record, known[place], columns[place], is_new=is_new[place], number_is_told=is_told
            )
        return [
            Matched(customer, column, found.warnings)
            for customer, column, found in zip(known, columns, resembled, strict=True)
        ]

    def settle(self) -> Iterator[Late]:
        """Tell what rows of the file have in common that they mustn't, and the warnings of that kind."""
        return self._mentions.settle()

    def close(self) -> None:
        """Let go of the temporary files."""
        self._mentions.close()

    def _find(self, sought: Sequence[Sought]) -> dict[tuple[str, str], list[Values]]:
        """Return the customers of each column and text, several where it isn't unique."""
        keys: dict[tuple[str, str], list[int]] = {}
        rows: dict[int, Values] = {}
        asked: defaultdict[str, list[Sought]] = defaultdict(list)
        for each in sought:
            asked[each.column].append(each)
        for column, listed in asked.items():
            if column == "number":
                found = customers.records.find_by(self._reader, "number", [each.text for each in listed])
                rows |= {row["id"]: row for row in found.values()}
                keys |= {(column, text): [row["id"]] for text, row in found.items()}
            else:
                of_folded = self._keys_by(column, {each.folded for each in listed})
                keys |= {each[:2]: of_folded[each.folded] for each in listed if each.folded in of_folded}
        rows |= customers.records.find_all(
            self._reader, {key for listed in keys.values() for key in listed} - set(rows)
        )
        return {each: [rows[key] for key in listed] for each, listed in keys.items()}

    def _keys_by(self, column: str, folded: Iterable[str]) -> dict[str, list[int]]:
        if column in _BY:
            return customers.recognising.keys_by(self._reader, _BY[column], folded)
        name = column.removeprefix(EXTERNAL_IDS)
        return {
            value: [key] for value, key in customers.external_ids.find_by(self._reader, name, folded).items()
        }

    def _refuse_what_others_have(
        self, records: Sequence[CheckedRow], known: Sequence[Values | None], sought: Sequence[Sought | None]
    ) -> None:
        """Refuse a number, and ids, that a row gives its customer and another one has."""
        given: dict[str, list[tuple[CheckedRow, str, Values | None]]] = defaultdict(list)
        for record, customer, each in zip(records, known, sought, strict=True):
            decided = each and each.column
            if decided != "number" and (number := record.own.get("number")) is not None:
                given["number"].append((record, number, customer))
            for name, value in record.external_ids.items():
                if value is not None and decided != f"{EXTERNAL_IDS}{name}":
                    given[f"{EXTERNAL_IDS}{name}"].append((record, value, customer))
        for column, listed in given.items():
            owners = self._find([Sought(column, value, value) for _, value, _ in listed])
            for record, value, customer in listed:
                for owner in owners.get((column, value), []):
                    if (customer is None or owner["id"] != customer["id"]) and column not in record.refused:
                        record.refuse(column, value, f"is the {word_of(column)} of customer {named(owner)}")

    def _check_write(
        self,
        record: CheckedRow,
        sought: Sought | None,
        known: Values | None,
        resembled: Resembled,
    ) -> None:
        write = self._match.write
        if write == "both" or record.problems:
            return
        if write == "create":
            if known is not None and sought is not None:
                reason = f"is the {word_of(sought.column)} of customer {named(known)} already"
                record.refuse(sought.column, sought.text, f"{reason}, and this import only makes new ones")
        elif sought is None:
            columns = " or ".join(self._match.by)
            reason = f"is missing: this import only changes customers that are there, found by {columns}"
            record.require(self._match.by[0], reason)
        elif known is None:
            reason = f"is the {word_of(sought.column)} of no customer, and this import makes no new ones"
            record.refuse(sought.column, sought.text, reason + did_you_mean(resembled.nearest))
        # It makes no new customer, so what a new one needs is not missing.
        record.is_undecided = bool(record.problems)


def _several(column: str, meant: Sequence[Values]) -> str:
    listed = ", ".join(named(customer) for customer in meant)
    return f"is the {word_of(column)} of several customers, such as {listed}: match by what only one has"


def _sought(record: CheckedRow, match: Match) -> Sought | None:
    """Return what decides: the first column of the match that a row has."""
    for column in match.by:
        if column in record.refused:
            return None
        if column.startswith(EXTERNAL_IDS):
            text = record.external_ids.get(column.removeprefix(EXTERNAL_IDS))
        else:
            text = record.own.get(column)
        if text is not None and (folded := folded_by(column, text)) is not None:
            return Sought(column, text, folded)
    return None


def folded_by(column: str, text: str) -> str | None:
    """Return what is compared of a value of the match; None where nothing is left of it."""
    if column in _BY:
        return customers.recognising.folded_by(_BY[column], text)
    return fold_case(text) if column == "number" else text


def match_value(row: Row, match: Match) -> tuple[str, Any] | None:
    """Return the first column of the match that a row has, and its value as it is compared."""
    for column in match.by:
        value = row.values.get(column)
        folded = folded_by(column, value.strip()) if isinstance(value, str) else None
        if folded:
            return column, folded
    return None
