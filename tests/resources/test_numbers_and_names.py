"""Numbers and names: how long they may be, and which are the same, by request and by import."""

import pytest

from tests.contract.checkers import assert_error
from tests.fixtures.samples import Maker
from tradebook.resources import customers

CUSTOMERS, LEVELS = "/v1/sales/customers", "/v1/operations/carriers/{}/service-levels"
UNIQUE = {
    "/v1/sales/account-groups": {"type": "type_group"},
    "/v1/operations/carriers": {},
    "/v1/finance/payment-terms": {},
    "/v1/operations/shipping-terms": {"type": "carrier_rate_freight"},
    LEVELS: {},
}
"""Paths whose objects have a name that is unique, and what else a body needs."""
SAME = [("Straße", "STRASSE"), ("Café", "CAFE\u0301"), ("ÀB", "àb"), ("Ωmega", "ωMEGA"), ("ﬁne", "FINE")]
OTHER = [("é", "e"), ("Cafés", "Cafes"), ("ı", "i"), ("A1", "A２"), ("x", "x.")]
DECOMPOSED = "e\u0301"


@pytest.fixture
def maker(book):
    return Maker(book)


@pytest.mark.parametrize("path", UNIQUE)
def test_names_that_differ_in_case_alone_are_the_same(maker, path):
    path, more = path.format(maker.of_prefix("cr")), UNIQUE[path]
    for first, second in SAME:
        made = maker.client.post(path, json={"name": first, **more})
        again = maker.client.post(path, json={"name": second, **more})
        other = maker.client.post(path, json={"name": f"{first} 2", **more})
        changed = maker.client.patch(f"{path}/{other.json()['id']}", json={"name": second})
        own = maker.client.patch(f"{path}/{made.json()['id']}", json={"name": second})

        assert (made.status_code, other.status_code, own.status_code) == (201, 201, 200)
        assert own.json()["name"] == second
        for refused in (again, changed):
            assert_error(refused, 409, "resource_exists", "name")
    for first, second in OTHER:
        answers = [maker.client.post(path, json={"name": name, **more}) for name in (first, second)]
        assert [answer.status_code for answer in answers] == [201, 201], (first, second)


def test_numbers_that_differ_in_case_alone_are_the_same(maker):
    for first, second in SAME:
        made = maker.of_prefix("ac", number=first)
        body = maker.required(customers.resource)
        again = maker.client.post(CUSTOMERS, json={**body, "number": second})
        other = maker.client.patch(f"{CUSTOMERS}/{maker.of_prefix('ac')}", json={"number": second})
        own = maker.client.patch(f"{CUSTOMERS}/{made}", json={"number": second})

        for refused in (again, other):
            assert_error(refused, 409, "resource_exists", "number")
        assert (own.status_code, own.json()["number"]) == (200, second)
    for first, second in OTHER:
        maker.of_prefix("ac", number=first)
        maker.of_prefix("ac", number=second)


def test_a_level_may_be_called_as_one_of_another_carrier_and_a_carrier_as_a_deleted_one(maker):
    for _ in range(2):
        path = LEVELS.format(maker.of_prefix("cr"))
        assert maker.client.post(path, json={"name": "Same Day"}).status_code == 201
    carrier = maker.of_prefix("cr", name="Our Van")
    maker.client.delete(f"/v1/operations/carriers/{carrier}")

    assert maker.of_prefix("cr", name="OUR VAN")


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("x" * 255, True),
        ("x" * 256, False),
        ("é" * 255, True),
        (DECOMPOSED * 255, True),
        (DECOMPOSED * 256, False),
    ],
    ids=["255", "256", "255 composed", "255 decomposed", "256 decomposed"],
)
def test_255_characters_by_request_and_by_import(maker, text, is_good):
    """Characters as they are composed; what is kept is what was sent."""
    customer = maker.of_prefix("ac")
    sent = {
        f"{CUSTOMERS}/{customer}": ("name", "number", "phone"),
        f"/v1/sales/account-groups/{maker.of_prefix('acgr')}": ("name",),
        f"/v1/sales/addresses/{maker.of_prefix('ad')}": ("name", "locality", "state", "postal_code"),
        f"/v1/identity/account-users/{maker.of_prefix('acus')}": ("name", "username"),
    }
    for path, fields in sent.items():
        for field in fields:
            params = {"include": "contact_info"} if CUSTOMERS in path else None
            answer = maker.client.patch(path, json={field: text}, params=params)
            if is_good:
                assert answer.status_code == 200, answer.text
                assert text in str(answer.json())
            else:
                assert_error(answer, 400, "invalid_format", field)
                assert "256 characters, more than 255" in answer.text
    columns = ("number", "name", "type", "carrier", "payment_term", "bill_to.locality", "sales_rep_name")
    row = {"bill_to.country": "DE", **dict.fromkeys(columns, text)}
    if is_good:
        maker.client.delete(f"{CUSTOMERS}/{customer}")
        maker.book.add(row)
        assert maker.book.get(city=text)["data"][0]["name"] == text
    else:
        with pytest.raises(AssertionError, match="256 characters, more than 255"):
            maker.book.add(row)


def test_an_import_finds_what_there_is_whatever_its_case(ledger):
    first = {
        "number": "Straße-1", "name": "A", "type": "Trade", "price_groups": ["Gold", "GOLD"], "carrier": "Our Van",
        "service_level": "Same Day", "payment_term": "House 10", "shipping_term": "By Hand",
    }  # fmt: skip
    again = {
        "number": "STRASSE-1", "name": "A", "type": "TRADE", "price_groups": ["gold"], "carrier": "our van",
        "service_level": "same day", "payment_term": "HOUSE 10", "shipping_term": "by hand",
    }  # fmt: skip
    made = ledger.take(first)
    child = {"number": "2", "name": "B", "parent_number": "straße-1"}

    summaries = [ledger.take(again), ledger.take(child), ledger.take({**child, "parent_number": "STRASSE-1"})]

    assert {kind: len(names) for kind, names in made.made.items()} == {
        "type_groups": 1, "pricing_groups": 1, "carriers": 1, "service_levels": 1, "payment_terms": 1, "shipping_terms": 1,
    }  # fmt: skip
    assert [(s.created, s.updated, s.unchanged, s.made) for s in summaries] == [
        (0, 0, 1, {}),
        (1, 0, 0, {}),
        (0, 0, 1, {}),
    ]
    assert ledger.customer("Straße-1")["price_groups"] == ["GOLD"]
    assert ledger.customer("2")["parent_number"] == "Straße-1"


def test_a_file_may_not_have_one_number_in_two_spellings(ledger):
    rows = [{"number": number, "name": "A"} for number in ("A-1", "B", "a-1")]

    summary, problems = ledger.try_to_take(*rows)

    assert not summary.is_kept
    assert problems == ["line 3, number: 'a-1' is the number of line 1 already"]


def test_a_parent_is_found_in_the_file_whatever_its_case(ledger):
    ledger.take({"number": "1", "name": "Child", "parent_number": "HEAD"}, {"number": "Head", "name": "Head"})

    assert ledger.customer("1")["parent_number"] == "Head"
