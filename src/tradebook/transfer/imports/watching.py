"""What is told of rows that are taken in, beside what they do."""

from collections.abc import Iterator

from tradebook.resources.import_shapes import ImportDoubt
from tradebook.transfer.imports.groups import Group
from tradebook.transfer.imports.making import Foreseen
from tradebook.transfer.imports.planned import KeptRow
from tradebook.transfer.imports.references import References
from tradebook.transfer.imports.warnings import Warnings

_GROUPS = {"type_groups": "type", "pricing_groups": "price_groups"}


class Watch:
    """Looks at values, and at the names that would be made."""

    def __init__(self, references: References, foreseen: Foreseen) -> None:
        self._references, self._foreseen = references, foreseen
        self._warnings = Warnings()
        self._spelled: set[tuple[int, str]] = set()
        self._named: set[int] = set()

    def see(self, group: Group, kept: KeptRow) -> Iterator[ImportDoubt]:
        """Tell what looks wrong with a row that is taken in."""
        if kept.outcome == "unchanged":
            return
        changed = kept.changes if kept.outcome == "updated" else None
        yield from self._warnings.see(group.row, changed, group.odd)
        for further in group.further:
            yield from self._warnings.see(further.row, changed, further.odd)
        for key in kept.needs:
            yield from self._see_name(kept.line, key, group.record.own.get("sales_rep_email"))

    def _see_name(self, line: int, key: int, email: str | None) -> Iterator[ImportDoubt]:
        name = self._foreseen.of(key)
        if name.kind == "sales_reps" and email is not None:
            yield from self._compare(line, key, email)
        if key not in self._named:
            self._named.add(key)
            column = _GROUPS.get(name.kind)
            found = None if column is None else self._warnings.new_group(line, column, name.name)
            if found is not None:
                yield found

    def _compare(self, line: int, rep: int, email: str) -> Iterator[ImportDoubt]:
        """Tell of a rep that the file itself spells in two ways."""
        first, _ = self._references.reps.known[rep]
        if first != email and (rep, email) not in self._spelled:
            self._spelled.add((rep, email))
            reason = f"is {first} in another spelling: they are one sales rep"
            yield ImportDoubt(line, "sales_rep_email", email, reason)

    def settle(self) -> Iterator[ImportDoubt]:
        """Tell what shows when all rows are read."""
        return self._warnings.settle()
