"""Rows checked each for itself, by a helper, while those before them are decided on."""

from collections.abc import Generator, Iterable, Iterator, Sequence
from functools import partial
from typing import Any

import msgspec

from tradebook.crud.strict_json import Number
from tradebook.storage.helping import Helper, helping
from tradebook.transfer.imports.joining import Joined
from tradebook.transfer.imports.records import CheckedRow, check_row
from tradebook.transfer.imports.warnings import odd_columns
from tradebook.transfer.rows import Problem, Row

Chunk = Sequence[Joined | Problem]


class Checked(msgspec.Struct, array_like=True):
    """What a row is found to be, looked at alone."""

    record: CheckedRow
    odd: list[str]
    """The columns whose values may be worth a warning."""


def checked_chunks(
    chunks: Iterator[Chunk], *, keeps_empty: bool
) -> Generator[tuple[Chunk, Iterator[Checked]], None, None]:
    """Yield chunks, each with what its rows were found to be; for the first alone there is no helper."""
    first = next(chunks, ())
    yield first, iter(_check(_rows_of(first), keeps_empty=keeps_empty))
    before = next(chunks, None)
    if before is None:
        return
    with helping(partial(_work, keeps_empty=keeps_empty)) as helper:
        ahead = _Ahead(helper, keeps_empty=keeps_empty)
        ahead.ask(before)
        for chunk in chunks:
            found = ahead.fetch()
            ahead.ask(chunk)
            yield before, found
            before = chunk
        yield before, ahead.fetch()


class _Ahead:
    """Has one chunk checked by a helper; here, where there is none or it can't be told of these rows."""

    def __init__(self, helper: Helper, *, keeps_empty: bool) -> None:
        self._helper, self._keeps_empty = helper, keeps_empty
        self._rows: list[Row] = []
        self._is_asked = False

    def ask(self, chunk: Chunk) -> None:
        self._rows = _rows_of(chunk)
        asked = _written(self._rows) if self._helper.is_there else b""
        self._is_asked = bool(asked)
        if self._is_asked:
            self._helper.ask(asked)

    def fetch(self) -> Iterator[Checked]:
        found = self._helper.fetch() if self._is_asked else b""
        return iter(_FOUND.decode(found) if found else _check(self._rows, keeps_empty=self._keeps_empty))


def _check(rows: Iterable[Row], *, keeps_empty: bool) -> list[Checked]:
    return [Checked(check_row(row, keeps_empty=keeps_empty), odd_columns(row)) for row in rows]


def _work(asked: bytes, *, keeps_empty: bool) -> bytes:
    return _written(_check(_ASKED.decode(asked), keeps_empty=keeps_empty))


def _rows_of(chunk: Chunk) -> list[Row]:
    """List the rows that are to be checked, without what the file has."""
    return [
        Row(row.line, row.values, row.problems, row.refused, row.defaulted)
        for item in chunk
        if isinstance(item, Joined) and item.row.skipped is None
        for row in (item.row, *item.further)
    ]


def _written(rows: Sequence[Row | Checked]) -> bytes:
    """Write rows for the other process; nothing where one can't be written, as half a character."""
    try:
        return _ENCODER.encode(rows)
    except (TypeError, ValueError, OverflowError, RecursionError):
        return b""


def _as_number(value: Any) -> msgspec.msgpack.Ext:
    """Write a number of JSON, which is no plain text."""
    if not isinstance(value, Number):
        raise TypeError
    return msgspec.msgpack.Ext(0, value.encode())


_ENCODER = msgspec.msgpack.Encoder(enc_hook=_as_number)
_ASKED = msgspec.msgpack.Decoder(list[Row], ext_hook=lambda _, number: Number(number.tobytes().decode()))
_FOUND = msgspec.msgpack.Decoder(list[Checked])
