"""A map put together for one file: how each of its rows becomes ours, decided once before the first."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from tradebook.text import shortened
from tradebook.transfer.columns import Column, column_named
from tradebook.transfer.maps.lookups import Found, LookedUp
from tradebook.transfer.maps.options import Options
from tradebook.transfer.maps.rules import Columns, Rule, is_amount, is_date
from tradebook.transfer.maps.skips import skip_of
from tradebook.transfer.maps.sources import ABSENT, CellError, Headings, Read, is_empty
from tradebook.transfer.maps.taking import Cells, Work, source_of, work_of, writer_of
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Problem, Record, Row, WriteCell

_FOUND = "\0"
"""What the key of a looked-up value begins with, in the record that it is put into."""
_ATTACHED = "addresses"
_REMEMBERED = 1_000
_PLACE = ("street_line_1", "street_line_2", "locality", "state", "postal_code", "country")
"""What makes an address, where the file itself says it."""


class Plan(msgspec.Struct, frozen=True):
    """What a map says of columns and rows."""

    columns: Columns
    lookups: Sequence[LookedUp]
    options: Options
    cells: Cells
    theirs: dict[str, str]
    """What the file calls our columns, where it is another name."""
    is_by_name: bool
    """Whether the file's columns are ours by name."""


class Fitted:
    """Translates the records of one file.

    Without headings, as in JSON, each record has its own names, and what it does not have is not given.
    """

    def __init__(self, plan: Plan, rules: Mapping[str, Rule], headings: Headings | None) -> None:
        columns = plan.columns
        self._plan, self._headings = plan, headings
        self._looked_up = {name: rule for each in plan.lookups for name, rule in each.lookup.rules.items()}
        self._fill_down = self._filled_down()
        self._plain: list[tuple[str, str]] = []
        self._works: dict[str, Work] = {}
        self._by_name: dict[str, Work] = {}
        self.writes: dict[str, WriteCell] = {}
        """What writes the cells of a column of the file as the map reads them; by the key of the column."""
        lines_max = _lines_max(rules)
        for name in _currencies_first({**rules, **self._looked_up}):
            self._take_up(name, rules.get(name, Rule()), lines_max.get(name))
        self._finders = [(each, each.finder(headings, plan.cells)) for each in plan.lookups]
        self._skip = skip_of(plan.options.skips, headings, plan.cells.nothing)
        self._defaults = list(columns.defaults.items())
        self._defaulted: dict[tuple[str, ...], frozenset[str]] = {}

    def _filled_down(self) -> dict[str, Any]:
        """Return the keys of the columns whose empty cells are filled from above, nothing in them so far."""
        names = self._plan.cells.fill_down
        if self._headings is None:
            return dict.fromkeys(names, "")
        keys = (self._headings.take(name, None, "fills up") for name in names)
        return {key: "" for key in keys if key is not None}

    def _take_up(self, name: str, rule: Rule, lines_max: int | None) -> None:
        column = column_named(name)
        assert column is not None, "the loader refuses others"
        cells, values = self._plan.cells, self._plan.columns.values.get(name, {})
        looked_up = self._looked_up.get(name)
        self._note_written(name, column, rule)
        if self._headings is not None and rule.is_plain and not looked_up and not cells.nothing:
            is_as_it_stands = not values and not is_date(column) and not (is_amount(column) and cells.decimal)
            source, nth = rule.places[0]
            if is_as_it_stands and self._headings.has(source):
                key = self._headings.take(source, nth, f"takes {name} from")
                if key is not None:
                    self._plain.append((name, key))
                    return
        self._works[name] = self._work(name, column, rule, lines_max)

    def _note_written(self, name: str, column: Column, rule: Rule) -> None:
        write = writer_of(column, rule, self._plan.cells)
        if write is None or self._headings is None:
            return
        for source, nth in rule.places:
            if not self._headings.has(source):
                continue
            key = self._headings.take(source, nth, f"takes {name} from")
            if key is not None:
                self.writes[key] = write

    def _work(self, name: str, column: Column, rule: Rule, lines_max: int | None) -> Work:
        cells, values = self._plan.cells, self._plan.columns.values.get(name, {})
        source = source_of(name, column, rule, cells, self._headings, lines_max) if rule.sources else _nowhere
        looked_up = self._looked_up.get(name)
        if looked_up is not None:
            source, rule = _found_or(_FOUND + name, source), looked_up
        currency = self._plan.columns.defaults.get(f"{name}_currency")
        return work_of(column, rule, source, values, cells, str(currency or ""))

    def row(self, line: int, record: Record) -> Row:
        """Translate one record; what is wrong with a cell leaves the others."""
        return self._row(line, record, self._works)

    def row_by_name(self, line: int, record: Record) -> Row:
        """Translate a record of JSON whose names are our columns."""
        if len(self._by_name) > _REMEMBERED:
            self._by_name.clear()
        for name in record:
            if name not in self._by_name and (column := column_named(name)) is not None:
                self._by_name[name] = self._work(name, column, Rule((name,)), None)
        works = {name: self._by_name[name] for name in _currencies_first(record) if name in self._by_name}
        row = self._row(line, record, self._works | works)
        if (given := record.get(_ATTACHED)) and row.skipped is None:
            further = row.values.get(_ATTACHED, [])
            row.values[_ATTACHED] = [*given, *further] if isinstance(given, list) else given
        return row

    def _row(self, line: int, record: Record, works: Mapping[str, Work]) -> Row:
        if self._skip is not None and (place := self._skip(record)) is not None:
            return Row(line, {}, skipped=place)
        if self._fill_down:
            record = self._filled(record)
        row = Row(line, {name: record.get(key, "") for name, key in self._plain})
        found: list[tuple[LookedUp, Found]] = []
        if self._finders:
            found = list(self._look_up(row, record))
            looked_up = {_FOUND + name: value for _, each in found for name, value in each.values.items()}
            record = {**record, **looked_up}
        for name, work in works.items():
            if not row.refused or name not in row.refused:
                self._make(row, row.values, name, work, record)
        for each, values in found:
            if values.further:
                row.values[_ATTACHED] = [
                    *row.values.get(_ATTACHED, ()),
                    *self._attached(row, each, values),
                ]
        self._fill_up(row)
        return row

    def _filled(self, record: Record) -> Record:
        given = {key: record[key] for key in self._fill_down if not is_empty(record.get(key))}
        self._fill_down.update(given)
        return {**record, **self._fill_down}

    def _make(self, row: Row, values: dict[str, Any], name: str, work: Work, record: Record) -> None:
        try:
            value = work(record, values)
        except CellError as error:
            self._refuse(row, [name], name, error, self._plan.theirs.get(name))
            return
        if value is not ABSENT:
            values[name] = value

    def _refuse(
        self, row: Row, columns: Iterable[str], column: str | None, error: CellError, heading: str | None
    ) -> None:
        shown = None if error.value is None else shortened(error.value, VALUE_SHOWN_MAX)
        row.problems.append(Problem(row.line, column, shown, error.reason, heading))
        row.refused += columns
        for name in columns:
            row.values.pop(name, None)

    def _look_up(self, row: Row, record: Record) -> Iterator[tuple[LookedUp, Found]]:
        for each, find in self._finders:
            try:
                found = find(record)
            except CellError as error:
                only = each.columns[0] if len(each.columns) == 1 else None
                self._refuse(row, each.columns, only, error, each.lookup.source)
                continue
            if found is not None:
                yield each, found

    def _attached(self, row: Row, each: LookedUp, found: Found) -> Iterator[dict[str, Any]]:
        """Yield an address for each further line that says where it is."""
        defaults = self._address_defaults(next(iter(each.attached)).partition(".")[0])
        for line in found.further:
            record: Record = {_FOUND + name: value for name, value in line.items()}
            made: dict[str, Any] = {}
            for name, field in each.attached.items():
                self._make(row, made, name, self._works[name], record)
                made[field] = made.pop(name, "")
            if any(not is_empty(made.get(field)) for field in _PLACE):
                yield made | {
                    field: default for field, default in defaults.items() if is_empty(made.get(field))
                }

    def _address_defaults(self, part: str) -> dict[str, Any]:
        """Return what an attached address has by default, by its fields: its own, else those of a part."""
        return {
            column.partition(".")[2]: default
            for each in (part, "address")
            for column, default in self._plan.columns.defaults.items()
            if column.startswith(f"{each}.")
        }

    def _fill_up(self, row: Row) -> None:
        values = row.values
        filled = []
        for name, default in self._defaults:
            value = values.get(name)
            if not value and value is not False and (not row.refused or name not in row.refused):
                values[name] = default
                filled.append(name)
        if filled:
            key = tuple(filled)
            if len(self._defaulted) > _REMEMBERED:
                self._defaulted.clear()
            row.defaulted = self._defaulted.setdefault(key, frozenset(key))


def _nowhere(_record: Record) -> Any:
    return ""


def _found_or(key: str, source: Read) -> Read:
    def read(record: Record) -> Any:
        return record[key] if key in record else source(record)

    return read


def _currencies_first(names: Iterable[str]) -> list[str]:
    """Put the currency of an amount before it, as the amount looks at it."""
    return sorted(names, key=lambda name: not name.endswith("_currency"))


def _lines_max(rules: Mapping[str, Rule]) -> dict[str, int]:
    """Say, for the last of several lines of one cell that a map takes, how many lines there may be."""
    lined = defaultdict(list)
    for name, rule in rules.items():
        if rule.line is not None:
            lined[rule.sources, rule.nth].append((*rule.line, name))
    whole = (lines for lines in lined.values() if not any(takes_rest for _, takes_rest, _ in lines))
    lasts = (max(lines) for lines in whole if len({number for number, _, _ in lines}) > 1)
    return {name: number for number, _, name in lasts}
