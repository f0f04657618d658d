"""Maps against a model of a few lines: templates, rules for rows, lookups, amounts, dates; and against anything."""

import io
import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixtures.lengths import length
from tradebook.transfer.files.rows import read_file
from tradebook.transfer.maps.amounts import amount_reader
from tradebook.transfer.maps.column_map import MapError, load_map_text
from tradebook.transfer.maps.dates import date_reader
from tradebook.transfer.maps.sources import ABSENT, Headings, Reading
from tradebook.transfer.rows import Row

EXAMPLES = length(60, 2_000)
SEPARATORS = " \t\n,;/|·–-"
NAMES = ["First", "Last Name", "a.b", "E-Mail [1]", "%s", "Ort"]
names = st.sampled_from(NAMES)
literals = st.text(st.sampled_from("ab ,-/{}[]%\n·"), max_size=4)
cells = st.text(st.sampled_from("xyz ,-\n\t"), max_size=5)
pieces = st.lists(st.tuples(st.booleans(), names, literals), max_size=4)
parts = st.lists(st.tuples(st.booleans(), pieces), min_size=1, max_size=4)


def written(template):
    """Write a template as a map does."""
    texts = []
    for is_optional, listed in template:
        inner = "".join(
            "{" + name + "}" if is_name else re.sub(r"([][{}])", r"\1\1", literal)
            for is_name, name, literal in listed
        )
        texts.append(f"[{inner}]" if is_optional else inner)
    return "".join(texts)


def modelled(template, record, *, keeps_lines):
    """Say in plain words what a template makes of a record."""
    used = [name for _, listed in template for is_name, name, _ in listed if is_name]
    if not any(record[name] for name in used):
        return ""
    text = ""
    for is_optional, listed in template:
        if is_optional and not all(record[name] for is_name, name, _ in listed if is_name):
            continue
        text += "".join(record[name] if is_name else literal for is_name, name, literal in listed)
    lines = [" ".join(line.split()) for line in text.split("\n")]
    if keeps_lines:
        return "\n".join(lines).strip(SEPARATORS)
    shortened = [line if len(lines) == 1 else line.rstrip(" ,;") for line in lines]
    return ", ".join(line for line in shortened if line).strip(SEPARATORS)


def is_template(template):
    """Tell whether it is one that a map can have: each part in brackets has a column, and it is more than one."""
    has_columns = all(
        any(is_name for is_name, _, _ in listed) for is_optional, listed in template if is_optional
    )
    flat = [piece for _, listed in template for piece in listed if piece[0] or piece[2]]
    is_bare = len(flat) == 1 and not any(is_optional for is_optional, _ in template)
    # Three brackets side by side are one that stands for itself and one that doesn't.
    is_clear = "[[[" not in written(template) and "]]]" not in written(template)
    return has_columns and is_clear and not is_bare and any(is_name for is_name, _, _ in flat)


@settings(max_examples=EXAMPLES, deadline=None)
@given(parts.filter(is_template), st.tuples(*[cells] * len(NAMES)), st.booleans())
def test_templates_are_filled_as_the_model_says(template, values, keeps_lines):
    record = {name: value.strip() for name, value in zip(NAMES, values, strict=True)}
    text = written(template)
    expected = modelled(template, record, keeps_lines=keeps_lines)

    for headings in (Headings(NAMES), None):
        assert Reading(headings, keeps_lines=keeps_lines).reader(text)(record) == expected


@settings(max_examples=length(40, 2_000), deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("AB"), st.lists(st.sampled_from(["", "x", "y", "NULL"]), min_size=1)),
        min_size=1,
    ),
    st.lists(st.tuples(*[st.sampled_from(["", " x", "y ", "X", "NULL", "z"])] * 2), min_size=1),
    st.booleans(),
)
def test_rows_are_left_out_by_the_first_rule_that_fits(rules, records, has_nothing):
    text = "[file]\nnothing = 'NULL'\n" if has_nothing else ""
    text += "[columns]\nname = 'N'\n"
    text += "".join(f"[[skip]]\ncolumn = '{column}'\nis = {json.dumps(words)}\n" for column, words in rules)
    listed = [(column, word) for column, words in rules for word in dict.fromkeys(words)]
    content = "N,A,B\n" + "".join(f"n,{a},{b}\n" for a, b in records)

    found = [row.skipped for row in read_file(io.BytesIO(content.encode()), "csv", load_map_text(text, ()))]

    def hits(column, word, row):
        cell = row["AB".index(column)].strip()
        return cell == word or (word == "" and has_nothing and cell == "NULL")

    expected = [[i for i, (column, word) in enumerate(listed) if hits(column, word, row)] for row in records]
    firsts = [[listed[places[0]]] if places else [] for places in expected]
    assert [[listed[place]] if place is not None else [] for place in found] == firsts


