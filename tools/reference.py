"""Writes docs/reference from the code: its pages, and the Postman collection.

`reference.py --check` writes nothing and exits 1 if a page is not what the code says.
"""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import typer
from postman_collection import collection

from tradebook import settings
from tradebook.cli.root import COMMANDS, app, load
from tradebook.crud.fields import Field
from tradebook.crud.list_requests import parameters_of
from tradebook.crud.parameters import CURSOR, Parameter
from tradebook.crud.resource import Action, ListRoute, Route
from tradebook.crud.table_fields import Cell
from tradebook.errors import CATALOGUE
from tradebook.money import currencies_by_number
from tradebook.resources import ALL, api_keys
from tradebook.resources.quantities import unit_of
from tradebook.settings import Settings
from tradebook.transfer.columns import ADDRESS_CELLS, ADDRESSES, CUSTOMER_CELLS
from tradebook.web.openapi import openapi_document

Schema = dict[str, Any]
FOLDER = Path(__file__).parent.parent / "docs" / "reference"
NOTICE = "<!-- Made by tools/reference.py from the code: change it there, then run `make docs`. -->"


def page(title: str, *parts: str) -> str:
    """Put a page together."""
    return "\n\n".join([f"# {title}", NOTICE, *parts]) + "\n"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Write a table; a bar inside a cell is escaped, a line break becomes a space."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(map(_cell, line))} |" for line in lines)


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())


def code(text: object) -> str:
    """Set something as code."""
    return f"`{text}`"


def link(shape: type) -> str:
    """Point to an object's section."""
    return f"[{shape.__name__}](objects.md#{shape.__name__.lower()})"


def prose(text: str | None) -> str:
    """Undo the line breaks of a docstring."""
    return " ".join((text or "").split())


def settings_page() -> str:
    """List every setting, with the sentences that stand below its field in the source."""
    described = dict(_field_docs(Path(settings.__file__), Settings.__name__))
    rows = [
        (
            code(f"TRADEBOOK_{field.name.upper()}"),
            settings.takes(field.type),
            code(str(field.default).lower() if field.type is bool else field.default)
            if field.default != ""
            else "none",
            described[field.name],
        )
        for field in msgspec.structs.fields(Settings)
    ]
    intro = (
        "Settings are environment variables, read once when a command starts. If a value can't be read, the "
        "command names the variable and ends with exit code 2."
    )
    return page("Settings", intro, table(("variable", "takes", "default", "meaning"), rows))


def _field_docs(source: Path, class_name: str) -> Iterator[tuple[str, str]]:
    """Yield each annotated field of a class with the string after it; a field without one is an error."""
    tree = ast.parse(source.read_text(encoding="utf-8"))
    body = next(n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name)
    for node, after in zip(body, [*body[1:], None], strict=True):
        if not (isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)):
            continue
        text = after.value if isinstance(after, ast.Expr) else None
        if not (isinstance(text, ast.Constant) and isinstance(text.value, str)):
            raise SystemExit(f"{source}:{node.lineno}: {node.target.id} has no description below it.")
        yield node.target.id, prose(text.value)


def errors_page() -> str:
    """List every error of the catalogue, one section a code."""
    intro = (
        'Every refusal is `{"error": {…}}` with the keys `code`, `type`, `message`, `param`, `doc_url`, '
        "`is_transient`, `quota` and `request_log_url`, all always present. Programs use `code` and `param`; "
        "`message` is for people and may change. A server shows this list at `/errors`."
    )
    retry = {True: "may help", False: "does not help"}
    rows = [
        (f"[`{e.code}`](#{e.code})", str(e.status), code(e.type), retry[e.is_transient]) for e in CATALOGUE
    ]
    sections = [f"## {error.code}\n\nStatus {error.status}. {prose(error.__doc__)}" for error in CATALOGUE]
    return page("Errors", intro, table(("code", "status", "type", "trying again"), rows), *sections)


