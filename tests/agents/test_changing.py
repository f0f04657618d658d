"""What agents change: with a key that may, through the same checks as over HTTP, and never twice."""

import re
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import pytest

from tradebook.mcp.changing import _MOVED, preview_merge
from tradebook.mcp.tokens import tokens

NEW = {
    "name": "Acme",
    "customer_type_group_id": "retail",
    "default_carrier_id": "ups",
    "default_payment_term_id": "net 30",
    "default_shipping_term_id": "FREE FREIGHT",
    "bill_to_address": {"name": "Acme", "country": "DE", "locality": "Berlin"},
}


@pytest.fixture
def groups(book):
    book.add({"name": "First", "number": "1", "type": "Retail", "price_groups": ["Gold", "Silver"]})
    return book


def one(book, number, *includes):
    return book.get(f"/v1/sales/customers/by-number/{number}", **{"include[]": includes})


def test_a_customer_is_created_with_names_for_ids(groups, agents):
    agent = agents.of(groups)

    text = agent.call(
        "create_customer",
        **NEW,
        number=77,
        default_service_level_id="ground",
        customer_price_group_ids=["gold"],
        parent_account_id="1",
        credit_limit={"value": "100.50", "unit_id": "eur"},
        accepts_invoice_emails=True,
    )

    made = one(
        groups, "77", "freight_preferences.carrier", "freight_preferences.service_level", "price_groups",
        "parent_account", "credit_limit.unit", "bill_to_address", "ship_to_address", "type",
    )  # fmt: skip
    assert "Created." in text
    assert f"{made['id']} | 77 | Acme | Berlin, DE | child" in text
    assert made["freight_preferences"]["carrier"]["name"] == "UPS"
    assert made["freight_preferences"]["service_level"]["name"] == "Ground"
    assert [group["name"] for group in made["price_groups"]["data"]] == ["Gold"]
    assert made["parent_account"]["number"] == "1"
    assert (made["credit_limit"]["value"], made["credit_limit"]["unit"]["code"]) == ("100.50", "EUR")
    assert made["ship_to_address"]["id"] == made["bill_to_address"]["id"]


def test_a_customer_is_changed_by_number_or_by_id(groups, agents):
    agent = agents.of(groups)
    key = one(groups, "1")["id"]

    agent.call("update_customer", number="1", note="x", default_carrier_id="FedEx", status="hold_all")
    agent.call("update_customer", id=key, note=None, default_service_level_id="2day", number="2")

    changed = one(groups, "2", "freight_preferences.service_level")
    assert (changed["id"], changed["note"], changed["status"]) == (key, None, "hold_all")
    assert changed["freight_preferences"]["service_level"]["name"] == "2Day"


def test_fields_are_cleared_by_name_or_with_null(groups, agents):
    agent = agents.of(groups)
    level = {"default_carrier_id": "FedEx", "default_service_level_id": "2Day"}
    agent.call("update_customer", number="1", note="x", email="a@example.com", **level)

    agent.call("update_customer", number="1", clear=["note", "default_service_level_id"], phone="1", url=None)

    changed = one(groups, "1", "contact_info", "freight_preferences.service_level")
    assert (changed["note"], changed["freight_preferences"]["service_level"]) == (None, None)
    assert [changed["contact_info"][name] for name in ("email", "phone", "url")] == [
        "a@example.com",
        "1",
        None,
    ]
    assert "did you mean note?" in agent.refused("update_customer", number="1", clear=["notes"])
    assert "clear names note" in agent.refused("update_customer", number="1", note="y", clear=["note"])
    assert "takes one of" in agent.refused("update_customer", number="1", clear=["name"])
    assert "fields to change" in agent.refused("update_customer", number="1", clear=[])


def test_what_the_api_refuses_is_refused(groups, agents):
    agent = agents.of(groups)

    assert "customer_type_group_id is missing" in agent.refused("create_customer", name="A")
    assert "bill_to_address.country takes" in agent.refused(
        "create_customer", **NEW | {"bill_to_address": {"name": "A", "country": "xx"}}
    )
    assert "number" in agent.refused("create_customer", **NEW, number="1")
    assert "did you mean default_carrier_id" in agent.refused(
        "create_customer", **NEW | {"carrier_id": "UPS"}
    )
    assert "of UPS called 2day" in agent.refused("create_customer", **NEW, default_service_level_id="2day")
    assert "name can't be null" in agent.refused("update_customer", number="1", name=None)
    assert "There is no customer with the number 9" in agent.refused("update_customer", number="9", name="A")
    assert "fields to change" in agent.refused("update_customer", number="1")
    assert groups.numbers() == ["1"]


