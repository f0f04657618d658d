"""Dates and times as other systems write them, once a map says in which formats and which zone."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from tradebook.clock import format_ms
from tradebook.ids import MILLISECONDS_MAX
from tradebook.transfer.cells import Dated, counted_day
from tradebook.transfer.maps.options import shown
from tradebook.transfer.maps.words import nearest, texts

ReadMoment = Callable[[str], datetime | None]

ISO = "iso"
_LENGTH_MAX = 100
_ISO = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_SAMPLE = datetime(2001, 2, 3, 4, 5, 6, tzinfo=UTC)
_NUMBERS_SIDE_BY_SIDE = re.compile(r"%[dmyYHMSIjf](?=%[dmyYHMSIjf])")
_YEAR = re.compile(r"%[YycxG]")
_DIRECTIVES = {"YYYY": "%Y", "YY": "%y", "MM": "%m", "DD": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}
_OTHER_NOTATION = re.compile("|".join(_DIRECTIVES))


def read_formats(value: Any) -> tuple[str, ...]:
    """Take the formats of dates that a map gives: `iso`, or as `strptime` has them."""
    formats = texts(value)
    for each in formats:
        if each != ISO:
            _check_format(each)
    return formats


def _check_format(text: str) -> None:
    if "%" not in text:
        guess = _OTHER_NOTATION.sub(lambda match: _DIRECTIVES[match[0]], _with_clear_months(text))
        hint = f"; did you mean {guess}?" if "%" in guess else ""
        raise ValueError(f'takes "iso", or formats such as %d/%m/%Y; {shown(text)} has no % in it{hint}')
    if "%Z" in text:
        raise ValueError(
            f"{shown(text)} has %Z, whose names are not unique: write them out, and say the zone in zone"
        )
    try:
        datetime.strptime(_SAMPLE.strftime(text), text)  # noqa: DTZ007 - only whether it is a format
    except ValueError as error:
        raise ValueError(f"{shown(text)} is no format of dates: {error}") from None
    if not _YEAR.search(text):
        raise ValueError(f"{shown(text)} has no year; write it as %Y")


def _with_clear_months(text: str) -> str:
    """Write YYYY-MM-DD HH:mm:ss, as spreadsheets and others have it, so that mm is minutes alone."""
    clear = text.replace("yy", "YY").replace("dd", "DD").replace("hh", "HH")
    return clear if "HH" in clear else clear.replace("mm", "MM")


def read_zone(value: Any) -> tzinfo:
    """Take the name of a time zone of the IANA."""
    import zoneinfo  # noqa: PLC0415 - late: few maps have one

    if not isinstance(value, str) or not value:
        raise ValueError("takes the name of a time zone in quotes, such as Europe/Dublin")
    try:
        return zoneinfo.ZoneInfo(value)
    except (LookupError, ValueError, OSError):
        near = nearest(value, sorted(zoneinfo.available_timezones()))
        hint = f"; did you mean {near}?" if near else ""
        raise ValueError(f"takes a time zone such as Europe/Dublin; {shown(value)} is none{hint}") from None


def date_reader(formats: Sequence[str], zone: tzinfo | None) -> Callable[[str], str]:
    """Return what turns a date of these formats into an RFC 3339 time; ValueError says why it can't.

    A time that says no offset is one of the zone, UTC if there is none. An hour that a zone has twice, at the
    end of summer time, is the first one. One that it doesn't have is counted on from the hour before.
    """
    known = formats or (ISO,)
    written = " or ".join(known).replace(ISO, "2024-05-01T09:30:00Z or 2024-05-01")
    local = zone or UTC
    readers = [_iso if each == ISO else _of_format(each) for each in known]

    def read(text: str) -> str:
        found = _moment(text.strip(), [_iso] if isinstance(text, Dated) else readers)
        if found is None:
            raise ValueError(f"is no date of the form {written}{counted_day(text.strip())}")
        try:
            seconds = (found if found.tzinfo else found.replace(tzinfo=local)).timestamp()
        except (OverflowError, ValueError):
            seconds = -1.0
        milliseconds = int(seconds) * 1000 + found.microsecond // 1000
        if not 0 <= milliseconds < MILLISECONDS_MAX:
            raise ValueError("is not between 1970 and 2109")
        return format_ms(milliseconds)

    return read


def date_writer(formats: Sequence[str], zone: tzinfo | None) -> Callable[[object], str | None]:
    """Return what writes a workbook's date so that `date_reader` takes the text for the same moment.

    None for any other value, and where each of the formats would lose something of it.
    """
    read = date_reader(formats, zone)

    def write(cell: object) -> str | None:
        if not isinstance(cell, Dated):
            return None
        for form in formats or (ISO,):
            try:
                text = str(cell) if form == ISO else datetime.fromisoformat(cell).strftime(form)
                if read(text) == read(cell):
                    return text
            except ValueError:
                continue
        return None

    return write


def _moment(text: str, readers: Sequence[ReadMoment]) -> datetime | None:
    if len(text) > _LENGTH_MAX:
        return None
    for reader in readers:
        found = reader(text)
        if found is not None:
            return found
    return None


def _iso(text: str) -> datetime | None:
    if not _ISO.fullmatch(text):
        return None
    try:
        return datetime.fromisoformat(text.upper())
    except ValueError:
        return None


def _of_format(form: str) -> ReadMoment:
    # Without a sign between two numbers, one digit too few could be missing from either.
    is_tight = bool(_NUMBERS_SIDE_BY_SIDE.search(form))

    def read(text: str) -> datetime | None:
        try:
            found = datetime.strptime(text, form)  # noqa: DTZ007 - the zone is the map's
        except ValueError:
            return None
        return None if is_tight and found.strftime(form).casefold() != text.casefold() else found

    return read
