"""The column map: how a foreign file's columns become ours, read from a TOML file.

[columns]          ours = "theirs", or a template such as "{firstName} {lastName}"
[defaults]         ours = a constant, where the file has nothing
[lookup.COLUMN]    file, key, value, from: takes a value from another CSV file
[values.COLUMN]    theirs = ours; what is not listed passes unchanged
"""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tradebook.transfer.columns import ADDRESSES, LIST_COLUMNS, column_named
from tradebook.transfer.files.rows import read_file, unknown_column
from tradebook.transfer.maps.options import Options
from tradebook.transfer.maps.sections import read_options
from tradebook.transfer.maps.words import Mistakes
from tradebook.transfer.rows import FileOptions, Match, Problem, Row, Skipping, Value

# A name in braces, or text. Not string.Formatter: it takes a colon and an exclamation mark out of the name.
_PIECE = re.compile(r"\{([^{}]+)\}|((?:[^{}]|\{\{|\}\})+)")
_LOOKUP_WORDS = ("file", "key", "value", "from")
_SECTIONS = ("file", "match", "skip", "columns", "lookup", "values", "defaults")

ForeignRow = dict[str, Value]


class MapError(ValueError):
    """The map can't be used; the text lists all mistakes in it."""


class Template:
    """Text with the columns of a foreign record in it: a bare column name, or `{name}` among text."""

    def __init__(self, text: str) -> None:
        self._is_bare = "{" not in text and "}" not in text
        self._pieces: list[tuple[str, str]] = [(text, "")] if self._is_bare else _PIECE.findall(text)
        self.names = [name for name, _ in self._pieces if name]
        if not self._is_bare and _PIECE.sub("", text):
            raise ValueError(f"{text!r} has a brace without its other half; {{{{ is a brace itself")

    def fill(self, record: ForeignRow) -> Value:
        """Return the text with the record's values; empty where all of its columns are empty."""
        if self._is_bare:
            return record.get(self.names[0], "")
        if not any(record.get(name) for name in self.names):
            return ""
        filled = "".join(
            str(record.get(name) or "") if name else literal.replace("{{", "{").replace("}}", "}")
            for name, literal in self._pieces
        )
        return " ".join(filled.split())


class Lookup(msgspec.Struct, frozen=True):
    """Values of another file, by the key that a record has in `source`."""

    file: str
    source: str
    values: dict[str, str]

    def find(self, record: ForeignRow) -> Value:
        """Return the value for the record; KeyError where its key is not in the file."""
        key = record.get(self.source)
        return self.values[str(key).strip()] if key else ""


class ColumnMap:
    """A map that was read and has no mistakes."""

    def __init__(
        self,
        columns: dict[str, Template],
        defaults: dict[str, Value],
        lookups: dict[str, Lookup],
        values: dict[str, dict[str, str]],
        options: Options,
    ) -> None:
        self.options = options
        self._columns = columns
        self._defaults = defaults
        self._lookups = lookups
        self._values = values
        named = {column: " + ".join(template.names) for column, template in columns.items()}
        named |= {column: lookup.source for column, lookup in lookups.items()}
        self.theirs = {ours: theirs for ours, theirs in named.items() if ours != theirs}
        """What the file calls our columns, where it is another name."""

    @property
    def file(self) -> FileOptions:
        """How the file is to be read."""
        return self.options.file

    @property
    def match(self) -> Match:
        """Which customer a row is about."""
        return self.options.match

    @property
    def keeps_empty(self) -> bool:
        """Whether an empty cell leaves what an existing customer has."""
        return self.options.keeps_empty

    @property
    def skips(self) -> tuple[Skipping, ...]:
        """The rules by which rows are left out; `Row.skipped` is the place of one."""
        return self.options.skips

    def _taken(self) -> dict[str, str]:
        taken = {name: column for column, t in self._columns.items() for name in t.names}
        return {**taken, **{lookup.source: c for c, lookup in self._lookups.items()}}

    def fit(self, line: int, header: Sequence[str]) -> list[Problem]:
        """Take up a file's headings; name those that the map takes and the file lacks, or has twice."""
        counts = Counter(header)
        has = {0: "The map takes {} from this column; the file has none."}
        twice = "The map takes {} from this column; the file has it twice."
        return [
            Problem(line, None, None, has.get(counts[name], twice).format(column), name)
            for name, column in self._taken().items()
            if counts[name] != 1
        ]

    def ignored(self, header: Sequence[str]) -> list[str]:
        """Name the file's columns that the map leaves out, nameless ones by their place."""
        taken = self._taken()
        return [
            name or f"column {place}, without a name"
            for place, name in enumerate(header, 1)
            if name not in taken
        ]

    def row(self, line: int, record: ForeignRow) -> Row:
        """Translate one record into our columns; what is wrong with a cell leaves the others."""
        values: dict[str, Any] = {c: template.fill(record) for c, template in self._columns.items()}
        problems, refused = [], []
        for column, lookup in self._lookups.items():
            try:
                values[column] = lookup.find(record) or values.get(column, "")
            except KeyError:
                key = str(record[lookup.source])
                reason = f"is not a key in {lookup.file}"
                problems.append(Problem(line, column, key, reason, lookup.source))
                refused.append(column)
                values.pop(column, None)
        for column, listed in self._values.items():
            if isinstance(values.get(column), str):
                values[column] = listed.get(values[column], values[column])
        defaulted = [column for column in self._defaults if values.get(column) in (None, "")]
        for column in defaulted:
            if column not in refused:
                values[column] = self._defaults[column]
        return Row(line, values, problems, refused, frozenset(defaulted))


