"""Section 1: every query parameter, alone and together, in every spelling."""

import pytest

from tests.contract.checkers import CUSTOMERS, assert_refused, fetch
from tests.fixtures import plain_http

HOUR = "2024-05-01T09:30:00"
RICH = {
    "number": "rich",
    "name": "Rich",
    "status": "preferred",
    "commission_policy": "commission_applied",
    "freight_policy": "free_freight",
    "type": "Retail",
    "price_groups": ["Gold", "Silver"],
    "carrier": "FedEx",
    "service_level": "2Day",
    "payment_term": "Net 30",
    "shipping_term": "Free Freight",
    "sales_rep_email": "ann@reps.example",
    "sales_rep_name": "Ann",
    "created_at": f"{HOUR}.500Z",
    "bill_to.name": "Head office",
    "bill_to.country": "US",
    "bill_to.locality": "Springfield",
    "bill_to.state": "IL",
    "bill_to.postal_code": "62701",
    "ship_to.name": "Yard",
    "ship_to.country": "US",
    "ship_to.locality": "Portland",
    "ship_to.state": "OR",
    "ship_to.postal_code": "97201",
}
OTHER = {
    "number": "other",
    "name": "Other",
    "status": "hold_all",
    "type": "Wholesale",
    "price_groups": ["Silver"],
    "carrier": "UPS",
    "service_level": "Ground",
    "payment_term": "Net 60",
    "shipping_term": "Flat Rate Freight",
    "sales_rep_email": "bob@reps.example",
    "sales_rep_name": "Bob",
    "created_at": f"{HOUR}.501Z",
    "bill_to.name": "Other",
    "bill_to.country": "US",
    "bill_to.locality": "Springfield",
    "bill_to.state": "MA",
    "bill_to.postal_code": "01101",
}
BARE = {"number": "bare", "name": "Bare", "created_at": f"{HOUR}.502Z"}
CHILD = {"number": "child", "name": "Child", "parent_number": "bare", "created_at": f"{HOUR}.503Z"}
HELD = {"number": "held", "name": "Held", "status": "hold_shipment", "created_at": f"{HOUR}.504Z"}
ALL = ["held", "child", "bare", "other", "rich"]

ARRAYS_OF_IDS = {
    "customer_group_ids": ("type",),
    "pricing_group_ids": ("price_groups", "data", 0),
    "sales_rep_ids": ("defaults", "sales_rep"),
    "shipping_term_ids": ("defaults", "shipping_term"),
    "payment_term_ids": ("defaults", "payment_term"),
    "carrier_ids": ("freight_preferences", "carrier"),
    "service_level_ids": ("freight_preferences", "service_level"),
}
PREFIXES = {
    "customer_group_ids": "acgr",
    "pricing_group_ids": "acgr",
    "sales_rep_ids": "acus",
    "shipping_term_ids": "shtm",
    "payment_term_ids": "pytm",
    "carrier_ids": "cr",
    "service_level_ids": "crop",
}
INCLUDES = (
    "type,price_groups,defaults.sales_rep,defaults.shipping_term,defaults.payment_term,"
    "freight_preferences.carrier,freight_preferences.service_level"
)


@pytest.fixture(scope="module")
def filled(module_book):
    """The five customers above, and the whole objects of them by number."""
    module_book.add(RICH, OTHER, BARE, CHILD, HELD)
    page = module_book.get(include=INCLUDES)
    module_book.customers = {customer["number"]: customer for customer in page["data"]}
    return module_book


def numbers(book, query):
    return [customer["number"] for customer in fetch(book.client, f"{CUSTOMERS}?{query}")["data"]]


def id_inside(customer, path):
    for step in path:
        customer = customer[step]
    return customer["id"]


