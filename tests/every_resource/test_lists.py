"""The lists of every resource keep the invariants of the customer list: exact pages, both ways, any limit."""

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.book import Book, walk
from tests.fixtures.samples import WRITTEN, Maker, listing
from tradebook.crud.resource import ListRoute
from tradebook.resources import ALL

COUNT = 7
FREE = [
    pytest.param(resource, route, id=route.path)
    for resource in ALL
    for route in resource.routes
    # What a row of an import does has no id; its own tests walk it.
    if isinstance(route, ListRoute) and "id" in route.item.__struct_fields__
]


@pytest.fixture(scope="module")
def filled(server):
    """A book with some of each resource, and where each list is."""
    book = Book(server)
    maker = Maker(book)
    paths = {}
    for resource in WRITTEN:
        where = maker.path(listing(resource))
        for _ in range(COUNT):
            assert book.client.post(where, json=maker.required(resource)).status_code == 201
        paths[listing(resource).path] = where
    for _ in range(COUNT):
        maker.of_prefix("imp")
    parent = maker.of_prefix("ac")
    for _ in range(COUNT):
        maker.of_prefix("ac", parent_account_id=parent)
    groups = [maker.of_prefix("acgr", type="pricing_group") for _ in range(COUNT)]
    book.client.patch(f"/v1/sales/customers/{parent}", json={"customer_price_group_ids": groups})
    carrier = maker.of_prefix("cr")
    path = f"/v1/operations/carriers/{carrier}/service-levels"
    levels = [book.client.post(path, json={"name": f"L{n}"}).json()["id"] for n in range(COUNT)]
    term = maker.of_prefix("shtm", free_shipping_service_level_ids=levels)
    paths["/v1/sales/customers/{id}/child_accounts"] = f"/v1/sales/customers/{parent}/child_accounts"
    paths["/v1/sales/customers/{id}/price_groups"] = f"/v1/sales/customers/{parent}/price_groups"
    address = maker.of_prefix("ad", customer_ids=[parent, *(maker.of_prefix("ac") for _ in range(2))])
    paths["/v1/sales/addresses/{id}/customers"] = f"/v1/sales/addresses/{address}/customers"
    free = "/v1/operations/shipping-terms/{id}/free_shipping_service_levels"
    paths[free] = free.format(id=term)
    book.paths = paths
    yield book
    book.close()


def ids(entries):
    return [entry["id"] for entry in entries]


@pytest.mark.parametrize(("resource", "route"), FREE)
@pytest.mark.parametrize("limit", [1, 2, 3, 1000])
def test_a_walk_meets_every_entry_once_in_order_and_back(filled, resource, route, limit):
    path = filled.paths.get(route.path, route.path)
    whole = ids(filled.client.get(path, params={"limit": 1000}).json()["data"])
    assert len(whole) >= 3
    assert len(set(whole)) == len(whole)
    assert whole == sorted(whole, key=lambda key: key.partition("_")[2], reverse=True)

    there = ids(walk(filled.client, path, limit=limit))
    back = list(backwards(filled.client, path, limit))

    assert there == whole
    assert back == whole


def backwards(client, path, limit):
    """Walk to the last page, then back to the first, and return the entries in list order."""
    answer = client.get(path, params={"limit": limit}).json()
    while answer["page_info"]["next_page_url"]:
        answer = client.get(answer["page_info"]["next_page_url"]).json()
    pages = [ids(answer["data"])]
    while answer["page_info"]["previous_page_url"]:
        answer = client.get(answer["page_info"]["previous_page_url"]).json()
        pages.append(ids(answer["data"]))
    assert not answer["page_info"]["has_prev_page"]
    return [key for page in reversed(pages) for key in page]


@pytest.mark.parametrize(("resource", "route"), FREE)
@pytest.mark.parametrize("limit", ["0", "1001", "ten", "-1"])
def test_a_limit_that_is_none_is_refused(filled, resource, route, limit):
    path = filled.paths.get(route.path, route.path)

    check_envelope(filled.client.get(path, params={"limit": limit}), 400, "limit", "parameter_invalid")


@pytest.mark.parametrize(("resource", "route"), FREE)
def test_a_cursor_is_good_for_its_own_list_only(filled, resource, route):
    path = filled.paths.get(route.path, route.path)
    url = filled.client.get(path, params={"limit": 1}).json()["page_info"]["next_page_url"]
    cursor = url.partition("cursor=")[2]

    for damaged in (cursor[:-1], cursor[:-1] + ("A" if cursor[-1] != "A" else "B"), "x"):
        answer = filled.client.get(path, params={"limit": 1, "cursor": damaged})
        check_envelope(answer, 400, "cursor", "parameter_invalid")
    other = "/v1/sales/account-groups" if "account-groups" not in path else "/v1/sales/addresses"
    check_envelope(filled.client.get(other, params={"cursor": cursor}), 400, "cursor", "parameter_invalid")
