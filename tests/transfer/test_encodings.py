"""The encoding of a file: told, marked, or decided by all of its bytes; nothing is spoilt without a word."""

import codecs
import encodings as all_codecs
import gzip
import io
import pkgutil
from random import Random

import pytest

from tests.transfer.test_reading import Trickle, read
from tradebook.text import MARKED
from tradebook.transfer.files import encodings
from tradebook.transfer.files.code_pages import USUAL, likely_code_page
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.rows import FileOptions, Row

HEAD = "number,name\n"


def recognised(text, encoding, option=None):
    reader = read_file(io.BytesIO(text.encode(encoding)), "csv", None, FileOptions(encoding=option))
    rows = [row.values["name"] for row in reader if isinstance(row, Row) and not row.problems]
    return reader.recognised, rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_bytes_that_begin_as_ascii_and_go_on_later_are_read_as_what_they_are(encoding):
    """The first accent stands far behind what other programs look at."""
    text = HEAD + "1,plain\n" * 20_000 + "2,Łódź – Ørsted 東京\n"

    told, rows = recognised(text, encoding)

    assert rows[-1] == "Łódź – Ørsted 東京"
    assert told.samples == ["Łódź – Ørsted 東京"]
    assert encoding.upper()[:6].rstrip("-") in told.encoding


@pytest.mark.parametrize("letters", ["Привет,мир", "Ελλάδα", "東京"])
def test_utf_16_without_a_mark_is_recognised_though_no_letter_has_a_nul_byte(letters):
    _, rows = recognised(HEAD + "".join(f"{n},{letters.replace(',', '')}\n" for n in range(20)), "utf-16-le")

    assert set(rows) == {letters.replace(",", "")}


@pytest.mark.parametrize("place", [0, 9_000])
def test_a_few_bad_bytes_are_refused_by_line_and_spoil_nothing_else(place):
    lines = [f"{number},Müller é {number}" for number in range(10_000)]
    content = bytearray((HEAD + "\n".join(lines)).encode())
    at = content.index(f"\n{place},".encode()) + 1
    content[at : content.index(b"\n", at)] = f"{place},M".encode() + b"\xfcller"

    told, rows, problems = read(bytes(content))

    assert told.encoding == "UTF-8"
    assert len(rows) == 9_999
    assert all("Müller é" in row["name"] for row in rows.values())
    assert len(problems) == 1
    assert problems[0].startswith(
        f"line {place + 2}, name: 'M\\xfcller' has the byte FC, which is no UTF-8: mend it"
    )


def test_a_bad_byte_leaves_the_other_cells_of_its_row(tmp_path):
    reader = read_file(io.BytesIO("number,name,email\n1,é,x\n".encode() + b"2,\xe9,y\n"), "csv", None)
    row = list(reader)[1]

    assert row.values == {"number": "2", "email": "y"}
    assert row.refused == ["name"]


def test_a_bad_byte_of_ndjson_is_refused_by_line():
    content = '{"name": "é"}\n'.encode() + b'{"name": "\xe9", "number": "2"}\n'

    _, rows, problems = read(content, "ndjson")

    assert rows == {1: {"name": "é"}}
    assert problems[0].startswith("line 2, name: '\\xe9' has the byte E9")


@pytest.mark.parametrize(
    ("encoding", "told", "names"),
    [
        (
            "cp1252",
            "Windows-1252",
            ["Zoë", "Café “Ünter”", "Straße", "D’Arçon", "Ålesund", "ÉCOLE", "§ 5 – 20 €"],
        ),
        ("cp1250", "Windows-1250", ["Łódź", "Śródmieście", "Żółć", "Pałac"]),
        ("cp1251", "Windows-1251", ["Москва", "Санкт-Петербург", "ООО «Заря»"]),
        ("cp1253", "Windows-1253", ["Αθήνα", "Θεσσαλονίκη"]),
        ("mac_roman", "Mac Roman", ["Müller", "Café", "Señor", "Zoë"]),
        ("cp850", "code page 850", ["Müller", "Café", "Señor", "Zoë"]),
        ("iso8859_15", "ISO 8859-15", ["Müller", "20 €"]),
        ("iso8859_15", "ISO 8859-15", ["Œuvres", "Sœur Hélène", "Café", "Noël", "Crêperie", "Genève"]),
        ("iso8859_15", "ISO 8859-15", ["Sœur", "Bœuf", "Cœur"]),
        ("cp1252", "Windows-1252", ["Café", "½ Liter", "1 ¼", "¨Zoë¨"]),
        ("iso8859_2", "ISO 8859-2", ["Łódź", "Żółw", "Gdańsk", "Śląsk"]),
        ("cp1255", "Windows-1255", ["שלום חברה", "תל אביב", "ירושלים"]),
    ],
)
def test_a_code_page_is_told_with_samples(encoding, told, names):
    text = HEAD + "".join(f"{number},{name}\n" for number, name in enumerate(names))

    found, rows = recognised(text, encoding)

    assert (found.encoding, rows) == (told, names)
    assert set(found.samples) <= set(names)
    assert found.samples


