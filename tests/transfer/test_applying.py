"""Plans applied in steps: before, between and after; what others do meanwhile; and what is left when it is cut."""

import gc
from contextlib import contextmanager
from threading import Thread
from time import monotonic
from unittest.mock import patch

import pytest
import sqlalchemy as sa

from tests.fixtures.ledgers import Ledger
from tests.transfer.steps import family, planned, told
from tradebook.checking import faults_of_account
from tradebook.resources.customers import records as customers
from tradebook.resources.imports import imports
from tradebook.storage import index_entries
from tradebook.storage.database import OutcomeUnknown, Unavailable
from tradebook.storage.helping import Helper
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.storage.transactions import writing
from tradebook.transfer.imports import applying, entries, owners, pace, settling, stepping
from tradebook.transfer.imports.applying import AlreadyThere, Overtaken, apply_plan
from tradebook.transfer.imports.stepping import CutShort
from tradebook.transfer.imports.writing import _Batch

SIZE = 40
pytestmark = pytest.mark.usefixtures("small_steps")
_GIVE_AWAY = prepare(
    sa.update(imports)
    .where(imports.c.account_id == ACCOUNT, imports.c.id == sa.bindparam("key"))
    .values(owner=sa.bindparam("other"))
)


@pytest.fixture
def plan(ledger):
    made = planned(ledger.database, ledger.key, family(SIZE))
    yield made
    made.close()


@pytest.fixture(scope="session")
def whole(database_of_ledgers):
    """What the import makes of an empty account when nothing comes between."""
    ledger = Ledger(database_of_ledgers)
    made = planned(ledger.database, ledger.key, family(SIZE))
    with patch.object(applying, "ROWS_IN_ONE_STEP", 1_000):
        apply_plan(ledger.database, ledger.key, made)
    made.close()
    return told(ledger.records())


def state_of(ledger, key):
    with ledger.database.read(ledger.key) as reader:
        entry = entries.find(reader, key)
    return entry and entries.STATES[entry["state"]]


def left(ledger):
    """How many blocks wait, and when somebody should look."""
    blocks = ledger.sql("SELECT account_id, place FROM import_blocks")
    return len(blocks), ledger.sql("SELECT account_id, imports_due FROM accounts")[0][1]


def writer_of(ledger):
    with ledger.database.write(ledger.key) as writer:
        return writer


def sound(ledger):
    return not list(faults_of_account(ledger.database, ledger.key))


@contextmanager
def interrupted(method, at, error):
    """Have a method fail when it is called for the time `at`."""
    count, whole = 0, getattr(stepping._Work, method)

    def failing(self, *arguments, **named):
        nonlocal count
        count += 1
        if count == at:
            raise error
        return whole(self, *arguments, **named)

    with patch.object(stepping._Work, method, failing):
        yield


def test_an_import_in_steps_makes_what_one_transaction_makes(ledger, plan, whole):
    seen = []

    summary = apply_plan(ledger.database, ledger.key, plan, written=lambda *done: seen.append(done))

    assert told(ledger.records()) == whole
    assert (summary.created, summary.updated, summary.is_kept) == (SIZE + 3, 0, True)
    assert len(seen) > SIZE // 8
    assert seen[-1] == (SIZE + 3, SIZE + 3)
    assert left(ledger) == (0, None)
    assert sound(ledger)