def load_map(path: Path, folder: Path) -> ColumnMap:
    """Read a map; the files of its lookups lie beside the map, or in the imported file's folder.

    MapError lists all mistakes.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise MapError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise MapError(f"{path} is not TOML: {error}") from None
    return load_map_text(text, (path.resolve().parent, folder), str(path))


def load_map_text(text: str, folders: Sequence[Path], name: str = "The map") -> ColumnMap:
    """Read a map from its text; the files of its lookups lie in these folders, and there may be none.

    MapError lists all mistakes, and calls the map by its name.
    """
    try:
        document = tomllib.loads(text)
    except RecursionError:
        raise MapError(f"{name} is not TOML: it is nested too deeply") from None
    except ValueError as error:
        raise MapError(f"{name} is not TOML: {error}") from None
    loader = _Loader(folders)
    column_map = loader.load(document)
    if loader.mistakes:
        raise MapError("\n".join(f"{name}: {mistake}" for mistake in loader.mistakes))
    return column_map


class _Loader:
    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._mistakes = Mistakes()
        self.mistakes = self._mistakes.found

    def load(self, document: dict[str, Any]) -> ColumnMap:
        for name in document:
            if name not in _SECTIONS:
                self._mistakes.unknown(f"[{name}]", "section", name, _SECTIONS)
        options, _ = read_options(document, self._mistakes)
        return ColumnMap(
            self._each(document, "columns", self._template),
            self._each(document, "defaults", self._constant),
            self._each(document, "lookup", self._lookup),
            self._each(document, "values", self._renamed),
            options,
        )

    def _each(
        self, document: dict[str, Any], section: str, read: Callable[[str, Any], Any]
    ) -> dict[str, Any]:
        found = document.get(section, {})
        if not isinstance(found, dict):
            self.mistakes.append(f"[{section}] must be a table.")
            return {}
        result = {}
        for column, value in _joined(found).items():
            if column_named(column) is None:
                self.mistakes.append(f"[{section}] {column}: {unknown_column(column)}")
                continue
            try:
                result[column] = read(column, value)
            except ValueError as error:
                self.mistakes.append(f"[{section}] {column}: {error}.")
        return result

    def _template(self, _column: str, value: Any) -> Template:
        if not isinstance(value, str) or not value:
            raise ValueError("takes the name of a column or a template, in quotes")
        return Template(value)

    def _constant(self, column: str, value: Any) -> Value:
        if column in LIST_COLUMNS and isinstance(value, list):
            return [str(entry) for entry in value]
        if isinstance(value, bool):
            return value
        if isinstance(value, str | int):
            return str(value)
        raise ValueError("takes text, a whole number or true and false; write decimals in quotes")

    def _renamed(self, _column: str, value: Any) -> dict[str, str]:
        if not isinstance(value, dict) or not all(isinstance(v, str) for v in value.values()):
            raise ValueError("takes a table of theirs = ours, in quotes")
        return value

    def _lookup(self, _column: str, value: Any) -> Lookup:
        if not isinstance(value, dict) or set(value) != set(_LOOKUP_WORDS):
            raise ValueError(f"takes exactly {', '.join(_LOOKUP_WORDS)}")
        if not all(isinstance(word, str) and word for word in value.values()):
            raise ValueError("takes text in quotes for each of its words")
        path = self._find(value["file"])
        template = Template(value["value"])
        found: dict[str, str] = {}
        with path.open("rb") as file:
            for item in read_file(file, "csv", _AsItIs({value["key"], *template.names})):
                for problem in [item] if isinstance(item, Problem) else item.problems:
                    raise ValueError(f"{value['file']}: {problem}")
                assert isinstance(item, Row)
                key = str(item.values[value["key"]])
                if key in found:
                    raise ValueError(f"{value['file']}: line {item.line}: {key!r} is there twice")
                found[key] = str(template.fill(item.values) or "")
        return Lookup(value["file"], value["from"], found)

    def _find(self, name: str) -> Path:
        if not self._folders:
            raise ValueError(f"{name} can't be read: a map that is sent or shipped has no files beside it")
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
        raise ValueError(f"there is no file {name}, neither beside the map nor beside the data")


class _AsItIs:
    """Passes the rows of a lookup's file on, with the file's own column names."""

    def __init__(self, needed: set[str]) -> None:
        self._needed = needed

    def fit(self, line: int, header: Sequence[str]) -> list[Problem]:
        present = set(header)
        return [
            Problem(line, None, None, "The file has no such column.", name)
            for name in sorted(self._needed)
            if name not in present
        ]

    def ignored(self, _header: Sequence[str]) -> list[str]:
        return []

    def row(self, line: int, record: ForeignRow) -> Row:
        return Row(line, record)


def _joined(table: dict[str, Any]) -> dict[str, Any]:
    """Join `bill_to.name` again, which TOML split at its dot: both spellings mean the same column."""
    joined = {}
    for name, value in table.items():
        inner_is_column = isinstance(value, dict) and name in ADDRESSES
        if inner_is_column:
            joined.update({f"{name}.{inner}": entry for inner, entry in value.items()})
        else:
            joined[name] = value
    return joined
