"""A second process shares in the work: it ends with the one that it helps, and nothing depends on it."""

import os
import signal
import subprocess
import sys
import time

import pytest

from tradebook.storage import helping
from tradebook.storage.helping import Helper
from tradebook.transfer.imports.owners import _start_of

LONG_SECONDS = 60
HELPED = """
import sys, signal
from tradebook.storage.helping import Helper
helper = Helper(lambda asked: asked)
helper.ask(b"all is well")
assert helper.fetch() == b"all is well"
print(helper._process.pid, flush=True)
signal.pause()
"""


def doubled(asked):
    return b"%d %s" % (os.getpid(), 2 * asked)


@pytest.fixture
def helper():
    made = Helper(doubled)
    yield made
    made.close()


def test_another_process_does_the_work(helper):
    helper.ask(b"abc")

    process, answer = helper.fetch().split()

    assert answer == b"abcabc"
    assert int(process) != os.getpid()


def test_several_questions_are_answered_in_their_order(helper):
    for asked in (b"abc", b"d", b"e"):
        helper.ask(asked)

    assert [helper.fetch().split()[1] for _ in range(3)] == [b"abcabc", b"dd", b"ee"]


def test_what_nobody_fetched_is_no_answer_to_the_next_question(helper):
    helper.ask(b"abc")
    helper.ask(b"d")
    helper.drop()
    helper.ask(b"e")

    assert helper.fetch().endswith(b" ee")


def test_what_was_asked_of_a_process_that_is_gone_is_done_here_too(helper):
    os.kill(helper._process.pid, signal.SIGSTOP)
    helper.ask(b"abc")
    helper.ask(b"d")
    helper._process.kill()

    assert [helper.fetch(), helper.fetch()] == [doubled(b"abc"), doubled(b"d")]


@pytest.mark.parametrize("is_asked_before", [True, False])
def test_where_the_process_is_gone_the_work_is_done_here(helper, is_asked_before):
    os.kill(helper._process.pid, signal.SIGSTOP)
    if is_asked_before:
        helper.ask(b"e")
    helper._process.kill()
    helper._process.join()
    if not is_asked_before:
        helper.ask(b"e")

    assert helper.fetch() == doubled(b"e")
    assert not helper.is_there
    helper.ask(b"f")
    assert helper.fetch() == doubled(b"f")


def test_a_single_processor_has_no_use_for_it(monkeypatch):
    monkeypatch.setattr(helping.os, "sched_getaffinity", lambda _: {0})
    helper = Helper(doubled)

    helper.ask(b"g")

    assert helper.fetch() == doubled(b"g")
    assert not helper.is_there
    helper.close()


def test_much_fits_through_both_ways(helper):
    """Also where nobody has fetched yet what came of it."""
    for _ in range(3):
        helper.ask(b"h" * 5_000_000)

    assert [helper.fetch().count(b"h") for _ in range(3)] == [10_000_000] * 3


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_it_ends_with_the_process_that_it_helps(end):
    helped = subprocess.Popen([sys.executable, "-c", HELPED], stdout=subprocess.PIPE)
    process = int(helped.stdout.readline())
    assert _start_of(process) != "gone"

    helped.send_signal(end)
    helped.wait()

    deadline = time.monotonic() + LONG_SECONDS
    while _start_of(process) != "gone":
        assert time.monotonic() < deadline
        time.sleep(0.001)
    helped.stdout.close()
