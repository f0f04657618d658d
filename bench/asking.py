"""What is asked over HTTP: pages that repeat nowhere, drawn from a book, for any system to spell."""

import random
from collections.abc import Iterator, Mapping, Sequence
from itertools import count, cycle, islice
from urllib.parse import urlencode

import msgspec

from bench.reading import PUBLISHED, Pages
from tradebook.ids import encode_id
from tradebook.resources.account_statuses import CODES as STATUSES

PATH = "/v1/sales/customers"
COMMON_WORD = "gmbh"


class Ask(msgspec.Struct, frozen=True):
    """One page of 100, newest first: those before a key, and what narrows them. Or a customer to make."""

    before: int | None = None
    status: str | None = None
    state: str | None = None
    q: str | None = None
    is_whole: bool = False
    """With everything that belongs to a customer."""
    made: int | None = None
    """The number of a customer that is to be made, in place of a page."""


class Asked:
    """Draws questions from a book, each time the same ones, and spells them as Tradebook reads them."""

    def __init__(self, pages: Pages, includes: Sequence[str] = PUBLISHED) -> None:
        self._pages, self._chance, self._includes = pages, random.Random(11), ",".join(includes)
        columns = "type_id, carrier_id, payment_term_id, shipping_term_id"
        newest = f"SELECT {columns} FROM customers WHERE account_id = ? ORDER BY id DESC LIMIT 1"
        self.like = pages.raw.execute(newest, (pages.book.account_key,)).fetchone()

    def kinds(self, most: int) -> Mapping[str, list[Ask]]:
        """Return the questions by the name of the work, at most `most` of each, no two alike."""
        keys = self._pages.column("SELECT id FROM customers WHERE account_id = ? ORDER BY id DESC")
        numbers = self._pages.column("SELECT number FROM customers WHERE account_id = ?")
        emails = self._pages.column("SELECT email FROM customers WHERE account_id = ? AND email IS NOT NULL")
        chance = self._chance
        oldest = keys[-max(len(keys) // 10, 100) :]
        return {
            "repeated page": [Ask()],
            "random page": [Ask(key) for key in self._some(keys, most)],
            "random page, all includes": [Ask(key, is_whole=True) for key in self._some(keys, most)],
            "page in the oldest tenth": [Ask(key) for key in self._some(oldest, most)],
            "status + state": list(islice(self._narrowed(), most)),
            f"a common word ({COMMON_WORD})": list(islice(self._with_word(COMMON_WORD), most)),
            "a customer number": [Ask(q=number) for number in self._some(numbers, most)],
            "a word of one match": [Ask(q=email) for email in self._some(sorted(set(emails)), most)],
            "create": [Ask(made=made) for made in chance.sample(range(10**8, 10**9), most)],
        }

    def _some(self, values: list, count: int) -> list:
        return self._chance.sample(values, min(count, len(values)))

    def _narrowed(self) -> Iterator[Ask]:
        """Ask for each pair as often as the others, as long as it has customers that no page begins at.

        A page begins behind a customer that matches: behind the last one of the page before.
        """
        rows = self._pages.raw.execute(
            "SELECT DISTINCT status, state, id FROM customers JOIN customer_addresses AS linked"
            " ON linked.account_id = customers.account_id AND customer_id = id"
            " WHERE customers.account_id = ? AND state IS NOT NULL ORDER BY 1, 2, 3",
            (self._pages.book.account_key,),
        ).fetchall()
        matching: dict[tuple[int, str], list[int]] = {}
        for status, state, key in self._some(rows, len(rows)):
            matching.setdefault((status, state), []).append(key)
        for at in count():
            pairs = [pair for pair, keys in matching.items() if at < len(keys)]
            if not pairs:
                return
            for status, state in self._some(pairs, len(pairs)):
                yield Ask(matching[status, state][at], STATUSES[status], state)

    def _with_word(self, word: str) -> Iterator[Ask]:
        """Ask for pages that begin behind customers with a word; for none again before all others."""
        sql = "SELECT customer_id FROM customer_search WHERE account_id = ? AND folded LIKE ? ORDER BY 1"
        keys = self._pages.column(sql, f"%{word}%")
        return (Ask(key, q=word) for key in cycle(self._some(keys, len(keys))))

    def path(self, ask: Ask) -> str:
        """Spell a question as a path of Tradebook's."""
        query = []
        if ask.status:
            query.append(("status_codes[]", ask.status))
        if ask.state:
            query.append(("state", ask.state))
        if ask.q:
            query.append(("q", ask.q))
        if ask.is_whole:
            query.append(("include", self._includes))
        spelled = urlencode(query)
        if ask.before is not None:
            spelled = self._pages.before(ask.before, spelled)
        return f"{PATH}?{spelled}" if spelled else PATH

    def body(self, ask: Ask) -> bytes | None:
        """Write what makes a customer like the newest one."""
        if ask.made is None:
            return None
        group, carrier, payment, shipping = self.like
        address = {"name": f"Bench {ask.made}", "country": "DE", "locality": "Ulm", "state": "BW"}
        # Of two equal ones Tradebook would make one.
        other = {**address, "name": f"Dock {ask.made}"}
        return msgspec.json.encode(
            {
                "name": f"Bench {ask.made}",
                "number": str(ask.made),
                "customer_type_group_id": encode_id("acgr", group),
                "default_carrier_id": encode_id("cr", carrier),
                "default_payment_term_id": encode_id("pytm", payment),
                "default_shipping_term_id": encode_id("shtm", shipping),
                "bill_to_address": address,
                "ship_to_address": other,
            }
        )
