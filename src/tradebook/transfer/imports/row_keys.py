"""Keys for new rows: now, or the time that the file says a customer was created."""

from collections.abc import Iterable

import sqlalchemy as sa

from tradebook.ids import KEY_MAX, SEQUENCE_BITS, first_key_of, new_keys
from tradebook.resources.customers import customers
from tradebook.storage.database import Writer
from tradebook.storage.schema import ACCOUNT, prepare, table_of_list

_BLOCK_KEYS = 1_000
_LAST_OF_MILLISECOND = (1 << SEQUENCE_BITS) - 1

_starts = table_of_list("starts")
_c = customers.c
_LARGEST = prepare(
    sa.select(
        _starts.c.value,
        sa.select(sa.func.max(_c.id))
        .where(
            _c.account_id == ACCOUNT,
            _c.id >= _starts.c.value,
            _c.id <= _starts.c.value + _LAST_OF_MILLISECOND,
        )
        .scalar_subquery(),
    )
)


class RowKeys:
    """Gives out keys; one statement for each batch looks up which are taken."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._next = 0
        self._left_of_block = 0
        self._largest: dict[int, int | None] = {}

    def now(self) -> int:
        """Return a key for about now, later than every one before: a thousand are made at a time."""
        if not self._left_of_block:
            self._left_of_block = _BLOCK_KEYS
            self._next = new_keys(_BLOCK_KEYS)
        self._left_of_block -= 1
        self._next += 1
        return self._next - 1

    def look_up(self, times: Iterable[int]) -> None:
        """Look up which keys of these milliseconds are taken, unless that is known."""
        starts = {first_key_of(milliseconds) for milliseconds in times} - self._largest.keys()
        if starts:
            self._read(starts)

    def _read(self, starts: Iterable[int]) -> None:
        self._largest.update(self._writer.rows(_LARGEST, starts=sorted(starts)))

    def created_at(self, milliseconds: int) -> int:
        """Return the key after all others of this millisecond; if it is full, one of the next millisecond."""
        start = first_key_of(milliseconds)
        while True:
            if start not in self._largest:
                self._read([start])
            largest = self._largest[start]
            key = start if largest is None else largest + 1
            if key <= start + _LAST_OF_MILLISECOND:
                self._largest[start] = key
                return key
            start += _LAST_OF_MILLISECOND + 1
            assert start < KEY_MAX, "check_created_at keeps far enough from the end of time"
