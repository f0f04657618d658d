"""Section 5: free-text search finds what people mean, wherever it stands, and nothing else."""

import pytest

from tests.contract.checkers import CUSTOMERS, assert_exact_walk, assert_refused, fetch, ids_of
from tests.fixtures.book import filled


def found(book, q, **others):
    """The numbers of what a search finds, in order."""
    page = fetch(book.client, CUSTOMERS, params={"q": q, "limit": 1000, **others})
    return [customer["number"] for customer in page["data"]]


ADDRESSES = {
    "bill_to.name": "Billing Desk",
    "bill_to.country": "US",
    "bill_to.street_line_1": "99 Hidden Street",
    "bill_to.locality": "Springfield",
    "bill_to.state": "Illinois",
    "bill_to.postal_code": "62701-0042",
    "bill_to.phone": "8005559999",
    "bill_to.email": "hidden@desk.example",
    "ship_to.name": "Loading Dock",
    "ship_to.country": "DE",
    "ship_to.locality": "Köln",
    "ship_to.state": "Nordrhein",
    "ship_to.postal_code": "50667",
}
WHOLE = {
    "number": "CUST-007",
    "name": "Acme Widgets & Söhne",
    "email": "Buyer@Acme-Widgets.example",
    "phone": "+1 (555) 010-2030 ext 44",
    "url": "https://shop.acme.test/path?x=1",
    "note": "secretnote",
    "type": "Grouptype",
    "carrier": "Carriername",
    "sales_rep_email": "rep@sales.test",
    "sales_rep_name": "Repname",
    "price_groups": ["Pricegroup"],
    **ADDRESSES,
}
DECOY = {"number": "D-1", "name": "Decoy"}


@pytest.fixture(scope="module")
def acme(module_book):
    module_book.add(WHOLE, DECOY)
    return module_book


# Fields


@pytest.mark.parametrize(
    "q",
    [
        # Name, number, email, phone, url.
        "Acme", "widgets", "dget", "ACME", "söhne", "sohne", "&",
        "cust-007", "007", "T-0",
        "buyer@acme-widgets.example", "r@a", "example",
        "5550102030", "555-010-2030", "15550102030", "+15550102030", "(555)", "010.2030", "0102", "ext", "44",
        "https://shop.acme.test/path?x=1", "shop.acme", "path?x=1",
        # Of each address: name, city, state, postal code.
        "billing", "Springfield", "illinois", "62701-0042", "0042",
        "dock", "köln", "koln", "KÖLN", "nordrhein", "50667", "066",
    ],
)  # fmt: skip
def test_a_word_is_found_anywhere_inside_each_searched_field(acme, q):
    assert "CUST-007" in found(acme, q)


@pytest.mark.parametrize(
    "q",
    [
        "secretnote", "grouptype", "carriername", "repname", "rep@sales.test", "pricegroup",
        "hidden", "8005559999", "99", "preferred", "customer", "ac_",
    ],
)  # fmt: skip
def test_what_is_in_no_searched_field_is_not_found(acme, q):
    assert found(acme, q) == []


def test_all_words_must_occur_each_in_any_field(acme):
    assert found(acme, "acme springfield 50667 dock 2030") == ["CUST-007"]
    assert found(acme, "50667 ACME") == ["CUST-007"]
    assert found(acme, "acme decoy") == []
    assert found(acme, "acme springfield paris") == []


def test_words_are_split_at_white_space_of_every_kind(acme):
    assert found(acme, "  acme \t widgets\n") == ["CUST-007"]
    assert found(acme, "acme\u00a0widgets") == ["CUST-007"]
    assert found(acme, "acme\u3000köln") == ["CUST-007"]
    assert found(acme, "acme\u2003dock") == ["CUST-007"]


@pytest.mark.parametrize(
    "q", ["acme-widgets-", "deskspringfield", "dockk", "007acme", "illinois62701", "exampleacme"]
)
def test_a_word_does_not_reach_from_one_field_into_another(acme, q):
    assert found(acme, q) == []


@pytest.mark.parametrize("q", ["", " ", "\t\n", "\u3000"])
def test_a_search_for_nothing_is_the_whole_list(acme, q):
    assert found(acme, q) == ["D-1", "CUST-007"]


def test_one_word_repeated_asks_once(acme):
    assert found(acme, "acme acme ACME") == ["CUST-007"]


# Case and accents


APOSTROPHES = "'\u2018\u2019\u201b\u02bc\u00b4`\u2032\uff07"

