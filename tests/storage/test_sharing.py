"""Writers of one account that come at once share a commit: each is told what is true, whoever else fails."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import psycopg
import pytest
import sqlalchemy as sa

from tests.fixtures.server import wait_until
from tradebook.app import open_database
from tradebook.crud import table_fields
from tradebook.resources import accounts, addresses
from tradebook.settings import Settings
from tradebook.storage.accounts import FIRST_VALUES, NEW_ACCOUNT
from tradebook.storage.accounts import accounts as table
from tradebook.storage.database import Duplicate, OutcomeUnknown, Unavailable
from tradebook.storage.postgres import sharing
from tradebook.storage.postgres.beginning import Beginning
from tradebook.storage.postgres.connections import PatientConnection
from tradebook.storage.postgres.handles import FEW
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.storage.transactions import writing

WRITERS = 6
_own = table.c.account_id == ACCOUNT
LAST = prepare(sa.select(table.c.last_customer_number).where(_own))
BY = prepare(sa.select(table.c.last_customer_number / sa.bindparam("by", type_=sa.BigInteger)).where(_own))
COUNT_ON = prepare(sa.update(table).where(_own).values(last_customer_number=table.c.last_customer_number + 1))


class Refused(Exception):
    """What a writer ends with that is refused."""


@pytest.fixture
def database(postgres):
    """A book whose shared transactions stay open for as long as anybody comes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sharing, "OPEN_SECONDS_MAX", 60)
        made = open_database(Settings(database=postgres.new(None)))
        yield made
        made.close()


@pytest.fixture
def account(database):
    """The key of an account."""
    return accounts.find_account(database, accounts.create_account(database, "A", "test"))[0]


@pytest.fixture
def sent(account, monkeypatch):
    """Grows with every round trip, by the statements in it."""
    noted, send = [], PatientConnection.send

    def note(connection, texts):
        noted.append([text for text, _ in texts])
        return send(connection, texts)

    monkeypatch.setattr(PatientConnection, "send", note)
    return noted


def commits_of(sent):
    return sum(texts.count(b"COMMIT") for texts in sent)


@contextmanager
def in_line(database, account, *works):
    """The first work has its turn when all the others wait for theirs; yields what each comes to."""
    has_turn, may_go_on = threading.Event(), threading.Event()
    first, *others = works

    def begin(writer):
        has_turn.set()
        assert may_go_on.wait(30)
        return first(writer)

    def outcome(work):
        try:
            return writing(database, account, work)
        except Exception as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        began = pool.submit(outcome, begin)
        assert has_turn.wait(30)
        waiting = [pool.submit(outcome, work) for work in others]
        wait_until(lambda: database._sharing._lines[account].waiting == len(others), "the line")
        may_go_on.set()
        yield began, *waiting


def count_on(writer):
    writer.run(COUNT_ON)
    return writer.rows(LAST)[0][0]


def look_and_count_on(writer):
    before = writer.rows(LAST)[0][0]
    writer.run(COUNT_ON)
    return before


def leave(writer):
    writer.run(COUNT_ON)


def leave_many(writer):
    given = {**table_fields.new_row(addresses.FIELDS), "name": "A", "country": "DE"}
    addresses.records.insert(writer, [addresses.new_row(given) for _ in range(FEW + 1)])
    leave(writer)


def last(database, account):
    with database.read(account) as reader:
        return reader.rows(LAST)[0][0]


def refuse(writer):
    writer.run(COUNT_ON)
    raise Refused


def change_and_refuse(writer):
    assert writer.changed(COUNT_ON) == 1
    raise Refused


def ask_wrongly(writer):
    """Fail in the server before anything is changed."""
    writer.rows(BY, by=0)


def break_off(writer):
    """Fail in the server, at the end of the turn."""
    writer.run(COUNT_ON)
    writer.run(NEW_ACCOUNT, **FIRST_VALUES, name="", environment="", revision=0, indexes="{}")


def can_not_be_sent(writer):
    """Fail in the driver."""
    writer.run(COUNT_ON)
    writer.run(NEW_ACCOUNT, **FIRST_VALUES, name="\0", environment="", revision=0, indexes="{}")


FAILURES = {
    refuse: Refused,
    change_and_refuse: Refused,
    ask_wrongly: psycopg.errors.DivisionByZero,
    break_off: Duplicate,
    can_not_be_sent: psycopg.DataError,
}


def test_writers_that_come_at_once_have_one_commit(database, account, sent):
    with in_line(database, account, *[count_on] * WRITERS) as outcomes:
        found = {each.result() for each in outcomes}

    assert found == set(range(1, WRITERS + 1))
    assert last(database, account) == WRITERS
    assert commits_of(sent) == 1


