"""Merging customers: all or nothing, and nothing is dropped that the preview does not show."""

import pytest

from tests.contract.checks import check_customer, check_envelope
from tests.fixtures.samples import Maker
from tests.resources.test_customers import CUSTOMERS, create, found, patch, show
from tradebook.crud.change import Change
from tradebook.ids import decode_id
from tradebook.resources.customers import merging, parents, writing


@pytest.fixture
def maker(book):
    return Maker(book)


def merge(maker, target, *sources, **fields):
    return maker.client.post(
        f"{CUSTOMERS}/{target['id']}/actions/merge",
        json={"source_customer_ids": [source["id"] for source in sources], **fields},
    )


def addresses_of(maker, customer):
    return {a["id"] for a in maker.book.get("/v1/sales/addresses", customer_ids=customer["id"])["data"]}


def test_addresses_groups_and_children_move_and_the_sources_are_gone(maker):
    shared, own = (maker.of_prefix("acgr", type="pricing_group") for _ in "ab")
    target = create(maker, customer_price_group_ids=[shared])
    source = create(maker, name="Gone", customer_price_group_ids=[shared, own])
    children = [create(maker, parent_account_id=source["id"]) for _ in "ab"]
    everywhere = maker.of_prefix("ad", customer_ids=[target["id"], source["id"]], locality="Everywhere")
    moved = addresses_of(maker, source) | addresses_of(maker, target)

    answer = merge(maker, target, source)

    assert answer.status_code == 200, answer.text
    remaining = answer.json()
    assert remaining.pop("losses")
    assert remaining.pop("left_out") == {"losses": 0}
    check_customer(remaining)
    after = show(maker, target)
    assert answer.json()["id"] == target["id"]
    assert addresses_of(maker, target) == moved
    assert everywhere in moved
    assert len(moved) == 5
    assert {group["id"] for group in after["price_groups"]["data"]} == {shared, own}
    assert {child["id"] for child in after["child_accounts"]["data"]} == {child["id"] for child in children}
    assert after["relationship_type"] == "parent"
    assert show(maker, children[0])["parent_account"]["id"] == target["id"]
    assert found(maker, q="gone") == []
    assert found(maker, city="Everywhere") == [target["id"]]
    assert found(maker, parent_account_status="parent") == [target["id"]]
    assert source["id"] not in found(maker)


def test_a_merged_id_points_to_its_survivor_also_over_several_merges(maker):
    first, second, last = (create(maker) for _ in range(3))
    merge(maker, second, first)
    merge(maker, last, second)

    for gone in (first, second):
        path = f"{CUSTOMERS}/{gone['id']}"
        for method, url, body in (
            ("GET", path, None),
            ("PATCH", path, {"name": "x"}),
            ("DELETE", path, None),
            ("GET", f"{path}/child_accounts", None),
            ("POST", f"{path}/actions/merge", {"source_customer_ids": [last["id"]]}),
        ):
            answer = maker.client.request(method, url, json=body)
            assert last["id"] in check_envelope(answer, 404, "id", "resource_not_found")["message"]
            assert answer.headers["location"] == f"{CUSTOMERS}/{last['id']}"
    maker.client.delete(f"{CUSTOMERS}/{last['id']}")
    check_envelope(maker.client.get(f"{CUSTOMERS}/{first['id']}"), 404, "id", "resource_not_found")


def test_a_preview_shows_what_moves_and_what_is_lost_and_does_nothing(maker):
    group = maker.of_prefix("acgr", type="pricing_group")
    target = create(maker, note="kept", email="kept@example.com")
    parent = create(maker)
    source = create(
        maker,
        note="lost",
        email="kept@example.com",
        phone="555",
        credit_limit={"value": "7.50"},
        customer_price_group_ids=[group],
        parent_account_id=parent["id"],
    )
    before = [show(maker, each) for each in (target, source, parent)]

    answer = merge(maker, target, source, dry_run=True)

    preview = answer.json()
    assert answer.status_code == 200, answer.text
    assert preview["object"] == "customer_merge_preview"
    assert preview["moved_price_group_ids"] == [group]
    assert set(preview["moved_address_ids"]) == addresses_of(maker, source)
    assert preview["moved_child_account_ids"] == []
    losses = {loss["field"]: (loss["lost"], loss["kept"]) for loss in preview["losses"]}
    assert losses["note"] == ("lost", "kept")
    # What the target has not set is taken, and not lost.
    assert {"phone", "credit_limit", "parent_account_id"} & set(losses) == set()
    assert "email" not in losses
    assert {loss["customer_id"] for loss in preview["losses"]} == {source["id"]}
    assert [show(maker, each) for each in (target, source, parent)] == before


def test_what_a_merge_drops_is_what_its_preview_shows(maker):
    """An independent look: every value of the source is the target's, moved, or among the losses."""
    target = create(maker)
    source = create(maker, note="n", phone="1", status="hold_all", accepts_invoice_emails=True)
    had = show(maker, source)
    preview = merge(maker, target, source, dry_run=True).json()

    merge(maker, target, source)

    kept = show(maker, target)
    lost = {loss["field"] for loss in preview["losses"]}
    for key, named in {
        "name": "name", "number": "number", "note": "note", "status": "status", "edi_status": "edi_status",
        "commission_policy": "commission_policy", "type": "customer_type_group_id",
    }.items():  # fmt: skip
        if had[key] != kept[key]:
            assert named in lost, key
    assert {"accepts_invoice_emails", "default_payment_term_id", "default_carrier_id"} <= lost


