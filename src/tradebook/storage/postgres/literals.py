"""Statements with their values written into the text, as several that are sent at once need it.

The driver does the same at ten times the price, most of it for lists.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import psycopg
from psycopg.adapt import Transformer

_SPECIAL = ("'", "\\", "\0")
"""What a text has to be without to stand between quotes as it is, whatever the server's settings are."""


class Statement(NamedTuple):
    """A statement and its values; without values, `%` has no meaning in it."""

    sql: str
    values: Mapping[str, Any] | None = None


def written(statement: Statement, connection: psycopg.Connection[Any]) -> str:
    """Write a statement out."""
    sql, values = statement
    if values is None:
        return sql
    return sql % {name: _literal(value, connection) for name, value in values.items()}


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
    return str(Transformer(connection).as_literal(value), connection.info.encoding)


def _list(values: Sequence[Any], connection: psycopg.Connection[Any]) -> str:
    kinds = set(map(type, values))
    if kinds <= {int}:
        return f"'{{{','.join(map(str, values))}}}'"
    if kinds <= {int, str, type(None)}:
        return _literal(f"{{{','.join(map(_entry, values))}}}", connection)
    return str(Transformer(connection).as_literal(values), connection.info.encoding)


def _entry(value: Any) -> str:
    if value is None:
        return "NULL"
    if type(value) is int:
        return str(value)
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _is_plain(text: str) -> bool:
    return not any(each in text for each in _SPECIAL)
