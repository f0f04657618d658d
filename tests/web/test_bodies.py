"""Bodies that arrive: bounded in size, in pieces, in what is held at a time; and heads that could mislead."""

import asyncio

import pytest

from tests.fixtures.rsgi import Scope, Transport
from tradebook.errors import (
    InvalidCredentials,
    ParameterInvalid,
    ParameterMissing,
    PayloadTooLarge,
    ServiceUnavailable,
    ValidationFailed,
)
from tradebook.web import bodies
from tradebook.web.bodies import Bodies
from tradebook.web.heads import REFUSAL, environ_of

CHUNKED = {"HTTP_TRANSFER_ENCODING": "chunked"}


async def arriving(*pieces):
    for piece in pieces:
        yield piece
    yield b""


def arrived(environ, *pieces, made=None, account=1):
    return asyncio.run((made or Bodies(1_000_000, 5_000)).arrived(environ, account, arriving(*pieces)))


@pytest.mark.parametrize("length", ["5", "005", "0" * 9_000 + "5"])
def test_a_length_is_a_number_however_it_is_written(length):
    assert arrived({"CONTENT_LENGTH": length}, b"he", b"llo") == b"hello"


def test_a_body_of_another_length_is_refused():
    with pytest.raises(ValidationFailed, match="3 of 5"):
        arrived({"CONTENT_LENGTH": "5"}, b"hel")


def test_a_body_over_the_limit_is_read_on_and_refused():
    with pytest.raises(PayloadTooLarge):
        arrived(CHUNKED, *[b"x" * 1_000] * 1_001)


def test_a_body_in_many_small_pieces_is_refused_and_one_in_large_ones_is_not():
    with pytest.raises(ValidationFailed, match="small pieces"):
        arrived(CHUNKED, *[b"x"] * 3_000)
    assert len(arrived(CHUNKED, *[b"x" * 512] * 1_900)) == 512 * 1_900


def test_an_account_holds_as_many_bytes_as_are_left_for_others(monkeypatch):
    monkeypatch.setattr(bodies, "HELD_BYTES_MAX", 1_000)
    made = Bodies(1_000_000, 5_000)

    async def story():
        ends = [asyncio.Event() for _ in range(2)]

        async def slow(end, data):
            yield data
            await end.wait()
            yield b""

        first = asyncio.ensure_future(made.arrived(CHUNKED, 1, slow(ends[0], b"x" * 400)))
        await asyncio.sleep(0)
        with pytest.raises(ServiceUnavailable):
            await made.arrived(CHUNKED, 1, slow(ends[1], b"x" * 400))
        other = await made.arrived({"CONTENT_LENGTH": "200"}, 2, arriving(b"y" * 200))
        ends[0].set()
        return await first, other, await made.arrived({"CONTENT_LENGTH": "400"}, 1, arriving(b"z" * 400))

    assert list(map(len, asyncio.run(story()))) == [400, 200, 400]


def test_unwanted_bodies_are_read_up_to_a_size_and_a_number_of_pieces():
    made = Bodies(10, 5_000)

    assert asyncio.run(made.drained(arriving(*[b"x" * 65_536] * 9)))
    assert not asyncio.run(made.drained(arriving(*[b"x"] * 3_000)))
    assert not asyncio.run(made.drained(arriving(*[b"x" * 1_000_000] * 20)))


class Left(Transport):
    """A small body that comes when it is told to."""

    def __init__(self):
        super().__init__()
        self.wholes = []

    def __call__(self):
        self.wholes.append(asyncio.get_running_loop().create_future())
        return self.wholes[-1]


def test_small_bodies_are_dropped_beside_their_answers_and_not_waited_for(monkeypatch):
    """Those that have come make room for others. Those that take too long are given up, in the order they came."""
    monkeypatch.setattr(bodies, "DRAINED_MAX", 2)
    monkeypatch.setattr(bodies, "DRAINED_SECONDS_MAX", 0.01)
    body, made = Left(), Bodies(10, 5_000)

    async def story():
        taken = [made.leave(body) for _ in range(3)]
        body.wholes[0].set_result(b"x")
        taken.append(made.leave(body))
        await asyncio.wait({body.wholes[2]}, timeout=20)
        body_of_later = made.leave(body)
        await asyncio.wait({body.wholes[3]}, timeout=20)
        return taken, body_of_later

    assert asyncio.run(story()) == ([True, True, False, True], True)
    assert [each.cancelled() for each in body.wholes] == [False, True, True, True]


HOST = ("host", "x")


@pytest.mark.parametrize(
    ("pairs", "error"),
    [
        ((), ParameterMissing),
        ((HOST, HOST), ParameterInvalid),
        ((HOST, ("authorization", "a"), ("authorization", "b")), InvalidCredentials),
        ((HOST, ("idempotency-key", "a"), ("idempotency-key", "b")), ParameterInvalid),
        ((HOST, ("transfer-encoding", "gzip, chunked")), ParameterInvalid),
    ],
)
def test_a_head_that_two_programs_could_read_in_two_ways_is_refused(pairs, error):
    assert type(environ_of(Scope(*pairs))[REFUSAL]) is error


def test_a_name_with_an_underscore_is_not_the_one_with_a_hyphen():
    environ = environ_of(Scope(HOST, ("if_match", '"1"'), ("accept", "a"), ("accept", "b")))

    assert "HTTP_IF_MATCH" not in environ
    assert environ["HTTP_ACCEPT"] == "a,b"
    assert REFUSAL not in environ
