"""The sections of a map that are about whole files: [file], [match], [[skip]], [[lookup]], and all mistakes."""

import io
import json

import pytest

from tradebook.transfer.files.rows import read_file
from tradebook.transfer.maps.column_map import load_map, load_map_text
from tradebook.transfer.maps.options import Options, WrongOption
from tradebook.transfer.rows import FileOptions, Match, Skipping

CUSTOMERS = "id;mail;first;last\n1;wen@x.example;Wen;Dahl\n2;tig@x.example;Tig;Lind\n3;;Una;Byrne\n"
ADDRESSES = (
    "mail;street;town;land\nwen@x.example;High St 1;New York;US\n"
    "wen@x.example;Park Rd 5;London;\nwen@x.example;;;\n"
)
LOOKUP = """
[columns]
number = "id"
name = "{first} {last}"
[[lookup]]
file = "addresses.csv"
key = "mail"
from = "mail"
columns = { "bill_to.street_line_1" = "street", "bill_to.locality" = "town", "bill_to.country" = "land" }
"""
TO_SKIP = "Name,Type,City\nA,Customer,Leeds\nB, Supplier,Leeds\nTOTAL,,\nC,vendor,Leeds\nD,Vendor,Leeds\n"
SKIPPING = """
[columns]
name = "Name"
[[skip]]
column = "Type"
is = ["Supplier", "Vendor"]
[[skip]]
column = "City"
is = [""]
"""


def test_what_a_map_says_of_the_file_is_offered():
    found = load_map_text(
        """
        [file]
        encoding = "CP1250"
        separator = ";"
        header = 0
        sheet = "Customers"
        unguard = true
        empty = "keep"
        [match]
        by = ["external_ids.shopify", "number"]
        write = "update"
        [[skip]]
        column = "Type"
        is = ["Supplier", "Vendor"]
        """,
        (),
    ).options

    assert found.file == FileOptions("CP1250", ";", 0, "Customers", unguard=True)
    assert found.match == Match(("external_ids.shopify", "number"), "update")
    assert found.keeps_empty
    assert found.skips == (Skipping("Type", "Supplier"), Skipping("Type", "Vendor"))


def test_options_win_over_the_map():
    said = Options(FileOptions("cp1250", ";"), Match(("email",), "create"), keeps_empty=True)

    found = said.with_options(encoding="utf-8", match="number, external_ids.x", only="update", sheet="S")

    assert found.file == FileOptions("utf-8", ";", sheet="S")
    assert found.match == Match(("number", "external_ids.x"), "update")
    assert found.keeps_empty
    assert said.with_options() == said
    assert Options().with_options(keep_empty=True).keeps_empty


@pytest.mark.parametrize(
    ("options", "name", "reason"),
    [
        ({"encoding": "latin-x"}, "encoding", "did you mean latin_1?"),
        ({"encoding": "base64"}, "encoding", "'base64' is none"),
        ({"encoding": "\0"}, "encoding", "takes a code page"),
        ({"match": "mail"}, "match", "'mail' is none of them; did you mean email?"),
        ({"match": ""}, "match", "takes number, email, phone and external_ids.NAME"),
        ({"match": "external_ids."}, "match", "is none of them"),
        ({"only": "upsert"}, "only", "takes create or update, not 'upsert'"),
    ],
)
def test_a_wrong_option_is_told(options, name, reason):
    with pytest.raises(WrongOption) as caught:
        Options().with_options(**options)

    assert caught.value.name == name
    assert reason in str(caught.value)
    # Which Python has too, and which is none either.
    assert "base_64" not in str(caught.value)


