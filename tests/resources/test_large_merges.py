"""Merges of many customers with long texts: an answer has its largest size, and what it leaves out is counted."""

import tracemalloc
from collections import Counter

import msgspec
import pytest
import sqlalchemy as sa

from tests.contract.checks import check_envelope
from tests.fixtures.book import Book, walk
from tests.fixtures.lengths import length
from tradebook.crud.change import Change
from tradebook.crud.idempotency import idempotency_records
from tradebook.ids import decode_id
from tradebook.resources import account_groups, addresses
from tradebook.resources.customers import merging, writing
from tradebook.settings import Settings
from tradebook.storage.schema import ACCOUNT, prepare

SOURCES, NOTE = length(180, 999), "é" * 10_000
LOSSES_EACH = 5
"""Number, name, note, and both addresses."""

ANSWER_MAX = Settings().answer_bytes_max
_ANSWERS = prepare(sa.select(idempotency_records.c.answer).where(idempotency_records.c.account_id == ACCOUNT))


def book_of(server, sources):
    """A customer and others to merge into it: what 300 of them would lose is 12 MB."""
    made = Book(server)
    places = ("bill_to.name", "bill_to.country", "bill_to.locality")
    made.add(
        {
            "name": "Target",
            "number": "t",
            "note": "T" + NOTE[1:],
            **dict(zip(places, ("T", "DE", "Bonn"), strict=True)),
        },
        *(
            {
                "name": "Source",
                "number": f"s{n}",
                "note": NOTE,
                **dict(zip(places, (f"{n}", "DE", "Ulm"), strict=True)),
            }
            for n in range(sources)
        ),
    )
    return made


@pytest.fixture(scope="module")
def large(server):
    """Many to merge, for tests that only look at what would become of them."""
    made = book_of(server, SOURCES)
    yield made
    made.close()


@pytest.fixture(params=[SOURCES])
def own(request, server):
    """Some to merge, for a test that changes them."""
    made = book_of(server, request.param)
    yield made
    made.close()


def customers_of(book):
    """The target's id, and those of the sources."""
    ids = {customer["number"]: customer["id"] for customer in walk(book.client, limit=100)}
    return ids.pop("t"), list(ids.values())


def merge(book, target, sources, key=None, *, dry_run=True):
    return book.client.post(
        f"/v1/sales/customers/{target}/actions/merge",
        json={"source_customer_ids": sources, "dry_run": dry_run},
        headers={} if key is None else {"Idempotency-Key": key},
    )


def preview(book, target, sources):
    """A preview, whose size and order are right."""
    answer = merge(book, target, sources)
    assert answer.status_code == 200, answer.text[:500]
    assert len(answer.content) <= ANSWER_MAX
    shown = answer.json()
    assert shown["source_customer_ids"] == sources
    listed = list(dict.fromkeys(loss["customer_id"] for loss in shown["losses"]))
    assert listed == sources[: len(listed)]
    assert (shown["left_out"]["losses"] > 0) == (len(listed) < len(sources))
    return shown, sources[len(listed) :]


def stored(book):
    """The answers that are stored under idempotency keys."""
    with book.database.read(book.account_key) as reader:
        return [answer for (answer,) in reader.rows(_ANSWERS)]


def change_of(book, target, sources, writer, bytes_max):
    """The change that a preview is, for the function itself."""
    keys = [decode_id("ac", each) for each in (target, *sources)]
    values = {"source_customer_ids": keys[1:], "dry_run": 1}
    row = writing.records.find(writer, keys[0])
    return Change(
        writer=writer, grant=None, path_keys=(keys[0],), row=row, values=values, answer_bytes_max=bytes_max
    )


