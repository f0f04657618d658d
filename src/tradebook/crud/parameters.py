"""The declared parameters of a query string: how a value is read, what it may be, which filter it becomes.

Requests and the OpenAPI document use the same declarations.
"""

import re
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any, ClassVar, Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import parse_rfc3339
from tradebook.crud.strict_json import Number
from tradebook.crud.text_values import check_text
from tradebook.errors import ValidationFailed
from tradebook.ids import ANY_BODY_PATTERN, encode_id, first_key_of, read_id
from tradebook.storage.index import Facet
from tradebook.storage.schema import choice, words_of

TEXT_LENGTH_MAX, Q_LENGTH_MAX = 200, 500
LIMIT_MAX = 1000
LIMIT_DEFAULT = 100
Pairs = Sequence[tuple[str, str]]
"""Names and values as a client spells them, in its order."""

_WHOLE_NUMBER = re.compile(r"[1-9][0-9]{0,3}", re.ASCII)


class Unreadable(ValueError):
    """A value can't be read; the text says what its parameter or field takes."""


class Kind(msgspec.Struct, frozen=True):
    """What a value may be: how URLs, bodies and files say it, and how it is given back.

    What is read is kept: an id becomes its key, a word its place, so nothing is converted twice. Whatever
    reads raises ValueError (Unreadable as a rule), whose text goes on behind the name: "takes one of a, b".
    """

    def read(self, text: str) -> Any:
        """Read text: of a URL, or of a body where `read_json` leaves it at that."""
        raise AssertionError(text)

    def read_json(self, value: Any) -> Any:
        """Read a value of a body that is not null: text, if the kind says no more."""
        return self.read(require_text(require_one(value)))

    def take(self, value: Any, param: str) -> Any:
        """Read a value of a body; ValidationFailed names `param`, where it stands."""
        try:
            return self.read_json(value)
        except ValueError as reason:
            raise refusal(param, reason) from None

    def read_cell(self, value: Any) -> Any:
        """Read a cell of a file that is not empty; people wrote it, so more spellings may be good."""
        raise AssertionError(value)

    def write_json(self, kept: Any) -> Any:
        """Give back what was kept as a body says it."""
        return kept

    def write_cells(self, kept: Iterable[Any]) -> Iterable[Any]:
        """Give back what was kept as cells of a file say it; None stays None."""
        write = self.write_json
        return [None if value is None else write(value) for value in kept]

    def column(self, name: str, *, nullable: bool) -> sa.Column[Any]:
        """Declare the column that keeps it."""
        raise AssertionError(name, nullable)

    def schema(self) -> dict[str, Any]:
        """Describe it in JSON Schema."""
        raise AssertionError

    def cell_form(self) -> str:
        """Describe in words what a cell of a file may be."""
        raise AssertionError


def require_one(value: Any) -> Any:
    """Refuse an array and an object where one value is wanted."""
    if isinstance(value, (dict, list)):
        raise Unreadable("takes one value")
    return value


def require_text(value: Any) -> str:
    """Refuse what is not text in JSON; a number is none, though it is kept as it was written."""
    if not isinstance(value, str) or isinstance(value, Number):
        raise Unreadable("takes text in quotation marks")
    return value


def refusal(name: str, reason: ValueError) -> ValidationFailed:
    """Make a sentence of a name and what is wrong with its value; it may end in a question already."""
    sentence = f"{name} {reason}"
    return ValidationFailed(sentence if sentence.endswith("?") else f"{sentence}.", param=name)


class Id(Kind, frozen=True):
    """A public id of one type; reading it returns its key."""

    prefix: str

    def read(self, text: str) -> int:
        """Read an id of this type, whether or not such an object exists."""
        key = read_id(self.prefix, text)
        if key is None:
            raise Unreadable(f"takes ids that begin with {self.prefix}_, as this API returns them")
        return key

    def write_json(self, kept: int) -> str:
        """Write the id."""
        return encode_id(self.prefix, kept)

    def schema(self) -> dict[str, Any]:
        """Describe the id's form."""
        return {"type": "string", "pattern": f"^{self.prefix}_{ANY_BODY_PATTERN}$"}


class Word(Kind, frozen=True):
    """One of a few words; reading it returns the word."""

    words: tuple[str, ...]

    def read(self, text: str) -> Any:
        """Read one of the words, spelled exactly."""
        if text not in self.words:
            raise Unreadable(f"takes one of {', '.join(self.words)}{did_you_mean(text, self.words)}")
        return text

    def schema(self) -> dict[str, Any]:
        """List the words."""
        return {"type": "string", "enum": list(self.words)}


class OneOf(Kind, frozen=True):
    """One word of a `Literal`; reading it returns its place among them."""

    literal: Any

    @property
    def words(self) -> tuple[str, ...]:
        """The words, in their order."""
        return words_of(self.literal)

    def read(self, text: str) -> int:
        """Read one of the words, spelled exactly."""
        return self.words.index(Word(self.words).read(text))

    def read_cell(self, value: Any) -> int:
        """Read one of the words, spelled exactly but for white space around it."""
        words = self.words
        word = value if value in words else check_text(value)
        if word not in words:
            raise Unreadable(f"must be one of {', '.join(words)}")
        return words.index(word)

    def write_json(self, kept: int) -> str:
        """Write the word."""
        return self.words[kept]

    def write_cells(self, kept: Iterable[int | None]) -> Iterable[str | None]:
        """Write the words."""
        words = self.words
        return [None if place is None else words[place] for place in kept]

    def column(self, name: str, *, nullable: bool) -> sa.Column[Any]:
        """Keep the word's place."""
        return choice(name, self.literal, nullable=nullable)

    def cell_form(self) -> str:
        """List the words."""
        return ", ".join(f"`{word}`" for word in self.words)

    def schema(self) -> dict[str, Any]:
        """List the words."""
        return Word(self.words).schema()


class Text(Kind, frozen=True):
    """Text; by default of 1 to 200 characters. With a minimum of 0, an empty text asks for nothing."""

    length_min: int = 1
    length_max: int = TEXT_LENGTH_MAX

    def read(self, text: str) -> str:
        """Take the text as it is."""
        if not self.length_min <= len(text) <= self.length_max:
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
        return {"type": "string", "minLength": 1}


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


def include_parameter(values: Sequence[str]) -> Parameter:
    """Declare `include[]` for a resource's include values."""
    return Parameter(
        "include[]",
        Word(tuple(values)),
        "Sub-objects to expand; what is not asked for is null. A dotted value brings its ancestors with it.",
    )


def did_you_mean(text: str, choices: Sequence[str]) -> str:
    """Suggest the nearest of the choices, as the end of a sentence; empty if none is near."""
    near = get_close_matches(text[:TEXT_LENGTH_MAX], choices, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
