"""The kinds of values: how URLs, bodies and files say them, and how the book keeps them.

Parameters, fields and columns of files are declared with them.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from functools import cached_property
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import DAY_MS, now_ms, parse_rfc3339
from tradebook.crud import text_values
from tradebook.crud.strict_json import Number
from tradebook.errors import ApiError, InvalidFormat
from tradebook.ids import ANY_BODY_PATTERN, encode_id, example_key, read_id
from tradebook.storage.schema import choice, flag, words_of
from tradebook.storage.schema import text as text_column

MANY_MAX = 1_000
_SPELLING_MAX = 200
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


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
        return self.read(value if type(value) is str else require_text(require_one(value)))

    def take(self, value: Any, param: str) -> Any:
        """Read a value of a body; InvalidFormat names `param`, where it stands."""
        try:
            return self.read_json(value)
        except ValueError as reason:
            raise refusal(InvalidFormat, param, reason) from None

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

    def example(self) -> Any:
        """Give an example, as a body or a URL says it; None where only the one who declares it knows one."""
        return None


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


def refusal(error: type[ApiError], name: str, reason: ValueError) -> ApiError:
    """Make a sentence of a name and what is wrong with its value; it may end in a question already."""
    sentence = f"{name} {reason}"
    return error(sentence if sentence.endswith("?") else f"{sentence}.", param=name)


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

    def example(self) -> str:
        """Give the id of the first such object of a demo book."""
        return encode_id(self.prefix, example_key())

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

    def example(self) -> str:
        """Give the first word."""
        return self.words[0]

    def schema(self) -> dict[str, Any]:
        """List the words."""
        return {"type": "string", "enum": list(self.words)}


class OneOf(Kind, frozen=True, dict=True):
    """One word of a `Literal`; reading it returns its place among them."""

    literal: Any

    @cached_property
    def words(self) -> tuple[str, ...]:
        """The words, in their order."""
        return words_of(self.literal)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words)}

    def read(self, text: str) -> int:
        """Read one of the words, spelled exactly."""
        return self.words.index(Word(self.words).read(text))

    def read_cell(self, value: Any) -> int:
        """Read one of the words, spelled exactly but for white space around it."""
        place = self._places.get(value) if isinstance(value, str) else None
        if place is None:
            place = self._places.get(text_values.check_text(value))
        if place is None:
            raise Unreadable(f"must be one of {', '.join(self.words)}")
        return place

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

    def example(self) -> str:
        """Give the first word."""
        return self.words[0]

    def schema(self) -> dict[str, Any]:
        """List the words."""
        return Word(self.words).schema()


class Line(Kind, frozen=True):
    """One line of text, stored without the white space around it."""

    length_max: int = text_values.TEXT_LENGTH_MAX
    check: Callable[..., str] = text_values.check_text
    form: str | None = None
    pattern: str | None = None
    such_as: str | None = None

    def read(self, text: str) -> str:
        """Take the text, unless it is empty."""
        line = text.strip()
        if not line:
            raise Unreadable("must not be empty")
        # The length first, so that a slow check only ever runs on a short text.
        if (length := text_values.length_of(line, self.length_max)) > self.length_max:
            raise Unreadable(f"has {length:,} characters, more than {self.length_max:,}")
        return self.check(line)

    def read_cell(self, value: Any) -> str:
        """Take the text; the check looks at its length too."""
        return self.check(value)

    def write_cells(self, kept: Iterable[Any]) -> Iterable[Any]:
        """Write it as it is."""
        return kept

    def column(self, name: str, *, nullable: bool) -> sa.Column[Any]:
        """Keep it as it is."""
        return text_column(name, nullable=nullable)

    def cell_form(self) -> str:
        """Describe the length."""
        return f"text, up to {self.length_max:,} characters"

    def example(self) -> str | None:
        """Give what such a line may be, where its form says that."""
        return self.such_as

    def schema(self) -> dict[str, Any]:
        """Describe the length and the form."""
        described = {
            "type": "string",
            "minLength": 1,
            "maxLength": self.length_max,
            "format": self.form,
            "pattern": self.pattern,
        }
        return {name: value for name, value in described.items() if value is not None}


LINE = Line()
EMAIL = Line(
    text_values.EMAIL_LENGTH_MAX, text_values.check_email, "email", such_as="orders@harbor-coffee.example"
)
URL = Line(text_values.URL_LENGTH_MAX, text_values.check_url, such_as="https://www.harbor-coffee.example")
NOTE = Line(text_values.NOTE_LENGTH_MAX, text_values.check_note, such_as="Call before delivery.")


_TRUE = ("true", "yes", "1")
_FALSE = ("false", "no", "0")


class Flag(Kind, frozen=True):
    """True or false; stored as 1 or 0."""

    def read_json(self, value: Any) -> int:
        """Take a JSON boolean and nothing else."""
        if not isinstance(require_one(value), bool):
            raise Unreadable("takes true or false")
        return int(value)

    def read_cell(self, value: Any) -> int:
        """Take true or false in one of its spellings."""
        if isinstance(value, bool):
            return int(value)
        word = text_values.check_text(value).lower()
        if word not in _TRUE and word not in _FALSE:
            raise Unreadable("must be true or false (or yes, no, 1, 0)")
        return int(word in _TRUE)

    def write_json(self, kept: int) -> bool:
        """Write a JSON boolean."""
        return bool(kept)

    def column(self, name: str, *, nullable: bool) -> sa.Column[Any]:
        """Keep 0 or 1; there is always one of them, so it takes a default."""
        assert not nullable, f"{name} needs a default"
        return flag(name)

    def cell_form(self) -> str:
        """List the spellings."""
        return ", ".join(f"`{word}`" for pair in zip(_TRUE, _FALSE, strict=True) for word in pair)

    def example(self) -> bool:
        """Give true."""
        return True

    def schema(self) -> dict[str, Any]:
        """Describe a boolean."""
        return {"type": "boolean"}


class Whole(Kind, frozen=True):
    """A whole number."""

    minimum: int
    maximum: int

    def read_json(self, value: Any) -> int:
        """Take a JSON number without a fraction, inside the bounds."""
        number = require_one(value)
        if isinstance(number, Number) and _WHOLE.fullmatch(number):
            whole = int(number)
            if self.minimum <= whole <= self.maximum:
                return whole
        raise Unreadable(f"takes a whole number from {self.minimum} to {self.maximum}")

    def schema(self) -> dict[str, Any]:
        """Describe the bounds."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class Time(Kind, frozen=True):
    """A time; stored in milliseconds since 1970."""

    may_be_past: bool = False
    days_ahead_max: int | None = None

    def read_json(self, value: Any) -> int:
        """Read an RFC 3339 date-time."""
        one = require_one(value)
        try:
            milliseconds, _ = parse_rfc3339(require_text(one))
        except ValueError:
            raise Unreadable("takes an RFC 3339 date-time such as 2027-01-31T09:30:00Z") from None
        if milliseconds <= now_ms() and not self.may_be_past:
            raise Unreadable("must be in the future")
        if self.days_ahead_max is not None and milliseconds > now_ms() + self.days_ahead_max * DAY_MS:
            raise Unreadable(f"must be at most {self.days_ahead_max} days ahead")
        return milliseconds

    def example(self) -> str:
        """Give a time that is far off."""
        return "2099-12-31T23:59:59Z"

    def schema(self) -> dict[str, Any]:
        """Describe a date-time."""
        return {"type": "string", "format": "date-time"}


