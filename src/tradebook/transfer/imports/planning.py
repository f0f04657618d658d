"""Plans an import: every row of a file looked at against one snapshot of the book, and nothing written.

What must be remembered of each row goes to temporary files, so memory is flat however long the file is. Some
problems show only when all rows are read: they find their way back to their rows by the rows' places.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from typing import Any

from tradebook.crud.records import Values
from tradebook.ids import encode_id
from tradebook.resources.customers import ID_PREFIX
from tradebook.resources.import_shapes import ImportCustomer
from tradebook.storage.database import ROWS_AT_ONCE, Reader
from tradebook.transfer.imports.changes import Words
from tradebook.transfer.imports.checked import Checked, Chunk, checked_chunks
from tradebook.transfer.imports.deciding import Batch, Decision
from tradebook.transfer.imports.groups import Further, Group
from tradebook.transfer.imports.joining import Joined, join
from tradebook.transfer.imports.making import Foreseen
from tradebook.transfer.imports.matching import Matched, Matcher
from tradebook.transfer.imports.parents import NOBODY, Families, key_of_place
from tradebook.transfer.imports.planned import KeptPlan, KeptRow, goes_along
from tradebook.transfer.imports.records import CheckedRow
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.seen import version_seen
from tradebook.transfer.imports.spill import chunks_of
from tradebook.transfer.imports.watching import Watch
from tradebook.transfer.maps.options import Options
from tradebook.transfer.rows import Match, Problem, Recognised, Row

Progress = Callable[[int], None]
BY_NUMBER = Match()
AS_BY_DEFAULT = Options()


def plan_customers(
    reader: Reader,
    rows: Iterable[Row | Problem],
    options: Options = AS_BY_DEFAULT,
    *,
    theirs: dict[str, str] | None = None,
    recognised: Recognised | None = None,
    keeps_raw: bool = False,
    tells_new: bool = True,
    progress: Progress | None = None,
) -> KeptPlan:
    """Look at every row of a file and decide what it would do. Close the plan in the end.

    A bare Problem among the rows is one of the file, and no row. `theirs` has what the file calls our
    columns, where it is another name. `keeps_raw` keeps of each row with a problem what the file has;
    without `tells_new` the rows of new customers don't say what they set, which is quicker. `progress` is
    called now and then with the number of rows read.
    """
    plan = KeptPlan(options, recognised or Recognised())
    planner = _Planner(reader, plan, theirs or {}, keeps_raw=keeps_raw, tells_new=tells_new)
    try:
        chunks = chunks_of(join(rows, options.match), ROWS_AT_ONCE)
        with closing(checked_chunks(chunks, keeps_empty=options.keeps_empty)) as listed:
            for chunk, checked in listed:
                planner.take(chunk, checked)
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
    def __init__(
        self, reader: Reader, plan: KeptPlan, theirs: dict[str, str], *, keeps_raw: bool, tells_new: bool
    ) -> None:
        self._reader, self._plan, self._theirs = reader, plan, theirs
        self._keeps_raw, self._tells_new = keeps_raw, tells_new
        self._foreseen = Foreseen()
        self._references = References(reader, self._foreseen)
        self._words = Words(self._references)
        self._matcher = Matcher(reader, plan.match)
        self._watch = Watch(self._references, self._foreseen)
        self._families = Families(reader, self._refuse_late, plan.wait)
        self._by = plan.match.by
        self._is_matched = plan.match == BY_NUMBER
        """Whether some row has a column by which customers are matched; by number they needn't."""
        self.rows = 0

    def close(self) -> None:
        self._families.close()
        self._matcher.close()

    def take(self, chunk: Chunk, checked: Iterator[Checked]) -> None:
        """Look at some rows, in their order; `checked` is what each was found to be alone."""
        taken = [item for item in chunk if isinstance(item, Joined) and item.row.skipped is None]
        if not self._is_matched:
            self._is_matched = any(name in item.row.values for item in taken for name in self._by)
        groups = [Group(joined, checked) for joined in taken]
        records = [group.record for group in groups]
        self._number(chunk, iter(records))
        matched = self._matcher.match(records)
        batch = _Batch(self._reader, self._references, records, [each.known for each in matched])
        batch.families = self._families
        pairs = iter(zip(groups, matched, strict=True))
        for item in chunk:
            if isinstance(item, Problem):
                self._plan.add_problem(item.renamed(self._theirs))
                continue
            self.rows += 1 + len(item.further)
            if item.row.skipped is not None:
                self._plan.add(KeptRow(item.row.line, "skipped", rule=item.row.skipped))
            else:
                self._take_group(batch, *next(pairs))

    def _number(self, chunk: Chunk, records: Iterator[CheckedRow]) -> None:
        """Tell records which row of the file they are; those that are left out have none."""
        place = self._plan.places
        for item in chunk:
            if isinstance(item, Problem):
                place += 1
                continue
            if item.row.skipped is None:
                next(records).place = place
            place += 1 + len(item.further)

    def _take_group(self, batch: "_Batch", group: Group, matched: Matched) -> None:
        record, known = group.record, matched.known
        place = self._plan.places
        batch.place, batch.line = place, record.line
        is_meant_by_number = matched.by in (None, "number")
        # Of a row that could not be taken apart nothing more can be said.
        is_torn = bool(record.problems) and not group.row.values
        decision = None if is_torn else batch.decide(record, known, keeps_number=is_meant_by_number)
        self._note_number(place, record, known, decision)
        kept = KeptRow(record.line, "problem", _customer(record, known), further=len(group.further))
        kept.raw = group.row.raw if self._keeps_raw else None
        if decision is None:
            kept.problems = self._renamed(record.problems)
            wanted = record.own.get("parent_number")
            if wanted is not None:
                self._families.wants_parent(place, record.line, wanted, NOBODY)
        else:
            self._accept(kept, record, decision, batch.addresses.rows)
            self._plan.note_warnings(kept, [*matched.warnings, *self._watch.see(group, kept)])
        self._plan.add(kept)
        for further in group.further:
            self._take_further(kept, further)

    def _take_further(self, head: KeptRow, row: Further) -> None:
        kept = KeptRow(row.line, "joined", head.customer)
        kept.raw = row.raw if self._keeps_raw else None
        if row.problems:
            kept.outcome, kept.problems = "problem", self._renamed(row.problems)
        elif head.outcome == "problem":
            kept.refuse(goes_along(row.line))
        self._plan.add(kept)

    def _note_number(
        self, place: int, record: CheckedRow, known: Values | None, decision: Decision | None
    ) -> None:
        """Have the number be found: of a row with a problem, that of the book counts."""
        if known is None:
            number = record.own.get("number")
            if number is not None:
                key = NOBODY if decision is None else decision.key
                self._families.has_number(place, record.line, number, None, key)
            return
        number = known["number"] if decision is None else decision.after["number"]
        folded = known["number_folded"] if number == known["number"] else None
        # Not as it is kept, where the row has it so: that is what a problem of it shows.
        written = record.own.get("number", number) if folded else number
        self._families.has_number(place, record.line, written, folded, known["id"])

    def _accept(
        self, kept: KeptRow, record: CheckedRow, decision: Decision, places: Mapping[int, Values]
    ) -> None:
        if self._tells_new or decision.before is not None:
            kept.changes = self._words.of(record, decision)
        rep = decision.after["sales_rep_id"]
        if self._foreseen:
            kept.needs = [key for key in _references_of(decision) if key < 0]
        if decision.rep_name is not None and (named := self._references.reps.rename(rep, decision.rep_name)):
            kept.needs.append(named)
        is_renaming = decision.rep_name is not None and decision.outcome == "unchanged"
        kept.outcome = "updated" if is_renaming else decision.outcome
        if kept.outcome != "unchanged":
            kept.record = record
        if kept.outcome == "updated" and decision.before is not None:
            kept.seen = version_seen(decision.before, places)

    def _renamed(self, problems: Sequence[Problem]) -> list[Problem]:
        return [problem.renamed(self._theirs) for problem in problems]

    def _refuse_late(self, place: int, column: str, value: str, reason: str) -> None:
        self._plan.refuse(place, Problem(0, column, value, reason, self._theirs.get(column)))

    def settle(self) -> None:
        """Find what shows only when all rows are read, and sum up."""
        if self.rows and not self._is_matched and self._plan.file_problem is None:
            # Each row would be a new customer, and again with the next file.
            reason = f"The customers are matched by {' or '.join(self._by)}, which no row has."
            self._plan.add_problem(Problem(1, None, None, reason))
        for place, found in self._matcher.settle():
            if isinstance(found, Problem):
                self._plan.refuse(place, found.renamed(self._theirs))
                self._families.reject(place, found.line)
            else:
                self._plan.warn(found)
        for warning in self._watch.settle():
            self._plan.warn(warning)
        self._families.settle()
        self._plan.sum_up(self._foreseen, self._references)


def _customer(record: CheckedRow, known: Values | None) -> ImportCustomer:
    own = record.own
    if known is None:
        return ImportCustomer(None, own.get("number"), own.get("name"))
    return ImportCustomer(encode_id(ID_PREFIX, known["id"]), known["number"], own.get("name", known["name"]))


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