def test_a_preview_ends_early_and_says_how_many_losses_it_leaves_out(large):
    target, sources = customers_of(large)

    first, rest = preview(large, target, sources)
    left_out, losses = first["left_out"]["losses"], first["losses"]
    later = []
    while rest:
        more, rest = preview(large, target, rest)
        later += more["losses"]

    assert left_out == len(later) > len(losses) / 2
    assert set(Counter(loss["customer_id"] for loss in losses + later).values()) == {LOSSES_EACH}
    assert len([1 for loss in losses + later if (loss["field"], loss["lost"]) == ("note", NOTE)]) == SOURCES
    moved = first["left_out"]
    assert {moved[name] for name in moved if name != "losses"} == {0}
    assert len(first["moved_address_ids"]) == SOURCES


def test_no_large_answer_of_a_merge_is_stored_and_sending_again_is_safe(own):
    target, sources = customers_of(own)

    before = merge(own, target, sources, "look")
    again = merge(own, target, sources, "look")
    other = merge(own, target, sources[1:], "look")
    done = merge(own, target, sources, "do", dry_run=False)
    done_again = merge(own, target, sources, "do", dry_run=False)
    gone = merge(own, target, sources, "look")

    assert before.status_code == again.status_code == done.status_code == done_again.status_code == 200
    assert before.content == again.content
    assert before.headers["etag"] == again.headers["etag"]
    check_envelope(other, 422, "Idempotency-Key", "idempotency_key_reused")
    assert done.content == done_again.content
    assert done_again.headers["idempotent-replayed"] == "true"
    check_envelope(gone, 400, "source_customer_ids", "validation_failed")
    assert len(stored(own)) == 2
    assert max(map(len, stored(own))) < 70_000
    assert len(own.get()["data"]) == 1


@pytest.mark.parametrize("own", [1], indirect=True)
def test_a_small_preview_is_stored_like_any_other_answer(own):
    target, (source, *_) = customers_of(own)
    own.client.patch(f"/v1/sales/customers/{source}", json={"note": None})

    first = merge(own, target, [source], "small")
    own.client.patch(f"/v1/sales/customers/{source}", json={"note": "changed"})
    again = merge(own, target, [source], "small")

    assert first.content == again.content
    assert again.headers["idempotent-replayed"] == "true"


@pytest.mark.parametrize("bytes_max", [1, 200_000, 2_000_000])
def test_a_preview_takes_no_more_memory_than_some_answers(large, bytes_max):
    target, sources = customers_of(large)
    with large.database.write(large.account_key) as writer:
        change = change_of(large, target, sources, writer, bytes_max)
        tracemalloc.start()
        shown = merging.merge(change)
        body = msgspec.json.encode(shown)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert peak < 3 * bytes_max + 2_500_000
    # Sources are named, and one of them is shown, whatever the size.
    assert len(body) < bytes_max + 60_000 + 25 * SOURCES
    assert shown.left_out.losses + len(shown.losses) == LOSSES_EACH * SOURCES
    assert len(shown.losses) >= LOSSES_EACH
    ids_max = max(1, bytes_max // 8 // 24)
    assert len(shown.moved_address_ids) == min(ids_max, SOURCES)
    assert shown.left_out.moved_address_ids == SOURCES - len(shown.moved_address_ids)


def test_an_id_takes_up_no_more_than_it_is_counted_for():
    ids = [merging.encode_id(each, (1 << 63) - 1) for each in (addresses.ID_PREFIX, account_groups.ID_PREFIX)]

    assert max(len(msgspec.json.encode(each)) + 1 for each in ids) <= merging.ID_BYTES


def test_a_preview_that_forgets_what_it_leaves_out_is_noticed(large, monkeypatch):
    """The planted fault: a source has no losses as soon as there is no room."""
    lost = merging._lost
    counted = []

    def some(*given):
        counted.append(1)
        return lost(*given) if len(counted) < SOURCES / 2 else []

    monkeypatch.setattr(merging, "_lost", some)
    target, sources = customers_of(large)
    with large.database.write(large.account_key) as writer:
        shown = merging.merge(change_of(large, target, sources, writer, 200_000))

    assert shown.left_out.losses + len(shown.losses) < LOSSES_EACH * SOURCES
