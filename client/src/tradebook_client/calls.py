"""The two drivers of the same steps: one waits in its thread, the other in its event loop."""

import asyncio
import os
import platform
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from importlib.metadata import PackageNotFoundError, version
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx

from tradebook_client.errors import UnexpectedAnswer
from tradebook_client.requests import Request
from tradebook_client.steps import done, one, page
from tradebook_client.tries import Download, NoReply, Outcome, Pause, Reply, Step, Steps, Upload, tried

Kind = TypeVar("Kind")
TIMEOUT_SECONDS = 60.0
RETRIES = 4


def _of_environment(given: str | None, variable: str, what: str) -> str:
    value = given if given is not None else os.environ.get(variable)
    if not value:
        raise ValueError(f"There is no {what}: give one, or set {variable}.")
    return value


class _Target:
    """Where requests go, and with which key."""

    def __init__(self, base_url: str | None, api_key: str | None) -> None:
        url = httpx.URL(_of_environment(base_url, "TRADEBOOK_URL", "base_url"))
        if url.scheme not in ("http", "https") or not url.host or url.query or url.fragment or url.userinfo:
            raise ValueError("base_url must be like https://book.example.com, without a key or a query.")
        key = _of_environment(api_key, "TRADEBOOK_API_KEY", "api_key")
        if not key.isascii() or not key.isprintable() or " " in key:
            raise ValueError("api_key has characters that no key has.")
        self.base_url = str(url).rstrip("/")
        # Reading the certificates takes 40 ms, and without TLS nobody asks for them. No redirect is followed.
        self.verify = url.scheme == "https"
        self.headers = {
            "Authorization": f"Bearer {key}",
            "Accept": "application/json",
            "User-Agent": f"tradebook-client/{_version()} Python/{platform.python_version()}",
        }

    def arguments(self, request: Request) -> dict[str, Any]:
        """Return a request as httpx takes it."""
        return {
            "method": request.method,
            "url": self.base_url + request.path,
            "headers": request.headers,
            "content": request.body,
        }


def _version() -> str:
    try:
        return version("tradebook-client")
    except PackageNotFoundError:
        return "unknown"


def _reply(answer: httpx.Response) -> Reply:
    return Reply(answer.status_code, answer.headers, answer.content)


def _is_wanted(answer: httpx.Response, step: Download) -> bool:
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return answer.status_code == httpx.codes.OK and kind == step.content_type


def _refused(answer: httpx.Response) -> Reply:
    """Return what came instead of a file; a good answer is none, from a server that knows no exports."""
    if answer.is_success:
        raise UnexpectedAnswer("This server does not export over HTTP.", status=answer.status_code)
    return _reply(answer)


async def _read_in_thread(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    """Read pieces of a file without keeping the loop from other work."""
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece


class Calls:
    """Carries out steps, one after the other."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        self._target, self._retries = _Target(base_url, api_key), retries
        self._http = httpx.Client(headers=self._target.headers, timeout=timeout, verify=self._target.verify)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target.base_url!r})"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def run(self, steps: Steps[Kind]) -> Kind:
        """Carry out steps and return their result."""
        outcome: Outcome = None
        with closing(tried(steps, self._retries)) as tries:
            while True:
                try:
                    step = tries.send(outcome)
                except StopIteration as end:
                    result: Kind = end.value
                    return result
                outcome = self._carry_out(step)

    def _carry_out(self, step: Step | Pause) -> Outcome:
        if isinstance(step, Pause):
            time.sleep(step.seconds)
            return None
        if isinstance(step, Download):
            return self._download(step)
        arguments = self._target.arguments(step if isinstance(step, Request) else step.request)
        if isinstance(step, Upload):
            arguments["content"] = step.sent.pieces()
        try:
            return _reply(self._http.request(**arguments))
        except httpx.RequestError as error:
            return NoReply(error)

    def _download(self, step: Download) -> Outcome:
        pieces = 0
        try:
            with self._http.stream(**self._target.arguments(step.request)) as answer:
                if not _is_wanted(answer, step):
                    answer.read()
                    return _refused(answer)
                for piece in answer.iter_bytes():
                    pieces += 1
                    step.write(piece)
                return Reply(answer.status_code, answer.headers, b"")
        except httpx.RequestError as error:
            return NoReply(error, is_cut=pieces > 0)

    def one(self, kind: type[Kind], asked: Request) -> Kind:
        """Ask for one object."""
        return self.run(one(kind, asked))

    def do(self, asked: Request) -> None:
        """Ask for something whose answer says nothing."""
        self.run(done(asked))

    def walk(self, kind: type[Kind], asked: Request) -> Iterator[Kind]:
        """Ask for page after page, to the end."""
        following: Request | None = asked
        while following is not None:
            read = self.run(page(following))
            yield from read.typed(kind)
            following = read.following


class AsyncCalls:
    """Carries out steps in an event loop of asyncio."""

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        timeout: float = TIMEOUT_SECONDS,
        retries: int = RETRIES,
    ) -> None:
        self._target, self._retries = _Target(base_url, api_key), retries
        self._http = httpx.AsyncClient(
            headers=self._target.headers, timeout=timeout, verify=self._target.verify
        )

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._target.base_url!r})"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def run(self, steps: Steps[Kind]) -> Kind:
        """Carry out steps and return their result."""
        outcome: Outcome = None
        with closing(tried(steps, self._retries)) as tries:
            while True:
                try:
                    step = tries.send(outcome)
                except StopIteration as end:
                    result: Kind = end.value
                    return result
                outcome = await self._carry_out(step)

    async def _carry_out(self, step: Step | Pause) -> Outcome:
        if isinstance(step, Pause):
            await asyncio.sleep(step.seconds)
            return None
        if isinstance(step, Download):
            return await self._download(step)
        arguments = self._target.arguments(step if isinstance(step, Request) else step.request)
        if isinstance(step, Upload):
            arguments["content"] = _read_in_thread(step.sent.pieces())
        try:
            return _reply(await self._http.request(**arguments))
        except httpx.RequestError as error:
            return NoReply(error)

    async def _download(self, step: Download) -> Outcome:
        pieces = 0
        try:
            async with self._http.stream(**self._target.arguments(step.request)) as answer:
                if not _is_wanted(answer, step):
                    await answer.aread()
                    return _refused(answer)
                async for piece in answer.aiter_bytes():
                    pieces += 1
                    step.write(piece)
                return Reply(answer.status_code, answer.headers, b"")
        except httpx.RequestError as error:
            return NoReply(error, is_cut=pieces > 0)

    async def one(self, kind: type[Kind], asked: Request) -> Kind:
        """Ask for one object."""
        return await self.run(one(kind, asked))

    async def do(self, asked: Request) -> None:
        """Ask for something whose answer says nothing."""
        await self.run(done(asked))

    async def walk(self, kind: type[Kind], asked: Request) -> AsyncIterator[Kind]:
        """Ask for page after page, to the end."""
        following: Request | None = asked
        while following is not None:
            read = await self.run(page(following))
            for each in read.typed(kind):
                yield each
            following = read.following
