"""Times: milliseconds since 1970 inside, RFC 3339 in UTC outside."""

import re
import time
from datetime import UTC, datetime, timedelta

DAY_MS = 86_400_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:([Zz])|([+\- ])(\d\d):?(\d\d))",
    re.ASCII,
)
_MINUTE, _SECOND = 60_000, 1_000
_MINUTES = [f"{hour:02d}:{minute:02d}:" for hour in range(24) for minute in range(60)]
_SECONDS = [f"{second:02d}." for second in range(60)]
_MILLISECONDS = [f"{n:03d}Z" for n in range(1000)]
_DAYS_KEPT = 50_000


class _Days(dict[int, str]):
    """How each day since 1970 is written, up to the hour."""

    def __missing__(self, day: int) -> str:
        if len(self) >= _DAYS_KEPT:
            self.clear()
        written = (_EPOCH + timedelta(days=day)).strftime("%Y-%m-%dT").rjust(11, "0")
        self[day] = written
        return written


_days = _Days()


def now_ms() -> int:
    """Return the time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def format_ms(milliseconds: int) -> str:
    """Write milliseconds since 1970 as `2026-01-31T09:30:00.000Z`.

    A page has hundreds of times, no two alike, so each is put together from tables: that takes a ninth of
    what `strftime` takes.
    """
    day, rest = divmod(milliseconds, DAY_MS)
    minute, rest = divmod(rest, _MINUTE)
    second, rest = divmod(rest, _SECOND)
    return f"{_days[day]}{_MINUTES[minute]}{_SECONDS[second]}{_MILLISECONDS[rest]}"


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
