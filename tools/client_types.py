"""Write what the Python client knows of the API, from the declarations, or check that it is up to date.

`make docs` writes five modules of client/src/tradebook_client; `make check` and a test say whether they are
what the code says. The async routes are the sync ones with `async` and `await`: both are made from one text.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

from client_schemas import Schema, Types, camel, dict_of, last_of, struct_of, words_module

from tradebook.resources import ALL
from tradebook.web.openapi import openapi_document

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "client" / "src" / "tradebook_client"
HEAD = '"""{}\n\nMade from the declarations of the server: run `make docs` to make it again.\n"""\n\n'
ABSENT = '''
ABSENT: Any = msgspec.UNSET
"""What a key is that the server does not have, as it is of another version."""


'''
CREATED_KEY = "CreatedApiKey"
"""What is written by hand, in `created_keys.py`, as its secret is not to be printed."""
OF_CUSTOMERS = '''
    @async def find(self, *, number: str, include: Sequence[CustomerInclude] = ()) -> Customer | None:
        """Find the customer with a number, whatever its case; None if there is none."""
        try:
            return @await self.get_by_number(number, include=include)
        except NotFound as missing:
            if missing.param != "number":
                raise
            return None

    @async def export(
        self,
        path: str | PathLike[str],
        *,
        format: Form | None = None,
        include: Sequence[CustomerInclude] = (),
        progress: Progress | None = None,
        **filters: Unpack[CustomersFilters],
    ) -> int:
        """Write all customers that match to a file, from one snapshot; return how many they are.

        `ndjson` is a line of JSON for each, `csv` the columns of an import. Default: by the path's ending.
        The file is there when it is whole; until then it is PATH.part. `progress` is told how many are
        written so far. NoAnswer if the answer is cut.
        """
        return @await self._book.run(export(path, format, filters, include, progress))
'''
"""What only customers have."""

OF_USERS = '''
    @async def delete(self, id: str) -> None:
        """Remove one account user, as `remove` does: it can still be read, and may come back."""
        @await self.remove(id)
'''
"""The fifth verb of account users, which the API has as an action."""

OF_IMPORTS = '''
    @async def create(
        self,
        file: File,
        *,
        format: FileFormat | None = None,
        file_name: str | None = None,
        map: str | PathLike[str] | bytes | None = None,
        encoding: str | None = None,
        match: str | Sequence[str] | None = None,
        only: Only | None = None,
        keep_empty: bool | None = None,
        sheet: str | None = None,
    ) -> "@StartedImport":
        """Upload a file of customers, which is read as it is sent; the server plans what it would do.

        `file` is a path, bytes, or a file that is open for bytes. Default of `format`: by the file's ending.
        `map` is the name of a map that the server has, or the path or the text of a TOML file.
        """
        name, text = map_of(map)
        by = match if match is None or isinstance(match, str) else ",".join(match)
        asked = request(
            "POST",
            "/v1/core/imports",
            filters={
                "encoding": encoding,
                "match": by,
                "only": only,
                "keep_empty": keep_empty,
                "sheet": sheet,
                "map": name,
            },
            known=ImportsCreateOptions,
        )
        body = sent(file, format, file_name, text)
        return @StartedImport(self, @await self._book.run(uploaded(Import, asked, body)))

    @async def wait(self, id: str, *, timeout: float | None = None) -> Import:
        """Ask again, with pauses, until an import is neither planned nor applied any more.

        TimeoutError if that takes longer than `timeout` seconds.
        """
        return @await self._book.run(settled(Import, request("GET", "/v1/core/imports/{id}", id), timeout))
'''
"""What only imports have."""

STARTED = '''
class @StartedImport:
    """An import that this program has begun: what the server has told of it last, and what to do with it."""

    def __init__(self, imports: Imports, told: Import) -> None:
        self._imports, self.told = imports, told

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.told.id!r}, {self.told.state!r})"

    @property
    def id(self) -> str:
        """What it is known by."""
        return self.told.id

    @property
    def state(self) -> State:
        """How far it was when the server told of it last."""
        return self.told.state

    @property
    def progress(self) -> ImportProgress:
        """How many of its rows are looked at or written, when the server told of it last."""
        return self.told.progress

    @property
    def summary(self) -> ImportSummary | None:
        """What it would do, or did; None until it is planned."""
        return self.told.summary

    @property
    def error(self) -> str | None:
        """Why it has failed; None where it has not."""
        return self.told.error

    @async def wait(self, *, timeout: float | None = None) -> Self:
        """Wait until it is planned, applied, failed or discarded: see `state`."""
        self.told = @await self._imports.wait(self.id, timeout=timeout)
        return self

    @async def apply(self, *, rejects: bool = False, yes: bool = False) -> Self:
        """Apply the plan: without the rows that have problems if `rejects`, in spite of warnings if `yes`."""
        self.told = @await self._imports.apply(self.id, rejects=rejects, yes=yes)
        return self

    @async def discard(self) -> Self:
        """Give it up."""
        self.told = @await self._imports.discard(self.id)
        return self

    def rows(self, *, outcome: Sequence[Outcome] | None = None) -> @Iterator[ImportRow]:
        """List what each row does, or only those with one of some outcomes."""
        filters: ImportsRowsFilters = {} if outcome is None else {"outcome": outcome}
        return self._imports.rows(self.id, **filters)


'''
"""What is returned where an import was begun."""

BESIDES = {"imports": OF_IMPORTS, "customers": OF_CUSTOMERS, "account_users": OF_USERS}
BOOK = '''
class @Tradebook(@Calls):
    """A book on a server.

    Default of `base_url` is TRADEBOOK_URL of the environment, of `api_key` TRADEBOOK_API_KEY. A request is
    sent again up to `retries` times, where that can help.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        super().__init__(base_url, api_key, timeout=timeout, retries=retries)