EAST = (
    ("cp1250", "Čapek Plzeň Řehoř Žižka Králové Dvořák České Budějovice Ústí Škoda Děčín Černý Kovář Třebíč"),
    (
        "cp1250",
        "Kőszegi Győr Fűszer Tóth Szűcs Székesfehérvár Hegedűs Kovács Mezőkövesd Törökbálint Pénzügyőr Fehér",
    ),
    ("cp1250", "Bucureşti Iaşi Constanţa Braşov Ştefan Ţăran Brăila Timişoara Galaţi"),
    ("cp1254", "Şişli Çarşı İnşaat Güneş Gıda Yılmaz Öztürk Doğan Işık Çağlar Kadıköy Eskişehir"),
    ("cp1257", "Šiauliai Žemaitija Jonušas Žukauskienė Gediminaitė Klaipėda Panevėžys Grįžtė Ąžuolas"),
    ("cp1257", "Rīga Jūrmala Bērziņš Ozoliņš Liepāja Kalniņš Pētersons Rēzekne Ķemeri Ģirts"),
)
WEST = (
    "Müller Bäckerei Groß Söhne Jäger Weiß Köln München Düsseldorf Straße Möbel Büro Überlingen",
    "Dupré Lefèvre François Hélène Société Crêperie Brûlée Genève Château Noël Loïc Bœuf Évry Île Où",
    "Núñez Muñoz García López Martínez Málaga Cádiz León Peñíscola Ángel Óscar Íñigo Agüero Logroño",
    "Niccolò Caffè Città Forlì Cantù Trinità Società Perché Mondovì Gesù Pietà",
    "João São Conceição Gonçalves Magalhães Açúcar Irmãos Corações Antônio Câmara Óbidos Padrões",
    "Jørgensen Sørensen København Århus Ørsted Æbelø Møller Tromsø Skånska Håkon Næstved André",
    "Åkesson Malmö Göteborg Västerås Sjöberg Skåne Hämeenlinna Mäkelä Åbo Linné Östersund",
    "Guðrún Þórður Jónsson Kópavogur Sigríður Ólafur Ísafjörður Garðabær Árni Þingvellir Ýr",
    "Curaçao Daniël Zoë Coöperatie België Financiën Café Één",
    "Tõnu Põltsamaa Võru Jõgeva Mäe Õunapuu Kõiv Põld",
)


@pytest.mark.parametrize(("encoding", "names"), EAST)
def test_a_list_is_read_by_the_letters_of_its_language(encoding, names):
    found, rows = recognised(HEAD + "".join(f"{name},{name}\n" for name in names.split()), encoding)

    assert (found.encoding, " ".join(rows)) == (f"Windows-{encoding[2:]}", names)


def test_no_mixture_of_the_west_is_taken_for_the_east():
    chosen = Random(18)
    for _ in range(500):
        languages = chosen.sample(WEST, chosen.randint(1, 6))
        words = " ".join(languages).split()
        few = chosen.sample(words, min(len(words), chosen.choice((2, 5, 12, 60))))

        assert likely_code_page(["\n".join(few).encode("cp1252")]) == USUAL, few


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("shift_jis", ["日本商店"]),
        ("gb18030", ["北京公司", "上海贸易有限公司"]),
        ("big5", ["台北公司", "高雄貿易"]),
        ("euc_kr", ["서울상사", "부산무역"]),
        ("cp1250", ["ZAŻÓŁĆ", "ŁÓDŹ", "ŻÓŁĆ I ŚŻĄĘĆ", "ŚĆĄŻĘ"]),
    ],
)
def test_what_looks_wrong_in_every_code_page_is_not_guessed(encoding, names):
    rows = [f"{number},{name}" for number, name in enumerate(names)]

    _, _, problems = read((HEAD + "\n".join(rows)).encode(encoding))

    assert all("name its encoding (--encoding)" in problem or "no UTF-8" in problem for problem in problems)
    assert problems


