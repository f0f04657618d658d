"""What a server does for imports beside its requests, ended at every point and begun again, without a server."""

import msgspec
import pytest

from tradebook.crud.change import Change
from tradebook.crud.grant import Grant
from tradebook.crud.uploads import Uploaded
from tradebook.resources import import_routes
from tradebook.storage.upload_files import UploadFolder
from tradebook.transfer.imports import background, entries, staging
from tradebook.transfer.imports.background import FAULT, TRIES_MAX, Background
from tradebook.transfer.imports.uploaded import apply

FILE = b"number,name\n" + b"".join(b"%d,Customer %d\n" % (n, n) for n in range(1, 13))
NOBODY = Grant(key_id=1, account_id=1, permissions=frozenset(), expires_at=None, revoked_at=None)


class Died(BaseException):
    """The process is gone, without a chance to tidy up."""


@pytest.fixture
def folder(tmp_path):
    return UploadFolder(tmp_path / "imports")


@pytest.fixture
def _small(monkeypatch):
    """Few rows at a time, so that a short file has many places to be ended at; each is noted."""
    monkeypatch.setattr("tradebook.transfer.imports.planning.ROWS_AT_ONCE", 2)
    monkeypatch.setattr("tradebook.transfer.imports.staging.BLOCK_ROWS", 3)
    monkeypatch.setattr("tradebook.transfer.imports.staging.BLOCKS_AT_ONCE", 1)
    monkeypatch.setattr(background, "TOLD_SECONDS", 0)


def uploaded(ledger, folder, content=FILE):
    """Bring a file as a request does, and return the key of its import."""
    file = folder.new()
    file.write(content)
    file.keep()
    file.close()
    brought = Uploaded(file.name, len(content), "csv", None, "customers.csv", None)
    with ledger.database.write(ledger.key) as writer:
        return import_routes.create(Change(writer=writer, grant=NOBODY, uploaded=brought))


def at_work(ledger, folder, *, is_embedded=True, is_stopping=lambda: False, told=None):
    tell = (lambda _: None) if told is None else told.append
    return Background(ledger.database, folder, is_embedded=is_embedded, is_stopping=is_stopping, tell=tell)


def entry(ledger, key):
    with ledger.database.read(ledger.key) as reader:
        return entries.find(reader, key)


def state(ledger, key):
    return entries.STATES[entry(ledger, key)["state"]]


def blocks(ledger, key):
    return sum(
        row[1] for row in ledger.sql("SELECT account_id, rows, import_id FROM import_blocks") if row[2] == key
    )


def files_in(folder):
    return list(folder.path.iterdir())


def act(ledger, key, name, **parameters):
    with ledger.database.write(ledger.key) as writer:
        row = entries.find(writer, key)
        change = Change(writer=writer, grant=NOBODY, path_keys=(key,), row=row, parameters=parameters)
        return {"discard": import_routes.discard, "apply": apply}[name](change)


@pytest.mark.usefixtures("_small")
def test_a_file_is_planned_and_applied_whenever_the_process_is_told_to_end(ledger, folder):
    key = uploaded(ledger, folder)
    work = at_work(ledger, folder)
    ends = 0
    while state(ledger, key) != "applied":
        looks = iter(range(ends))
        stopping = lambda looks=looks: next(looks, None) is None  # noqa: E731
        at_work(ledger, folder, is_stopping=stopping).work()
        ends += 1
        if state(ledger, key) == "planning":
            assert len(files_in(folder)) == 1
            assert entry(ledger, key)["owner"] is None
        if state(ledger, key) == "planned":
            assert blocks(ledger, key) == 12
            assert files_in(folder) == []
            act(ledger, key, "apply")
            assert work.has_work()
        assert ends < 40

    assert ends > 5
    assert [each["number"] for each in ledger.records()] == [str(n) for n in range(1, 13)]
    assert (state(ledger, key), blocks(ledger, key), work.has_work()) == ("applied", 12, False)
    ledger.plant(f"UPDATE imports SET ends_at = 1 WHERE id = {key}")
    ledger.plant(f"UPDATE accounts SET imports_due = 1 WHERE account_id = {ledger.key}")
    assert work.has_work()
    work.work()
    assert (state(ledger, key), blocks(ledger, key), work.has_work()) == ("applied", 0, False)
    assert not work.has_work()