'''
"""The class that has all resources, before the line for each."""


class Operation:
    """One route, as a method of a resource."""

    def __init__(self, types: Types, path: str, verb: str, described: Schema) -> None:
        self.types, self.path, self.verb, self.described = types, path, verb.upper(), described
        parts = path.strip("/").split("/")[2:]
        if len(parts) > 2 and parts[1].startswith("{") and parts[1] != "{id}":
            parts = parts[2:]
        self.resource = parts[0].replace("-", "_")
        self._rest = parts[1:]
        self.arguments = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        answers = [a for s, a in described["responses"].items() if s.startswith("2")]
        schema = next((a["content"]["application/json"]["schema"] for a in answers if "content" in a), {})
        self.answers = [last_of(each["$ref"]) for each in schema.get("oneOf", [schema]) if "$ref" in each]
        if schema and not self.answers:
            raise SystemExit(f"{verb.upper()} {path} answers an object without a name: give its type one.")
        body = described.get("requestBody", {}).get("content", {}).get("application/json", {})
        self.body = last_of(body["schema"]["$ref"]) if "$ref" in body.get("schema", {}) else ""
        self.takes_file = "multipart/form-data" in described.get("requestBody", {}).get("content", {})

    @property
    def is_list(self) -> bool:
        """Whether it answers a list in pages."""
        return self.verb == "GET" and "page_info" in self.types.schemas[self.answers[0]]["properties"]

    @property
    def name(self) -> str:
        """Name the method."""
        rest = [part.replace("-", "_") for part in self._rest]
        verb = {"PATCH": "update", "POST": "create"}.get(self.verb, self.verb.lower())
        if not rest:
            return "list" if self.is_list else verb
        if not rest[-1].startswith("{"):
            return rest[-1]
        if rest[0].startswith("by_"):
            # The number is the ordinary name of a customer.
            return verb if (self.verb, rest[0]) == ("PUT", "by_number") else f"{verb}_{rest[0]}"
        if len(rest) > 1:
            return f"{verb}_{rest[1].removesuffix('s')}"
        return verb

    @property
    def item(self) -> str:
        """Name the object that is answered, or that the answered list is of."""
        if not self.answers or (self.verb == "DELETE" and not self._tells):
            return "None"
        if self.is_list:
            return last_of(self.types.schemas[self.answers[0]]["properties"]["data"]["items"]["$ref"])
        return self.answers[0]

    @property
    def _tells(self) -> bool:
        """Tell whether more is answered than that something is deleted."""
        return bool(self.types.schemas[self.answers[0]]["properties"].keys() - {"id", "object", "deleted"})

    def parameters(self) -> dict[str, Schema]:
        """Return the schemas of its parameters in the query, cursors apart: the client walks."""
        found = {}
        for each in self.described.get("parameters", ()):
            if each.get("in") == "query" and each["name"] != "cursor":
                text = {"description": each["description"]} if "description" in each else {}
                found[each["name"]] = {**each["schema"], **text}
        return found

    @property
    def include(self) -> str:
        """Name the enumeration of its include values; empty if it has none."""
        schema = self.parameters().get("include")
        return self.types.of(schema["items"]) if schema else ""

    @property
    def filters(self) -> Schema:
        """Return what a list can be asked for, as the schema of an object."""
        kept = {name: schema for name, schema in self.parameters().items() if name != "include"}
        return {"properties": kept}

    @property
    def filters_name(self) -> str:
        """Name the filters of this list."""
        name = camel(self.resource) if self.name == "list" else camel(self.resource) + camel(self.name)
        return f"{name}Filters"

    @property
    def options(self) -> Schema:
        """Return what an action can be told in the query, as the schema of an object; empty without any."""
        kept = {} if self.is_list else self.filters["properties"]
        return {"properties": kept} if kept else {}

    @property
    def options_name(self) -> str:
        """Name what this action can be told."""
        return f"{camel(self.resource)}{camel(self.name)}Options"

    def methods(self) -> Iterator[str]:
        """Write its methods; an action that can be tried without being done has two, and an upload none."""
        if self.takes_file:
            return
        if len(self.answers) > 1:
            yield self._method(self.name, self.answers[0])
            yield self._method(f"preview_{self.name}", self.answers[1], constant='{"dry_run": True}')
        else:
            yield self._method(self.name, self.item)

    def _method(self, name: str, item: str, constant: str = "") -> str:
        takes = ["self", *(f"{argument}: str" for argument in self.arguments)]
        fields = self.types.schemas[self.body]["properties"] if self.body else {}
        # What is in the path and a field too, such as a number, can't be a keyword.
        takes += ["/"] if set(self.arguments) & set(fields) else []
        gives = [f'"{self.verb}"', f'"{self.path}"', *([", ".join(self.arguments)] if self.arguments else [])]
        if self.include and not constant:
            takes += ["*", f"include: Sequence[{self.include}] = ()"]
            gives += ["include=include"]
        if self.is_list:
            takes += [f"**filters: Unpack[{self.filters_name}]"]
            gives += [f"filters=filters, known={self.filters_name}"]
        if self.options:
            takes += [f"**options: Unpack[{self.options_name}]"]
            gives += [f"filters=options, known={self.options_name}"]
        if self.body:
            takes += [f"**fields: Unpack[{self.body}]"]
            gives += [f"fields=fields, known={self.body}" + (f", constant={constant}" if constant else "")]
        doc = self.described["summary"] + (" without doing it" if constant else "")
        call = f"request({', '.join(gives)})"
        if self.is_list:
            return (
                f"    def {name}({', '.join(takes)}) -> @Iterator[{item}]:\n"
                f'        """{doc}, to the end of all pages."""\n'
                f"        return self._book.walk({item}, {call})\n"
            )
        if item == "None":
            done = f"@await self._book.do({call})"
        else:
            done = f"return @await self._book.one({item}, {call})"
        return f'    @async def {name}({", ".join(takes)}) -> {item}:\n        """{doc}."""\n        {done}\n'


def objects_module(types: Types, operations: list[Operation]) -> str:
    """Write the objects that are answered, with what they hold."""
    wanted: dict[str, str] = {}
    left = [
        name
        for each in operations
        for name in ([each.item] if each.is_list or each.item == "None" else each.answers)
    ]
    left = [name for name in left if name != CREATED_KEY] + ["ApiKey"]
    while left:
        name = left.pop(0)
        if name in types.schemas and name not in wanted and "properties" in types.schemas[name]:
            wanted[name] = struct_of(types, name, types.schemas[name])
            left += [other for other in types.schemas if re.search(rf"\b{other}\b", wanted[name])]
    wanted.pop("PageInfo", None)
    return "\n\n".join(wanted[name] for name in types.schemas if name in wanted)


def bodies_module(types: Types, operations: list[Operation]) -> str:
    """Write what can be sent."""
    found: dict[str, str] = {}
    for each in operations:
        if each.body and each.body not in found:
            schema = types.schemas[each.body]
            kept = {key: value for key, value in schema["properties"].items() if key != "dry_run"}
            doc = f"The fields of `{each.verb} {each.path}`."
            found[each.body] = dict_of(types, each.body, {**schema, "properties": kept}, doc)
        if each.is_list:
            doc = f"What `GET {each.path}` can be asked for. `limit` is the size of a page, not of the walk."
            found[each.filters_name] = dict_of(types, each.filters_name, each.filters, doc)
        if each.options:
            doc = f"What `{each.verb} {each.path}` can be told in the query."
            found[each.options_name] = dict_of(types, each.options_name, each.options, doc)
    inside = [dict_of(types, name, s, "An object inside a body.") for name, s in types.sent.items()]
    return "\n\n".join([*inside, *found.values()])


def resources_module(operations: list[Operation]) -> str:
    """Write the resources, with `@` before what only the async ones have."""
    found: dict[str, list[Operation]] = {}
    for each in operations:
        found.setdefault(each.resource, []).append(each)
    classes = []
    for name, listed in found.items():
        methods = "\n".join(method for each in listed for method in each.methods())
        methods += f"\n{BESIDES.get(name, '')}"
        classes.append(
            f'class {camel(name)}(Resource):\n    """The routes of {name.replace("_", " ")}."""\n\n{methods}'
        )
    members = "\n".join(f"        self.{name} = {camel(name)}(self)" for name in found)
    return "\n\n".join([*classes, STARTED + BOOK + members + "\n"])


def names_in(text: str, module: str) -> str:
    """Write the import of what a text uses of a module's text."""
    defined = re.findall(r"^class (\w+)|^    (\w+) = Literal", module, re.MULTILINE)
    words = set(re.findall(r"\w+", text))
    return ", ".join(sorted({a or b for a, b in defined} & words))


FORMED = ("Iterator", "Calls", "Tradebook", "StartedImport")
SYNC = {name: name for name in FORMED} | {"async ": "", "await ": ""}
ASYNC = {name: f"Async{name}" for name in FORMED} | {
    "async ": "async ",
    "await ": "await ",
}


def in_form(text: str, form: Mapping[str, str]) -> str:
    """Write the resources in one of their two forms."""
    return re.sub(rf"@(async |await |{'|'.join(FORMED)})", lambda match: form[match[1]], text)


def modules() -> dict[str, str]:
    """Make every module, by its name."""
    document = openapi_document(ALL)
    types = Types(document["components"]["schemas"])
    operations = [
        Operation(types, path, verb, described)
        for path, verbs in document["paths"].items()
        if path.startswith("/v1/")
        for verb, described in verbs.items()
    ]
    objects, bodies, routes = (
        objects_module(types, operations),
        bodies_module(types, operations),
        resources_module(operations),
    )
    words = words_module(types.words)
    used = (
        "from os import PathLike\nfrom typing import Self, Unpack\n\n"
        f"from tradebook_client.bodies import {names_in(routes, bodies)}\n"
        "from tradebook_client.created_keys import CreatedApiKey\n"
        f"from tradebook_client.objects import {names_in(routes, objects)}\n"
        "from tradebook_client.requests import request\n"
        "from tradebook_client.errors import NotFound\n"
        "from tradebook_client.exports import Form, Progress\n"
        "from tradebook_client.steps import export, settled, uploaded\n"
        "from tradebook_client.uploads import File, FileFormat, map_of, sent\n"
        f"from tradebook_client.words import {names_in(routes, words)}\n"
        "from tradebook_client.calls import RETRIES, TIMEOUT_SECONDS, @Calls\n\n\n"
    )
    resource = (
        'class Resource:\n    """What every resource has: the book that it belongs to."""\n\n'
        '    def __init__(self, book: "@Tradebook") -> None:\n        self._book = book\n\n\n'
    )
    routes = f"from collections.abc import @Iterator, Sequence\n{used}{resource}{routes}"
    return {
        "words.py": HEAD.format("The enumerations of the API.") + words,
        "objects.py": HEAD.format("The objects that the API answers with.")
        + "from datetime import datetime\nfrom typing import Any\n\nimport msgspec\n\n"
        + "from tradebook_client.lists import ListOf\n"
        + f"from tradebook_client.words import {names_in(objects, words)}\n\n"
        + ABSENT
        + objects,
        "bodies.py": HEAD.format("What can be sent: the fields of bodies, and the filters of lists.")
        + "from collections.abc import Sequence\nfrom datetime import datetime\n"
        + "from typing import Required, TypedDict\n\n"
        + f"from tradebook_client.words import {names_in(bodies, words)}\n\n\n"
        + bodies,
        "resources.py": HEAD.format("The routes of the API, by resource.") + in_form(routes, SYNC),
        "async_resources.py": HEAD.format("The routes of the API, by resource, for asyncio.")
        + in_form(routes, ASYNC),
    }


def formatted(name: str, text: str) -> str:
    """Sort the imports and format a module as everything here is."""
    ruff = shutil.which("ruff", path=str(Path(sys.executable).parent)) or "ruff"
    for command in (["check", "--select", "I,F401", "--fix", "--quiet"], ["format", "--quiet"]):
        done = subprocess.run(
            [ruff, *command, "--stdin-filename", str(FOLDER / name), "-"],
            input=text,
            capture_output=True,
            text=True,
            check=True,
            cwd=ROOT,
        )
        text = done.stdout
    return text


def main() -> None:
    """Write the modules, or compare them."""
    made = {FOLDER / name: formatted(name, text) for name, text in modules().items()}
    if "--check" not in sys.argv[1:]:
        for path, text in made.items():
            path.write_text(text, encoding="utf-8")
        return
    stale = [p.name for p, text in made.items() if not p.exists() or p.read_text(encoding="utf-8") != text]
    if stale:
        raise SystemExit(f"Not what the code says: {', '.join(stale)}. Run `make docs`.")


if __name__ == "__main__":
    main()
