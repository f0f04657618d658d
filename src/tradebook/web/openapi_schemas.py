"""The schemas of the OpenAPI document: each object and each enumeration once, under its name."""

import ast
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

from tradebook.crud.fields import Body
from tradebook.crud.listing import ListObject
from tradebook.crud.resource import Deleted

Schema = dict[str, Any]
SCHEMA_REF = "#/components/schemas/{name}"
_SUCH_AS = re.compile("(?:such as|Always) `([^`]+)`")
_PLAIN = {str: "string", int: "integer", bool: "boolean", dict: "object"}
_NULL: Schema = {"type": "null"}
_OF_ANY_OWNER = {"status", "type", "code", "include", "addresses", "customers"}
"""Names of properties that say nothing without the object that has them."""
_OF_ALL = {
    "id": "The id.",
    "object": "What kind of object this is.",
    "created_at": "When it was created.",
    "updated_at": "When it was last changed.",
    "owner": "Always null in this version.",
}
"""What properties of these names are in every object, unless it says otherwise."""


def schema_ref(name: str) -> Schema:
    """Point to a schema."""
    return {"$ref": SCHEMA_REF.format(name=name)}


def singular(name: str) -> str:
    """Name one of several, as `status` of `statuses`."""
    return name.removesuffix("es") if name.endswith("ses") else name.removesuffix("s")


def list_name(item: type[msgspec.Struct]) -> str:
    """Name the list of some objects."""
    return f"{item.__name__}List"


class _Place(msgspec.Struct, frozen=True):
    """Where an enumeration stands."""

    owner: str
    key: str
    description: str = ""
    is_sent: bool = False

    @property
    def name(self) -> str:
        """Name what stands there; some keys say nothing without the object that has them."""
        return self.owner + _camel(self.key) if self.key in _OF_ANY_OWNER else _camel(self.key)

    @property
    def rank(self) -> tuple[bool, bool]:
        """Tell how good its name is: those of objects that are answered are best, and short ones."""
        return self.is_sent, self.key in _OF_ANY_OWNER