def test_words_for_nothing_count_everywhere(values):
    text = """
    [file]
    nothing = ["NULL", "\\\\N", "n/a"]
    [columns]
    number = "no"
    phone = "tel"
    note = "[Tel. {tel}][, region {region}]"
    status = { from = "state", values = { N = "hold_all" }, default = "normal" }
    price_groups = { from = "tags", split = "," }
    email = { from = "mails", empty = "-" }
    """
    content = 'no,tel,region,state,tags,mails\nA1,NULL,\\N,NULL,"a, NULL",-\nA2, n/a ,South,N,null,n/a\n'

    assert values(text, content) == [
        {"number": "A1", "phone": "", "note": "", "status": "normal", "price_groups": ["a"], "email": ""},
        {"number": "A2", "phone": "", "note": "region South", "status": "hold_all", "price_groups": ["null"], "email": ""},
    ]  # fmt: skip
    record = {"no": "A", "tel": "NULL", "tags": ["NULL", "a"], "state": None, "mails": []}
    assert values(text, json.dumps(record), "ndjson")[0] == {
        "number": "A", "phone": "", "note": "", "status": "normal", "price_groups": ["a"], "email": ""
    }  # fmt: skip


def test_rows_are_left_out_by_rules(rows):
    found = rows(SKIPPING, TO_SKIP)

    assert [row.skipped for row in found] == [None, 0, 2, None, 1]
    assert [row.values for row in found if row.skipped is not None] == [{}, {}, {}]


def test_a_word_for_nothing_is_an_empty_cell_for_a_rule_too(rows):
    nothing = '[file]\nnothing = ["NULL", "-"]\n'
    by_word = SKIPPING.replace('is = [""]', 'is = ["-"]')

    assert rows(nothing + SKIPPING, "Name,Type,City\nA,,NULL\n")[0].skipped == 2
    assert rows(nothing + by_word, "Name,Type,City\nA,,-\n")[0].skipped == 2
    assert rows(nothing + by_word, "Name,Type,City\nA,,NULL\n")[0].skipped is None


def test_rows_are_left_out_by_a_pattern_and_in_json(rows):
    text = '[columns]\nname = "n"\n[[skip]]\ncolumn = "{a.kind}"\nlike = ["7*", "*, * PM"]\n'
    content = '{"n": "x", "a": {"kind": 7001}}\n{"n": "y"}\n{"n": "z", "a": {"kind": "Nov 20, 03:12 PM"}}\n'

    assert [row.skipped for row in rows(text, content, "ndjson")] == [0, None, 1]


def test_a_lookup_brings_several_columns(rows, told):
    files = {"addresses.csv": "\n".join(ADDRESSES.splitlines()[:2])}

    assert rows(LOOKUP, CUSTOMERS, files=files)[0].values == {
        "number": "1", "name": "Wen Dahl", "bill_to.street_line_1": "High St 1",
        "bill_to.locality": "New York", "bill_to.country": "US",
    }  # fmt: skip
    (lacking,) = told(LOOKUP, CUSTOMERS, files=files)
    assert lacking.startswith("line 3, mail: 'tig@x.example' is not a key in addresses.csv: ")
    assert lacking.endswith('say missing = "empty" in the map')


def test_a_value_that_was_looked_up_is_told_with_its_own_file(tmp_path):
    (tmp_path / "addresses.csv").write_text(ADDRESSES)

    found = load_map_text(LOOKUP, (tmp_path,))

    assert found.theirs["bill_to.country"] == "land of addresses.csv"


def test_what_a_lookup_lacks_may_be_empty(values):
    text = LOOKUP.replace("columns = {", 'missing = "empty"\ncolumns = {')

    found = values(text, CUSTOMERS, files={"addresses.csv": ADDRESSES.splitlines()[0]})

    assert {row["bill_to.country"] for row in found} == {""}


def test_several_lines_of_one_key_are_a_problem_unless_the_map_says_what_counts(told, values):
    files = {"addresses.csv": ADDRESSES + "tig@x.example;Low St 2;Cork;IE\n"}
    first = LOOKUP.replace("columns = {", 'many = "first"\ncolumns = {')

    assert told(LOOKUP, CUSTOMERS, files=files) == [
        (
            "line 2, mail: 'wen@x.example' is in 3 lines (2, 3, 4) of addresses.csv: "
            'say in the map what counts, by many = "first" or many = "attach"'
        )
    ]
    found = values(first, CUSTOMERS, files=files)
    assert [row["bill_to.street_line_1"] for row in found] == ["High St 1", "Low St 2", ""]
    assert "addresses" not in found[0]


