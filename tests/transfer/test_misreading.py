"""Text that was UTF-8 and was read as something else is noticed, and real text never is."""

import pytest

from tradebook.demo.book import demo_customers
from tradebook.transfer.imports.misreading import misread

NAMES = {
    "German": ["Müller & Söhne", "Großhandel Weiß", "Ärzte-Übung", "STRASSE ÄÖÜ", "Jörg Äußerling"],
    "French": [
        "Crème Brûlée",
        "Forêt d’Émeraude",
        "Hôtel « Le Château »",
        "L’ABBÉ",
        "Œuvres complètes",
        "garçon",
        "Noël",
    ],
    "Spanish": ["España Niño", "MUÑOZ PEÑA", "¿Quién?", "Compañía Ibáñez", "Ángel Íñigo"],
    "Portuguese": ["São Paulo", "SÃO PAULO", "AÇÃO E RAZÃO", "Irmãos Conceição", "AMANHÃ", "João Ângelo"],
    "Italian": ["Caffè Perù", "LUNEDÌ", "Città più bella", "PERCHÉ NO"],
    "Dutch": ["Coördinatie België", "Ruïne", "één"],
    "Danish": ["Smørrebrød", "Ærø Å", "BLÅ BÆR ØL"],
    "Swedish": ["Ångström Öst", "RÄKSMÖRGÅS", "Malmö"],
    "Norwegian": ["Tromsø", "Blåbær", "ÅRDAL"],
    "Finnish": ["Jyväskylä", "HÄMEENLINNA", "Yötyö Äiti"],
    "Icelandic": ["Þórður Ægisson", "Ísafjörður", "Reykjavík"],
    "Polish": ["Łódź Żółć", "Gęś śpi", "Kraków", "WROCŁAW"],
    "Czech": ["Příliš žluťoučký kůň", "ŽIŽKOV", "Plzeň", "Dvořák"],
    "Slovak": ["Ľubomír", "Žilina", "Dĺžka vŕby", "DĹŽKA", "Košice"],
    "Hungarian": ["Győr", "Árvíztűrő tükörfúrógép", "Székesfehérvár", "ŐRSÉG"],
    "Romanian": ["Brașov", "BUCUREȘTI", "CĂŞTIGĂTOR", "Timișoara Țară", "PÂŞLĂ", "Ăștia"],
    "Turkish": ["İstanbul Şişli", "Çağrı Güneş", "ISPARTA ÖĞÜT"],
    "Croatian": ["Šibenik Čakovec", "Đurđevac", "Žižić"],
    "Estonian": ["Põltsamaa Jõgeva", "ÕHTU", "Šokolaad"],
    "Latvian": ["Rīga Ķekava", "Ģirts Ņikita", "ĻAUDIS"],
    "Lithuanian": ["Šiauliai", "Ąžuolų", "ŽVĖRYNAS"],
    "Vietnamese": ["Nguyễn Thị Hường", "PHỞ HÀ NỘI", "Đà Nẵng"],
    "Greek": ["Αθήνα Εστία", "ΚΑΦΕΝΕΙΟ", "Μπακάλικο «Η Ελιά»"],
    "Russian": ["Мюллер и Ко", "ООО «ВЕГ»", "Рівне", "Клуб «А/В»", "Ёлка № 5"],
    "Hebrew": ["שלום בע״מ", "ירושלים"],
    "Arabic": ["شركة النور", "القاهرة"],
    "Hindi": ["नमस्ते दुकान"],
    "Thai": ["ร้านกาแฟ"],
    "Georgian": ["თბილისი"],
    "Armenian": ["Երևան"],
    "Chinese": ["北京大学", "茶", "上海—浦东"],
    "Japanese": ["カフェ東京", "さくら", "ラーメン・一番"],
    "Korean": ["서울카페", "김치"],
}
REAL = [name for names in NAMES.values() for name in names]
TRICKY = [
    "AMANHÃ…", "“AMANHÃ”", "IRMÃ\u00a0LTDA", "«AMANHû", "MARQUÉ’S", "CAFÉ™", "CAFÉ®", "CAFÉ–BAR", "IRMÃ’S", "SMÖ–BLÅ", "PÅ…",
    "« voilà »", "voilà\u00a0»", "« café »", "café\u00a0»", "MENÜ–KARTE", "LUNEDÌ…", "COSÌ–", "RØ…", "l’été", "“élan”", "–é",
    "Ç’est", "naïve—yes", "5 µm ± 2°", "Âşık", "T恤衫", "卡拉OK厅", "Bar猫", "Rock’n’Roll", "A\u3000B", "K東B", "½ ¾", "£5 – €6", "d’Été", "№ 5", "Žižkov—Š", "Bar “Ñ”", "Ø 5 mm", "©®™", "Æ‘s", "BLÅ “X”",
    "«olá»…", "Łódź…", "«Żółć»", "Ąż", "Ľudia", "ÁÉÍÓÚ", "áéíóú", "ÀÈÌÒÙ", "âêîôû", "ÄËÏÖÜ", "äëïöü", "ÃÕÑ", "ãõñ",
]  # fmt: skip
PAGES = {
    "Windows-1252": "cp1252",
    "Windows-1250": "cp1250",
    "Windows-1251": "cp1251",
    "code page 437": "cp437",
    "code page 850": "cp850",
    "Mac Roman": "mac_roman",
}
FOREIGN = {
    "ISO 8859-15": "iso8859_15",
    "ISO 8859-2": "iso8859_2",
    "Windows-1253": "cp1253",
    "Windows-1256": "cp1256",
    "Windows-1257": "cp1257",
    "KOI8-R": "koi8_r",
    "Shift JIS": "cp932",
    "GBK": "gbk",
    "Big5": "big5",
    "EUC-KR": "cp949",
}
LATIN = [name for language, names in NAMES.items() if language in list(NAMES)[:21] for name in names]


