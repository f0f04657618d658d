"""What `import customers` tells, what it writes, and how it ends: one file a kind of trouble."""

import json

import pytest

from tests.fixtures.command_line import CommandLine
from tradebook.text import counted


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """A command line with an embedded book: what is told is the same on every engine."""
    folder = tmp_path_factory.mktemp("imports")
    return CommandLine(folder, f"sqlite:///{folder / 'book.db'}")


@pytest.fixture
def take(command):
    """Import a file by its content into an account of its own, and return how the command ended."""
    account = command.good("accounts", "create", "Acme")

    def imported(content, *options, name="list.csv"):
        (command.folder / name).write_bytes(content.encode())
        return command.run("import", "customers", name, "--account", account, *options)

    imported.account = account
    return imported


def exported(command, take, *columns):
    lines = command.good("export", "customers", "--account", take.account, "--format", "ndjson").splitlines()
    return [tuple(json.loads(line)[column] for column in columns) for line in lines]


def test_a_missing_name_is_told_with_its_line_though_the_row_has_an_address(take):
    content = "number,name,bill_to.locality,bill_to.country\n501,Halvorsen,Bergen,NO\n502,,Tromsø,NO\n"

    told = take(content, "--dry-run").stderr.splitlines()
    done = take(content, "--json")

    assert told[-2:] == [
        "line 3, name: is missing: a new customer needs a name",
        "2 rows read, 1 problem: nothing was written.",
    ]
    summary = json.loads(done.stdout)
    assert (done.returncode, summary["rows"], summary["faulty"], summary["created"]) == (1, 2, 1, 1)
    (problem,) = summary["problem_list"]
    assert (problem["line"], problem["column"], problem["value"]) == (3, "name", "")


def test_names_that_are_made_are_told_with_line_and_nearest(command, take):
    content = (
        "number,name,type,payment_term,carrier,price_groups,sales_rep_email\n"
        "1,A,Retail,Net 30,FedEx,Gold,kim@seller.example\n"
        "2,B,Retial,net30,Fed Ex,gold,Kim@seller.example\n"
        "3,C,retail,30 days net,fedex,Gold ;Silver,kim@seller.example\n"
    )

    summary = json.loads(take(content, "--dry-run", "--json").stdout)
    told = take(content, "--dry-run").stderr

    assert {kind: [tuple(name.values()) for name in made] for kind, made in summary["made"].items()} == {
        "type_groups": [("Retail", 2, None), ("Retial", 3, "Retail")],
        "pricing_groups": [("Gold", 2, None), ("Silver", 4, None)],
        "payment_terms": [("net30", 3, "Net 30"), ("30 days net", 4, "Net 30")],
        "carriers": [("Fed Ex", 3, "FedEx")],
        "sales_reps": [("kim@seller.example", 2, None)],
    }
    assert [(warning["line"], warning["needs_yes"]) for warning in summary["warnings"]] == [(3, False)]
    assert "line 3, payment term: 'net30' is new; there is 'Net 30'" in told
    assert exported(command, take, "number") == []


def test_one_cause_of_many_rows_is_one_line_and_all_of_them_in_json(take):
    rows = "".join(f"{n},K,Deutschland\n" for n in range(1_500))
    content = f"number,name,bill_to.country\n{rows}"

    told = take(content).stderr
    summary = json.loads(take(content, "--json").stdout)

    assert len(told.splitlines()) < 8
    assert "'Deutschland' is no country" in told
    assert "1,500 rows, first line 2, 3, 4" in told
    assert "must be doubled: 2 rows, first line 2, 3" in take('number,name\n1,"A"x\n2,"B"x\n').stderr
    assert '[values."bill_to.country"] Deutschland = "DE"' in told
    assert [problem["line"] for problem in summary["problem_list"]] == list(range(2, 1_502))


def test_at_most_twenty_causes_are_told_those_of_most_rows_first(take):
    alone = "".join(f"a{n},K,nobody{n}\n" for n in range(30))
    many = "".join(f"b{n},K,none\n" for n in range(3))

    told = take(f"number,name,email\n{alone}{many}").stderr.splitlines()

    assert sum("e-mail address" in line for line in told) == 20
    assert any("'none'" in line and "3 rows, first line 32, 33, 34" in line for line in told)
    assert "… and 11 more problems. --json tells all of them." in told


