"""A customer is the same whichever way it comes in: by a file, or by requests. Every answer is compared."""

import csv
import io
import json
import os
import re
from contextlib import closing

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures.book import Book, walk
from tests.fixtures.server import Server
from tradebook.resources import customers, service_levels
from tradebook.resources.carriers import CODES
from tradebook.resources.quantities import unit_of
from tradebook.transfer.columns import COLUMNS
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.imports import deciding, writing
from tradebook.transfer.imports.run import import_customers

IS_SOAK = os.environ.get("TRADEBOOK_TEST_SOAK") == "1"
CUSTOMERS, ADDRESSES, GROUPS = "/v1/sales/customers", "/v1/sales/addresses", "/v1/sales/account-groups"
CARRIERS, USERS = "/v1/operations/carriers", "/v1/identity/account-users"
PAYMENT, SHIPPING = "/v1/finance/payment-terms", "/v1/operations/shipping-terms"
INCLUDES = ",".join(customers.resource.routes[0].includes)

# None begins as a formula does, which CSV would have to escape.
first, last = st.sampled_from("aBzÄßøİ7"), st.sampled_from("aÉ9.)")
line = st.builds("".join, st.tuples(first, st.text("ab İß&;%_'\"(-", max_size=6), last))
phones = st.sampled_from(["+49 (731) 55-01", "0731 5501", "5501.22"]).map(lambda text: text.lstrip("+"))
emails = st.sampled_from(["desk@a.example", "Büro@b.example"])
ADDRESS = {
    "street_line_1": line, "street_line_2": line, "locality": st.sampled_from(["Ulm", "Köln", "Rom"]),
    "state": st.sampled_from(["BW", "NW"]), "postal_code": st.sampled_from(["89073", "50667"]),
    "phone": phones, "email": emails, "type": st.sampled_from(["standard", "drop_ship"]),
}  # fmt: skip
OPTIONAL = {
    "status": st.sampled_from(["normal", "preferred", "hold_shipment", "hold_all"]),
    "edi_status": st.sampled_from(["enabled", "disabled"]),
    "commission_policy": st.sampled_from(["commission_applied", "commission_exempt"]),
    "freight_policy": st.sampled_from(["free_freight", "billed_freight"]),
    "note": st.builds("{}\n{}".format, line, line), "email": emails, "phone": phones,
    "url": st.sampled_from(["https://example.com/a?b=1", "example.com"]),
    "carrier_billing_type": st.sampled_from(["sender", "third_party"]), "carrier_billing_account": line,
    "priority": st.sampled_from(["low", "normal", "high"]), "accepts_invoice_emails": st.booleans(),
    "price_groups": st.lists(st.sampled_from(["Gold", "gold", "Älteste"]), unique=True, max_size=3),
    "sales_rep_email": st.sampled_from(["ann@seller.example", "bob@seller.example"]),
    "credit_limit": st.sampled_from(["0", "21000.00", "0.5"]),
}  # fmt: skip
REP_NAMES = {"ann@seller.example": "Ann Lee"}
LEVELS = [
    ("FedEx", "2Day"), ("FedEx", None), ("Own Van", "Same Day"), ("Own Van", "Ñight 2"), ("OWN van", "ñight 2"), ("Own Van", None),
    ("Ärö Fracht", "Same Day"), ("ltl1", "Day"), ("ups", "Ground"),
]  # fmt: skip


@st.composite
def addresses(draw):
    """What a row says of an address; its name and country, and any of the rest."""
    return {
        "name": draw(line),
        "country": draw(st.sampled_from(["DE", "US"])),
        **draw(st.fixed_dictionaries({}, optional=ADDRESS)),
    }


@st.composite
def files(draw):
    """Rows that both ways can take: each has what a request needs, a parent stands before its children.

    Those without a number stand last: a file gives them the numbers behind all of its own, as requests do then.
    """
    count = draw(st.integers(1, 4))
    numbered = draw(st.integers(0, count))
    pool = draw(st.permutations(["3", "20", "A-1", "007"]))
    rows, heads = [], []
    for place in range(count):
        carrier, level = draw(st.sampled_from(LEVELS))
        row = {
            "name": draw(line),
            "type": draw(st.sampled_from(["Retail", "Trade", "TRADE"])),
            "payment_term": draw(st.sampled_from(["Net 30", "House 10", "HOUSE 10", "net 45"])),
            "shipping_term": draw(st.sampled_from(["Free Freight", "By hand"])),
            "carrier": carrier,
            **draw(st.fixed_dictionaries({}, optional=OPTIONAL)),
            "bill_to": draw(addresses()),
            "ship_to": draw(addresses()),
        }
        if level is not None:
            row["service_level"] = level
        if row.get("sales_rep_email") in REP_NAMES:
            row["sales_rep_name"] = REP_NAMES[row["sales_rep_email"]]
        if "credit_limit" in row and draw(st.booleans()):
            row["credit_limit_currency"] = draw(st.sampled_from(["EUR", "JPY", "USD"]))
        if place < numbered:
            row["number"] = pool[place]
        if heads and draw(st.booleans()):
            row["parent_number"] = draw(st.sampled_from([*heads, *map(str.swapcase, heads)]))
        elif "number" in row:
            heads.append(row["number"])
        rows.append(row)
    return rows