@pytest.mark.parametrize("is_lost", [False, True])
def test_a_helper_makes_the_same_index_also_where_it_is_lost_on_the_way(ledger, plan, whole, is_lost):
    asked, ask = [], Helper.ask

    def asking(helper, rows):
        asked.append(rows)
        ask(helper, rows)
        if is_lost and len(asked) == 3:
            helper._process.kill()
            helper._process.join()

    with patch.object(index_entries, "HELPED_ROWS", 1), patch.object(Helper, "ask", asking):
        apply_plan(ledger.database, ledger.key, plan)

    assert len(asked) > (2 if is_lost else SIZE // 8)
    assert told(ledger.records()) == whole
    assert sound(ledger)


def test_what_a_helper_makes_for_a_step_that_is_undone_is_in_no_later_one(ledger, plan, whole):
    write, fails = stepping._Work._write, iter([False, True])

    def failing(self, writer, **named):
        written = write(self, writer, **named)
        if next(fails, False):
            raise OutcomeUnknown("the step is undone")
        return written

    with patch.object(index_entries, "HELPED_ROWS", 1), patch.object(stepping._Work, "_write", failing):
        apply_plan(ledger.database, ledger.key, plan)

    assert told(ledger.records()) == whole
    assert sound(ledger)


def test_a_step_ends_where_somebody_waits_for_its_end(ledger, plan, whole):
    waiting, steps = iter([True, False, True]), []
    writer = type(writer_of(ledger))

    with (
        patch.multiple(pace, ROWS_LEAST=16, ROWS_FIRST=16, ROWS_MAX=16, AIM_BESIDE_SECONDS=60),
        patch.multiple(stepping, PART_ROWS=4, PART_ROWS_ALONE=4),
        patch.object(writer, "is_awaited", lambda _: next(waiting, False)),
    ):
        apply_plan(ledger.database, ledger.key, plan, written=lambda rows, _: steps.append(rows))

    # Up to the end of the block.
    assert steps[:2] == [4, 10]
    assert told(ledger.records()) == whole


def test_a_step_leaves_nothing_that_holds_itself(ledger, plan):
    # Python would look for it in the midst of some later step, for half a second, while others wait.
    found = []
    gc.collect()
    gc.disable()
    try:
        apply_plan(ledger.database, ledger.key, plan, written=lambda *_: found.append(gc.collect()))
    finally:
        gc.enable()

    assert len(found) > SIZE // 8
    # The last two, which give parents and end the import, read kinds of things for the first time.
    assert not any(found[1:-2])


def test_a_step_sees_who_waits_for_its_end(ledger):
    with ledger.database.write(ledger.key) as writer:
        before = writer.is_awaited()
        other = Thread(target=writing, args=(ledger.database, ledger.key, lambda _: None))
        other.start()
        deadline = monotonic() + 60
        while not writer.is_awaited():
            assert monotonic() < deadline
    other.join()

    assert not before


def test_new_customers_come_in_the_order_of_their_rows(ledger, plan):
    apply_plan(ledger.database, ledger.key, plan)

    names = [record["name"] for record in ledger.records()]
    assert [name for name in names if name.startswith("Customer")] == [f"Customer {n}" for n in range(SIZE)]


def test_automatic_numbers_come_after_those_that_the_file_has_further_down(ledger, plan):
    apply_plan(ledger.database, ledger.key, plan)

    given = [each["number"] for each in ledger.records() if each["number"].isdigit()]
    assert sorted(map(int, given)) == list(range(1041, 1041 + len(given)))


@pytest.mark.parametrize("error", [Unavailable("the disk is full"), KeyboardInterrupt()])
def test_a_cut_import_is_told_and_finished_by_who_comes_next(ledger, plan, whole, error):
    with interrupted("_write", 3, error), pytest.raises(CutShort, match=r"cut after \d+ of 43 rows") as cut:
        apply_plan(ledger.database, ledger.key, plan, source="customers.csv")
    between = len(ledger.records())
    is_sound_between = sound(ledger)
    finished = []

    settled = settling.settle(ledger.database, lambda *seen: finished.append(seen))

    assert 0 < between < SIZE
    assert cut.value.rows == between
    assert is_sound_between
    assert settled == 1
    assert finished[-1] == ("customers.csv", SIZE + 3, SIZE + 3)
    assert told(ledger.records()) == whole
    assert left(ledger) == (0, None)
    assert settling.settle(ledger.database) == 0


def test_a_commit_whose_outcome_is_not_known_is_looked_up(ledger, plan, whole):
    write, count = ledger.database.write, 0

    @contextmanager
    def cut(account):
        nonlocal count
        with write(account) as writer:
            yield writer
        count += 1
        if count in {8, 10}:
            raise OutcomeUnknown("the commit was cut")

    with patch.object(ledger.database, "write", cut):
        apply_plan(ledger.database, ledger.key, plan)

    assert count > 10
    assert told(ledger.records()) == whole


@pytest.mark.parametrize("at", ["_note", "_end"])
def test_an_import_whose_commits_stay_in_doubt_is_cut_and_finished_by_who_comes_next(ledger, plan, whole, at):
    """As on a disk that goes on failing: in each step, and in the one that would have ended it."""
    did = getattr(stepping._Work, at)

    def doubtful(self, *arguments):
        did(self, *arguments)
        raise OutcomeUnknown("the commit was cut")

    with patch.object(stepping._Work, at, doubtful), pytest.raises(CutShort):
        apply_plan(ledger.database, ledger.key, plan)
    settled = settling.settle(ledger.database)

    assert settled == 1
    assert told(ledger.records()) == whole
    assert sound(ledger)


def test_what_fails_before_the_switch_leaves_nothing(ledger, plan):
    with (
        patch.object(applying, "_switch", side_effect=Unavailable("away")),
        pytest.raises(Unavailable),
    ):
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)

    assert ledger.records() == []
    assert left(ledger) == (0, None)
    assert state_of(ledger, 7) is None