# Ids


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
def test_a_filter_by_id_leaves_those_that_have_it(filled, name):
    other = id_inside(filled.customers["other"], ARRAYS_OF_IDS[name])
    # Both are in the pricing group that `other` is in.
    expected = {"pricing_group_ids": ["other", "rich"]}.get(name, ["other"])

    assert numbers(filled, f"{name}[]={other}") == expected


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
def test_several_ids_of_one_filter_are_alternatives(filled, name):
    rich = id_inside(filled.customers["rich"], ARRAYS_OF_IDS[name])
    other = id_inside(filled.customers["other"], ARRAYS_OF_IDS[name])

    assert numbers(filled, f"{name}[]={rich}&{name}[]={other}") == ["other", "rich"]


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
def test_an_id_that_does_not_exist_matches_nothing(filled, name):
    assert numbers(filled, f"{name}[]={PREFIXES[name]}_0000000000000") == []
    assert numbers(filled, f"{name}[]={PREFIXES[name]}_7zzzzzzzzzzzz") == []


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
@pytest.mark.parametrize(
    "body", ["0", "8000000000000", "000000000000", "00000000000000", "000000000000i", "u" * 64]
)
def test_an_id_of_another_system_matches_nothing(filled, name, body):
    other = id_inside(filled.customers["other"], ARRAYS_OF_IDS[name])

    assert numbers(filled, f"{name}[]={PREFIXES[name]}_{body}") == []
    assert numbers(filled, f"{name}={PREFIXES[name]}_{body},{other}") == numbers(filled, f"{name}={other}")


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
def test_an_id_that_does_not_exist_takes_nothing_from_one_that_does(filled, name):
    other = id_inside(filled.customers["other"], ARRAYS_OF_IDS[name])

    both = numbers(filled, f"{name}={PREFIXES[name]}_0000000000000,{other}")

    assert both == numbers(filled, f"{name}={other}")


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
@pytest.mark.parametrize(
    "wrong",
    ["qty_0000000000000", "0000000000000", "x", "", "_", "un_", "null", "acgr-8000000000000", "ACGR_000"],
)
def test_an_id_of_another_type_or_form_is_refused(filled, name, wrong):
    answer = filled.client.get(f"{CUSTOMERS}?{name}[]={wrong}")

    assert_refused(answer, f"{name}[]")


@pytest.mark.parametrize("name", ARRAYS_OF_IDS)
@pytest.mark.parametrize("body", ["", "0" * 65, "00000000-0000", "00000000000I0", "٣", "a_b"])
def test_an_id_whose_body_is_none_of_any_system_is_refused(filled, name, body):
    answer = filled.client.get(f"{CUSTOMERS}?{name}[]={PREFIXES[name]}_{body}")

    assert_refused(answer, f"{name}[]")


def test_a_capital_letter_makes_another_id(filled):
    group = filled.customers["rich"]["type"]["id"]

    assert_refused(filled.client.get(f"{CUSTOMERS}?customer_group_ids={group.upper()}"), "customer_group_ids")


def test_a_type_group_is_no_pricing_group_of_a_customer(filled):
    rich = filled.customers["rich"]
    gold_or_silver = [group["id"] for group in rich["price_groups"]["data"]]

    assert numbers(filled, f"pricing_group_ids={rich['type']['id']}") == []
    assert numbers(filled, f"customer_group_ids={','.join(gold_or_silver)}") == []


def test_a_customer_in_several_of_the_pricing_groups_comes_once(filled):
    groups = {g["name"]: g["id"] for g in filled.customers["rich"]["price_groups"]["data"]}

    assert numbers(filled, f"pricing_group_ids={groups['Gold']},{groups['Silver']}") == ["other", "rich"]
    assert numbers(filled, f"pricing_group_ids={groups['Gold']}") == ["rich"]
    assert numbers(filled, f"pricing_group_ids={groups['Silver']}") == ["other", "rich"]


# Words


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status_codes[]=normal", ["child", "bare"]),
        ("status_codes[]=preferred", ["rich"]),
        ("status_codes[]=hold_shipment", ["held"]),
        ("status_codes[]=hold_all", ["other"]),
        ("status_codes[]=normal&status_codes[]=preferred", ["child", "bare", "rich"]),
        ("status_codes[]=normal,preferred,hold_shipment,hold_all", ALL),
        ("commission_status_codes[]=commission_applied", ["rich"]),
        ("commission_status_codes[]=commission_exempt", ["held", "child", "bare", "other"]),
        ("freight_status_codes[]=free_freight", ["rich"]),
        ("freight_status_codes[]=billed_freight", ["held", "child", "bare", "other"]),
        ("freight_status_codes[]=billed_freight,free_freight", ALL),
        ("parent_account_status=parent", ["bare"]),
        ("parent_account_status=non_parent", ["held", "child", "other", "rich"]),
    ],
)
def test_a_filter_by_words_leaves_those_that_have_one(filled, query, expected):
    assert numbers(filled, query) == expected