# By file


def written(rows: list[dict], file_format: str) -> bytes:
    """Write the rows as a file."""
    if file_format == "ndjson":
        return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()
    text = io.StringIO()
    out = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    out.writeheader()
    for row in rows:
        flat = {name: value for name, value in row.items() if not isinstance(value, dict)}
        flat |= {
            f"{part}.{name}": value for part in ("bill_to", "ship_to") for name, value in row[part].items()
        }
        out.writerow(flat | {"price_groups": ";".join(row.get("price_groups", ()))})
    return text.getvalue().encode()


def take_file(book: Book, rows: list[dict], file_format: str) -> None:
    """Import the rows through the reader of files."""
    problems = []
    file = io.BytesIO(written(rows, file_format))
    import_customers(
        book.database,
        book.account_key,
        read_file(file, file_format, None),
        report=problems.append,
    )
    assert problems == [], [str(problem) for problem in problems]


# By requests


class Requests:
    """Makes what rows say by requests, and what they name where it is not there yet, in the order of an import."""

    def __init__(self, book: Book) -> None:
        self._client = book.client
        self._ids: dict[tuple[str, str], str] = {}
        self._numbers: dict[str, str] = {}

    def post(self, path: str, body: dict) -> dict:
        answer = self._client.post(path, json=body)
        assert answer.status_code == 201, (path, body, answer.text)
        return answer.json()

    def named(self, path: str, name: str, **more) -> str:
        """Find an object of the system by its name, or make one of the account's own."""
        folded = name.casefold()
        if (path, folded) not in self._ids:
            known = {c.get("code"): c["id"] for c in walk(self._client, path)}
            known |= {c["name"].casefold(): c["id"] for c in walk(self._client, path)}
            self._ids[path, folded] = known.get(folded) or self.post(path, {"name": name, **more})["id"]
        return self._ids[path, folded]

    def rep(self, email: str) -> str:
        """Find a sales rep that was made, or make one."""
        if (USERS, email) not in self._ids:
            made = self.post(USERS, {"email": email, "name": REP_NAMES.get(email)})
            self._ids[USERS, email] = made["id"]
        return self._ids[USERS, email]

    def take(self, row: dict) -> None:
        """Make a customer."""
        row = dict(row)
        body = {
            "customer_type_group_id": self.named(GROUPS, row.pop("type"), type="type_group"),
            "default_payment_term_id": self.named(PAYMENT, row.pop("payment_term")),
            "default_shipping_term_id": self.named(SHIPPING, row.pop("shipping_term")),
        }
        row.pop("sales_rep_name", None)
        if "sales_rep_email" in row:
            body["default_sales_rep_id"] = self.rep(row.pop("sales_rep_email"))
        name = row.pop("carrier")
        carrier = body["default_carrier_id"] = self.named(
            CARRIERS, name, **({"code": name} if name in CODES else {})
        )
        if "service_level" in row:
            levels = f"{CARRIERS}/{carrier}/service-levels"
            body["default_service_level_id"] = self.named(levels, row.pop("service_level"))
        if "price_groups" in row:
            groups = sorted(row.pop("price_groups"))
            body["customer_price_group_ids"] = [
                self.named(GROUPS, name, type="pricing_group") for name in groups
            ]
        if "credit_limit" in row:
            limit, currency = row.pop("credit_limit"), row.pop("credit_limit_currency", None)
            body["credit_limit"] = {"value": limit, **({"unit_id": unit_of(currency).id} if currency else {})}
        if "priority" in row:
            body["default_priority"] = row.pop("priority")
        if "parent_number" in row:
            body["parent_account_id"] = self._numbers[row.pop("parent_number").casefold()]
        body |= {f"{part}_address": row.pop(part) for part in ("bill_to", "ship_to")}
        made = self.post(CUSTOMERS, body | row)
        self._numbers[made["number"].casefold()] = made["id"]


# The comparison


class Masked:
    """Answers in which ids, times and cursors are replaced, each id by its place among those seen so far."""

    def __init__(self, book: Book) -> None:
        self._client = book.client
        self._labels: dict[str, str] = {}

    def ids(self, path: str) -> list[str]:
        """List the ids of a whole list."""
        return [entry["id"] for entry in walk(self._client, path, limit=1000)]

    def __call__(self, path: str, **parameters) -> str:
        answer = self._client.get(path, params=parameters)
        assert answer.status_code == 200, answer.text
        text = re.sub(r"\b([a-z]+)_([0-7][0-9a-hjkmnp-tv-z]{12})\b", self._label, answer.text)
        text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "TIME", text)
        return re.sub(r"cursor=[^\"&]+", "cursor=CURSOR", text)

    def _label(self, match: re.Match) -> str:
        # What shares a key under several prefixes shares its label too.
        return f"{match[1]}_{self._labels.setdefault(match[2], f'#{len(self._labels)}')}"


