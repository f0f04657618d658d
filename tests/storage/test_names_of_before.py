"""Numbers and names that agreed before they were unique whatever their case: kept, told, found as they are."""

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.ledgers import Ledger
from tests.storage.old_books import asking, run_sql, take_back
from tradebook import migrations
from tradebook.app import open_database
from tradebook.crud import records
from tradebook.ids import encode_id
from tradebook.resources import api_keys, customers
from tradebook.settings import Settings
from tradebook.transfer.imports import carriers, deciding, matching, mentions, names, parents, writing

NUMBERS = ("a-1", "Straße", "A-1", "STRASSE", "Á-1", "b")
OTHERS = ("service_level", "payment_term", "shipping_term")


TRADES = ("Trade 0", "Trade 1", "TRADE 0", "TRÁDE 0", "Trade 4", "Trade 5")
MANY = [name for place in range(25) for name in (f"many {place}", f"MANY {place}")]


@pytest.fixture(scope="module")
def of_before(engine, tmp_path_factory):
    """A book of before, with such customers and names in one account: its URL, and the account's key."""
    url = engine.new(tmp_path_factory.mktemp("before"))
    ledger = Ledger(open_database(Settings(database=url)))
    with pytest.MonkeyPatch.context() as of_before:
        for module in (records, deciding, matching, mentions, names, carriers, parents, writing):
            of_before.setattr(module, "fold_case", str)
        for place, number in enumerate(NUMBERS):
            own = {column: f"{'House' if place else 'HOUSE'} {place // 2}" for column in OTHERS}
            ledger.take({"number": number, "name": number, "type": TRADES[place], "carrier": "Van", **own})
        ledger.take({"number": "many", "name": "Many", "price_groups": MANY})
    ledger.database.close()
    take_back(url, "0005")
    return url, ledger.key


@pytest.fixture
def old(engine, of_before, tmp_path):
    """The test's own."""
    url, account = of_before
    return engine.copy(url, tmp_path), account


def opened(old) -> Ledger:
    """The account of a book that was migrated."""
    url, key = old
    ledger = Ledger.__new__(Ledger)
    ledger.database, ledger.key = open_database(Settings(database=url)), key
    return ledger


def test_migrate_names_what_agrees_and_keeps_it(old, tmp_path):
    url, account = old
    before = run_sql(url, "SELECT number FROM customers ORDER BY id")

    done = CommandLine(tmp_path, url).run("migrate", "--json")
    again = CommandLine(tmp_path, url).run("migrate", "--json")

    assert (done.returncode, again.returncode) == (0, 0), done.stderr
    notices = [line for line in done.stderr.splitlines() if "capitals alone" in line]
    assert len(notices) == 2 + len(OTHERS)
    assert all(encode_id("ac", account) in notice for notice in notices)
    (of_numbers,) = [notice for notice in notices if "numbers" in notice]
    assert [number for number in NUMBERS if f"({number})" in of_numbers] == list(NUMBERS[:4])
    assert "(HOUSE 0), " in done.stderr
    assert "(House 0)" in done.stderr
    assert run_sql(url, "SELECT number FROM customers ORDER BY id") == before
    assert "and 6 more such" in done.stderr
    assert "capitals alone" not in again.stderr
    assert CommandLine(tmp_path, url).run("check").returncode == 0


def test_each_is_found_as_it_is_spelt_then_the_oldest(old):
    migrations.upgrade(old[0])
    ledger = opened(old)
    asked = (*NUMBERS, "STRaSSE", "B", "á-1", "c")

    with ledger.database.read(ledger.key) as reader:
        found = customers.records.find_by(reader, "number", asked)

    ledger.database.close()
    numbers = {text: row["number"] for text, row in found.items()}
    assert numbers == {**{n: n for n in NUMBERS}, "STRaSSE": "Straße", "B": "b", "á-1": "Á-1"}


@pytest.mark.parametrize("file_format", ["csv", "ndjson"])
def test_its_export_changes_nothing_where_it_came_from(old, file_format):
    migrations.upgrade(old[0])
    ledger = opened(old)
    ledger.take({"number": "b", "parent_number": "STRASSE"})
    file = ledger.export(file_format)

    again = ledger.take_file(file, file_format)

    assert (again.unchanged, again.updated, again.made) == (len(NUMBERS) + 1, 0, {})
    assert ledger.export(file_format) == file
    assert ledger.customer("b")["parent_number"] == "STRASSE"
    summary, problems = ledger.try_to_take({"number": "A-1"}, {"number": "a-1"}, {"number": "A-1"})
    assert problems == ["line 3, number: 'A-1' is the number of line 1 already"]
    assert not summary.is_kept
    ledger.database.close()


