"""Planned rows written to the book, some at a time, each time decided again against the book of now.

Between two steps nothing has to be remembered: what is there already is found by its number or by the names
that it has, as at the first time.
"""

from collections import Counter
from collections.abc import Container, Iterable, Sequence
from typing import NamedTuple

from tradebook.clock import now_ms
from tradebook.crud.records import Values
from tradebook.resources import customers
from tradebook.resources.customers import INDEX, Numbering, add_customers, change_customers, review_parents
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import Finished, Writer
from tradebook.text import fold_case
from tradebook.transfer.imports.deciding import Batch, Decision
from tradebook.transfer.imports.making import Written
from tradebook.transfer.imports.matching import Matcher
from tradebook.transfer.imports.plan import PlannedRow, key_of
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.row_keys import RowKeys
from tradebook.transfer.rows import Match


def reserve_numbers(writer: Writer, largest: int) -> None:
    """Have automatic numbers continue after the largest that a plan brings, before its first step."""
    numbering = Numbering(writer)
    numbering.saw(str(largest))
    numbering.save()


class Step:
    """Writes planned rows within one transaction, in the order of the file.

    When all are written, those that wait for their parent are written again, with `is_last`. What somebody
    else did to the same customers since the plan was made counts as done before: one that was deleted is
    left out, one that is a new one's by now is changed: it has what rows are matched by.
    """

    def __init__(self, writer: Writer, match: Match) -> None:
        self._writer, self._match = writer, match
        self._keys = RowKeys(writer)
        self._numbering = Numbering(writer)
        made = Written(writer)
        self._references, self.made = References(writer, made), made.made
        self.counts: Counter[str] = Counter()
        self.without_parent: list[tuple[PlannedRow, str]] = []
        """Rows whose parent can't be theirs any more, and its number."""
        self.without_id: list[tuple[int, str]] = []
        """Lines whose id in another system is another customer's by now, and that system."""
        self._stale: set[int] = set()

    def write(self, rows: Sequence[PlannedRow], *, is_last: bool = False) -> None:
        """Write the rows that create or change a customer; the others are passed over."""
        wanted = _wanted(rows, is_last=is_last)
        while wanted:
            wanted = self._write_some(wanted, is_last=is_last)
        self._numbering.save()

    def _write_some(self, rows: list[PlannedRow], *, is_last: bool) -> list[PlannedRow]:
        """Write rows up to the first whose customer stands in one before; return the rest."""
        known = self._known(rows)
        batch = _Batch(self._writer, self._references, self._keys, rows, known, {})
        seen: set[int] = set()
        for place, (row, customer) in enumerate(zip(rows, known, strict=True)):
            if customer is not None:
                if customer["id"] in seen:
                    self._finish(batch)
                    return rows[place:]
                seen.add(customer["id"])
            self._decide(batch, row, customer, is_last=is_last)
        self._finish(batch)
        return []

    def look_ahead(self, parts: Iterable[Sequence[PlannedRow]]) -> list["Ahead"]:
        """Decide what the next step is to write if nobody else writes before, and have it indexed meanwhile.

        It goes as far as all rows make new customers: of these nothing hangs on what was not written yet, but
        for the numbers of their parents, which are remembered.
        """
        found: list[Ahead] = []
        numbers: dict[str, Values] = {}
        for rows in parts:
            wanted = _wanted(rows, is_last=False)
            if not all(map(_is_new, wanted)):
                break
            known = self._known(wanted)
            if any(customer is not None for customer in known):
                break
            batch = _Batch(self._writer, self._references, self._keys, wanted, known, numbers)
            for row in wanted:
                self._decide(batch, row, None, is_last=False)
            self._number(batch)
            found.append(Ahead(rows, batch))
        for each in found:
            each.batch.finish_ahead(self._writer)
        reviewed = {key for each in found for key in each.batch.reviewed}
        for each in found:
            each.batch.index_ahead(self._writer, reviewed)
        return found

    def write_ahead(self, ahead: "Ahead") -> None:
        """Write what the step before has decided."""
        batch = ahead.batch
        self._finish(batch)
        self._numbering.save()

    def end(self) -> None:
        """Index what changed of customers after they were."""
        if self._stale:
            self._writer.reindex(INDEX, sorted(self._stale))

    def _known(self, rows: list[PlannedRow]) -> list[Values | None]:
        """Return the customers of now: of a change by its id, of a new one by what rows are matched by."""
        by_key = customer_records.find_all(self._writer, [key_of(row) for row in rows if not _is_new(row)])
        there = iter(self._there_by_now([row.record for row in rows if _is_new(row) and row.record]))
        return [next(there) if _is_new(row) else by_key.get(key_of(row)) for row in rows]

    def _there_by_now(self, records: Sequence[CheckedRow]) -> list[Values | None]:
        if self._match.by == ("number",):
            numbers = [record.own.get("number", "") for record in records]
            known = customer_records.find_by(self._writer, "number", filter(None, numbers))
            return [known.get(number) for number in numbers]
        matcher = Matcher(self._writer, self._match)
        try:
            return [matched.known for matched in matcher.match(records)]
        finally:
            matcher.close()

    def _decide(self, batch: "_Batch", row: PlannedRow, customer: Values | None, *, is_last: bool) -> None:
        batch.waits, batch.lacks_parent = row.waits, None
        if customer is None and not _is_new(row):
            batch.counts["skipped"] += 1
            return
        assert row.record is not None
        decision = batch.decide(
            row.record, customer, keeps_number=_is_new(row) or "number" not in row.changes
        )
        if batch.lacks_parent is not None and (is_last or not row.waits):
            batch.without_parent.append((row, batch.lacks_parent))
        if decision is None:
            batch.counts["skipped"] += 1
            return
        if decision.rep_name is not None:
            self._references.reps.rename(decision.after["sales_rep_id"], decision.rep_name)
        batch.counts[decision.outcome] += 1
        batch.take(decision, row.line)

    def _finish(self, batch: "_Batch") -> None:
        self._number(batch)
        self._stale |= batch.write(self._writer)
        self.counts += batch.counts
        self.without_parent += batch.without_parent
        self.without_id += batch.without_id

    def _number(self, batch: "_Batch") -> None:
        """Give numbers to new customers that have none."""
        for row in batch.rows():
            if row["number"] is not None:
                self._numbering.saw(row["number"])
        unnumbered = [row for row in batch.created if row["number"] is None]
        for row, number in zip(unnumbered, self._numbering.next(len(unnumbered)), strict=True):
            row["number"] = number