def test_further_lines_become_attached_addresses(values):
    text = LOOKUP.replace("columns = {", 'many = "attach"\nmissing = "empty"\ncolumns = { phone = "town", ')
    text += '[values."bill_to.locality"]\nLondon = "LONDON"\n[defaults]\n"bill_to.country" = "GB"\n'
    text += '"address.street_line_2" = "-"\n'

    found = values(text, CUSTOMERS, files={"addresses.csv": ADDRESSES})

    assert found[0]["bill_to.street_line_1"] == "High St 1"
    assert found[0]["phone"] == "New York"
    assert found[0]["addresses"] == [
        {"street_line_1": "Park Rd 5", "street_line_2": "-", "locality": "LONDON", "country": "GB"}
    ]
    assert [row.get("addresses") for row in found[1:]] == [None, None]
    # A file of addresses need not have the column.
    found = values(
        text.replace(', "bill_to.country" = "land"', ""), CUSTOMERS, files={"addresses.csv": ADDRESSES}
    )
    assert found[0]["addresses"][0]["country"] == "GB"


def test_a_lookup_reads_other_forms_of_files(values):
    text = LOOKUP.replace("addresses.csv", "addresses.ndjson").replace('"town"', '"place.town"')
    text = text.replace("columns = {", 'missing = "empty"\nmany = "first"\ncolumns = {')
    address = {"mail": "wen@x.example", "street": "High St 1", "place": {"town": "New York"}, "land": "US"}

    found = values(text, CUSTOMERS, files={"addresses.ndjson": json.dumps(address)})

    assert found[0]["bill_to.locality"] == "New York"


def test_a_map_without_columns_takes_the_files_own(values, told):
    text = '[file]\ndecimal = ","\nnothing = "-"\n[defaults]\ntype = "Import"\n'

    assert values(text, ',number,credit_limit,problem\n0,1,"5,50",no\n0,2,-,no\n') == [
        {"number": "1", "credit_limit": "5.50", "type": "Import"},
        {"number": "2", "credit_limit": "", "type": "Import"},
    ]
    assert values(text, '{"number": 1, "credit_limit": "5,50", "bill_to": {"locality": "-"}}', "ndjson") == [
        {"number": "1", "credit_limit": "5.50", "bill_to.locality": "", "type": "Import"}
    ]
    assert told(text, "number,nmae\n1,x\n") == ["line 1, nmae: There is no such column. Did you mean name?"]


@pytest.mark.parametrize(
    ("heading", "near"), [("Country", "bill_to.country"), ("Shipto country", "ship_to.country")]
)
def test_a_heading_of_either_address_is_taken_for_the_bill_to_address(told, heading, near):
    (problem,) = told("", f"number,{heading}\n1,FR\n")

    assert problem.endswith(f"Did you mean {near}?")


def test_attached_addresses_of_json_pass_a_map_without_columns(values):
    record = {"number": "1", "addresses": [{"locality": "Cork"}]}

    assert values('[defaults]\ntype = "T"\n', json.dumps(record), "ndjson")[0]["addresses"] == [
        {"locality": "Cork"}
    ]


def test_an_object_is_no_word_to_be_left_out_by(rows):
    text = '[columns]\nname = "n"\n[[skip]]\ncolumn = "a"\nis = [""]\n'

    found = rows(text, '{"n": "x", "a": {"b": 1}}\n{"n": "y", "a": {}}\n', "ndjson")

    assert [row.skipped for row in found] == [None, 0]


def test_a_second_pass_of_a_file_of_json_is_like_the_first(tmp_path):
    column_map = load_map_text('[columns]\nname = "a.b"\nphone = "c"\n', ())
    content = b'{"a": {"b": "x"}}\n'

    passes = [next(iter(read_file(io.BytesIO(content), "ndjson", column_map))).values for _ in range(2)]

    assert passes == [{"name": "x"}, {"name": "x"}]