def test_blocks_of_a_process_that_died_before_the_switch_are_swept(ledger, plan):
    with (
        patch.object(applying, "_switch", side_effect=Unavailable("away")),
        patch.object(applying, "withdraw"),
        pytest.raises(Unavailable),
    ):
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)
    waiting, due = left(ledger)

    settling.settle(ledger.database)

    assert waiting > 3
    assert due == 0
    assert left(ledger) == (0, None)
    assert (state_of(ledger, 7), ledger.records()) == (None, [])


def test_nobody_takes_an_import_from_a_process_that_lives(ledger, plan):
    with interrupted("_write", 3, Unavailable("away")), pytest.raises(CutShort):
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)
    before = len(ledger.records())

    with owners.at_work(7):
        settled = settling.settle(ledger.database)

    assert settled == 0
    assert len(ledger.records()) == before


def test_who_was_taken_for_dead_stops(ledger, plan, whole):
    """A machine that slept for longer than its lease wakes up and finds its import taken."""
    write, taken = stepping._Work._write, []

    def late(self, writer, *, count):
        done = write(self, writer, count=count)
        if self.rows > 20 and not taken:
            taken.append(writer.changed(_GIVE_AWAY, key=self._key, other="elsewhere 1 1"))
        return done

    with patch.object(stepping._Work, "_write", late):
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)
    between = len(ledger.records())
    with patch.object(owners, "now_ms", lambda: 1 << 42):
        settling.settle(ledger.database)

    assert taken == [1]
    assert 20 < between < SIZE
    assert told(ledger.records()) == whole


def test_a_plan_is_applied_once(ledger, plan):
    apply_plan(ledger.database, ledger.key, plan, exactly_as=7)
    before = ledger.export()

    with pytest.raises(AlreadyThere, match="applied already"):
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)

    assert ledger.export() == before


def test_a_file_is_imported_as_if_what_others_did_was_done_before(ledger):
    plan = planned(ledger.database, ledger.key, family(SIZE))
    ledger.take({"number": "n1", "name": "There", "phone": "12"})

    summary = apply_plan(ledger.database, ledger.key, plan)

    assert (ledger.customer("n1")["name"], ledger.customer("n1")["phone"]) == ("Customer 1", "12")
    assert (summary.created, summary.updated) == (SIZE + 2, 1)
    plan.close()


@pytest.mark.parametrize("size", [1, SIZE])
def test_a_plan_that_the_book_has_overtaken_changes_nothing_and_names_where(ledger, size):
    ledger.take({"number": "N1", "name": "Old"}, {"number": "X", "name": "Other"})
    records = [{"number": "N1", "name": "New"}, {"number": "NEW", "name": "Made"}, *family(size)]
    plan = planned(ledger.database, ledger.key, records)
    ledger.take(
        {"number": "N1", "name": "Changed"}, {"number": "new", "name": "There"}, {"number": "X", "name": "Y"}
    )
    before = ledger.export()

    with pytest.raises(Overtaken) as error:
        apply_plan(ledger.database, ledger.key, plan, exactly_as=7)

    assert [row.line for row in error.value.rows] == [1, 2]
    assert ledger.export() == before
    assert (left(ledger), state_of(ledger, 7)) == ((0, None), None)
    plan.close()


def test_other_customers_and_names_that_came_meanwhile_do_not_matter(ledger, plan, whole):
    ledger.take({"number": "Z", "name": "Other", "price_groups": "FRESH"})

    apply_plan(ledger.database, ledger.key, plan)

    made = [each for each in ledger.records() if each["number"] != "Z"]
    assert len(made) == len(whole)
    assert {tuple(each["price_groups"]) for each in made} == {(), ("FRESH",)}


@pytest.mark.parametrize("size", [1, SIZE])
def test_a_name_that_somebody_made_meanwhile_is_not_told_as_made(ledger, size):
    records = [{"number": "N", "name": "New", "type": "Ours", "payment_term": "Theirs"}, *family(size)]
    plan = planned(ledger.database, ledger.key, records)
    planned_to_make = {kind: [each.name for each in made] for kind, made in plan.summary.made.items()}
    ledger.take({"number": "Z", "name": "Other", "payment_term": "THEIRS"})

    summary = apply_plan(ledger.database, ledger.key, plan, exactly_as=7)

    made = {kind: [each.name for each in names] for kind, names in summary.made.items()}
    assert planned_to_make.pop("payment_terms") == ["Theirs"]
    assert made == planned_to_make
    assert made["type_groups"] == ["Ours"]
    plan.close()


