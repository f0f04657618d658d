"""Rows with much text: found like any other, and one more address costs the same however many there are."""

import random
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from threading import Thread

import apsw
import pytest

from tests.fixtures.lengths import length
from tests.transfer.steps import planned
from tradebook.crud.change import Change
from tradebook.crud.grant import Grant
from tradebook.resources import address_routes
from tradebook.resources.customers import INDEX
from tradebook.resources.customers.index import PLACE, STATUS
from tradebook.resources.customers.writing import records as customers
from tradebook.storage import index_entries
from tradebook.storage.index_documents import Document, documents
from tradebook.storage.sqlite import engine, indexing
from tradebook.storage.sqlite import index as sqlite_index
from tradebook.transfer.imports import applying, pace, stepping
from tradebook.transfer.imports.applying import apply_plan

ROUNDS = length(60, 2_000)
CITIES = ("Ulm", "Łódź", "São Paulo", "Xylon")
SINGLE = {field.name: None for field in address_routes.FIELDS if field.name != "customer_ids"}


def record(chance, number):
    """A customer whose fields are short, long and alike."""
    name = "".join(chance.choice("abcABC xyzé1") for _ in range(chance.randrange(1, 40))).strip() or "n"
    return {
        "number": str(number),
        "name": name,
        "phone": chance.choice((None, "+1 (702) 555-0100", "0731 22")),
        "email": chance.choice((None, f"a{number}@example.com")),
        "status": chance.choice(("normal", "hold_all")),
        "bill_to.name": chance.choice((name, "Dock", "Gate 7")),
        "bill_to.country": "DE",
        "bill_to.locality": chance.choice(CITIES),
    }


def questions(chance, records):
    """Words of all lengths, most of them from somebody's text, alone, together and with filters."""
    for _ in range(ROUNDS):
        words = []
        for _ in range(chance.choice((1, 1, 2, 3))):
            text = str(chance.choice(list(chance.choice(records).values())) or "zzz")
            start = chance.randrange(len(text))
            words.append(text[start : start + chance.choice((1, 2, 3, 4, 7))])
        facet = chance.choice(((), (STATUS, 0), (PLACE, chance.choice(CITIES), None, None)))
        yield " ".join(words), facet


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("text_max", [0, 12, 45])
def test_what_has_more_text_than_its_entry_is_found_all_the_same(new_ledger, monkeypatch, text_max):
    chance = random.Random(text_max)
    records = [record(chance, number) for number in range(1, 80)]
    whole, short = new_ledger(), new_ledger()
    whole.take(*records)
    monkeypatch.setattr(sqlite_index, "TEXT_LENGTH_MAX", text_max)
    short.take(*records)

    asked = list(questions(chance, records))
    different = [
        (words, facet) for words, facet in asked if whole.found(words, *facet) != short.found(words, *facet)
    ]

    assert different == []
    assert any(0 < len(whole.found(words, *facet)) < 70 for words, facet in asked)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_search_that_forgets_what_has_more_text_is_noticed(ledger, monkeypatch):
    monkeypatch.setattr(sqlite_index, "TEXT_LENGTH_MAX", 3)
    ledger.take({"number": "1", "name": "Copper"})
    found = ledger.found("copp")
    monkeypatch.setattr(sqlite_index, "MORE", "y")

    assert (found, ledger.found("copp")) == ({"1"}, set())


def attach(ledger, keys, number):
    """Attach one more address with long texts to all of these customers."""
    with ledger.database.write(ledger.key) as writer:
        return attach_by(writer, keys, number)


def attach_by(writer, keys, number):
    chance = random.Random(number)
    text = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(190))
    values = {**SINGLE, "name": text, "country": "DE", "type": 0, "customer_ids": keys}
    values |= {"locality": text[::-1], "state": text[50:], "postal_code": f"{number}{text}"}
    address_routes.create(
        Change(writer=writer, grant=Grant(writer.account_id, 1, frozenset()), values=values)
    )
    return text


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_twelfth_address_costs_what_the_second_costs(ledger):
    """By what FTS5 is given to write: it writes an entry as a whole."""
    ledger.take(*({"number": str(n), "name": "Many"} for n in range(1, 6)))
    keys = [row[1] for row in ledger.sql("SELECT account_id, id FROM customers")]
    written, texts = [], []
    for number in range(12):
        texts.append(attach(ledger, keys, number))
        with ledger.database.read(ledger.key) as reader:
            found = documents(INDEX, reader.rows, keys)
        written.append(sum(len(sqlite_index.tokens(each)) for each in found.values()))

    # Each character begins three pieces, which are nine characters with their spaces.
    assert max(written) < 9 * sqlite_index.TEXT_LENGTH_MAX * len(keys)
    assert all(ledger.found(text[60:80]) == {"1", "2", "3", "4", "5"} for text in texts)
    assert ledger.found(f"{texts[0][-9:]}{texts[0][:9]}") == set()


