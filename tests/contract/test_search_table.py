"""Section 5: what the words of q meet."""

import pytest

from tests.fixtures.book import filled
from tests.fixtures.server import Server

RECORDS = (
    {"number": "A-100", "name": "Straße & Söhne GmbH", "email": "info@soehne.example", "phone": "+49 (30) 1234-567",
     "url": "https://www.soehne.example", "bill_to.country": "DE", "bill_to.name": "Lager Süd",
     "bill_to.locality": "Düsseldorf", "bill_to.state": "NRW", "bill_to.postal_code": "40213"},
    {"number": "A-200", "name": "İstanbul Kahve", "phone": "0212.555.01.00"},
    {"number": "A-300", "name": 'Ｗｉｄｅ Cafe\u0301 100% _under\\ "quoted" *'},
    {"number": "A-400", "name": "Łódź Ørsted Æble", "ship_to.country": "PL", "ship_to.name": "Dock",
     "ship_to.locality": "Kraków", "ship_to.postal_code": "W10 5QB"},
    {"number": "A-500", "name": "東京 道具", "phone": "ab12cd", "bill_to.country": "CA", "bill_to.postal_code": "M5V2T6"},
)  # fmt: skip


@pytest.fixture(scope="module")
def book(server: Server):
    """Names and numbers that search finds hard."""
    with filled(server, *RECORDS) as made:
        yield made


@pytest.mark.parametrize(
    ("q", "wanted"),
    [
        ("strasse", "1"), ("STRASSE", "1"), ("Straße", "1"), ("sohne", "1"), ("söhne gmbh", "1"), ("gmbh strasse", "1"),
        ("gmbh kahve", ""), ("a-1", "1"), ("INFO@", "1"), ("soehne.example", "1"), ("www.so", "1"), ("https://", "1"),
        ("lager", "1"), ("dusseldorf", "1"), ("nrw", "1"), ("40213", "1"), ("lager strasse 402", "1"),
        ("istanbul", "2"), ("ISTANBUL", "2"), ("İSTANBUL", "2"), ("i\u0307stanbul", "2"),
        ("wide", "3"), ("cafe", "3"), ("café", "3"), ("CAFE\u0301", "3"), ("100%", "3"), ("%", "3"), ("_under", "3"),
        ("_", "3"), ('"quoted"', "3"), ('"', "3"), ("*", "3"), ("\\", "3"), ("10%0", ""), ("w*", ""), ("wide OR", ""),
        ("lodz", "4"), ("ŁÓDŹ", "4"), ("orsted", "4"), ("aeble", "4"), ("krakow", "4"),
        ("東京", "5"), ("京", "5"), ("道具 東", "5"),
        ("1234567", "1"), ("301234", "1"), ("+49301234567", "1"), ("(30)", "1"), ("1234-567", "1"), ("49 30", "1"),
        ("+49-30/1234.567", "1"), ("02125550100", "2"), ("0212 555", "2"), ("555.01", "2"),
        ("12", "125"), ("ab12", "5"), ("1", "12345"), ("-", "12345"), ("2", "125"), ("q", "34"), ("zz", ""), ("x", "1"),
        ("NEAR(a b)", ""), ("name:strasse", ""), ("strasse -gmbh", ""), ("^strasse", ""), ("str", "1"), ("rass", "1"),
        ("strassen", ""), ("   gmbh \t strasse  ", "1"), ("\u3000gmbh", "1"), ("strasse&", ""), ("& sohne", "1"),
        ("W10 5QB", "4"), ("w105qb", "4"), ("105q", "4"), ("W 105QB", "4"), ("m5v2t6", "5"), ("M5V 2T6", "5"),
        ("5qbw10", ""), ("dockw10", ""),
        ("infowww", ""), ("a-100strasse", ""), ("\u0301", "12345"), ("", "12345"), ("ss", "1"), ("ß", "1"),
    ],
)  # fmt: skip
def test_words_meet_exactly(book, q, wanted):
    assert sorted(number[2] for number in book.numbers(q=q)) == list(wanted)


def test_all_200_characters_count(book):
    name = "".join(chr(0x4E00 + n) for n in range(200))
    book.add({"number": "L-1", "name": name})

    assert book.numbers(q=name) == ["L-1"]
    assert book.numbers(q=name[:150] + name[151:]) == []
