"""Planned rows written to the book, some at a time, each time decided again against the book of now.

Between two steps nothing has to be remembered: what is there already is found by its number or by the names
that it has, as at the first time.
"""

from collections import Counter
from collections.abc import Sequence

from tradebook.clock import now_ms
from tradebook.crud.records import Values
from tradebook.resources import customers
from tradebook.resources.customers import INDEX, Numbering, add_customers, change_customers, review_parents
from tradebook.resources.customers import records as customer_records
from tradebook.storage.database import Writer
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
        self._references = References(writer, Written(writer))
        self.counts: Counter[str] = Counter()
        self.without_parent: list[tuple[PlannedRow, str]] = []
        """Rows whose parent can't be theirs any more, and its number."""
        self.without_id: list[tuple[int, str]] = []
        """Lines whose id in another system is another customer's by now, and that system."""

    def write(self, rows: Sequence[PlannedRow], *, is_last: bool = False) -> None:
        """Write the rows that create or change a customer; the others are passed over."""
        wanted = [
            row
            for row in rows
            if row.record is not None and (row.waits if is_last else not _has_to_wait(row))
        ]
        while wanted:
            wanted = self._write_some(wanted, is_last=is_last)
        self._numbering.save()

    def _write_some(self, rows: list[PlannedRow], *, is_last: bool) -> list[PlannedRow]:
        """Write rows up to the first whose customer stands in one before; return the rest."""
        known = self._known(rows)
        batch = _Batch(self._writer, self._references, self._keys, rows, known)
        seen: set[int] = set()
        for place, (row, customer) in enumerate(zip(rows, known, strict=True)):
            if customer is not None:
                if customer["id"] in seen:
                    self._finish(batch)
                    return rows[place:]
                seen.add(customer["id"])
            self._decide(batch, row, customer)
            if batch.lacks_parent is not None and (is_last or not row.waits):
                self.without_parent.append((row, batch.lacks_parent))
        self._finish(batch)
        return []

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

    def _decide(self, batch: "_Batch", row: PlannedRow, customer: Values | None) -> None:
        batch.waits, batch.lacks_parent = row.waits, None
        if customer is None and not _is_new(row):
            self.counts["skipped"] += 1
            return
        assert row.record is not None
        decision = batch.decide(
            row.record, customer, keeps_number=_is_new(row) or "number" not in row.changes
        )
        if decision is None:
            self.counts["skipped"] += 1
            return
        if decision.rep_name is not None:
            self._references.reps.rename(decision.after["sales_rep_id"], decision.rep_name)
        self.counts[decision.outcome] += 1
        batch.take(decision, row.line)

    def _finish(self, batch: "_Batch") -> None:
        for row in batch.rows():
            if row["number"] is not None:
                self._numbering.saw(row["number"])
        unnumbered = [row for row in batch.created if row["number"] is None]
        for row, number in zip(unnumbered, self._numbering.next(len(unnumbered)), strict=True):
            row["number"] = number
        batch.write()
        self.without_id += batch.without_id


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
    ) -> None:
        super().__init__(writer, references, [row.record for row in rows if row.record is not None], known)
        self._writer, self._keys = writer, keys
        self.created: list[Values] = []
        self._changed: list[Decision] = []
        self._groups: dict[int, set[int]] = {}
        self._ids: dict[int, dict[str, str | None]] = {}
        self._lines: dict[int, int] = {}
        self.without_id: list[tuple[int, str]] = []
        self._reviewed: set[int] = set()
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
        self._own_numbers: dict[str, Values] = {}

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
        self._reviewed |= {key for key in (had, after["parent_id"]) if key is not None}

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

    def write(self) -> None:
        """Write everything, in the order in which rows refer to each other."""
        writer, places = self._writer, self.addresses.rows
        self.addresses.write_new(writer)
        add_customers(writer, self.created, price_groups=self._groups, places=places)
        change_customers(
            writer,
            [(each.before, each.after) for each in self._changed if each.before is not None],
            price_groups={each.key: each.groups for each in self._changed if each.groups is not None},
            had_groups=self.groups_of,
            places=places,
        )
        self._write_ids()
        self.addresses.write_attached(writer)
        self.addresses.write_changed(writer)
        touched = {row["id"] for row in self.rows()}
        touched.update(review_parents(writer, self._reviewed))
        new = {row["id"]: row for row in self.created if row["id"] not in self._reviewed}
        writer.reindex(INDEX, sorted(touched), new)

    def _write_ids(self) -> None:
        """Write the ids in other systems, but for those that somebody else has given meanwhile."""
        for key, names in customers.external_ids.taken(self._writer, self._ids).items():
            for name in names:
                del self._ids[key][name]
                self.without_id.append((self._lines[key], name))
        customers.external_ids.set_external_ids(self._writer, self._ids, had=self.ids_of)
