"""Sections 2 and 3: every key of the customer object, and what each include value makes of it."""

import re

import pytest
import sqlalchemy as sa

from tests.contract.checkers import (
    CUSTOMERS,
    INCLUDE_VALUES,
    assert_error,
    assert_exact_walk,
    assert_refused,
    fetch,
    ids_of,
    key_order_faults,
    non_null_paths,
    page_faults,
    pages_of,
)
from tests.fixtures.book import Book
from tests.fixtures.lengths import length
from tradebook.ids import decode_id
from tradebook.resources.carriers import carriers
from tradebook.resources.service_levels import service_levels
from tradebook.storage.schema import prepare

FULL = {
    "name": "Full",
    "status": "hold_shipment",
    "edi_status": "enabled",
    "commission_policy": "commission_exempt",
    "freight_policy": "free_freight",
    "note": "Ask for Ann.\nThen wait.",
    "email": "buy@full.example",
    "phone": "+1 (555) 010-2030",
    "url": "https://full.example/",
    "credit_limit": "1234.56",
    "type": "Retail",
    "price_groups": ["Gold", "Silver"],
    "carrier": "fedex",
    "service_level": "2Day",
    "carrier_billing_type": "third_party",
    "carrier_billing_account": "FX-1",
    "payment_term": "Net 30",
    "shipping_term": "Free Freight",
    "priority": "high",
    "sales_rep_email": "ann@reps.example",
    "sales_rep_name": "Ann",
    "accepts_invoice_emails": True,
    "created_at": "2024-05-01T09:30:00.500Z",
    "bill_to.name": "Head office",
    "bill_to.street_line_1": "1 Main St",
    "bill_to.street_line_2": "Floor 2",
    "bill_to.locality": "Springfield",
    "bill_to.state": "IL",
    "bill_to.postal_code": "62701",
    "bill_to.country": "US",
    "bill_to.phone": "555 0100",
    "bill_to.email": "office@full.example",
    "bill_to.type": "standard",
    "ship_to.name": "Yard",
    "ship_to.country": "CA",
    "ship_to.type": "drop_ship",
}
PARENT = {"number": "parent", **FULL, "created_at": "2024-05-01T09:30:00Z"}
CHILD = {"number": "child", **FULL, "parent_number": "parent"}
BARE = {"number": "bare", "name": "Bare", "created_at": "2024-04-01T00:00:00Z"}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
BODY = "[0-7][0-9a-hjkmnp-tv-z]{12}"


@pytest.fixture(scope="module")
def filled(module_book):
    """One parent and one child that have everything, one customer that has nothing."""
    module_book.add(PARENT, CHILD, BARE)
    return module_book


def customers(book, *include):
    page = fetch(book.client, CUSTOMERS, params=[("include[]", value) for value in include])
    return {customer["number"]: customer for customer in page["data"]}


# Keys


@pytest.mark.parametrize("include", [[], INCLUDE_VALUES, *([value] for value in INCLUDE_VALUES)])
def test_every_object_has_all_its_keys_in_the_published_order(filled, include):
    assert key_order_faults(list(customers(filled, *include).values())) == []


@pytest.mark.parametrize("include", [[], INCLUDE_VALUES])
def test_a_single_customer_has_the_same_keys_and_values_as_in_the_list(filled, include):
    listed = customers(filled, *include)

    single = {
        number: fetch(
            filled.client, f"{CUSTOMERS}/{customer['id']}", params=[("include[]", v) for v in include]
        )
        for number, customer in listed.items()
    }

    assert single == listed
    assert [list(customer) for customer in single.values()] == [list(c) for c in listed.values()]


# Includes


@pytest.mark.parametrize("number", ["parent", "child", "bare"])
def test_what_is_not_asked_for_is_null(filled, number):
    assert non_null_paths(customers(filled)[number]) == set()


# The parent is no child and the reverse, so each value is looked for where it can be.
OWNER_OF = dict.fromkeys(INCLUDE_VALUES, "parent") | {"parent_account": "child"}


@pytest.mark.parametrize("value", INCLUDE_VALUES)
def test_an_include_value_fills_itself_and_its_ancestors_and_nothing_else(filled, value):
    parts = value.split(".")
    ancestry = {".".join(parts[:length]) for length in range(1, len(parts) + 1)}

    found = customers(filled, value)[OWNER_OF[value]]

    assert non_null_paths(found) == ancestry


@pytest.mark.parametrize("value", INCLUDE_VALUES)
def test_an_include_value_changes_nothing_that_it_does_not_name(filled, value):
    plain, found = customers(filled), customers(filled, value)
    root = value.partition(".")[0]

    assert {n: c | {root: None} for n, c in found.items()} == plain