def test_what_would_take_long_is_not_looked_for(told, rows):
    """Neither a map nor a file makes the other's length cost its square."""
    columns = "".join(f'"nmae{place}" = "n"\n' for place in range(20_000))
    many = "".join(f'"external_ids.{place}" = "none{place}"\n' for place in range(500))
    stars = '[columns]\nname = "n"\n[[skip]]\ncolumn = "n"\nlike = "' + "*a" * 50 + 'b"\n'
    amount = '[columns]\ncredit_limit = { from = "n", decimal = "," }\ncreated_at = { from = "n", date = "%d/%m/%Y" }\n'
    header = ",".join(f"x{place}" for place in range(5_000))

    assert len(told(f"[columns]\n{columns}", "n\nx\n")) == 101
    assert len(told(f"[columns]\n{many}", f"{header}\n")) == 500
    assert rows(stars, "n\n" + "a" * 50_000 + "\n")[0].skipped is None
    assert len(rows(amount, "n\n" + "1" * 500_000 + "\n")[0].problems) == 2


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("a*", "abc", "ba"),
        ("*, * PM", "Fri, 3 PM", "Fri 3 PM"),
        ("a*a", "aa", "a"),
        ("*", "", None),
        ("a*b*c", "aXbXc", "acb"),
    ],
)
def test_a_star_stands_for_any_text(rows, pattern, fits, fits_not):
    text = f'[columns]\nname = "n"\n[[skip]]\ncolumn = "n"\nlike = "{pattern}"\n'

    found = rows(text, json.dumps({"n": fits}) + "\n" + json.dumps({"n": fits_not or "x"}) + "\n", "ndjson")

    assert [row.skipped for row in found] == [0, None if fits_not else 0]


def test_a_mistake_has_nothing_that_steers_a_terminal(told):
    assert told('[columns]\n"na\\u001bme" = "n"\n', "n\nx\n") == [
        r"[columns] na\x1bme: There is no such column. Did you mean name?"
    ]


def test_headings_may_be_missing_where_the_map_says_so(values, told):
    text = '[file]\noptional = true\n[columns]\nname = { from = ["Firm", "{First} {Last}"] }\nphone = "Tel"\n'
    text += '[[skip]]\ncolumn = "Type"\nis = [""]\n'

    assert values(text, "Last,x\nLee,1\n") == [{"name": "Lee"}]
    assert told(text, "x,y\n1,2\n") == ["line 1: The file has none of the columns that the map takes."]


def test_cells_are_filled_from_above_where_the_map_says_so(values):
    text = '[file]\nfill_down = ["mail"]\n[columns]\nemail = "mail"\nname = "n"\n'

    found = values(text, "mail,n\na@x.example,A\n,B\nc@x.example,C\n,D\n")

    assert [row["email"][0] for row in found] == ["a", "a", "c", "c"]