def read_as(text: str, codec: str) -> str:
    """Read a text's UTF-8 as a code page; bytes that it leaves open become control characters."""
    return "".join(bytes([code]).decode(codec, "ignore") or chr(code) for code in text.encode())


@pytest.mark.parametrize("text", [*REAL, *TRICKY])
def test_real_text_is_left_alone(text):
    assert misread(text) is None


def test_the_streets_and_names_of_a_demo_book_are_left_alone():
    cells = [str(cell) for row in demo_customers(2_000) for cell in row.values()]

    assert [cell for cell in cells if misread(cell)] == []


@pytest.mark.parametrize("name", PAGES)
def test_what_was_read_wrongly_is_what_it_was(name):
    wrong = []
    for text in (each for each in LATIN if not each.isascii()):
        found = misread(read_as(text, PAGES[name]))
        # What two code pages have in common is read by the first of them.
        if found is None or (found.encoding == name and found.text != text):
            wrong.append((text, read_as(text, PAGES[name]), found))

    assert wrong == []


@pytest.mark.parametrize("codec", FOREIGN.values(), ids=FOREIGN)
def test_a_name_that_was_read_with_another_script_is_noticed(codec):
    assert misread("Müller".encode().decode(codec)) is not None


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("MÃƒÂ¼ller", "Müller"),
        ("JoeÃ¢â‚¬â„¢s CafÃƒÂ©", "Joe’s Café"),
        ("Itâ€™s", "It’s"),
        ("PEPSIÂ®", "PEPSI®"),
        ("AÂ\u00a0B", "A\u00a0B"),
        ("lost ï¿½", "lost \ufffd"),
        ("Ð¡Ð¾Ñ‡Ð¸", "Сочи"),
        ("åŒ—äº¬", "北京"),
        ("ðŸ˜€", "😀"),
        ("voilÃ", "voilà"),
        ("uÌˆber", "u\u0308ber"),
    ],
)
def test_signs_other_scripts_and_text_that_was_read_wrongly_twice(text, meant):
    found = misread(text)

    assert (found and found.text) == meant