def test_all_include_values_at_once_fill_everything(filled):
    found = customers(filled, *INCLUDE_VALUES)

    assert non_null_paths(found["parent"]) == set(INCLUDE_VALUES) - {"parent_account"}
    assert non_null_paths(found["child"]) == set(INCLUDE_VALUES) - {"child_accounts"}


def test_each_sub_object_is_the_same_alone_and_among_all(filled):
    everything = customers(filled, *INCLUDE_VALUES)["parent"]
    roots = {value for value in INCLUDE_VALUES if "." not in value} - {"parent_account"}
    whole = {root: [value for value in INCLUDE_VALUES if value.partition(".")[0] == root] for root in roots}

    alone = {root: customers(filled, *values)["parent"][root] for root, values in whole.items()}

    assert alone == {root: everything[root] for root in roots}


def test_one_geolocation_leaves_the_other_null(book):
    book.add({"name": "One address", "bill_to.name": "A", "bill_to.country": "US", "bill_to.locality": "X"})

    found = book.get(include="bill_to_address,ship_to_address.geolocation")["data"][0]

    assert found["bill_to_address"]["id"] == found["ship_to_address"]["id"]
    assert found["bill_to_address"]["geolocation"] is None
    assert found["ship_to_address"]["geolocation"]["locality"] == "X"


def test_an_include_value_may_be_repeated(filled):
    assert customers(filled, "type", "type") == customers(filled, "type")


@pytest.mark.parametrize(
    "wrong",
    [
        "freight_preferences.owner",
        "carrier",
        "user",
        "Type",
        "type.name",
        "defaults.",
        ".defaults",
        "defaults.sales_rep.user.email",
        "parent_account.type",
        "*",
        "all",
    ],
)
def test_an_unknown_include_value_is_refused(filled, wrong):
    assert_refused(filled.client.get(CUSTOMERS, params={"include[]": wrong}), "include[]")


# Nulls


def test_a_customer_without_anything_has_objects_of_nulls_where_the_contract_says_objects(filled):
    bare = customers(filled, *INCLUDE_VALUES)["bare"]

    assert bare["note"] is None
    assert bare["credit_limit"] is None
    assert bare["contact_info"] == {
        "object": "customer_contact_info", "email": None, "phone": None, "url": None,
    }  # fmt: skip
    assert bare["freight_preferences"] == {
        "object": "customer_freight_preferences",
        "status": bare["freight_preferences"]["status"],
        "carrier": None,
        "service_level": None,
        "billing_type": None,
        "billing_account": None,
    }
    assert {**bare["defaults"], "priority": None} == {
        "object": "customer_defaults",
        "payment_term": None,
        "shipping_term": None,
        "priority": None,
        "sales_rep": None,
    }
    assert bare["defaults"]["priority"]["code"] == "normal"
    assert isinstance(bare["notification_preferences"]["accepts_invoice_emails"], bool)
    assert [bare[key] for key in ("bill_to_address", "ship_to_address", "type")] == [None] * 3
    assert bare["parent_account"] is None
    assert bare["child_accounts"] is None
    assert bare["price_groups"] == {
        "object": "list",
        "page_info": {
            "next_page_url": None,
            "previous_page_url": None,
            "has_next_page": False,
            "has_prev_page": False,
        },
        "data": [],
    }


def test_what_is_always_null_is_null_with_every_include(filled):
    parent = customers(filled, *INCLUDE_VALUES)["parent"]
    freight, defaults = parent["freight_preferences"], parent["defaults"]

    always = [
        freight["carrier"]["owner"],
        freight["service_level"]["owner"],
        defaults["payment_term"]["owner"],
        defaults["priority"]["owner"],
        defaults["sales_rep"]["role"],
        defaults["sales_rep"]["department"],
        *(defaults["shipping_term"][key] for key in ("owner", "flat_rate", "minimum_order_value")),
        defaults["shipping_term"]["free_shipping_service_levels"],
    ]

    assert always == [None] * 10


def test_the_unit_and_the_service_levels_are_null_unless_asked_for(filled):
    parent = customers(filled, "credit_limit", "freight_preferences.carrier", "bill_to_address")["parent"]

    assert parent["credit_limit"]["unit"] is None
    assert parent["freight_preferences"]["carrier"]["service_levels"] is None
    assert parent["bill_to_address"]["geolocation"] is None


# Values