NAMES = dict(
    [
        ("Straße & Co", ["strasse", "STRASSE", "straße", "STRAßE", "STRAẞE", "ss"]),
        ("Strasse 9", ["straße", "ß"]),
        ("İstanbul Ticaret", ["istanbul", "ISTANBUL", "İSTANBUL", "i̇stanbul"]),
        ("Crème Brûlée", ["creme", "brulee", "CRÈME", "brûlée", "cre\u0300me"]),
        ("Cre\u0300me decomposed", ["crème", "creme", "CRÈME"]),
        ("Łódź Ørsted", ["lodz", "łódź", "orsted", "ØRSTED"]),
        ("ＦＵＬＬ Ｗｉｄｔｈ １２３", ["full", "width", "123", "ｆｕｌｌ", "１２３"]),
        ("ABC plain 456", ["ＡＢＣ", "４５６", "ａｂｃ"]),
        ("ﬁnance ligature", ["finance", "FINANCE", "ﬁnance"]),
        ("Ολυμπος ΣΊΣΥΦΟΣ", ["σισυφος", "ΣΙΣΥΦΟΣ", "σίσυφος", "ολυμπος"]),
        ("Москва Ёлка", ["москва", "МОСКВА", "елка", "ёлка"]),
        ("東京商事 株式会社", ["東京", "商事", "株", "東京商事"]),
        ("한국상사", ["한국", "상사", "국상"]),
        ("Nguyễn Văn Đức", ["nguyen", "van", "duc", "NGUYỄN", "đức"]),
        ("Smile 🦊 Foxes", ["🦊", "foxes"]),
        ("Zoë\u0301\u0302\u0303 stacked", ["zoe", "stacked"]),
        ("O\u2019Brien \u2013 dash", ["o\u2019brien", "o'brien", "brien"]),
        (
            "L'Atelier of D\u2019Arcy",
            [
                f"{first}{sign}{rest}"
                for first, rest in (("l", "atelier"), ("D", "ARCY"))
                for sign in APOSTROPHES
            ],
        ),
    ]
)
"""Names, and what finds them."""


@pytest.fixture(scope="module")
def named(server):
    """A book of all the names, and one that nothing finds."""
    with filled(
        server, *({"number": name, "name": name} for name in NAMES), {"number": "x", "name": "Q"}
    ) as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_case_accents_and_width_do_not_matter(named, name):
    for q in NAMES[name]:
        numbers = found(named, q)

        assert name in numbers, q
        assert "x" not in numbers, q


# Phones


PHONES = (
    "+1 (555) 010-2030",
    "15550102030",
    "1.555.010.2030",
    "1 555 010 2030",
    "1-555-010-2030",
    "+1/555/010/2030",
)


@pytest.fixture(scope="module")
def phones(server):
    """A book of one phone number in every way to write it, and a customer without one."""
    with filled(
        server,
        *({"number": f"P {phone}", "name": "Phone", "phone": phone} for phone in PHONES),
        {"name": "Q"},
    ) as made:
        yield made


@pytest.mark.parametrize(
    "q",
    ["15550102030", "+1(555)010-2030", "555-0102030", "5550102030", "010.2030", "0102030", "(555)", "55501"],
)
def test_punctuation_of_phone_numbers_does_not_matter(phones, q):
    assert found(phones, q) == [f"P {phone}" for phone in reversed(PHONES)]


def test_digits_of_a_phone_in_another_order_are_not_found(book):
    book.add({"number": "P", "name": "Phone", "phone": "+1 (555) 010-2030"})

    assert [found(book, q) for q in ("5550102031", "2030555", "555-2030", "15550102030150")] == [[]] * 4


def test_punctuation_matters_outside_of_phone_numbers(book):
    book.add({"number": "A-1", "name": "Part 12-34"})

    assert found(book, "12-34") == ["A-1"]
    assert found(book, "1234") == []


# Short words


@pytest.fixture(scope="module")
def letters(server):
    """A customer for each of some letters, pairs and signs."""
    with filled(
        server,
        {"number": "1", "name": "x y"},
        {"number": "2", "name": "xy"},
        {"number": "3", "name": "yx"},
        {"number": "4", "name": "ab%cd"},
        {"number": "5", "name": "ab_cd"},
        {"number": "6", "name": 'say "hi" * now'},
        {"number": "7", "name": "back\\slash"},
        {"number": "8", "name": "(paren) [brack] {brace}"},
        {"number": "9", "name": "ß"},
        {"number": "10", "name": "it's; --"},
    ) as made:
        yield made


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("x", ["3", "2", "1"]),
        ("xy", ["2"]),
        ("yx", ["3"]),
        ("x y", ["3", "2", "1"]),
        ("xyx", []),
        ("z", []),
        ("zz", []),
        ("s", ["10", "9", "7", "6"]),
        ("ss", ["9"]),
        ("é", ["8"]),
    ],
)
def test_words_of_one_and_two_characters_are_found(letters, q, expected):
    assert found(letters, q) == expected


