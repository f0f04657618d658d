"""How long the client waits before it sends a request again."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import httpx
import pytest

from tradebook_client import NoAnswer
from tradebook_client.requests import Request
from tradebook_client.tries import BACKOFF_SECONDS_MAX, NoReply, Pause, Reply, retry_after, tried


def pauses(outcomes, retries=20):
    """The pauses before the tries that these outcomes lead to."""

    def steps():
        yield Request("GET", "/v1/sales/customers")

    found, tries = [], tried(steps(), retries)
    step = next(tries)
    for outcome in outcomes:
        step = tries.send(outcome)
        while isinstance(step, Pause):
            found.append(step.seconds)
            step = tries.send(None)
    tries.close()
    return found


def test_pauses_grow_to_a_bound_and_differ():
    busy = Reply(503, {}, b"")
    first, second = (pauses([busy] * 8) for _ in range(2))

    for place, seconds in enumerate(first):
        expected = min(BACKOFF_SECONDS_MAX, 0.5 * 2**place)
        assert expected / 2 <= seconds <= expected
    assert first != second


def test_a_pause_is_never_shorter_than_asked():
    for asked in ({"retry-after": "7"}, {"retry-after-ms": "7000"}):
        assert all(7 <= seconds < 8 for seconds in pauses([Reply(429, asked, b"")] * 4))


def test_when_to_come_back_is_read_in_every_form():
    in_a_minute = format_datetime(datetime.now(UTC) + timedelta(minutes=1), usegmt=True)

    assert retry_after({"retry-after": "3"}) == 3
    assert retry_after({"retry-after": "3", "retry-after-ms": "250"}) == 0.25
    assert 55 < retry_after({"retry-after": in_a_minute}) <= 60
    for unreadable in ("soon", "", "-1", "1e400", "nan"):
        assert retry_after({"retry-after": unreadable}) is None
    assert retry_after({}) is None


def test_what_can_never_work_is_not_sent_again():
    wrong = NoReply(httpx.UnsupportedProtocol("no such protocol"))

    with pytest.raises(NoAnswer):
        pauses([wrong])