@pytest.mark.parametrize(
    "name",
    [
        "status_codes[]",
        "commission_status_codes[]",
        "freight_status_codes[]",
        "parent_account_status",
        "include[]",
    ],
)
@pytest.mark.parametrize(
    "wrong", ["", "NORMAL", "Parent", "normall", "1", "true", "null", "%20normal", "%00"]
)
def test_an_unknown_word_is_refused(filled, name, wrong):
    assert_refused(filled.client.get(f"{CUSTOMERS}?{name}={wrong}"), name)


@pytest.mark.parametrize("value", ["normal,", ",normal", "normal,,preferred", ",", "normal, preferred"])
def test_an_empty_or_padded_place_in_a_list_is_refused(filled, value):
    assert_refused(filled.client.get(CUSTOMERS, params={"status_codes": value}), "status_codes")


def test_a_scalar_takes_no_list(filled):
    answer = filled.client.get(f"{CUSTOMERS}?parent_account_status=parent,non_parent")

    assert_refused(answer, "parent_account_status")


# Spellings of arrays

NORMAL_OR_PREFERRED = ["child", "bare", "rich"]


@pytest.mark.parametrize(
    "query",
    [
        "status_codes[]=normal&status_codes[]=preferred",
        "status_codes%5B%5D=normal&status_codes%5B%5D=preferred",
        "status_codes%5b%5d=normal&status_codes%5b%5d=preferred",
        "status_codes=normal&status_codes=preferred",
        "status_codes=normal,preferred",
        "status_codes=normal%2Cpreferred",
        "status_codes=normal%2cpreferred",
        "status_codes[]=normal,preferred",
        "status_codes[]=normal%2Cpreferred",
        "status_codes%5B%5D=normal%2Cpreferred",
        "status_codes[]=normal&status_codes=preferred",
        "status_codes=preferred&status_codes%5B%5D=normal",
        "status_codes=normal%2Cpreferred&status_codes[]=normal&status_codes=preferred,normal",
        "status_codes=normal&limit=50&status_codes[]=preferred",
        "status%5Fcodes=normal%2Cp%72eferred",
        "&status_codes=normal,preferred&",
    ],
)
def test_every_spelling_of_an_array_means_the_same(filled, query):
    assert numbers(filled, query) == NORMAL_OR_PREFERRED


@pytest.mark.parametrize("name", [*ARRAYS_OF_IDS])
def test_arrays_of_ids_take_commas_and_brackets_in_any_mixture(filled, name):
    rich = id_inside(filled.customers["rich"], ARRAYS_OF_IDS[name])
    other = id_inside(filled.customers["other"], ARRAYS_OF_IDS[name])

    spelled = [
        numbers(filled, query)
        for query in (
            f"{name}={rich},{other}",
            f"{name}={rich}%2C{other}",
            f"{name}%5B%5D={rich}%2C{other}",
            f"{name}={rich}&{name}[]={other}",
            f"{name}[]={rich},{other}&{name}={rich}",
        )
    ]

    assert spelled == [["other", "rich"]] * 5


@pytest.mark.parametrize(
    "query",
    [
        "include=type&include=defaults.priority",
        "include[]=type&include[]=defaults.priority",
        "include=type,defaults.priority",
        "include=type%2Cdefaults.priority",
        "include%5B%5D=defaults.priority%2Ctype&include=type",
    ],
)
def test_includes_take_every_spelling_too(filled, query):
    rich = fetch(filled.client, f"{CUSTOMERS}?{query}")["data"][-1]

    assert rich["type"]["name"] == "Retail"
    assert rich["defaults"] is not None
    assert rich["contact_info"] is None


@pytest.mark.parametrize(
    "name", ["status_codes[", "status_codes]", "status_codes[0]", "status_codes[][]", "status_codes[ ]", "[]"]
)
def test_other_brackets_are_other_parameters(filled, name):
    assert_refused(filled.client.get(CUSTOMERS, params={name: "normal"}), name)