class Schemas:
    """Collects schemas: whatever is asked for, and what that refers to."""

    def __init__(self, ids: Mapping[str, str], bodies: Iterable[Body]) -> None:
        """Take an id of each object, by its name, and the bodies that describe objects."""
        told = [(body.shape.__name__, field) for body in bodies if body.shape for field in body.fields]
        self._examples = {(shape, field.name): field.shown for shape, field in told}
        self._examples |= {(name, "id"): example for name, example in ids.items()}
        self.found: dict[str, Schema] = {}
        self._places: dict[frozenset[str], list[_Place]] = {}
        self._words: dict[frozenset[str], list[str]] = {}
        self._told: dict[str, dict[str, dict[str, str]]] = {}

    def of(self, kind: Any) -> Schema:
        """Describe a type of Python."""
        origin, inner = get_origin(kind), get_args(kind)
        if origin is Literal:
            return _of_words(inner)
        if origin in {Union, UnionType}:
            (one,) = (each for each in inner if each not in {NoneType, msgspec.UnsetType})
            return _or_null(self.of(one)) if NoneType in inner else self.of(one)
        if origin is ListObject:
            return self.list_of(inner[0])
        if origin in {list, Sequence}:
            return {"type": "array", "items": self.of(inner[0])}
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            return self.object(kind)
        described: Schema = {} if kind is Any else {"type": _PLAIN[origin or kind]}
        if origin is dict and inner[1] is not Any:
            described["additionalProperties"] = self.of(inner[1])
        return described

    def object(self, shape: type[msgspec.Struct]) -> Schema:
        """Point to the schema of an object that is answered."""
        if shape.__name__ not in self.found:
            self.found[shape.__name__] = {}
            self._add(shape, get_type_hints(shape))
        return schema_ref(shape.__name__)

    def deleted(self, kind: str, tells: type[msgspec.Struct] | None) -> Schema:
        """Point to the schema of what is answered where an object of a kind was deleted."""
        name = f"{Deleted.__name__}{kind.title().replace('_', '')}"
        if name not in self.found:
            self.found[name] = {}
            self._add(Deleted, get_type_hints(Deleted) | {"object": cast("Any", Literal)[kind]}, name)
            if tells is not None:
                self._add(tells, get_type_hints(tells), "")
                more = self.found.pop(tells.__name__)
                self.found[name]["properties"] |= more["properties"]
                self.found[name]["required"] += more["required"]
        return schema_ref(name)

    def list_of(self, item: type[msgspec.Struct]) -> Schema:
        """Point to the schema of a list."""
        name = list_name(item)
        if name not in self.found:
            self.found[name] = {}
            hints = get_type_hints(ListObject) | {"data": Sequence[item]}  # type: ignore[valid-type]
            self._add(ListObject, hints, name, f"One page of a list of {item.__name__}.")
        return schema_ref(name)

    def body(self, body: Body, description: str) -> Schema:
        """Point to the schema of an object that is sent."""
        if body.name not in self.found:
            self.found[body.name] = {}
            self.found[body.name] = {
                "type": "object",
                "description": description,
                **self.sent(body.schema(), body.name.removesuffix("Create")),
            }
        return schema_ref(body.name)

    def _add(
        self, shape: type[msgspec.Struct], hints: dict[str, Any], name: str = "", description: str = ""
    ) -> None:
        name = name or shape.__name__
        told = self._told_of(shape)
        properties = {}
        for key, kind in hints.items():
            if key in shape.__struct_fields__:
                schema = self._named(self.of(kind), _Place(name, key, told.get(key, "")))
                if key.endswith("_at"):
                    schema["format"] = "date-time"
                schema["description"] = told.get(key, "")
                example = self._example_of(shape, key, schema)
                if example is not None:
                    schema["examples"] = [example]
                properties[key] = schema
        self.found[name] = {
            "type": "object",
            "description": description or " ".join((shape.__doc__ or "").split()),
            "properties": properties,
            # A key that may be unset is only there where it is asked for.
            "required": [key for key in properties if msgspec.UnsetType not in get_args(hints[key])],
        }

    def _example_of(self, shape: type[msgspec.Struct], key: str, schema: Schema) -> Any:
        """Find an example of a property: in a body, or in what is told of it."""
        if "const" in schema or "type" not in schema:
            return None
        if "format" in schema:
            return "2026-01-31T09:30:00.000Z"
        told = _SUCH_AS.search(schema["description"])
        known = (self._examples.get((each.__name__, key)) for each in shape.__mro__)
        example = next((each for each in known if each is not None), told[1] if told else None)
        return [example] if schema["type"] == "array" and isinstance(example, str) else example

    def _told_of(self, shape: type[msgspec.Struct]) -> dict[str, str]:
        """Read what stands below the fields of an object: what each is."""
        told = dict(_OF_ALL)
        for each in reversed(shape.__mro__):
            told |= self._told_in(each.__module__).get(each.__name__, {})
        return told

    def _told_in(self, module: str) -> dict[str, dict[str, str]]:
        if module not in self._told:
            loader = getattr(sys.modules[module].__spec__, "loader", None)
            source = loader.get_source(module) if module.startswith("tradebook.") and loader else None
            classes = (node for node in ast.parse(source or "").body if isinstance(node, ast.ClassDef))
            self._told[module] = {each.name: dict(_told_below(each.body)) for each in classes}
        return self._told[module]

    def sent(self, schema: Schema, owner: str, key: str = "") -> Schema:
        """Put the enumerations and objects inside what is sent under their names, and point there."""
        return self._named(schema, _Place(owner, key, is_sent=True))

    def _named(self, schema: Schema, place: _Place) -> Schema:
        if "title" in schema:
            rest = {name: value for name, value in schema.items() if name in {"description", "examples"}}
            whole = {name: value for name, value in schema.items() if name not in {*rest, "title"}}
            name = schema["title"]
            inside = {"type": "object", "description": "An object inside a body.", **whole}
            self.found[name] = self._named(inside | {"type": "object"}, replace(place, owner=name))
            return _pointing(name, rest, can_be_null="null" in schema["type"])
        if "enum" in schema:
            rest = {name: value for name, value in schema.items() if name not in {"type", "enum"}}
            told = schema.get("description", place.description)
            pointing = self._enumeration(schema["enum"], replace(place, description=told))
            return ({"anyOf": [pointing, _NULL]} | rest) if None in schema["enum"] else pointing | rest
        made = dict(schema)
        told = schema.get("description", place.description)
        if "items" in made:
            made["items"] = self._named(
                made["items"], replace(place, key=singular(place.key), description=told)
            )
        if "properties" in made:
            made["properties"] = {
                name: self._named(value, replace(place, key=name))
                for name, value in made["properties"].items()
            }
        return made

    def _enumeration(self, listed: Iterable[str | None], place: _Place) -> Schema:
        """Point to an enumeration, which gets its name when all its places are known."""
        words = [word for word in listed if word is not None]
        self._words.setdefault(frozenset(words), words)
        pointing: Schema = {"$ref": frozenset(words)}
        self._places.setdefault(frozenset(words), []).append(place)
        return pointing

    def name_enumerations(self, described: Any) -> None:
        """Give each enumeration the name of its best place, and point there from wherever it stands."""
        names = {}
        for words, places in self._places.items():
            best = min(places, key=lambda place: place.rank)
            name = best.name
            assert name not in self.found, name
            names[words] = name
            self.found[name] = {
                "type": "string",
                "description": best.description,
                "enum": self._words[words],
            }
        _fill_in(names, self.found)
        _fill_in(names, described)


def _told_below(body: Sequence[ast.stmt]) -> Iterable[tuple[str, str]]:
    """Yield each field of a class with the text below it."""
    for field, below in pairwise(body):
        match field, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str() as text)),
            ):
                yield name, " ".join(text.split())


def _fill_in(names: dict[frozenset[str], str], found: Any) -> None:
    if isinstance(found, dict):
        if isinstance(found.get("$ref"), frozenset):
            found["$ref"] = schema_ref(names[found["$ref"]])["$ref"]
        found = found.values()
    elif not isinstance(found, list):
        return
    for each in found:
        _fill_in(names, each)


def _of_words(words: Sequence[Any]) -> Schema:
    if isinstance(words[0], bool):
        # As a constant, a generator for Python would compare it with the text "true".
        return {"type": "boolean"}
    return {"type": "string", **({"const": words[0]} if len(words) == 1 else {"enum": list(words)})}


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _or_null(schema: Schema) -> Schema:
    if "$ref" in schema:
        return {"anyOf": [schema, _NULL]}
    words = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return schema | {"type": [schema["type"], "null"]} | words


def _pointing(name: str, rest: Schema, *, can_be_null: bool) -> Schema:
    return {**({"anyOf": [schema_ref(name), _NULL]} if can_be_null else schema_ref(name)), **rest}
