"""[columns] of a map: what each of its words makes of a cell, of CSV and of JSON."""

import json
import unicodedata

import pytest

NAME = '[columns]\nname = "Name"\n'


def one(values, right_side, column="name", **cells):
    """Return what a right side makes of one row of CSV."""
    cells["Beside"] = "x"
    header = ",".join(f'"{name}"' for name in cells)
    row = ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells.values())
    found = values(f'[columns]\n"{column}" = {right_side}\n', f"{header}\n{row}\n")
    return found[0][column]


def of_json(values, right_side, record, column="name"):
    """Return what a right side makes of one object; None where it is not given."""
    found = values(f'[columns]\n"{column}" = {right_side}\n', json.dumps(record), "ndjson")
    return found[0].get(column)


@pytest.mark.parametrize(
    ("template", "mobile", "tax", "note"),
    [
        ("[Mobile {Mobile}][, ABN {Tax}]", "0401", "48 900", "Mobile 0401, ABN 48 900"),
        ("[Mobile {Mobile}][, ABN {Tax}]", "", "48 901", "ABN 48 901"),
        ("[Mobile {Mobile}][, ABN {Tax}]", "0401", "", "Mobile 0401"),
        ("[Mobile {Mobile}][, ABN {Tax}]", "", "", ""),
        ("Mobile {Mobile}, ABN {Tax}", "", "48 901", "Mobile , ABN 48 901"),
        ("{Mobile} - {Tax}", "0401", "", "0401"),
        ("{Mobile} · {Tax} |", "", "1", "1"),
        ("[{Mobile}/{Tax}]", "0401", "", ""),
        ("[[{Mobile}]] {{{Tax}}}", "1", "2", "[1] {2}"),
        ("[[sic]] {Mobile}", "1", "", "[sic] 1"),
    ],
)
def test_parts_in_brackets_go_with_their_columns(values, template, mobile, tax, note):
    assert one(values, json.dumps(template), "note", Mobile=mobile, Tax=tax) == note


@pytest.mark.parametrize("heading", ["Limit [EUR]", "Limit {net}", "Name [", "a]b", "{", "[[x]]", "{a}"])
def test_what_is_exactly_a_heading_is_that_heading(values, heading):
    assert one(values, json.dumps(heading), **{heading: "  5  "}) == "5"
    assert of_json(values, json.dumps(heading), {heading: "5"}) == "5"


def test_a_heading_in_braces_is_the_same_as_without(values):
    text = "two\nlines ,"

    assert one(values, '"Name"', Name=text) == one(values, '"{Name}"', Name=text) == text


def test_a_template_keeps_lines_in_a_note_and_joins_them_elsewhere(values):
    cells = {"Street": "Hill 1,\n\n Rear  building", "City": "Leeds"}

    assert one(values, '"{Street} {City}"', "note", **cells) == "Hill 1,\n\nRear building Leeds"
    assert one(values, '"{Street} {City}"', **cells) == "Hill 1, Rear building Leeds"
    assert one(values, r'"{Street}\n{City}"', "note", **cells).splitlines()[-1] == "Leeds"


@pytest.mark.parametrize(
    ("cells", "name"),
    [
        ({"Company": "Alder", "First": "Ann", "Last": "Lee"}, "Alder"),
        ({"Company": "", "First": "Ann", "Last": "Lee"}, "Ann Lee"),
        ({"Company": "", "First": "", "Last": ""}, ""),
    ],
)
def test_the_first_that_is_not_empty_counts(values, cells, name):
    assert one(values, '{ from = ["Company", "{First} {Last}"] }', **cells) == name


@pytest.mark.parametrize(
    ("take", "cell", "email"),
    [
        ('"first"', "pat@orchard.example, accounts@orchard.example", "pat@orchard.example"),
        ('"last"', "pat@orchard.example; accounts@orchard.example;", "accounts@orchard.example"),
        ("2", "a@x.example; b@x.example", "b@x.example"),
        ("3", "a@x.example; b@x.example", ""),
        ('"first"', "Jo Mill <jo@mill.example>", "jo@mill.example"),
        ('"first"', '"Mill, Jo" <jo@mill.example>, b@x.example', "jo@mill.example"),
        ('"first"', "none, b@x.example", "none"),
        ('"first"', " ; ,", ""),
        ('"first"', "", ""),
    ],
)
def test_one_of_several_addresses_is_taken(values, take, cell, email):
    assert (
        one(values, f'{{ from = "Emails", split = [";", ","], take = {take} }}', "email", Emails=cell)
        == email
    )


