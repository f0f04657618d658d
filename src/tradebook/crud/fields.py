"""The fields of a body as declared: how each is read, and what it may be.

The same declarations serve the requests, the OpenAPI document and the reference. A field holds what
is kept: an id becomes its key, a word its place, so nothing is converted twice.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from tradebook.clock import now_ms, parse_rfc3339
from tradebook.crud import text_values
from tradebook.crud.json_body import Number, parse_object
from tradebook.crud.parameters import Kind, Unreadable, did_you_mean
from tradebook.errors import ValidationFailed

MANY_MAX = 1_000
_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)


class Line(Kind, frozen=True):
    """One line of text, kept without the white space around it."""

    length_max: int = text_values.TEXT_LENGTH_MAX
    check: Callable[..., str] = text_values.check_text
    form: str | None = None
    pattern: str | None = None

    def read(self, text: Any) -> str:
        """Take the text; an empty one says nothing, and is refused."""
        line = _require_text(text).strip()
        if not line:
            raise Unreadable("must not be empty; null clears what can be cleared")
        # Before the check: whatever that does, it does to little.
        if len(line) > self.length_max:
            raise Unreadable(f"has {len(line):,} characters, more than {self.length_max:,}")
        return self.check(line)

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


class Flag(Kind, frozen=True):
    """True or false; kept as 1 or 0."""

    def read(self, text: Any) -> int:
        """Take a JSON boolean and nothing else."""
        if not isinstance(text, bool):
            raise Unreadable("takes true or false")
        return int(text)

    def schema(self) -> dict[str, Any]:
        """Describe a boolean."""
        return {"type": "boolean"}


class Whole(Kind, frozen=True):
    """A whole number."""

    minimum: int
    maximum: int

    def read(self, text: Any) -> int:
        """Take a JSON number without a fraction, inside the bounds."""
        if isinstance(text, Number) and _WHOLE.fullmatch(text) and self.minimum <= int(text) <= self.maximum:
            return int(text)
        raise Unreadable(f"takes a whole number from {self.minimum} to {self.maximum}")

    def schema(self) -> dict[str, Any]:
        """Describe the bounds."""
        return {"type": "integer", "minimum": self.minimum, "maximum": self.maximum}


class Future(Kind, frozen=True):
    """A time that is still to come; kept in milliseconds since 1970."""

    def read(self, text: Any) -> int:
        """Read an RFC 3339 date-time."""
        try:
            milliseconds, _ = parse_rfc3339(_require_text(text))
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

    def read(self, text: Any) -> list[Any]:
        """Read a JSON array."""
        if not isinstance(text, list) or not self.length_min <= len(text) <= MANY_MAX:
            raise Unreadable(f"takes an array of {self.length_min} to {MANY_MAX} entries")
        return list(dict.fromkeys(self.kind.read(_require_text(entry)) for entry in text))

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
    """What a new object has where the field is absent."""


class Body(msgspec.Struct, frozen=True):
    """What a route takes: a JSON object of these fields."""

    name: str
    fields: tuple[Field, ...]
    is_partial: bool = False
    """Whether nothing is required, and what is absent stays as it is."""
    shape: type[msgspec.Struct] | None = None
    """The object that is written, whose other fields are read-only."""

    def read(self, raw: bytes) -> dict[str, Any]:
        """Read a body into what is kept, by field; ValidationFailed names the first field that is wrong."""
        return self.values_of(parse_object(raw) if raw.strip() else {})

    def values_of(self, found: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Read an object's fields; `prefix` is the way to it inside the body."""
        declared = {field.name: field for field in self.fields}
        for name in found:
            if name not in declared:
                self._refuse_unknown(prefix, name, list(declared))
        values: dict[str, Any] = {}
        for field in self.fields:
            param = prefix + field.name
            if field.name in found:
                values[field.name] = _value(field, found[field.name], param)
            elif field.is_required and not self.is_partial:
                raise ValidationFailed(f"{param} is missing. {field.description}", param=param)
            elif not self.is_partial:
                values[field.name] = field.default
        return values

    def _refuse_unknown(self, prefix: str, name: str, declared: list[str]) -> None:
        shown = prefix + (name if len(name) <= 100 else f"{name[:100]}…")
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
            "properties": {field.name: _schema_of(field) for field in self.fields},
            "additionalProperties": False,
        }
        return described | {"required": required} if required else described


class Object(Kind, frozen=True):
    """An object inside a body, with fields of its own."""

    body: Body

    def schema(self) -> dict[str, Any]:
        """Describe its fields."""
        return self.body.schema()


def bodies(name: str, shape: type[msgspec.Struct], fields: Sequence[Field]) -> tuple[Body, Body]:
    """Make the two bodies of a resource: what creates an object, and what changes one in part."""
    listed = tuple(fields)
    return (
        Body(f"{name}Create", listed, shape=shape),
        Body(f"{name}Update", listed, is_partial=True, shape=shape),
    )


NOTHING = Body("Nothing", ())


def _value(field: Field, value: Any, param: str) -> Any:
    if value is None:
        if field.can_be_null:
            return None
        raise ValidationFailed(f"{param} can't be null: leave it out, or give a value.", param=param)
    kind = field.kind
    if isinstance(kind, Object):
        if not isinstance(value, dict):
            raise ValidationFailed(f"{param} takes an object.", param=param)
        return kind.body.values_of(value, f"{param}.")
    if isinstance(value, (dict, list)) != isinstance(kind, Many):
        raise ValidationFailed(
            f"{param} takes {'an array' if isinstance(kind, Many) else 'one value'}.", param=param
        )
    try:
        return kind.read(
            value if isinstance(kind, (Line, Flag, Whole, Future, Many)) else _require_text(value)
        )
    except ValueError as reason:
        sentence = f"{param} {reason}"
        raise ValidationFailed(sentence if sentence.endswith("?") else f"{sentence}.", param=param) from None


def _require_text(value: Any) -> str:
    if not isinstance(value, str) or isinstance(value, Number):
        raise Unreadable("takes text in quotation marks")
    return value


def _schema_of(field: Field) -> dict[str, Any]:
    described = {**field.kind.schema(), "description": field.description}
    if not field.can_be_null:
        return described
    if "enum" in described:
        return described | {"type": ["string", "null"], "enum": [*described["enum"], None]}
    return described | {"type": [described["type"], "null"]}
