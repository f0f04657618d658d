"""Sends what was recorded, and reads the answers as strictly as the libraries do."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx

from tests.contract.checkers import cursor_in
from tests.wire.recordings import Recording, Request, Shapes
from tradebook.clock import format_ms, now_ms

OR_NULL = " or null"
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
PLAIN: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "object": lambda value: isinstance(value, dict),
    "time": lambda value: isinstance(value, str) and _RFC3339.fullmatch(value) is not None,
}


def shape_faults(shapes: Shapes, kind: str, value: Any, path: str = "") -> Iterator[str]:
    """Tell what a library can't decode, or would not find, in a value that is to be of a kind."""
    can_be_null = kind.endswith(OR_NULL)
    kind = kind.removesuffix(OR_NULL)
    if value is None:
        if not can_be_null:
            yield f"{path} is null"
    elif kind.startswith("["):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for entry in value:
            yield from shape_faults(shapes, kind[1:-1], entry, f"{path}[]")
    elif kind in PLAIN:
        if not PLAIN[kind](value):
            yield f"{path} is no {kind}: {value!r}"
    elif not isinstance(value, dict):
        yield f"{path} is no object"
    else:
        for key, of_key in shapes[kind].items():
            if key in value:
                yield from shape_faults(shapes, of_key, value[key], f"{path}.{key}")
            else:
                yield f"{path}.{key} is missing"


def answer_faults(shapes: Shapes, request: Request, answer: httpx.Response) -> list[str]:
    """Tell what is wrong with an answer."""
    if answer.status_code != request.status:
        return [f"{answer.status_code} instead of {request.status}: {answer.text[:300]}"]
    kind = answer.headers.get("content-type", "")
    if kind.partition(";")[0] != "application/json":
        return [f"the content type is {kind!r}"]
    return list(dict.fromkeys(shape_faults(shapes, request.reads, answer.json())))


class Replay:
    """One library at work: what its answers held is put into its next requests."""

    def __init__(self, client: httpx.Client, shapes: Shapes, known: Recording) -> None:
        self._client, self._shapes, self._recording = client, shapes, known
        self._kept = {"soon": format_ms(now_ms() + 3_600_000)}

    def faults(self) -> list[str]:
        """Send every request; each fault begins with what the request does."""
        return [
            f"{request.does}: {fault}"
            for request in self._recording.requests
            for fault in self._faults(request)
        ]

    def _faults(self, request: Request) -> list[str]:
        lacking = re.findall(r"{(\w+)}", _whole(request))
        if not self._kept.keys() >= set(lacking):
            return [f"nothing before it has answered {', '.join(sorted(set(lacking) - self._kept.keys()))}"]
        answer = self._send(request)
        if answer.is_success and answer.content:
            # Even if it has a fault, so that one fault is not told as many.
            self._keep(request.keeps, answer.json())
        return answer_faults(self._shapes, request, answer)

    def _send(self, request: Request) -> httpx.Response:
        verb, url = self._filled(request.sends).split(" ", 1)
        headers = {name: self._filled(value) for name, value in request.headers.items()}
        content = None
        if isinstance(request.body, dict):
            content = self._filled(json.dumps(request.body))
            headers["Content-Type"] = "application/json"
        return self._client.request(
            verb, url, content=content, headers={**self._recording.headers, **headers}
        )

    def _filled(self, text: str) -> str:
        return re.sub(r"{(\w+)}", lambda found: self._kept[found[1]], text)

    def _keep(self, keeps: dict[str, str], answer: Any) -> None:
        for name, way in keeps.items():
            value = answer
            for step in way.split("."):
                value = value[0] if isinstance(value, list) and value else value
                value = value[step] if isinstance(value, dict) else None
            if value is not None:
                self._kept[name] = {"cursor": cursor_in, "put_together": put_together}.get(name, str)(value)


def _whole(request: Request) -> str:
    body = json.dumps(request.body) if isinstance(request.body, dict) else ""
    return " ".join((request.sends, body, *request.headers.values()))


def put_together(url: str) -> str:
    """Write a URL as the TypeScript library does that was given it: one value for each name, encoded anew."""
    path, _, query = url.partition("?")
    return f"{path}?{urlencode(dict(parse_qsl(query)))}"