@pytest.mark.parametrize(
    ("text", "mistakes"),
    [
        ("[fil]\n", ["[fil]: there is no section 'fil'; did you mean file?"]),
        ("[zzz]\n", ["[zzz]: there is no section 'zzz'; there are file, match, skip, columns, lookup, values, defaults."]),
        ("file = 1\n", ["[file]: takes a table of words."]),
        ("[file]\nencodng = 'x'\n", ["[file]: there is no word 'encodng'; did you mean encoding?"]),
        ("[file]\nencoding = 'latin_x'\n", ["[file] encoding: takes a code page, such as cp1250 or utf-8; 'latin_x' is none; did you mean latin_1?"]),
        ("[file]\nseparator = '||'\n", [r'[file] separator: takes one character in quotes, such as ";" or "\t".']),
        ("[file]\nheader = -1\n", ["[file] header: takes a whole number from 0 on, without quotes."]),
        ("[file]\nempty = 'kep'\n", ["[file] empty: takes \"keep\" or \"clear\", not 'kep'; did you mean keep?"]),
        ("[file]\nunguard = 'yes'\n", ["[file] unguard: takes true or false, without quotes."]),
        ("[file]\nsheet = 2\n", ["[file] sheet: takes text in quotes."]),
        ("[match]\nwrite = 'upsert'\n", ["[match] write: takes \"both\", \"create\" or \"update\", not 'upsert'."]),
        ("[match]\nby = ['mail']\n", ["[match] by: takes number, email, phone and external_ids.NAME; 'mail' is none of them; did you mean email?"]),
        ("[match]\nby = []\n", ['[match] by: takes text in quotes, or a list of texts such as ["a", "b"].']),
        ("[columns]\nname = 'n'\n[match]\nby = ['email', 'phone']\n", ["[match]: matches by email or phone, which [columns] does not give."]),
        ("[skip]\ncolumn = 'a'\nis = 'b'\n", ["[skip]: is written [[skip]], as there may be several."]),
        ("[[skip]]\ncolumn = 'a'\n", ['[[skip]]: needs column and is, such as column = "Type" and is = ["Supplier"].']),
        ("[[skip]]\ncolumn = 'a'\nis = 1\n", ['[[skip]] is: takes text in quotes, or a list of texts such as ["a", "b"].']),
        ("[columns]\nname = { form = 'a' }\n", ["[columns] name: there is no word 'form'; did you mean from?", '[columns] name: needs from: the name of a column or a template, such as from = "Company".']),
        ("[columns]\nname = { from = [] }\n", ['[columns] name from: takes text in quotes, or a list of texts such as ["a", "b"].']),
        ("[columns]\nname = { from = 'a', split = ',' }\n", ['[columns] name: split makes several values of one: say which counts, such as take = "first".']),
        ("[columns]\nname = { from = 'a', take = 0 }\n", ['[columns] name take: takes "first", "last", or a number from 1.']),
        ("[columns]\nname = { from = 'a', line = '-2' }\n", ['[columns] name line: takes the number of a line from 1, or "2-" for the second and all that follow.']),
        ("[columns]\nname = { from = 'a', line = 1, take = 1 }\n", ["[columns] name: line does not go with split and take."]),
        ("[columns]\nname = { from = ['a', 'b'], nth = 2 }\n", ["[columns] name: nth goes with one heading; of several, say it for each, such as nth = [1, 2]."]),
        ("[columns]\nname = { from = ['a', 'b'], nth = [2] }\n", ["[columns] name: nth has a number for each heading of from, or one for all."]),
        ("[columns]\nname = { from = ['a', 'b'], nth = [1, 0] }\n", ["[columns] name nth: takes a whole number from 1 on, without quotes."]),
        ("[columns]\nname = { from = 'a', decimal = ',' }\n", ["[columns] name decimal: is for credit_limit and no other column."]),
        ("[columns]\nname = { from = 'a', zone = 'UTC' }\n", ["[columns] name zone: is for created_at and no other column."]),
        ("[columns]\nname = { from = 'a', default = '{b}' }\n", ["[columns] name default: '{b}' has braces, and a default is a constant: columns belong in from."]),
        ("[defaults]\nname = '{b}'\n", ["[defaults] name: '{b}' has braces, and a default is a constant: columns belong in from."]),
        ("[defaults]\nstatus = 'vip'\n", ["[defaults] status: 'vip' must be one of normal, preferred, hold_shipment, hold_all."]),
        ("[values.status]\na = 'vip'\n", ["[values] status: 'vip' must be one of normal, preferred, hold_shipment, hold_all."]),
        ("[columns]\ntype = { from = 'a', default = 'b' }\n[defaults]\ntype = 'c'\n", ["[columns] type default: is there twice: in [defaults] type and in [columns] type."]),
        ("[columns]\ntype = { from = 'a', values = {b = 'c'} }\n[values.type]\nd = 'e'\n", ["[columns] type values: is there twice: in [values] type and in [columns] type."]),
        ("[columns]\nbil_to.locality = 'a'\n\"bill_to.citty\" = 'a'\n", ["[columns] bil_to: There is no such column. Did you mean bill_to?", "[columns] bill_to.citty: There is no such column. Did you mean bill_to.locality?"]),
        ("[columns]\n'bill_to.name' = 'a'\nbill_to.name = 'b'\n", ["[columns] bill_to.name: is there twice, with a dot and in a section of its own."]),
        ("[columns]\nexternal_ids = 'a'\n", ["[columns] external_ids: There is no such column. Did you mean external_ids.NAME?"]),
        ("[columns]\n'external_ids.-x' = 'a'\naddresses = 'b'\n", [
            (
                "[columns] external_ids.-x: There is no such column: what follows external_ids. has up to 64 letters, "
                "digits, blanks and _ . : -, and begins with a letter or a digit."
            ),
            (
                "[columns] addresses: There is no such column: one attached address is given by its fields, "
                'such as "address.locality".'
            ),
        ]),
        ("[[lookup]]\nfile = 'a.csv'\n", ["[[lookup]]: needs key and from and columns."]),
        ("[[lookup]]\nfile = 'a.csv'\nkey = 'a'\nfrom = 'b'\ncolumns = {nam = 'c'}\nmany = 'frist'\n", ["[[lookup]] many: takes \"problem\", \"first\" or \"attach\", not 'frist'; did you mean first?", "[[lookup]] nam: There is no such column. Did you mean name?"]),
        ("[[lookup]]\nfile = 'a.csv'\nkey = 'a'\nfrom = 'b'\ncolumns = {name = 'c'}\nmany = 'attach'\n", ['[[lookup]]: many = "attach" needs columns of an address, such as "bill_to.locality".']),
        ("[[lookup]]\nfile = 'no.csv'\nkey = 'a'\nfrom = 'b'\ncolumns = {name = 'c'}\n", ["[[lookup]]: there is no file no.csv, neither beside the map nor beside the data."]),
        ("[lookup]\nfile = 'a.csv'\nkey = 'a'\n", ["[lookup]: is written [lookup.COLUMN] for one column, [[lookup]] for several."]),
        ("[lookup.name]\nfile = 'a.csv'\nkey = 'a'\nfrom = 'b'\nvalu = 'c'\n", ["[lookup] name: takes exactly file, key, value, from; did you mean value?"]),
        ("[lookup.name]\nfile = 'a.csv'\n[[lookup]]\nfile = 'a.csv'\n", ["The map has both [lookup.COLUMN] and [[lookup]], which TOML does not take: write all as [[lookup]]"]),
        ("x = " + "[" * 5000, ["The map is not TOML: it is nested too deeply"]),
        ("x = " + "1" * 5000, ["The map is not TOML: it has a number of too many digits"]),
    ],
)  # fmt: skip
def test_every_mistake_is_told_with_the_nearest_right_word(told, text, mistakes):
    assert told(text, "name\nx\n") == mistakes


def test_all_mistakes_are_told_at_once(told):
    text = "[fil]\n[file]\nheadr = 1\n[match]\nwrite = 'x'\n[columns]\nnmae = 'a'\n[[skip]]\n[values]\nstatus = 1\n"

    assert len(told(text, "name\nx\n")) == 6


def test_a_map_that_is_sent_has_no_other_files(tmp_path):
    with pytest.raises(
        ValueError, match=r"^map.toml: \[\[lookup\]\]: addresses.csv can't be read: a map that is sent"
    ):
        load_map_text(LOOKUP, (), "map.toml")


def test_a_map_may_begin_with_a_byte_order_mark(tmp_path):
    (tmp_path / "map.toml").write_bytes(b'\xef\xbb\xbf[columns]\r\nname = "n"\r\n')

    assert load_map(tmp_path / "map.toml", tmp_path).theirs == {"name": "n"}


def test_a_map_in_another_encoding_is_told(tmp_path):
    (tmp_path / "map.toml").write_bytes('[columns]\nname = "Größe"\n'.encode("cp1252"))

    with pytest.raises(ValueError, match="is not UTF-8, as a map must be: save it so"):
        load_map(tmp_path / "map.toml", tmp_path)
