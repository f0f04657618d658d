"""All writes, in any order, against a plain model of the book: what may be done is done, and what lists then show."""

from contextlib import closing, nullcontext

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.fixtures.book import Book
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.samples import Maker
from tradebook.checking import faults_of_account

NAMES = st.sampled_from(["Ada", "Bea", "Cyd", "Dov", "Eli"])
CITIES = st.sampled_from(["Ulm", "Köln", "Rom"])
PICK = st.integers(0, 1_000)
CUSTOMERS = "/v1/sales/customers"
INCLUDE = (
    "type,price_groups,parent_account,child_accounts,bill_to_address.geolocation,ship_to_address.geolocation"
)


class Customer:
    """What the model knows of a customer."""

    def __init__(self, name, number, kind, groups, parent, bill, ship):
        self.name, self.number, self.kind = name, number, kind
        self.groups, self.parent = set(groups), parent
        self.bill, self.ship = bill, ship

    @property
    def addresses(self):
        return {self.bill, self.ship}


class Writes(RuleBasedStateMachine):
    """Sends requests and predicts each answer; `server` is set by the test."""

    server = None

    def __init__(self):
        super().__init__()
        self.book = Book(self.server)
        self.maker = Maker(self.book)
        self.customers: dict[str, Customer] = {}
        self.merged: dict[str, str] = {}
        self.groups: dict[str, tuple[str, str]] = {}
        self.places: dict[str, str] = {}
        self.attached: set[tuple[str, str]] = set()
        self.last_number = 0
        self.sent = 0

    @initialize()
    def begin(self):
        self.carrier, self.payment, self.shipping = (self.maker.of_prefix(p) for p in ("cr", "pytm", "shtm"))
        self.kind = self._group("Kind", "type_group")

    def teardown(self):
        faults = list(faults_of_account(self.book.database, self.book.account_key))
        self.book.close()
        assert faults == [], "whatever is written, a check finds nothing wrong"

    # Sending

    def send(self, method, path, body, expected, param=None):
        """Send a request twice under one key, and require the predicted answer both times."""
        self.sent += 1
        headers = {"Idempotency-Key": f"step {self.sent}"} if method in ("POST", "PATCH") else {}
        answer = self.book.client.request(method, path, json=body, headers=headers)
        assert answer.status_code == expected, (method, path, body, expected, answer.text)
        if param is not None:
            assert answer.json()["error"]["param"] == param, answer.text
        if headers and self.sent % 3 == 0:
            again = self.book.client.request(method, path, json=body, headers=headers)
            assert again.content == answer.content
            assert again.headers["idempotent-replayed"] == "true"
        return answer.json() if answer.content else None

    def _group(self, name, kind):
        taken = any(known == name for known, _ in self.groups.values())
        made = self.send(
            "POST", "/v1/sales/account-groups", {"name": name, "type": kind}, 409 if taken else 201,
            "name" if taken else None,
        )  # fmt: skip
        if not taken:
            self.groups[made["id"]] = (name, kind)
        return made.get("id")

    def one(self, of, pick):
        known = sorted(of)
        return known[pick % len(known)] if known else None

    # Groups

    @rule(name=NAMES, kind=st.sampled_from(["type_group", "pricing_group"]))
    def create_group(self, name, kind):
        self._group(name, kind)

    @precondition(lambda self: len(self.groups) > 1)
    @rule(pick=PICK)
    def delete_group(self, pick):
        group = self.one(self.groups, pick)
        users = [c for c in self.customers.values() if group == c.kind or group in c.groups]
        answer = self.send("DELETE", f"/v1/sales/account-groups/{group}", None, 409 if users else 200)
        if users:
            assert str(len(users)) in answer["error"]["message"]
        elif group != self.kind:
            del self.groups[group]
        else:
            del self.groups[group]
            self.kind = self._group("Kind", "type_group")

    # Customers

    def body(self, name, city):
        address = {"name": name, "country": "DE", "locality": city}
        return {
            "name": name,
            "customer_type_group_id": self.kind,
            "default_carrier_id": self.carrier,
            "default_payment_term_id": self.payment,
            "default_shipping_term_id": self.shipping,
            "bill_to_address": address,
            "ship_to_address": address,
        }

    def has_children(self, customer):
        return any(c.parent == customer for c in self.customers.values())

    @rule(name=NAMES, city=CITIES, pick=PICK, with_parent=st.booleans(), number=st.none() | st.integers(1, 9))
    def create_customer(self, name, city, pick, with_parent, number):
        body = self.body(name, city)
        parent = self.one(self.customers, pick) if with_parent else None
        if parent:
            body["parent_account_id"] = parent
        if number is not None:
            body["number"] = str(number)
        expected, param = 201, None
        if parent and self.customers[parent].parent:
            expected, param = 409, "parent_account_id"
        elif number is not None and any(c.number == str(number) for c in self.customers.values()):
            expected, param = 409, "number"
        made = self.send("POST", f"{CUSTOMERS}?include={INCLUDE}", body, expected, param)
        if expected != 201:
            return
        if number is None:
            taken = {c.number for c in self.customers.values()}
            self.last_number += 1
            while str(self.last_number) in taken:
                self.last_number += 1
            number = self.last_number
        else:
            self.last_number = max(self.last_number, number)
        assert made["number"] == str(number)
        bill, ship = made["bill_to_address"]["id"], made["ship_to_address"]["id"]
        self.places |= {bill: city, ship: city}
        self.customers[made["id"]] = Customer(name, str(number), self.kind, (), parent, bill, ship)

    @precondition(lambda self: self.customers)
    @rule(pick=PICK, name=NAMES)
    def rename(self, pick, name):
        customer = self.one(self.customers, pick)
        self.send("PATCH", f"{CUSTOMERS}/{customer}", {"name": name}, 200)
        self.customers[customer].name = name

    @precondition(lambda self: self.customers)
    @rule(pick=PICK, other=PICK, clear=st.booleans())
    def set_parent(self, pick, other, clear):
        customer = self.one(self.customers, pick)
        parent = None if clear else self.one(self.customers, other)
        wrong = parent and (
            parent == customer or self.customers[parent].parent is not None or self.has_children(customer)
        )
        self.send(
            "PATCH", f"{CUSTOMERS}/{customer}", {"parent_account_id": parent}, 409 if wrong else 200,
            "parent_account_id" if wrong else None,
        )  # fmt: skip
        if not wrong:
            self.customers[customer].parent = parent

    @precondition(lambda self: self.customers)
    @rule(pick=PICK, picks=st.lists(PICK, max_size=3))
    def set_price_groups(self, pick, picks):
        customer = self.one(self.customers, pick)
        wanted = {self.one(self.groups, each) for each in picks}
        wrong = any(self.groups[group][1] != "pricing_group" for group in wanted)
        self.send(
            "PATCH", f"{CUSTOMERS}/{customer}", {"customer_price_group_ids": sorted(wanted)}, 400 if wrong else 200,
            "customer_price_group_ids" if wrong else None,
        )  # fmt: skip
        if not wrong:
            self.customers[customer].groups = wanted

    @precondition(lambda self: self.customers)
    @rule(pick=PICK)
    def delete_customer(self, pick):
        customer = self.one(self.customers, pick)
        has_children = self.has_children(customer)
        self.send("DELETE", f"{CUSTOMERS}/{customer}", None, 409 if has_children else 200)
        if not has_children:
            del self.customers[customer]
            self.attached = {link for link in self.attached if link[0] != customer}
            for gone in [g for g, survivor in self.merged.items() if survivor == customer]:
                del self.merged[gone]

    @precondition(lambda self: len(self.customers) > 1)
    @rule(pick=PICK, others=st.lists(PICK, min_size=1, max_size=2), dry_run=st.booleans())
    def merge(self, pick, others, dry_run):
        target = self.one(self.customers, pick)
        sources = {self.one(self.customers, other) for other in others}
        orphans = {
            key for key, c in self.customers.items() if c.parent in sources and key not in sources | {target}
        }
        keeps_parent = self.customers[target].parent not in sources
        expected, param = 200, None
        if target in sources:
            expected, param = 400, "source_customer_ids"
        elif orphans and self.customers[target].parent is not None and keeps_parent:
            expected, param = 409, "source_customer_ids"
        body = {"source_customer_ids": sorted(sources), "dry_run": dry_run}
        answer = self.send("POST", f"{CUSTOMERS}/{target}/actions/merge", body, expected, param)
        if expected != 200:
            return
        moved = set().union(*(self.found_under(source) for source in sources)) - self.found_under(target)
        groups = set().union(*(self.customers[source].groups for source in sources))
        if dry_run:
            assert set(answer["moved_address_ids"]) == moved
            assert set(answer["moved_price_group_ids"]) == groups - self.customers[target].groups
            assert set(answer["moved_child_account_ids"]) == orphans
            return
        self.attached = {link for link in self.attached if link[0] not in sources}
        self.attached |= {(target, address) for address in moved}
        self.customers[target].groups |= groups
        for orphan in orphans:
            self.customers[orphan].parent = target
        if not keeps_parent:
            self.customers[target].parent = None
        for source in sources:
            del self.customers[source]
            self.merged[source] = target
        for gone, survivor in self.merged.items():
            if survivor in sources:
                self.merged[gone] = target

    # Addresses

    def found_under(self, customer):
        return self.customers[customer].addresses | {a for c, a in self.attached if c == customer}

    @rule(city=CITIES, picks=st.lists(PICK, max_size=2))
    def create_address(self, city, picks):
        served = {self.one(self.customers, pick) for pick in picks} - {None}
        body = {"name": "Depot", "country": "DE", "locality": city, "customer_ids": sorted(served)}
        made = self.send("POST", "/v1/sales/addresses", body, 201)
        self.places[made["id"]] = city
        self.attached |= {(customer, made["id"]) for customer in served}

    @precondition(lambda self: self.places)
    @rule(pick=PICK, city=CITIES, picks=st.none() | st.lists(PICK, max_size=2))
    def change_address(self, pick, city, picks):
        address = self.one(self.places, pick)
        body = {"locality": city}
        if picks is not None:
            served = {self.one(self.customers, each) for each in picks} - {None}
            body["customer_ids"] = sorted(served)
            self.attached = {link for link in self.attached if link[1] != address}
            self.attached |= {(customer, address) for customer in served}
        self.send("PATCH", f"/v1/sales/addresses/{address}", body, 200)
        self.places[address] = city

    @precondition(lambda self: self.places and self.customers)
    @rule(pick=PICK, other=PICK, field=st.sampled_from(["bill", "ship"]))
    def move_customer(self, pick, other, field):
        customer, address = self.one(self.customers, pick), self.one(self.places, other)
        self.send("PATCH", f"{CUSTOMERS}/{customer}", {f"{field}_to_address_id": address}, 200)
        setattr(self.customers[customer], field, address)

    @precondition(lambda self: self.places)
    @rule(pick=PICK)
    def delete_address(self, pick):
        address = self.one(self.places, pick)
        users = [customer for customer in self.customers if address in self.found_under(customer)]
        answer = self.send("DELETE", f"/v1/sales/addresses/{address}", None, 409 if users else 200)
        if users:
            assert str(len(users)) in answer["error"]["message"]
        else:
            del self.places[address]

    # What must hold always

    @invariant()
    def lists_show_what_the_model_knows(self):
        page = self.book.get(CUSTOMERS, include=INCLUDE, limit=1000)
        assert [c["id"] for c in page["data"]] == sorted(self.customers, reverse=True)
        for shown in page["data"]:
            known = self.customers[shown["id"]]
            assert (shown["name"], shown["number"], shown["type"]["id"]) == (
                known.name,
                known.number,
                known.kind,
            )
            assert {group["id"] for group in shown["price_groups"]["data"]} == known.groups
            assert (shown["parent_account"] or {}).get("id") == known.parent
            children = {key for key, c in self.customers.items() if c.parent == shown["id"]}
            assert {c["id"] for c in (shown["child_accounts"] or {"data": ()})["data"]} == children
            relationship = "parent" if children else "child" if known.parent else "standalone"
            assert shown["relationship_type"] == relationship
            for part, address in (("bill", known.bill), ("ship", known.ship)):
                place = shown[f"{part}_to_address"]
                assert (place["id"], place["geolocation"]["locality"]) == (address, self.places[address])

    @invariant()
    def filters_and_search_find_what_the_model_knows(self):
        for city in ("Ulm", "Köln"):
            expected = {
                key for key in self.customers if any(self.places[a] == city for a in self.found_under(key))
            }
            assert {c["id"] for c in self.book.get(CUSTOMERS, city=city)["data"]} == expected
        parents = {c.parent for c in self.customers.values()} - {None}
        found = self.book.get(CUSTOMERS, parent_account_status="parent")["data"]
        assert {c["id"] for c in found} == parents
        named = {key for key, c in self.customers.items() if c.name == "Ada"}
        in_ada = {c["id"] for c in self.book.get(CUSTOMERS, q="ada")["data"]}
        assert named <= in_ada
        depots = {a["id"] for a in self.book.get("/v1/sales/addresses", q="depot ulm", limit=1000)["data"]}
        assert depots <= {address for address, city in self.places.items() if city == "Ulm"}

    @invariant()
    def every_address_is_listed_with_its_customer(self):
        listed = {a["id"] for a in self.book.get("/v1/sales/addresses", limit=1000)["data"]}
        assert listed == set(self.places)
        for customer in sorted(self.customers)[:2]:
            found = self.book.get("/v1/sales/addresses", customer_ids=customer, limit=1000)["data"]
            assert {a["id"] for a in found} == self.found_under(customer)

    @invariant()
    def who_was_merged_points_to_the_survivor(self):
        for gone, survivor in list(self.merged.items())[-2:]:
            answer = self.book.client.get(f"{CUSTOMERS}/{gone}")
            assert (answer.status_code, answer.headers["location"]) == (404, f"{CUSTOMERS}/{survivor}")


