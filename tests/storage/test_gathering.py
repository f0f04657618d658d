"""Changes that share a commit on a file: what was told is there, what was not told is not, in every order of failures."""

import itertools
from contextlib import closing
from types import SimpleNamespace

import apsw
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tradebook.storage.sqlite.gathering import MEMBERS_MAX, Gathering


class _Failure(Exception):
    pass


WELL, RAISES, UNDOES_ALL = "well", "raises", "undoes all"
"""What a change comes to: it is done, it fails, or it fails as on a full disk, which undoes the transaction."""

Story = st.lists(
    st.tuples(st.sampled_from([WELL, WELL, RAISES, UNDOES_ALL]), st.booleans(), st.booleans()), max_size=12
)
"""For each change: what it comes to, whether there is a next one, and whether a commit fails then."""


def told(connection, story):
    """Do what a worker's thread does; returns which changes are told to be done."""
    now = SimpleNamespace(goes_on=False, fails=False)

    def begin(_waited_seconds):
        connection.execute("BEGIN IMMEDIATE")
        return connection

    def commit(found):
        if now.fails:
            raise _Failure
        found.execute("COMMIT")

    gathering, done, held = Gathering(begin, commit, lambda: now.goes_on), [], []
    for number, (outcome, now.goes_on, now.fails) in enumerate([*story, (RAISES, False, False)]):
        try:
            with gathering.part() as found:
                found.execute("INSERT INTO done VALUES (?)", (number,))
                if outcome == UNDOES_ALL:
                    found.execute("ROLLBACK")
                if outcome != WELL:
                    raise _Failure
        except _Failure:
            pass
        else:
            held.append(number)
        if gathering.is_open and now.goes_on:
            continue
        done += held if gathering.settle() is None else []
        gathering.forget()
        held = []
        assert not connection.in_transaction
    return done


def there(connection):
    return [number for (number,) in connection.execute("SELECT number FROM done ORDER BY number")]


@given(Story)
def test_what_is_told_is_done_and_nothing_else(story):
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute("CREATE TABLE done (number)")

        assert told(connection, story) == there(connection)


def test_a_change_that_fails_alone_undoes_no_other():
    with closing(apsw.Connection(":memory:")) as connection:
        connection.execute("CREATE TABLE done (number)")
        story = [(WELL, True, False), (RAISES, True, False), (WELL, False, False)]

        assert told(connection, story) == there(connection) == [0, 2]


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_transaction_ends_though_there_is_always_a_next_change(monkeypatch, is_slow):
    clock = itertools.count(step=1 if is_slow else 0)
    monkeypatch.setattr("tradebook.storage.sqlite.gathering.monotonic", lambda: next(clock))
    committed, begun = [], []
    gathering = Gathering(lambda _: begun.append(1) or _Nothing(), committed.append, lambda: True)

    for _ in range(2 * MEMBERS_MAX):
        with gathering.part():
            pass

    assert len(committed) == (2 * MEMBERS_MAX if is_slow else 2)


class _Nothing:
    """A connection on which everything goes well."""

    def execute(self, _):
        pass