def test_rows_are_those_of_the_file_and_never_problems(command, take):
    (command.folder / "prices.csv").write_text("mail;phone;town;land\na@alder.example;1;Leeds;GB\n")
    (command.folder / "m.toml").write_text(
        '[columns]\nnumber = "cust"\nname = "mail"\n'
        + "".join(
            f'[lookup."{ours}"]\nfile = "prices.csv"\nfrom = "mail"\nkey = "mail"\nvalue = "{theirs}"\n'
            for ours, theirs in {
                "phone": "phone",
                "bill_to.locality": "town",
                "bill_to.country": "land",
            }.items()
        )
    )

    counts = [
        tuple(json.loads(done.stdout)[name] for name in ("rows", "faulty", "problems"))
        for done in (
            take("number,name,email,status\n1,Alder,none,vip\n\n2,Birch,,\n", "--json"),
            take("cust;mail\n1;a@alder.example\n2;b@birch.example\n", "--map", "m.toml", "--json"),
        )
    ]
    header = json.loads(take("Id,Nam\n1,Alder\n", "--json").stdout)

    assert counts == [(2, 1, 2), (2, 1, 3)]
    assert (header["rows"], header["faulty"], header["is_kept"]) == (0, 0, False)


def test_an_empty_cell_may_keep_what_is_there_and_what_it_clears_is_counted(command, take):
    take("number,name,email,phone\n1,Nordkap,a@nordkap.example,78\n2,Sørkap,b@sorkap.example,38\n")
    sparse = "number,email,phone\n1,new@nordkap.example,\n2,,39\n"

    looked = take(sparse, "--dry-run")
    take(sparse, "--keep-empty")

    assert "Values that would become empty: email 1, phone 1." in looked.stderr
    assert exported(command, take, "number", "email", "phone") == [
        ("1", "new@nordkap.example", "78"),
        ("2", "b@sorkap.example", "39"),
    ]


def test_what_needs_a_yes_is_not_kept_until_somebody_says_it(command, take):
    take("number,name\n00417,Known\n")
    content = "number,name\n417,Twin\n"

    looked, refused = take(content, "--dry-run"), take(content, "--json")
    before = exported(command, take, "number")
    kept = take(content, "--yes", "--json")

    assert (looked.returncode, refused.returncode, kept.returncode) == (0, 1, 0)
    assert "Warning: line 2, number: '417'" in looked.stderr
    assert "--yes" in looked.stderr.splitlines()[-1]
    assert (json.loads(refused.stdout)["needs_yes"], json.loads(refused.stdout)["is_kept"]) == (1, False)
    assert before == [("00417",)]
    assert json.loads(kept.stdout)["is_kept"]
    assert exported(command, take, "number") == [("00417",), ("417",)]


def test_rejects_let_the_good_rows_in_and_come_in_when_they_are_mended(command, take):
    content = (
        "number,name,parent_number,bill_to.country,type\n"
        "1,Good,,,Kept\n2,,,,Lost\n3,Child,2,,Kept\n4,Bad,1,Utopia,Lost\n5,Fine,1,GB,Kept\n"
    )

    looked = take(content, "--rejects", "looked.csv", "--dry-run")
    done = take(content, "--rejects", "bad.csv", "--json")
    rejected = (command.folder / "bad.csv").read_text()
    kept = exported(command, take, "number", "parent_number")
    mended = take(rejected.replace("\n2,,", "\n2,Mended,").replace("Utopia", "GB"))

    assert (looked.returncode, done.returncode, mended.returncode) == (0, 0, 0)
    summary = json.loads(done.stdout)
    assert (summary["created"], summary["faulty"], summary["is_kept"]) == (2, 3, True)
    assert [made["name"] for made in summary["made"]["type_groups"]] == ["Kept"]
    assert (command.folder / "looked.csv").read_text() == rejected
    assert [line.split(",")[0] for line in rejected.splitlines()] == ["number", "2", "3", "4"]
    assert kept == [("1", None), ("5", "1")]
    assert len(exported(command, take, "number")) == 5


