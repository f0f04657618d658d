"""Turn the schemas of the OpenAPI document into the types of the Python client."""

from collections.abc import Mapping
from typing import Any

PLAIN = {"string": "str", "integer": "int", "boolean": "bool", "number": "float"}

Schema = Mapping[str, Any]


def camel(name: str) -> str:
    """Write a name as that of a class."""
    return "".join(part.capitalize() for part in name.replace("-", "_").split("_"))


def last_of(reference: str) -> str:
    """Return the name that a reference ends in."""
    return reference.rpartition("/")[2]


class Types:
    """Turns schemas into types."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas = schemas
        self.sent: dict[str, Schema] = {}
        """The objects inside bodies."""

    @property
    def words(self) -> dict[str, list[str]]:
        """The enumerations."""
        return {name: schema["enum"] for name, schema in self.schemas.items() if "enum" in schema}

    def of(self, schema: Schema, *, is_sent: bool = False) -> str:
        """Return the type of a property."""
        kinds = schema.get("type")
        several = kinds if isinstance(kinds, list) else [kinds]
        options = schema.get("anyOf") or [{**schema, "type": kind} for kind in several]
        found = {self._plain(option, is_sent=is_sent): None for option in options}
        if "Any" in found:
            return "Any"
        return " | ".join([kind for kind in found if kind != "None"] + ["None"] * ("None" in found))

    def _plain(self, schema: Schema, *, is_sent: bool) -> str:
        kind = schema.get("type")
        if kind == "null":
            return "None"
        if "$ref" in schema:
            return self._named(last_of(schema["$ref"]), is_sent=is_sent)
        if kind == "array":
            items = self.of(schema["items"], is_sent=is_sent)
            return f"Sequence[{items}]" if is_sent else f"list[{items}]"
        if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
            return f"dict[str, {self.of(schema['additionalProperties'], is_sent=is_sent)}]"
        if schema.get("format") == "date-time":
            return "datetime | str" if is_sent else "datetime"
        return PLAIN.get(kind, "Any")

    def _named(self, name: str, *, is_sent: bool) -> str:
        properties = self.schemas[name].get("properties", {})
        if "page_info" in properties:
            return f"ListOf[{self.of(properties['data']['items'])}]"
        if is_sent and properties:
            self.sent[name] = self.schemas[name]
        return name


def documented(schema: Schema) -> str:
    """Write the description of a property as the line below it."""
    text = schema.get("description")
    return f'    """{text}"""\n' if text else ""


def struct_of(types: Types, name: str, schema: Schema) -> str:
    """Write an object that is answered. A server of another version may lack any key but the first ones."""
    lines = [f"class {name}(msgspec.Struct, frozen=True, kw_only=True):"]
    lines.append(f'    """{schema.get("description", f"{name}.")}"""\n')
    for key, value in schema["properties"].items():
        kind = types.of(value)
        # What was deleted may be gone when it is asked for again: then no more than that is known.
        absent = "" if key in ("id", "object") and not name.startswith("Deleted") else " = ABSENT"
        lines.append(
            f"    {key}: {quoted(kind)}" + (" = None" if "None" in kind or kind == "Any" else absent)
        )
        lines.append(documented(value).rstrip())
    return "\n".join(line for line in lines if line) + "\n"


def quoted(kind: str) -> str:
    """Write a type that may name what comes later in the file."""
    plain = {"str", "int", "bool", "datetime", "Any", "None", "str | None", "datetime | None"}
    return kind if kind in plain else f'"{kind}"'


def dict_of(types: Types, name: str, schema: Schema, doc: str) -> str:
    """Write what is sent: the fields of a body, or the filters of a list."""
    required = set(schema.get("required", ()))
    is_total = required >= set(schema["properties"])
    lines = [f"class {name}(TypedDict{'' if is_total else ', total=False'}):", f'    """{doc}"""\n']
    for key, value in schema["properties"].items():
        kind = types.of(value, is_sent=True)
        lines.append(f"    {key}: {f'Required[{kind}]' if key in required and not is_total else kind}")
        lines.append(documented(value).rstrip())
    return "\n".join(line for line in lines if line) + "\n"


def words_module(words: Mapping[str, list[str]]) -> str:
    """Write the enumerations: for a type checker the words of today, at run time any text."""
    literals = "\n".join(
        f"    {name} = Literal[{', '.join(f'{chr(34)}{word}{chr(34)}' for word in listed)}]"
        for name, listed in sorted(words.items())
    )
    texts = "\n".join(f"    {name} = str" for name in sorted(words))
    return (
        f"from typing import TYPE_CHECKING, Literal\n\nif TYPE_CHECKING:\n{literals}\nelse:\n"
        f"    # A later server may know more words.\n{texts}\n"
    )