def test_what_somebody_does_between_switch_and_step_counts_as_done_before(ledger, plan):
    """A number that was taken is that customer's: it is changed. One that was deleted is left out."""
    ledger.take({"number": "N38", "name": "To go"}, {"number": "N37", "name": "To stay"})
    plan = planned(ledger.database, ledger.key, family(SIZE))
    step, done = stepping._Work.step, []

    def meanwhile(self):
        if self.rows > 10 and not done:
            done.append(1)
            ledger.plant(f"DELETE FROM customer_search WHERE account_id = {ledger.key}")
            with ledger.database.write(ledger.key) as writer:
                _delete(writer, "N38")
            ledger.take({"number": "n35", "name": "Taken", "phone": "12"})
        step(self)

    def _delete(writer, number):
        (row,) = customers.find_by(writer, "number", [number]).values()
        customers.delete(writer, row)

    with patch.object(stepping._Work, "step", meanwhile):
        summary = apply_plan(ledger.database, ledger.key, plan)

    assert done
    numbers = {each["number"]: each for each in ledger.records()}
    assert "N38" not in numbers
    assert numbers["n35"]["name"] == "Customer 35"
    assert numbers["n35"]["phone"] == "12"
    assert (summary.updated, summary.skipped) == (2, 1)
    plan.close()


def test_a_row_that_cannot_be_written_keeps_no_other_from_being_written(ledger, plan):
    write = _Batch.write

    def poisoned(batch, writer):
        if any(row["number"] == "N22" for row in batch.created):
            raise ZeroDivisionError("planted")
        return write(batch, writer)

    with patch.object(_Batch, "write", poisoned):
        summary = apply_plan(ledger.database, ledger.key, plan)

    numbers = {each["number"] for each in ledger.records()}
    assert "N22" not in numbers
    assert len(numbers) == SIZE + 2
    assert (summary.created, summary.skipped) == (SIZE + 2, 1)
    assert [warning.line for warning in summary.warnings] == [24]
    assert "planted" in summary.warnings[0].reason


def test_an_id_that_somebody_else_has_by_then_is_told(ledger):
    plan = planned(ledger.database, ledger.key, [{"number": "A", "name": "A", "external_ids.shopify": "72"}])
    ledger.take({"number": "B", "name": "B", "external_ids.shopify": "72"})

    summary = apply_plan(ledger.database, ledger.key, plan)

    assert ledger.customer("A").get("external_ids") is None
    ((line, reason),) = [(each.line, each.reason) for each in summary.warnings]
    assert (line, reason.startswith("is not as it was planned"), "shopify" in reason) == (1, True, True)
    plan.close()


def test_two_imports_of_one_account_take_turns(ledger):
    first = planned(ledger.database, ledger.key, [{"number": f"A{n}", "name": "A"} for n in range(SIZE)])
    second = planned(ledger.database, ledger.key, [{"number": f"B{n}", "name": "B"} for n in range(SIZE)])
    step, begun = stepping._Work.step, []

    def other(self):
        if self.rows > 10 and not begun:
            begun.append(1)
            apply_plan(ledger.database, ledger.key, second)
        step(self)

    with patch.object(stepping._Work, "step", other):
        apply_plan(ledger.database, ledger.key, first)

    assert sorted(each["name"] for each in ledger.records()) == ["A"] * SIZE + ["B"] * SIZE
    assert sound(ledger)
    assert left(ledger) == (0, None)


def test_a_look_for_imports_of_before_writes_nothing(ledger):
    revision = ledger.database.revision(ledger.key)

    settling.settle(ledger.database)

    assert ledger.database.revision(ledger.key) == revision


@patch.multiple(pace, ROWS_LEAST=1, ROWS_FIRST=100, ROWS_MAX=300, AIM_SECONDS=0.25)
def test_the_pace_follows_what_rows_cost():
    followed = pace.Pace()

    for _ in range(20):
        followed.note(followed.rows, 0, followed.rows * 0.01)
    slow = followed.rows
    followed.note(slow, 0, 3 * pace.AIM_SECONDS)

    assert slow == int(pace.AIM_SECONDS / 0.01)
    assert pace.ROWS_LEAST <= followed.rows <= slow // 2


def test_an_import_rests_while_others_write():
    followed = pace.Pace()
    alone = followed.rest_seconds

    followed.note(10, 0.1, 0.1)
    beside = followed.rest_seconds
    for _ in range(pace.RESTS):
        followed.note(10, 0, 0.1)

    assert (alone, beside, followed.rest_seconds) == (0, 0.1, 0)
