"""Plans an import: every row of a file looked at against one snapshot of the book, and nothing written.

What must be remembered of each row goes to temporary files, so memory is flat however long the file is. Some
problems show only when all rows are read: they find their way back to their rows by the rows' places.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from tradebook.ids import encode_id
from tradebook.resources.customers import ID_PREFIX
from tradebook.resources.customers import records as customer_records
from tradebook.crud.records import Values
from tradebook.storage.database import ROWS_AT_ONCE, Reader
from tradebook.transfer.imports.changes import Words
from tradebook.transfer.imports.deciding import Batch, Decision
from tradebook.transfer.imports.making import Foreseen
from tradebook.transfer.imports.parents import NOBODY, Families, key_of_place
from tradebook.transfer.imports.plan import PlanCustomer
from tradebook.transfer.imports.planned import KeptPlan, KeptRow, Late
from tradebook.transfer.imports.records import CheckedRow, check_row
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.seen import version_seen
from tradebook.transfer.imports.spill import chunks_of
from tradebook.transfer.imports.summary import RowWarning
from tradebook.transfer.rows import Match, Problem, Recognised, Row, Skipping

Progress = Callable[[int], None]


def plan_customers(
    reader: Reader,
    rows: Iterable[Row | Problem],
    *,
    match: Match = Match(),
    keeps_empty: bool = False,
    keeps_raw: bool = False,
    theirs: dict[str, str] | None = None,
    skipping: Sequence[Skipping] = (),
    recognised: Recognised | None = None,
    progress: Progress | None = None,
) -> KeptPlan:
    """Look at every row of a file and decide what it would do. Close the plan in the end.

    A bare Problem among the rows is one of the file, and no row. `theirs` has what the file calls our
    columns, where it is another name. `keeps_raw` keeps of each row with a problem what the file has.
    """
    plan = KeptPlan(match, keeps_empty=keeps_empty, recognised=recognised or Recognised(), skipping=skipping)
    planner = _Planner(reader, plan, theirs or {}, keeps_raw=keeps_raw)
    try:
        for chunk in chunks_of(rows, ROWS_AT_ONCE):
            planner.take(chunk)
            if progress is not None:
                progress(planner.rows)
        planner.settle()
    except BaseException:
        plan.close()
        raise
    finally:
        planner.close()
    return plan


class _Planner:
    def __init__(self, reader: Reader, plan: KeptPlan, theirs: dict[str, str], *, keeps_raw: bool) -> None:
        self._reader, self._plan, self._theirs, self._keeps_raw = reader, plan, theirs, keeps_raw
        self._foreseen = Foreseen()
        self._references = References(reader, self._foreseen)
        self._words = Words(self._references)
        self._families = Families(reader, self._refuse_late, plan.wait)
        self._spelled: dict[tuple[int, str], int] = {}
        self.rows = 0

    def close(self) -> None:
        self._families.close()

    def take(self, chunk: Sequence[Row | Problem]) -> None:
        """Look at some rows, in their order."""
        keeps_empty = self._plan.keeps_empty
        checked = [
            check_row(item, keeps_empty=keeps_empty) if isinstance(item, Row) and item.skipped is None else None
            for item in chunk
        ]
        records = [record for record in checked if record is not None]
        known = self._known(records)
        batch = _Batch(self._reader, self._references, known)
        batch.families = self._families
        customers = iter(known)
        for item, record in zip(chunk, checked, strict=True):
            if isinstance(item, Problem):
                self._plan.add_problem(item.renamed(self._theirs))
                continue
            self.rows += 1
            if record is None:
                self._plan.add(KeptRow(item.line, "skipped", rule=item.skipped))
            else:
                self._take_row(batch, item, record, next(customers))

    def _known(self, records: Sequence[CheckedRow]) -> list[Values | None]:
        """Return for each row the customer that it means; None where there is none."""
        numbers = [record.own["number"] for record in records if "number" in record.own]
        known = customer_records.find_by(self._reader, "number", numbers)
        return [known.get(record.own.get("number")) for record in records]

    def _take_row(self, batch: "_Batch", row: Row, record: CheckedRow, known: Values | None) -> None:
        place = self._plan.places
        batch.place, batch.line = place, record.line
        seen = None if known is None else version_seen(known, batch.addresses.rows)
        decision = batch.decide(record, known)
        key = NOBODY if decision is None else decision.key
        self._note_number(place, record, known, key)
        kept = KeptRow(record.line, "problem", self._customer(record, known), seen=seen)
        if self._keeps_raw:
            kept.keep_raw(row.raw)
        if decision is None:
            kept.problems = [problem.renamed(self._theirs) for problem in record.problems]
            wanted = record.own.get("parent_number")
            if wanted is not None:
                self._families.wants_parent(place, record.line, wanted, NOBODY)
        else:
            self._accept(kept, record, decision)
        self._plan.add(kept)

    def _note_number(self, place: int, record: CheckedRow, known: Values | None, key: int) -> None:
        number = record.own.get("number")
        if number is None:
            if known is None:
                return
            number = known["number"]
        kept = None if known is None else known["number_folded"]
        self._families.has_number(place, record.line, number, kept, key if known is None else known["id"])

    def _accept(self, kept: KeptRow, record: CheckedRow, decision: Decision) -> None:
        kept.changes = self._words.of(record, decision)
        after = decision.after
        if self._foreseen:
            kept.needs = [key for key in _references_of(decision) if key < 0]
        if decision.rep_name is not None:
            if (renaming := self._references.reps.rename(after["sales_rep_id"], decision.rep_name)) < 0:
                kept.needs.append(renaming)
        is_updated = decision.rep_name is not None and decision.outcome == "unchanged"
        kept.outcome = "updated" if is_updated else decision.outcome
        if kept.outcome != "unchanged":
            kept.record = record
        self._compare_spelling(record, after["sales_rep_id"])

    def _compare_spelling(self, record: CheckedRow, rep: int | None) -> None:
        """Tell of a rep that the file itself spells in two ways."""
        email = record.own.get("sales_rep_email")
        if rep is None or rep >= 0 or email is None:
            return
        first, _ = self._references.reps.known[rep]
        if first != email and self._spelled.setdefault((rep, email), record.line) == record.line:
            reason = f"is {first} in another spelling: they are one sales rep"
            self._plan.warn(RowWarning(record.line, "sales_rep_email", email, reason))

    def _customer(self, record: CheckedRow, known: Values | None) -> PlanCustomer:
        own = record.own
        if known is None:
            return PlanCustomer(None, own.get("number"), own.get("name"))
        return PlanCustomer(encode_id(ID_PREFIX, known["id"]), known["number"], own.get("name", known["name"]))

    def _refuse_late(self, place: int, column: str, value: str, reason: str) -> None:
        self._plan.refuse(Late(place, column, self._theirs.get(column), value, reason))

    def settle(self) -> None:
        """Find what shows only when all rows are read, and sum up."""
        self._families.settle()
        self._plan.sum_up(self._foreseen, self._references)


def _references_of(decision: Decision) -> Iterator[int]:
    after = decision.after
    for name in _REFERENCES:
        key: Any = after[name]
        if key is not None:
            yield key
    yield from decision.groups or ()


_REFERENCES = (
    *("type_id", "carrier_id", "service_level_id"),
    *("payment_term_id", "shipping_term_id", "sales_rep_id"),
)


class _Batch(Batch):
    """A batch that is only looked at."""

    families: Families
    place = line = 0

    def key_of_new(self, _record: CheckedRow) -> int:
        return key_of_place(self.place)

    def take_parent(self, decision: Decision, wanted: str | None) -> None:
        """Remember what is settled when all rows are read."""
        if decision.before is not None and decision.before["parent_id"] is not None:
            self.families.leaves_parent(self.place, decision.key, decision.before["parent_id"])
        if wanted is not None:
            self.families.wants_parent(self.place, self.line, wanted, decision.key)
