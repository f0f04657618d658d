"""What a step decides for the next one: it is written as it is, unless somebody else has written meanwhile."""

from threading import Thread
from unittest.mock import patch

import pytest

from tests.fixtures.ledgers import Ledger
from tests.transfer.steps import family, planned, told
from tradebook.checking import faults_of_account
from tradebook.resources.customers.finished import FINISHED
from tradebook.storage import index_entries
from tradebook.transfer.imports import applying, pace, stepping
from tradebook.transfer.imports.applying import apply_plan
from tradebook.transfer.imports.writing import Step

SIZE = 40
pytestmark = [pytest.mark.usefixtures("small_steps"), pytest.mark.usefixtures("much_help")]


@pytest.fixture
def much_help():
    """Have a helper asked however few rows there are, and a busy machine be taken for nobody else."""
    with patch.object(index_entries, "HELPED_ROWS", 1), patch.object(pace, "WAITED_SECONDS", 60):
        yield


@pytest.fixture
def ahead():
    """The rows that were decided a step ahead."""
    rows, write = [], Step.write_ahead

    def noting(step, decided):
        rows.extend(decided.rows)
        write(step, decided)

    with patch.object(Step, "write_ahead", noting):
        yield rows


def records_alike():
    """Customers of one moment, each with more than its row has room for, one the parent of the others."""
    for place in range(SIZE):
        yield {
            "number": f"K{place}",
            "name": f"Café {place}",
            "created_at": "2020-01-01T00:00:00.000Z",
            "bill_to.country": "FR",
            "bill_to.locality": f"Ville {place % 3}",
            "addresses": [{"name": f"Dépôt {place}", "country": "BE", "postal_code": f"B {place}"}],
            "price_groups": "Retail; Export",
            "external_ids.shop": f"s{place}",
            **({"parent_number": "K20"} if place > 20 else {}),
        }


def written_at_once(database, records):
    """What an import of records makes where nothing comes between."""
    ledger = Ledger(database)
    made = planned(database, ledger.key, records)
    with patch.object(applying, "ROWS_IN_ONE_STEP", 1_000):
        apply_plan(database, ledger.key, made)
    made.close()
    return told(ledger.records())


def in_another_thread(work, *arguments):
    other = Thread(target=work, args=arguments)
    other.start()
    other.join()


def between_steps(work):
    """Do something before each step but the first."""
    step = stepping._Work.step

    def meanwhile(self):
        if self.rows:
            work(self)
        step(self)

    return patch.object(stepping._Work, "step", meanwhile)


def applied(ledger, records):
    """Import records in steps; returns the summary. The book is sound afterwards."""
    plan = planned(ledger.database, ledger.key, records)
    summary = apply_plan(ledger.database, ledger.key, plan)
    plan.close()
    assert list(faults_of_account(ledger.database, ledger.key)) == []
    return summary


@pytest.mark.parametrize("records", [records_alike, lambda: family(SIZE)])
def test_what_is_decided_ahead_is_what_would_be_decided_later(ledger, database_of_ledgers, ahead, records):
    applied(ledger, records())

    assert len(ahead) > SIZE / 2
    assert told(ledger.records()) == written_at_once(database_of_ledgers, records())


def test_also_steps_that_grow_write_what_was_decided_and_nothing_more(ledger, ahead):
    """Half of the rows of an import were decided late: a step wrote on until it had as many as it was to have."""
    with patch.multiple(pace, ROWS_FIRST=2, ROWS_MAX=16):
        applied(ledger, ({"number": f"K{place}", "name": "Café"} for place in range(SIZE)))

    assert len(ahead) == SIZE - 2


def test_the_json_of_what_is_decided_ahead_is_made_by_the_helper(ledger, ahead):
    made, make = [], FINISHED.make

    def making(rows):
        listed = list(rows)
        made.extend(listed)
        return make(listed)

    # The helper is a copy, whose list is its own.
    with patch.object(FINISHED, "make", making):
        summary = applied(ledger, ({"number": f"K{place}", "name": "Café"} for place in range(SIZE)))

    assert summary.created == SIZE
    assert len(made) <= SIZE + SIZE - len(ahead), (
        "once by the check at the end, and here what was not decided ahead"
    )


def test_a_step_that_ends_early_leaves_the_rest_to_the_next(ledger, database_of_ledgers, ahead):
    with (
        patch.multiple(stepping, PART_ROWS=3, PART_ROWS_ALONE=3),
        patch.object(stepping._Work, "_has_to_end", lambda *_: True),
    ):
        applied(ledger, family(SIZE))

    assert len(ahead) > SIZE / 2
    assert told(ledger.records()) == written_at_once(database_of_ledgers, family(SIZE))


def test_where_others_write_each_step_decides_anew(ledger, database_of_ledgers, ahead):
    def take(work):
        in_another_thread(ledger.take, {"number": "OTHER", "name": f"{work.rows} rows"})

    with between_steps(take):
        applied(ledger, family(SIZE))

    assert ahead == []
    records = [each for each in ledger.records() if each["number"] != "OTHER"]
    assert told(records) == written_at_once(database_of_ledgers, family(SIZE))


def test_what_others_write_at_last_counts_as_done_before(ledger, ahead):
    taken = []

    def take(work):
        if work.rows > SIZE / 2 and not taken:
            taken.append(work.rows)
            in_another_thread(ledger.take, {"number": "n35", "name": "Taken", "phone": "12"})

    with between_steps(take):
        summary = applied(ledger, family(SIZE))

    numbers = {each["number"]: each for each in ledger.records()}
    assert taken
    assert ahead
    assert (numbers["n35"]["name"], numbers["n35"]["phone"]) == ("Customer 35", "12")
    assert (summary.created, summary.updated) == (SIZE + 2, 1)