def _wanted(rows: Sequence[PlannedRow], *, is_last: bool) -> list[PlannedRow]:
    """Choose the rows that are written now."""
    return [
        row for row in rows if row.record is not None and (row.waits if is_last else not _has_to_wait(row))
    ]


def _own(row: PlannedRow) -> Values:
    assert row.record is not None
    return row.record.own


def _is_new(row: PlannedRow) -> bool:
    return row.outcome == "created"


def _has_to_wait(row: PlannedRow) -> bool:
    """Tell whether a row can be written only once: without a number it would not be found again."""
    return row.waits and _is_new(row) and "number" not in _own(row)


class _Batch(Batch):
    """A batch that is written."""

    def __init__(
        self,
        writer: Writer,
        references: References,
        keys: RowKeys,
        rows: Sequence[PlannedRow],
        known: Sequence[Values | None],
        numbers: dict[str, Values],
    ) -> None:
        """`numbers` are those of new customers before these rows that are not written yet."""
        super().__init__(writer, references, [row.record for row in rows if row.record is not None], known)
        self._keys, self._own_numbers = keys, numbers
        self.counts: Counter[str] = Counter()
        self.without_parent: list[tuple[PlannedRow, str]] = []
        self.created: list[Values] = []
        self._changed: list[Decision] = []
        self._groups: dict[int, set[int]] = {}
        self._ids: dict[int, dict[str, str | None]] = {}
        self._lines: dict[int, int] = {}
        self.without_id: list[tuple[int, str]] = []
        self.reviewed: set[int] = set()
        """The parents from now on, and those so far, of customers that get another one."""
        self._indexed: set[int] = set()
        """The new customers whose entries were made ahead."""
        self._is_finished_ahead = self._has_taken = False
        self._finished: Sequence[Finished] | None = None
        self.waits = False
        """Whether the row that is decided gets its parent only when all others are written."""
        self.lacks_parent: str | None = None
        """The parent that this row wants, and that can't be its parent, or not yet."""
        keys.look_up(
            row.record.own["created_at"]
            for row, customer in zip(rows, known, strict=True)
            if customer is None and row.record is not None and "created_at" in row.record.own
        )
        wanted = {number for row in rows if (number := _own(row).get("parent_number")) is not None}
        self._parents = customer_records.find_by(writer, "number", wanted)

    def key_of_new(self, record: CheckedRow) -> int:
        created_at = record.own.get("created_at")
        return self._keys.now() if created_at is None else self._keys.created_at(created_at)

    def take_parent(self, decision: Decision, wanted: str | None) -> None:
        """Give a customer another parent; a later step does it where that can't be yet, or nobody."""
        after = decision.after
        had = after["parent_id"]
        parent = None if wanted is None else self._parent_to_be(after, wanted)
        self.lacks_parent = wanted if parent is None else None
        if self.lacks_parent is not None and not self.waits:
            return
        # Who waits leaves its parent at once: that one may wait for it, to become a child.
        after["parent_id"] = None if parent is None else parent["id"]
        self.reviewed |= {key for key in (had, after["parent_id"]) if key is not None}

    def _parent_to_be(self, child: Values, number: str) -> Values | None:
        parent = self._own_numbers.get(fold_case(number)) or self._parents.get(number)
        if parent is None or parent["id"] == child["id"]:
            return None
        return None if parent["parent_id"] is not None or child["is_parent"] else parent

    def take(self, decision: Decision, line: int) -> None:
        """Take note of what is to be written."""
        after = decision.after
        if decision.external_ids:
            self._ids[decision.key] = {name: new for name, (_, new) in decision.external_ids.items()}
            self._lines[decision.key] = line
        if decision.before is None:
            after["updated_at"] = now_ms()
            self.created.append(after)
            self._groups[decision.key] = decision.groups or set()
            if after["number"] is not None:
                self._own_numbers[fold_case(after["number"])] = after
        elif decision.outcome == "updated":
            self._changed.append(decision)

    def rows(self) -> list[Values]:
        """List the customers' rows as they are to be."""
        return [*self.created, *(each.after for each in self._changed)]

    def index_ahead(self, writer: Writer, reviewed: Container[int]) -> None:
        """Have the new customers indexed before they are written, but for those that become parents."""
        self.addresses.index_ahead(writer)
        new = [row for row in self.created if row["id"] not in reviewed]
        groups = {row["id"]: [{"group_id": key} for key in self._groups[row["id"]]] for row in new}
        at_hand = ({row["id"]: [row] for row in new}, self.addresses.places_of(self.created), groups)
        if writer.index_ahead(INDEX, at_hand):
            self._indexed = {row["id"] for row in new}

    def finish_ahead(self, writer: Writer) -> None:
        """Have the JSON of the new rows made before they are written."""
        self.addresses.finish_ahead(writer)
        self._is_finished_ahead = customer_records.finish_ahead(writer, self.created)

    def take_finished(self, writer: Writer) -> None:
        """Take up the JSON that was made ahead; once, as what comes after it was asked for later."""
        if not self._has_taken:
            self._has_taken = True
            self.addresses.take_finished(writer)
            if self._is_finished_ahead:
                self._finished = writer.take_finished()

    def write(self, writer: Writer) -> set[int]:
        """Write everything, in the order in which rows refer to each other; returns what is to be indexed."""
        places = self.addresses.rows
        self.addresses.write_new(writer)
        add_customers(writer, self.created, price_groups=self._groups, places=places, finished=self._finished)
        change_customers(
            writer,
            [(each.before, each.after) for each in self._changed if each.before is not None],
            price_groups={each.key: each.groups for each in self._changed if each.groups is not None},
            had_groups=self.groups_of,
            places=places,
        )
        self._write_ids(writer)
        self.addresses.write_attached(writer)
        self.addresses.write_changed(writer)
        touched = {row["id"] for row in self.rows()}
        touched.update(review_parents(writer, self.reviewed))
        if self._indexed:
            writer.take_indexed(INDEX)
            return touched - self._indexed
        new = {row["id"]: [row] for row in self.created if row["id"] not in self.reviewed}
        writer.reindex(INDEX, sorted(touched), [new])
        return set()

    def _write_ids(self, writer: Writer) -> None:
        """Write the ids in other systems, but for those that somebody else has given meanwhile."""
        for key, names in customers.external_ids.taken(writer, self._ids).items():
            for name in names:
                del self._ids[key][name]
                self.without_id.append((self._lines[key], name))
        customers.external_ids.set_external_ids(writer, self._ids, had=self.ids_of)


class Ahead(NamedTuple):
    """Some rows, and what was decided of them by the step before the one that writes them."""

    rows: Sequence[PlannedRow]
    batch: _Batch