def test_windows_1252_that_looks_like_utf_8_in_one_place_stays_what_it_is():
    """Capitals before a sign: two bytes that are UTF-8 by accident, among hundreds that can't be."""
    text = HEAD + "1,Öffnung\n" * 200 + "2,CAFÉ»\n"

    found, rows = recognised(text, "cp1252")

    assert (found.encoding, rows[-1]) == ("Windows-1252", "CAFÉ»")


def test_every_codec_of_text_can_be_named():
    text = "number,name\r\n1,abc\r\n"
    for name in sorted(set(codecs_of_text())):
        reader = read_file(io.BytesIO(text.encode(name)), "csv", None, FileOptions(encoding=name))
        rows = [row for row in reader if isinstance(row, Row)]

        assert [row.values for row in rows] == [{"number": "1", "name": "abc"}], name
        assert reader.recognised.encoding == name


def codecs_of_text():
    for module in pkgutil.iter_modules(all_codecs.__path__):
        try:
            found = codecs.lookup(module.name)
        except LookupError:
            continue
        if found._is_text_encoding and found.name not in encodings._NOT_OF_FILES:
            # Some write the comma as another sign, or need a mark: these can't be undone.
            if "a,\r\n".encode(found.name).decode(found.name) == "a,\r\n":
                yield module.name


@pytest.mark.parametrize("name", ["base64", "rot13", "zlib", "hex", "idna", "undefined", "unicode_escape"])
def test_what_is_no_encoding_of_text_is_refused(name):
    reader = read_file(io.BytesIO(b"name\nA\n"), "csv", None, FileOptions(encoding=name))

    assert [str(item) for item in reader] == [
        f"line 1: '{name}' is no encoding of a text file: write a name such as utf-8 or cp1252."
    ]


@pytest.mark.parametrize("name", ["klingon", "", "\0", "x" * 1000, "utf 8 ; drop"])
def test_an_encoding_that_there_is_not_is_refused(name):
    items = list(read_file(io.BytesIO(b"name\nA\n"), "csv", None, FileOptions(encoding=name)))

    assert len(items) == 1
    assert "There is no encoding" in items[0].reason


def test_a_mark_of_another_encoding_is_believed_and_told():
    found, rows = recognised(HEAD + "1,Zoë\n", "utf-8-sig", option="cp1252")

    assert rows == ["Zoë"]
    assert found.notes == ["The file's byte order mark says UTF-8; it was read so, not as 'cp1252'."]


def test_a_pipe_and_a_packed_file_are_looked_at_as_a_whole():
    content = (HEAD + "1,plain\n" * 2_000).encode() + "2,é\n".encode() + b"3,\xe9\n"

    expected = read(content)

    assert len(expected[2]) == 1
    for source in (Trickle(content), io.BytesIO(gzip.compress(content)), Trickle(gzip.compress(content))):
        reader = read_file(source, "csv", None)
        assert sum(isinstance(item, Row) and not item.problems for item in reader) == len(expected[1])
        assert reader.recognised.encoding == "UTF-8"


@pytest.mark.parametrize("cut", [12, 30, -4])
def test_a_damaged_gzip_file_is_one_problem(cut):
    packed = gzip.compress((HEAD + "1,Zoë\n" * 1_000).encode())

    items = list(read_file(io.BytesIO(packed[:cut]), "csv", None))

    assert [str(item) for item in items] == [
        "line 1: The gzip file is damaged: it ends too early. Fetch it again."
    ]


def test_marked_bytes_are_written_as_they_were():
    assert b"a\xe9\xff\xc3".decode("utf-8", MARKED).encode("utf-8", MARKED) == b"a\xe9\xff\xc3"
    assert "ł".encode("cp1252", MARKED) == b"\\u0142"
