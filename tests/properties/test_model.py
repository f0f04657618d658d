"""Arbitrary books and questions: the server's pages against the model's plain lists, whole walks included."""

from collections.abc import Iterator
from contextlib import closing
from itertools import chain

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures.book import Book, walk
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.server import Server
from tests.properties import model

EXAMPLES = length(8, 100)
LIST = "/v1/sales/customers"
TYPES = ("Retail", "Trade", "Hotel")
GROUPS = ("Gold", "Silver", "Ω deals")
TERMS = ("Net 15", "Net 30", "House 10")
CARRIERS = ("FedEx", "UPS", "Own Van")
REPS = ("a@x.example", "b@x.example")
WORDS = (
    "Straße", "STRASSE", "İstanbul", "Łódź", "Müller", "Mu\u0308ller", "Ｔｏｋｙｏ", "東京", "a", "é", "o'x", "100%",
    "a_b", '"q"', "AND", "OR", "x*", "NEAR(", "-5", "ﬁne", "ananas", "nan", "ss", "ab", "12", "2025", "ß",
)  # fmt: skip
TIMES = (
    "2024-01-01T00:00:00.000Z",
    "2024-01-01T00:00:00.001Z",
    "2024-06-30T23:59:59.999Z",
    "2025-02-28T12:00:00.000Z",
)
CITIES = ("Nantes", "Łódź", "San Diego")
STATES = ("NV", "CA")
CODES = ("44000", "440", "0")

text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=3).map(" ".join)


@st.composite
def address(draw, kind):
    """An address with some of its parts."""
    parts = {"country": "US", "name": draw(text)}
    for name, values in (("locality", CITIES), ("state", STATES), ("postal_code", CODES)):
        if draw(st.booleans()):
            parts[name] = draw(st.sampled_from(values))
    return {f"{kind}.{name}": value for name, value in parts.items()}


@st.composite
def records(draw, count):
    """Some customers; a few are children of earlier ones that are no children."""
    made, parents = [], []
    for place in range(count):
        record = {"number": f"N{place}", "name": draw(text), "created_at": draw(st.sampled_from(TIMES))}
        for name, values in (
            ("status", ("normal", "preferred", "hold_shipment", "hold_all")),
            ("commission_policy", ("commission_applied", "commission_exempt")),
            ("freight_policy", ("free_freight", "billed_freight")),
            ("type", TYPES),
            ("payment_term", TERMS),
            ("carrier", CARRIERS),
            ("sales_rep_email", REPS),
            ("email", ("info@nan.example", "x@ab.example")),
            ("phone", ("+1 (702) 555-0138", "40.32.2555", "03 9520 4555")),
        ):
            if draw(st.booleans()):
                record[name] = draw(st.sampled_from(values))
        record["price_groups"] = draw(st.lists(st.sampled_from(GROUPS), unique=True, max_size=3))
        for kind in draw(st.sampled_from(((), ("bill_to",), ("bill_to", "ship_to")))):
            record |= draw(address(kind))
        if parents and draw(st.integers(0, 3)) == 0:
            record["parent_number"] = draw(st.sampled_from(parents))
        else:
            parents.append(record["number"])
        made.append(record)
    return made


asked = st.fixed_dictionaries(
    {},
    optional={
        "q": st.one_of(text, st.sampled_from(("7025550138", "(702) 555", "40322555", "9520-4555", "", "N1"))),
        "status_codes": st.lists(
            st.sampled_from(("normal", "preferred", "hold_all")), min_size=1, max_size=2
        ),
        "commission_status_codes": st.just(["commission_exempt"]),
        "freight_status_codes": st.just(["free_freight"]),
        "types": st.lists(st.sampled_from(TYPES), min_size=1, max_size=2),
        "payment_terms": st.lists(st.sampled_from(TERMS), min_size=1, max_size=2),
        "carriers": st.lists(st.sampled_from(CARRIERS), min_size=1, max_size=2),
        "reps": st.lists(st.sampled_from(REPS), min_size=1, max_size=2),
        "groups": st.lists(st.sampled_from(GROUPS), min_size=1, max_size=2),
        "parent_account_status": st.sampled_from(("parent", "non_parent")),
        "city": st.sampled_from(CITIES),
        "state": st.sampled_from(STATES),
        "postal_code": st.sampled_from(CODES),
        "start_date": st.sampled_from(TIMES),
        "end_date": st.sampled_from(TIMES),
    },
).flatmap(  # most books are small: few questions of many parts would match anything
    lambda chosen: st.sampled_from(sorted(chosen) or ["q"]).map(
        lambda key: {k: v for k, v in chosen.items() if len(chosen) < 4 or k == key}
    )
)


