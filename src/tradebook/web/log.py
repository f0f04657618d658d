"""The log: lines of JSON on standard error, for programs to read. All that the server says is said here."""

import json
import re
import sys
from contextlib import suppress
from typing import Any
from urllib.parse import unquote

import msgspec

from tradebook.clock import format_ms, now_ms

KEY_START = "tb_sk_"
ENCODINGS_MAX = 8
"""How many layers of percent signs are looked through for a key."""

_KEY = re.compile(rf"{KEY_START}\w*", re.ASCII | re.IGNORECASE)
_HIDDEN = f"{KEY_START}…"
_BREAKS = re.compile("[\x7f-\x9f\u2028\u2029]")
"""What some programs take for the end of a line, or a terminal for a command; JSON allows it inside text."""


def log(event: str, **details: Any) -> None:
    """Write one line: what happened, when, and what is known of it.

    Never a key, a query, a name: what a customer is asked by stays out of the log.
    """
    record = {"event": event, "timestamp": format_ms(now_ms()), **details}
    line = _encoded(record)
    if b"%" in line or KEY_START.encode() in line.lower():
        line = _encoded({name: _without_keys(v) if isinstance(v, str) else v for name, v in record.items()})
    if not line.isascii():
        line = _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", line.decode()).encode()
    # One write for each line, as several processes share the stream. Where nobody reads it any more, or its
    # disk is full, requests are answered nevertheless.
    with suppress(OSError):
        sys.stderr.buffer.write(line + b"\n")
        sys.stderr.buffer.flush()


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
