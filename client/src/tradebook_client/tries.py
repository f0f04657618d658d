"""When a request is tried again, and how long to wait before: a description that a driver carries out."""

import random
from collections.abc import Callable, Generator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from itertools import count
from typing import TypeVar

import httpx
import msgspec

from tradebook_client.errors import NoAnswer, error_of
from tradebook_client.requests import Request
from tradebook_client.uploads import Sent

Result = TypeVar("Result")

BACKOFF_SECONDS = 0.5
BACKOFF_SECONDS_MAX = 8.0
RETRY_AFTER_SECONDS_MAX = 60.0
"""If the server asks for a longer wait, whoever called decides."""


class Download(msgspec.Struct, frozen=True):
    """A request whose good answer is written, piece by piece, while it arrives."""

    request: Request
    content_type: str
    """What the answer must be."""
    write: Callable[[bytes], object]


class Upload(msgspec.Struct, frozen=True):
    """A request whose body is read from a file while it is sent."""

    request: Request
    sent: Sent


class Reply(msgspec.Struct, frozen=True):
    """An answer, read to its end."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    @property
    def is_good(self) -> bool:
        """Whether it is a success."""
        return 200 <= self.status < 300


_NO_REPLY = Reply(0, {}, b"")


class NoReply(msgspec.Struct, frozen=True):
    """What happened instead of an answer."""

    error: httpx.RequestError
    is_cut: bool = False
    """Whether some of the answer has been written: then it can't be asked for again."""


class Pause(msgspec.Struct, frozen=True):
    """A wait."""

    seconds: float


Outcome = Reply | NoReply | None
Step = Request | Download | Upload
Steps = Generator[Step | Pause, Reply, Result]
"""Yields requests and pauses, is given the answers (behind a pause an empty one), returns a result."""
Tries = Generator[Step | Pause, Outcome, Result]
"""Yields requests and pauses, is given what came of them, returns a result."""


def tried(steps: Steps[Result], retries: int) -> Tries[Result]:
    """Carry out steps, each request as often as it takes."""
    try:
        wanted = next(steps)
        while True:
            if isinstance(wanted, Pause):
                yield wanted
                wanted = steps.send(_NO_REPLY)
            else:
                wanted = steps.send((yield from _tried(wanted, retries)))
    except StopIteration as done:
        result: Result = done.value
        return result
    finally:
        steps.close()


def _tried(step: Step, retries: int) -> Tries[Reply]:
    request = step if isinstance(step, Request) else step.request
    if isinstance(step, Upload) and not step.sent.can_repeat:
        retries = 0
    may_be_done = False
    for attempt in count():
        outcome = yield step
        assert outcome is not None
        if isinstance(outcome, Reply):
            if outcome.is_good:
                return outcome
            if may_be_done and request.method == "DELETE" and outcome.status in (404, 410):
                # The answer to an earlier try was lost: that one has deleted it.
                return Reply(200, outcome.headers, b'{"deleted":true}')
        seconds = _wait(outcome, attempt)
        if seconds is None or attempt >= retries:
            raise _error(outcome, attempt + 1) from (outcome.error if isinstance(outcome, NoReply) else None)
        may_be_done = may_be_done or _may_be_done(outcome)
        yield Pause(seconds)
    raise AssertionError


def _error(outcome: Reply | NoReply, tries: int) -> Exception:
    if isinstance(outcome, Reply):
        return error_of(outcome.status, outcome.headers, outcome.content)
    reason = str(outcome.error) or type(outcome.error).__name__
    if outcome.is_cut:
        return NoAnswer(f"The answer was cut: {reason}")
    return NoAnswer(f"No answer in {tries} tries: {reason}" if tries > 1 else f"No answer: {reason}")


def _may_be_done(outcome: Reply | NoReply) -> bool:
    if isinstance(outcome, Reply):
        return outcome.status == 408 or outcome.status >= 500
    return not isinstance(outcome.error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout)


def _wait(outcome: Reply | NoReply, attempt: int) -> float | None:
    """Return how long to wait before the next try; None if it can't help."""
    backoff: float = min(BACKOFF_SECONDS_MAX, BACKOFF_SECONDS * 2**attempt) * random.uniform(0.5, 1)  # noqa: S311
    if isinstance(outcome, NoReply):
        return backoff if _can_pass(outcome.error) and not outcome.is_cut else None
    if not _should_retry(outcome):
        return None
    asked = retry_after(outcome.headers)
    if asked is None:
        return backoff
    # A little more than asked: those who were refused together don't come back together.
    return asked + backoff / 10 if asked <= RETRY_AFTER_SECONDS_MAX else None


def _can_pass(error: httpx.RequestError) -> bool:
    wrong = (httpx.UnsupportedProtocol, httpx.LocalProtocolError, httpx.TooManyRedirects)
    return not isinstance(error, wrong)


def _should_retry(reply: Reply) -> bool:
    told = reply.headers.get("x-should-retry")
    if told in ("true", "false"):
        return told == "true"
    return reply.status in (408, 409, 429) or reply.status >= 500


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Read for how many seconds the server asks; None if it doesn't."""
    try:
        if "retry-after-ms" in headers:
            return max(0.0, float(headers["retry-after-ms"]) / 1000)
        text = headers["retry-after"]
        if text.strip().isdecimal():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (KeyError, ValueError, TypeError):
        return None
