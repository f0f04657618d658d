"""The declared parameters of a query string: how a value is read, what it may be, which filter it becomes.

Requests and the OpenAPI document use the same declarations.
"""

import re
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec

from tradebook.clock import parse_rfc3339
from tradebook.crud.kinds import Kind, Unreadable, Word
from tradebook.crud.text_values import TEXT_LENGTH_MAX, length_of
from tradebook.ids import first_key_of
from tradebook.storage.index import Facet

Q_LENGTH_MAX = 500
LIMIT_MAX = 1000
LIMIT_DEFAULT = 100
Pairs = Sequence[tuple[str, str]]
"""Names and values as a client spells them, in its order."""

_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class Text(Kind, frozen=True):
    """Text; by default of 1 to 255 characters. With a minimum of 0, an empty text asks for nothing."""

    length_min: int = 1
    length_max: int = TEXT_LENGTH_MAX

    def read(self, text: str) -> str:
        """Take the text as it is."""
        if not self.length_min <= length_of(text, self.length_max) <= self.length_max:
            raise Unreadable(f"takes text of {self.length_min} to {self.length_max} characters")
        return text

    def schema(self) -> dict[str, Any]:
        """Describe the length."""
        return {"type": "string", "minLength": self.length_min, "maxLength": self.length_max}


class Moment(Kind, frozen=True):
    """An inclusive bound for the time of creation; reading it returns the key at that bound."""

    side: Literal["start", "end"]

    def read(self, text: str) -> int:
        """Read an RFC 3339 date-time. A time finer than a millisecond is rounded into the range."""
        try:
            milliseconds, finer = parse_rfc3339(text)
        except ValueError:
            raise Unreadable(
                "takes an RFC 3339 date-time with its offset, in the years 0001 to 9999 of UTC, "
                "such as 2026-01-31T09:30:00Z or 2026-01-31T09:30:00+01:00"
            ) from None
        return first_key_of(milliseconds + 1 if finer or self.side == "end" else milliseconds)

    def example(self) -> str:
        """Give a time that nothing of a demo book is beyond."""
        return "2019-01-01T00:00:00Z" if self.side == "start" else "2099-12-31T23:59:59Z"

    def schema(self) -> dict[str, Any]:
        """Describe a date-time."""
        return {"type": "string", "format": "date-time"}


class Limit(Kind, frozen=True):
    """The most results in a page."""

    def read(self, text: str) -> int:
        """Read a whole number from 1 to 1000, in ASCII digits and nothing else."""
        if not _WHOLE_NUMBER.fullmatch(text) or int(text) > LIMIT_MAX:
            raise Unreadable(f"takes a whole number from 1 to {LIMIT_MAX}")
        return int(text)

    def example(self) -> int:
        """Give a page that can be read at a glance."""
        return 3

    def schema(self) -> dict[str, Any]:
        """Describe the range."""
        return {
            "type": "integer",
            "minimum": 1,
            "maximum": LIMIT_MAX,
            "default": LIMIT_DEFAULT,
        }


class Opaque(Kind, frozen=True):
    """A cursor; whether it is valid can be checked only when all filters are known."""

    def read(self, text: str) -> str:
        """Take the text as it is."""
        return text

    def schema(self) -> dict[str, Any]:
        """Describe nothing: clients must not look inside."""
        return {"type": "string"}


class Parameter(msgspec.Struct, frozen=True):
    """One query parameter. The published name of an array ends in `[]`; clients may leave that out."""

    name: str
    kind: Kind
    description: str
    facet: Facet | None = None
    """The facet that the values are compared with."""
    place: int = 0
    """Which of the facet's columns the value is compared with."""
    alias: str | None = None
    """Another name of the same parameter; giving both is giving it twice."""
    may_be_empty: bool = False
    """Whether an empty value counts as absent: form tools send one."""
    example: Any = None
    """A value, as a URL says it, where the kind has none."""

    MANY: ClassVar[str] = "[]"

    @property
    def is_array(self) -> bool:
        """Whether several values may be given; one of them must match."""
        return self.name.endswith(self.MANY)


CURSOR = Parameter(
    "cursor",
    Opaque(),
    "Where the page begins: the cursor inside an earlier `next_page_url` or `previous_page_url`. "
    "Leave it out for the first page.",
    may_be_empty=True,
)
LIMIT = Parameter(
    "limit", Limit(), "The most results in one page. Left empty, it counts as absent.", may_be_empty=True
)
Q = Parameter(
    "q",
    Text(0, Q_LENGTH_MAX),
    "Words that must all occur, each anywhere in the searched fields. Case, accents and the punctuation of "
    "phone numbers don't matter.",
    example="coffee",
)
START_DATE = Parameter(
    "start_date",
    Moment(side="start"),
    "Only what was created at this time or later. `starts_at` is the same.",
    alias="starts_at",
)
END_DATE = Parameter(
    "end_date",
    Moment(side="end"),
    "Only what was created at this time or earlier. `ends_at` is the same.",
    alias="ends_at",
)


INCLUDE = "include[]"


def include_parameter(values: Sequence[str]) -> Parameter:
    """Declare `include[]` for a resource's include values."""
    return Parameter(
        INCLUDE,
        Word(tuple(values)),
        "Sub-objects to expand; what is not asked for is null. A dotted value brings its ancestors with it.",
    )
