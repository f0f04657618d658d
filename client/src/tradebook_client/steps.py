"""What a call does, step by step, for sync and async alike: requests are yielded, answers are sent back."""

import time
from collections.abc import Iterator, Mapping, Sequence
from os import PathLike
from tempfile import TemporaryFile
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from tradebook_client.bodies import CustomersFilters
from tradebook_client.errors import UnexpectedAnswer
from tradebook_client.exports import CONTENT_TYPES, MORE, Counted, Form, Progress, form_of
from tradebook_client.files import NewFile
from tradebook_client.requests import Request, request
from tradebook_client.tries import Download, Pause, Reply, Steps, Upload
from tradebook_client.uploads import Sent

Kind = TypeVar("Kind")
UNDER_WAY = ("planning", "applying")
PAUSE_SECONDS, PAUSE_GROWTH, PAUSE_SECONDS_MAX = 0.1, 1.5, 5.0
CUSTOMERS = "/v1/sales/customers"
_WHOLE = {"next_page_url": None, "previous_page_url": None, "has_next_page": False, "has_prev_page": False}


class Page(msgspec.Struct, frozen=True):
    """The rows of a page, the lists inside them whole, and what brings the next one."""

    rows: list[Any]
    following: Request | None

    def typed(self, kind: type[Kind]) -> Iterator[Kind]:
        """Yield the rows as objects."""
        return (typed(kind, row) for row in self.rows)


def one(kind: type[Kind], asked: Request) -> Steps[Kind]:
    """Ask for one object."""
    reply = yield asked
    answer = _decoded(reply)
    yield from _complete(answer)
    return typed(kind, answer)


def done(asked: Request) -> Steps[None]:
    """Ask for something whose answer says nothing."""
    yield asked


def page(asked: Request) -> Steps[Page]:
    """Ask for a page, and for the rest of every list inside it."""
    reply = yield asked
    answer = _decoded(reply)
    if not isinstance(answer, dict) or not isinstance(answer.get("data"), list):
        raise _strange(reply, "it is no list")
    yield from _complete(answer["data"])
    following = _following(answer)
    if following is not None and following.path == asked.path:
        raise _strange(reply, "the page after it is the same one")
    return Page(answer["data"], following)


def uploaded(kind: type[Kind], asked: Request, body: Sent) -> Steps[Kind]:
    """Send a file, and return what was begun with it."""
    headers = {**asked.headers, "Content-Type": body.content_type}
    if body.length is not None:
        headers["Content-Length"] = str(body.length)
    reply = yield Upload(replace(asked, headers=headers), body)
    return typed(kind, _decoded(reply))


def settled(kind: type[Kind], asked: Request, timeout: float | None) -> Steps[Kind]:
    """Ask again, with pauses, until the server is done with it; TimeoutError if that takes longer."""
    end = None if timeout is None else time.monotonic() + timeout
    pause = PAUSE_SECONDS
    while True:
        reply = yield asked
        answer = _decoded(reply)
        if answer.get("state") not in UNDER_WAY:
            return typed(kind, answer)
        if end is not None and time.monotonic() + pause > end:
            raise TimeoutError(f"It is still {answer['state']} after {timeout:g} s.")
        yield Pause(pause)
        pause = min(PAUSE_SECONDS_MAX, PAUSE_GROWTH * pause)


def typed(kind: type[Kind], answer: Any) -> Kind:
    """Turn what was read into objects; keys that this version doesn't know are ignored."""
    try:
        result: Kind = msgspec.convert(answer, kind)
    except msgspec.ValidationError as error:
        raise UnexpectedAnswer(f"This version of the client can't read the answer: {error}") from error
    return result


def export(
    path: str | PathLike[str],
    form: Form | None,
    filters: Mapping[str, object],
    include: Sequence[str],
    progress: Progress | None,
) -> Steps[int]:
    """Write all customers that match to a file, from one snapshot, and return how many they are."""
    asked = request("GET", CUSTOMERS, include=include, filters=filters, known=CustomersFilters)
    kind = CONTENT_TYPES[form or form_of(path)]
    with NewFile(path) as file:
        counted = Counted(file, kind, progress)
        yield Download(replace(asked, headers={"Accept": kind}), kind, counted.write)
        if counted.has_more:
            yield from _complete_lines(file)
    return counted.rows


def _complete_lines(file: NewFile) -> Steps[None]:
    """Read the lists inside the objects of a file to their ends, where these are not all there."""
    encoder = msgspec.json.Encoder()
    with TemporaryFile() as whole:
        for line in file.lines():
            if MORE in line:
                answer = msgspec.json.decode(line)
                yield from _complete(answer)
                whole.write(encoder.encode_lines([answer]))
            else:
                whole.write(line)
        file.replace(whole)


def _decoded(reply: Reply) -> Any:
    try:
        return msgspec.json.decode(reply.content)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise _strange(reply, "it is no JSON") from error


def _strange(reply: Reply, what: str) -> UnexpectedAnswer:
    request_id = reply.headers.get("request-id") or reply.headers.get("x-request-id")
    return UnexpectedAnswer(
        f"This is no answer of the API: {what}.", status=reply.status, request_id=request_id
    )


def _complete(answer: Any) -> Steps[None]:
    """Read every list inside an answer to its end."""
    for found in list(_lists(answer)):
        following = _following(found)
        while following is not None:
            rest = yield from page(following)
            found["data"].extend(rest.rows)
            following = rest.following
        found["page_info"] = _WHOLE


def _lists(value: Any) -> Iterator[dict[str, Any]]:
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for inner in inside:
        if isinstance(inner, dict) and inner.get("object") == "list":
            yield inner
        # Most are plain values, and a call for each would take the most of the time.
        if isinstance(inner, dict | list):
            yield from _lists(inner)


def _following(answer: Mapping[str, Any]) -> Request | None:
    info = answer.get("page_info")
    url = info.get("next_page_url") if isinstance(info, dict) else None
    if not isinstance(info, dict) or bool(info.get("has_next_page")) != (url is not None):
        raise UnexpectedAnswer("This is no answer of the API: it doesn't say whether more follows.")
    if url is None:
        return None
    if not isinstance(url, str) or not url.startswith("/") or url.startswith("//"):
        # The key is sent along, so no answer may lead to another host.
        raise UnexpectedAnswer("This is no answer of the API: its next page is somewhere else.")
    return Request("GET", url)
