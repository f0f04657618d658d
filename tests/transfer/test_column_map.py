"""Maps: what they make of a foreign record, and every mistake that can be in one."""

import io

import pytest

from tradebook.transfer.files.rows import read_file
from tradebook.transfer.maps.column_map import MapError, load_map
from tradebook.transfer.maps.sources import Headings, Reading, Template
from tradebook.transfer.rows import Problem, Row


@pytest.fixture
def mapped(tmp_path):
    """Read a CSV file through a map: the rows' values, or the problems as they are told."""

    def read(map_text, content, **files):
        (tmp_path / "map.toml").write_text(map_text)
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
        items = list(
            read_file(io.BytesIO(content.encode()), "csv", load_map(tmp_path / "map.toml", tmp_path))
        )
        problems = [str(item) for item in items if isinstance(item, Problem)]
        problems += [str(problem) for item in items if isinstance(item, Row) for problem in item.problems]
        return problems or [item.values for item in items if isinstance(item, Row)]

    return read


@pytest.fixture
def mistakes(tmp_path):
    """Load a map that is wrong and return what is told."""

    def load(map_text, **files):
        (tmp_path / "map.toml").write_text(map_text)
        for name, text in files.items():
            (tmp_path / f"{name}.csv").write_text(text)
        with pytest.raises(MapError) as caught:
            load_map(tmp_path / "map.toml", tmp_path)
        return str(caught.value)

    return load


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("first", "Ann"),
        ("{first}", "Ann"),
        ("{first} {last}", "Ann Lee"),
        ("{first} {gone} {last}", "Ann Lee"),
        ("Ms {last}, {first}", "Ms Lee, Ann"),
        ("{{{first}}}", "{Ann}"),
        ("Ms {gone}", ""),
        ("{gone}{empty}", ""),
        ("{  spaced name }", "odd"),
        ("{last:} {last!} {last!r:x} {a.b[0]}", "colon bang format path"),
        ("}}{{{first}}}{{", "}{Ann}{"),
    ],
)
def test_templates_fill(text, filled):
    record = {"first": "Ann", "last": "Lee", "empty": "", "  spaced name ": "odd"}
    record |= {"last:": "colon", "last!": "bang", "last!r:x": "format", "a.b[0]": "path"}

    assert Reading(None).reader(text)({**record, "gone": None}) == filled
    assert Reading(Headings([*list(record), "gone"])).reader(text)(record) == filled


@pytest.mark.parametrize("text", ["{first", "first}", "{}", "{a}}", "{{a}", "{a{b}c}", "}}}", "{"])
def test_a_template_with_half_a_brace_is_refused(text):
    with pytest.raises(ValueError, match="brace"):
        Template(text)


def test_columns_defaults_lookups_and_values_work_together(mapped):
    rows = mapped(
        """
        [columns]
        number = "no"
        name = "{first} {last}"
        status = "blocked"
        bill_to.country = "land"
        "bill_to.name" = "last"

        [defaults]
        type = "Retailer"
        bill_to.country = "FR"
        price_groups = ["A", "B"]
        accepts_invoice_emails = true

        [values.status]
        yes = "hold_all"
        "" = "normal"

        [lookup.sales_rep_email]
        file = "staff.csv"
        from = "rep"
        key = "id"
        value = "{name}@example.com"
        """,
        "no,first,last,blocked,land,rep,extra\n1,Ann,Lee,yes,DE,7,x\n2,,Ray,,,,y\n",
        staff="id,name\n7,kim\n",
    )

    common = {"type": "Retailer", "price_groups": ["A", "B"], "accepts_invoice_emails": True}
    assert rows == [
        {
            "number": "1", "name": "Ann Lee", "status": "hold_all", "bill_to.country": "DE", "bill_to.name": "Lee",
            "sales_rep_email": "kim@example.com", **common,
        },
        {
            "number": "2", "name": "Ray", "status": "normal", "bill_to.country": "FR", "bill_to.name": "Ray",
            "sales_rep_email": "", **common,
        },
    ]  # fmt: skip


def test_what_the_map_leaves_out_is_told(tmp_path):
    (tmp_path / "map.toml").write_text('[columns]\nname = "n"\n')
    reader = read_file(io.BytesIO(b"n,x,y\nA,1,2\n"), "csv", load_map(tmp_path / "map.toml", tmp_path))
    list(reader)

    assert reader.recognised.left_out == ["x", "y"]


def test_a_column_that_the_file_does_not_have_is_told(mapped):
    assert mapped('[columns]\nname = "{a} {b}"\n', "a,c\n1,2\n") == [
        "line 1, b: The map takes name from this column; the file has none."
    ]


def test_a_key_that_the_lookup_does_not_have_is_told_with_its_line(mapped):
    told = mapped(
        '[columns]\nname = "n"\n[lookup.type]\nfile = "kinds.csv"\nfrom = "k"\nkey = "id"\nvalue = "kind"\n',
        "n,k\nA,1\nB,9\n",
        kinds="id,kind\n1,Retail\n",
    )

    assert told == ["line 3, k (type): '9' is not a key in kinds.csv"]


LOOKUP = '[lookup.type]\nfile = "{}.csv"\nfrom = "k"\nkey = "id"\nvalue = "kind"\n'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[columns", "is not TOML"),
        ("[colums]\n", "[colums]: there is no section 'colums'; did you mean columns?"),
        ("columns = 1\n", "[columns]: must be a table."),
        ('[columns]\nnmae = "n"\n', "[columns] nmae: There is no such column. Did you mean name?"),
        (
            "[columns]\nname = 1\n",
            "[columns] name: takes the name of a column or a template, in quotes, or a table.",
        ),
        ("[defaults]\ncredit_limit = 1.5\n", "write decimals in quotes"),
        ("[values]\nstatus = 1\n", "[values] status: takes a table of theirs = ours, in quotes."),
        ("[values.status]\na = 1\n", "[values] status: takes a table of theirs = ours, in quotes."),
        ("[lookup.type]\nfile = 'a'\n", "[lookup] type: takes exactly file, key, value, from."),
        (LOOKUP.format("none"), "there is no file none.csv, neither beside the map nor beside the data"),
        (LOOKUP.format("twice"), "twice.csv: line 3: '1' is there twice"),
        (
            LOOKUP.format("other"),
            "other.csv: line 1, kind: The map takes type from this column; the file has none.",
        ),
        (LOOKUP.format("torn"), "torn.csv: line 2: The row has 1 cells, the header names 2."),
    ],
)
def test_every_mistake_of_a_map_is_told(mistakes, text, told):
    files = {"twice": "id,kind\n1,a\n1,b\n", "other": "id,sort\n1,a\n", "torn": "id,kind\n1\n"}

    assert told in mistakes(text, **files)


def test_all_mistakes_are_told_at_once(mistakes):
    told = mistakes('[columns]\nnmae = "n"\nname = 1\n[defaults]\nstat = "x"\n')

    assert len(told.splitlines()) == 3


def test_a_map_that_is_not_there_is_told(tmp_path):
    with pytest.raises(MapError, match="No such file"):
        load_map(tmp_path / "none.toml", tmp_path)
