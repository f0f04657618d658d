"""Turn the schemas of the OpenAPI document into the types of the Python client."""

from collections.abc import Mapping
from typing import Any

LISTS_OF = {"price_groups": "AccountGroup", "child_accounts": "Customer"}
"""What is in the lists inside an object whose schema doesn't say it; in all others it is service levels."""
COMMON_WORDS = {"status", "type", "code"}
"""Names of properties that say nothing without their object."""

PLAIN = {"string": "str", "integer": "int", "boolean": "bool", "null": "None", "number": "float"}

Schema = Mapping[str, Any]


def camel(name: str) -> str:
    """Write a name as that of a class."""
    return "".join(part.capitalize() for part in name.replace("-", "_").split("_"))


def last_of(reference: str) -> str:
    """Return the name that a reference ends in."""
    return reference.rpartition("/")[2]


class Words:
    """The enumerations, each under one name however often it occurs."""

    def __init__(self) -> None:
        self.names: dict[frozenset[str], str] = {}
        self.lists: dict[str, list[str]] = {}

    def name_of(self, listed: list[str], owner: str, key: str) -> str:
        """Name an enumeration, after the property that has it first."""
        words = frozenset(listed) - {None}
        if words not in self.names:
            name = camel(key) if key not in COMMON_WORDS else owner + camel(key)
            self.add(name if name not in self.lists else owner + camel(key), listed)
        return self.names[words]

    def add(self, name: str, listed: list[str]) -> None:
        """Give an enumeration its name."""
        self.names[frozenset(listed) - {None}] = name
        self.lists[name] = [word for word in listed if word is not None]


class Types:
    """Turns schemas into types."""

    def __init__(self, schemas: Mapping[str, Schema]) -> None:
        self.schemas, self.words = schemas, Words()
        self.inline: dict[str, Schema] = {}
        """The objects inside bodies, by the name that they get here."""

    def of(self, schema: Schema, owner: str, key: str, *, is_sent: bool = False) -> str:
        """Return the type of a property."""
        options = schema.get("anyOf") or schema.get("oneOf")
        if not options:
            kinds = schema.get("type")
            several = kinds if isinstance(kinds, list) else [kinds]
            options = [{**schema, "type": kind} for kind in several]
        found = {self._plain(option, owner, key, is_sent=is_sent): None for option in options}
        if "Any" in found:
            return "Any"
        can_be_null = "None" in found or None in schema.get("enum", ())
        return " | ".join([kind for kind in found if kind != "None"] + ["None"] * can_be_null)

    def _plain(self, schema: Schema, owner: str, key: str, *, is_sent: bool) -> str:
        kind = schema.get("type")
        if "$ref" in schema:
            return self._named(last_of(schema["$ref"]), key, is_sent=is_sent)
        if "enum" in schema and key != "object" and kind in (None, "string"):
            return self.words.name_of(schema["enum"], owner, key)
        if kind == "array":
            items = self.of(schema["items"], owner, key.removesuffix("s"), is_sent=is_sent)
            return f"Sequence[{items}]" if is_sent else f"list[{items}]"
        if kind == "object" and is_sent and "properties" in schema:
            return self._body_inside(schema, key)
        if schema.get("format") == "date-time" or (kind == "string" and key.endswith("_at")):
            return "datetime | str" if is_sent else "datetime"
        return "str" if key == "object" else PLAIN.get(kind, "Any")

    def _named(self, name: str, key: str, *, is_sent: bool) -> str:
        schema = self.schemas[name]
        if "enum" in schema:
            self.words.add(name, schema["enum"])
            return name
        if "properties" not in schema:
            return self.of(schema, name, key, is_sent=is_sent)
        if "page_info" not in schema["properties"]:
            return self._body_inside(schema, key, name) if is_sent else name
        items = schema["properties"]["data"].get("items")
        item = last_of(items["$ref"]) if items else LISTS_OF.get(key, "ServiceLevel")
        return f"ListOf[{item}]"

    def _body_inside(self, schema: Schema, key: str, name: str = "") -> str:
        # An address of a customer that is there takes some of its fields.
        of_address = "AddressInput" if "required" in schema else "AddressPut"
        name = name or (of_address if key.endswith("_address") else f"{camel(key)}Input")
        self.inline[name] = schema
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
        kind = types.of(value, name, key)
        absent = "" if key in ("id", "object") else " = ABSENT"
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
        kind = types.of(value, name.removesuffix("Create").removesuffix("Update"), key, is_sent=True)
        lines.append(f"    {key}: {f'Required[{kind}]' if key in required and not is_total else kind}")
        lines.append(documented(value).rstrip())
    return "\n".join(line for line in lines if line) + "\n"


def words_module(words: Words) -> str:
    """Write the enumerations: for a type checker the words of today, at run time any text."""
    literals = "\n".join(
        f"    {name} = Literal[{', '.join(f'{chr(34)}{word}{chr(34)}' for word in listed)}]"
        for name, listed in sorted(words.lists.items())
    )
    texts = "\n".join(f"    {name} = str" for name in sorted(words.lists))
    return (
        f"from typing import TYPE_CHECKING, Literal\n\nif TYPE_CHECKING:\n{literals}\nelse:\n"
        f"    # A later server may know more words.\n{texts}\n"
    )