@settings(max_examples=length(25, 1_000), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("kKlm"), st.sampled_from(["", "u", "v"])), max_size=6),
    st.lists(st.sampled_from(["k", "l", "x", ""]), min_size=1, max_size=4),
    st.sampled_from(["problem", "empty"]),
    st.sampled_from(["problem", "first", "attach"]),
)
def test_lookups_find_what_the_model_finds(tmp_path_factory, lines, keys, missing, many):
    folder = tmp_path_factory.mktemp("lookup")
    (folder / "other.csv").write_text("key,city,x\n" + "".join(f"{key},{city},.\n" for key, city in lines))
    text = "[columns]\nnumber = 'n'\n[[lookup]]\nfile = 'other.csv'\nkey = 'key'\nfrom = 'k'\n"
    text += f"missing = '{missing}'\nmany = '{many}'\ncolumns = {{ 'bill_to.locality' = 'city' }}\n"
    content = "n,k\n" + "".join(f"1,{key}\n" for key in keys)

    for key, row in zip(
        keys, read_file(io.BytesIO(content.encode()), "csv", load_map_text(text, (folder,))), strict=True
    ):
        cities = [city for other, city in lines if other == key and key]
        is_wrong = bool(key) and (
            (not cities and missing == "problem") or (len(cities) > 1 and many == "problem")
        )
        assert bool(row.problems) == is_wrong
        if not is_wrong:
            assert row.values["bill_to.locality"] == (cities[0] if cities else "")
            further = [{"locality": city} for city in cities[1:] if city] if many == "attach" else []
            assert row.values.get("addresses", []) == further


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.decimals(0, 10**12, places=2),
    st.sampled_from([(",", "."), (".", ","), (",", " "), (",", "\u202f"), (".", "\u2019"), (",", "")]),
    st.sampled_from(["{}", "-{}", "{}-", "({})", "€ {}", "{} EUR", "-{} €", "  {}\u00a0€ "]),
)
def test_amounts_come_back_as_they_were_written(amount, signs, form):
    decimal, thousands = signs
    text = f"{amount:,.2f}".translate(str.maketrans({",": thousands, ".": decimal}))

    plain = amount_reader(decimal)(form.format(text), "EUR")

    is_negative = "-" in form or "(" in form
    assert Decimal(plain) == (-amount if is_negative else amount)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    st.datetimes(datetime.fromisoformat("1971-01-01"), datetime.fromisoformat("2100-01-01")),
    st.sampled_from(["%d/%m/%Y %H:%M:%S", "%m-%d-%Y %I:%M:%S %p", "%d %B %Y %H.%M.%S", "%Y%m%d%H%M%S"]),
    st.sampled_from(["UTC", "Europe/Dublin", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe"]),
)
def test_dates_come_back_as_they_were_written(moment, form, zone):
    exact = moment.replace(microsecond=0)

    found = date_reader((form,), ZoneInfo(zone))(exact.strftime(form))

    assert datetime.fromisoformat(found) == exact.replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-9, 9)
    | st.sampled_from(["", " ", "a;b", "x\ny", "1,5", "NULL", "\0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["a", "b", "a.b", "0"]), inner, max_size=3)
    ),
    max_leaves=6,
)
sources = st.sampled_from(["a", "a.b", "a.0", "{a} {b}", "[x {a}][ {b.a}]", "{a", "a]", "", "b.a.b", "{a.b}"])
right_sides = sources | st.fixed_dictionaries(
    {"from": sources | st.lists(sources, max_size=2)},
    optional={
        "split": st.sampled_from([";", [";", ","], ""]),
        "take": st.sampled_from(["first", "last", 2, 0, "x"]),
        "line": st.sampled_from([1, "2-", "x"]),
        "nth": st.integers(0, 2),
        "empty": st.sampled_from(["-", ["x", ""]]),
        "decimal": st.sampled_from([",", ".", ";"]),
        "date": st.sampled_from(["iso", "%d/%m/%Y", "DD", ["%Y%m%d", "iso"]]),
        "zone": st.sampled_from(["Europe/Dublin", "x"]),
        "values": st.sampled_from([{"a": "b"}, {"": "USD"}, {"true": "normal"}, {"a": 1}]),
        "default": st.sampled_from(["x", 1, True, "{x}", 1.5]),
        "when": st.sampled_from([{"a": "1"}, {"{a}": ["", "x"]}, {}]),
    },
)
OURS = [
    "name",
    "note",
    "email",
    "price_groups",
    "credit_limit",
    "credit_limit_currency",
    "created_at",
    "status",
]


def toml(value):
    """Write a value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {toml(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)


@settings(max_examples=length(150, 5_000), deadline=None)
@given(
    st.dictionaries(st.sampled_from(OURS), right_sides, max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "a.b"]), json_values, max_size=3),
    st.sampled_from(
        ["", "[file]\ndecimal = ','\nnothing = ['NULL']\n", "[[skip]]\ncolumn = 'a'\nis = ['', 'x']\n"]
    ),
)
def test_no_map_and_no_record_ends_in_anything_but_a_row(columns, record, beginning):
    text = beginning + "[columns]\n" + "".join(f"{ours} = {toml(side)}\n" for ours, side in columns.items())
    try:
        column_map = load_map_text(text, ())
    except MapError as error:
        assert str(error)
        return

    row = column_map.row(1, record)

    assert isinstance(row, Row)
    assert not set(row.refused) & set(row.values)
    assert ABSENT not in row.values.values()
    assert {problem.line for problem in row.problems} <= {1}
