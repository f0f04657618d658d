"""What is special about writing customers: numbers, hierarchy, references, links, and what lists then find."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contract.checks import check_customer, check_envelope
from tests.fixtures import plain_http
from tests.fixtures.samples import Maker
from tradebook.resources.customers.fields import CREATE
from tradebook.resources.quantities import unit_of

CUSTOMERS = "/v1/sales/customers"
EVERYTHING = (
    "bill_to_address.geolocation,ship_to_address.geolocation,type,parent_account,child_accounts,price_groups,"
    "contact_info,credit_limit.unit,notification_preferences,freight_preferences.carrier.service_levels,"
    "freight_preferences.service_level,defaults.payment_term,defaults.shipping_term,defaults.priority,"
    "defaults.sales_rep.user"
)


@pytest.fixture
def maker(book):
    return Maker(book)


def body_of(maker, **fields):
    return {**maker.body(CREATE, only_required=True), **fields}


def create(maker, **fields):
    answer = maker.client.post(CUSTOMERS, json=body_of(maker, **fields))
    assert answer.status_code == 201, answer.text
    return answer.json()


def patch(maker, customer, **fields):
    return maker.client.patch(f"{CUSTOMERS}/{customer['id']}", json=fields)


def show(maker, customer, include=EVERYTHING):
    return maker.book.get(f"{CUSTOMERS}/{customer['id']}", include=include)


def found(maker, **filters):
    return [customer["id"] for customer in maker.book.get(CUSTOMERS, **filters)["data"]]


def test_everything_that_is_given_is_shown_and_found(maker):
    carrier = maker.of_prefix("cr")
    level = maker.client.post(
        f"/v1/operations/carriers/{carrier}/service-levels", json={"name": "Fast"}
    ).json()
    rep = maker.of_prefix("acus", name="Rita Rep")
    price_group = maker.of_prefix("acgr", type="pricing_group")
    body = body_of(
        maker,
        name="Straße & Söhne",
        number="X-1",
        status="preferred",
        edi_status="enabled",
        commission_policy="commission_exempt",
        freight_policy="free_freight",
        note="first\nsecond",
        email="info@example.com",
        phone="+1 (887) 555-0145",
        url="example.com",
        default_carrier_id=carrier,
        default_service_level_id=level["id"],
        default_sales_rep_id=rep,
        default_priority="high",
        carrier_billing_type="third_party",
        carrier_billing_account="A 1",
        credit_limit={"value": "12345.6"},
        customer_price_group_ids=[price_group],
        accepts_invoice_emails=True,
    )

    answer = maker.client.post(CUSTOMERS, json=body, params={"include": EVERYTHING})

    made = answer.json()
    assert answer.status_code == 201, answer.text
    check_customer(made)
    assert made == show(maker, made)
    for field in ("name", "number", "status", "edi_status", "commission_policy", "note"):
        assert made[field] == body[field]
    assert made["contact_info"]["phone"] == body["phone"]
    assert made["credit_limit"]["value"] == "12345.6"
    assert made["credit_limit"]["display_value"] == "$12,345.60"
    assert made["credit_limit"]["unit"]["code"] == "USD"
    assert made["freight_preferences"]["service_level"]["id"] == level["id"]
    assert made["freight_preferences"]["billing_type"] == "third_party"
    assert made["defaults"]["priority"]["code"] == "high"
    assert made["defaults"]["sales_rep"]["user"]["name"] == "Rita Rep"
    assert made["notification_preferences"]["accepts_invoice_emails"] is True
    assert [group["id"] for group in made["price_groups"]["data"]] == [price_group]
    assert made["bill_to_address"]["geolocation"]["country"] == "FR"
    for filters in (
        {"q": "strasse sohne 5550145"},
        {"status_codes": "preferred"},
        {"carrier_ids": carrier},
        {"service_level_ids": level["id"]},
        {"sales_rep_ids": rep},
        {"pricing_group_ids": price_group},
        {"customer_group_ids": body["customer_type_group_id"]},
        {"payment_term_ids": body["default_payment_term_id"]},
        {"shipping_term_ids": body["default_shipping_term_id"]},
        {"freight_status_codes": "free_freight"},
        {"city": body["bill_to_address"]["locality"], "state": body["bill_to_address"]["state"]},
    ):
        assert found(maker, **filters) == [made["id"]], filters


@pytest.mark.parametrize(
    "amount", ["0.1", "99999999999999999.9999999", "21000.00", "-5", "-0.01", "1e3", "", "1,5", "NaN", "١"]
)
def test_decimals_stay_exact_or_are_refused(maker, amount):
    answer = maker.client.post(CUSTOMERS, json=body_of(maker, credit_limit={"value": amount}))

    if amount in ("-5", "-0.01", "1e3", "", "1,5", "NaN", "١"):
        check_envelope(answer, 400, "credit_limit.value", "invalid_format")
    else:
        assert show(maker, answer.json())["credit_limit"]["value"] == amount


@pytest.mark.parametrize("nothing", ["0", "-0", "-0.00", "+0"])
def test_a_credit_limit_may_be_nothing_at_all(maker, nothing):
    made = create(maker, credit_limit={"value": nothing})

    assert show(maker, made)["credit_limit"]["value"] == nothing.lstrip("+-")


def test_a_negative_credit_limit_is_refused_in_words(maker):
    answer = maker.client.post(CUSTOMERS, json=body_of(maker, credit_limit={"value": "-1"}))

    check_envelope(answer, 400, "credit_limit.value", "invalid_format")
    assert "must not be negative" in answer.json()["error"]["message"]


LONGEST_EMAIL = f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.de"


def test_an_email_has_up_to_254_characters(maker):
    assert len(LONGEST_EMAIL) == 254
    made = create(maker, email=LONGEST_EMAIL)

    assert show(maker, made)["contact_info"]["email"] == LONGEST_EMAIL
    assert found(maker, q=LONGEST_EMAIL[-200:]) == [made["id"]]
    error = check_envelope(patch(maker, made, email=f"a{LONGEST_EMAIL}"), 400, "email", "invalid_format")
    assert "255 characters, more than 254" in error["message"]


@pytest.mark.parametrize("line_end", ["\u2028", "\u2029", "\r\n", "\r"])
def test_every_line_end_is_a_line_feed_in_a_note_and_refused_in_a_line(maker, line_end):
    made = create(maker, note=f"one{line_end}two")

    assert made["note"] == "one\ntwo"
    check_envelope(patch(maker, made, name=f"one{line_end}two"), 400, "name", "invalid_format")


def test_a_number_of_json_is_no_decimal(maker):
    for value in ("1.1", "5"):
        raw = f'{{"credit_limit": {{"value": {value}}}}}'
        made = create(maker)
        answer = maker.client.patch(
            f"{CUSTOMERS}/{made['id']}", content=raw, headers={"Content-Type": "application/json"}
        )
        check_envelope(answer, 400, "credit_limit.value", "invalid_format")


def test_the_currency_is_a_unit_s_id(maker):
    euro = create(maker, credit_limit={"value": "5", "unit_id": _unit(maker, "EUR")})

    assert show(maker, euro)["credit_limit"]["display_value"] == "€5.00"
    for unit, code in (
        ("un_7zzzzzzzzzzzz", "validation_failed"),
        ("un_of0another0system", "validation_failed"),
        ("ac_7zzzzzzzzzzzz", "invalid_format"),
        ("EUR", "invalid_format"),
    ):
        wrong = patch(maker, euro, credit_limit={"value": "5", "unit_id": unit})
        check_envelope(wrong, 400, "credit_limit.unit_id", code)


def test_who_was_removed_is_no_choice_of_a_sales_rep(maker):
    """Who has them keeps them, and whoever comes back can be chosen again."""
    users = "/v1/identity/account-users"
    ann, bob = (maker.of_prefix("acus", name=name) for name in ("Ann", "Bob"))
    made = create(maker, default_sales_rep_id=ann)
    for each in (ann, bob):
        maker.client.put(f"{users}/{each}/actions/remove")

    chosen = patch(maker, made, default_sales_rep_id=bob)
    created = maker.client.post(CUSTOMERS, json=body_of(maker, default_sales_rep_id=bob))
    kept = patch(maker, made, default_sales_rep_id=ann, note="as before")

    for refused in (chosen, created):
        check_envelope(refused, 410, "default_sales_rep_id", "resource_gone")
    assert (kept.status_code, kept.json()["note"]) == (200, "as before")
    maker.client.put(f"{users}/{bob}/actions/activate")
    assert patch(maker, made, default_sales_rep_id=bob).status_code == 200


def _unit(maker, code):
    maker.book.add({"name": "Currency", "credit_limit": "1", "credit_limit_currency": code})
    newest = maker.book.get(CUSTOMERS, limit=1, include="credit_limit.unit")["data"][0]
    return newest["credit_limit"]["unit"]["id"]


def test_numbers_go_on_after_the_largest_and_pass_over_what_is_taken(maker):
    assert [create(maker)["number"] for _ in "ab"] == ["1", "2"]
    create(maker, number="41")
    assert create(maker)["number"] == "42"
    create(maker, number="A-7")
    assert create(maker)["number"] == "43"
    other = create(maker)
    patch(maker, other, number="99")
    assert create(maker)["number"] == "100"


def test_fifty_at_once_have_fifty_numbers(maker):
    body = body_of(maker)

    def send(number):
        with plain_http.Client(
            base_url=maker.book.server.url, headers=maker.client.headers, timeout=60
        ) as client:
            answer = client.post(CUSTOMERS, json=body | {"name": f"Number {number}"})
            while answer.status_code == 503:
                answer = client.post(CUSTOMERS, json=body | {"name": f"Number {number}"})
            assert answer.status_code == 201, answer.text
            return answer.json()["number"]

    with ThreadPoolExecutor(50) as pool:
        numbers = list(pool.map(send, range(50)))

    assert sorted(map(int, numbers)) == list(range(1, 51))


def test_children_make_a_parent_and_their_leaving_unmakes_it(maker):
    parent, child = create(maker), create(maker)

    answer = patch(maker, child, parent_account_id=parent["id"])

    assert answer.json()["relationship_type"] == "child"
    assert show(maker, parent)["relationship_type"] == "parent"
    assert [entry["id"] for entry in show(maker, parent)["child_accounts"]["data"]] == [child["id"]]
    assert show(maker, child)["parent_account"]["id"] == parent["id"]
    assert found(maker, parent_account_status="parent") == [parent["id"]]
    check_envelope(maker.client.delete(f"{CUSTOMERS}/{parent['id']}"), 409, "id", "resource_conflict")

    assert patch(maker, child, parent_account_id=None).json()["relationship_type"] == "standalone"

    assert show(maker, parent)["relationship_type"] == "standalone"
    assert found(maker, parent_account_status="parent") == []


def test_a_child_that_is_deleted_leaves_its_parent(maker):
    parent = create(maker)
    child = create(maker, parent_account_id=parent["id"])

    assert maker.client.delete(f"{CUSTOMERS}/{child['id']}").status_code == 200

    assert show(maker, parent)["relationship_type"] == "standalone"
    assert found(maker, parent_account_status="parent") == []


def test_a_child_that_moves_changes_both_parents(maker):
    first, second = create(maker), create(maker)
    child = create(maker, parent_account_id=first["id"])

    patch(maker, child, parent_account_id=second["id"])

    assert [show(maker, each)["relationship_type"] for each in (first, second)] == ["standalone", "parent"]


def test_there_is_one_level(maker):
    parent, other = create(maker), create(maker)
    child = create(maker, parent_account_id=parent["id"])
    param, code = "parent_account_id", "resource_conflict"

    check_envelope(patch(maker, other, parent_account_id=child["id"]), 409, param, code)
    check_envelope(patch(maker, parent, parent_account_id=other["id"]), 409, param, code)
    check_envelope(patch(maker, other, parent_account_id=other["id"]), 409, param, code)
    below = maker.client.post(CUSTOMERS, json=body_of(maker, parent_account_id=child["id"]))
    check_envelope(below, 409, param, code)
    assert len(found(maker)) == 3


def test_two_requests_that_together_would_make_two_levels_do_not(maker):
    for _ in range(8):
        first, second, third = (create(maker) for _ in range(3))

        def be_child(pair):
            with plain_http.Client(
                base_url=maker.book.server.url, headers=maker.client.headers, timeout=60
            ) as client:
                child, parent = pair
                return client.patch(
                    f"{CUSTOMERS}/{child['id']}", json={"parent_account_id": parent["id"]}
                ).status_code

        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(be_child, [(first, second), (second, third)]))

        assert statuses == [200, 409]
        kinds = [show(maker, each)["relationship_type"] for each in (first, second, third)]
        assert sorted(kinds) == ["child", "parent", "standalone"]


def test_each_group_has_its_kind(maker):
    pricing, kind = maker.of_prefix("acgr", type="pricing_group"), maker.of_prefix("acgr", type="type_group")
    made = create(maker)

    wrong_type = patch(maker, made, customer_type_group_id=pricing)
    wrong_price = patch(maker, made, customer_price_group_ids=[pricing, kind])

    check_envelope(wrong_type, 400, "customer_type_group_id", "validation_failed")
    check_envelope(wrong_price, 400, "customer_price_group_ids", "validation_failed")
    assert show(maker, made)["price_groups"]["data"] == []


def test_price_groups_are_replaced_as_a_set(maker):
    a, b, c = (maker.of_prefix("acgr", type="pricing_group") for _ in "abc")
    made = create(maker, customer_price_group_ids=[a, b, b])

    def groups():
        return {group["id"] for group in show(maker, made)["price_groups"]["data"]}

    assert groups() == {a, b}
    patch(maker, made, customer_price_group_ids=[b, c])
    assert groups() == {b, c}
    assert found(maker, pricing_group_ids=a) == []
    assert found(maker, pricing_group_ids=c) == [made["id"]]
    patch(maker, made, note="untouched")
    assert groups() == {b, c}
    patch(maker, made, customer_price_group_ids=[])
    assert groups() == set()


def test_a_level_belongs_to_the_carrier(maker):
    ours, theirs = maker.of_prefix("cr"), maker.of_prefix("cr")
    level, other = (
        maker.client.post(f"/v1/operations/carriers/{carrier}/service-levels", json={"name": "L"}).json()[
            "id"
        ]
        for carrier in (ours, theirs)
    )
    made = create(maker, default_carrier_id=ours, default_service_level_id=level)
    code = "validation_failed"

    check_envelope(patch(maker, made, default_service_level_id=other), 400, "default_service_level_id", code)
    check_envelope(patch(maker, made, default_carrier_id=theirs), 400, "default_carrier_id", code)
    both = patch(maker, made, default_carrier_id=theirs, default_service_level_id=other)
    assert both.status_code == 200
    cleared = patch(maker, made, default_carrier_id=ours, default_service_level_id=None)
    assert cleared.status_code == 200
    assert show(maker, made)["freight_preferences"]["service_level"] is None


def test_a_deleted_carrier_stays_with_those_who_have_it(maker):
    carrier = maker.of_prefix("cr")
    made = create(maker, default_carrier_id=carrier)
    maker.client.delete(f"/v1/operations/carriers/{carrier}")

    assert show(maker, made)["freight_preferences"]["carrier"]["deleted_at"] is not None
    assert patch(maker, made, note="x").status_code == 200
    assert patch(maker, made, default_carrier_id=carrier).status_code == 200
    refused = maker.client.post(CUSTOMERS, json=body_of(maker, default_carrier_id=carrier))
    check_envelope(refused, 410, "default_carrier_id", "resource_gone")


@pytest.mark.parametrize(
    ("prefix", "field"),
    [
        ("pytm", "default_payment_term_id"),
        ("shtm", "default_shipping_term_id"),
        ("acgr", "customer_type_group_id"),
    ],
)
def test_what_customers_refer_to_can_t_be_deleted_and_the_count_is_told(maker, prefix, field):
    fields = {"type": "type_group"} if prefix == "acgr" else {}
    target = maker.of_prefix(prefix, **fields)
    first, second = (create(maker, **{field: target}) for _ in "ab")
    path = next(
        path
        for path in ("/v1/finance/payment-terms", "/v1/operations/shipping-terms", "/v1/sales/account-groups")
        if maker.client.get(f"{path}/{target}").status_code == 200
    )

    error = check_envelope(maker.client.delete(f"{path}/{target}"), 409, "id", "resource_conflict")

    assert "2 customers" in error["message"]
    for customer in (first, second):
        patch(maker, customer, **{field: maker.of_prefix(prefix, **fields)})
    assert maker.client.delete(f"{path}/{target}").status_code == 200


def test_addresses_change_by_id_and_filters_follow(maker):
    made = create(maker, bill_to_address={"name": "A", "country": "US", "locality": "Austin"})
    elsewhere = maker.of_prefix("ad", locality="Boise", state="ID")
    old = show(maker, made)["bill_to_address"]["id"]

    answer = patch(maker, made, bill_to_address_id=elsewhere, ship_to_address_id=elsewhere)

    assert answer.status_code == 200
    assert show(maker, made)["bill_to_address"]["id"] == elsewhere
    assert show(maker, made)["ship_to_address"]["id"] == elsewhere
    assert found(maker, city="Austin") == [made["id"]]
    maker.client.delete(f"/v1/sales/addresses/{old}/customers/{made['id']}")
    assert found(maker, city="Austin") == []
    assert found(maker, city="Boise", state="ID") == [made["id"]]
    assert found(maker, q="boise") == [made["id"]]
    assert maker.client.delete(f"/v1/sales/addresses/{old}").status_code == 200
    missing = patch(maker, made, bill_to_address_id=old)
    check_envelope(missing, 400, "bill_to_address_id", "validation_failed")


def test_addresses_outlive_their_customer(maker):
    made = create(maker)
    address = show(maker, made)["bill_to_address"]["id"]

    maker.client.delete(f"{CUSTOMERS}/{made['id']}")

    assert maker.client.get(f"/v1/sales/addresses/{address}").status_code == 200
    assert maker.client.delete(f"/v1/sales/addresses/{address}").status_code == 200


def test_a_change_is_seen_by_the_next_list(maker):
    made = create(maker, name="Before")
    assert found(maker, q="before") == [made["id"]]

    patch(maker, made, name="After", status="hold_all")

    assert (found(maker, q="before"), found(maker, q="after", status_codes="hold_all")) == ([], [made["id"]])
    maker.client.delete(f"{CUSTOMERS}/{made['id']}")
    assert found(maker, q="after") == found(maker) == []


def test_a_refused_create_leaves_nothing_behind(maker):
    body = body_of(maker, customer_price_group_ids=["acgr_7zzzzzzzzzzzz"])
    addresses = len(maker.book.get("/v1/sales/addresses")["data"])

    check_envelope(
        maker.client.post(CUSTOMERS, json=body), 400, "customer_price_group_ids", "validation_failed"
    )

    assert found(maker) == []
    assert len(maker.book.get("/v1/sales/addresses")["data"]) == addresses


def test_an_amount_keeps_its_currency_until_another_one_is_named(maker):
    euro, dollar = unit_of("EUR").id, unit_of("USD").id
    customer = create(maker, credit_limit={"value": "7.00", "unit_id": euro})

    shown = []
    for limit in ({"value": "8"}, {"value": "9", "unit_id": None}, {"value": "9", "unit_id": dollar}, None):
        assert patch(maker, customer, credit_limit=limit).status_code == 200
        shown.append((show(maker, customer)["credit_limit"] or {}).get("display_value"))
    patch(maker, customer, credit_limit={"value": "1"})

    assert shown == ["€8.00", "€9.00", "$9.00", None]
    assert show(maker, customer)["credit_limit"]["display_value"] == "$1.00"
