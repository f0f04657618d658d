"""One request in curl, Python and TypeScript, each to run as it is printed."""

import json
import re
import shlex
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

_QUOTED_NAME = re.compile(r'^( *)"(\w+)":', re.MULTILINE)


class Request(NamedTuple):
    """What an example sends."""

    method: str
    path: str
    """With its places still in braces."""
    ids: Mapping[str, str]
    query: Mapping[str, Any]
    """An array as a list of its values."""
    body: Mapping[str, Any] | None
    file: tuple[str, str] | None
    """The type and the text of a file that is sent instead of a body."""
    is_open: bool
    """Whether it needs no key."""
    is_repeatable: bool
    """Whether it takes an idempotency key."""
    is_list: bool
    is_json: bool
    """Whether the answer is JSON."""
    shown: str | None
    """A property of the answer to print; None where there is no answer with properties."""

    @property
    def target(self) -> str:
        """The path and the query, as they are sent."""
        ids = {name: quote(text, safe="") for name, text in self.ids.items()}
        # Colons and commas are data here, and easier to read as they are.
        spelled = {name: ",".join(v) if isinstance(v, list) else v for name, v in self.query.items()}
        query = urlencode(spelled, safe=",:")
        return self.path.format_map(ids) + (f"?{query}" if query else "")


class Example(NamedTuple):
    """A request in one language."""

    language: str
    name: str
    """What the language is called."""
    code: str


def examples_of(request: Request) -> tuple[Example, ...]:
    """Write a request in all three languages."""
    return (
        Example("curl", "curl", curl(request)),
        Example("python", "Python", python(request)),
        Example("typescript", "TypeScript", typescript(request)),
    )


def curl(request: Request) -> str:
    """Write a request for a shell."""
    parts = ["curl --fail-with-body -sS"]
    if request.method != "GET":
        parts[0] += f" -X {request.method}"
    parts[0] += f' "$TRADEBOOK_URL{request.target}"'
    if not request.is_open:
        parts.append('-H "Authorization: Bearer $TRADEBOOK_API_KEY"')
    if request.body is not None:
        parts.append("-H 'Content-Type: application/json'")
        parts.append(f"-d {shlex.quote(json.dumps(request.body, indent=2, ensure_ascii=False))}")
    if request.file is not None:
        kind, text = request.file
        parts += [f"-H 'Content-Type: {kind}'", f"--data-binary {shlex.quote(text)}"]
    return " \\\n  ".join(parts)


def typescript(request: Request) -> str:
    """Write a request with nothing but `fetch`."""
    headers, options = [], []
    if request.method != "GET":
        options.append(f'  method: "{request.method}",')
    if not request.is_open:
        headers.append("    Authorization: `Bearer ${process.env.TRADEBOOK_API_KEY}`,")
    if request.body is not None:
        headers.append('    "Content-Type": "application/json",')
    if request.file is not None:
        headers.append(f'    "Content-Type": "{request.file[0]}",')
    if request.is_repeatable:
        headers.append('    "Idempotency-Key": crypto.randomUUID(),')
    if headers:
        options += ["  headers: {", *headers, "  },"]
    if request.body is not None:
        quoted = json.dumps(request.body, indent=2, ensure_ascii=False).replace("\n", "\n  ")
        body = _QUOTED_NAME.sub(r"\1\2:", quoted)
        options.append(f"  body: JSON.stringify({body}),")
    if request.file is not None:
        options.append(f"  body: {json.dumps(request.file[1], ensure_ascii=False)},")
    url = f"`${{process.env.TRADEBOOK_URL}}{request.target}`"
    call = f"{url}, {{\n{chr(10).join(options)}\n}}" if options else url
    return (
        f"const answer = await fetch({call});\n"
        "if (!answer.ok) throw new Error(await answer.text());\n"
        f"{_typescript_end(request)}"
    )


def _typescript_end(request: Request) -> str:
    if request.is_list:
        return (
            "const { data, page_info } = await answer.json();\n"
            f"for (const one of data) console.log(one.{request.shown or 'id'});\n"
            "console.log(page_info.next_page_url);"
        )
    return f"console.log(await answer.{'json' if request.is_json else 'text'}());"


def python(request: Request) -> str:
    """Write a request with the Python client; with httpx what it has no method for."""
    if request.is_open:
        return (
            "import os\n\nimport httpx\n\n"
            f'answer = httpx.get(os.environ["TRADEBOOK_URL"] + "{request.target}")\n'
            "answer.raise_for_status()\n"
            f"print(answer.{'json()' if request.is_json else 'text'})"
        )
    resource, method = _method_of(request)
    arguments = [_literal(text) for text in request.ids.values()]
    if request.file is not None:
        kind, text = request.file
        arguments += [f"{_literal(text)}.encode()", f'format="{kind.rpartition("/")[2]}"']
    body = dict(request.body or {})
    if body.pop("dry_run", False):
        method = f"preview_{method}"
    # The client walks to the end: `limit` is only the size of its pages.
    filters = {name: value for name, value in request.query.items() if name != "limit"}
    arguments += [f"{name}={_literal(value, 4)}" for name, value in {**filters, **body}.items()]
    call = f"book.{resource}.{method}({_joined(arguments)})"
    if request.is_list:
        act = f"for one in {call}:\n        print(one.{request.shown or 'id'})"
    elif request.shown is not None and request.method != "DELETE":
        act = f"answer = {call}\n    print(answer.{request.shown})"
    else:
        act = call
    return f"from tradebook_client import Tradebook\n\nwith Tradebook() as book:\n    {act}"


def _method_of(request: Request) -> tuple[str, str]:
    """Name the resource and the method, as the client does."""
    parts = request.path.strip("/").split("/")[2:]
    if len(parts) > 2 and parts[1].startswith("{") and parts[1] != "{id}":
        parts = parts[2:]
    resource, *rest = (part.replace("-", "_") for part in parts)
    verb = {"PATCH": "update", "POST": "create"}.get(request.method, request.method.lower())
    if not rest:
        return resource, "list" if request.is_list else verb
    if not rest[-1].startswith("{"):
        return resource, rest[-1]
    if rest[0].startswith("by_"):
        # By its number a customer is just put.
        return resource, verb if (verb, rest[0]) == ("put", "by_number") else f"{verb}_{rest[0]}"
    if len(rest) > 1:
        return resource, f"{verb}_{rest[1].removesuffix('s')}"
    return resource, verb


_WIDTH = 76


def _joined(arguments: list[str]) -> str:
    flat = ", ".join(arguments)
    if len(flat) < _WIDTH - 24 and "\n" not in flat:
        return flat
    return "\n" + "".join(f"        {argument},\n" for argument in arguments) + "    "


def _literal(value: Any, indent: int = 0) -> str:
    """Write a value as Python has it; an object over several lines where it is long."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, list):
        return f"[{', '.join(_literal(each, indent) for each in value)}]"
    if not isinstance(value, dict):
        return repr(value)
    pairs = [f"{_literal(name)}: {_literal(each, indent + 4)}" for name, each in value.items()]
    flat = f"{{{', '.join(pairs)}}}"
    if len(flat) < _WIDTH - 28 - indent and "\n" not in flat:
        return flat
    inner = " " * (indent + 8)
    return "{\n" + "".join(f"{inner}{pair},\n" for pair in pairs) + " " * (indent + 4) + "}"
