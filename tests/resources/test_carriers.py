"""What is special about carriers and their service levels: one default a carrier, levels inside their carrier."""

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.samples import Maker
from tests.resources.test_customers import create

CARRIERS = "/v1/operations/carriers"


@pytest.fixture
def maker(book):
    return Maker(book)


def levels_of(maker, carrier):
    return maker.book.get(f"{CARRIERS}/{carrier}/service-levels")["data"]


def add_level(maker, carrier, **fields):
    return maker.client.post(f"{CARRIERS}/{carrier}/service-levels", json=fields)


def test_the_system_s_carriers_are_there_with_their_levels(maker):
    page = maker.book.get(CARRIERS, include="service_levels")["data"]

    levels_of_code = {c["code"]: [level["name"] for level in c["service_levels"]["data"]] for c in page}
    assert levels_of_code == {
        "fedex": ["Priority Overnight", "Standard Overnight", "Express Saver", "2Day", "Ground"],
        "ups": ["Next Day Air", "Next Day Air Saver", "2nd Day Air", "3 Day Select", "Ground"],
        "usps": ["Priority Mail Express", "Priority Mail", "Ground Advantage"],
        "will_call": ["Standard"],
        "delivery": ["Standard"],
        "ltl": ["Standard"],
        "freight_collect": ["Standard"],
    }
    for carrier in page:
        levels = carrier["service_levels"]["data"]
        assert sum(level["is_default"] for level in levels) == 1
        assert levels == levels_of(maker, carrier["id"])


def test_what_the_system_s_levels_are_called_stays_for_ever(maker):
    """They are written into every account when it is made: a new name here would be in new accounts only."""
    page = maker.book.get(CARRIERS, include="service_levels")["data"]

    found = {
        carrier["name"]: [
            level["service_level_token"] for level in reversed(carrier["service_levels"]["data"])
        ]
        for carrier in page
    }
    assert found == {
        "FedEx": [
            "fedex_ground", "fedex_2day", "fedex_express_saver", "fedex_standard_overnight",
            "fedex_priority_overnight",
        ],
        "UPS": [
            "ups_ground", "ups_3_day_select", "ups_2nd_day_air", "ups_next_day_air_saver", "ups_next_day_air",
        ],
        "USPS": ["usps_ground_advantage", "usps_priority_mail", "usps_priority_mail_express"],
        "Will Call": ["will_call_standard"],
        "Delivery": ["delivery_standard"],
        "LTL": ["ltl_standard"],
        "Freight Collect": ["freight_collect_standard"],
    }  # fmt: skip
    ltl = next(carrier for carrier in page if carrier["name"] == "LTL")
    assert [level["name"] for level in ltl["service_levels"]["data"]] == ["Standard"]


def test_a_carrier_has_one_default_level(maker):
    carrier = maker.of_prefix("cr")
    first, second = (add_level(maker, carrier, name=name, is_default=True).json() for name in "ab")

    def defaults():
        return [level["id"] for level in levels_of(maker, carrier) if level["is_default"]]

    assert defaults() == [second["id"]]
    maker.client.patch(f"{CARRIERS}/{carrier}/service-levels/{first['id']}", json={"is_default": True})
    assert defaults() == [first["id"]]
    maker.client.patch(f"{CARRIERS}/{carrier}/service-levels/{first['id']}", json={"is_default": False})
    assert defaults() == []


def test_the_level_that_loses_the_default_is_another_version(maker):
    carrier = maker.of_prefix("cr")
    path = f"{CARRIERS}/{carrier}/service-levels"
    first = add_level(maker, carrier, name="a", is_default=True)
    add_level(maker, carrier, name="b", is_default=True)

    stale = maker.client.patch(
        f"{path}/{first.json()['id']}", json={"name": "c"}, headers={"If-Match": first.headers["etag"]}
    )

    check_envelope(stale, 412, None, "precondition_failed")


def test_the_default_of_the_system_s_carrier_stays(maker):
    fedex = next(c["id"] for c in maker.book.get(CARRIERS)["data"] if c["code"] == "fedex")

    taken = add_level(maker, fedex, name="Ours", is_default=True)
    beside = add_level(maker, fedex, name="Ours")

    check_envelope(taken, 403, "is_default", "insufficient_permissions")
    assert beside.status_code == 201
    assert [level["name"] for level in levels_of(maker, fedex) if level["is_default"]] == ["Ground"]


def test_a_level_is_found_in_its_carrier_only(maker):
    ours, theirs = maker.of_prefix("cr"), maker.of_prefix("cr")
    level = add_level(maker, ours, name="a").json()["id"]

    for method in ("GET", "PATCH", "DELETE"):
        answer = maker.client.request(method, f"{CARRIERS}/{theirs}/service-levels/{level}", json=None)
        check_envelope(answer, 404, "id", "resource_not_found")
    assert maker.client.get(f"{CARRIERS}/{ours}/service-levels/{level}").status_code == 200


