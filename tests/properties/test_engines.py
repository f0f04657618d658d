"""The same book on both engines, written and asked in the same way, answers the same bytes but for ids and times."""

import re
from contextlib import closing

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fixtures.book import Book, delete
from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import IS_SOAK, length
from tests.properties.test_model import (
    CARRIERS,
    GROUPS,
    TERMS,
    TYPES,
    asked,
    ids_by_name,
    parameters_for,
    records,
    text,
)
from tradebook.resources import customers

EXAMPLES = length(8, 60)
INCLUDE = ",".join(customers.resource.routes[0].includes)
LIST = "/v1/sales/customers"

_ID = re.compile(r"\b([a-z]{2,6})_([0-9a-hjkmnp-tv-z]{13})\b")
_CURSOR = re.compile(r"cursor=[\w-]+")
_UPDATED = re.compile(r'"updated_at":"[^"]+"')
_CREATED = re.compile(r'"created_at":"20(?:2[6-9]|[3-9])[^"]+"')
"""Of what the import made just now: groups, terms and reps have no time of the file."""

changes = st.fixed_dictionaries(
    {},
    optional={
        "name": text,
        "status": st.sampled_from(("normal", "hold_all")),
        "type": st.sampled_from((*TYPES, "New type")),
        "price_groups": st.lists(st.sampled_from(GROUPS), unique=True, max_size=3),
        "payment_term": st.sampled_from(TERMS),
        "carrier": st.sampled_from(CARRIERS),
        "phone": st.sampled_from(("+49 30 901820", "(702) 555")),
        "note": st.sampled_from(("", "0", "line\nline", "\u2028")),
        "credit_limit": st.sampled_from(("0.10", "1000", "99999999.99")),
    },
)


@pytest.fixture(scope="module")
def both(servers, postgres):
    """One service on each engine."""
    return [servers.of(engine) for engine in (Sqlite(), postgres)]


def bare(answer: str, labels: dict[str, str]) -> str:
    """An answer with a label for each id, in the order in which they were met, and without times of now."""
    named = _ID.sub(lambda m: labels.setdefault(m[0], f"{m[1]}_{len(labels)}"), answer)
    return _CREATED.sub("", _UPDATED.sub("", _CURSOR.sub("cursor", named)))


def answers(book: Book, questions: list[tuple[dict, int]]) -> list[str]:
    """All pages of all questions, forwards and the last one back, and one page that no one has."""
    ids, labels, found = ids_by_name(book), {}, []
    for question, limit in questions:
        url, parameters = LIST, {**parameters_for(question, ids), "limit": limit, "include": INCLUDE}
        while url:
            answer = book.client.get(url, params=parameters)
            found.append(f"{answer.status_code} {bare(answer.text, labels)}")
            info = answer.json()["page_info"]
            url, parameters = info["next_page_url"], None
        if info["previous_page_url"]:
            found.append(bare(book.client.get(info["previous_page_url"]).text, labels))
    return found


def change(book: Book, updates: list[dict], gone: list[str]) -> None:
    """Write the same to a book: rows that are changed, and customers that are deleted."""
    book.add(*updates)
    ids = [customer["id"] for customer in book.get(limit=1000)["data"] if customer["number"] in gone]
    delete(book, ids)


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=not IS_SOAK,
    phases=(Phase.generate,),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_both_engines_answer_alike(both, data):
    listed = data.draw(records(data.draw(st.integers(1, 20))))
    parents = {record.get("parent_number") for record in listed}
    # Closed also where Hypothesis ends an example in the middle.
    with closing(Book(both[0])) as first_book, closing(Book(both[1])) as second_book:
        books = (first_book, second_book)
        for book in books:
            book.add(*listed)
        limits = st.sampled_from((1, 3, 7, 100))
        for _ in range(data.draw(st.integers(1, 3))):
            questions = data.draw(st.lists(st.tuples(asked, limits), min_size=5, max_size=5))
            first, second = (answers(book, [({}, 100), *questions]) for book in books)
            assert first == second
            chosen = data.draw(st.lists(st.sampled_from(listed), unique_by=lambda r: r["number"], max_size=4))
            updates = [{"number": record["number"], **data.draw(changes)} for record in chosen]
            gone = [record["number"] for record in chosen[:2] if record["number"] not in parents]
            for book in books:
                change(book, updates, gone)
            listed = [record for record in listed if record["number"] not in gone] or listed


@pytest.mark.parametrize(
    ("before", "after"),
    [("Customer", "customer"), ('"note":null', '"note":""'), ("ac_2", "ac_1"), ('"has_next_page":true', "")],
)
def test_answers_that_differ_are_noticed(both, before, after):
    """What is taken out for the comparison hides no difference of words, order or flags."""
    book = Book(both[0])
    book.add(
        {"number": "1", "name": "Customer"}, {"number": "2", "name": "Customer"}, {"number": "3", "name": "C"}
    )
    (first, *rest) = answers(book, [({}, 1)])
    book.close()

    joined = "".join([first, *rest])
    assert joined.replace(before, after, 1) != joined
