"""The declared fields of a body: how each is read, and what it may hold.

The same declarations serve the requests, the OpenAPI document and the reference.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tradebook.crud.json_body import parse_object
from tradebook.crud.kinds import Kind, did_you_mean
from tradebook.errors import ValidationFailed
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
        """Describe its fields; the title is what other places may call it."""
        return {"title": self.body.name, **self.body.schema()}


def bodies(name: str, shape: type[msgspec.Struct], fields: Sequence[Field]) -> tuple[Body, Body]:
    """Make two bodies: one that creates an object, and one that changes some of its fields."""
    listed = tuple(fields)
    return (
        Body(f"{name}Create", listed, shape=shape),
        Body(f"{name}Update", listed, is_partial=True, shape=shape),
    )


NOTHING = Body("Nothing", ())