SETTINGS = settings(
    max_examples=length(6, 60),
    stateful_step_count=length(22, 30),
    deadline=None,
    derandomize=not IS_SOAK,
    database=None,
    phases=[Phase.generate, Phase.shrink],
    suppress_health_check=list(HealthCheck),
)


def test_any_writes_in_any_order_leave_what_the_model_says(server):
    run_state_machine_as_test(type("WritesHere", (Writes,), {"server": server}), settings=SETTINGS)


def raise_a_parent(machine):
    """A customer with a child is to become a child itself, which is refused."""
    for name in ("Ada", "Bea", "Cyd"):
        machine.create_customer(name, "Ulm", 0, with_parent=False, number=None)
    machine.set_parent(pick=1, other=0, clear=False)
    machine.set_parent(pick=0, other=2, clear=False)


def attach_an_address(machine):
    """A customer has an address that it is neither billed nor shipped to."""
    machine.create_customer("Ada", "Ulm", 0, with_parent=False, number=None)
    machine.create_address("Köln", picks=[0])
    machine.filters_and_search_find_what_the_model_knows()
    machine.every_address_is_listed_with_its_customer()


FAULTS = {
    "the hierarchy is not looked at": (raise_a_parent, "has_children", lambda self, customer: False),
    "attached addresses are forgotten": (
        attach_an_address,
        "found_under",
        lambda self, customer: self.customers[customer].addresses,
    ),
}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize("fault", FAULTS)
def test_a_model_that_is_wrong_is_noticed(server, fault):
    """Steps that the model predicts are not predicted any more when it is wrong."""
    steps, name, wrong = FAULTS[fault]
    for changes, expected in (({}, nullcontext()), ({name: wrong}, pytest.raises(AssertionError))):
        machine = type("SomeWrites", (Writes,), {"server": server, **changes})()
        with closing(machine.book), expected:
            machine.begin()
            steps(machine)