def test_a_file_that_is_wrong_as_a_whole_has_no_good_rows(command, take):
    done = take("number,nonsense\n1,A\n", "--rejects", "bad.csv")

    assert done.returncode == 1
    assert "nothing was written" in done.stderr
    assert exported(command, take, "number") == []


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--match", "colour"), "--match takes number, email, phone"),
        (("--only", "both"), "--only takes create or update"),
        (("--encoding", "cp99999"), "--encoding takes a code page"),
        (("--format", "docx"), "--format is one of csv, tsv"),
    ],
)
def test_an_option_that_cannot_be_used_is_wrong_usage(take, options, told):
    done = take("number,name\n1,A\n", *options)

    assert (done.returncode, told in done.stderr) == (2, True), done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--rejects", "./list.csv"), "--rejects is the file that comes in too"),
        (("--plan", "list.csv", "--dry-run"), "--plan is the file that comes in too"),
        (("--plan", "out", "--rejects", "out"), "--plan is --rejects too"),
    ],
)
def test_nothing_is_written_over_what_is_read(command, take, options, told):
    done = take("number,name\n1,A\n2,\n", *options)

    assert (done.returncode, told in done.stderr) == (2, True), done.stderr
    assert (command.folder / "list.csv").read_text() == "number,name\n1,A\n2,\n"


def test_only_create_and_only_update_make_the_other_a_problem(take):
    take("number,name\n1,A\n")
    both = "number,name\n1,B\n2,C\n"

    lines = [
        [
            problem["line"]
            for problem in json.loads(take(both, "--only", only, "--json").stdout)["problem_list"]
        ]
        for only in ("create", "update")
    ]

    assert lines == [[2], [3]]


def test_the_same_email_is_the_same_customer_where_rows_are_matched_by_it(command, take):
    take("name,email\nDahl,Wen@Dahl.example\n", "--match", "email")
    again = take("name,email,phone\nDahl,wen@dahl.example,55\n", "--match", "email", "--json")

    assert json.loads(again.stdout)["updated"] == 1
    assert exported(command, take, "name", "phone") == [("Dahl", "55")]


def test_nothing_in_a_file_reaches_the_terminal_raw(take):
    escape = "\x1b]0;pwned\x07"

    told = take(f'number,name,type,email\n1,"A{escape}","T","{escape}"\n').stderr

    assert told.isprintable() or "\x1b" not in told
    assert "\\x1b" in told


def test_numbers_of_json_are_told_in_json(take):
    content = '[{"number": 20.0, "name": "A", "phone": 4.9E+11}, {"number": 1e5, "name": "B", "status": 5}]'

    told = json.loads(take(content, "--dry-run", "--json", name="list.json").stdout)

    assert [(each["column"], each["value"]) for each in told["warnings"]] == [
        ("phone", "4.9E+11"),
        ("number", "20.0"),
    ]
    assert [(each["column"], each["value"]) for each in told["problem_list"]] == [("status", "5")]


@pytest.mark.parametrize("rows", [1, 1_001])
def test_nothing_in_a_file_reaches_the_terminal_raw_in_json_either(take, rows):
    content = "number,name\n" + "".join(f"{number},A\x9b31m\n" for number in range(rows))

    told = take(content, "--dry-run", "--json").stdout

    assert "\x9b" not in told
    assert json.loads(told)["problem_list"][0]["value"] == "A\x9b31m"


def test_nothing_in_the_name_of_a_file_reaches_the_terminal_raw(take):
    told = take("number,name\n1,A\n", "--map", "no\x1b[31m.toml").stderr

    assert "\x1b" not in told
    assert "no\\x1b[31m.toml" in told


def test_one_of_something_is_not_written_as_many():
    counts = [counted(number, "row") for number in (0, 1, 2, 1_000)]

    assert counts == ["0 rows", "1 row", "2 rows", "1,000 rows"]