def answers(book: Book, rows: list[dict]) -> list[tuple[str, str]]:
    """Ask for everything that the rows have made; each answer beside its question."""
    masked = Masked(book)
    asked = [
        (f"{path} {parameters}", masked(path, **parameters))
        for path, parameters in (
            (CUSTOMERS, {"include": INCLUDES, "limit": 1000}), (CUSTOMERS, {}), (CUSTOMERS, {"limit": 2}),
            (ADDRESSES, {"limit": 1000}), (GROUPS, {}), (CARRIERS, {"include": "service_levels"}), (USERS, {}),
            (PAYMENT, {}), (SHIPPING, {}), (CUSTOMERS, {"parent_account_status": "parent"}),
        )
    ]  # fmt: skip
    for number, key in enumerate(masked.ids(CUSTOMERS)):
        asked += [
            (f"customer {number}", masked(f"{CUSTOMERS}/{key}", include=INCLUDES)),
            (f"children {number}", masked(f"{CUSTOMERS}/{key}/child_accounts")),
            (f"addresses of {number}", masked(ADDRESSES, customer_ids=key)),
        ]
    for number, key in enumerate(masked.ids(ADDRESSES)):
        asked += [
            (
                f"whom address {number} serves as {relation}",
                masked(f"{ADDRESSES}/{key}/customers", relations=relation),
            )
            for relation in ("attached", "bill_to,ship_to")
        ]
    for number, key in enumerate(masked.ids(CARRIERS)):
        asked.append((f"levels of {number}", masked(f"{CARRIERS}/{key}/service-levels")))
    for row in rows:
        place = {"city": "locality", "state": "state", "postal_code": "postal_code"}
        there = {name: row["bill_to"][field] for name, field in place.items() if field in row["bill_to"]}
        texts = (row["name"], row["ship_to"]["name"], row.get("phone"), row.get("email"), row.get("number"))
        questions = [{"q": text} for text in texts if text] + [
            there,
            {"status_codes": row.get("status", "normal")},
        ]
        asked += [(str(question), masked(CUSTOMERS, **question)) for question in questions]
        asked.append((f"addresses {row['name']}", masked(ADDRESSES, q=row["bill_to"]["name"])))
    return asked


def check(server: Server, rows: list[dict], file_format: str) -> None:
    """Bring the rows in both ways, and compare every answer."""
    with closing(Book(server)) as by_file, closing(Book(server)) as by_requests:
        take_file(by_file, rows, file_format)
        requests = Requests(by_requests)
        for row in rows:
            # An empty cell of a priority says that there is none; only a file of JSON can be silent about it.
            requests.take(row if file_format == "ndjson" else {"priority": None, **row})

        pairs = zip(answers(by_file, rows), answers(by_requests, rows), strict=True)
        for (question, filed), (same, requested) in pairs:
            assert question == same
            assert json.loads(filed) == json.loads(requested), question


@settings(
    max_examples=60 if IS_SOAK else 5,
    deadline=None,
    derandomize=not IS_SOAK,
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if IS_SOAK else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(rows=files(), file_format=st.sampled_from(["csv", "ndjson"]))
def test_a_file_makes_what_requests_make(server: Server, rows, file_format):
    """Whatever the rows say: the same customers, and the same objects that they name, with the same defaults."""
    check(server, rows, file_format)


ROWS = [
    {
        "number": "1", "name": "Head", "type": "Retail", "payment_term": "House 10", "shipping_term": "By hand",
        "carrier": "Own Van", "service_level": "Same Day", "price_groups": ["Gold"], "credit_limit": "5",
        "bill_to": {"name": "HQ", "country": "DE", "locality": "Ulm"}, "ship_to": {"name": "Dock", "country": "DE"},
    },
    {
        "name": "Child", "type": "Retail", "payment_term": "Net 30", "shipping_term": "Free Freight",
        "carrier": "FedEx", "service_level": "2Day", "parent_number": "1", "accepts_invoice_emails": True,
        "sales_rep_email": "ann@seller.example", "sales_rep_name": "Ann Lee",
        "bill_to": {"name": "B", "country": "US"}, "ship_to": {"name": "C", "country": "US", "state": "NW"},
    },
]  # fmt: skip


def in_euro(name, value, _currency):
    """Forget which currency is the default."""
    return {name: value, f"{name}_currency": value and "EUR"}


def without_places(writer, rows, *, places, **given):
    """Forget where the addresses are."""
    nowhere = {key: {**place, "locality": None} for key, place in places.items()}
    customers.add_customers(writer, rows, places=nowhere, **given)


@pytest.mark.parametrize(
    ("place", "name", "fault"),
    [
        (service_levels, "token_of", lambda name: f"own_van_{name}"),
        (deciding, "kept", in_euro),
        (writing, "add_customers", without_places),
        (writing, "review_parents", lambda writer, keys: []),
    ],
    ids=["token", "currency", "places", "flags"],
)
def test_a_rule_that_files_have_otherwise_is_noticed(server: Server, monkeypatch, place, name, fault):
    """The import runs in the test's own process, with the fault; the server answers requests without it."""
    check(server, ROWS, "ndjson")
    monkeypatch.setattr(place, name, fault)

    with pytest.raises(AssertionError):
        check(server, ROWS, "ndjson")
