"""Drafts of maps: what they take for what, and that they always load and read what they take."""

import io
import tomllib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradebook.transfer.columns import column_named
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.maps.aliases import column_of_heading
from tradebook.transfer.maps.column_map import load_map_text
from tradebook.transfer.maps.draft import draft_map
from tradebook.transfer.maps.looking import CantBeRead
from tradebook.transfer.maps.ready_maps import READY, recognise
from tradebook.transfer.rows import FileOptions, Problem

READY_FILES = Path(__file__).parent / "ready"


def drafted(content, file_format="csv", **options):
    data = content if isinstance(content, bytes) else content.encode()
    return draft_map(io.BytesIO(data), file_format, FileOptions(**options), "list.csv")


def columns_of(content, file_format="csv"):
    return tomllib.loads(drafted(content, file_format).text)["columns"]


def require_readable(draft, data):
    """Read the file by its draft, and require every value that the map takes to be readable."""
    mapping = load_map_text(draft.text, ())
    for item in read_file(io.BytesIO(data), "csv", mapping, mapping.options.file):
        assert not isinstance(item, Problem), item
        # A row that is cut short is a fault of the file, and is told of every map.
        for column, value in item.values.items():
            if value not in (None, "", []):
                column_named(column).read(value)
        assert not [problem for problem in item.problems if problem.column], item.problems


@pytest.mark.parametrize(
    ("heading", "column"),
    [
        ("Kunden-Nr.", "number"),
        ("custNo", "number"),
        ("Raison sociale", "name"),
        ("Correo electrónico", "email"),
        ("Telefoonnummer", "phone"),
        ("Limite di credito", "credit_limit"),
        ("Zahlungsbedingungen", "payment_term"),
        ("PLZ", "bill_to.postal_code"),
        ("Lieferort", "ship_to.locality"),
        ("Rechnungsstraße", "bill_to.street_line_1"),
        ("Adresse de livraison - Ville", "ship_to.locality"),
        ("Ship To City", "ship_to.locality"),
        ("Billing Address 1", "bill_to.street_line_1"),
        ("Default Address City", "bill_to.locality"),
        ("POPostalCode", "bill_to.postal_code"),
        ("SAAddressLine1", "ship_to.street_line_1"),
        ("shippingCountryCode", "ship_to.country"),
        ("Customer Phone", "phone"),
        ("Land", "bill_to.country"),
        ("Nom du tiers* (s.nom)", "name"),
        ("Ville (s.town)", "bill_to.locality"),
        ("Address (Ship to)", "ship_to.street_line_1"),
        ("E-mail 1 - Value", "email"),
        ("Points", None),
        ("Reserved", None),
    ],
)
def test_headings_are_known_in_several_languages(heading, column):
    assert column_of_heading(heading) == column


def test_our_own_columns_are_taken_as_they_are():
    assert columns_of("number,name,ship_to.locality,bill_to.country,ship_to.country\n1,A,Leeds,GB,GB\n") == {
        "number": "number",
        "name": "name",
        "bill_to.country": "bill_to.country",
        "ship_to.locality": "ship_to.locality",
        "ship_to.country": "ship_to.country",
    }


def test_a_company_is_the_name_and_the_person_stands_at_its_address():
    content = (
        "Company,First Name,Last Name,Street,City,Country\nA Ltd,Ann,Lee,High St 1,Leeds,GB\n,Bob,Ray,,,\n"
    )

    assert columns_of(content) == {
        "name": {"from": ["Company", "{First Name} {Last Name}"]},
        "bill_to.name": "{First Name} {Last Name}",
        "bill_to.street_line_1": "Street",
        "bill_to.locality": "City",
        "bill_to.country": "Country",
    }


def test_the_name_may_stand_at_the_address_alone():
    columns = columns_of("Cust #,Bill To Name,Bill To City,Bill To Country\n1,A Ltd,Leeds,GB\n")

    assert columns["number"] == "Cust #"
    assert columns["name"] == columns["bill_to.name"] == "Bill To Name"


