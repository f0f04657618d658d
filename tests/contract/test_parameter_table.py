"""Section 1: every query parameter, in every spelling."""

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.book import filled
from tests.fixtures.server import Server

LIST = "/v1/sales/customers"
RECORDS = (
    {"number": "1", "name": "One", "status": "normal", "commission_policy": "commission_applied",
     "freight_policy": "free_freight", "type": "Retail", "price_groups": ["Gold"], "carrier": "fedex",
     "service_level": "2Day", "payment_term": "Net 30", "shipping_term": "Free Freight",
     "sales_rep_email": "a@x.example", "bill_to.country": "US", "bill_to.locality": "Reno", "bill_to.state": "NV",
     "bill_to.postal_code": "89501", "ship_to.country": "US", "ship_to.locality": "Las Vegas",
     "ship_to.state": "NV", "ship_to.postal_code": "89101", "created_at": "2024-05-01T10:00:00.000Z"},
    {"number": "2", "name": "Two", "status": "preferred", "type": "Trade", "price_groups": ["Gold", "Silver"],
     "carrier": "ups", "service_level": "Ground", "payment_term": "Net 60", "shipping_term": "Flat Rate Freight",
     "sales_rep_email": "b@x.example", "bill_to.country": "US", "bill_to.locality": "Reno",
     "bill_to.state": "CA", "bill_to.postal_code": "90001", "created_at": "2024-05-01T10:00:00.001Z"},
    {"number": "3", "name": "Three", "status": "hold_shipment", "parent_number": "1", "type": "Retail",
     "created_at": "2024-05-01T10:00:00.002Z"},
    {"number": "4", "name": "Four", "status": "hold_all", "created_at": "2024-05-02T00:00:00.000Z"},
)  # fmt: skip
INCLUDE = "type,price_groups,defaults.sales_rep,defaults.payment_term,defaults.shipping_term,freight_preferences.carrier,freight_preferences.service_level"


@pytest.fixture(scope="module")
def book(server: Server):
    """Four customers that differ in everything a filter looks at."""
    with filled(server, *RECORDS) as made:
        yield made


@pytest.fixture(scope="module")
def first(book):
    """Customer 1 with what it refers to, for the ids."""
    return next(c for c in book.get(include=INCLUDE)["data"] if c["number"] == "1")


def test_newest_first(book):
    assert book.numbers() == ["4", "3", "2", "1"]


@pytest.mark.parametrize(
    ("parameter", "path", "wanted"),
    [
        ("customer_group_ids[]", ("type",), ["3", "1"]),
        ("sales_rep_ids[]", ("defaults", "sales_rep"), ["1"]),
        ("payment_term_ids[]", ("defaults", "payment_term"), ["1"]),
        ("shipping_term_ids[]", ("defaults", "shipping_term"), ["1"]),
        ("carrier_ids[]", ("freight_preferences", "carrier"), ["1"]),
        ("service_level_ids[]", ("freight_preferences", "service_level"), ["1"]),
    ],
)
def test_id_filters(book, first, parameter, path, wanted):
    shown = first
    for key in path:
        shown = shown[key]

    assert book.numbers(**{parameter: shown["id"]}) == wanted


def test_pricing_groups_match_any_of_the_customers_groups(book, first):
    gold = first["price_groups"]["data"][0]["id"]

    assert book.numbers(**{"pricing_group_ids[]": gold}) == ["2", "1"]


@pytest.mark.parametrize(
    ("parameters", "wanted"),
    [
        ({"status_codes[]": "normal"}, ["1"]),
        ({"status_codes[]": ["normal", "hold_all"]}, ["4", "1"]),
        ({"commission_status_codes[]": "commission_applied"}, ["1"]),
        ({"freight_status_codes[]": "free_freight"}, ["1"]),
        ({"freight_status_codes[]": "billed_freight"}, ["4", "3", "2"]),
        ({"parent_account_status": "parent"}, ["1"]),
        ({"parent_account_status": "non_parent"}, ["4", "3", "2"]),
        ({"city": "Reno"}, ["2", "1"]),
        ({"city": "reno"}, []),
        ({"state": "NV"}, ["1"]),
        ({"postal_code": "89101"}, ["1"]),
        ({"city": "Reno", "state": "NV"}, ["1"]),
        ({"city": "Reno", "postal_code": "89101"}, []),
        ({"city": "Las Vegas", "state": "NV", "postal_code": "89101"}, ["1"]),
        ({"start_date": "2024-05-01T10:00:00.001Z"}, ["4", "3", "2"]),
        ({"end_date": "2024-05-01T10:00:00.001Z"}, ["2", "1"]),
        ({"start_date": "2024-05-01T10:00:00.0011Z"}, ["4", "3"]),
        ({"end_date": "2024-05-01T10:00:00.0009Z"}, ["1"]),
        ({"start_date": "2024-05-01T12:00:00.001+02:00", "end_date": "2024-05-01T08:00:00.001-02:00"}, ["2"]),
        ({"start_date": "2024-05-03T00:00:00Z", "end_date": "2024-05-01T00:00:00Z"}, []),
        ({"q": "t", "status_codes[]": "preferred"}, ["2"]),
        ({"q": "reno", "city": "Reno", "state": "CA"}, ["2"]),
        ({"limit": "1"}, ["4", "3", "2", "1"]),
        ({"limit": "1000"}, ["4", "3", "2", "1"]),
        ({"carrier_ids[]": "cr_7zzzzzzzzzzzz"}, []),
        ({"q": ""}, ["4", "3", "2", "1"]),
    ],
    ids=str,
)
def test_filters(book, parameters, wanted):
    assert book.numbers(**parameters) == wanted


