"""The right sides of a map: a heading, a path into objects, or a template, and what it gives of a record."""

import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final

from tradebook.transfer.maps.words import nearest
from tradebook.transfer.rows import Value, nth_heading

ForeignRow = dict[str, Value]
Read = Callable[[ForeignRow], Any]
"""Takes a value out of a record: empty text where there is nothing, ABSENT where not even the key is."""

SEPARATORS = " \t\r\n\N{NO-BREAK SPACE},;/|\N{MIDDLE DOT}\N{EN DASH}-"
"""What a template's outcome neither begins nor ends with."""
_PATH_PARTS_MAX = 16
_TOKEN = re.compile(r"\{\{|\}\}|\[\[|\]\]|\{([^{}]+)\}|[][{}]|[^][{}]+")


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

    def __init__(self, header: Sequence[str]) -> None:
        self._count = Counter(header)
        self.taken: set[str] = set()
        """The keys in records of what the map takes."""
        self.problems: list[tuple[str, str]] = []
        """Each heading that can't be taken, and why not."""

    def has(self, name: str) -> bool:
        """Tell whether there is such a heading, blanks around it apart."""
        return bool(name) and (name in self._count or name.strip() in self._count)

    def take(self, name: str, nth: int | None, purpose: str) -> str:
        """Return the key that records have for a heading; what is wrong is noted in `problems`."""
        heading = name if name in self._count else name.strip()
        count = self._count[heading]
        if not count:
            near = nearest(heading, [each for each in self._count if each])
            hint = f" Did you mean {near}?" if near else ""
            self.problems.append((name, f"The map takes {purpose} from this column; the file has none.{hint}"))
        elif nth is None and count > 1:
            said = f"The file has {count} columns of this name; say in the map which one counts: nth = 1"
            self.problems.append((name, f"{said}, or nth = {count}."))
        elif nth is not None and nth > count:
            said = f"The map takes number {nth} of the columns of this name; the file has {count}."
            self.problems.append((name, said))
        key = nth_heading(heading, nth or 1)
        self.taken.add(key)
        return key


class Template:
    """Text with names of columns in braces, and parts in brackets that go when a column in them is empty.

    ValueError says what is wrong with the text.
    """

    def __init__(self, text: str) -> None:
        self.parts: list[list[tuple[str | None, str]]] = [[]]
        """Pieces, a name or literal text each; the parts at odd places stand in brackets."""
        for match in _TOKEN.finditer(text):
            self._add(text, match[0], match[1])
        if len(self.parts) % 2 == 0:
            raise ValueError(f"{text!r} has a bracket without its other half; [[ is a bracket itself")
        for part in self.parts[1::2]:
            if not any(name for name, _ in part):
                raise ValueError(f"{text!r} has a part in brackets with no column in it; [[ is a bracket itself")
        self.names = [name for part in self.parts for name, _ in part if name]
        self.is_one_name = len(self.parts) == 1 and len(self.parts[0]) == 1 and bool(self.names)
        self.literal = None if self.names else "".join(literal for _, literal in self.parts[0])
        """What the text says where it has no column at all."""

    def _add(self, text: str, token: str, name: str | None) -> None:
        is_inside = len(self.parts) % 2 == 0
        if token == "[" and is_inside:
            raise ValueError(f"{text!r} has a part in brackets inside another one")
        if token in ("{", "}"):
            raise ValueError(f"{text!r} has a brace without its other half; {{{{ is a brace itself")
        if token == "]" and not is_inside:
            raise ValueError(f"{text!r} has a bracket without its other half; [[ is a bracket itself")
        if token in ("[", "]"):
            self.parts.append([])
        else:
            is_escaped = token in ("{{", "}}", "[[", "]]")
            self.parts[-1].append((name, token[0] if is_escaped else token))

    def filled_by(self, read_of: Callable[[str], Read], *, keeps_lines: bool) -> Read:
        """Return what fills it; `read_of` gives what reads the column of a name."""
        parts = [[(read_of(name) if name else None, literal) for name, literal in part] for part in self.parts]

        def fill(record: ForeignRow) -> Any:
            texts: list[str] = []
            has_any, is_given = False, False
            for place, part in enumerate(parts):
                pieces = [literal if read is None else read(record) for read, literal in part]
                values = [value for value, (read, _) in zip(pieces, part, strict=True) if read is not None]
                full = [not is_empty(value) for value in values]
                has_any = has_any or any(full)
                is_given = is_given or any(value is not ABSENT for value in values)
                if not place % 2 or all(full):
                    texts += map(as_text, pieces)
            if not has_any:
                return "" if is_given else ABSENT
            return _tidied("".join(texts), keeps_lines=keeps_lines)

        return fill


def _tidied(text: str, *, keeps_lines: bool) -> str:
    lines = [" ".join(line.split()) for line in text.splitlines()]
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


def reader(
    text: str,
    headings: Headings | None,
    nothing: frozenset[str],
    *,
    purpose: str,
    nth: int | None = None,
    keeps_lines: bool = False,
) -> Read:
    """Return what reads a right side of a map out of records; `nothing` are words for an empty cell.

    Without headings, each record has its own names, and a name may be a path.
    """
    if headings is not None and headings.has(text):
        return _of_heading(headings.take(text, nth, purpose), nothing)
    try:
        template = Template(text)
    except ValueError as error:
        return _unreadable(text, headings, nothing, purpose, error)
    if headings is None:
        return _loosely(text, template, nothing, keeps_lines=keeps_lines)

    def read_of(name: str) -> Read:
        return _of_heading(headings.take(name, nth, purpose), nothing)

    if template.literal is not None or template.is_one_name:
        return read_of(template.names[0] if template.names else template.literal or "")
    return template.filled_by(read_of, keeps_lines=keeps_lines)


def _unreadable(
    text: str, headings: Headings | None, nothing: frozenset[str], purpose: str, error: ValueError
) -> Read:
    """Take what is no template for a heading, though the file may not have it."""
    if headings is not None:
        if "{" in text or "}" in text:
            headings.problems.append((text, f"The file has no such column, and it is no template: {error}."))
        else:
            headings.take(text, None, purpose)
        return lambda _: ""
    read = _of_path(text, nothing)
    if "{" not in text and "}" not in text:
        return read

    def read_or_refuse(record: ForeignRow) -> Any:
        if text not in record:
            raise CellError(None, f"The map can't be followed: {error}.")
        return read(record)

    return read_or_refuse


def _loosely(text: str, template: Template, nothing: frozenset[str], *, keeps_lines: bool) -> Read:
    """Read a right side of a map where each record has its own names: its very name wins."""
    if template.literal is not None:
        literal = _of_path(template.literal, nothing)
        flat = _of_path(text, nothing)
        return flat if text == template.literal else lambda r: flat(r) if text in r else literal(r)
    if template.is_one_name:
        filled = _of_path(template.names[0], nothing)
    else:
        filled = template.filled_by(lambda name: _of_path(name, nothing), keeps_lines=keeps_lines)
    flat = _of_path(text, nothing)
    return lambda record: flat(record) if text in record else filled(record)


def _of_heading(key: str, nothing: frozenset[str]) -> Read:
    if not nothing:
        return lambda record: record.get(key, "")

    def read(record: ForeignRow) -> Any:
        value = record.get(key, "")
        return "" if isinstance(value, str) and value.strip() in nothing else value

    return read


def _of_path(path: str, nothing: frozenset[str]) -> Read:
    def read(record: ForeignRow) -> Any:
        return _cleaned(_reach(record, path), nothing)

    return read


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
