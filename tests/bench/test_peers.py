"""Peers must answer the same customers in the same order: a run that compares different answers ends."""

from pathlib import Path

import pytest

from bench.peers.comparing import own_shown, peer_shown, require_agreement

ADDRESS = {"locality": "Ulm"}
CUSTOMERS = [
    {
        "number": str(number),
        "name": f"Customer {number}",
        "status": "normal",
        "type": {"name": "Retailer"},
        "price_groups": [{"name": "Silver"}, {"name": "Gold"}],
        "parent": {"number": "1"},
        "children": [],
        "bill_to_address": ADDRESS,
        "ship_to_address": None,
    }
    for number in range(13, 10, -1)
]
OWN = {
    "data": [
        {
            **customer,
            "price_groups": {"data": customer["price_groups"][::-1]},
            "parent_account": customer["parent"],
            "child_accounts": None,
            "bill_to_address": {"geolocation": ADDRESS},
        }
        for customer in CUSTOMERS
    ]
}


def compare(customers, *, is_whole=True):
    return require_agreement(
        [("random page", "before 14")],
        lambda _: own_shown(OWN, is_whole=is_whole),
        {
            "Peer": lambda _: peer_shown({"results": customers}, is_whole=is_whole),
            "Table": lambda _: None,
        },
    )


def test_the_same_customers_in_the_same_order_are_compared_and_agree():
    assert compare(CUSTOMERS) == 1
    assert compare(CUSTOMERS, is_whole=False) == 1


@pytest.mark.parametrize(
    ("customers", "told"),
    [
        (CUSTOMERS[::-1], r"Peer, random page: customer 1 is \('11'"),
        (CUSTOMERS[:2], "2 customers, not 3"),
        ([*CUSTOMERS[:2], {**CUSTOMERS[2], "status": "hold_all"}], "customer 3 is"),
        ([{**CUSTOMERS[0], "price_groups": []}, *CUSTOMERS[1:]], "customer 1 is"),
        ([{**CUSTOMERS[0], "bill_to_address": None}, *CUSTOMERS[1:]], "customer 1 is"),
    ],
    ids=["another order", "fewer", "another status", "no price groups", "no address"],
)
def test_a_peer_that_answers_otherwise_ends_the_run(customers, told):
    with pytest.raises(SystemExit, match=told):
        compare(customers)


def test_packages_of_peers_are_locked_and_no_line_names_where_they_come_from():
    lock = (Path(__file__).parents[2] / "requirements-peers.txt").read_text()

    assert 0 < lock.count("==") <= lock.count("--hash=sha256:")
    assert "://" not in lock