def test_names_of_levels_are_unique_within_their_carrier(maker):
    ours, theirs = maker.of_prefix("cr"), maker.of_prefix("cr")
    add_level(maker, ours, name="a")

    check_envelope(add_level(maker, ours, name="a"), 409, "name", "resource_exists")
    assert add_level(maker, theirs, name="a").status_code == 201


def test_a_level_that_customers_or_terms_need_stays(maker):
    carrier = maker.of_prefix("cr")
    level = add_level(maker, carrier, name="Fast & free").json()
    path = f"{CARRIERS}/{carrier}/service-levels/{level['id']}"
    assert level["service_level_token"] == "fast_&_free"
    create(maker, default_carrier_id=carrier, default_service_level_id=level["id"])
    by_customer = check_envelope(maker.client.delete(path), 409, "id", "resource_conflict")
    other = add_level(maker, carrier, name="b").json()["id"]
    maker.of_prefix("shtm", free_shipping_service_level_ids=[other])
    by_term = maker.client.delete(f"{CARRIERS}/{carrier}/service-levels/{other}")

    assert "1 customer still" in by_customer["message"]
    assert "1 shipping term still" in check_envelope(by_term, 409, "id", "resource_conflict")["message"]


def test_the_name_of_a_deleted_carrier_is_free_again(maker):
    carrier = maker.of_prefix("cr", name="DHL")
    maker.client.delete(f"{CARRIERS}/{carrier}")

    assert maker.client.post(CARRIERS, json={"name": "DHL"}).status_code == 201
    check_envelope(
        maker.client.patch(f"{CARRIERS}/{carrier}", json={"name": "X"}), 410, "id", "resource_gone"
    )
    check_envelope(add_level(maker, carrier, name="late"), 410, "carrier_id", "resource_gone")


def test_a_level_of_a_deleted_carrier_stays_as_it_is_and_is_read(maker):
    carrier = maker.of_prefix("cr")
    level = add_level(maker, carrier, name="Slow").json()
    path = f"{CARRIERS}/{carrier}/service-levels/{level['id']}"
    maker.client.delete(f"{CARRIERS}/{carrier}")

    changed = maker.client.patch(path, json={"name": "Slower"})

    check_envelope(changed, 410, "carrier_id", "resource_gone")
    check_envelope(maker.client.delete(path), 410, "carrier_id", "resource_gone")
    assert maker.client.get(path).json() == level
    assert maker.client.get(path.rpartition("/")[0]).json()["data"] == [level]


def test_a_shipping_term_has_amounts_and_free_levels(maker):
    carrier = maker.of_prefix("cr")
    levels = [add_level(maker, carrier, name=name).json()["id"] for name in "ab"]
    term = maker.of_prefix(
        "shtm",
        type="flat_rate_freight",
        flat_rate={"value": "12.50"},
        minimum_order_value={"value": "100"},
        free_shipping_service_level_ids=levels,
    )
    path = f"/v1/operations/shipping-terms/{term}"

    made = maker.book.get(path)

    assert made["flat_rate"]["display_value"] == "$12.50"
    assert made["minimum_order_value"]["value"] == "100"
    assert made["flat_rate"]["id"] != made["minimum_order_value"]["id"]
    assert {level["id"] for level in made["free_shipping_service_levels"]["data"]} == set(levels)
    cleared = maker.client.patch(path, json={"flat_rate": None, "free_shipping_service_level_ids": []}).json()
    assert (cleared["flat_rate"], cleared["free_shipping_service_levels"]["data"]) == (None, [])
    assert cleared["minimum_order_value"]["value"] == "100"
    wrong = maker.client.patch(path, json={"free_shipping_service_level_ids": ["crop_7zzzzzzzzzzzz"]})
    check_envelope(wrong, 400, "free_shipping_service_level_ids", "validation_failed")
    customer = create(maker, default_shipping_term_id=term)
    shown = maker.book.get(f"/v1/sales/customers/{customer['id']}", include="defaults.shipping_term")
    inside = shown["defaults"]["shipping_term"]
    assert (inside["flat_rate"], inside["minimum_order_value"], inside["free_shipping_service_levels"]) == (
        None,
    ) * 3


def test_the_token_of_a_level_may_be_called_code(maker):
    carrier = maker.of_prefix("cr")

    made = add_level(maker, carrier, name="Soon", code="soon_1").json()
    path = f"{CARRIERS}/{carrier}/service-levels/{made['id']}"
    changed = maker.client.patch(path, json={"code": "soon_2"}).json()
    both = maker.client.patch(path, json={"code": "soon_3", "service_level_token": "soon_3"}).json()

    assert [each["service_level_token"] for each in (made, changed, both)] == ["soon_1", "soon_2", "soon_3"]
    differ = {"code": "a", "service_level_token": "b"}
    check_envelope(maker.client.patch(path, json=differ), 400, "code", "validation_failed")
    check_envelope(add_level(maker, carrier, name="Late", **differ), 400, "code", "validation_failed")
    assert maker.client.get(path).json() == both
    assert "code" not in both
