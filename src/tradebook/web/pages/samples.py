"""Sample values: the examples of the document, and what follows from a schema where it has none."""

from collections.abc import Mapping
from typing import Any

from tradebook.web.pages.schemas import Schema, Schemas, id_prefix

_TIME = "2026-01-15T09:30:00.000Z"
_ID = "0000000000001"


def example_of(described: Mapping[str, Any]) -> Any:
    """Return the first example that a parameter, a body, an answer or a schema gives; None without one."""
    if "example" in described:
        return described["example"]
    examples = described.get("examples")
    if isinstance(examples, Mapping):
        return next((each.get("value") for each in examples.values()), None)
    return examples[0] if examples else None


class Samples:
    """Makes samples of the schemas of a document."""

    def __init__(self, schemas: Schemas) -> None:
        self._schemas = schemas

    def parameter(self, described: Mapping[str, Any]) -> Any:
        """Make a value of a parameter."""
        found = example_of(described)
        return self.value(described["schema"]) if found is None else found

    def answer(self, media: Mapping[str, Any]) -> Any:
        """Make an answer."""
        found = example_of(media)
        return self.value(media["schema"]) if found is None else found

    def body(self, media: Mapping[str, Any]) -> Mapping[str, Any]:
        """Make a body that is as small as it can be."""
        found = example_of(media)
        if found is None:
            whole = self._schemas.resolved(media["schema"])
            found = example_of(whole) or self._smallest(whole)
        assert isinstance(found, Mapping)
        return found

    def _smallest(self, whole: Schema) -> dict[str, Any]:
        properties = whole.get("properties", {})
        names = whole.get("required") or list(properties)[:1]
        return {name: self._value_inside(properties[name]) for name in names}

    def _value_inside(self, schema: Schema) -> Any:
        whole = self._schemas.resolved(schema)
        return self._smallest(whole) if "properties" in whole else self.value(schema)

    def value(self, schema: Schema, within: tuple[int, ...] = ()) -> Any:
        """Make a value; null where it can be null and there is no example."""
        whole = self._schemas.resolved(schema)
        found = example_of(whole)
        if found is None:
            found = whole.get("const", whole.get("default"))
        if found is not None:
            return found
        options, can_be_null = self._schemas.options(schema)
        if can_be_null or not options:
            return None
        whole = self._schemas.resolved(options[0])
        if id(whole.get("properties")) in within:
            return None
        return self._plain(whole, within)

    def _plain(self, whole: Schema, within: tuple[int, ...]) -> Any:
        if "enum" in whole:
            return whole["enum"][0]
        if "properties" in whole:
            within = (*within, id(whole["properties"]))
            return {name: self.value(each, within) for name, each in whole["properties"].items()}
        kind = whole.get("type")
        if kind == "array":
            item = self.value(whole["items"], within)
            return [] if item is None else [item]
        if kind in {"integer", "number"}:
            return whole.get("minimum", 1)
        if kind == "string":
            prefix = id_prefix(whole)
            return f"{prefix}_{_ID}" if prefix else _TIME if whole.get("format") == "date-time" else "text"
        return {"boolean": False, "object": {}}.get(str(kind))
