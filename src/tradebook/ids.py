"""Keys and the public ids made of them.

A row's key is one 63-bit integer: 42 bits of milliseconds since 1970, then 21 bits that tell rows of
the same millisecond apart. The one number is primary key, list order, `created_at` and public id
(docs/decisions/0001).
"""

import re
import secrets
from threading import Lock

from tradebook.clock import now_ms

KEY_BITS = 63
SEQUENCE_BITS = 21
KEY_MAX = (1 << KEY_BITS) - 1
MILLISECONDS_MAX = KEY_MAX >> SEQUENCE_BITS

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_DIGITS_OF_PYTHON = str.maketrans(_ALPHABET, "0123456789abcdefghijklmnopqrstuv")
# Three digits at a time: a page of 100 customers formats hundreds of ids.
_TRIPLES = [a + b + c for a in _ALPHABET for b in _ALPHABET for c in _ALPHABET]
_BODY = re.compile(r"[0-7][0-9a-hjkmnp-tv-z]{12}", re.ASCII)
ANY_BODY_PATTERN = "[0-9a-z]{1,64}"
"""What a body may look like that a client sends: ids of other systems are well-formed too."""

_ANY_BODY = re.compile(ANY_BODY_PATTERN, re.ASCII)
SPARE, SOURCE, ATTACHED = 1, 2, 3
"""Places of what examples delete, merge, and take away from an address; the first is what they show."""

_EXAMPLE_MS = 1_546_848_000_000
"""2019-01-07T08:00:00Z: when the made-up book of a demo was begun."""

NO_KEY = KEY_MAX
"""The key of well-formed ids that none of ours is: no row ever has it, and no list reaches it."""


def encode_body(key: int) -> str:
    """Write a key as 13 characters of lower-case Crockford base 32; text order is key order."""
    # One formatted string: joining the five parts with + takes a third longer.
    return (
        f"{_ALPHABET[key >> 60]}{_TRIPLES[(key >> 45) & 0x7FFF]}{_TRIPLES[(key >> 30) & 0x7FFF]}"
        f"{_TRIPLES[(key >> 15) & 0x7FFF]}{_TRIPLES[key & 0x7FFF]}"
    )


def encode_id(prefix: str, key: int) -> str:
    """Write a key as a public id such as `ac_1hk8c0m5zr3d8`."""
    return f"{prefix}_{encode_body(key)}"


def decode_body(body: str) -> int | None:
    """Read 13 characters back into a key; None when they are no key in its one spelling."""
    if not _BODY.fullmatch(body):
        return None
    return int(body.translate(_DIGITS_OF_PYTHON), 32)


def decode_id(prefix: str, text: str) -> int | None:
    """Read a public id back into a key; None when it is of another type or malformed."""
    found, _, body = text.partition("_")
    return decode_body(body) if found == prefix else None


def read_id(prefix: str, text: str) -> int | None:
    """Read an id that a client sends; NO_KEY where it is of another system, None where it is malformed."""
    found, _, body = text.partition("_")
    if found != prefix or not _ANY_BODY.fullmatch(body):
        return None
    key = decode_body(body)
    return NO_KEY if key is None else key


def milliseconds_of(key: int) -> int:
    """Tell when the row of this key was created, in milliseconds since 1970."""
    return key >> SEQUENCE_BITS


def first_key_of(milliseconds: int) -> int:
    """Return the smallest key of a millisecond; outside the range of keys, the nearest end of it."""
    return min(max(milliseconds, 0) << SEQUENCE_BITS, KEY_MAX)


def example_key(place: int = 0) -> int:
    """Return a key for examples: the first objects of each kind in a demo book have these keys."""
    return first_key_of(_EXAMPLE_MS) + place


class ClockOutOfRange(Exception):
    """The machine's clock shows a time that no key can hold: nothing can be written until it is right."""


class KeyMaker:
    """Makes keys that always rise, even if the clock stands still or steps back.

    Two processes may make keys in the same millisecond. Each starts at a random place inside it, and the
    primary key refuses a key that exists already.
    """

    def __init__(self) -> None:
        self._last = 0
        self._lock = Lock()

    def next(self, milliseconds: int, count: int = 1) -> int:
        """Return the first of so many keys for now, all later than every key this maker has given.

        ClockOutOfRange before the first of them or after the last; later keys are not touched by it.
        """
        if not 0 <= milliseconds < MILLISECONDS_MAX:
            raise ClockOutOfRange(
                "The clock of this machine is wrong: it shows a time before 1970 or after May 2109. Nothing "
                "can be written until it is set."
            )
        start = milliseconds << SEQUENCE_BITS
        with self._lock:
            # In a millisecond that it has begun, it goes on: chance costs more than all else here.
            is_begun = self._last >= start
            first = self._last + 1 if is_begun else start | secrets.randbits(SEQUENCE_BITS - 1)
            self._last = first + count - 1
        return first


_of_process = KeyMaker()


def new_key() -> int:
    """Make a key for now, later than every one that this process has made."""
    return new_keys(1)


def new_keys(count: int) -> int:
    """Make so many keys for now, one after the other, and return the first."""
    return _of_process.next(now_ms(), count)