def test_every_value_is_what_was_put_in(filled):
    found = customers(filled, *INCLUDE_VALUES)["child"]
    freight, defaults = found["freight_preferences"], found["defaults"]

    assert {key: found[key] for key in ("object", "name", "number", "status", "edi_status", "note")} == {
        "object": "customer",
        "name": "Full",
        "number": "child",
        "status": "hold_shipment",
        "edi_status": "enabled",
        "note": FULL["note"],
    }
    assert found["commission_policy"] == "commission_exempt"
    assert found["created_at"] == "2024-05-01T09:30:00.500Z"
    assert found["contact_info"] == {
        "object": "customer_contact_info",
        "email": FULL["email"],
        "phone": FULL["phone"],
        "url": FULL["url"],
    }
    assert freight["status"] == "free_freight"
    assert (freight["carrier"]["name"], freight["carrier"]["code"]) == ("FedEx", "fedex")
    assert freight["service_level"]["name"] == "2Day"
    assert (freight["billing_type"], freight["billing_account"]) == ("third_party", "FX-1")
    assert defaults["payment_term"]["name"] == "Net 30"
    assert defaults["payment_term"]["status"] == "active"
    assert (defaults["shipping_term"]["name"], defaults["shipping_term"]["type"]) == (
        "Free Freight",
        "free_freight",
    )
    assert (defaults["priority"]["code"], defaults["priority"]["name"]) == ("high", "High")
    assert defaults["sales_rep"]["status"] == "active"
    assert defaults["sales_rep"]["user"]["email"] == "ann@reps.example"
    assert defaults["sales_rep"]["user"]["name"] == "Ann"
    assert found["notification_preferences"]["accepts_invoice_emails"] is True
    assert (found["type"]["name"], found["type"]["type"]) == ("Retail", "type_group")
    assert {(g["name"], g["type"]) for g in found["price_groups"]["data"]} == {
        ("Gold", "pricing_group"),
        ("Silver", "pricing_group"),
    }
    assert found["parent_account"]["number"] == "parent"


def test_both_addresses_are_what_was_put_in(filled):
    found = customers(filled, *INCLUDE_VALUES)["child"]
    bill_to, ship_to = found["bill_to_address"], found["ship_to_address"]

    assert {key: bill_to[key] for key in ("name", "phone", "email", "type")} == {
        "name": "Head office",
        "phone": "555 0100",
        "email": "office@full.example",
        "type": "standard",
    }
    assert list(bill_to["geolocation"].values())[2:] == [
        "1 Main St",
        "Floor 2",
        "Springfield",
        "IL",
        "62701",
        "US",
    ]
    assert (ship_to["name"], ship_to["type"], ship_to["geolocation"]["country"]) == (
        "Yard",
        "drop_ship",
        "CA",
    )
    assert list(ship_to["geolocation"].values())[2:7] == [None] * 5


def test_one_address_may_serve_both(book):
    book.add({"name": "One", "bill_to.name": "Here", "bill_to.country": "US"})

    found = book.get(include="bill_to_address,ship_to_address")["data"][0]

    assert found["bill_to_address"] == found["ship_to_address"]
    assert found["bill_to_address"]["name"] == "Here"


def test_every_id_has_the_prefix_of_its_type(filled):
    found = customers(filled, *INCLUDE_VALUES)["child"]
    freight, defaults = found["freight_preferences"], found["defaults"]
    wanted = {
        "ac": [found, found["parent_account"]],
        "qty": [found["credit_limit"]],
        "un": [found["credit_limit"]["unit"]],
        "cr": [freight["carrier"]],
        "crop": [freight["service_level"], *freight["carrier"]["service_levels"]["data"]],
        "pytm": [defaults["payment_term"]],
        "shtm": [defaults["shipping_term"]],
    }

    wrong = [
        item["id"]
        for prefix, items in wanted.items()
        for item in items
        if not re.fullmatch(f"{prefix}_{BODY}", item["id"])
    ]

    assert wrong == []


def times_in(value):
    """Yield every value under a key that ends in _at, however deep."""
    if isinstance(value, list):
        for item in value:
            yield from times_in(item)
    if isinstance(value, dict):
        for key, item in value.items():
            if key.endswith("_at") and item is not None:
                yield item
            yield from times_in(item)


def test_every_time_is_rfc_3339_in_utc(filled):
    times = list(times_in(list(customers(filled, *INCLUDE_VALUES).values())))

    assert len(times) > 50
    assert [time for time in times if not TIME.fullmatch(time)] == []


# The relationship


def test_having_children_makes_a_parent_and_having_a_parent_a_child(filled):
    assert {number: c["relationship_type"] for number, c in customers(filled).items()} == {
        "parent": "parent",
        "child": "child",
        "bare": "standalone",
    }


