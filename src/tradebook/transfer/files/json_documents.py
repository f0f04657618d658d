"""A document of JSON read record by record: a list of objects, or an object with one such list in it."""

from collections.abc import Callable, Iterator

import msgspec

from tradebook.crud.strict_json import NotStrict
from tradebook.text import shown
from tradebook.transfer.columns import column_named
from tradebook.transfer.files.decoding import Lines
from tradebook.transfer.files.json_text import Element, JsonText
from tradebook.transfer.files.ndjson import ATTACHED, FLAT, Objects, why
from tradebook.transfer.files.records import Records
from tradebook.transfer.files.source import Unreadable
from tradebook.transfer.rows import Problem, Row

_DEPTH_MAX = 20
_KEYS_MAX = 1_000

Path = tuple[str, ...]


class Found(msgspec.Struct):
    """What an object that is a whole file has in it."""

    lists: list[Path] = []
    """Where lists of objects are."""
    empty: list[Path] = []
    keys: list[str] = []
    """Its own keys."""
    is_first_of_several: bool = False


def json_rows(open_lines: Callable[[], Lines], records: Records) -> Iterator[Row | Problem]:
    """Yield a row for each object; its line is where it begins."""
    objects = Objects(records)
    # Each look begins anew, because all of them read the same stream.
    first = JsonText(open_lines()).peek()
    path = _list_of(_look_through(JsonText(open_lines())), records) if first == "{" else None
    text = JsonText(open_lines())
    is_empty = True
    for element in _elements(text, path, records):
        is_empty = False
        if element.error is None:
            yield objects.row(element.line, element.value, element.raw)
        else:
            yield records.unreadable(element.line, element.error, element.raw, element.raw)
    if text.ends_early is not None:
        yield Problem(text.line, None, None, text.ends_early)
    elif is_empty:
        yield Problem(1, None, None, "The file is empty.")
    objects.tell()


def _elements(text: JsonText, path: Path | None, records: Records) -> Iterator[Element]:
    first = text.peek()
    if first == "{" and path is None:
        yield from text.values()
        return
    if path:
        records.recognised.notes.append(f"The records are the list {shown('.'.join(path))} of the file.")
        text.go_to(path)
    elif first != "[":
        if first:
            raise Unreadable("The file is no list of JSON objects.")
        return
    text.take("[")
    yield from text.elements()
    if first == "[" and text.ends_early is None and text.peek():
        text.ends_early = "Something follows the list: a file holds one."


def _look_through(text: JsonText) -> Found:
    """Read an object once, and tell what is in it."""
    found = Found()
    try:
        _walk(text, (), found)
    except NotStrict as error:
        raise Unreadable(f"{why(error, 'The file')[:-1]}, in line {text.line}.") from None
    found.is_first_of_several = text.peek() != ""
    return found


def _walk(text: JsonText, path: Path, found: Found) -> None:
    for key in text.object_keys():
        if not path and len(found.keys) < _KEYS_MAX:
            found.keys.append(key)
        here = (*path, key)
        begins = text.peek()
        if begins == "{" and len(path) < _DEPTH_MAX:
            _walk(text, here, found)
        elif begins == "[":
            text.take("[")
            inner = text.peek()
            if inner in ("{", "]"):
                (found.lists if inner == "{" else found.empty).append(here)
            for _ in text.elements():
                pass
            if text.ends_early is not None:
                return
        else:
            text.value()


def _list_of(found: Found, records: Records) -> Path | None:
    """Choose the list that is meant; None where the object itself is a record."""
    if found.is_first_of_several or (records.are_ours and all(map(_is_own, found.keys))):
        return None
    lists = found.lists or found.empty[:1]
    if len(lists) > 1:
        names = " and ".join(shown(".".join(path)) for path in lists[:3])
        raise Unreadable(
            f"The file has several lists of objects, {names}: write the one that is meant to a file."
        )
    return lists[0] if lists else None


def _is_own(key: str) -> bool:
    return key == ATTACHED or key in FLAT or column_named(key) is not None
