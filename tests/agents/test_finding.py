"""What agents find: by words, by filters, by name, page after page, in few tokens."""

import re
from collections import Counter
from types import SimpleNamespace

import pytest

from tradebook.mcp.asking import Refused
from tradebook.mcp.choices import KINDS, id_of
from tradebook.mcp.tokens import tokens

ID = re.compile(r"^(ac_[0-9a-z]{13}) \|", re.MULTILINE)
CURSOR = re.compile(r"cursor=(\S+)")


@pytest.fixture
def three(book):
    book.add(
        {"name": "Acme", "number": "A-1", "carrier": "FedEx", "service_level": "Ground", "type": "Retail",
         "payment_term": "Net 30", "price_groups": ["Gold"], "sales_rep_email": "ann@example.com",
         "sales_rep_name": "Ann", "bill_to.locality": "Berlin", "bill_to.country": "DE", "bill_to.name": "Acme"},
        {"name": "Bolt | Nut", "number": "B-2", "carrier": "UPS", "service_level": "Ground", "type": "Hotel",
         "status": "hold_all", "sales_rep_email": "ann.b@example.com", "sales_rep_name": "Ann"},
        {"name": "Çelik", "number": "ß-3", "parent_number": "A-1", "note": "one\ntwo"},
    )  # fmt: skip
    return book


def found(agent, **arguments):
    """The numbers of what is found."""
    rows = [row.split(" | ") for row in agent.call("find_customers", **arguments).splitlines()]
    return [row[1] for row in rows if row[0].startswith("ac_")]


def test_customers_are_found_by_words_and_by_the_names_of_what_they_refer_to(three, agents):
    agent = agents.of(three)
    carrier = next(
        each["id"] for each in three.get("/v1/operations/carriers")["data"] if each["name"] == "UPS"
    )

    by = {
        "nothing": found(agent),
        "words": found(agent, q="ACME berlin"),
        "a carrier": found(agent, carrier_ids=["fedEX"]),
        "two carriers": found(agent, carrier_ids=["FedEx", carrier]),
        "a single value": found(agent, carrier_ids=carrier),
        "a level of one carrier": found(agent, carrier_ids=["ups"], service_level_ids=["ground"]),
        "a level within its carrier": found(agent, service_level_ids=["FedEx: Ground"]),
        "groups": found(agent, customer_group_ids=["retail"], pricing_group_ids=["GOLD"]),
        "terms": found(agent, payment_term_ids=["net 30"]),
        "an email": found(agent, sales_rep_ids=["Ann.B@example.com"]),
        "a status": found(agent, status_codes=["hold_all", "preferred"]),
        "parents": found(agent, parent_account_status="parent"),
        "a city": found(agent, city="Berlin"),
        "nulls and empty lists": found(agent, q=None, carrier_ids=[], cursor=None, max_tokens=None),
    }

    assert by == {
        "nothing": ["ß-3", "B-2", "A-1"],
        "words": ["A-1"],
        "a carrier": ["A-1"],
        "two carriers": ["B-2", "A-1"],
        "a single value": ["B-2"],
        "a level of one carrier": ["B-2"],
        "a level within its carrier": ["A-1"],
        "groups": ["A-1"],
        "terms": ["A-1"],
        "an email": ["B-2"],
        "a status": ["B-2"],
        "parents": ["A-1"],
        "a city": ["A-1"],
        "nulls and empty lists": ["ß-3", "B-2", "A-1"],
    }


def test_of_names_that_differ_in_case_the_one_that_is_spelled_so_is_meant(agents):
    """A book from before names were compared so may have them."""
    kind = KINDS["type_groups"]
    ids = {"GRP": "acgr_0000000000001", "Grp": "acgr_0000000000002"}
    entries = [{"id": key, "name": name} for name, key in ids.items()]
    book = SimpleNamespace(entries=lambda path, pairs=(): entries if path == kind.path else [])

    assert {name: id_of(book, "customer_group_ids", f" {name}") for name in ids} == ids
    with pytest.raises(Refused, match="2 type groups are called grp"):
        id_of(book, "customer_group_ids", "grp")