def test_a_book_that_is_taken_back_and_forth_is_as_it_was(old):
    url, _ = old
    migrations.upgrade(url)
    folded = "SELECT id, number, number_folded FROM customers ORDER BY account_id, id"
    before = run_sql(url, folded)
    take_back(url, "0005")
    migrations.upgrade(url)

    assert run_sql(url, folded) == before


CUSTOMERS = "/v1/sales/customers"
PLAIN, APART = "Straße", "STRASSE"


@pytest.fixture(params=["deleted", "renamed", "merged"])
def left(request, old):
    """A migrated book, whose oldest of two numbers that agree has gone: the account, and a client of it."""
    migrations.upgrade(old[0])
    ledger = opened(old)
    with ledger.database.write(ledger.key) as writer:
        _, secret = api_keys.create_key(writer, "test")
    with asking(old[0], secret) as client:
        ids = {found["number"]: found["id"] for found in client.get(CUSTOMERS).json()["data"]}
        plain = f"{CUSTOMERS}/{ids[PLAIN]}"
        if request.param == "deleted":
            done = client.delete(plain)
        elif request.param == "renamed":
            done = client.patch(plain, json={"number": "other"})
        else:
            merge = f"{CUSTOMERS}/{ids['b']}/actions/merge"
            done = client.post(merge, json={"source_customer_ids": [ids[PLAIN]]})
        assert done.status_code == 200
        yield ledger, client, ids[APART]
    ledger.database.close()


def test_what_was_kept_apart_is_reached_when_the_oldest_has_gone(left):
    ledger, client, key = left
    found = [client.get(f"{CUSTOMERS}/by-number/{number}") for number in ("strasse", "Strasse", APART)]
    changed = client.put(f"{CUSTOMERS}/by-number/strasse", json={"note": "Changed"})
    by_import = ledger.take({"number": "Strasse", "note": "Imported"}, {"number": "new", "name": "New"})
    ledger.take({"number": "b", "parent_number": APART})
    again = ledger.take(
        {"number": "b", "parent_number": "strasse"}, {"number": "new", "parent_number": PLAIN}
    )

    assert [answer.json()["id"] for answer in found] == [key] * 3
    assert (changed.status_code, changed.json()["id"]) == (200, key)
    assert by_import.made == {}
    assert (by_import.created, by_import.updated) == (1, 1)
    assert ledger.customer(APART)["note"] == "Imported"
    assert (again.unchanged, again.updated) == (1, 1)
    assert ledger.customer("new")["parent_number"] == APART
    twice = ledger.try_to_take({"number": "strasse"}, {"number": "c", "name": "C"}, {"number": APART})[1]
    assert twice == [f"line 3, number: '{APART}' is the number of line 1 already"]


def test_of_some_that_are_kept_apart_the_oldest_is_found_and_the_plain_one_before(old):
    """Among names, of which any may be spelled in three ways."""
    migrations.upgrade(old[0])
    ledger = opened(old)
    asked = ("a-1", "A-1", "straSSE", "Á-1", "á-1")
    rename = "UPDATE customers SET number = 'A-2', number_folded = 'strasse\nA-2' WHERE number = 'A-1'"
    run_sql(old[0], rename)
    with ledger.database.write(ledger.key) as writer:
        row = customers.records.find_by(writer, "number", [PLAIN])[PLAIN]
        before = customers.records.find_by(writer, "number", asked)
        customers.records.update(writer, row, {"number": "other"})
        after = customers.records.find_by(writer, "number", asked)

    ledger.database.close()
    assert {text: row["number"] for text, row in before.items()} == {
        "a-1": "a-1",
        "A-1": "a-1",
        "straSSE": PLAIN,
        "Á-1": "Á-1",
        "á-1": "Á-1",
    }
    assert {
        text: row["number"] for text, row in after.items() if row["number"] != before[text]["number"]
    } == {"straSSE": "A-2"}
