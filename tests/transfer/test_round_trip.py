"""Import of an export gives the same book, byte for byte."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures.ledgers import Ledger, Record
from tests.fixtures.lengths import length
from tradebook.resources import customers
from tradebook.storage.database import Database
from tradebook.transfer import cells as checking
from tradebook.transfer.exports import run as exporting
from tradebook.transfer.files import tables as reading
from tradebook.transfer.imports import deciding, writing

EACH_ONCE = [("sqlite", "csv"), ("postgresql", "ndjson")]
EVERY_PAIR = [*EACH_ONCE, ("sqlite", "ndjson"), ("postgresql", "csv")]

letters = st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], include_characters=";\\=+-@'\",|{}")
texts = st.text(letters, min_size=1, max_size=12).map(str.strip)
words = texts.filter(lambda text: any(letter.isprintable() for letter in text if letter != " "))
# Few, so that they meet: names that differ in case alone, that hold separators, that start a formula.
names = (
    st.sampled_from(["Gold", "gold", "GOLD", "a;b", "a\\;b", "\\", "=1+1", "'=1", "-", "Été", "x" * 254])
    | words
)
notes = st.text(letters | st.just("\n"), min_size=1, max_size=30).map(str.strip).filter(bool)
emails = st.sampled_from(["a@b.c", "A@b.c", "=x@y.z", "rep@example.com"])
amounts = st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,4})?", fullmatch=True)
# Few again, so that many share a millisecond.
times = st.sampled_from(
    ["1970-01-01T00:00:00.000Z", "2020-02-29T12:00:00.123Z", "2020-02-29T12:00:00.124Z", "2100-01-01"]
)
countries = st.sampled_from(["FR", "US", "Germany", "GBR"])

ADDRESS = {
    "name": words,
    "street_line_1": words,
    "street_line_2": words,
    "locality": words,
    "state": words,
    "postal_code": words,
    "phone": words,
    "email": emails,
    "type": st.sampled_from(["standard", "drop_ship"]),
}
OWN = {
    "status": st.sampled_from(["normal", "preferred", "hold_shipment", "hold_all"]),
    "edi_status": st.sampled_from(["enabled", "disabled"]),
    "commission_policy": st.sampled_from(["commission_applied", "commission_exempt"]),
    "freight_policy": st.sampled_from(["free_freight", "billed_freight"]),
    "note": notes,
    "email": emails,
    "phone": words,
    "url": st.sampled_from(["https://example.com/a?b=1;c", "example.com"]),
    "credit_limit": amounts,
    "credit_limit_currency": st.sampled_from(["USD", "EUR", "JPY"]),
    "type": names.map(lambda name: f"T{name}"),
    "price_groups": st.lists(names.map(lambda name: f"P{name}"), max_size=3),
    "parent_number": st.sampled_from(["head", "=head"]),
    "carrier_billing_type": st.sampled_from(["sender", "third_party"]),
    "carrier_billing_account": words,
    "payment_term": names | st.sampled_from(["Net 30", "net 45"]),
    "shipping_term": names,
    "priority": st.sampled_from(["low", "normal", "high"]),
    "sales_rep_email": emails,
    "accepts_invoice_emails": st.booleans(),
    "created_at": times,
}


# Two that agree are one; so is one that agrees with the bill-to address.
further = st.fixed_dictionaries({"country": countries}, optional=ADDRESS)
systems = st.dictionaries(st.sampled_from(["shopify", "Büro 7", "erp", "a.b:c"]), words, max_size=3)


@st.composite
def records(draw: st.DrawFn) -> Record:
    """A new customer with any of the columns."""
    record: Record = {"name": draw(words), **draw(st.fixed_dictionaries({}, optional=OWN))}
    if draw(st.booleans()):
        record |= {"carrier": draw(names), "service_level": draw(names)}
    elif draw(st.booleans()):
        record |= {"carrier": "ups", "service_level": "Ground"}
    if "sales_rep_email" not in record and draw(st.booleans()):
        record["sales_rep_name"] = draw(words)
    parts = draw(st.sampled_from([(), ("bill_to",), ("bill_to", "ship_to"), ("ship_to",)]))
    for part in parts:
        record[f"{part}.country"] = draw(countries)
        given = draw(st.fixed_dictionaries({}, optional=ADDRESS))
        record |= {f"{part}.{name}": value for name, value in given.items()}
    if attached := draw(st.lists(further, max_size=3)):
        record["addresses"] = attached
    return record


books = st.lists(records(), max_size=6).map(
    lambda listed: [
        {"number": "head", "name": "Head"},
        {"number": "=head", "name": "=Head"},
        *({"number": f"c{place}", **record} if place % 3 else record for place, record in enumerate(listed)),
    ]
)


def with_ids(book: list[Record], ids: list[dict[str, str]]) -> list[Record]:
    """Give customers ids in other systems, each of which is one customer's."""
    named = [
        {f"external_ids.{name}": f"{value}{place}" for name, value in some.items()}
        for place, some in enumerate(ids)
    ]
    return [{**record, **some} for record, some in zip(book, [*named, *[{}] * len(book)], strict=False)]