def test_who_has_no_name_is_called_by_what_there_is():
    content = "Company,First Name,Email,Phone\nA Ltd,Ann,a@a.example,1\n,,b@b.example,2\n"

    assert columns_of(content)["name"] == {"from": ["Company", "{First Name}", "Email"]}


def test_apostrophes_before_every_value_of_a_column_go():
    for content in (
        "Id,Name,Zip\n'7210,A,'01067\n'7211,B,1010\n",
        'Id,Name\n"=""07210""",A\n"=""07211""",B\n',
    ):
        document = tomllib.loads(drafted(content).text)

        assert document["file"]["unguard"] is True


def test_a_last_name_may_only_be_called_name():
    assert columns_of("Nom,Prénom\nPetit,Zoé\n") == {"name": "{Prénom} {Nom}"}


def test_what_has_no_column_of_its_own_goes_into_the_note():
    columns = columns_of("Firma,Telefon,Handy,Bemerkung,USt-IdNr.\nA,0351 1,0171 2,Ruft an,DE1\n")

    assert columns["phone"] == "Telefon"
    assert columns["note"] == "[{Bemerkung}\n][Handy {Handy}\n][USt-IdNr. {USt-IdNr.}]"


def test_columns_without_a_known_heading_are_known_by_what_is_in_them():
    content = "Firma,X1,X2,X3\nA,a@a.example,+49 351 555010,https://a.example\nB,b@b.example,0351 555011,www.b.example\n"

    assert columns_of(content) == {"name": "Firma", "email": "X1", "phone": "X2", "url": "X3"}


def test_amounts_get_the_sign_that_reads_them_all_and_their_currency():
    text = drafted("Nr;Name;Limit\n1;A;1.234,56\n2;B;25000,-\n3;C;12 500,00 €\n").text
    document = tomllib.loads(text)

    assert document["columns"]["credit_limit"] == {"from": "Limit", "decimal": ","}
    assert document["defaults"] == {"credit_limit_currency": "EUR"}


@pytest.mark.parametrize(
    ("dates", "taken"),
    [
        (["2024-05-01", "2024-05-01T09:30:00Z"], "Angelegt"),
        (["31.12.2023", "01.02.2024"], {"from": "Angelegt", "date": "%d.%m.%Y"}),
        (["31/12/2023", "01/02/2024"], {"from": "Angelegt", "date": "%d/%m/%Y"}),
        (["12/31/2023", "01/02/2024"], {"from": "Angelegt", "date": "%m/%d/%Y"}),
        (["31/12/2023 10:00", "01/02/2024"], {"from": "Angelegt", "date": ["%d/%m/%Y", "%d/%m/%Y %H:%M"]}),
    ],
)
def test_dates_get_the_formats_that_read_them_all(dates, taken):
    content = "Nr,Firma,Angelegt\n" + "".join(f"{i},F{i},{date}\n" for i, date in enumerate(dates))

    assert columns_of(content)["created_at"] == taken


def test_the_number_of_a_house_stands_behind_its_street():
    columns = columns_of("Nr;Firma;Straße;Nr.;Ort;Land\n1;A;Ring;5a;Dresden;DE\n")

    assert columns["number"] == "Nr"
    assert columns["bill_to.street_line_1"] == "{Straße} {Nr.}"


def test_a_date_that_could_be_either_is_left_to_the_person():
    draft = drafted("Nr,Firma,Angelegt\n1,A,03/11/2019\n")

    assert "created_at" not in tomllib.loads(draft.text)["columns"]
    assert '# created_at = { from = "Angelegt", date = "%d/%m/%Y" }' in draft.text
    assert '# created_at = { from = "Angelegt", date = "%m/%d/%Y" }' in draft.text
    assert draft.notes[0].startswith('"Angelegt" has the day or the month first')


def test_a_date_that_nothing_reads_is_a_comment():
    draft = drafted("Nr,Name,Created\n1,A,2024-05-01\n2,B,Spring\n")

    assert '# "Created" can\'t be read in 1 rows, such as "Spring":' in draft.text
    assert '# created_at = "Created"' in draft.text


def test_lines_that_are_quoted_as_a_whole_are_refused():
    with pytest.raises(CantBeRead, match="Is the whole line in quotes"):
        drafted('"number,name,type"\n"1,A,R"\n')