@pytest.mark.usefixtures("_small")
def test_what_dies_of_a_file_is_begun_again_and_not_for_ever(ledger, folder, monkeypatch):
    key, told = uploaded(ledger, folder), []

    def die(*_, **__):
        raise Died

    for _ in range(TRIES_MAX):
        with monkeypatch.context() as patch:
            patch.setattr(background, "keep_plan", die)
            with pytest.raises(Died):
                at_work(ledger, folder).work()
        assert (state(ledger, key), len(files_in(folder))) == ("planning", 1)
    at_work(ledger, folder, told=told).work()

    assert (state(ledger, key), entry(ledger, key)["error"]) == ("failed", FAULT)
    assert files_in(folder) == []
    assert [each.state for each in told if each.import_id == key] == ["failed"]


@pytest.mark.usefixtures("_small")
def test_a_process_that_dies_between_two_blocks_leaves_none_of_them(ledger, folder, monkeypatch):
    key = uploaded(ledger, folder)
    added, add = iter(range(3)), staging._add

    def die(writer, **values):
        if next(added, None) is None:
            raise Died
        return add(writer, **values)

    with monkeypatch.context() as patch:
        patch.setattr(staging, "_add", die)
        with pytest.raises(Died):
            at_work(ledger, folder).work()
    assert blocks(ledger, key) == 9

    at_work(ledger, folder).work()

    assert (state(ledger, key), blocks(ledger, key)) == ("planned", 12)


@pytest.mark.usefixtures("_small")
def test_what_is_discarded_while_it_is_planned_stays_so(ledger, folder):
    key = uploaded(ledger, folder)
    looks = iter(range(4))

    def discards():
        if next(looks, None) is None and state(ledger, key) == "planning":
            act(ledger, key, "discard")
        return False

    at_work(ledger, folder, is_stopping=discards).work()
    at_work(ledger, folder).work()

    assert (state(ledger, key), blocks(ledger, key), files_in(folder)) == ("discarded", 0, [])


def test_a_plan_ends_after_its_time_and_its_rows_go(ledger, folder):
    key = uploaded(ledger, folder)
    at_work(ledger, folder).work()
    week = entry(ledger, key)["ends_at"] - entry(ledger, key)["updated_at"]
    assert abs(week - 7 * 86_400_000) < 60_000
    assert not at_work(ledger, folder).has_work()
    ledger.plant(f"UPDATE imports SET ends_at = 1 WHERE id = {key}")
    ledger.plant(f"UPDATE accounts SET imports_due = 1 WHERE account_id = {ledger.key}")

    assert at_work(ledger, folder).has_work()
    at_work(ledger, folder).work()

    assert (state(ledger, key), blocks(ledger, key)) == ("discarded", 0)
    assert msgspec.json.decode(entry(ledger, key)["summary"])["created"] == 12


def test_a_file_is_planned_where_it_is(ledger, folder, tmp_path):
    """Of a book on a server, another machine may have it."""
    key, elsewhere = uploaded(ledger, folder), UploadFolder(tmp_path / "another machine")

    other = at_work(ledger, elsewhere, is_embedded=False)
    assert not other.has_work()
    other.work()
    assert state(ledger, key) == "planning"
    at_work(ledger, elsewhere).work()

    assert state(ledger, key) == "failed"
    assert "gone" in entry(ledger, key)["error"]


def test_a_fault_of_ours_ends_one_import_and_not_the_next(ledger, folder, monkeypatch):
    told, plan_of = [], background.plan_of
    first = uploaded(ledger, folder)
    second = uploaded(ledger, folder)
    failing = iter([True, False])

    def plan(*given):
        if next(failing):
            raise RuntimeError("what nobody has foreseen")
        return plan_of(*given)

    monkeypatch.setattr(background, "plan_of", plan)
    at_work(ledger, folder, told=told).work()

    assert (state(ledger, first), entry(ledger, first)["error"]) == ("failed", FAULT)
    assert state(ledger, second) == "planned"
    assert str(told[0].fault) == "what nobody has foreseen"