class Many(Kind, frozen=True):
    """Several values of one kind, each once, in their order."""

    kind: Kind
    length_min: int = 0
    is_distinct: bool = False
    """Whether an entry that is given twice is refused."""

    def read_json(self, value: Any) -> list[Any]:
        """Read a JSON array."""
        if not isinstance(value, (list, dict)):
            raise Unreadable("takes an array")
        if isinstance(value, dict) or not self.length_min <= len(value) <= MANY_MAX:
            raise Unreadable(f"takes an array of {self.length_min} to {MANY_MAX} entries")
        read = [self.kind.read(require_text(entry)) for entry in value]
        if self.is_distinct and len(set(read)) < len(read):
            twice = next(entry for place, entry in enumerate(value) if read.index(read[place]) < place)
            raise Unreadable(f"names {twice} twice")
        return list(dict.fromkeys(read))

    def example(self) -> list[Any]:
        """Give one entry."""
        return [self.kind.example()]

    def schema(self) -> dict[str, Any]:
        """Describe the array and its entries."""
        entries = {"type": "array", "items": self.kind.schema(), "maxItems": MANY_MAX}
        entries |= {"minItems": self.length_min} if self.length_min else {}
        return entries | {"uniqueItems": True} if self.is_distinct else entries


def did_you_mean(text: str, choices: Sequence[str]) -> str:
    """Suggest the nearest of the choices, as the end of a sentence; empty if none is near."""
    near = get_close_matches(text[:_SPELLING_MAX], choices, n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""
