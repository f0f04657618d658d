"""What a merge takes over from the sources, and what it tells that is lost, in the preview and in the answer."""

import msgspec
import pytest

from tests.contract.checkers import assert_error
from tests.fixtures.samples import Maker
from tests.resources.test_customers import create, patch, show
from tradebook.resources.customers.merging import MergedCustomer
from tradebook.resources.customers.shape import Customer

CUSTOMERS = "/v1/sales/customers"
ALL = "contact_info,freight_preferences.carrier,freight_preferences.service_level,credit_limit,parent_account,defaults.priority"


@pytest.fixture
def maker(book):
    return Maker(book)


def merge(maker, target, *sources, headers=None, **more):
    body = {"source_customer_ids": [source["id"] for source in sources], **more}
    return maker.client.post(f"{CUSTOMERS}/{target['id']}/actions/merge", json=body, headers=headers)


def losses(answer):
    assert answer.status_code == 200, answer.text
    return [
        (loss["customer_id"], loss["field"], loss["lost"], loss["kept"]) for loss in answer.json()["losses"]
    ]


def test_a_source_twice_or_the_target_is_refused(maker):
    one, two = create(maker), create(maker)

    for answer in (merge(maker, one, two, two), merge(maker, one, two, one), merge(maker, one, one)):
        assert_error(answer, 400, answer.json()["error"]["code"], "source_customer_ids")
    assert two["id"] in merge(maker, one, two, two).json()["error"]["message"]
    assert len(maker.book.get()["data"]) == 2


def test_what_is_not_set_is_taken_from_the_sources_in_their_order(maker):
    target = create(maker, note="T", default_priority=None)
    first = create(maker, email="first@x.example", note="F", status="preferred")
    second = create(
        maker, email="second@x.example", phone="2", credit_limit={"value": "5.00"}, default_priority="high",
    )  # fmt: skip
    patch(maker, first, default_priority=None)

    seen = merge(maker, target, first, second, dry_run=True)
    done = merge(maker, target, first, second)

    shown = show(maker, target, ALL)
    assert shown["contact_info"]["email"] == "first@x.example"
    assert shown["contact_info"]["phone"] == "2"
    assert (shown["note"], shown["status"]) == ("T", "normal")
    assert shown["credit_limit"]["value"] == "5.00"
    assert shown["defaults"]["priority"]["code"] == "high"
    told = losses(done)
    assert told == losses(seen)
    assert (first["id"], "note", "F", "T") in told
    assert (first["id"], "status", "preferred", "normal") in told
    assert (second["id"], "email", "second@x.example", "first@x.example") in told
    assert {field for _, field, *_ in told} & {"phone", "credit_limit", "default_priority"} == set()
    assert done.json()["left_out"] == {"losses": 0}


def bare(maker, number, **row):
    maker.book.add({"number": number, "name": number, **row})
    return next(c for c in maker.book.get(limit=1000)["data"] if c["number"] == number)


def test_a_level_comes_with_its_carrier_or_not_at_all(maker):
    own = {"carrier": "Van", "service_level": "Day"}
    for number, target_row, sources, expected in (
        ("a", {}, [own, {"carrier": "FedEx", "service_level": "2Day"}], ("Van", "Day")),
        ("b", {"carrier": "FedEx"}, [own, {"carrier": "FedEx", "service_level": "2Day"}], ("FedEx", "2Day")),
        ("c", {"carrier": "UPS"}, [own], ("UPS", None)),
        ("d", {}, [{"carrier": "Van"}, {"carrier": "FedEx", "service_level": "2Day"}], ("Van", None)),
    ):
        target = bare(maker, number, **target_row)
        rest = [bare(maker, f"{number}{place}", **row) for place, row in enumerate(sources)]

        assert merge(maker, target, *rest).status_code == 200

        freight = show(maker, target, ALL)["freight_preferences"]
        level = freight["service_level"]
        assert (freight["carrier"]["name"], level and level["name"]) == expected, number


def test_a_deleted_carrier_is_not_taken(maker):
    target, source = bare(maker, "t"), bare(maker, "s", carrier="Van")
    carrier = show(maker, source, ALL)["freight_preferences"]["carrier"]["id"]
    maker.client.delete(f"/v1/operations/carriers/{carrier}")

    done = merge(maker, target, source)

    assert show(maker, target, ALL)["freight_preferences"]["carrier"] is None
    assert (source["id"], "default_carrier_id", carrier, None) in losses(done)


def test_a_billing_account_comes_with_its_type(maker):
    kind, account = "carrier_billing_type", "carrier_billing_account"
    target = bare(maker, "t", **{kind: "sender"})
    sources = [
        bare(maker, "1", **{kind: "third_party", account: "other"}),
        bare(maker, "2", **{kind: "sender", account: "own"}),
    ]

    merge(maker, target, *sources)

    freight = show(maker, target, ALL)["freight_preferences"]
    assert (freight["billing_type"], freight["billing_account"]) == ("sender", "own")


def test_a_parent_is_taken_only_where_there_stays_one_level(maker):
    parent = create(maker)
    child = create(maker, parent_account_id=parent["id"])
    alone, head = create(maker), create(maker)
    create(maker, parent_account_id=head["id"])

    merge(maker, alone, child)
    other = create(maker, parent_account_id=parent["id"])
    done = merge(maker, head, other)

    assert show(maker, alone, ALL)["parent_account"]["id"] == parent["id"]
    assert show(maker, head, ALL)["parent_account"] is None
    assert (other["id"], "parent_account_id", parent["id"], None) in losses(done)
    assert show(maker, parent)["relationship_type"] == "parent"


def test_addresses_of_a_customer_without_any_are_taken(maker):
    target, source = bare(maker, "t"), create(maker)
    own = show(maker, source)

    merge(maker, target, source)

    shown = show(maker, target)
    for part in ("bill_to_address", "ship_to_address"):
        assert shown[part]["id"] == own[part]["id"]


def test_the_answer_is_a_customer_with_losses_and_a_replay_is_equal(maker):
    target = create(maker, note="T" * 9_000)
    sources = [create(maker, note="S" * 9_000) for _ in range(8)]

    done = merge(maker, target, *sources, headers={"Idempotency-Key": "m"})
    again = merge(maker, target, *sources, headers={"Idempotency-Key": "m"})

    assert (done.status_code, done.content) == (200, again.content)
    assert done.headers["etag"] == again.headers["etag"]
    assert again.headers["idempotent-replayed"] == "true"
    assert done.headers["etag"] == maker.client.get(f"{CUSTOMERS}/{target['id']}").headers["etag"]
    assert list(done.json()) == [key for key in MergedCustomer.__struct_fields__ if key != "external_ids"]
    assert msgspec.json.decode(done.content, type=Customer).id == target["id"]
    listed = {loss["customer_id"] for loss in done.json()["losses"]}
    assert 1 <= len(listed) < len(sources)
    assert done.json()["left_out"]["losses"] > 0
    assert len(done.content) < 60_000
