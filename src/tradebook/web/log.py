"""The log: lines of JSON on standard error, for programs to read. All that the server says is said here."""

import json
import re
import sys
from typing import Any

import msgspec

from tradebook.clock import format_ms, now_ms

KEY_START = b"tb_sk_"
_KEY = re.compile(KEY_START + rb"\w*", re.ASCII)


def log(event: str, **details: Any) -> None:
    """Write one line: what happened, when, and what is known of it.

    Never a key, a query, a name: what a customer is asked by stays out of the log.
    """
    record = {"event": event, "timestamp": format_ms(now_ms()), **details}
    try:
        line = msgspec.json.encode(record)
    except UnicodeEncodeError:
        # Half a character in the message of a fault, which must be told all the same.
        line = json.dumps(record).encode()
    if KEY_START in line:
        # A key that somebody has put where none belongs, such as into a path.
        line = _KEY.sub(KEY_START + "…".encode(), line)
    # One write for each line, as several processes share the stream.
    sys.stderr.buffer.write(line + b"\n")
    sys.stderr.buffer.flush()