def test_a_file_of_headings_alone_is_drafted_by_them():
    assert columns_of("Kunden-Nr;Firma;seit;Foo\n") == {
        "number": "Kunden-Nr",
        "name": "Firma",
        "created_at": "seit",
    }


def test_countries_in_another_language_get_their_codes():
    document = tomllib.loads(
        drafted("Firma,Ort,Land\nA,Dresden,Deutschland\nB,Wien,Österreich\nC,Bern,CH\n").text
    )

    assert document["columns"]["bill_to.country"] == "Land"
    assert document["values"]["bill_to.country"] == {"Deutschland": "DE", "Österreich": "AT"}


def test_an_address_without_a_country_waits_for_one():
    draft = drafted("Firma,Straße,Ort\nA,Ring 1,Dresden\n")

    assert tomllib.loads(draft.text)["columns"] == {"name": "Firma"}
    assert '# "bill_to.street_line_1" = "Straße"' in draft.text
    assert '# "bill_to.country" = "…"' in draft.text


def test_values_of_a_closed_set_are_listed_to_be_translated():
    text = drafted("Nr,Firma,status\n1,A,aktiv\n2,B,gesperrt\n").text

    assert "status" not in tomllib.loads(text)["columns"]
    assert "# [values.status]\n" in text
    assert '# aktiv = ""\n' in text
    assert "normal, preferred, hold_shipment, hold_all" in text


def test_words_for_nothing_are_told_and_e_mails_in_lists_are_taken_apart():
    document = tomllib.loads(
        drafted('Nr,Firma,Mail,Tel\n1,A,"a@a.example; b@b.example",NULL\n2,B,n/a,0351 5\n').text
    )

    assert document["file"]["nothing"] == ["NULL", "n/a"]
    assert document["columns"]["email"] == {"from": "Mail", "split": [";", ","], "take": "first"}


def test_links_to_e_mails_lose_what_makes_them_links():
    content = "Name,E-mail\nA,mailto:a@x.example\nB,b@x.example\n"
    draft = drafted(content)

    assert columns_of(content)["email"] == {"from": "E-mail", "split": ":", "take": "last"}
    require_readable(draft, content.encode())


def test_lists_of_groups_are_split_where_their_commas_are():
    assert columns_of('Id,Name,Tags\n1,A,"retail, vip"\n')["price_groups"] == {"from": "Tags", "split": ","}


def test_streets_with_lines_fill_both_lines():
    columns = columns_of('Name,Billing Street,Country\nA,"Hill 1\nRear building",GB\n')

    assert columns["bill_to.street_line_1"] == {"from": "Billing Street", "line": 1}
    assert columns["bill_to.street_line_2"] == {"from": "Billing Street", "line": "2-"}


def test_each_unknown_heading_is_a_comment_once_with_what_is_in_it():
    text = drafted(",Nr,Firma,Punkte,Frei,Frei\n0,1,A,12,,\n1,2,B,77,,\n").text

    assert text.count('"Punkte"') == 1
    assert '#   "Punkte": 2 different values, such as "12", "77"' in text
    assert text.count('"Frei"') == 1
    assert "#   column 1, without a name: 2 different values" in text


def test_totals_under_a_list_are_left_out():
    content = "Customer,City,Country,Balance\nAspen Works,Aspen,US,12\nTotal Ltd,Delta,US,3\nTOTAL,,,15\n"

    assert tomllib.loads(drafted(content).text)["skip"] == [{"column": "Customer", "is": ["TOTAL"]}]


def test_a_number_that_stands_twice_tells_no_customers_apart():
    draft = drafted("Nr,Firma,Mail\n1,A,a@a.example\n1,B,b@b.example\n")

    assert "number" not in tomllib.loads(draft.text)["columns"]
    assert tomllib.loads(draft.text)["match"] == {"by": ["email"]}
    assert '# "Nr" stands more than once' in draft.text