def test_what_can_not_be_understood_is_refused_with_what_to_do(three, agents):
    agent = agents.of(three)

    refused = {
        "misspelt": agent.refused("find_customers", status=["hold_all"]),
        "as in a URL": agent.refused("find_customers", **{"status_codes[]": ["hold_all"]}),
        "no such name": agent.refused("find_customers", carrier_ids=["Fedx"]),
        "several": agent.refused("find_customers", service_level_ids=["ground"]),
        "two people": agent.refused("find_customers", sales_rep_ids=["ann"]),
        "another kind": agent.refused("find_customers", customer_group_ids=["Gold"]),
        "a word": agent.refused("find_customers", status_codes=["hold"]),
        "a limit": agent.refused("find_customers", limit=5000),
        "a time": agent.refused("find_customers", start_date="yesterday"),
        "a cursor": agent.refused("find_customers", cursor="AAAA"),
        "a type": agent.refused("find_customers", limit="ten"),
        "tokens": agent.refused("find_customers", max_tokens=10),
        "a tool": agent.refused("find_customer", q="x"),
        "which": agent.refused("get_customer"),
        "both": agent.refused("get_customer", id="ac_1", number="A-1"),
        "no id": agent.refused("get_customer", id="A-1"),
        "no path": agent.refused("get_customer", id="ac_1/price_groups"),
        "no number": agent.refused("get_customer", number="A-9"),
        "no choice": agent.refused("list_choices", kind="carrier"),
    }

    assert {name: text.partition(":")[0] for name, text in refused.items()} == {
        "misspelt": "parameter_unknown",
        "as in a URL": "parameter_unknown",
        "no such name": "resource_not_found",
        "several": "validation_failed",
        "two people": "validation_failed",
        "another kind": "resource_not_found",
        "a word": "parameter_invalid",
        "a limit": "parameter_invalid",
        "a time": "parameter_invalid",
        "a cursor": "parameter_invalid",
        "a type": "parameter_invalid",
        "tokens": "parameter_invalid",
        "a tool": "parameter_unknown",
        "which": "parameter_missing",
        "both": "parameter_invalid",
        "no id": "parameter_invalid",
        "no path": "parameter_invalid",
        "no number": "resource_not_found",
        "no choice": "parameter_invalid",
    }
    assert "did you mean status_codes" in refused["misspelt"]
    assert "did you mean status_codes?" in refused["as in a URL"]
    assert refused["no such name"].endswith("did you mean FedEx?")
    assert all(name in refused["several"] for name in ("FedEx: Ground", "UPS: Ground", "crop_"))
    assert all(email in refused["two people"] for email in ("ann@example.com", "ann.b@example.com"))
    assert "did you mean hold_shipment or hold_all?" in refused["a word"]
    del refused["as in a URL"]
    assert not any("[]" in text or "next_page_url" in text for text in refused.values())


def test_a_walk_in_few_tokens_gives_every_customer_once(agents, book):
    book.add(*({"name": f"Customer {number} {'Größe ' * (number % 9)}"} for number in range(120)))
    agent = agents.of(book)

    seen, cursor = [], {}
    while cursor is not None:
        text = agent.call("find_customers", q="customer", limit=50, max_tokens=400, **cursor)
        assert tokens(text) <= 400
        seen += ID.findall(text)
        rest = CURSOR.search(text)
        cursor = {"cursor": rest[1]} if rest else None

    assert Counter(seen) == Counter(each["id"] for each in book.get(limit=1000)["data"])


def test_an_answer_says_how_many_it_leaves_out(agents, book):
    book.add(*({"name": f"Customer {number}"} for number in range(30)))
    agent = agents.of(book)

    cut = agent.call("find_customers", limit=25, max_tokens=300)
    whole = agent.call("find_customers", limit=25)

    shown = len(ID.findall(cut))
    assert 0 < shown < 25
    assert f"{25 - shown} more asked for are left out" in cut
    assert "25 customers. More with cursor=" in whole
    assert "left out" not in whole
    assert agent.call("find_customers", limit=40).endswith("30 customers; that is all.")


