"""The declared fields of a body: how each is read, and what it may hold.

The same declarations serve the requests, the OpenAPI document and the reference.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms, parse_rfc3339
from tradebook.crud import text_values
from tradebook.crud.json_body import parse_object
from tradebook.crud.parameters import Kind, Unreadable, did_you_mean, require_one, require_text
from tradebook.crud.strict_json import Number
from tradebook.errors import ValidationFailed
from tradebook.storage.schema import flag
from tradebook.storage.schema import text as text_column
from tradebook.text import shortened

MANY_MAX = 1_000
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Line(Kind, frozen=True):
    """One line of text, stored without the white space around it."""

    length_max: int = text_values.TEXT_LENGTH_MAX
    check: Callable[..., str] = text_values.check_text
    form: str | None = None
    pattern: str | None = None

    def read(self, text: str) -> str:
        """Take the text, unless it is empty."""
        line = text.strip()
        if not line:
            raise Unreadable("must not be empty; null clears what can be cleared")
        # The length first, so that a slow check only ever runs on a short text.
        if len(line) > self.length_max:
            raise Unreadable(f"has {len(line):,} characters, more than {self.length_max:,}")
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
EMAIL = Line(text_values.EMAIL_LENGTH_MAX, text_values.check_email, "email")
URL = Line(text_values.URL_LENGTH_MAX, text_values.check_url)
NOTE = Line(text_values.NOTE_LENGTH_MAX, text_values.check_note)


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


class Future(Kind, frozen=True):
    """A time in the future; stored in milliseconds since 1970."""

    def read_json(self, value: Any) -> int:
        """Read an RFC 3339 date-time."""
        one = require_one(value)
        try:
            milliseconds, _ = parse_rfc3339(require_text(one))
        except ValueError:
            raise Unreadable("takes an RFC 3339 date-time such as 2027-01-31T09:30:00Z") from None
        if milliseconds <= now_ms():
            raise Unreadable("must be in the future")
        return milliseconds

    def schema(self) -> dict[str, Any]:
        """Describe a date-time."""
        return {"type": "string", "format": "date-time"}


class Many(Kind, frozen=True):
    """Several values of one kind, each once, in their order."""

    kind: Kind
    length_min: int = 0

    def read_json(self, value: Any) -> list[Any]:
        """Read a JSON array."""
        if not isinstance(value, (list, dict)):
            raise Unreadable("takes an array")
        if isinstance(value, dict) or not self.length_min <= len(value) <= MANY_MAX:
            raise Unreadable(f"takes an array of {self.length_min} to {MANY_MAX} entries")
        return list(dict.fromkeys(self.kind.read(require_text(entry)) for entry in value))

    def schema(self) -> dict[str, Any]:
        """Describe the array and its entries."""
        entries = {"type": "array", "items": self.kind.schema(), "maxItems": MANY_MAX}
        return entries | {"minItems": self.length_min} if self.length_min else entries


class Field(msgspec.Struct, frozen=True):
    """One field of a body."""

    name: str
    kind: Kind
    description: str
    is_required: bool = False
    can_be_null: bool = False
    default: Any = None
    """What a new object gets if the body does not have the field."""

    def take(self, value: Any, param: str) -> Any:
        """Read what a body says of the field; ValidationFailed names `param`, where it stands."""
        if value is not None:
            return self.kind.take(value, param)
        if self.can_be_null:
            return None
        raise ValidationFailed(f"{param} can't be null: leave it out, or give a value.", param=param)

    def schema(self) -> dict[str, Any]:
        """Describe the field in JSON Schema."""
        described = {**self.kind.schema(), "description": self.description}
        if not self.can_be_null:
            return described
        if "enum" in described:
            return described | {"type": ["string", "null"], "enum": [*described["enum"], None]}
        return described | {"type": [described["type"], "null"]}


class Body(msgspec.Struct, frozen=True):
    """The body that a route takes: a JSON object with these fields."""

    name: str
    fields: tuple[Field, ...]
    is_partial: bool = False
    """Whether no field is required, and an absent field stays as it is."""
    shape: type[msgspec.Struct] | None = None
    """The object that the body describes; its other fields are read-only."""

    def read(self, raw: bytes) -> dict[str, Any]:
        """Read a body into the values to store, by field; ValidationFailed names the first wrong field."""
        return self.values_of(parse_object(raw) if raw.strip() else {})

    def new(self, **given: Any) -> dict[str, Any]:
        """Return what is kept of a new object: what is given, as it is kept, and the defaults."""
        return {**{field.name: field.default for field in self.fields}, **given}

    def values_of(self, found: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Read an object's fields; `prefix` is the path to the object inside the body."""
        declared = {field.name: field for field in self.fields}
        for name in found:
            if name not in declared:
                self._refuse_unknown(prefix, name, list(declared))
        values: dict[str, Any] = {}
        for field in self.fields:
            param = prefix + field.name
            if field.name in found:
                values[field.name] = field.take(found[field.name], param)
            elif field.is_required and not self.is_partial:
                raise ValidationFailed(f"{param} is missing. {field.description}", param=param)
            elif not self.is_partial:
                values[field.name] = field.default
        return values

    def _refuse_unknown(self, prefix: str, name: str, declared: list[str]) -> None:
        shown = prefix + shortened(name)
        if self.shape is not None and name in self.shape.__struct_fields__:
            raise ValidationFailed(f"{shown} is read-only: leave it out.", param=shown)
        hint = did_you_mean(name, declared)
        allowed = f"; there are {', '.join(declared)}." if declared else ": this route takes none."
        raise ValidationFailed(f"There is no field {shown}{hint or allowed}", param=shown)

    def schema(self) -> dict[str, Any]:
        """Describe the object in JSON Schema."""
        required = [field.name for field in self.fields if field.is_required and not self.is_partial]
        described: dict[str, Any] = {
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields},
            "additionalProperties": False,
        }
        return described | {"required": required} if required else described


class Object(Kind, frozen=True):
    """An object inside a body, with fields of its own."""

    body: Body

    def take(self, value: Any, param: str) -> dict[str, Any]:
        """Read its fields; what is wrong is named by the way to it."""
        if not isinstance(value, dict):
            raise ValidationFailed(f"{param} takes an object.", param=param)
        return self.body.values_of(value, f"{param}.")

    def schema(self) -> dict[str, Any]:
        """Describe its fields."""
        return self.body.schema()


def bodies(name: str, shape: type[msgspec.Struct], fields: Sequence[Field]) -> tuple[Body, Body]:
    """Make two bodies: one that creates an object, and one that changes some of its fields."""
    listed = tuple(fields)
    return (
        Body(f"{name}Create", listed, shape=shape),
        Body(f"{name}Update", listed, is_partial=True, shape=shape),
    )


NOTHING = Body("Nothing", ())
