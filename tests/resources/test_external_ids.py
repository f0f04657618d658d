"""Ids in other systems: one of each system for a customer, and each id one customer's."""

import pytest

from tradebook.errors import InvalidFormat, ResourceExists, ValidationFailed
from tradebook.resources.customers import external_ids
from tradebook.resources.customers.external_ids import ExternalIds


@pytest.fixture
def of(ledger):
    """Three customers, the first of them known to a shop and to an ERP."""
    ledger.take(*({"number": str(n), "name": f"Customer {n}"} for n in range(3)))
    keys = dict(row[1:] for row in ledger.sql("SELECT account_id, number, id FROM customers"))
    made = Ids(ledger, [keys[str(n)] for n in range(3)])
    made.set({0: {"shopify": "72", "erp": "A-1"}})
    return made


class Ids:
    """The ids of some customers, who are called by their places."""

    def __init__(self, ledger, keys):
        self.ledger, self.keys = ledger, keys

    def set(self, wanted):
        """Write ids, and return of whom that changed anything."""
        with self.ledger.database.write(self.ledger.key) as writer:
            changed = external_ids.set_external_ids(
                writer, {self.keys[place]: ids for place, ids in wanted.items()}
            )
        return {self.keys.index(key) for key in changed}

    def all(self):
        """Read all of them."""
        with self.ledger.database.read(self.ledger.key) as reader:
            return list(external_ids.of(reader, self.keys).values())

    def found(self, name, *values):
        """Find customers by their ids."""
        with self.ledger.database.read(self.ledger.key) as reader:
            found = external_ids.find_by(reader, name, values)
        return {value: self.keys.index(key) for value, key in found.items()}


def test_a_customer_is_found_by_its_id_in_a_system(of):
    assert of.found("shopify", "72", "73") == {"72": 0}
    assert of.found("erp", "72", "a-1") == {}


def test_names_are_merged_and_none_takes_one_away(of):
    changed = of.set({0: {"shopify": None, "erp": "A-1", "crm": "9"}, 1: {"erp": None}, 2: {}})

    assert changed == {0}
    assert of.all() == [{"crm": "9", "erp": "A-1"}, {}, {}]


def test_what_changes_nothing_is_told_so(of):
    assert of.set({0: {"shopify": "72", "magento": None}}) == set()


def test_an_id_is_one_customers_for_each_name(of):
    with pytest.raises(ResourceExists, match=r"ac_\w+ has the shopify id 72 already") as refused:
        of.set({1: {"erp": "A-2", "shopify": "72"}})

    assert refused.value.param == "external_ids.shopify"
    assert of.all() == [{"erp": "A-1", "shopify": "72"}, {}, {}]
    assert of.set({1: {"woocommerce": "72"}}) == {1}


def test_two_customers_of_one_change_cant_have_one_id(of):
    with pytest.raises(ResourceExists):
        of.set({1: {"shopify": "80"}, 2: {"shopify": "80"}})


def test_customers_can_change_places_in_one_go(of):
    of.set({1: {"shopify": "73"}})

    of.set(
        {0: {"shopify": "73"}, 1: {"shopify": "72"}, 2: {"erp": "A-1"}} | {0: {"shopify": "73", "erp": None}}
    )

    assert of.all() == [{"shopify": "73"}, {"shopify": "72"}, {"erp": "A-1"}]


def test_a_customer_has_no_more_than_can_be_shown_together(of):
    most = {f"system {n}": "1" for n in range(external_ids.OF_CUSTOMER_MAX)}
    of.set({1: most})

    with pytest.raises(ValidationFailed, match="at most 50"):
        of.set({1: {"one more": "1"}})
    assert of.set({1: {"system 0": None, "one more": "1"}}) == {1}


@pytest.mark.parametrize("name", ["shopify", "Büro 7", "erp:main", "x" * 64, "x\N{COMBINING DIAERESIS}"])
def test_a_name_is_what_a_heading_and_a_path_can_hold(name):
    assert len(ExternalIds().take({name: " 7 "}, "external_ids")) == 1


@pytest.mark.parametrize("name", ["", " ", "a/b", ".", "..", "x" * 65, "a\nb", "a[b]", "-a", "a?b"])
def test_another_name_is_refused(name):
    with pytest.raises(InvalidFormat) as refused:
        ExternalIds().take({name: "7"}, "external_ids")

    assert refused.value.param == f"external_ids.{name}"


@pytest.mark.parametrize("value", ["", "x" * 256, 7, ["7"], {"a": "b"}, "a\tb"])
def test_an_id_is_one_line_of_text(value):
    with pytest.raises(InvalidFormat) as refused:
        ExternalIds().take({"erp": value}, "external_ids")

    assert refused.value.param == "external_ids.erp"
