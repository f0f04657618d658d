"""Records of JSON, one a line in NDJSON: strict, decimals as they are written, our own objects made flat."""

from collections.abc import Iterator
from typing import Any

from tradebook.crud.strict_json import GivenTwice, NotANumber, NotJson, NotStrict, TooDeep, decode
from tradebook.text import shortened, shown
from tradebook.transfer.columns import ADDRESSES, LIST_COLUMNS, column_named, unknown_column, unknown_columns
from tradebook.transfer.files.csv_records import TOO_LONG
from tradebook.transfer.files.decoding import Lines
from tradebook.transfer.files.records import PROBLEM, PROBLEM_TOLD, Records
from tradebook.transfer.rows import VALUE_SHOWN_MAX, Problem, Record, Row, Value

FLAT = (*ADDRESSES, "address", "external_ids")
"""Objects whose keys are columns: `{"bill_to": {"name": …}}` is `bill_to.name`."""
ATTACHED = "addresses"
_SHAPES_MAX = 1_000
_KEYS_MAX = 2_000
_UNKNOWN_TOLD = 50
"""Of so many keys that are no columns, each is a problem of its own."""


class Objects:
    """Makes rows of objects of JSON, and remembers what keys they had."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._shapes: set[tuple[str, ...]] = set()
        self._keys: dict[str, None] = {}
        self._had_problem_key = False

    def row(self, line: int, record: Any, raw: str) -> Row:
        """Make a row of a decoded value."""
        if record.__class__ is not dict:
            return self._records.unreadable(line, "The line is not a JSON object.", raw, raw)
        if self._records.are_ours:
            return self._own_row(line, record, raw)
        shape = tuple(record)
        if shape not in self._shapes or dict in map(type, record.values()):
            self._note_keys(record)
            if len(self._shapes) < _SHAPES_MAX:
                self._shapes.add(shape)
        if self._records.unguard:
            record = {name: _unguarded(value) for name, value in record.items()}
        return self._records.row(line, record, raw)

    def _own_row(self, line: int, record: Record, raw: str) -> Row:
        problems: list[Problem] = []
        for name in [name for name, value in record.items() if value.__class__ in (dict, list)]:
            self._take_apart(line, record, name, problems)
        # As some programs write an object that is not there.
        for name in [name for name in FLAT if name in record and record[name] is None]:
            del record[name]
        shape = tuple(record)
        if shape not in self._shapes:
            unknown = [name for name in shape if column_named(name) is None and name != ATTACHED]
            for name in unknown:
                del record[name]
            if PROBLEM in unknown:
                unknown.remove(PROBLEM)
                self._leave_out_problem()
            if len(unknown) > _UNKNOWN_TOLD:
                problems.append(Problem(line, None, None, unknown_columns(unknown)))
            else:
                problems += [_unknown(line, name) for name in unknown]
            if len(shape) == len(record) and len(self._shapes) < _SHAPES_MAX:
                self._shapes.add(shape)
        row = self._records.row(line, record, raw)
        if problems:
            row.problems += problems
            row.refused += [problem.column for problem in problems if problem.column]
        return row

    def _take_apart(self, line: int, record: Record, name: str, problems: list[Problem]) -> None:
        value = record[name]
        if isinstance(value, dict) and name in FLAT:
            del record[name]
            for inner, cell in value.items():
                column = f"{name}.{inner}"
                if column in record:
                    problems.append(Problem(line, column, None, "is given twice, nested and with a dot"))
                elif cell.__class__ in (dict, list):
                    problems.append(_refused(line, column, cell))
                else:
                    record[column] = cell
        elif isinstance(value, list) and (
            name == ATTACHED or (name in LIST_COLUMNS and all(isinstance(entry, str) for entry in value))
        ):
            return
        elif column_named(name) is not None or name == ATTACHED:
            del record[name]
            problems.append(_refused(line, name, value))

    def _leave_out_problem(self) -> None:
        if not self._had_problem_key:
            self._had_problem_key = True
            self._records.recognised.left_out.append(PROBLEM_TOLD)

    def _note_keys(self, record: Record, before: str = "") -> None:
        for name, value in record.items():
            if isinstance(value, dict) and before.count(".") < 5:
                self._note_keys(value, f"{before}{name}.")
            elif len(self._keys) < _KEYS_MAX:
                self._keys[f"{before}{name}"] = None

    def tell(self) -> None:
        """Tell which keys the map has not taken, and which of its own no object had."""
        mapping, recognised = self._records.mapping, self._records.recognised
        if mapping is None or mapping.is_by_name or not self._keys:
            return
        keys = list(self._keys)
        ignored = mapping.ignored(keys)
        recognised.left_out = [PROBLEM_TOLD if name == PROBLEM else shown(name) for name in ignored]
        for problem in mapping.lacking(1, keys):
            name = problem.heading or ""
            # A path may go on into a list.
            if name and not any(name.startswith(f"{key}.") for key in keys):
                recognised.notes.append(f"No row has {shown(name)}.")


def _unknown(line: int, name: str) -> Problem:
    name = shortened(name, VALUE_SHOWN_MAX)
    return Problem(line, None, None, unknown_column(name), name)


def _refused(line: int, column: str, value: Value) -> Problem:
    if isinstance(value, dict):
        return Problem(line, column, None, "can't be an object")
    return Problem(
        line, column, None, f"can't be a list here; {', '.join(LIST_COLUMNS)} takes a list of names"
    )


def _unguarded(value: Value) -> Value:
    return value[1:] if value.__class__ is str and str(value)[:1] == "'" else value


def why(error: NotStrict, what: str = "The line") -> str:
    """Say what is wrong with a text that is no strict JSON."""
    if isinstance(error, NotANumber):
        return f"{error.constant} is not JSON."
    if isinstance(error, GivenTwice):
        return f"The key {shown(error.name)} is given twice."
    if isinstance(error, TooDeep):
        return f"{what} is nested too deeply."
    assert isinstance(error, NotJson)
    return f"{what} is not JSON: {error}."


def ndjson_rows(lines: Lines, records: Records) -> Iterator[Row | Problem]:
    """Yield a row for each line that is not empty."""
    objects = Objects(records)
    number, is_empty = 0, True
    while text := lines.next():
        number += 1
        stripped = text.strip()
        if not stripped:
            continue
        is_empty = False
        if lines.is_cut:
            yield records.unreadable(number, TOO_LONG, None)
            continue
        try:
            record = decode(stripped)
        except NotStrict as error:
            yield records.unreadable(number, why(error), stripped, stripped)
            continue
        yield objects.row(number, record, stripped)
    if is_empty:
        yield Problem(1, None, None, "The file is empty.")
    objects.tell()
