"""The column map: how the rows of a foreign file become ours, as a map says."""

from collections.abc import Callable, Sequence
from pathlib import Path

from tradebook.transfer.columns import column_named, unknown_column
from tradebook.transfer.maps.fitted import Fitted, Plan
from tradebook.transfer.maps.loading import MapError, read_map
from tradebook.transfer.maps.rules import Rule
from tradebook.transfer.maps.sources import Headings, label_of
from tradebook.transfer.rows import Problem, Record, Row, WriteCell, record_keys


class ColumnMap:
    """A map that was read and has no mistakes."""

    def __init__(self, plan: Plan) -> None:
        self.options = plan.options
        """How a file is read and matched, and which of its rows are left out."""
        self.is_by_name = plan.is_by_name
        """Whether the file's columns are ours by name, as the map has no `[columns]`."""
        self.theirs = plan.theirs
        """What the file calls our columns, where it is another name."""
        self._plan = plan
        self._row: Callable[[int, Record], Row] | None = None
        self.writes: dict[str, WriteCell] = {}

    def fit(self, line: int, header: Sequence[str]) -> list[Problem]:
        """Take up a file's headings; name those that the map takes and the file does not have."""
        fitted, headings, problems = self._put_together(line, header)
        self._row, self.writes = fitted.row, fitted.writes
        self._name_what_is_there(headings)
        return problems

    def _name_what_is_there(self, headings: Headings) -> None:
        """Of several headings that a column may come from, name those that this file has."""
        looked_up = {name for each in self._plan.lookups for name in each.columns}
        for name, rule in self._plan.columns.rules.items():
            there = [each for each in rule.sources if headings.has_any_of(each)]
            if len(rule.sources) > 1 and there and name not in looked_up:
                self.theirs[name] = " or ".join(map(label_of, there))

    def lacking(self, line: int, header: Sequence[str]) -> list[Problem]:
        """Name what the map takes and is not among these headings, and take nothing up."""
        return self._put_together(line, header, has_hints=False)[2]

    def ignored(self, header: Sequence[str]) -> list[str]:
        """Name the file's columns that the map leaves out, nameless ones by their place."""
        headings = self._put_together(1, header, has_hints=False)[1]
        keys = enumerate(zip(header, record_keys(header), strict=True), 1)
        left_out = [(place, name, key) for place, (name, key) in keys if headings.leaves_out(key)]
        return [_called(place, name, is_first=key == name) for place, name, key in left_out]

    def _put_together(
        self, line: int, header: Sequence[str], *, has_hints: bool = True
    ) -> tuple[Fitted, Headings, list[Problem]]:
        headings = Headings(header, are_optional=self._plan.cells.are_optional, has_hints=has_hints)
        rules = self._plan.columns.rules
        if self.is_by_name:
            rules = {name: Rule((name,)) for name in header if column_named(name) is not None}
        fitted = Fitted(self._plan, rules, headings)
        problems = [Problem(line, None, None, reason, name) for name, reason in headings.problems]
        if self.is_by_name:
            left = (name for name in header if name and name not in headings.taken)
            problems += [Problem(line, None, None, unknown_column(name), name) for name in left]
        elif headings.are_optional and not headings.taken:
            problems.append(Problem(line, None, None, "The file has none of the columns that the map takes."))
        return fitted, headings, problems

    def row(self, line: int, record: Record) -> Row:
        """Translate one record into our columns; what is wrong with a cell leaves the others."""
        if self._row is None:
            fitted = Fitted(self._plan, self._plan.columns.rules, None)
            self._row = fitted.row_by_name if self.is_by_name else fitted.row
        return self._row(line, record)


def _called(place: int, name: str, *, is_first: bool) -> str:
    if not name:
        return f"column {place}, without a name"
    return name if is_first else f"{name} (column {place})"


def load_map(path: Path, folder: Path) -> ColumnMap:
    """Read a map; the files of its lookups lie beside the map, or in the imported file's folder.

    MapError lists all mistakes.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MapError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise MapError(f"{path} is not UTF-8, as a map must be: save it so") from None
    return load_map_text(text, (path.resolve().parent, folder), str(path))


def load_map_text(text: str, folders: Sequence[Path], name: str = "The map") -> ColumnMap:
    """Read a map from its text; the files of its lookups lie in these folders, and there may be none.

    MapError lists all mistakes, and calls the map by its name.
    """
    return ColumnMap(read_map(text, folders, name))


__all__ = ["ColumnMap", "MapError", "load_map", "load_map_text"]