def parameters_page() -> str:
    """List every route with its permission, parameters and include values."""
    intro = (
        "An array parameter takes several values, repeated or separated by commas, and its name may leave "
        "out `[]`. One of the values must match. Any other parameter may be given once. Different "
        "parameters must all match. An unknown parameter is answered with "
        "[`parameter_unknown`](errors.md#parameter_unknown), a value that can't be read with "
        "[`parameter_invalid`](errors.md#parameter_invalid).\n\n"
        "A body is one JSON object. In a PATCH, absent fields stay as they are, and `null` clears a field "
        "that can be null. A default is for new objects."
    )
    routes = [_route_section(route) for resource in ALL for route in resource.routes]
    used = {permission for resource in ALL for route in resource.routes for permission in route.permissions}
    rows = [(code(p), "yes" if p in used else "not in this version") for p in api_keys.ALL_PERMISSIONS]
    keys = "## Permissions\n\nThe permissions that a key can have.\n\n" + table(
        ("permission", "in use"), rows
    )
    pages = "## Without a key\n\n" + table(("path", "answers"), _UNKEYED)
    return page("Routes and parameters", intro, *routes, pages, keys)


_UNKEYED = (
    ("`GET /healthz`", "200 while the process answers"),
    ("`GET /readyz`", "200 while the book can be read and has this version's schema, else 503"),
    ("`GET /openapi.json`", "the OpenAPI 3.1 document"),
    ("`GET /errors`", "the error reference as a page"),
)


def _change_section(route: Action) -> str:
    told = "".join(f", {name}" for name in route.tells.__struct_fields__) if route.tells else ""
    deleted = f"`{{id, object: {route.deletes}, deleted: true{told}}}`"
    answer = "one " + link(route.item) if route.item else deleted
    others = "".join(f", or {link(item)}" for item in route.previews)
    needed = " and ".join(map(code, route.permissions))
    needs = {field.name for field in route.body.fields if field.is_required and not route.body.is_partial}
    required = "yes"
    if route.or_creates is not None:
        needed, required = (
            f"{code(route.or_creates.permission)} where it creates, {needed} where it changes",
            "to create",
        )
        needs = {field.name for field in route.body.fields if field.is_required}
    rows = [
        (
            code(field.name),
            _field_takes(field),
            required if field.name in needs else "",
            field.description,
        )
        for field in route.body.fields
    ]
    parts = [
        f"## {route.method} {route.path}",
        f"{route.summary}. Needs the permission {needed}. Answers with {answer}{others}.",
        table(("field", "takes", "required", "meaning"), rows) if rows else _no_fields(route),
    ]
    if route.parameters:
        asked = [(code(p.name), _takes(p), p.description) for p in route.parameters]
        parts.append(table(("parameter", "takes", "meaning"), asked))
    if route.includes:
        parts.append("It takes the include values of its GET.")
    return "\n\n".join(parts)


def _no_fields(route: Action) -> str:
    if route.upload is None:
        return "It takes no body."
    types = ", ".join(map(code, route.upload.formats))
    return f"It takes a file, as its body or in a form. {route.upload.description} Its types: {types}."


def _field_takes(field: Field) -> str:
    schema = field.kind.schema()
    inner = schema.get("items", schema)
    if "enum" in inner:
        kind = " ".join(map(code, inner["enum"]))
    elif "pattern" in inner:
        kind = "ids " + code(inner["pattern"].strip("^").partition("_")[0] + "_…")
    elif "additionalProperties" in inner and "properties" not in inner:
        kind = (
            f"an object: names, each with text, up to {inner['additionalProperties']['maxLength']} characters"
        )
    elif inner["type"] == "object":
        kind = "an object of " + ", ".join(
            f"{code(name)}{' (required)' if name in inner.get('required', ()) else ''}"
            for name in inner["properties"]
        )
    elif "format" in inner:
        kind = f"text: {inner['format']}"
    elif "maxLength" in inner:
        kind = f"text, {inner['minLength']} to {inner['maxLength']} characters"
    elif inner["type"] == "integer":
        kind = f"{inner['minimum']} to {inner['maximum']}"
    else:
        kind = inner["type"]
    many = f", {schema.get('minItems', 0)} to {schema['maxItems']}" if "items" in schema else ""
    return kind + many + (" or null" if field.can_be_null else "")


