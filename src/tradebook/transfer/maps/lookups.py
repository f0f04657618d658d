"""Other files beside the imported one: values are taken from the line that has a record's key."""

from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from tradebook.text import composed
from tradebook.transfer.columns import ADDRESSES, column_named
from tradebook.transfer.files.formats import format_of
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.maps.rules import Rule
from tradebook.transfer.maps.sources import CellError, Headings, Read, Reading, as_text, is_empty
from tradebook.transfer.maps.taking import Cells, source_of
from tradebook.transfer.rows import FileOptions, Problem, Record, Row, WriteCell

Many = Literal["problem", "first", "attach", "mistake"]
ADDRESS_PARTS = (*ADDRESSES, "address")
_KEY = ""
_LINES_SHOWN = 3


class Lookup(msgspec.Struct, frozen=True):
    """What a map says of another file."""

    where: str
    """The section of the map."""
    file: str
    source: str
    """What of the imported file is the key: a heading or a template."""
    key: str
    rules: dict[str, Rule]
    """Where our columns come from, in the other file."""
    missing: Literal["problem", "empty"] = "problem"
    many: Many = "problem"
    """What several lines of one key are; a mistake of the map for `[lookup.COLUMN]`."""
    options: FileOptions = FileOptions()

    def called(self, column: str) -> str:
        """Say where a person finds the value of a column: `town of addresses.csv`."""
        return self.source if self.many == "mistake" else f"{self.rules[column].label} of {self.file}"


class Found(NamedTuple):
    """What another file has for a key."""

    values: Mapping[str, Any]
    """Of its first line, by our columns."""
    further: list[Mapping[str, Any]]
    lines: list[int]


class LookedUp:
    """Another file, read as a map says, and kept in memory by its keys."""

    def __init__(self, lookup: Lookup, path: Path, cells: Cells) -> None:
        """Read the file; ValueError says what is wrong with it."""
        self.lookup = lookup
        self.columns = list(lookup.rules)
        self._found: dict[str, Found] = {}
        self.attached = attached_fields(lookup.rules) if lookup.many == "attach" else {}
        """The fields of an attached address that a further line makes, by our columns."""
        with path.open("rb") as file:
            for item in read_file(file, format_of(path.name), _Lines(lookup, cells), lookup.options):
                self._keep(item)

    def _keep(self, item: Row | Problem) -> None:
        problems = [item] if isinstance(item, Problem) else item.problems
        if problems:
            raise ValueError(f"{self.lookup.file}: {problems[0]}")
        assert isinstance(item, Row)
        key = composed(as_text(item.values.pop(_KEY)).strip())
        known = self._found.get(key)
        if not key:
            return
        if known is None:
            self._found[key] = Found(item.values, [], [item.line])
        elif self.lookup.many == "mistake":
            raise ValueError(f"{self.lookup.file}: line {item.line}: {key!r} is there twice")
        elif self.lookup.many == "attach":
            known.further.append(item.values)
        else:
            known.lines.append(item.line)

    def finder(self, headings: Headings | None, cells: Cells) -> Callable[[Record], Found | None]:
        """Return what finds the values of a record, None if there are none; CellError where that is wrong."""
        lookup, found = self.lookup, self._found
        purpose = f"takes {' and '.join(self.columns)} from"
        read = Reading(headings, cells.nothing, purpose).reader(lookup.source)

        def find(record: Record) -> Found | None:
            key = as_text(read(record)).strip()
            values = found.get(composed(key))
            if values is None and key and lookup.missing == "problem":
                hint = "" if lookup.many == "mistake" else f": {_MISSING}"
                raise CellError(key, f"is not a key in {lookup.file}{hint}")
            if values is not None and len(values.lines) > 1 and lookup.many == "problem":
                raise CellError(key, f"is in {_listed(values.lines)} of {lookup.file}: {_WHICH}")
            return values

        return find


_MISSING = 'where that means nothing, say missing = "empty" in the map'
_WHICH = 'say in the map what counts, by many = "first" or many = "attach"'


def _listed(lines: Sequence[int]) -> str:
    listed = ", ".join(map(str, lines[:_LINES_SHOWN]))
    return f"{len(lines)} lines ({listed}{', …' if len(lines) > _LINES_SHOWN else ''})"


def attached_fields(names: Collection[str]) -> dict[str, str]:
    """Return the fields of the columns of an address: the bill-to, else the ship-to, else an attached one."""
    parts = {name.partition(".")[0] for name in names}
    part = next((part for part in ADDRESS_PARTS if part in parts), None)
    return {name: name.partition(".")[2] for name in names if name.partition(".")[0] == part}


class _Lines:
    """Takes the key and our columns out of the lines of another file."""

    is_by_name = False

    def __init__(self, lookup: Lookup, cells: Cells) -> None:
        self._lookup, self._cells = lookup, cells
        self.writes: dict[str, WriteCell] = {}
        self._reads: dict[str, Read] = {}

    def _put_together(self, headings: Headings | None) -> None:
        key = Reading(headings, self._cells.nothing, "looks keys up in")
        self._reads[_KEY] = key.reader(self._lookup.key)
        for name, rule in self._lookup.rules.items():
            column = column_named(name)
            assert column is not None, "the loader refuses others"
            self._reads[name] = source_of(name, column, rule, self._cells, headings, None)

    def fit(self, line: int, header: Sequence[str]) -> list[Problem]:
        headings = Headings(header, are_optional=self._cells.are_optional)
        self._put_together(headings)
        problems = [Problem(line, None, None, reason, name) for name, reason in headings.problems]
        if not problems and not headings.has_any_of(self._lookup.key):
            # Of all columns this one can't be lacking: nothing would be found, and nobody would know.
            problems = [Problem(line, None, None, "The file has no such column.", self._lookup.key)]
        return problems

    def lacking(self, line: int, header: Sequence[str]) -> list[Problem]:
        return self.fit(line, header)

    def ignored(self, _header: Sequence[str]) -> list[str]:
        return []

    def row(self, line: int, record: Record) -> Row:
        if not self._reads:
            self._put_together(None)
        values: dict[str, Any] = {}
        problems = []
        for name, read in self._reads.items():
            try:
                value = read(record)
            except CellError as error:
                problems.append(Problem(line, name or None, error.value, error.reason))
                continue
            if name == _KEY or not is_empty(value):
                values[name] = value
        return Row(line, values, problems)
