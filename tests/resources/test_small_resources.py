"""What is special about groups, users, priorities and statuses."""

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.samples import Maker
from tests.resources.test_customers import create, show
from tradebook.crud import fragments
from tradebook.crud.resource import View
from tradebook.resources import payment_terms
from tradebook.resources.system import system_key

GROUPS, USERS = "/v1/sales/account-groups", "/v1/identity/account-users"


@pytest.fixture
def maker(book):
    return Maker(book)


def test_groups_are_found_by_words_and_by_type(maker):
    gold = maker.of_prefix("acgr", name="Gold Élite", type="pricing_group", description="Best\nof all")
    retail = maker.of_prefix("acgr", name="Retail", type="type_group")

    def listed(**filters):
        return [group["id"] for group in maker.book.get(GROUPS, **filters)["data"]]

    assert listed() == [retail, gold]
    assert listed(q="elite gold") == listed(type="pricing_group") == listed(q="all best") == [gold]
    assert listed(q="gold", type="type_group") == []
    maker.client.patch(f"{GROUPS}/{gold}", json={"name": "Silver"})
    assert (listed(q="gold"), listed(q="silver")) == ([], [gold])
    maker.client.delete(f"{GROUPS}/{gold}")
    assert listed(q="silver") == []
    answer = maker.client.get(GROUPS, params={"type": "nonsense"})
    check_envelope(answer, 400, "type", "parameter_invalid")


def test_groups_of_an_import_are_found_too(maker):
    maker.book.add({"name": "A", "type": "Wholesale", "price_groups": ["Club"]})

    assert [group["name"] for group in maker.book.get(GROUPS, q="wholesale")["data"]] == ["Wholesale"]
    assert [group["name"] for group in maker.book.get(GROUPS, q="clu")["data"]] == ["Club"]


def test_a_group_keeps_its_type(maker):
    group = maker.of_prefix("acgr", type="pricing_group")

    changed = maker.client.patch(f"{GROUPS}/{group}", json={"type": "type_group"})

    check_envelope(changed, 400, "type", "validation_failed")
    assert maker.client.patch(f"{GROUPS}/{group}", json={"type": "pricing_group"}).status_code == 200


def test_a_renamed_group_is_seen_by_the_next_list(maker):
    group = maker.of_prefix("acgr", type="type_group", name="Old")
    customer = create(maker, customer_type_group_id=group)
    show(maker, customer)

    maker.client.patch(f"{GROUPS}/{group}", json={"name": "New"})

    assert show(maker, customer)["type"]["name"] == "New"


@pytest.mark.parametrize(
    "verbs", [["disable", "activate"], ["remove"], ["disable", "disable"], ["remove", "activate"]]
)
def test_users_are_activated_disabled_and_removed(maker, verbs):
    status = {"activate": "active", "disable": "disabled", "remove": "removed"}
    user = maker.of_prefix("acus")

    for verb in verbs:
        answer = maker.client.put(f"{USERS}/{user}/actions/{verb}")
        assert (answer.status_code, answer.json()["status"]) == (200, status[verb])

    assert maker.book.get(f"{USERS}/{user}")["status"] == status[verbs[-1]]


def test_to_be_what_one_is_changes_nothing(maker):
    user = maker.of_prefix("acus")
    first, second = (maker.client.put(f"{USERS}/{user}/actions/disable") for _ in "ab")

    assert first.content == second.content


def test_a_user_has_a_name_or_an_email(maker):
    user = maker.client.post(USERS, json={"email": "ann@example.com", "username": "ann"}).json()
    path = f"{USERS}/{user['id']}"

    assert (user["user"]["email"], user["user"]["username"], user["status"]) == (
        "ann@example.com",
        "ann",
        "active",
    )
    check_envelope(maker.client.post(USERS, json={"username": "x"}), 400, "email", "validation_failed")
    check_envelope(maker.client.patch(path, json={"email": None}), 400, "email", "validation_failed")
    assert maker.client.patch(path, json={"email": None, "name": "Ann"}).json()["user"]["name"] == "Ann"
    check_envelope(maker.client.delete(path), 405, None, "method_not_allowed")


def test_a_disabled_rep_stays_with_his_customers(maker):
    rep = maker.of_prefix("acus", name="Rita")
    customer = create(maker, default_sales_rep_id=rep)

    maker.client.put(f"{USERS}/{rep}/actions/disable")

    assert show(maker, customer)["defaults"]["sales_rep"]["status"] == "disabled"


@pytest.mark.parametrize(
    ("path", "codes"),
    [
        ("/v1/sales/priorities", ["high", "normal", "low"]),
        ("/v1/sales/account-statuses", ["hold_all", "hold_shipment", "preferred", "normal"]),
    ],
)
def test_constants_are_listed_and_shown(maker, path, codes):
    page = maker.book.get(path)["data"]

    assert [entry["code"] for entry in page] == codes
    assert [maker.book.get(f"{path}/{entry['id']}") for entry in page] == page
    for method in ("POST", "PUT"):
        check_envelope(maker.client.request(method, path, json={}), 405, None, "method_not_allowed")


def test_what_is_kept_of_small_tables_has_a_bound_and_is_whole_all_the_same(book, monkeypatch):
    monkeypatch.setattr(fragments, "KEPT_BYTES_MAX", 1_500)
    keys = [system_key("payment_term", place) for place in range(8)]

    with book.database.read(book.account_key) as reader:
        view = View(reader, None)
        for start in range(7):
            two = keys[start : start + 2]
            assert set(two) <= set(payment_terms.fragments.load(reader, [*two, None]))
            assert list(payment_terms.fragments.load_found(view, two)) == two
        kept = [kept.size_bytes for kept in reader.cache.values()]

    assert 0 < max(kept) <= 1_500