def test_a_name_before_an_address_goes_where_one_is_taken(values):
    assert (
        one(values, '{ from = "E", take = "first" }', "email", E="Jo <jo@mill.example>") == "jo@mill.example"
    )
    assert one(values, '"E"', "email", E="Jo <jo@mill.example>") == "Jo <jo@mill.example>"


def test_a_list_of_groups_is_split_and_each_is_translated(values):
    right_side = '{ from = "Tags", split = [",", "|"], values = { vip = "Gold", test = "" } }'

    assert one(values, right_side, "price_groups", Tags="retail, vip|test,") == ["retail", "Gold"]
    first = '{ from = "Tags", split = ",", take = "first" }'
    assert one(values, first, "price_groups", Tags="A; B, C") == ["A; B"]


@pytest.mark.parametrize(
    ("line", "street", "taken"),
    [
        ("1", "Hill 1\r\nRear building", "Hill 1"),
        ("2", "Hill 1\n\nRear building", "Rear building"),
        ("2", "Hill 1", ""),
        ('"2-"', "Hill 1\nRear building,\nRoom 5", "Rear building, Room 5"),
        ('"1-"', "Hill 1\nRoom 5", "Hill 1, Room 5"),
        ('"1"', "", ""),
    ],
)
def test_a_line_of_a_cell_is_taken(values, line, street, taken):
    assert one(values, f'{{ from = "Street", line = {line} }}', Street=street) == taken


def test_lines_that_nothing_takes_are_a_problem(told, values):
    text = '[columns]\nname = { from = "S", line = 1 }\n"bill_to.street_line_1" = { from = "S", line = 2 }\n'
    rest = text.replace("line = 2", 'line = "2-"')

    assert told(text, 'S\n"a\nb\nc"\n') == [
        (
            "line 2, S (bill_to.street_line_1): 'a\\nb\\nc' has 3 lines, the map takes 2: "
            'line = "2-" takes the rest'
        )
    ]
    assert values(rest, 'S\n"a\nb\nc"\n')[0]["bill_to.street_line_1"] == "b, c"
    twice = f'{rest}"bill_to.locality" = {{ from = "S", line = 3 }}\n'
    assert values(twice, 'S\n"a\nb\nc\nd"\n')[0]["bill_to.locality"] == "c"


def test_one_of_equal_headings_is_taken(values, told):
    content = "Name,Mail,Name\nAlder,a,Oak\n"

    assert values('[columns]\nname = { from = "Name", nth = 2 }\n', content) == [{"name": "Oak"}]
    several = '[columns]\nname = { from = ["Ship name", "Name"], nth = [1, 2] }\nemail = "Mail"\n[file]\noptional = true\n'
    assert values(several, content) == [{"name": "Oak", "email": "a"}]
    assert values(several, "Name,Ship name\nAlder,Elm\n") == [{"name": "Elm"}]
    second = several.replace('from = ["Ship name", "Name"], nth = [1, 2]', 'from = "Name", nth = 2')
    for lacking in (several, second):
        assert values(lacking, "Name,Mail\nAlder,a\n") == [{"email": "a"}]
    assert told('[columns]\nname = "Name"\n', content) == [
        (
            "line 1, Name: The map takes name from this column; the file has 2: "
            "say in the map which one counts, by nth = 1 to nth = 2."
        )
    ]
    assert (
        "number 3 of the columns of this name; the file has 2."
        in told('[columns]\nname = { from = "Name", nth = 3 }\n', content)[0]
    )


