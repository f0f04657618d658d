"""`q` and `include[]` on the lists of section 6: the words of what each shows, and nothing that is not there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.contract.checkers import assert_exact_walk
from tests.contract.checks import check_envelope
from tests.fixtures.book import Book
from tests.fixtures.lengths import length
from tests.fixtures.samples import Maker, listing, showing
from tradebook.crud.resource import Asked, Span
from tradebook.crud.words import AT_ONCE, walk_of_words
from tradebook.resources import ALL
from tradebook.storage.index import Query
from tradebook.text import fold, words_of

TEXTS = {
    "priority": ("code", "name"),
    "account_status": ("code", "name"),
    "carrier": ("name", "code", "account_number"),
    "service_level": ("name", "service_level_token"),
    "shipping_term": ("name",),
    "payment_term": ("name",),
    "account_user": ("user.email", "user.name", "user.username", "user.image_url"),
    "api_key": ("name", "redacted_value"),
    "unit": ("name", "abbreviation", "code", "symbol"),
}
"""The texts that the objects of each list show."""

NAMES = (
    "Ærø Straße 9",
    '10% off_now "x" *',
    "ＷＩＤＥ Zoë",
    "zoe wide",
    "a-b–c b",
    "Ünder Net",
    "(99) 555-0145",
)
MORE = {
    "carrier": lambda name, n: {"account_number": name[::-1], "code": "ups" if n % 2 else None},
    "service_level": lambda name, n: {"service_level_token": f"{name[::-1]}{n}"},
    "account_user": lambda name, n: {
        "email": f"u{n}@straße.example",
        "username": name[::-1],
        "image_url": f"https://www.example.com/{n}.png",
    },
    "api_key": lambda name, n: {"permissions": ["customers:read"]},
}
LISTS = [pytest.param(resource, id=resource.name) for resource in ALL if resource.name in TEXTS]
SIBLINGS = [
    pytest.param(resource, id=resource.name)
    for resource in ALL
    if resource.name not in {"customer", "import"}
]


@pytest.fixture(scope="module")
def named(server):
    """A book with some of each kind, whose names are hard to find, and where each list is."""
    book = Book(server)
    carrier = Maker(book).of_prefix("cr")
    book.paths, book.shown = {}, {}
    for resource in ALL:
        if resource.name == "customer":
            continue
        path = book.paths[resource.name] = listing(resource).path.format(carrier_id=carrier)
        if resource.name in MORE or resource.name.endswith("_term"):
            for n, name in enumerate(NAMES):
                body = {"name": name, **MORE.get(resource.name, lambda name, n: {})(name, n)}
                assert book.client.post(path, json=body).status_code == 201
        book.shown[resource.name] = book.get(path, limit=1000)["data"]
    yield book
    book.close()


def texts_of(resource, entry):
    for field in TEXTS[resource.name]:
        value = entry
        for part in field.split("."):
            value = value[part]
        yield value or ""


def matching(named, resource, q):
    """What a search must find, by looking at what every object shows."""
    return [
        entry
        for entry in named.shown[resource.name]
        if all(any(word in fold(text) for text in texts_of(resource, entry)) for word in words_of(q))
    ]


def some_of(text):
    """Pieces of a text, in another spelling."""
    return st.tuples(st.integers(0, len(text)), st.integers(1, 4)).map(
        lambda at: text[at[0] : at[0] + at[1]].swapcase()
    )


QUERIES = st.lists(
    st.sampled_from(
        (*NAMES, *(name[::-1] for name in NAMES), "https", "ups", "normal", "u3@", "tb_sk_", "ho")
    ).flatmap(some_of),
    min_size=1,
    max_size=3,
).map(" ".join)


@pytest.mark.parametrize("resource", LISTS)
@settings(max_examples=length(12, 300), deadline=None)
@given(q=QUERIES)
def test_a_list_finds_what_shows_all_words(named, resource, q):
    assert named.get(named.paths[resource.name], q=q, limit=1000)["data"] == matching(named, resource, q)


@pytest.mark.parametrize("resource", LISTS)
def test_pages_of_a_search_are_exact(named, resource):
    path = f"{named.paths[resource.name]}?q=o&limit=2"
    stayed = [entry["id"] for entry in matching(named, resource, "o")]

    assert len(stayed) >= 2
    assert_exact_walk(named.client, path, stayed, 2)


@pytest.mark.parametrize("resource", LISTS)
def test_a_cursor_belongs_to_its_words(named, resource):
    path = named.paths[resource.name]
    cursor = named.get(path, q="o", limit=1)["page_info"]["next_page_url"]

    check_envelope(named.client.get(cursor.replace("q=o", "q=w")), 400, "cursor", "parameter_invalid")
    assert named.get(path, q="")["data"] == named.get(path)["data"]
    assert named.get(path, q="nothing has this")["data"] == []
    check_envelope(named.client.get(path, params={"q": "x" * 501}), 400, "q", "parameter_invalid")


@pytest.mark.parametrize("resource", SIBLINGS)
def test_what_clients_ask_to_include_changes_nothing_that_is_shown(named, resource):
    path = named.paths[resource.name]
    plain = named.get(path)["data"]
    values = [value for value in showing(resource).includes if value != "service_levels"]
    one = f"{path}/{plain[0]['id']}" if plain else path

    assert {"owner", "owner.account"} <= set(values)
    assert resource.name != "account_user" or "user" in values
    for query in (f"include[]={'&include[]='.join(values)}", f"include={','.join(values)}"):
        assert named.get(f"{path}?{query}")["data"] == plain
        assert named.get(f"{one}?{query}") == named.get(one)
    assert {entry.get("owner") for entry in plain} <= {None}
    check_envelope(named.client.get(f"{path}?include=owners"), 400, "include", "parameter_invalid")


# By itself, over more rows than are looked through at once.

ROWS = [f"{'ab'[n % 7 == 0]} {n}" for n in range(2 * AT_ONCE + 3)]


def walk_rows(_reader, asked):
    keys = [key for key in range(len(ROWS)) if asked.span.above <= key < asked.span.below]
    return (keys[::-1] if asked.span.descending else keys)[: asked.span.limit]


@settings(max_examples=length(40, 1_000), deadline=None)
@given(
    st.sampled_from(["", "a", "b", "9", "a 9", "b 14", "c"]),
    st.integers(0, len(ROWS)),
    st.integers(0, len(ROWS) + 5),
    st.booleans(),
    st.sampled_from([1, 2, 101, AT_ONCE, AT_ONCE + 1, 5_000]),
)
def test_many_rows_are_looked_through_piece_by_piece(q, above, below, descending, limit):
    walk = walk_of_words(walk_rows, lambda _reader, keys: [(key, [None, ROWS[key]]) for key in keys])

    asked = Asked(Span(above, below, descending, limit), Query((), tuple(words_of(q))), None)

    fitting = [key for key in range(above, min(below, len(ROWS))) if all(w in ROWS[key] for w in q.split())]
    assert walk(None, asked) == (fitting[::-1] if descending else fitting)[:limit]
