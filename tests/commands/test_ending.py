"""The main process of a server hears of its end, whatever it does at that moment."""

import sys
import threading

import pytest

from tradebook.cli import serving
from tradebook.cli.serving import LookingEvent


def wakes(event, *, at_line):
    """Wait for an event that a signal sets as the thread that waits comes to a line of any function."""
    lines, woken = [], []

    def trace(frame, what, _):
        if frame.f_code.co_name == "set" or frame.f_globals["__name__"] not in {
            "threading",
            serving.__name__,
        }:
            return None
        if what == "line":
            lines.append(frame.f_lineno)
            if len(lines) == at_line:
                event.set()
        return trace

    def wait():
        sys.settrace(trace)
        try:
            woken.append(event.wait())
        finally:
            sys.settrace(None)

    # If it waits for itself, it does so for ever.
    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(10)
    return woken == [True]


@pytest.mark.parametrize("at_line", range(1, 6))
def test_a_signal_at_any_moment_ends_the_wait(monkeypatch, at_line):
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.01)

    assert wakes(LookingEvent(lambda: None), at_line=at_line)


def test_meanwhile_it_looks_and_afterwards_it_can_wait_again(monkeypatch):
    monkeypatch.setattr(serving, "LOOK_SECONDS", 0.001)
    looks = []

    def look():
        looks.append(1)
        if len(looks) == 3:
            event.set()
            event.set()

    event = LookingEvent(look)

    assert event.wait()
    assert len(looks) == 3
    assert event.is_set()
    event.clear()
    assert not event.is_set()