def check_round_trip(first: Ledger, file_format: str) -> None:
    """Export an account, import that into another and over itself, and compare."""
    second = Ledger(first.database)
    size = len(first.records())
    file = first.export(file_format)

    second.take_file(file, file_format)
    again = first.take_file(file, file_format)

    assert second.export(file_format) == file
    assert second.export("ndjson") == first.export("ndjson")
    assert (again.unchanged, again.updated, again.created) == (size, 0, 0)
    assert again.made == {}
    assert first.export(file_format) == file


@pytest.mark.parametrize(("engine", "file_format"), length(EACH_ONCE, EVERY_PAIR), indirect=["engine"])
@settings(
    deadline=None, max_examples=length(25, 200), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(book=books, ids=st.lists(systems, max_size=6))
def test_an_export_makes_the_same_book(
    database_of_ledgers: Database, file_format: str, book: list[Record], ids: list[dict[str, str]]
) -> None:
    """Whatever the book holds, in either format, in a fresh account and over itself."""
    first = Ledger(database_of_ledgers)
    first.take(*with_ids(book, ids))

    assert len(first.records()) == len(book)
    check_round_trip(first, file_format)


def test_an_export_with_a_deleted_carrier_changes_nothing_where_it_came_from(ledger: Ledger) -> None:
    ledger.take({"number": "1", "name": "A", "carrier": "Own Van", "service_level": "Day"})
    ledger.plant(f"UPDATE carriers SET deleted_at = 1 WHERE account_id = {ledger.key} AND name = 'Own Van'")

    again = ledger.take_file(ledger.export("csv"), "csv")

    assert (again.unchanged, again.made) == (1, {})


def in_euro(name: str, value: str | None, _currency: str | None) -> Record:
    """Forget which currency an amount is in."""
    return {name: value, f"{name}_currency": value and "EUR"}


@pytest.mark.parametrize(
    ("file_format", "place", "name", "fault"),
    [
        pytest.param("csv", checking, "split_list", lambda text: text.split(";"), id="groups"),
        pytest.param("csv", reading, "unescape", lambda cell: cell, id="formulas"),
        pytest.param("ndjson", exporting, "milliseconds_of", lambda key: key >> 21 & ~3, id="milliseconds"),
        pytest.param("ndjson", deciding, "kept", in_euro, id="currency"),
        pytest.param("csv", writing._Batch, "take_parent", lambda *_: None, id="parents"),
        pytest.param("csv", customers, "attached_to", lambda *_: [], id="attached"),
        pytest.param("ndjson", customers.external_ids, "set_external_ids", lambda *_, **__: set(), id="ids"),
    ],
)
def test_the_check_of_the_round_trip_finds_faults(
    database_of_ledgers: Database, monkeypatch: pytest.MonkeyPatch, file_format: str, place, name: str, fault
) -> None:
    """With a fault planted in what writes or reads, the check that passes now fails."""
    book = [
        {"number": "1", "name": "A", "price_groups": ["a;b"], "created_at": "2020-01-01T00:00:00.001Z"},
        {
            "number": "2", "name": "B", "credit_limit": "1", "note": "=1", "parent_number": "1",
            "external_ids.erp": "7", "addresses": [{"country": "FR"}, {"country": "US"}],
        },
    ]  # fmt: skip
    first = Ledger(database_of_ledgers)
    first.take(*book)
    check_round_trip(first, file_format)

    monkeypatch.setattr(place, name, fault)

    with pytest.raises(AssertionError):
        check_round_trip(first, file_format)