@pytest.mark.parametrize(
    "spelled", ["2024-05-01T12:00:00+02:00", "2024-05-01T12:00:00%2B02:00", "2024-05-01T10:00:00Z"]
)
def test_a_plus_in_an_offset_may_arrive_as_a_space(book, spelled):
    page = book.client.get(f"{LIST}?end_date={spelled}").json()

    assert [customer["number"] for customer in page["data"]] == ["1"]


@pytest.mark.parametrize(
    ("query", "param", "told"),
    [
        ("limit=0", "limit", "1 to 1000"),
        ("limit=5&limit=5", "limit", "more than once"),
        ("limit[]=5", "limit[]", "did you mean limit"),
        ("limti=5", "limti", "did you mean limit"),
        ("page=2", "page", "no parameter page"),
        ("status_code=normal", "status_code", "did you mean status_codes"),
        ("status_codes=norma", "status_codes", "did you mean normal"),
        ("status_codes[]=Normal", "status_codes[]", "normal, preferred, hold_shipment, hold_all"),
        ("status_codes=", "status_codes", "takes one of"),
        ("status_codes=normal,", "status_codes", "takes one of"),
        ("commission_status_codes=x", "commission_status_codes", "commission_applied"),
        ("freight_status_codes=x", "freight_status_codes", "free_freight"),
        ("parent_account_status=both", "parent_account_status", "parent"),
        ("carrier_ids[]=ac_0000000000000", "carrier_ids[]", "cr_"),
        ("sales_rep_ids=us_0000000000000", "sales_rep_ids", "acus_"),
        ("customer_group_ids=7", "customer_group_ids", "acgr_"),
        ("start_date=yesterday", "start_date", "RFC 3339"),
        ("start_date=2024-05-01T10:00:00", "start_date", "offset"),
        ("end_date=9999-12-31T23:59:59-23:59", "end_date", "9999"),
        ("end_date=0001-01-01T00:00:00%2B14:00", "end_date", "0001"),
        ("starts_at=", "starts_at", "RFC 3339"),
        ("ends_at=tomorrow", "ends_at", "RFC 3339"),
        ("start_date=2024-05-01T00:00:00Z&starts_at=2024-05-01T00:00:00Z", "starts_at", "more than once"),
        ("ends_at=2024-05-01T00:00:00Z&end_date=2024-05-01T00:00:00Z", "end_date", "more than once"),
        ("end_date=2024-05-01T10:00:00%2B000", "end_date", "RFC 3339"),
        ("city=", "city", "1 to 255"),
        (f"city={'x' * 10_000}", "city", "1 to 255"),
        (f"q={'x' * 501}", "q", "0 to 500"),
        ("q=a&q=b", "q", "more than once"),
        ("q=%00", "q", "U+0000"),
        ("q=%ff", "q", "UTF-8"),
        ("q=%c0%af", "q", "UTF-8"),
        ("q=%ed%a0%80", "q", "UTF-8"),
        ("include[]=everything", "include[]", "takes one of"),
        ("include=default.sales_rep", "include", "did you mean defaults.sales_rep"),
        ("include=", "include", "takes one of"),
        ("cursor=abc", "cursor", "cursor"),
        (f"cursor={'A' * 28}", "cursor", "cursor"),
        ("cursor=%F0%9F%98%80", "cursor", "cursor"),
    ],
)
def test_what_cannot_be_read_is_refused_by_name(book, query, param, told):
    error = check_envelope(book.client.get(f"{LIST}?{query}"), 400, param)

    assert told in error["message"]
    is_unknown = param in {"limit[]", "limti", "page", "status_code"}
    assert error["code"] == ("parameter_unknown" if is_unknown else "parameter_invalid")


@pytest.mark.parametrize(
    "query",
    ["q=" + "a%CC%81" * 250, "q=%E2%80%AEabc", "q=" + "%EF%B7%BA" * 200],
)
def test_the_unusual_but_readable_is_answered(book, query):
    assert book.client.get(f"{LIST}?{query}").status_code == 200


@pytest.mark.parametrize("empty", ["cursor=", "limit=", "cursor=&limit=", "limit=&q="])
def test_a_cursor_or_limit_with_nothing_behind_it_is_as_good_as_absent(book, empty):
    assert [c["id"] for c in fetch_page(book, empty)] == [c["id"] for c in fetch_page(book, "")]


def fetch_page(book, query):
    answer = book.client.get(f"{LIST}?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


@pytest.mark.parametrize(("published", "later"), [("start_date", "starts_at"), ("end_date", "ends_at")])
def test_later_client_libraries_name_the_dates_otherwise(book, first, published, later):
    at = first["created_at"]

    assert fetch_page(book, f"{later}={at}") == fetch_page(book, f"{published}={at}")
    far = "1980-01-01T00:00:00Z" if later == "ends_at" else "2100-01-01T00:00:00Z"
    assert fetch_page(book, f"{later}={far}") == []


@pytest.mark.parametrize("offset", ["%2B0000", "+0000", "-0000", "%2B00:00", "+00:00", "Z"])
def test_an_offset_is_read_with_and_without_its_colon(book, first, offset):
    at = first["created_at"].removesuffix("Z")

    assert [c["id"] for c in fetch_page(book, f"start_date={at}{offset}&end_date={at}{offset}")] == [
        first["id"]
    ]
