"""Times: milliseconds since 1970 inside, RFC 3339 in UTC outside."""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+\- ])(\d\d):?(\d\d))",
    re.ASCII,
)
_MILLISECONDS = [f"{n:03d}Z" for n in range(1000)]
_SECONDS_KEPT = _MOMENTS_KEPT = 10_000
_seconds: dict[int, str] = {}


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@lru_cache(_MOMENTS_KEPT)
def format_ms(milliseconds: int) -> str:
    """Write milliseconds since 1970 as `2026-01-31T09:30:00.000Z`.

    The part down to the second is remembered: rows made together share it, and `strftime` would be
    a third of a page's cost.
    """
    second, rest = divmod(milliseconds, 1000)
    text = _seconds.get(second)
    if text is None:
        if len(_seconds) >= _SECONDS_KEPT:
            _seconds.clear()
        moment = _EPOCH + timedelta(seconds=second)
        text = _seconds[second] = moment.strftime("%Y-%m-%dT%H:%M:%S.").rjust(20, "0")
    return text + _MILLISECONDS[rest]


def format_ms_or_none(milliseconds: int | None) -> str | None:
    """Write a time as `format_ms` does; None stays None."""
    return None if milliseconds is None else format_ms(milliseconds)


def read_ms(text: str) -> int:
    """Read what `format_ms` has written, much faster than what others may write."""
    return (datetime.fromisoformat(text) - _EPOCH) // _MILLISECOND


def parse_rfc3339(text: str) -> tuple[int, bool]:
    """Read a time as (milliseconds since 1970, whether anything finer was cut off).

    A `+` that a form decoder turned into a space is read as the plus it was; an offset may lack its colon.
    ValueError on everything else that is not an RFC 3339 date-time inside the years 1 to 9999 of UTC.
    """
    match = _RFC3339.fullmatch(text)
    if not match:
        raise ValueError(text)
    year, month, day, hour, minute, second = (int(part) for part in match.groups()[:6])
    fraction, _, sign, offset_hours, offset_minutes = match.groups()[6:]
    moment = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError(text)
        offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
        try:
            moment += offset if sign == "-" else -offset
        except OverflowError:
            raise ValueError(text) from None
    digits = (fraction or "").ljust(3, "0")
    milliseconds = (moment - _EPOCH) // _MILLISECOND + int(digits[:3])
    return milliseconds, digits[3:].strip("0") != ""