def test_values_default_and_empty_of_a_column(values):
    text = (
        '[columns]\nstatus = { from = "Blocked", values = { yes = "hold_all", no = "normal" } }\n'
        'type = { from = "Kind", default = "Import", empty = ["-", "?"] }\n'
        'note = "{Kind}"\n'
    )

    assert values(text, "Blocked,Kind\nyes,-\nno,Shop\n") == [
        {"status": "hold_all", "type": "Import", "note": "-"},
        {"status": "normal", "type": "Shop", "note": "Shop"},
    ]


def test_what_comes_from_a_default_is_known(rows):
    text = '[columns]\nname = "n"\nstatus = "s"\n[defaults]\ntype = "T"\n[values.status]\n"" = "normal"\n'

    found = [row.defaulted for row in rows(text, "n,s\na,\nb,preferred\n")]

    assert found == [{"type", "status"}, {"type"}]


def test_a_column_is_taken_only_when_another_one_says_so(values):
    when = '{ from = "Street", when = { Kind = ["1", "true"] } }'
    unless = '{ from = "Street", unless = { Kind = "", Other = "x" } }'

    assert [one(values, when, Street="S", Kind=kind, Other="") for kind in ("1", "2", "")] == ["S", "", ""]
    assert [one(values, unless, Street="S", Kind=k, Other=o) for k, o in ("1 ", " x", "1x")] == ["S", "", ""]


@pytest.mark.parametrize(
    ("right_side", "record", "found"),
    [
        ('"address.city"', {"address": {"city": "Cork"}}, "Cork"),
        ('"{address.city}"', {"address": {"city": "Cork"}}, "Cork"),
        ('"address.city"', {"address.city": "flat", "address": {"city": "Cork"}}, "flat"),
        ('"address.city"', {"address": {"city": None}}, ""),
        ('"address.city"', {"address": None}, ""),
        ('"address.city"', {"address": {}}, None),
        ('"address.city"', {}, None),
        ('"a.b.c"', {"a.b": {"c": "x"}}, "x"),
        ('"addresses.1.city"', {"addresses": [{"city": "Cork"}, {"city": "Ennis"}]}, "Ennis"),
        ('"addresses.5.city"', {"addresses": [{"city": "Cork"}]}, None),
        ('"addresses.city"', {"addresses": [{"city": "Cork"}]}, "Cork"),
        ('{ from = "a.city", take = "last" }', {"a": [{"city": "Cork"}, {"city": "Ennis"}]}, "Ennis"),
        ('{ from = "mails", take = 2 }', {"mails": ["a", "b"]}, "b"),
        ('"[{tags}]"', {"tags": ["a", "b"]}, "a, b"),
        ('"{a} {b}"', {"a": 5, "b": True}, "5 true"),
        ('"{a} {b}"', {"c": 1}, None),
        ('{ from = ["a", "b"] }', {"a": "", "b": "x"}, "x"),
        ('{ from = ["a", "b"] }', {"a": ""}, ""),
        ('"a"', {"a": 7.50}, "7.5"),
        ('"a"', {"a": "  "}, ""),
        ('"a"', {"a": []}, ""),
    ],
)
def test_right_sides_reach_into_json(values, right_side, record, found):
    assert of_json(values, right_side, record) == found


def test_lists_of_json_become_groups(values):
    def groups(right_side, record):
        return of_json(values, right_side, record, "price_groups")

    assert groups('"tags"', {"tags": ["a", "b; c", ""]}) == ["a", "b; c"]
    assert groups('{ from = "tags", split = "," }', {"tags": ["a, b", "c"]}) == ["a", "b", "c"]
    assert groups('"tags.name"', {"tags": [{"name": "a"}, {"name": "b"}, {}]}) == ["a", "b"]
    assert groups('{ from = "on", values = { true = "A" } }', {"on": True}) == "A"


@pytest.mark.parametrize(
    ("right_side", "record", "reason"),
    [
        (
            '"a"',
            {"a": {"city": 1, "zip": 2}},
            "is an object: the map reaches into it with a dot and a name (city, zip)",
        ),
        ('"{a} x"', {"a": {"city": 1}}, "is an object"),
        (
            '"a"',
            {"a": ["x", "y"]},
            "'x, y' is a list of 2: say in the map which counts, such as take = \"first\"",
        ),
        ('"{a"', {"b": 1}, "can't be taken as the map says: '{a' has a brace without its other half"),
    ],
)
def test_what_json_has_and_the_map_can_not_take_is_told(told, right_side, record, reason):
    assert reason in told(f"[columns]\nname = {right_side}\n", json.dumps(record), "ndjson")[0]