def test_parent_and_children_stand_inside_each_other_with_every_sub_object_null(filled):
    plain, found = customers(filled), customers(filled, *INCLUDE_VALUES)

    assert found["child"]["parent_account"] == plain["parent"]
    assert found["parent"]["child_accounts"]["data"] == [plain["child"]]
    assert found["parent"]["parent_account"] is None
    assert found["child"]["child_accounts"] is None


# Amounts


@pytest.mark.parametrize(
    ("amount", "currency", "value", "display"),
    [
        ("1234.56", None, "1234.56", "$1,234.56"),
        ("1234.5", "USD", "1234.5", "$1,234.50"),
        ("0", None, "0", "$0.00"),
        ("1000000", "USD", "1000000", "$1,000,000.00"),
        ("21000.00", None, "21000.00", "$21,000.00"),
        ("0.1", "EUR", "0.1", "€0.10"),
        ("123456789012345678.91", "USD", "123456789012345678.91", "$123,456,789,012,345,678.91"),
        ("5000", "JPY", "5000", "¥5,000"),
    ],
)
def test_an_amount_is_exact_and_shown_as_people_write_it(book, amount, currency, value, display):
    book.add({"name": "Credit", "credit_limit": amount, "credit_limit_currency": currency})

    limit = book.get(include="credit_limit.unit")["data"][0]["credit_limit"]

    assert limit["object"] == "quantity"
    assert limit["value"] == value
    assert limit["display_value"] == display
    assert limit["unit"]["object"] == "unit"


# Lists inside a customer


@pytest.fixture(scope="module")
def families(server):
    """Parents of 100 and of 203 children, and a customer in 203 price groups."""
    made = Book(server)
    groups = [f"Group {n}" for n in range(203)]
    made.add(
        {"number": "hundred", "name": "Hundred", "price_groups": groups[:100]},
        {"number": "more", "name": "More", "price_groups": groups},
        *({"number": f"h{n}", "name": f"H{n}", "parent_number": "hundred"} for n in range(100)),
        *({"number": f"m{n}", "name": f"M{n}", "parent_number": "more"} for n in range(203)),
    )
    yield made
    made.close()


@pytest.mark.parametrize("name", ["child_accounts", "price_groups"])
def test_a_nested_list_of_a_hundred_is_whole(families, name):
    hundred = families.get(q="hundred", include=name)["data"][0]

    assert len(hundred[name]["data"]) == 100
    assert hundred[name]["page_info"] == {
        "next_page_url": None,
        "previous_page_url": None,
        "has_next_page": False,
        "has_prev_page": False,
    }


@pytest.mark.parametrize("name", ["child_accounts", "price_groups"])
def test_a_longer_nested_list_goes_on_behind_its_url(families, name):
    more = families.get(q="more", include=name)["data"][0]
    nested = more[name]

    rest = pages_of(families.client, nested["page_info"]["next_page_url"])

    seen = ids_of([nested, *rest])
    assert len(nested["data"]) == 100
    assert len(set(seen)) == len(seen) == 203
    assert seen == sorted(seen, reverse=True)
    assert [fault for page in [nested, *rest] for fault in page_faults(page)] == []
    assert nested["page_info"]["next_page_url"].startswith(f"{CUSTOMERS}/{more['id']}/{name}?")
    assert nested["page_info"]["has_prev_page"] is False


@pytest.mark.parametrize("name", ["child_accounts", "price_groups"])
def test_the_nested_lists_own_route_walks_like_any_list(families, name):
    more = families.get(q="more", include=name)["data"][0]
    path = f"{CUSTOMERS}/{more['id']}/{name}"
    everything = ids_of(pages_of(families.client, path))

    assert_exact_walk(families.client, f"{path}?limit=17", everything, 17)
    assert_exact_walk(families.client, f"{path}?limit=203", everything, 203)
    assert everything[:100] == [item["id"] for item in more[name]["data"]]


def test_going_back_from_beyond_a_nested_list_shows_what_was_nested(families):
    nested = families.get(q="more", include="child_accounts")["data"][0]["child_accounts"]
    second = fetch(families.client, nested["page_info"]["next_page_url"])

    first = fetch(families.client, second["page_info"]["previous_page_url"])

    assert first["data"] == nested["data"]
    assert first["page_info"]["previous_page_url"] is None