def _route_section(route: Route) -> str:
    if isinstance(route, Action):
        return _change_section(route)
    answer = ("a list of " if isinstance(route, ListRoute) else "one ") + link(route.item)
    rows = [(code(p.name), _takes(p), p.description) for p in parameters_of(route)]
    needed = "Needs no permission."
    if route.permissions:
        needed = f"Needs the permission {' and '.join(map(code, route.permissions))}."
    parts = [
        f"## GET {route.path}",
        f"{route.summary}. {needed} Answers with {answer}.",
        table(("parameter", "takes", "meaning"), rows) if rows else "It takes no parameters.",
    ]
    if route.includes:
        parts.append("Include values: " + ", ".join(map(code, route.includes)) + ".")
    return "\n\n".join(parts)


def _takes(parameter: Parameter) -> str:
    schema = parameter.kind.schema()
    if parameter.name == "include[]":
        kind = "include values"
    elif "enum" in schema:
        kind = " ".join(map(code, schema["enum"]))
    elif "pattern" in schema:
        kind = "ids " + code(schema["pattern"].strip("^").partition("_")[0] + "_…")
    elif "maxLength" in schema:
        kind = f"text, {schema['minLength']} to {schema['maxLength']} characters"
    elif schema["type"] == "integer":
        kind = f"{schema['minimum']} to {schema['maximum']}, default {schema['default']}"
    elif schema["type"] == "boolean":
        kind = "`true` or `false`"
    elif "format" in schema:
        kind = f"RFC 3339 {schema['format']}"
    else:
        kind = "a cursor" if parameter is CURSOR else "text"
    return kind + (", many" if parameter.is_array else "")


def objects_page() -> str:
    """List every object the API answers with, key by key."""
    schemas: Schema = openapi_document(ALL)["components"]["schemas"]
    prefixes = [(code(f"{resource.id_prefix}_"), link(resource.shape)) for resource in ALL]
    intro = (
        "Keys come in this order and are always present. `null` means that there is nothing, or that it was "
        "not asked for with `include[]`. Times are RFC 3339 in UTC with milliseconds, as text."
    )
    sections = [
        _object_section(name, schema, schemas) for name, schema in schemas.items() if "properties" in schema
    ]
    return page("Objects", intro, table(("id begins with", "object"), prefixes), *sections)


def _object_section(name: str, schema: Schema, schemas: Schema) -> str:
    properties = schema["properties"].items()
    rows = [(code(key), _type_of(value, schemas), value.get("description", "")) for key, value in properties]
    return f"## {name}\n\n{schema.get('description', '')}\n\n" + table(("key", "holds", "meaning"), rows)


