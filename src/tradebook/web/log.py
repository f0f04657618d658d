"""The log: lines of JSON on standard error, for programs to read. All that the server says is said here."""

import json
import re
import sys
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import msgspec

from tradebook.clock import format_ms, now_ms

KEY_START = "tb_sk_"
ENCODINGS_MAX = 8
"""How many layers of percent signs are looked through for a key."""

GATHERING_SECONDS, GATHERED_MAX = 0.05, 64
"""How long a line waits for others that are written with it, and how many wait."""

TOGETHER_BYTES_MAX = 4_096
"""How much is written together: the system writes no more into a pipe in one piece."""

Later = Callable[[float, Callable[[], None]], object]
"""Has something done after some seconds."""

_KEY = re.compile(rf"{KEY_START}\w*", re.ASCII | re.IGNORECASE)
_HIDDEN = f"{KEY_START}…"
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029]")
"""What some programs take for the end of a line, or a terminal for a command; JSON allows it inside text."""


def log(event: str, **details: Any) -> None:
    """Write one line: what happened, when, and what is known of it.

    Never a key, a query, a name: what a customer is asked by stays out of the log.
    """
    _lines.write(f"{_clean({'event': event, 'timestamp': format_ms(now_ms()), **details})}\n")


def log_request(request_id: str, told: str, seconds: float, *, write_later: Later | None = None) -> None:
    """Write the line of a request: `told` is what `members_of` makes of it, but for what each has of its own.

    It is written together with others where `write_later` has that done, and soon.
    """
    if write_later is None:
        _lines.write(_line_of_request(now_ms(), request_id, told, seconds))
    else:
        _lines.add((now_ms(), request_id, told, seconds), write_later)


def _line_of_request(now: int, request_id: str, told: str, seconds: float) -> str:
    return (
        f'{{"event":"request","timestamp":"{format_ms(now)}","request_id":"{request_id}",'
        f'{told},"ms":{round(seconds * 1000, 3)}}}\n'
    )


def members_of(record: dict[str, Any]) -> str:
    """Write what is known as JSON, without the braces around it and without any key in it."""
    return _clean(record)[1:-1]


def _clean(record: dict[str, Any]) -> str:
    line = _encoded(record)
    if b"%" in line or KEY_START.encode() in line.lower():
        line = _encoded({name: _without_keys(v) if isinstance(v, str) else v for name, v in record.items()})
    if line.isascii():
        return line.decode()
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode())


def write_gathered() -> None:
    """Write the lines that wait for others, before the process ends."""
    _lines.write()


class _Lines:
    """The lines that are yet to be written: a write is a call of the system, and lets other threads run."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[int, str, str, float]] = deque()

    def add(self, request: tuple[int, str, str, float], write_later: Later) -> None:
        """Have the line of a request wait for others."""
        waiting = self._waiting
        waiting.append(request)
        if len(waiting) == 1:
            write_later(GATHERING_SECONDS, self.write)
        elif len(waiting) >= GATHERED_MAX:
            self.write()

    def write(self, *lines: str) -> None:
        """Write what waits, and then these."""
        rest = "".join((*self._take(), *lines)).encode()
        while rest:
            end = (
                len(rest) if len(rest) <= TOGETHER_BYTES_MAX else rest.rfind(b"\n", 0, TOGETHER_BYTES_MAX) + 1
            )
            # A line that is longer alone is whole all the same.
            end = end or rest.index(b"\n") + 1
            _write(rest[:end])
            rest = rest[end:]

    def _take(self) -> Iterator[str]:
        # Each is taken by one thread alone.
        with suppress(IndexError):
            while True:
                yield _line_of_request(*self._waiting.popleft())


_lines = _Lines()


def _write(lines: bytes) -> None:
    # Whole lines at once, as several processes share the stream. Where nobody reads it any more, or its disk
    # is full, requests are answered nevertheless.
    try:
        sys.stderr.buffer.write(lines)
        sys.stderr.buffer.flush()
    except OSError:
        return


def _encoded(record: dict[str, Any]) -> bytes:
    try:
        return msgspec.json.encode(record)
    except UnicodeEncodeError:
        # Half a character in the message of a fault, which must be told all the same.
        return json.dumps(record).encode()


def _without_keys(text: str) -> str:
    """Take keys out of text, however often percent signs have been put around them.

    A client may have put one where none belongs, such as into a path.
    """
    plain = text
    for _ in range(ENCODINGS_MAX):
        if "%" not in plain:
            break
        plain, before = unquote(plain), plain
        if plain == before:
            break
    else:
        # Nobody writes so by accident.
        return "…"
    return _KEY.sub(_HIDDEN, plain) if KEY_START in plain.lower() else text