def ids_by_name(book: Book) -> dict[str, dict[str, str]]:
    """The ids of what the records name, as the API shows them."""
    found = {"types": {}, "payment_terms": {}, "carriers": {}, "reps": {}, "groups": {}}
    include = "type,price_groups,defaults.payment_term,freight_preferences.carrier,defaults.sales_rep.user"
    for customer in walk(book.client, include=include, limit=1000):
        rep = customer["defaults"]["sales_rep"]
        for name, shown, key in (
            ("types", customer["type"], "name"),
            ("payment_terms", customer["defaults"]["payment_term"], "name"),
            ("carriers", customer["freight_preferences"]["carrier"], "name"),
        ):
            if shown:
                found[name][shown[key]] = shown["id"]
        if rep:
            found["reps"][rep["user"]["email"]] = rep["id"]
        for group in customer["price_groups"]["data"]:
            found["groups"][group["name"]] = group["id"]
    return found


PARAMETERS = {
    "types": ("customer_group_ids[]", "acgr_7zzzzzzzzzzzz"),
    "payment_terms": ("payment_term_ids[]", "pytm_7zzzzzzzzzzzz"),
    "carriers": ("carrier_ids[]", "cr_7zzzzzzzzzzzz"),
    "reps": ("sales_rep_ids[]", "acus_7zzzzzzzzzzzz"),
    "groups": ("pricing_group_ids[]", "acgr_7zzzzzzzzzzzz"),
}


def parameters_for(question: dict, ids: dict[str, dict[str, str]]) -> dict:
    """Spell a question as query parameters; a name that nobody has becomes an id that nobody has."""
    spelled = {}
    for name, value in question.items():
        if name in PARAMETERS:
            parameter, nobody = PARAMETERS[name]
            spelled[parameter] = [ids[name].get(entry, nobody) for entry in value]
        else:
            spelled[name] = value
    return spelled


def pages(client, parameters: dict, direction: str, start: str | None = None) -> Iterator[dict]:
    """Follow one direction's URLs, checking what every page must say of itself."""
    answer = client.get(start) if start else client.get(LIST, params=parameters)
    while True:
        assert answer.status_code == 200, answer.text
        page = answer.json()
        info = page["page_info"]
        assert info["has_next_page"] == (info["next_page_url"] is not None)
        assert info["has_prev_page"] == (info["previous_page_url"] is not None)
        yield page
        if info[direction] is None:
            return
        answer = client.get(info[direction])


def check_walks(client, parameters: dict, wanted: list[str], limit: int) -> None:
    """Forward and back again: exact rows, exact lengths, true flags."""
    forward = list(pages(client, {**parameters, "limit": limit}, "next_page_url"))
    seen = [[customer["number"] for customer in page["data"]] for page in forward]
    assert list(chain.from_iterable(seen)) == wanted
    assert [len(page) for page in seen] == [
        min(limit, len(wanted) - at) for at in range(0, max(len(wanted), 1), limit)
    ]
    assert not forward[0]["page_info"]["has_prev_page"]
    last = forward[-1]["page_info"]["previous_page_url"]
    if last is not None:
        back = list(pages(client, {}, "previous_page_url", last))
        returned = [[customer["number"] for customer in page["data"]] for page in reversed(back)]
        assert returned == seen[:-1]
        assert all(page["page_info"]["has_next_page"] for page in back)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not IS_SOAK,
    phases=(Phase.explicit, Phase.generate, Phase.shrink) if IS_SOAK else (Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_the_server_answers_as_the_model(server: Server, data):
    """Whatever is in the book and whatever is asked, every walk shows exactly what the model says."""
    listed = data.draw(records(data.draw(st.integers(1, 25))))
    # Closed also where Hypothesis ends an example in the middle.
    with closing(Book(server)) as book:
        book.add(*listed)
        ids = ids_by_name(book)

        for question in data.draw(st.lists(asked, min_size=12, max_size=12)):
            limit = data.draw(st.sampled_from((1, 2, 3, 7, 100)))
            check_walks(book.client, parameters_for(question, ids), model.expected(listed, question), limit)


@pytest.mark.parametrize(
    "fault",
    [
        lambda numbers: numbers[:-1],
        lambda numbers: [*numbers, numbers[-1]],
        lambda numbers: numbers[::-1],
        lambda numbers: [*numbers, "unknown"],
    ],
    ids=["skipped", "repeated", "reversed", "foreign"],
)
def test_the_comparison_notices(book: Book, fault):
    """A wrong list fails the very check that the property uses."""
    book.add(*({"number": f"N{n}", "name": f"Customer {n}"} for n in range(5)))
    true = [f"N{n}" for n in range(4, -1, -1)]
    check_walks(book.client, {}, true, 2)

    with pytest.raises(AssertionError):
        check_walks(book.client, {}, fault(true), 2)