def test_a_target_that_was_the_source_s_child_takes_its_place(maker):
    source = create(maker)
    target, sibling = (create(maker, parent_account_id=source["id"]) for _ in "ab")

    assert merge(maker, target, source).status_code == 200

    after = show(maker, target)
    assert after["relationship_type"] == "parent"
    assert after["parent_account"] is None
    assert [child["id"] for child in after["child_accounts"]["data"]] == [sibling["id"]]


def test_a_source_that_was_the_target_s_child_leaves_no_child_behind(maker):
    target = create(maker)
    source = create(maker, parent_account_id=target["id"])

    assert merge(maker, target, source).json()["relationship_type"] == "standalone"
    assert found(maker, parent_account_status="parent") == []


def test_sources_may_be_each_other_s_family(maker):
    target, parent = create(maker), create(maker)
    child = create(maker, parent_account_id=parent["id"])

    assert merge(maker, target, child, parent).json()["relationship_type"] == "standalone"
    assert found(maker) == [target["id"]]


def test_a_parent_that_loses_its_only_child_by_a_merge_is_none(maker):
    target, parent, other = create(maker), create(maker), create(maker)
    patch(maker, target, parent_account_id=other["id"])
    source = create(maker, parent_account_id=parent["id"])

    merge(maker, target, source)

    assert show(maker, parent)["relationship_type"] == "standalone"


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_can_t_be_merged_is_refused_and_nothing_moves(maker, dry_run):
    parent = create(maker)
    target, source = create(maker, parent_account_id=parent["id"]), create(maker)
    create(maker, parent_account_id=source["id"])
    before = [show(maker, each) for each in (parent, target, source)]
    nobody = {"id": "ac_7zzzzzzzzzzzz"}
    param = "source_customer_ids"

    levels = merge(maker, target, source, dry_run=dry_run)
    itself = merge(maker, target, source, target, dry_run=dry_run)
    missing = merge(maker, target, source, nobody, dry_run=dry_run)
    empty = merge(maker, target, dry_run=dry_run)

    check_envelope(levels, 409, param, "resource_conflict")
    check_envelope(itself, 400, param, "validation_failed")
    check_envelope(missing, 400, param, "validation_failed")
    check_envelope(empty, 400, param, "invalid_format")
    assert [show(maker, each) for each in (parent, target, source)] == before


def test_a_merge_obeys_the_tag_and_the_key(maker):
    target, source = create(maker), create(maker)
    path = f"{CUSTOMERS}/{target['id']}/actions/merge"
    body = {"source_customer_ids": [source["id"]]}
    tag = maker.client.get(f"{CUSTOMERS}/{target['id']}").headers["etag"]
    patch(maker, target, note="changed")

    stale = maker.client.post(path, json=body, headers={"If-Match": tag})
    first, again = (maker.client.post(path, json=body, headers={"Idempotency-Key": "m"}) for _ in "ab")

    check_envelope(stale, 412, None, "precondition_failed")
    assert first.status_code == again.status_code == 200
    assert first.content == again.content


def test_what_a_source_was_attached_to_stays_though_the_target_had_it_already(maker):
    """An address that only bills the target would leave it with the next change of that."""
    target, source = create(maker), create(maker)
    shared = maker.of_prefix("ad", customer_ids=[source["id"]], locality="Shared")
    patch(maker, target, bill_to_address_id=shared)

    merge(maker, target, source)
    patch(maker, target, bill_to_address_id=maker.of_prefix("ad"))

    assert shared in addresses_of(maker, target)
    assert found(maker, city="Shared") == [target["id"]]


def test_what_a_source_was_billed_and_shipped_at_is_among_the_losses(maker):
    target, source = create(maker), create(maker)
    places = {part: show(maker, source)[f"{part}_to_address"]["id"] for part in ("bill", "ship")}

    preview = merge(maker, target, source, dry_run=True).json()

    lost = {loss["field"]: loss["lost"] for loss in preview["losses"]}
    assert {part: lost[f"{part}_to_address_id"] for part in places} == places


def test_a_merged_id_in_a_body_is_told_where_it_went(maker):
    target, source, other = (create(maker) for _ in range(3))
    merge(maker, target, source)

    answers = {
        "source_customer_ids": merge(maker, target, source),
        "parent_account_id": patch(maker, other, parent_account_id=source["id"]),
        "customer_ids": maker.client.post(
            "/v1/sales/addresses", json={"name": "A", "country": "DE", "customer_ids": [source["id"]]}
        ),
    }

    for param, answer in answers.items():
        error = check_envelope(answer, 400, param, "validation_failed")
        assert f"{source['id']}, which was merged into {target['id']}" in error["message"]


def test_a_parent_of_more_children_than_are_moved_at_once_is_merged(maker, monkeypatch):
    monkeypatch.setattr(parents, "ROWS_AT_ONCE", 2)
    target, source = create(maker), create(maker)
    children = {create(maker, parent_account_id=source["id"])["id"] for _ in range(5)}
    keys = [decode_id("ac", customer["id"]) for customer in (target, source)]

    with maker.book.database.write(maker.book.account_key) as writer:
        values = {"source_customer_ids": keys[1:], "dry_run": 0}
        row = writing.records.find(writer, keys[0])
        merging.merge(Change(writer=writer, grant=None, path_keys=(keys[0],), row=row, values=values))

    assert {child["id"] for child in show(maker, target)["child_accounts"]["data"]} == children