def test_turns_come_in_the_order_in_which_they_were_waited_for(database, account):
    order, has_turn, may_go_on = [], threading.Event(), threading.Event()

    def write(place):
        def work(writer):
            order.append(place)
            if not place:
                has_turn.set()
                assert may_go_on.wait(30)

        writing(database, account, work)

    with ThreadPoolExecutor(WRITERS) as pool:
        written = [pool.submit(write, 0)]
        assert has_turn.wait(30)
        for place in range(1, WRITERS):
            written.append(pool.submit(write, place))
            wait_until(lambda number=place: database._sharing._lines[account].waiting == number, "a place")
        may_go_on.set()
        for each in written:
            each.result()

    assert order == list(range(WRITERS))


def test_writers_that_come_one_by_one_have_a_commit_each(database, account, sent):
    for _ in range(WRITERS):
        writing(database, account, count_on)

    assert commits_of(sent) == WRITERS


@pytest.mark.parametrize("place", [0, 1, WRITERS - 1])
@pytest.mark.parametrize("fail", FAILURES)
def test_what_one_fails_at_is_undone_alone(database, account, place, fail):
    works = [count_on] * WRITERS
    works[place] = fail
    with in_line(database, account, *works) as outcomes:
        found = [each.result() for each in outcomes]

    assert isinstance(found[place], FAILURES[fail])
    assert Counter(type(each) for each in found)[int] == WRITERS - 1
    assert last(database, account) == WRITERS - 1


def test_what_one_has_left_goes_with_the_next_ones_question(database, account, sent):
    with in_line(database, account, *[look_and_count_on] * WRITERS) as outcomes:
        found = [each.result() for each in outcomes]

    assert sorted(found) == list(range(WRITERS))
    assert last(database, account) == WRITERS
    # One for each of them, the commit, and the look at the end.
    assert len(sent) == WRITERS + 2
    assert not any(b"SAVEPOINT part" in texts for texts in sent), "nothing is sent that could be undone alone"


@pytest.mark.parametrize(
    "works",
    [
        (leave, break_off, leave),
        (break_off, leave, leave),
        (leave, leave, break_off),
        (break_off, leave_many),
    ],
)
def test_who_leaves_something_is_told_what_became_of_it(database, account, works):
    with in_line(database, account, *works) as outcomes:
        found = [each.result() for each in outcomes]

    assert [isinstance(each, Duplicate) for each in found] == [work is break_off for work in works]
    assert last(database, account) == len(works) - 1


def test_a_refusal_waits_for_the_commit_of_what_it_was_refused_for(database, account):
    may_commit = threading.Event()
    commit = database._sharing._commit

    def later(shared):
        assert may_commit.wait(30)
        commit(shared)

    database._sharing._commit = later
    with in_line(database, account, count_on, refuse) as (first, second):
        wait_until(lambda: not database._sharing._lines[account].waiting, "the second one's turn")
        assert not first.done()
        assert not second.done()
        may_commit.set()
        assert first.result() == 1
        assert isinstance(second.result(), Refused)


def test_all_are_told_of_a_commit_that_is_in_doubt(database, account):
    def in_doubt(shared):
        raise OutcomeUnknown("cut")

    database._sharing._commit = in_doubt
    with in_line(database, account, count_on, refuse, count_on) as outcomes:
        found = [each.result() for each in outcomes]

    assert [type(each) for each in found] == [OutcomeUnknown] * 3


def test_where_the_connection_is_cut_the_others_are_done_again(database, account):
    cut = []

    def cut_once(writer):
        if not cut:
            cut.append(writer)
            writer._connection.pgconn.finish()
        return count_on(writer)

    with in_line(database, account, count_on, count_on, cut_once, count_on) as outcomes:
        found = [each.result() for each in outcomes]

    done = [each for each in found if isinstance(each, int)]
    assert cut
    assert len(done) >= 3
    assert all(isinstance(each, int | Unavailable) for each in found)
    assert last(database, account) == len(done)


def test_who_gives_up_waiting_leaves_nobody_behind(database, account):
    database._sharing._patience_seconds = 0.05
    with in_line(database, account, count_on, count_on) as (first, second):
        database._sharing._patience_seconds = 30
        assert first.result() in {1, 2}
        second.result()

    assert not database._sharing._lines
    assert writing(database, account, count_on) >= 2


def test_accounts_do_not_wait_for_each_other(database, account):
    other = accounts.find_account(database, accounts.create_account(database, "B", "test"))[0]
    with database.write(account) as writer:
        assert writing(database, other, count_on) == 1
        count_on(writer)

    assert last(database, account) == 1


def test_that_one_fails_for_what_another_one_has_left_is_noticed(database, account, monkeypatch):
    """The planted fault: what the first one has left for later is taken for the next one's."""
    monkeypatch.setattr(Beginning, "begin_part", lambda _: None)
    with in_line(database, account, break_off, count_on, count_on) as outcomes:
        found = [each.result() for each in outcomes]

    assert Counter(type(each) for each in found)[int] < 2
