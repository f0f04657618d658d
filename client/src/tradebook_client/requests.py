"""Requests, made and checked before anything is sent."""

import re
import uuid
from collections.abc import Iterable, Mapping
from datetime import datetime
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote, urlencode

import msgspec


class Request(msgspec.Struct, frozen=True):
    """One request, the same at every try."""

    method: str
    path: str
    """The path with its query."""
    headers: dict[str, str] = {}
    body: bytes | None = None


def request(
    method: str,
    path: str,
    *in_path: str,
    include: Iterable[str] = (),
    filters: Mapping[str, object] | None = None,
    fields: Mapping[str, object] | None = None,
    known: Any = None,
    constant: Mapping[str, object] | None = None,
) -> Request:
    """Make a request. `known` is the TypedDict of all names that filters or fields may have."""
    _refuse_unknown({**(filters or {}), **(fields or {})}, known)
    url = _filled(path, in_path)
    query = list(_query({**(filters or {}), "include": list(include)}))
    if query:
        url = f"{url}?{urlencode(query)}"
    headers = {}
    if method in ("POST", "PATCH"):
        headers["Idempotency-Key"] = str(uuid.uuid4())
    if fields is None:
        return Request(method, url, headers)
    headers["Content-Type"] = "application/json"
    return Request(method, url, headers, msgspec.json.encode({**fields, **(constant or {})}))


def _refuse_unknown(given: Mapping[str, object], known: Any) -> None:
    names = list(known.__annotations__) if known is not None else []
    for name in given:
        if name not in names:
            close = get_close_matches(name, names, 1)
            advice = f"did you mean {close[0]}?" if close else f"there are {', '.join(names)}."
            raise TypeError(f"There is no {name}; {advice}")


def _filled(path: str, in_path: Iterable[str]) -> str:
    given = iter(in_path)

    def place(match: re.Match[str]) -> str:
        value = next(given)
        if not isinstance(value, str):
            raise TypeError(f"{match[1]} is text, not {value!r}.")
        if not value.strip():
            raise ValueError(f"{match[1]} is empty: give its text.")
        # A dot is encoded too: two of them would lead out of the path.
        return quote(value, safe="").replace(".", "%2E")

    return re.sub(r"\{(\w+)\}", place, path)


def _query(filters: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for name, value in filters.items():
        if value is None:
            continue
        if isinstance(value, str) or not isinstance(value, Iterable):
            yield name, _text(name, value)
            continue
        values = [_text(name, each) for each in value]
        if not values and name != "include":
            raise ValueError(f"{name} is empty, which would list everything: leave it out if you want that.")
        yield from ((name, each) for each in values)


def _text(name: str, value: object) -> str:
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise ValueError(f"{name} has no time zone: give it one, such as datetime.UTC.")
        return value.isoformat()
    if isinstance(value, bool):
        return str(value).lower()
    if not isinstance(value, str | int):
        raise TypeError(f"{name} takes text or numbers, not {value!r}.")
    return str(value)
