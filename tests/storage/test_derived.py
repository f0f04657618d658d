"""What is kept of accounts in memory: no more than a number of bytes in all, those asked for last, by two threads."""

import gc
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
import sqlalchemy as sa

from tests.fixtures.book import Book
from tests.fixtures.lengths import length
from tradebook.crud.cursor import load_cursors
from tradebook.crud.fragments import KEPT_BYTES_MAX, kept
from tradebook.crud.list_requests import RequestParser
from tradebook.crud.listing import list_page
from tradebook.crud.resource import View
from tradebook.resources import accounts, customers
from tradebook.resources.account_groups import account_groups
from tradebook.storage import derived
from tradebook.storage.derived import ACCOUNT_OVERHEAD_BYTES, BYTES_MAX, Derived
from tradebook.storage.schema import ACCOUNT, prepare
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row
from tradebook.web.query_string import page_url

ACCOUNTS, GROUPS, DESCRIPTION = length(20, 100), 95, 10_000
"""Each account fills what is kept of one table; all of them more than is kept of all accounts."""

ROUTE = customers.resource.routes[0]
_groups = account_groups.c
_DESCRIBE = prepare(
    sa.update(account_groups)
    .where(_groups.account_id == ACCOUNT, _groups.name.startswith("Heavy"))
    .values(description="x" * DESCRIPTION)
)


def heavy_account(database) -> int:
    """Add an account with one customer, who is in many groups with long descriptions."""
    key, _ = accounts.find_account(database, accounts.create_account(database, "Heavy", "test"))
    record = {"name": "Heavy", "price_groups": [f"Heavy {n}" for n in range(GROUPS)]}
    import_customers(database, key, iter([Row(1, record)]), report=pytest.fail)
    with database.write(key) as writer:
        assert writer.changed(_DESCRIBE) == GROUPS
    return key


def page(book: Book, account: int, cursors) -> bytes:
    """Read an account's first page with its price groups, as the server does."""
    request = RequestParser(ROUTE).list_request([("include", "price_groups")], account, cursors)
    with book.database.read(account) as reader:
        return list_page(View(reader, request.include, partial(page_url, cursors)), ROUTE, request)


def test_what_is_kept_of_many_accounts_has_a_bound(book):
    cursors = load_cursors(book.database)
    heavy = [heavy_account(book.database) for _ in range(ACCOUNTS)]
    assert ACCOUNTS * GROUPS * DESCRIPTION > 1.1 * BYTES_MAX
    page(book, heavy[0], cursors)
    gc.collect()
    tracemalloc.start()
    for account in heavy[1:]:
        assert len(page(book, account, cursors)) > GROUPS * DESCRIPTION
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert BYTES_MAX / 2 < size < 1.05 * BYTES_MAX
    assert BYTES_MAX - KEPT_BYTES_MAX < book.database.derived.size_bytes <= BYTES_MAX


class Account:
    """One of which much is kept; it asks as a reader does."""

    def __init__(self, of: Derived, account: int, revision: int = 1) -> None:
        self.cache, self.made = of.of(account, revision), 0

    def ask(self, *keys: int, size: int = 1_000, name: str = "table"):
        """Ask for some rows, whose JSON is so long."""
        found = kept(self, name, keys, partial(self._make, size))
        assert all(len(bytes(found[key])) == size for key in keys)
        return self

    def _make(self, size, keys):
        self.made += len(keys)
        return dict.fromkeys(keys, "x" * (size - 2))


def is_kept(of: Derived, account: int) -> bool:
    """Tell whether the values of an account are still there. Asks for the account, as a page would."""
    return "table" in of.of(account, 1)


def test_the_accounts_that_were_not_asked_for_the_longest_are_let_go_of(monkeypatch):
    monkeypatch.setattr(derived, "BYTES_MAX", 4 * (ACCOUNT_OVERHEAD_BYTES + 1_300))
    of = Derived()
    for account in range(3):
        Account(of, account).ask(1)
    assert Account(of, 0).ask(1).made == 0

    for account in (3, 4):
        Account(of, account).ask(1)

    assert [account for account in (4, 3, 2, 0) if is_kept(of, account)] == [4, 3, 2, 0]
    assert not is_kept(of, 1)


def test_what_an_account_has_grown_by_is_no_longer_counted_when_it_has_changed():
    of = Derived()
    before = Account(of, 1).ask(*range(50))
    large = of.size_bytes
    after = Account(of, 1, revision=2)

    assert large > 50_000
    assert of.size_bytes == ACCOUNT_OVERHEAD_BYTES
    # A reader of the snapshot before goes on with what it has, and that counts no more.
    before.ask(*range(100))
    assert of.size_bytes == ACCOUNT_OVERHEAD_BYTES == after.cache.size_bytes


def test_a_table_that_is_begun_anew_is_no_longer_counted():
    of = Derived()
    account = Account(of, 1)
    for key in range(40):
        account.ask(key, size=60_000)

    assert of.size_bytes <= KEPT_BYTES_MAX + ACCOUNT_OVERHEAD_BYTES
    account.ask(*range(100, 140), size=60_000)
    assert of.size_bytes == ACCOUNT_OVERHEAD_BYTES


def test_two_threads_count_what_is_there_and_nothing_twice(monkeypatch):
    monkeypatch.setattr(derived, "BYTES_MAX", 60_000)
    of = Derived()

    def ask(seed: int) -> None:
        for step in range(length(2_000, 50_000)):
            account = (step * 7 + seed) % 9
            Account(of, account, revision=step // 500).ask(step % 13, (step + seed) % 17)

    with ThreadPoolExecutor(2) as threads:
        list(threads.map(ask, range(2)))

    known = of._known.values()
    there = [values["table"].by_key for values in known if "table" in values]
    assert (
        sum(len(by_key) - 1 for by_key in there) * 1_210
        == of.size_bytes - len(known) * ACCOUNT_OVERHEAD_BYTES
    )
    assert 30_000 < of.size_bytes <= 60_000


def many(of: Derived) -> int:
    """Keep much of many accounts, and return what is there, in bytes of JSON."""
    for account in range(30):
        Account(of, account).ask(*range(800))
    return sum(len(values["table"].by_key) * 1_000 for values in of._known.values())


def test_an_account_that_is_not_counted_is_noticed(monkeypatch):
    """The planted fault: what is added to an account is not told."""
    right = many(Derived())
    monkeypatch.setattr(derived.Values, "grow", lambda values, size: None)

    assert BYTES_MAX / 2 < right < BYTES_MAX < many(Derived())
