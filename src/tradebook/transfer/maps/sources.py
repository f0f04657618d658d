"""The right sides of a map: a heading, a path into objects, or a template, and what it gives of a record."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any, Final, NamedTuple

from tradebook.text import as_read
from tradebook.transfer.maps.words import nearest
from tradebook.transfer.rows import Record, nth_heading

Read = Callable[[Record], Any]
"""Takes a value out of a record: empty text where there is nothing, ABSENT where not even the key is."""

SEPARATORS = " \t\r\n\N{NO-BREAK SPACE},;/|\N{MIDDLE DOT}\N{EN DASH}-"
"""What a template's outcome neither begins nor ends with."""
HINTS_MAX, HEADINGS_COMPARED_MAX = 20, 1_000
_PATH_PARTS_MAX = 16
_WHICH = "say in the map which one counts, by nth = 1 to nth ="
_BRACES, _BRACKETS, _ESCAPED = ("{", "}"), ("[", "]"), ("{{", "}}", "[[", "]]")
_PIECE = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{([^{}]+)\}|[][{}]|[^][{}]+")


class _Absent:
    def __bool__(self) -> bool:
        return False


ABSENT: Final = _Absent()
"""In place of a value whose key an object does not have: it says nothing, where null clears."""


class CellError(ValueError):
    """A cell can't be taken: what it has, and why not."""

    def __init__(self, value: str | None, reason: str) -> None:
        super().__init__(reason)
        self.value = value
        self.reason = reason


class Headings:
    """The headings of a file that has some: what a map finds there, and what it does not."""

    def __init__(self, header: Sequence[str], *, are_optional: bool = False, has_hints: bool = True) -> None:
        self._count = Counter(header)
        self._alike: dict[str, set[str]] | None = None
        self._hints_left = HINTS_MAX if has_hints else 0
        self.are_optional = are_optional
        self.taken: set[str] = set()
        """The keys in records of what the map takes."""
        self.lacked: set[str] = set()
        """What the map takes and is no heading; in JSON it may be a path."""
        self._problems: dict[str, str] = {}

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Each heading that can't be taken, and why not."""
        return list(self._problems.items())

    def has(self, name: str) -> bool:
        """Tell whether there is such a heading, blanks around it apart."""
        return bool(name) and self._heading(name) in self._count

    def has_any_of(self, text: str) -> bool:
        """Tell whether the file has a heading that a right side takes."""
        if self.has(text):
            return True
        try:
            return any(map(self.has, Template(text).names))
        except ValueError:
            return False

    def _heading(self, name: str) -> str:
        # Files are read with the blanks and line breaks of their headings tidied up.
        tidy = " ".join(name.split())
        if name in self._count or tidy in self._count:
            return name if name in self._count else tidy
        if self._alike is None:
            self._alike = {}
            for heading in self._count:
                self._alike.setdefault(as_read(heading), set()).add(heading)
        alike = self._alike.get(as_read(name), set())
        return next(iter(alike)) if len(alike) == 1 else tidy

    def take(self, name: str, nth: int | None, purpose: str) -> str | None:
        """Return the key that records have for a heading, None where the file may lack it.

        What is wrong is noted in `problems`.
        """
        heading = self._heading(name)
        count = self._count[heading] if heading else 0
        if not count:
            self.lacked.add(heading)
        if self.are_optional and count < (nth or 1):
            return None
        if not count:
            self.note(name, f"The map {purpose} this column; the file has none.{self._hint(heading)}")
        elif nth is None and count > 1:
            self.note(name, f"The map {purpose} this column; the file has {count}: {_WHICH} {count}.")
        elif nth is not None and nth > count:
            self.note(
                name, f"The map {purpose} number {nth} of the columns of this name; the file has {count}."
            )
        key = nth_heading(heading, nth or 1)
        if count:
            self.taken.add(key)
        return key

    def _hint(self, heading: str) -> str:
        # It takes its time: a file may have thousands of columns, and a map too.
        if not self._hints_left:
            return ""
        self._hints_left -= 1
        near = nearest(heading, [each for each in islice(self._count, HEADINGS_COMPARED_MAX) if each])
        return f" Did you mean {near}?" if near else ""

    def leaves_out(self, key: str) -> bool:
        """Tell whether the map takes nothing from a column, nor from what is inside it."""
        return key not in self.taken and not any(path.startswith(f"{key}.") for path in self.lacked)

    def note(self, name: str, reason: str) -> None:
        """Note why a heading can't be taken."""
        self._problems.setdefault(name, reason)


