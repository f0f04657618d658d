"""An address is one where a cell of the row itself says where it is."""

import pytest

from tradebook.transfer.columns import ADDRESS_CELLS
from tradebook.transfer.imports.records import check_row
from tradebook.transfer.rows import Row

EVERY = [cell.name for cell in ADDRESS_CELLS]


@pytest.mark.parametrize("part", ["bill_to", "ship_to", "address"])
@pytest.mark.parametrize("name", ["name", "phone", "email", "type"])
def test_a_name_or_a_phone_alone_makes_no_address(part, name):
    value = {"email": "a@b.example", "type": "drop_ship"}.get(name, "5")

    record = check_row(Row(2, {f"{part}.{name}": value}))

    assert not record.problems
    assert record.addresses == []
    assert not record.says(part) if part != "address" else True


def test_a_constant_of_the_map_makes_no_address():
    row = Row(2, {"bill_to.country": "GB", "bill_to.phone": "1", "address.country": "GB"})
    row.defaulted = frozenset({"bill_to.country", "address.country"})

    record = check_row(row)

    assert not record.says("bill_to")
    assert (record.bill_to, record.addresses) == ({"phone": "1"}, [])


def test_constants_complete_an_address_that_a_cell_makes():
    row = Row(
        2, {"bill_to.locality": "Leeds", "bill_to.country": "GB"}, defaulted=frozenset({"bill_to.country"})
    )

    record = check_row(row)

    assert record.bill_to == {"locality": "Leeds", "country": "GB"}
    assert record.says("bill_to")


def test_an_address_whose_columns_are_all_there_and_say_no_place_is_taken_from_the_customer():
    values = dict.fromkeys((f"bill_to.{name}" for name in EVERY), "")
    row = Row(2, values | {"bill_to.name": "A", "bill_to.country": "GB"})
    row.defaulted = frozenset({"bill_to.country"})

    assert check_row(row).bill_to == dict.fromkeys(EVERY)


def test_attached_addresses_come_from_columns_and_from_a_list():
    values = {"address.country": "GB", "addresses": [{"locality": "Leeds", "country": "GB"}, {"name": "A"}]}

    record = check_row(Row(2, values))

    assert record.addresses == [{"country": "GB"}, {"locality": "Leeds", "country": "GB"}]


@pytest.mark.parametrize(
    ("values", "column", "reason"),
    [
        ({"address.locality": "Leeds"}, "address.country", "is missing"),
        ({"addresses": [{"locality": "Leeds"}]}, "address.country", "is missing"),
        ({"addresses": [{"country": "Utopia"}]}, "address.country", "country"),
        ({"addresses": [{"locality": "York", "land": "GB"}]}, "addresses", "no field of an address"),
        ({"addresses": [{"city": "Leeds"}]}, "addresses", "no field of an address"),
        ({"addresses": ["Leeds"]}, "addresses", "must be a list of addresses"),
        ({"addresses": {"city": "Leeds"}}, "addresses", "must be a list of addresses"),
    ],
)
def test_what_is_wrong_with_an_attached_address_is_a_problem(values, column, reason):
    record = check_row(Row(7, values))

    assert [(each.line, each.column) for each in record.problems] == [(7, column)]
    assert reason in record.problems[0].reason
