"""Tries lines of a map that is being drafted on the rows of its file."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from tradebook.crud.kinds import Flag, OneOf
from tradebook.transfer.cells import CREATED_AT
from tradebook.transfer.columns import column_named
from tradebook.transfer.maps.column_map import MapError, load_map_text
from tradebook.transfer.maps.evidence import DATES
from tradebook.transfer.maps.looking import Looked, text_of
from tradebook.transfer.maps.toml_text import Right, key, line, right
from tradebook.transfer.rows import Row

Lines = Mapping[str, Right]
"""Right sides by our columns."""


class Trial:
    """The rows of a file, read by some lines of a map."""

    def __init__(self, looked: Looked, nothing: Sequence[str]) -> None:
        self._looked = looked
        self._nothing = list(nothing)

    def rows(
        self,
        columns: Lines,
        values: Mapping[str, dict[str, str]] | None = None,
        defaults: Mapping[str, str] | None = None,
    ) -> Iterator[Row]:
        """Yield every row as the lines make it; MapError if they make no map, or none for these headings."""
        text = [
            *(["[file]", line("nothing", self._nothing)] if self._nothing else []),
            "[columns]",
            *(line(column, one) for column, one in columns.items()),
        ]
        for column, listed in (values or {}).items():
            text += [f"[values.{key(column)}]", *(line(theirs, ours) for theirs, ours in listed.items())]
        if defaults:
            text += ["[defaults]", *(f"{key(column)} = {right(value)}" for column, value in defaults.items())]
        mapping = load_map_text("\n".join(text), ())
        if self._looked.header and (wrong := mapping.fit(1, self._looked.header)):
            raise MapError(str(wrong[0]))
        return (mapping.row(1, record) for record in self._looked.records)

    def reads_all(
        self,
        column: str,
        one: Right,
        values: Mapping[str, dict[str, str]] | None = None,
        defaults: Mapping[str, str] | None = None,
    ) -> bool:
        """Tell whether a line reads every row."""
        try:
            rows = self.rows({column: one}, values, defaults)
            return not any(_unreadable(column, row) is not None for row in rows)
        except MapError:
            return False

    def unreadable(self, column: str, one: Right) -> Counter[str]:
        """Count the values that a line can't read."""
        try:
            found = [_unreadable(column, row) for row in self.rows({column: one})]
        except MapError:
            return Counter()
        return Counter(value for value in found if value is not None)


def _unreadable(column: str, row: Row) -> str | None:
    if row.problems:
        return row.problems[0].value or ""
    value = row.values.get(column)
    known = column_named(column)
    if value in (None, "", []) or known is None:
        return None
    try:
        known.read(value)
    except ValueError:
        return text_of(value)
    return None


def closed_words(column: str) -> tuple[str, ...]:
    """Return the words that a column takes, if it takes no others."""
    known = column_named(column)
    if known is None:
        return ()
    if isinstance(known.cell.kind, OneOf):
        return known.cell.kind.words
    return ("true", "false") if isinstance(known.cell.kind, Flag) else ()


def date_formats(values: Sequence[str]) -> list[list[str]]:
    """Find the formats by which all of these dates can be read.

    There are two answers where nothing tells day from month, and none where a date has no known format.
    """
    found = []
    for first, second in (("%d", "%m"), ("%m", "%d")):
        others = (f"{second}/{first}", f"{second}-{first}")
        formats = _covering(values, [form for form in DATES if not form.startswith(others)])
        if formats and formats not in found:
            found.append(formats)
    return found


def _covering(values: Sequence[str], formats: Sequence[str]) -> list[str]:
    """Take the formats one by one until every value is read by one of them."""
    taken, unread = [], list(dict.fromkeys(values))
    for form in formats:
        rest = [value for value in unread if not _is_date(value, form)]
        if len(rest) < len(unread):
            taken.append(form)
            unread = rest
    return [] if unread else taken


def _is_date(value: str, form: str) -> bool:
    try:
        if form == "iso":
            CREATED_AT.kind.read_cell(value)
        else:
            datetime.strptime(value, form)  # noqa: DTZ007 - only whether it can be read
    except ValueError:
        return False
    return True
