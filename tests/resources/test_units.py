"""Units: the currencies, for every good key, and the same objects inside amounts."""

import pytest

from tests.contract.checkers import assert_exact_walk, key_order_faults
from tests.contract.checks import check_envelope
from tests.fixtures import plain_http
from tests.fixtures.book import filled
from tests.fixtures.samples import Maker
from tradebook.money import currencies_by_number

UNITS = "/v1/catalog/units"
DOLLAR = {
    "id": "un_36vpvam0005pg",
    "object": "unit",
    "name": "US Dollar",
    "abbreviation": "USD",
    "type": "currency",
    "ratio_numerator": "1",
    "ratio_denominator": "1",
    "offset_numerator": "0",
    "offset_denominator": "1",
    "is_base_unit": True,
    "owner": None,
    "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.000Z",
    "code": "USD",
    "symbol": "$",
}


@pytest.fixture(scope="module")
def book(server):
    with filled(server) as made:
        yield made


def test_a_unit_is_shown_to_a_key_that_may_do_anything_else_alone(book):
    _, secret = book.new_key(permissions=("payment_terms:read",))
    headers = {"Authorization": f"Bearer {secret}"}

    one = plain_http.get(f"{book.server.url}{UNITS}/{DOLLAR['id']}", headers=headers)

    assert one.json() == DOLLAR
    assert key_order_faults(one.json()) == []
    assert plain_http.get(f"{book.server.url}{UNITS}", headers=headers).status_code == 200
    check_envelope(plain_http.get(f"{book.server.url}{UNITS}"), 401, None, "invalid_credentials")


def test_the_list_has_every_currency_in_exact_pages(book):
    whole = book.get(UNITS, limit=1000)["data"]

    assert sorted(unit["code"] for unit in whole) == sorted(currencies_by_number().values())
    assert_exact_walk(book.client, f"{UNITS}?type=currency&limit=50", [unit["id"] for unit in whole], 50)
    assert [unit for unit in whole if unit["code"] == "USD"] == [DOLLAR]


def test_units_are_found_by_type_and_by_words(book):
    assert book.get(UNITS, type="currency", limit=1000) == book.get(UNITS, limit=1000) | {"page_info": _WHOLE}
    assert book.get(UNITS, type="mass")["data"] == []
    assert [unit["code"] for unit in book.get(UNITS, q="SWISS fränc")["data"]] == ["CHF"]
    assert "EUR" in [unit["code"] for unit in book.get(UNITS, q="€")["data"]]
    assert [unit["code"] for unit in book.get(UNITS, q="usd")["data"]] == ["USD"]
    check_envelope(book.client.get(UNITS, params={"type": "money"}), 400, "type", "parameter_invalid")


_WHOLE = {"next_page_url": None, "previous_page_url": None, "has_next_page": False, "has_prev_page": False}


def test_what_is_no_unit_is_not_found_and_none_is_changed(book):
    check_envelope(book.client.get(f"{UNITS}/un_0000000000000"), 404, "id", "resource_not_found")
    check_envelope(book.client.get(f"{UNITS}/qty_0000000000000"), 400, "id", "parameter_invalid")
    check_envelope(book.client.post(UNITS, json={"name": "Gram"}), 405, None, "method_not_allowed")
    for method in ("PATCH", "DELETE"):
        answer = book.client.request(method, f"{UNITS}/{DOLLAR['id']}")
        check_envelope(answer, 405, None, "method_not_allowed")


def test_the_same_object_is_inside_amounts(book):
    maker = Maker(book)
    customer = maker.of_prefix("ac", credit_limit={"value": "5.00", "unit_id": DOLLAR["id"]})
    term = maker.of_prefix("shtm", flat_rate={"value": "5.00"})

    shown = book.get(f"/v1/sales/customers/{customer}", include="credit_limit.unit")

    assert shown["credit_limit"]["unit"] == DOLLAR
    assert book.get(f"/v1/operations/shipping-terms/{term}")["flat_rate"]["unit"] == DOLLAR