# No query syntax


@pytest.mark.parametrize(
    ("q", "expected"),
    [
        ("%", ["4"]),
        ("_", ["5"]),
        ("ab%cd", ["4"]),
        ("ab_cd", ["5"]),
        ("a%d", []),
        ("ab?cd", []),
        ('"', ["6"]),
        ('"hi"', ["6"]),
        ('"hi', ["6"]),
        ("*", ["6"]),
        ("hi*", []),
        ("h*", []),
        ("\\", ["7"]),
        ("back\\slash", ["7"]),
        ("back\\", ["7"]),
        ("(", ["8"]),
        ("((((((((((", []),
        ("[brack]", ["8"]),
        ("{brace}", ["8"]),
        ("x OR z", []),
        ("x NOT y", []),
        ("NEAR(x y)", []),
        ("name:x", []),
        ("-x", []),
        ("^x", []),
        ("x AND y", []),
        ("x*", []),
        (".*", []),
        ("'", ["10"]),
        ("--", ["10"]),
        (";", ["10"]),
        ("'; DROP TABLE customers; --", []),
        ("x' OR '1'='1", []),
        ("${x}", []),
        ("\u0001", []),
    ],
)
def test_signs_mean_themselves(letters, q, expected):
    assert found(letters, q) == expected


# Order, pages, filters


def test_the_order_is_that_of_the_list(book):
    book.add(
        {"number": "1", "name": "Fox", "created_at": "2022-01-01T00:00:00Z"},
        {"number": "2", "name": "A fox in the middle of words", "created_at": "2024-01-01T00:00:00Z"},
        {"number": "3", "name": "fox fox fox", "created_at": "2020-01-01T00:00:00Z"},
    )

    assert found(book, "fox") == ["2", "1", "3"]


@pytest.mark.parametrize("q", ["c", "cu", "custom", "customer 1", "1 c"])
def test_a_search_is_walked_like_any_list(book, q):
    book.add(
        *({"number": f"n{n}", "name": f"Customer {n}"} for n in range(60)), {"name": "Zz", "number": "z"}
    )
    everything = ids_of([fetch(book.client, CUSTOMERS, params={"q": q, "limit": 1000})])

    assert "z" not in found(book, q)
    assert_exact_walk(book.client, f"{CUSTOMERS}?q={q.replace(' ', '%20')}&limit=7", everything, 7)


def test_a_search_and_a_filter_must_both_hold(book):
    book.add(
        {"number": "1", "name": "Fox", "status": "preferred"},
        {"number": "2", "name": "Fox", "status": "normal"},
        {"number": "3", "name": "Owl", "status": "preferred"},
    )

    assert found(book, "fox", status_codes="preferred") == ["1"]
    assert found(book, "o", status_codes="preferred,hold_all") == ["3", "1"]


def test_a_changed_customer_is_found_by_what_it_says_now(book):
    book.add({"number": "1", "name": "Before", "email": "old@x.example"})
    book.add({"number": "1", "name": "After", "email": "new@x.example"})

    assert [found(book, q) for q in ("before", "old@", "after", "new@")] == [[], [], ["1"], ["1"]]


# Length


@pytest.mark.parametrize("q", ["a" * 500, "é" * 500, "🦊" * 500, "a " * 250, "ß" * 500, "%" * 500])
def test_five_hundred_characters_are_read(letters, q):
    assert fetch(letters.client, CUSTOMERS, params={"q": q})["object"] == "list"


@pytest.mark.parametrize("q", ["a" * 501, "é" * 501, "🦊" * 501, " " * 501, "a " * 250 + "a", "a" * 5000])
def test_more_than_five_hundred_characters_are_refused(letters, q):
    assert_refused(letters.client.get(CUSTOMERS, params={"q": q}), "q")


def test_a_word_of_two_hundred_characters_is_found_whole(book):
    long = "".join(f"{n:04}" for n in range(50))
    book.add({"number": "n", "name": long}, {"number": "m", "name": long.replace("0025", "9925")})

    assert found(book, long) == ["n"]
    assert found(book, long[2:190]) == ["n"]


def test_pieces_that_all_occur_do_not_make_the_word(book):
    book.add({"number": "n", "name": "abcd bcde cdef"})

    assert found(book, "abcdef") == []
    assert found(book, "abcde") == []
    assert found(book, "bcde") == ["n"]