class Template:
    """Text with names of columns in braces, and parts in brackets that go when a column in them is empty.

    ValueError says what is wrong with the text.
    """

    def __init__(self, text: str) -> None:
        self.parts: list[list[tuple[str | None, str]]] = [[]]
        """Pieces, a name or literal text each; the parts at odd places stand in brackets."""
        for match in _PIECE.finditer(text):
            self._add(text, match[0], match[1])
        if len(self.parts) % 2 == 0:
            raise ValueError(f"{text!r} has a bracket without its other half; [[ is a bracket itself")
        for part in self.parts[1::2]:
            if not any(name for name, _ in part):
                raise ValueError(
                    f"{text!r} has a part in brackets with no column in it; [[ is a bracket itself"
                )
        self.names = [name for part in self.parts for name, _ in part if name]
        self.is_one_name = len(self.parts) == 1 and len(self.parts[0]) == 1 and bool(self.names)
        self.literal = None if self.names else "".join(literal for _, literal in self.parts[0])
        """What the text says where it has no column at all."""

    def _add(self, text: str, piece: str, name: str | None) -> None:
        is_inside = len(self.parts) % 2 == 0
        if piece == "[" and is_inside:
            raise ValueError(f"{text!r} has a part in brackets inside another one")
        if piece in _BRACES:
            raise ValueError(f"{text!r} has a brace without its other half; {{{{ is a brace itself")
        if piece == "]" and not is_inside:
            raise ValueError(f"{text!r} has a bracket without its other half; [[ is a bracket itself")
        if piece in _BRACKETS:
            self.parts.append([])
        else:
            self.parts[-1].append((name, piece[0] if piece in _ESCAPED else piece))

    def filled_by(self, read_of: Callable[[str], Read], *, keeps_lines: bool) -> Read:
        """Return what fills it; `read_of` gives what reads the column of a name."""
        parts = [
            (
                [read_of(name) for name, _ in part if name],
                "".join("%s" if name else literal.replace("%", "%%") for name, literal in part),
                place % 2,
            )
            for place, part in enumerate(self.parts)
        ]

        def fill(record: Record) -> Any:
            text, has_any, is_given = "", False, False
            for reads, form, may_go in parts:
                values = [read(record) for read in reads]
                full = [value for value in values if value or value is False]
                if full:
                    has_any = True
                elif not is_given:
                    is_given = any(value is not ABSENT for value in values)
                if not may_go or len(full) == len(values):
                    text += form % tuple([v if v.__class__ is str else as_text(v) for v in values])
            if not has_any:
                return "" if is_given else ABSENT
            return _tidied(text, keeps_lines=keeps_lines)

        return fill


def label_of(text: str) -> str:
    """Say what a right side takes: a heading as it is, the columns of a template."""
    try:
        template = Template(text)
    except ValueError:
        return text
    return " + ".join(template.names) or template.literal or text


def _tidied(text: str, *, keeps_lines: bool) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
    if len(lines) == 1:
        return lines[0].strip(SEPARATORS)
    if keeps_lines:
        return "\n".join(lines).strip(SEPARATORS)
    return joined_lines(lines).strip(SEPARATORS)


def joined_lines(lines: Sequence[str]) -> str:
    """Write lines as one, those that are empty left out."""
    return ", ".join(bare for line in lines if (bare := line.strip().rstrip(" ,;")))


def is_empty(value: Any) -> bool:
    """Tell whether there is nothing in a place; false is something."""
    return not value and value is not False


