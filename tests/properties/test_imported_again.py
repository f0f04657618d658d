"""A file that comes in a second time changes nothing, whatever its rows are matched by."""

from hypothesis import given, settings
from hypothesis import strategies as some

from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tradebook.transfer.rows import Match

WORDS = {
    "number": ["1", "01", "a1", "A1", "9"],
    "email": ["a@x.example", "A@X.example", "b@x.example"],
    "phone": ["030 1", "0301", "none", "7"],
    "external_ids.shop": ["1", "2"],
    "name": ["Alder", "Birch"],
    "bill_to.locality": ["Leeds", ""],
    "bill_to.phone": ["5", ""],
    "parent_number": ["9", ""],
    "price_groups": ["Gold;Silver", ""],
}
ROWS = some.lists(
    some.fixed_dictionaries(
        {"address.locality": some.sampled_from(["York", "Hull", ""])},
        optional={name: some.sampled_from(words) for name, words in WORDS.items()},
    ),
    min_size=1,
    max_size=4,
)
BY = some.lists(some.sampled_from(list(WORDS)[:4]), min_size=1, max_size=3, unique=True)


def whole(row: dict) -> dict:
    """A row with what each customer and address needs."""
    return {
        **row,
        "name": row.get("name", "Cedar"),
        "type": "Retail",
        "bill_to.country": "GB" if row.get("bill_to.locality") else "",
        "address.country": "GB" if row.get("address.locality") else "",
    }


@settings(max_examples=length(12, 400), deadline=None)
@given(rows=ROWS, by=BY)
def test_a_file_that_comes_in_again_changes_nothing(database_of_ledgers, rows, by):
    ledger, match = Ledger(database_of_ledgers), Match(tuple(by))
    # A row without any of them is a new customer each time.
    named = [whole(row) for row in rows if any(row.get(column, "none") != "none" for column in by)]

    first, problems = ledger.try_to_take(*named, match=match)
    before = ledger.records()
    again, told = ledger.try_to_take(*named, match=match)

    if not problems:
        assert told == []
        assert (again.created, again.updated) == (0, 0)
        assert again.unchanged == first.created
        assert again.warnings == []
    assert ledger.records() == before