# Places: one address must match all of them


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("city=Springfield", ["other", "rich"]),
        ("city=Portland", ["rich"]),
        ("state=IL", ["rich"]),
        ("postal_code=97201", ["rich"]),
        ("city=Springfield&state=IL", ["rich"]),
        ("city=Springfield&state=MA", ["other"]),
        ("city=Portland&state=OR&postal_code=97201", ["rich"]),
        ("city=Springfield&postal_code=62701", ["rich"]),
        # Both belong to the same customer, never to one address.
        ("city=Springfield&state=OR", []),
        ("city=Portland&postal_code=62701", []),
        ("state=IL&postal_code=97201", []),
        ("city=Springfield&state=IL&postal_code=97201", []),
    ],
)
def test_one_address_must_match_all_that_is_said_of_the_place(filled, query, expected):
    assert numbers(filled, query) == expected


@pytest.mark.parametrize(
    "query",
    ["city=springfield", "city=Spring", "city=Springfield%20", "city=%25", "state=I_", "postal_code=0110"],
)
def test_a_place_matches_exactly_or_not_at_all(filled, query):
    assert numbers(filled, query) == []


@pytest.mark.parametrize("name", ["city", "state", "postal_code"])
def test_an_empty_place_is_refused(filled, name):
    assert_refused(filled.client.get(f"{CUSTOMERS}?{name}="), name)


def test_a_place_may_hold_commas_spaces_and_accents(book):
    place = {"bill_to.name": "A", "bill_to.country": "FR"}
    book.add(
        {"number": "1", "name": "A", **place, "bill_to.locality": "Saint-Étienne, Loire"},
        {"number": "2", "name": "B", **place, "bill_to.locality": "A+B & C=D%"},
    )

    assert book.numbers(city="Saint-Étienne, Loire") == ["1"]
    assert book.numbers(city="Saint-Etienne, Loire") == []
    assert book.numbers(city="A+B & C=D%") == ["2"]


# Times, inclusive to the millisecond


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        (f"start_date={HOUR}.502Z", ["held", "child", "bare"]),
        (f"end_date={HOUR}.502Z", ["bare", "other", "rich"]),
        (f"start_date={HOUR}.502Z&end_date={HOUR}.502Z", ["bare"]),
        (f"start_date={HOUR}.501Z&end_date={HOUR}.503Z", ["child", "bare", "other"]),
        (f"start_date={HOUR}.503Z&end_date={HOUR}.501Z", []),
        (f"start_date={HOUR}Z", ALL),
        (f"end_date={HOUR}Z", []),
        ("start_date=2024-05-01T09:30:01Z", []),
        ("end_date=2024-05-01T09:30:01Z", ALL),
        # Finer than a millisecond: what was created at .502 is before .5020001 and after .5019999.
        (f"start_date={HOUR}.5020001Z", ["held", "child"]),
        (f"end_date={HOUR}.5020001Z", ["bare", "other", "rich"]),
        (f"start_date={HOUR}.5019999Z", ["held", "child", "bare"]),
        (f"end_date={HOUR}.5019999Z", ["other", "rich"]),
        (f"end_date={HOUR}.50200000000000000000Z", ["bare", "other", "rich"]),
        # The same moment elsewhere.
        ("start_date=2024-05-01T11:30:00.502%2B02:00", ["held", "child", "bare"]),
        ("start_date=2024-05-01T11:30:00.502+02:00", ["held", "child", "bare"]),
        ("start_date=2024-05-01T11:30:00.502%2002:00", ["held", "child", "bare"]),
        ("start_date=2024-05-01T04:00:00.502-05:30", ["held", "child", "bare"]),
        ("start_date=2024-05-01T04:00:00.502%2D05%3A30", ["held", "child", "bare"]),
        ("start_date=2024-05-02T09:29:00.502%2B23:59", ["held", "child", "bare"]),
        (f"start_date={HOUR}.502-00:00", ["held", "child", "bare"]),
        ("start_date=2024-05-01t09:30:00.502z", ["held", "child", "bare"]),
        ("start_date=0001-01-01T00:00:00Z", ALL),
        ("end_date=9999-12-31T23:59:59.999Z", ALL),
        ("start_date=9999-12-31T23:59:59.999Z", []),
        ("end_date=1969-12-31T23:59:59.999Z", []),
    ],
)
def test_both_bounds_are_inclusive_to_the_millisecond(filled, query, expected):
    assert numbers(filled, query) == expected