def as_text(value: Any) -> str:
    """Write a value as text, a list as its entries; CellError where it is an object."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(map(as_text, value))
    if isinstance(value, dict):
        inside = ", ".join(list(value)[:5])
        raise CellError(None, f"is an object: the map reaches into it with a dot and a name ({inside})")
    return ""


class Reading(NamedTuple):
    """How right sides of a map are read: in which file, for what, and which words mean an empty cell.

    Without headings, each record has its own names, and a name may be a path.
    """

    headings: Headings | None
    nothing: frozenset[str] = frozenset()
    purpose: str = "takes something from"
    nth: int | None = None
    keeps_lines: bool = False

    def reader(self, text: str) -> Read:
        """Return what reads a right side out of records. One that is exactly a heading is that heading."""
        try:
            template = Template(text)
        except ValueError as error:
            return self._no_template(text, error)
        if self.headings is not None:
            return self._of_heading(text) if self.headings.has(text) else self._filled(template)
        flat, filled = self._of_path(text), self._filled(template)
        return lambda record: flat(record) if text in record else filled(record)

    def _filled(self, template: Template) -> Read:
        if template.literal is not None:
            return self._named(template.literal)
        if template.is_one_name:
            return self._named(template.names[0])
        return template.filled_by(self._named, keeps_lines=self.keeps_lines)

    def _no_template(self, text: str, error: ValueError) -> Read:
        """Take what is no template for a heading, though the file may not have it."""
        has_braces = "{" in text or "}" in text
        if self.headings is None:
            flat = self._of_path(text)
            return lambda record: flat(record) if text in record or not has_braces else _refuse(error)
        if has_braces and not self.headings.has(text):
            self.headings.note(text, f"The file has no such column, and it is no template: {error}.")
            return _nothing
        return self._of_heading(text)

    def _named(self, name: str) -> Read:
        return self._of_path(name) if self.headings is None else self._of_heading(name)

    def _of_heading(self, name: str) -> Read:
        assert self.headings is not None
        key, nothing = self.headings.take(name, self.nth, self.purpose), self.nothing
        if key is None:
            return _nothing
        if not nothing:
            return lambda record: record.get(key, "")

        def read(record: Record) -> Any:
            value = record.get(key, "")
            return "" if isinstance(value, str) and value.strip() in nothing else value

        return read

    def _of_path(self, path: str) -> Read:
        nothing = self.nothing
        return lambda record: _cleaned(_reach(record, path), nothing)


def _nothing(_record: Record) -> Any:
    return ABSENT


def _refuse(error: ValueError) -> Any:
    raise CellError(None, f"can't be taken as the map says: {error}")


def _cleaned(value: Any, nothing: frozenset[str]) -> Any:
    """Return a value of JSON with nothing in it that is empty."""
    if isinstance(value, str):
        bare = value.strip()
        return "" if not bare or bare in nothing else value
    if isinstance(value, list):
        cleaned = (_cleaned(entry, nothing) for entry in value)
        return [entry for entry in cleaned if not is_empty(entry)]
    return "" if value is None or value == {} else value


def _reach(value: Any, path: str) -> Any:
    """Follow a path into objects and lists: a key of that very name, else a key and what is in it.

    A number counts the entries of a list from 0; a name reaches into each of them.
    """
    if value is None:
        return None
    if isinstance(value, dict):
        if path in value:
            return value[path]
        if path.count(".") >= _PATH_PARTS_MAX:
            return ABSENT
        at = path.find(".")
        while at >= 0:
            if path[:at] in value:
                found = _reach(value[path[:at]], path[at + 1 :])
                if found is not ABSENT:
                    return found
            at = path.find(".", at + 1)
        return ABSENT
    return _reach_into_list(value, path) if isinstance(value, list) else ABSENT


def _reach_into_list(entries: list[Any], path: str) -> Any:
    head, _, rest = path.partition(".")
    if head.isascii() and head.isdigit() and len(head) < 10:
        place = int(head)
        if place >= len(entries):
            return ABSENT
        return _reach(entries[place], rest) if rest else entries[place]
    found: list[Any] = []
    for entry in entries:
        inner = _reach(entry, path)
        if isinstance(inner, list):
            found += inner
        elif inner is not ABSENT:
            found.append(inner)
    return found if found or not entries else ABSENT