def test_the_entries_of_a_nested_route_are_those_of_the_contract(families):
    more = families.get(q="more")["data"][0]

    children = fetch(families.client, f"{CUSTOMERS}/{more['id']}/child_accounts?limit=3")
    groups = fetch(families.client, f"{CUSTOMERS}/{more['id']}/price_groups?limit=3")

    assert key_order_faults([children, groups]) == []
    assert [non_null_paths(child) for child in children["data"]] == [set()] * 3
    assert [group["object"] for group in groups["data"]] == ["account_group"] * 3


def test_a_nested_route_of_a_customer_without_entries_is_an_empty_list(filled):
    bare = customers(filled)["bare"]["id"]

    pages = [
        fetch(filled.client, f"{CUSTOMERS}/{bare}/{name}") for name in ("child_accounts", "price_groups")
    ]

    assert [page["data"] for page in pages] == [[], []]
    assert [page_faults(page) for page in pages] == [[], []]


@pytest.mark.parametrize("name", ["", "/child_accounts", "/price_groups"])
def test_what_is_under_an_unknown_customer_is_not_found(filled, name):
    assert_error(filled.client.get(f"{CUSTOMERS}/ac_0000000000000{name}"), 404, "resource_not_found", "id")


@pytest.mark.parametrize("name", ["", "/child_accounts", "/price_groups"])
@pytest.mark.parametrize(
    "wrong", ["x", "cr_0000000000000", "ac_", "ac_000000000000O", "AC_0000000000000", "%FF", "%F0%9F%A6%8A"]
)
def test_what_is_under_an_id_of_another_type_is_refused(filled, name, wrong):
    assert_refused(filled.client.get(f"{CUSTOMERS}/{wrong}{name}"), "id")


@pytest.mark.parametrize("name", ["child_accounts", "price_groups"])
def test_a_nested_route_takes_cursor_and_limit_alone(filled, name):
    bare = customers(filled)["bare"]["id"]

    assert_refused(filled.client.get(f"{CUSTOMERS}/{bare}/{name}?q=x"), "q")
    assert_refused(filled.client.get(f"{CUSTOMERS}/{bare}/{name}?include=type"), "include")


def test_service_levels_beyond_a_hundred_go_on_behind_their_url(book):
    book.add({"name": "Shipper", "carrier": "Mule Train", "service_level": "L0"})
    carrier = book.get(include="freight_preferences.carrier")["data"][0]["freight_preferences"]["carrier"]
    key = decode_id("cr", carrier["id"])
    row = {
        "carrier_id": key, "customer_portal_visibility": 0, "is_default": 0, "is_system": 0, "updated_at": 0,
    }  # fmt: skip
    with book.database.write(book.account_key) as writer:
        writer.insert(
            prepare(sa.insert(service_levels)),
            [
                row | {"id": n, "name": f"L{n}", "name_folded": f"l{n}", "service_level_token": f"l{n}"}
                for n in range(1, 150)
            ],
        )

    found = book.get(include="freight_preferences.carrier.service_levels")["data"][0]

    nested = found["freight_preferences"]["carrier"]["service_levels"]
    rest = pages_of(book.client, nested["page_info"]["next_page_url"])
    assert len(nested["data"]) == 100
    assert len(set(ids_of([nested, *rest]))) == 150
    assert [fault for page in [nested, *rest] for fault in page_faults(page)] == []


def test_a_deleted_carrier_stays_with_the_customers_that_default_to_it(book):
    book.add({"name": "Shipper", "carrier": "Mule Train"})
    delete = prepare(
        sa.update(carriers)
        .where(carriers.c.account_id == sa.bindparam("account_id"), carriers.c.name == "Mule Train")
        .values(deleted_at=1_714_555_800_000)
    )
    with book.database.write(book.account_key) as writer:
        writer.run(delete)

    carrier = book.get(include="freight_preferences.carrier")["data"][0]["freight_preferences"]["carrier"]

    assert (carrier["name"], carrier["deleted_at"]) == ("Mule Train", "2024-05-01T09:30:00.000Z")


def test_a_parent_of_thousands_shows_its_newest_hundred(book):
    """Far more children than a page reads at once: the list inside is still exact, and so is its walk."""
    count = length(1_200, 2_300)
    book.add(
        {"number": "P", "name": "Head"},
        *({"number": f"{n}", "name": "Branch", "parent_number": "P"} for n in range(count)),
    )

    parent = book.get(parent_account_status="parent", include="child_accounts")["data"][0]

    shown = [child["number"] for child in parent["child_accounts"]["data"]]
    rest = pages_of(book.client, parent["child_accounts"]["page_info"]["next_page_url"])
    assert shown == [str(n) for n in range(count - 1, count - 101, -1)]
    assert [child["number"] for page in rest for child in page["data"]] == [
        str(n) for n in range(count - 101, -1, -1)
    ]