def test_one_customer_is_shown_with_everything_that_is_set(three, agents):
    agent = agents.of(three)
    parent, child = agent.call("get_customer", number="a-1"), agent.call("get_customer", number="SS-3")

    assert {
        "number: A-1", "name: Acme", "type group: Retail", "carrier: FedEx", "service level: Ground",
        "payment term: Net 30", "sales rep: Ann, ann@example.com", "price_groups:", "child_accounts:",
    } <= set(parent.splitlines())  # fmt: skip
    assert re.search(r"^bill to: Acme, Berlin, DE \(ad_\w{13}\)$", parent, re.MULTILINE)
    assert re.search(r"^Gold \(acgr_\w{13}\)$", parent, re.MULTILINE)
    assert re.search(r"^ß-3 Çelik \(ac_\w{13}\)$", parent, re.MULTILINE)
    assert 'note: "one\\ntwo"' in child
    assert re.search(r"^parent: A-1 Acme \(ac_\w{13}\)$", child, re.MULTILINE)
    assert "credit limit" not in parent + child
    assert '"Bolt | Nut"' in agent.call("find_customers", q="bolt")


@pytest.mark.parametrize("number", ["a/b", "a//b", "..", "%2F", "a b+c", "Zürich", "?q=x", "ac_1"])
def test_a_number_is_taken_as_it_is(agents, book, number):
    book.add({"name": "It", "number": number})

    assert "name: It" in agents.of(book).call("get_customer", number=number)


def test_all_children_of_a_customer_are_reached(agents, book):
    book.add({"name": "Head", "number": "head"})
    book.add(*({"name": f"Branch {n}", "number": f"b{n}", "parent_number": "head"} for n in range(60)))
    agent = agents.of(book)

    seen, cursor = [], {}
    while cursor is not None:
        text = agent.call("get_customer", number="head", max_tokens=500, **cursor)
        assert tokens(text) <= 500
        seen += re.findall(r"^(b\d+) Branch", text, re.MULTILINE)
        rest = CURSOR.search(text)
        cursor = {"cursor": rest[1]} if rest else None

    assert Counter(seen) == Counter(f"b{n}" for n in range(60))


def test_a_long_note_is_cut_and_says_so(agents, book):
    book.add({"name": "It", "number": "1", "note": "word " * 1_900})
    agent = agents.of(book)

    short, whole = (agent.call("get_customer", number="1", max_tokens=count) for count in (400, 6_000))

    assert tokens(short) <= 400
    assert "more characters)" in short
    assert "word word\nprice" not in short
    assert ("word " * 1_900).strip() in whole


def test_all_choices_are_listed_once_in_few_tokens(three, agents):
    agent = agents.of(three)
    whole = agent.call("list_choices", max_tokens=5_000)

    seen, cursor = [], {}
    while cursor is not None:
        text = agent.call("list_choices", max_tokens=300, **cursor)
        assert tokens(text) <= 300
        seen += re.findall(r" = (\w+)$", text, re.MULTILINE)
        rest = CURSOR.search(text)
        cursor = {"cursor": rest[1]} if rest else None

    assert seen == re.findall(r" = (\w+)$", whole, re.MULTILINE)
    assert [line[:-1] for line in whole.splitlines() if line.endswith(":")] == list(KINDS)
    assert {"Retail", "Gold", "FedEx", "UPS: Ground", "Net 30", "Ann, ann@example.com", "hold_all"} <= {
        line.partition(" = ")[0] for line in whole.splitlines()
    }
    assert agent.call("list_choices", kind="pricing_groups").count("\n") == 1


def test_a_book_says_what_it_is(three, agents):
    _, key = three.new_key(permissions=("customers:read", "carriers:read"))

    text = agents.of(three, key).call("describe_book")

    assert f"The customer book of Test (account {three.account}, environment test)." in text
    assert "Customers: 3." in text
    assert "The key may: read carriers, customers." in text


def test_a_key_without_a_permission_is_told_which(three, agents):
    _, key = three.new_key(permissions=("customers:read",))
    agent = agents.of(three, key)

    assert "carriers:read" in agent.refused("find_customers", carrier_ids=["FedEx"])
    choices = agent.call("list_choices")
    assert "carriers: insufficient_permissions" in choices
    assert "hold_all = acst_" in choices