def test_false_is_a_value(values):
    text = '[columns]\naccepts_invoice_emails = "a"\n[defaults]\naccepts_invoice_emails = true\n'

    assert values(text, '{"a": false}\n{"a": null}\n', "ndjson") == [
        {"accepts_invoice_emails": False},
        {"accepts_invoice_emails": True},
    ]


def test_ids_of_other_systems_and_attached_addresses_stand_on_the_left(values):
    text = '[columns]\n"external_ids.shop" = "Id"\nexternal_ids.erp = "No"\naddress.locality = "City"\n'

    assert values(text, "Id,No,City\n7,9,Cork\n") == [
        {"external_ids.shop": "7", "external_ids.erp": "9", "address.locality": "Cork"}
    ]


def test_a_problem_of_one_cell_leaves_the_others(rows):
    text = '[columns]\nnumber = "No"\ncredit_limit = "Limit"\ncreated_at = { from = "Since", date = "iso" }\n'
    text += '[file]\ndecimal = ","\n[defaults]\ncredit_limit = "5"\n'

    row = rows(text, "No,Limit,Since\n1,much,soon\n")[0]

    assert row.values == {"number": "1"}
    assert {problem.column for problem in row.problems} == {"credit_limit", "created_at"}
    assert {problem.heading for problem in row.problems} == {"Limit", "Since"}
    assert set(row.refused) == {"credit_limit", "created_at"}


@pytest.mark.parametrize(
    "heading",
    [
        "Gro\u0308ße neu",
        "Größe\N{NO-BREAK SPACE}neu",
        "Größe  neu",
        "\N{ZERO WIDTH SPACE}Größe neu",
        "Grö\u00adße neu",
    ],
)
def test_a_heading_that_reads_the_same_is_the_same(values, told, heading):
    text = '[columns]\nnumber = "Nr"\nname = "Größe neu"\nnote = "{Größe neu}!"\n'

    assert values(text, f"Nr,{heading}\n1,A\n") == [{"number": "1", "name": "A", "note": "A!"}]
    assert values(text, f"Nr,Größe neu,{heading}\n1,A,B\n")[0]["name"] == "A"
    both = f"Nr,{heading},Größe \N{NO-BREAK SPACE} neu\n1,A,B\n"
    assert len(told(text, both)) == 1, "nobody can tell which of the two is meant"


def test_words_of_a_map_are_the_same_however_their_accents_are_written(rows):
    text = """
        [columns]
        number = "Nr"
        status = "Art"
        [values.status]
        "größe" = "hold_all"
        [[skip]]
        column = "Art"
        is = ["Lieferänt"]
        [[skip]]
        column = "Art"
        like = ["Ü*"]
        """
    content = unicodedata.normalize("NFD", "Nr,Art\n1,größe\n2,Lieferänt\n3,Übrig\n")

    found = rows(text, content)

    assert [row.skipped for row in found] == [None, 0, 1]
    assert found[0].values["status"] == "hold_all"


def test_a_heading_that_the_file_does_not_have_is_told_with_the_nearest(told):
    content = "Customer-ID,Credit Limit,E-Mail\n1,2,3\n"
    text = '[columns]\nnumber = "customer id"\ncredit_limit = "Limit"\nemail = "{Mail}"\nname = "Firm [x"\nnote = "{Firm"\n'

    assert told(text, content) == [
        "line 1, customer id: The map takes number from this column; the file has none. Did you mean Customer-ID?",
        "line 1, Limit: The map takes credit_limit from this column; the file has none. Did you mean Credit Limit?",
        "line 1, Mail: The map takes email from this column; the file has none. Did you mean E-Mail?",
        "line 1, Firm [x: The map takes name from this column; the file has none.",
        (
            "line 1, {Firm: The file has no such column, and it is no template: "
            "'{Firm' has a brace without its other half; {{ is a brace itself."
        ),
    ]