# Limit


@pytest.mark.parametrize(("limit", "count"), [("1", 1), ("4", 4), ("5", 5), ("6", 5), ("1000", 5)])
def test_a_page_holds_at_most_its_limit(filled, limit, count):
    assert numbers(filled, f"limit={limit}") == ALL[:count]


def test_a_page_holds_a_hundred_unless_said_otherwise(book):
    book.add(*({"name": f"C{n}"} for n in range(1001)))

    assert len(book.get()["data"]) == 100
    assert len(book.get(limit=1000)["data"]) == 1000


# Together


def test_different_parameters_must_all_hold(filled):
    rich = filled.customers["rich"]
    everything = (
        f"q=rich&customer_group_ids={rich['type']['id']}"
        f"&pricing_group_ids={rich['price_groups']['data'][0]['id']}"
        f"&sales_rep_ids={rich['defaults']['sales_rep']['id']}"
        f"&status_codes=preferred,normal"
        f"&shipping_term_ids={rich['defaults']['shipping_term']['id']}"
        f"&payment_term_ids={rich['defaults']['payment_term']['id']}"
        f"&commission_status_codes=commission_applied&freight_status_codes=free_freight"
        f"&carrier_ids={rich['freight_preferences']['carrier']['id']}"
        f"&service_level_ids={rich['freight_preferences']['service_level']['id']}"
        f"&parent_account_status=non_parent&city=Portland&state=OR&postal_code=97201"
        f"&start_date={HOUR}.500Z&end_date={HOUR}.500Z&limit=1000&include=type"
    )

    assert numbers(filled, everything) == ["rich"]
    assert numbers(filled, everything.replace("city=Portland", "city=Springfield")) == []
    assert numbers(filled, everything.replace("q=rich", "q=poor")) == []
    assert numbers(filled, everything.replace("non_parent", "parent")) == []
    assert numbers(filled, everything.replace("preferred,normal", "normal")) == []
    assert numbers(filled, everything.replace(".500Z", ".499Z")) == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("status_codes=normal,hold_all&freight_status_codes=billed_freight", ["child", "bare", "other"]),
        ("status_codes=normal,preferred&parent_account_status=non_parent", ["child", "rich"]),
        ("status_codes=normal&commission_status_codes=commission_applied", []),
        ("city=Springfield&status_codes=hold_all", ["other"]),
        (f"status_codes=normal&start_date={HOUR}.503Z", ["child"]),
        ("q=r&status_codes=hold_all", ["other"]),
    ],
)
def test_and_between_parameters_or_within_one(filled, query, expected):
    assert numbers(filled, query) == expected


def test_the_order_of_parameters_and_values_changes_nothing(filled):
    one = numbers(filled, "status_codes=normal,preferred&city=Portland&limit=5")
    two = numbers(filled, "limit=5&city=Portland&status_codes=preferred,normal")

    assert one == two == ["rich"]


# What is unknown


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("status_code", "status_codes"),
        ("statuscodes[]", "status_codes"),
        ("limits", "limit"),
        ("includes", "include"),
        ("postalcode", "postal_code"),
    ],
)
def test_an_unknown_parameter_is_told_the_nearest(filled, name, nearest):
    answer = filled.client.get(CUSTOMERS, params={name: "normal"})

    assert f"did you mean {nearest}" in answer.json()["error"]["message"]


def test_an_unknown_word_is_told_the_nearest(filled):
    answer = filled.client.get(f"{CUSTOMERS}?status_codes=prefered")

    assert "did you mean preferred?" in answer.json()["error"]["message"]


def test_no_parameter_at_all_lists_everything(filled):
    assert numbers(filled, "") == ALL
    assert numbers(filled, "q=") == ALL


def test_a_key_in_the_query_opens_nothing_and_is_unknown(filled):
    keyless = plain_http.get(f"{filled.server.url}{CUSTOMERS}?api_key={filled.key}")

    assert keyless.status_code == 401
    assert_refused(filled.client.get(f"{CUSTOMERS}?api_key=x"), "api_key")
