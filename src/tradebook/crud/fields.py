"""The declared fields of a body: how each is read, and what it may hold.

The same declarations serve the requests, the OpenAPI document and the reference.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import msgspec

from tradebook.crud.json_body import parse_object
from tradebook.crud.kinds import Kind, Line, did_you_mean
from tradebook.errors import InvalidFormat, MissingField, ParameterUnknown
from tradebook.text import shortened


class Field(msgspec.Struct, frozen=True):
    """One field of a body."""

    name: str
    kind: Kind
    description: str
    is_required: bool = False
    can_be_null: bool = False
    default: Any = None
    """What a new object gets if the body does not have the field."""
    example: Any = None
    """A value, as a body says it, where the kind has none that is good."""

    def take(self, value: Any, param: str) -> Any:
        """Read what a body says of the field; InvalidFormat names `param`, where it stands."""
        if self.can_be_null and isinstance(self.kind, Line) and isinstance(value, str) and not value.strip():
            raise InvalidFormat(f"{param} must not be empty; null clears it.", param=param)
        if value is not None:
            return self.kind.take(value, param)
        if self.can_be_null:
            return None
        raise InvalidFormat(f"{param} can't be null: leave it out, or give a value.", param=param)

    @property
    def shown(self) -> Any:
        """A value as an example."""
        return self.kind.example() if self.example is None else self.example

    def absent(self, param: str) -> Any:
        """Return what a new object gets that a body says nothing of; MissingField if it must."""
        if self.is_required:
            raise MissingField(f"{param} is missing. {self.description}", param=param)
        return self.default

    def schema(self) -> dict[str, Any]:
        """Describe the field in JSON Schema."""
        described = {**self.kind.schema(), "description": self.description, "examples": [self.shown]}
        if not self.can_be_null:
            return described
        if "enum" in described:
            return described | {"type": ["string", "null"], "enum": [*described["enum"], None]}
        return described | {"type": [described["type"], "null"]}


class Body(msgspec.Struct, frozen=True, dict=True):
    """The body that a route takes: a JSON object with these fields."""

    name: str
    fields: tuple[Field, ...]
    is_partial: bool = False
    """Whether no field is required, and an absent field stays as it is."""
    shape: type[msgspec.Struct] | None = None
    """The object that the body describes; its other fields are read-only."""
    shown: tuple[str, ...] = ()
    """The fields that an example has, besides those that are required."""

    @cached_property
    def _declared(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @cached_property
    def _defaults(self) -> dict[str, Any]:
        return {field.name: field.default for field in self.fields}

    @property
    def example(self) -> dict[str, Any]:
        """A body as an example, which is good for a demo book."""
        return {
            field.name: field.shown
            for field in self.fields
            if field.name in self.shown or (field.is_required and not self.is_partial)
        }

    @property
    def requires(self) -> list[str]:
        """The fields that a body must have."""
        return [field.name for field in self.fields if field.is_required and not self.is_partial]

    def read(self, raw: bytes) -> dict[str, Any]:
        """Read a body into the values to store, by field; the error names the first wrong field."""
        return self.values_of(parse_object(raw) if raw.strip() else {})

    def new(self, **given: Any) -> dict[str, Any]:
        """Return what is kept of a new object: what is given, as it is kept, and the defaults."""
        return {**self._defaults, **given}

    def values_of(self, found: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Read an object's fields; `prefix` is the path to the object inside the body."""
        declared = self._declared
        if unknown := [name for name in found if name not in declared]:
            self._refuse_unknown(prefix, unknown[0], list(declared))
        values = {} if self.is_partial else self._defaults.copy()
        for name, field in declared.items():
            if name in found:
                values[name] = field.take(found[name], prefix + name)
            elif field.is_required and not self.is_partial:
                field.absent(prefix + name)
        return values

    def completed(self, values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """Make whole what a partial body says, for a new object; MissingField names what is missing."""
        whole: dict[str, Any] = {}
        for field in self.fields:
            param = prefix + field.name
            if field.name not in values:
                whole[field.name] = field.absent(param)
            elif isinstance(field.kind, Object) and values[field.name] is not None:
                whole[field.name] = field.kind.body.completed(values[field.name], f"{param}.")
            else:
                whole[field.name] = values[field.name]
        return whole

    def _refuse_unknown(self, prefix: str, name: str, declared: list[str]) -> None:
        shown = prefix + shortened(name)
        if self.shape is not None and name in self.shape.__struct_fields__:
            raise ParameterUnknown(f"{shown} is read-only: leave it out.", param=shown)
        hint = did_you_mean(name, declared)
        allowed = f"; there are {', '.join(declared)}." if declared else ": this route takes none."
        raise ParameterUnknown(f"There is no field {shown}{hint or allowed}", param=shown)

    def schema(self) -> dict[str, Any]:
        """Describe the object in JSON Schema."""
        described: dict[str, Any] = {
            "type": "object",
            "properties": {field.name: field.schema() for field in self.fields},
            "additionalProperties": False,
        }
        return described | {"required": self.requires} if self.requires else described


class Object(Kind, frozen=True):
    """An object inside a body, with fields of its own."""

    body: Body

    def take(self, value: Any, param: str) -> dict[str, Any]:
        """Read its fields; what is wrong is named by the way to it."""
        if not isinstance(value, dict):
            raise InvalidFormat(f"{param} takes an object.", param=param)
        return self.body.values_of(value, f"{param}.")

    def example(self) -> dict[str, Any]:
        """Give an object with the fields of its example."""
        return self.body.example

    def schema(self) -> dict[str, Any]:
        """Describe its fields; the title is what other places may call it."""
        return {"title": self.body.name, **self.body.schema()}


def bodies(
    name: str,
    shape: type[msgspec.Struct],
    fields: Sequence[Field],
    *,
    shown: tuple[str, ...],
    shown_new: tuple[str, ...] = (),
) -> tuple[Body, Body]:
    """Make two bodies: one that creates an object, and one that changes some of its fields.

    `shown` are the fields in the example of a change, `shown_new` in that of a new object, where it has more
    than what is required.
    """
    listed = tuple(fields)
    return (
        Body(f"{name}Create", listed, shape=shape, shown=shown_new),
        Body(f"{name}Update", listed, is_partial=True, shape=shape, shown=shown),
    )


NOTHING = Body("Nothing", ())