def test_json_is_drafted_by_the_paths_of_its_objects():
    content = """{"customers": [{"name": "A", "tags": ["a", "b"], "emails": ["x@a.example", "y@a.example"],
        "address": {"city": "Leeds", "country": "GB"}}]}"""

    assert columns_of(content, "json") == {
        "name": "name",
        "email": {"from": "emails", "split": [";", ","], "take": "first"},
        "price_groups": "tags",
        "bill_to.locality": "address.city",
        "bill_to.country": "address.country",
    }


def test_a_file_without_headings_has_its_columns_by_their_place():
    document = tomllib.loads(
        drafted("A Ltd,a@a.example,+44 113 4960100\nB Ltd,b@b.example,+44 113 4960101\n").text
    )

    assert document["file"]["header"] == 0
    assert document["columns"]["email"] == "2"
    assert document["columns"]["phone"] == "3"
    numbered = drafted("10001,Alder Ltd,Retail\n10002,Birch Ltd,Retail\n").text
    assert "header = 0\n" in numbered
    assert 'name = "2"' in numbered
    assert '#   "2"' not in numbered
    assert "header = 0\n" not in drafted("0,1,2\n10001,Alder Ltd,Retail\n").text
    assert "header = 0\n" not in drafted("Name,2023,2024\nAlder Ltd,5,6\n").text


@pytest.mark.parametrize("content", ["", "\n\n"])
def test_a_file_without_anything_is_refused(content):
    with pytest.raises(CantBeRead):
        drafted(content)


@pytest.mark.parametrize("ready", READY, ids=lambda ready: ready.name)
def test_a_file_that_a_map_ships_for_is_recognised(ready):
    file = next(each for each in READY_FILES.glob(f"{ready.name}.*") if each.suffix != ".ndjson")

    draft = draft_map(io.BytesIO(file.read_bytes()), "csv", FileOptions(), file.name)

    assert recognise(draft.headings) == ready
    require_readable(draft, file.read_bytes())


KNOWN = """Nr|Firma|E-Mail|Telefon|Land|Ort|Limit|Angelegt|status|Tags|Straße|type|Note|priority|Ship To City
    |ship_to.country|accepts_invoice_emails|[x]|{y}|"||Frei|a.b|Vorname|Name|Hausnummer|Mobil|parent_number"""
USUAL = """|1|NULL|a@b.example|A <a@b.example>, c@d.example|DE|Deutschland|Nirgendwo|1.234,56|12 €|03/11/2019|31.12.2020
    |2020-01-01|normal|yes|+49 351 555010|two\nlines|a; b|=1+1|0000-00-00|TOTAL"""
HEADINGS = st.sampled_from([name.strip() for name in KNOWN.split("|")]) | st.text(max_size=12)
CELLS = st.sampled_from([*(cell.strip() for cell in USUAL.split("|")), "x" * 300]) | st.text(max_size=20)


@st.composite
def tables(draw):
    width = draw(st.integers(1, 6))
    rows = st.lists(st.lists(CELLS, min_size=width, max_size=width), min_size=1, max_size=6)
    return [draw(st.lists(HEADINGS, min_size=width, max_size=width)), *draw(rows)]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(tables())
def test_a_draft_always_loads_and_reads_what_it_takes(table):
    rows = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in table]
    data = "\n".join(rows).encode("utf-8", "surrogatepass")

    try:
        draft = drafted(data)
    except CantBeRead:
        return

    # A map without columns is for a file that has ours.
    if tomllib.loads(draft.text)["columns"]:
        require_readable(draft, data)


def test_a_list_without_a_name_says_so_and_lists_what_may_be_one():
    found = drafted("1,Alder Ltd,a@x.example\n2,Birch,b@x.example\n")

    assert "No column is taken for the name, and a new customer needs one." in found.notes
    assert '# name = "2"' in found.text.splitlines()
    assert found.text.count('"2"') == 1 + found.text.count('such as "1", "2"'), "each heading once"
    assert '# name = "1"' not in found.text
    assert not any("for the name" in note for note in drafted("Name,Mail\nA,a@x.example\n").notes)


def test_half_a_character_of_json_stands_in_no_map():
    found = drafted('[{"name": "A\\ud83d", "id": "1", "c\\ud83d": "x"}]', "json")

    found.text.encode()
    assert tomllib.loads(found.text)["columns"] == {"number": "id"}