def test_a_merge_is_previewed_then_done(groups, agents):
    agent = agents.of(groups)
    groups.add(
        {"name": "First again", "number": "2", "email": "b@example.com", "carrier": "FedEx"},
        {"name": "Branch", "number": "3", "parent_number": "2"},
    )
    groups.client.patch(f"/v1/sales/customers/{one(groups, '1')['id']}", json={"email": "a@example.com"})
    second = one(groups, "2")["id"]
    merged = {"target": "1", "sources": [second]}

    preview = agent.call("preview_merge", **merged)
    before = groups.numbers()
    done = agent.call("merge_customers", **merged)

    assert "merge into 1 First" in preview
    assert "1 child accounts" in preview
    assert "2 email: b@example.com lost, a@example.com kept" in preview
    assert before == ["3", "2", "1"]
    assert "Merged." in done
    assert "1 | First" in done
    assert groups.numbers() == ["3", "1"]
    assert re.search(r"merged into ac_\w{13}", agent.refused("get_customer", id=second))
    assert "names the customer itself" in agent.refused("merge_customers", target="1", sources=["1"])
    assert "sources is missing" in agent.refused("merge_customers", target="1", sources=None)
    assert "no customer with the number 9" in agent.refused("preview_merge", target="9", sources=["1"])


@pytest.fixture
def noted(groups):
    """Ten customers beside the first, each with five values to lose: the third is a long note."""
    first = one(groups, "1")["id"]
    groups.add(*({"name": f"Copy {n}", "number": f"c{n}", "email": f"{n}@example.com"} for n in range(10)))
    for n in ("1", *(f"c{n}" for n in range(10))):
        fields = {
            "note": f"{n} " * 3_000,
            "email": f"{n}@x.example",
            "phone": f"+49 30 {n}",
            "url": f"{n}.example",
        }
        answer = groups.client.patch(f"/v1/sales/customers/{one(groups, n)['id']}", json=fields)
        assert answer.status_code == 200, answer.text
    return groups, {"target": first, "sources": [f"c{n}" for n in range(10)]}


LOST = re.compile(r"^c\d \w[\w.]*: .* lost, .* kept$", re.MULTILINE)
LEFT_OUT = re.compile(r"^(\d+) more are left out; (.*)\.$", re.MULTILINE)


def test_a_long_value_hides_none_of_those_behind_it(noted, agents):
    book, merged = noted
    agent = agents.of(book)
    target = merged["target"]
    body = {"source_customer_ids": [one(book, n)["id"] for n in merged["sources"]], "dry_run": True}
    told = book.client.post(f"/v1/sales/customers/{target}/actions/merge", json=body).json()
    whole = len(told["losses"]) + told["left_out"]["losses"]
    short, long = (agent.call("preview_merge", **merged, max_tokens=count) for count in (1_000, 50_000))

    assert len(LOST.findall(long)) == len(told["losses"]) >= 40
    assert "note: c0 c0" in short
    shown = len(LOST.findall(short))
    assert shown >= 10
    assert LEFT_OUT.findall(short) == [(str(whole - shown), "a larger max_tokens shows more")]
    assert tokens(short) <= 1_000

    done = agent.call("merge_customers", **merged)

    shown = len(LOST.findall(done))
    assert shown >= 4
    assert done.endswith(f"Values lost that are not shown: {whole - shown}.")
    assert "max_tokens" not in done


def test_what_the_api_leaves_out_comes_with_fewer_sources():
    """No number of tokens would show it, so none is asked for."""
    told = {"losses": [], "left_out": dict.fromkeys(("losses", *_MOVED), 7)} | {name: [] for name in _MOVED}
    named = {"id": "ac_0000000000001", "number": "1", "name": "A"}
    book = SimpleNamespace(
        find=lambda path, pairs: named, get=lambda path, pairs=(): named, change=lambda *given: told
    )

    text = preview_merge(book, {"target": "1", "sources": ["2"]})

    assert text.endswith("7 more are left out; fewer sources at a time show more.")


def test_a_key_that_may_only_read_has_no_tools_that_change(groups, agents):
    _, key = groups.new_key(permissions=("customers:read",))
    agent = agents.of(groups, key)

    refused = [
        agent.refused("create_customer", **NEW),
        agent.refused("update_customer", number="1", name="X"),
        agent.refused("merge_customers", target="1", sources=["2"]),
        agent.refused("preview_merge", target="1", sources=["1"]),
    ]

    assert len(agent.tools()) == 5
    assert ["customers:create" in refused[0], *("customers:update" in text for text in refused[1:])] == [
        True
    ] * 4
    assert one(groups, "1")["name"] == "First"


def test_a_key_that_may_update_is_offered_that_alone(groups, agents):
    _, key = groups.new_key(permissions=("customers:read", "customers:update", "carriers:read"))

    assert set(agents.of(groups, key).tools()) & {
        "create_customer",
        "update_customer",
        "merge_customers",
    } == {"update_customer"}


def test_many_agents_at_a_time_make_each_customer_once(groups, agents):
    made = [agents.of(groups) for _ in range(4)]

    def create(number):
        return made[number % 4].try_to("create_customer", **NEW, number=f"n{number // 2}")

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(create, range(16)))

    assert sorted(groups.numbers()) == sorted(["1", *(f"n{number}" for number in range(8))])
    assert sum(is_error for _, is_error in results) == 8