def _type_of(schema: Schema, schemas: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        words = schemas[name].get("enum")
        return " ".join(map(code, words)) if words else f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(_type_of(each, schemas) for each in schema["anyOf"])
    if "const" in schema:
        return code(schema["const"])
    if schema.get("type") == "array":
        return f"list of {_type_of(schema['items'], schemas)}"
    kinds = schema.get("type", "any JSON value")
    named = [schema.get("format", kind) if kind == "string" else kind for kind in _listed(kinds)]
    return " or ".join(named)


def _listed(kinds: str | list[str]) -> list[str]:
    return [kinds] if isinstance(kinds, str) else kinds


def commands_page() -> str:
    """List every command with its arguments and options."""
    intro = "Results go to standard output, messages to standard error. `--help` explains every command."
    root: Any = typer.main.get_command(app)
    root.commands = {name: load(name) for name in COMMANDS}
    return page("Commands", intro, *_command_sections(root, "tradebook"))


def _command_sections(command: Any, path: str) -> Iterator[str]:
    inner = getattr(command, "commands", {})
    words = [path, *(_argument(p) for p in command.params if p.param_type_name == "argument")]
    yield f"## {path}\n\n{prose(command.help)}" + (
        "" if inner else f"\n\n```\n{' '.join(words)} [OPTIONS]\n```"
    )
    rows = [_option_row(parameter) for parameter in command.params if not parameter.hidden]
    if rows:
        yield table(("argument or option", "takes", "meaning"), rows)
    for name, each in inner.items():
        yield from _command_sections(each, f"{path} {name}")


def _option_row(parameter: Any) -> tuple[str, str, str]:
    is_argument = parameter.param_type_name == "argument"
    name = _argument(parameter) if is_argument else ", ".join(parameter.opts)
    takes = "" if is_argument or parameter.is_flag else parameter.metavar or "a value"
    if parameter.max is not None:
        takes = f"{parameter.min} to {parameter.max}"
    meaning = prose(parameter.help)
    if parameter.required and not is_argument:
        meaning += " Required."
    if parameter.default not in (None, False):
        meaning += f" Default: `{parameter.default}`."
    return code(name), takes, meaning


def _argument(parameter: Any) -> str:
    name = str(parameter.metavar or parameter.name.upper())
    return name if parameter.required else f"[{name}]"


def units_page() -> str:
    """List every currency with the id of its unit."""
    intro = (
        "What an amount counts, by the id that `unit_id` takes. The ids are the same in every book. "
        "`include[]=credit_limit.unit` shows a customer's own."
    )
    units = [unit_of(currency) for currency in sorted(currencies_by_number().values())]
    rows = [(unit.code, code(unit.id), unit.name, unit.symbol) for unit in units]
    return page("Units", intro, table(("currency", "id", "name", "sign"), rows))


def columns_page() -> str:
    """List every column that import and export know."""
    intro = (
        "The columns of a file of customers, in the order in which an export writes them. "
        "[Import and export](../import.md) tells how they work together."
    )
    of_addresses = "An address that is given at all needs a country. Default of its name: the customer's."
    heading = ("column", "takes", "an empty cell", "meaning")
    required = {True: "Required.", False: ""}
    own = [_column_row([cell.name], cell, required[cell.is_required]) for cell in CUSTOMER_CELLS]
    addresses = [
        _column_row([f"{part}.{cell.name}" for part in ADDRESSES], cell, "") for cell in ADDRESS_CELLS
    ]
    return page(
        "Columns of files",
        intro,
        table(heading, own),
        "## Addresses",
        of_addresses,
        table(heading, addresses),
        "## What only some customers have",
        "An export writes these where the account has any. An attached address is one more than the two "
        "above: `address.name`, `address.country` and so on, with their fields. In CSV each further one is a "
        "row below, with the same number; in NDJSON `addresses` is a list of objects. What is attached stays "
        "attached.",
        table(
            heading,
            [
                (
                    code("address.*"),
                    "as the fields of `bill_to.*`",
                    "changes nothing",
                    "An attached address.",
                ),
                (
                    code("external_ids.NAME"),
                    "text, up to 255 characters",
                    "clears it",
                    "The customer's id in the system of that name. NDJSON also takes an object of them.",
                ),
            ],
        ),
    )


def _column_row(names: Sequence[str], cell: Cell, more: str) -> tuple[str, str, str, str]:
    takes = f"a list of entries, each {cell.kind.cell_form()}" if cell.is_list else cell.kind.cell_form()
    empty = "clears it" if cell.can_be_null else "changes nothing"
    return ", ".join(map(code, names)), takes, empty, f"{cell.description} {more}"


PAGES: dict[str, Callable[[], str]] = {
    "settings.md": settings_page,
    "errors.md": errors_page,
    "parameters.md": parameters_page,
    "objects.md": objects_page,
    "commands.md": commands_page,
    "units.md": units_page,
    "columns.md": columns_page,
    "postman_collection.json": collection,
}


def main() -> None:
    """Write the pages, or compare them."""
    pages = {FOLDER / name: make() for name, make in PAGES.items()}
    if "--check" not in sys.argv[1:]:
        for path, text in pages.items():
            path.write_text(text, encoding="utf-8")
        return
    stale = [p.name for p, text in pages.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if stale:
        raise SystemExit(f"Not what the code says: {', '.join(stale)}. Run `make docs`.")


if __name__ == "__main__":
    main()
