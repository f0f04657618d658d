"""Schemas of the OpenAPI document, as a reader wants them told."""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
_PREFIX = re.compile(r"\^([a-z]+)_")
_PLAIN = {"string": "text", "integer": "integer", "number": "number", "boolean": "true or false"}


class Kind(NamedTuple):
    """What a value is."""

    words: str
    choices: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    can_be_null: bool = False
    of: str | None = None
    """The name of the object that it is, or that it lists."""
    inside: Schema | None = None
    """The schema with the properties of that object."""


class Schemas:
    """The schemas of a document, by name."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._document = document
        self.named: Mapping[str, Schema] = document["components"]["schemas"]

    def resolved(self, found: Schema) -> Schema:
        """Follow a reference, where there is one."""
        while "$ref" in found:
            target: Any = self._document
            for part in found["$ref"].split("/")[1:]:
                target = target[part]
            # What stands beside a reference says more about it, such as another description.
            found = {**target, **{key: value for key, value in found.items() if key != "$ref"}}
        return found

    def options(self, schema: Schema) -> tuple[list[Schema], bool]:
        """Return what a schema allows besides null, and whether it allows null."""
        whole = self.resolved(schema)
        listed = whole.get("anyOf") or whole.get("oneOf") or whole.get("allOf") or [schema]
        kinds = whole.get("type")
        several = isinstance(kinds, list) and "null" in kinds
        options = [each for each in listed if self.resolved(each).get("type") != "null"]
        return options, several or len(options) < len(listed) or None in whole.get("enum", ())

    def names(self, schema: Schema) -> list[str]:
        """Name the objects that an answer can be; for a list of them, what it lists."""
        if "items" in self.resolved(schema):
            return self.names(self.resolved(schema)["items"])
        if "$ref" in schema:
            item = self.item_of(schema)
            return self.names(item) if item else [name_of(schema)]
        return [name for each in schema.get("oneOf", schema.get("anyOf", ())) for name in self.names(each)]

    def item_of(self, schema: Schema) -> Schema | None:
        """Return what a list in pages lists; None if it is no such list."""
        properties = self.resolved(schema).get("properties", {})
        data = properties.get("data")
        if data is None or "page_info" not in properties:
            return None
        item: Schema | None = self.resolved(data).get("items")
        return item

    def kind(self, schema: Schema) -> Kind:
        """Tell what a value is."""
        options, can_be_null = self.options(schema)
        kinds = [self._kind_of(option) for option in options]
        if not kinds:
            return Kind("always null")
        first = kinds[0]
        words = " or ".join(dict.fromkeys(kind.words for kind in kinds))
        limits = [*first.limits]
        default = self.resolved(schema).get("default")
        if default is not None:
            limits.append(f"Default: {shown(default)}.")
        return first._replace(words=words, limits=tuple(limits), can_be_null=can_be_null)

    def _kind_of(self, schema: Schema) -> Kind:
        whole = self.resolved(schema)
        if "const" in whole:
            return Kind("always", (str(whole["const"]),))
        if "enum" in whole:
            words = tuple(str(word) for word in whole["enum"] if word is not None)
            return Kind("one of" if len(words) > 1 else "always", words)
        item = self.item_of(schema)
        if item is not None:
            inner = self.kind(item)
            return inner._replace(words=f"list object of {inner.words}")
        if "properties" in whole:
            name = name_of(schema) if "$ref" in schema else whole.get("title")
            return Kind(name or "object", of=name, inside=whole)
        if "items" in whole:
            return self._array(whole)
        return Kind(_plain_words(whole), limits=tuple(_limits(whole)))

    def _array(self, whole: Schema) -> Kind:
        inner = self.kind(whole["items"])
        words = {"one of": "any of"}.get(inner.words, f"list of {inner.words}")
        most = whole.get("maxItems")
        return inner._replace(
            words=words, limits=(*inner.limits, *([f"At most {most}."] if most else ())), can_be_null=False
        )


def name_of(reference: Schema) -> str:
    """Return the name that a reference ends in."""
    return str(reference["$ref"]).rpartition("/")[2]


def shown(value: Any) -> str:
    """Write a value as JSON has it, between backticks."""
    words = {True: "true", False: "false"}
    return f"`{words[value] if isinstance(value, bool) else value}`"


def _plain_words(whole: Schema) -> str:
    kinds = whole.get("type")
    kind = next((each for each in kinds if each != "null"), None) if isinstance(kinds, list) else kinds
    prefix = id_prefix(whole)
    if prefix:
        return f"id `{prefix}_…`"
    if whole.get("format") == "date-time":
        return "RFC 3339 time"
    return _PLAIN.get(str(kind), "object" if kind == "object" else "any value")


def id_prefix(schema: Schema) -> str | None:
    """Return what the ids begin with that a schema takes; None where it takes no ids."""
    found = _PREFIX.match(schema.get("pattern", ""))
    return found and found[1]


def _limits(whole: Schema) -> Iterator[str]:
    if "maxLength" in whole:
        least, most = whole.get("minLength", 0), whole["maxLength"]
        yield f"{most} characters." if least == most else f"{least} to {most} characters."
    low, high = whole.get("minimum"), whole.get("maximum")
    if low is not None and high is not None:
        yield f"{low} to {high}."
    elif low is not None:
        yield f"At least {low}."
    elif high is not None:
        yield f"At most {high}."