def test_what_is_indexed_of_much_text_depends_on_no_order():
    fields = [f"{n} {'x' * 300}" for n in range(12)]

    def tokens_of(ordered):
        document = Document()
        document.fields = dict.fromkeys(ordered)
        return set(sqlite_index.tokens(document).split(" "))

    assert tokens_of(fields) == tokens_of(fields[::-1])


@pytest.mark.parametrize(
    "fields", [[], ["a"], ["a bc", "b"], ["müller & söhne", "ABCJ", "x" * 99, "o'neill 8 a"]]
)
def test_pieces_that_are_remembered_are_those_that_are_made_at_once(fields):
    document, known = Document(), {}
    document.fields = dict.fromkeys(fields)
    first, again = (set(sqlite_index.tokens(document, known).split(" ")) for _ in range(2))

    assert set(sqlite_index.tokens(document).split(" ")) == first == again
    assert set("ABCDEFGHIJ").isdisjoint("".join(first))


def test_every_address_of_many_finds_its_customer(ledger):
    ledger.take({"number": "1", "name": "Many"}, {"number": "2", "name": "Few"})
    keys = [row[1] for row in ledger.sql("SELECT account_id, id FROM customers WHERE number = '1'")]
    texts = [attach(ledger, keys, number) for number in range(12)]

    for text in texts:
        for word in (text[5:7], text[40:43], text[100:190]):
            assert "1" in ledger.found(word)
            assert ledger.found(f"{word} many") == {"1"}
    assert ledger.found("few") == {"2"}


MANY = 500


@pytest.fixture
def many(new_ledger):
    """A ledger of many customers, and their keys."""
    ledger = new_ledger()
    ledger.take(*({"number": str(n), "name": f"Many {n}"} for n in range(1, MANY + 1)))
    return ledger, [row[1] for row in ledger.sql("SELECT account_id, id FROM customers")]


def merging(ledger):
    """What the index of an account is told of merging, as its next transaction finds it; none: the default."""
    name = sqlite_index.index_name(INDEX, ledger.key)
    with ledger.database.read(ledger.key) as reader:
        return dict(reader._connection.execute(f"SELECT k, v FROM {name}_config")).get("automerge")


def pages_written(ledger, work):
    """How many pages of the index are written meanwhile."""
    connection = ledger.database._own.writing
    name, seen = f"{sqlite_index.index_name(INDEX, ledger.key)}_data", []
    connection.trace_v2(apsw.SQLITE_TRACE_STMT, lambda event: seen.append(event["sql"]))
    try:
        work()
    finally:
        connection.trace_v2(0, None)
    return sum("REPLACE" in sql and name in sql for sql in seen)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_entries_of_a_large_transaction_are_not_merged_many_times(many, monkeypatch):
    ledger, keys = many
    attach(ledger, keys[:1], 0)
    once = pages_written(ledger, lambda: attach(ledger, keys, 1))
    monkeypatch.setattr(indexing.Indexing, "_merge_later", lambda *_: None)
    at_each_row = pages_written(ledger, lambda: attach(ledger, keys, 2))

    assert once < 0.7 * at_each_row


def parts_of(ledger):
    """In how many parts the index of customers is."""
    sql = f"SELECT count(DISTINCT segid) FROM {sqlite_index.index_name(INDEX, ledger.key)}_idx"
    with ledger.database.read(ledger.key) as reader:
        return reader._connection.execute(sql).get


