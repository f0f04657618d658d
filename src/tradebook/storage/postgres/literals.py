"""Statements with their values written into the text, as several that are sent at once need it.

The driver does the same at ten times the price, most of it for lists.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import Transformer

ENCODING = "utf-8"
"""What every connection says that it writes in. Half of a letter of some others is a backslash."""


class Statement(NamedTuple):
    """A statement and its values; without values, `%` has no meaning in it."""

    sql: str
    values: Mapping[str, Any] | None = None
    is_kept: bool = False
    """Whether a connection may keep it: it has one plan that is right for all values but the fixed ones."""
    fixed: Collection[str] = ("limit",)
    """The names of values that are part of what is kept: the plan depends on them."""


class Kept(NamedTuple):
    """A statement as a server keeps it, under a name that no other statement has."""

    name: str
    preparation: bytes
    places: tuple[str, ...]
    """The names of its values, in their order."""


class Written(NamedTuple):
    """A statement that is written out; `kept` is what the server must have for it."""

    text: bytes
    kept: Kept | None = None


def written(statement: Statement, connection: psycopg.Connection[Any], *, keeps: bool) -> Written:
    """Write a statement out, for a connection that keeps some or none."""
    sql, values, is_kept, fixed = statement
    if values is None:
        return Written(sql.encode())
    if keeps and is_kept:
        known = tuple([(name, _literal(values[name], connection)) for name in fixed if name in values])
        kept = _kept(sql, known)
        given = ", ".join([_literal(values[name], connection) for name in kept.places])
        return Written(f"EXECUTE {kept.name}{given and f' ({given})'}".encode(), kept)
    text = sql % {name: _literal(value, connection) for name, value in values.items()}
    return Written(text.encode())


@lru_cache(1_000)
def _kept(sql: str, known: tuple[tuple[str, str], ...]) -> Kept:
    places = _Places(known)
    numbered = sql % places
    # Made from the text, so that one name never means two statements, whoever else has used the session.
    name = f"tradebook_{blake2b(numbered.encode(), digest_size=12).hexdigest()}"
    return Kept(name, f"PREPARE {name} AS {numbered}".encode(), tuple(places)[len(known) :])


class _Places(dict[str, str]):
    """Numbers the names that it is asked for, but for those that are known."""

    def __init__(self, known: Sequence[tuple[str, str]]) -> None:
        super().__init__(known)
        self._known = len(known)

    def __missing__(self, name: str) -> str:
        place = self[name] = f"${len(self) - self._known + 1}"
        return place


def _literal(value: Any, connection: psycopg.Connection[Any]) -> str:
    kind = type(value)
    if kind is int:
        # A sign could become one operator with what stands before it.
        return str(value) if value >= 0 else f"({value})"
    if value is None:
        return "NULL"
    if kind is str and _is_plain(value):
        return f"'{value}'"
    if kind is list:
        return _list(value, connection)
    # The driver knows the connection's settings.
    return str(Transformer(connection).as_literal(value), ENCODING)


def _list(values: Sequence[Any], connection: psycopg.Connection[Any]) -> str:
    kinds = set(map(type, values))
    if kinds <= {int}:
        return f"'{{{','.join(map(str, values))}}}'"
    if kinds <= {int, str, type(None)}:
        return _literal(f"{{{','.join(map(_entry, values))}}}", connection)
    return str(Transformer(connection).as_literal(values), ENCODING)


def _entry(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_plain(text: str) -> bool:
    """Tell whether a text may stand between quotes as it is, whatever the server's settings are."""
    return "'" not in text and "\\" not in text and "\0" not in text