def in_one_commit(ledger, *works):
    """Have changes share a commit; returns what they return, None for one that fails."""
    left, told = list(works), []

    def change():
        gathering = ledger.database.gather(lambda: bool(left))
        while left:
            work, found = left.pop(0), None
            with suppress(ZeroDivisionError), ledger.database.write(ledger.key) as writer:
                found = work(writer)
            told.append(found)
        assert gathering.settle() is None

    with ThreadPoolExecutor(1) as pool:
        pool.submit(change).result()
    return told


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_changes_that_share_a_commit_make_one_part_of_the_index(ledger):
    ledger.take(*({"number": str(number), "name": "Many"} for number in range(4)))
    keys = [row[1] for row in ledger.sql("SELECT account_id, id FROM customers ORDER BY number")]
    before = parts_of(ledger)

    def attach_and_fail(writer):
        attach_by(writer, keys[1:2], 7)
        raise ZeroDivisionError

    def attach_and_undo(writer):
        with suppress(ZeroDivisionError), writer.savepoint():
            attach_and_fail(writer)

    works = [partial(attach_by, keys=keys[at : at + 1], number=at) for at in (0, 2, 3)]
    first, second, _, _, third = in_one_commit(ledger, *works[:2], attach_and_fail, attach_and_undo, works[2])
    with ledger.database.inspect(ledger.key) as inspector:
        faults = list(inspector.index_faults(INDEX))

    assert (parts_of(ledger), faults) == (before + 1, [])
    assert [ledger.found(text[60:80]) for text in (first, second, third)] == [{"0"}, {"2"}, {"3"}]


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("rows_max", [0, 100])
def test_a_change_replaces_and_deletes_what_one_before_it_has_had_indexed(ledger, monkeypatch, rows_max):
    ledger.take(*({"number": str(number), "name": "Many"} for number in range(3)))
    keys = [row[1] for row in ledger.sql("SELECT account_id, id FROM customers ORDER BY number")]

    def attach_at_once(writer):
        monkeypatch.setattr(indexing, "MERGED_ROWS_MAX", rows_max)
        return attach_by(writer, keys[:2], 1)

    def delete(writer):
        customers.delete(writer, customers.find(writer, keys[1]))
        writer.reindex(INDEX, keys[1:2])

    _, text, _ = in_one_commit(ledger, partial(attach_by, keys=keys, number=0), attach_at_once, delete)
    with ledger.database.inspect(ledger.key) as inspector:
        faults = list(inspector.index_faults(INDEX))

    assert (ledger.found(text[60:80]), ledger.found("many"), faults) == ({"0"}, {"0", "2"}, [])


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_index_is_in_few_parts_after_many_rows(ledger, monkeypatch):
    """Each part costs every search a look: 28 of them made it twenty times as slow."""
    for number in range(8):
        ledger.take({"number": str(number), "name": "One"})
    before = parts_of(ledger)
    monkeypatch.setattr(applying, "ROWS_IN_ONE_STEP", 1)
    monkeypatch.setattr(stepping, "MANY_ROWS", 2)
    ledger.take(*({"number": str(number), "name": "Many"} for number in range(8, 12)))

    assert before >= 8
    assert parts_of(ledger) <= 2
    assert ledger.found("one") | ledger.found("many") == {str(number) for number in range(12)}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_import_merges_its_parts_together_and_nobody_beside_it_has_to(ledger, monkeypatch):
    """Merged as they came, they were half of what the index cost, and one step in twenty took half a second."""
    name, parts = sqlite_index.index_name(INDEX, ledger.key), []

    def look(*_):
        other = Thread(target=ledger.take, args=({"number": f"Beside {len(parts)}", "name": "Other"},))
        other.start()
        other.join()
        parts.append(parts_of(ledger))

    monkeypatch.setattr(applying, "ROWS_IN_ONE_STEP", 1)
    monkeypatch.setattr(indexing, "MERGED_ROWS_MAX", 1)
    monkeypatch.setattr(engine, "PARTS_OF_IMPORT", 15)
    for name_of_rows in ("ROWS_FIRST", "ROWS_LEAST", "ROWS_MAX"):
        monkeypatch.setattr(pace, name_of_rows, 2)
    imported = planned(ledger.database, ledger.key, [{"number": str(n), "name": "Many"} for n in range(40)])
    apply_plan(ledger.database, ledger.key, imported, written=look)
    imported.close()
    with ledger.database.read(ledger.key) as reader:
        told = dict(reader._connection.execute(f"SELECT k, v FROM {name}_config"))

    assert max(parts) > indexing.PARTS_AT_ONCE, "nobody has merged all of them at once"
    assert parts[15] < max(parts[:15]), "the import has, a bit at a time"
    assert (told["automerge"], told["crisismerge"]) == (indexing.PARTS_MERGED, indexing.PARTS_AT_ONCE)
    assert parts_of(ledger) <= indexing.PARTS_MERGED
    assert len(ledger.found("many")) == 40


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_what_a_helper_makes_in_one_step_is_one_part_of_the_index(ledger, monkeypatch):
    """FTS5 begins another part where a row comes before the last one, and new rows come before all others."""
    monkeypatch.setattr(applying, "ROWS_IN_ONE_STEP", 1)
    monkeypatch.setattr(stepping, "PART_ROWS", 5)
    monkeypatch.setattr(stepping, "PART_ROWS_ALONE", 5)
    monkeypatch.setattr(index_entries, "HELPED_ROWS", 1)
    ledger.take(*({"number": str(number), "name": "Many"} for number in range(40)))

    assert parts_of(ledger) == 1
    assert len(ledger.found("many")) == 40


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_an_index_is_in_few_parts_after_a_migration(ledger):
    for number in range(8):
        ledger.take({"number": str(number), "name": "One"})
    before = parts_of(ledger)
    while ledger.database.remake_indexes(ledger.key):
        pass

    assert (before >= 8, parts_of(ledger) <= 2) == (True, True)


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_a_large_transaction_leaves_the_merging_on_whether_it_is_kept_or_undone(many, monkeypatch):
    ledger, keys = many
    name = sqlite_index.index_name(INDEX, ledger.key)
    with ledger.database.write(ledger.key) as writer:
        writer.reindex(INDEX, keys)
        inside = dict(writer._connection.execute(f"SELECT k, v FROM {name}_config"))["automerge"]
    kept = merging(ledger)
    monkeypatch.setattr(indexing, "PARTS_MERGED", 5)
    with pytest.raises(ZeroDivisionError), ledger.database.write(ledger.key) as writer:
        writer.reindex(INDEX, keys)
        writer.indexing.end()
        raise ZeroDivisionError
    undone = merging(ledger)
    text = attach(ledger, keys[:1], 0)

    assert (inside, kept, undone) == (0, 4, 4)
    assert len(ledger.found(text[60:80])) == 1
