"""Plans in files: written without changing anything, shown, and applied exactly, once, or not at all."""

import json
import os
import stat

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tradebook.transfer.imports import plan_file

FILE = """number,name,phone,price_groups
N1,New name,,
N2,,,
N3,Third,12,Fresh
"""
KNOWN = "number,name,phone\nN1,Old name,34\nN2,Stays,\nX,Other,\n"


@pytest.fixture
def command(tmp_path):
    made = CommandLine(tmp_path, Sqlite().new(tmp_path))
    made.account = made.good("accounts", "create", "Acme")
    (tmp_path / "known.csv").write_text(KNOWN)
    (tmp_path / "file.csv").write_text(FILE)
    bring_in(made, "known.csv")
    return made


def bring_in(command, file, *options):
    return command.good("import", "customers", file, "--account", command.account, *options)


def change(command, text):
    (command.folder / "change.csv").write_text(text)
    bring_in(command, "change.csv")


def exported(command):
    return command.good("export", "customers", "--account", command.account)


@pytest.fixture
def plan(command):
    """A plan of the file, which changed nothing when it was written."""
    before = exported(command)
    bring_in(command, "file.csv", "--plan", "my.plan")
    assert exported(command) == before
    return command.folder / "my.plan"


def test_a_book_may_be_named_also_where_none_is_needed(command, plan):
    book = ("--database", "sqlite:///elsewhere.db")
    command.good("import", "show", "my.plan", *book)
    command.good("import", "maps", *book)
    command.good("import", "draft", "known.csv", *book)
    command.good("openapi", *book)

    assert not (command.folder / "elsewhere.db").exists()


def test_a_plan_is_its_owners_alone(plan):
    assert stat.S_IMODE(plan.stat().st_mode) == 0o600


def test_a_plan_tells_the_summary_and_each_row(command, plan):
    summary = json.loads(command.good("import", "show", "my.plan", "--json"))
    rows = [
        json.loads(line)
        for line in command.good("import", "show", "my.plan", "--rows", "--json").splitlines()
    ]

    assert {name: summary[name] for name in ("rows", "created", "updated", "unchanged", "is_kept")} == {
        "rows": 3,
        "created": 1,
        "updated": 1,
        "unchanged": 1,
        "is_kept": False,
    }
    assert summary["made"]["pricing_groups"] == [{"name": "Fresh", "line": 4, "nearest": None}]
    assert [set(row) for row in rows] == [{"line", "outcome", "customer", "changes", "problems"}] * 3
    assert [(row["line"], row["outcome"]) for row in rows] == [
        (2, "updated"),
        (3, "unchanged"),
        (4, "created"),
    ]
    assert rows[0]["changes"] == {"name": ["Old name", "New name"], "phone": ["34", None]}
    assert rows[0]["customer"]["number"] == "N1"
    assert rows[0]["customer"]["id"].startswith("ac_")
    assert rows[2]["customer"] == {"id": None, "number": "N3", "name": "Third"}


def test_a_plan_is_shown_to_people(command, plan):
    shown = command.good("import", "show", "my.plan", "--rows")

    assert "line 2  updated  customer N1 New name" in shown
    assert "name Old name → New name" in shown
    assert "3 rows read: customers 1 created, 1 updated, 1 unchanged." in shown


def test_a_plan_does_what_the_import_does_and_only_once(command, plan):
    command.good("import", "apply", "my.plan")
    applied = exported(command)

    again = command.run("import", "apply", "my.plan")

    assert again.returncode == 1
    assert "applied already: nothing was changed" in again.stderr
    assert exported(command) == applied
    by_number = {row["number"]: row for row in map(json.loads, applied.splitlines())}
    assert (by_number["N1"]["name"], by_number["N1"]["phone"]) == ("New name", None)
    assert by_number["N3"]["price_groups"] == ["Fresh"]
    assert by_number["N2"]["name"] == "Stays"


@pytest.mark.parametrize(
    ("meanwhile", "named"),
    [
        ("number,note\nN1,changed\n", ["line 2: customer N1"]),
        ("number,name\nn3,There\n", ["line 4: customer N3"]),
        ("number,name\nn3,There\nN1,Changed\n", ["line 2: customer N1", "line 4: customer N3"]),
        ("number,bill_to.country,name\nN1,IE,Old name\n", ["line 2: customer N1"]),
    ],
)
def test_a_plan_that_the_book_has_overtaken_changes_nothing_and_names_the_customers(
    command, plan, meanwhile, named
):
    change(command, meanwhile)
    before = exported(command)

    done = command.run("import", "apply", "my.plan")

    assert done.returncode == 1
    assert [
        line.split(" Third")[0].split(" New")[0] for line in done.stderr.splitlines()[: len(named)]
    ] == named
    assert "nothing was changed" in done.stderr
    assert exported(command) == before


def test_a_plan_that_was_overtaken_tells_programs_where(command, plan):
    change(command, "number,name\nn3,There\nN1,Changed\n")

    done = command.run("import", "apply", "my.plan", "--json")

    summary = json.loads(done.stdout)
    assert (done.returncode, summary["is_kept"], summary["problems"]) == (1, False, 2)
    assert [(each["line"], each["reason"]) for each in summary["problem_list"]] == [
        (2, "customer N1 New name has changed since, or is gone"),
        (4, "customer N3 Third is there by now"),
    ]


def test_a_plan_that_needs_a_yes_tells_programs_why(command):
    (command.folder / "file.csv").write_text("number,name\n0N1,Again\n001,A\n1,B\n")
    bring_in(command, "file.csv", "--plan", "doubtful.plan")

    done = command.run("import", "apply", "doubtful.plan", "--json")

    summary = json.loads(done.stdout)
    assert (done.returncode, summary["is_kept"]) == (1, False)
    assert [each["needs_yes"] for each in summary["warnings"]] == [True] * summary["needs_yes"] != []


@pytest.mark.parametrize(
    ("row", "meanwhile", "told"),
    [
        ("number,name,price_groups\nN,New,Late\n", "number,type\nX,Late\n", "is the name of a type_group"),
        (
            "number,name,parent_number\nN,New,N2\n",
            "number,parent_number\nN2,X\n",
            "can't be its parent any more",
        ),
    ],
)
@pytest.mark.parametrize("others", [0, 120])
def test_a_plan_whose_names_and_parents_the_book_no_longer_allows_changes_nothing(
    command, row, meanwhile, told, others
):
    (command.folder / "file.csv").write_text(row + "".join(f"M{n},Other,\n" for n in range(others)))
    bring_in(command, "known.csv")
    bring_in(command, "file.csv", "--plan", "my.plan")
    change(command, meanwhile)
    before = exported(command)

    done = command.run("import", "apply", "my.plan")

    assert done.returncode == 1
    assert done.stderr.startswith("line 2: customer N New can't be written any more: ")
    assert told in done.stderr
    assert exported(command) == before


def test_other_customers_changes_and_names_that_came_meanwhile_do_not_matter(command, plan):
    change(command, "number,name,price_groups\nX,Changed,FRESH\nN2,Changed too,\n")

    command.good("import", "apply", "my.plan")

    by_number = {row["number"]: row for row in map(json.loads, exported(command).splitlines())}
    assert by_number["N3"]["price_groups"] == ["FRESH"]
    assert by_number["N2"]["name"] == "Changed too"
    assert by_number["N1"]["name"] == "New name"


def test_warnings_want_a_yes_again(command):
    (command.folder / "file.csv").write_text("number,name\n0X,Other\n00N1,Same\n")
    change(command, "number,name\n417,Known\n")
    (command.folder / "file.csv").write_text("number,name\n00417,Twice\n")
    command.run("import", "customers", "file.csv", "--account", command.account, "--plan", "my.plan")
    before = exported(command)

    without = command.run("import", "apply", "my.plan")
    unchanged = exported(command)
    with_yes = command.run("import", "apply", "my.plan", "--yes")

    assert (without.returncode, unchanged == before) == (1, True)
    assert "--yes" in without.stderr
    assert with_yes.returncode == 0
    assert exported(command) != before


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda whole: whole[:-1], "is damaged or incomplete"),
        (lambda whole: whole + b"x", "is damaged or incomplete"),
        (lambda whole: whole[:200], "is damaged or incomplete"),
        (lambda whole: whole[:60] + bytes([whole[60] ^ 1]) + whole[61:], "is damaged or incomplete"),
        (lambda whole: whole[:-70] + bytes([whole[-70] ^ 1]) + whole[-69:], "is damaged or incomplete"),
        (lambda whole: plan_file.MAGIC, "is damaged or incomplete"),
        (lambda whole: whole.replace(b"plan 1", b"plan 2", 1), "is a plan of another version"),
        (lambda whole: b"number,name\nN1,x\n", "is no plan: tradebook import customers FILE --plan"),
        (lambda whole: b"", "is no plan"),
    ],
)
@pytest.mark.parametrize("verb", ["show", "apply"])
def test_a_file_that_is_no_whole_plan_is_refused_and_nothing_changes(command, plan, damage, told, verb):
    plan.write_bytes(damage(plan.read_bytes()))
    before = exported(command)

    done = command.run("import", verb, "my.plan")

    assert (done.returncode, done.stdout) == (1, "")
    assert told in done.stderr
    assert exported(command) == before


def test_a_plan_of_which_any_byte_is_another_is_refused(plan):
    whole = plan.read_bytes()
    for place in range(0, len(whole), 5):
        plan.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])

        with pytest.raises(plan_file.NoPlan), plan_file.opened_plan(plan):
            pass


def test_a_plan_of_another_book_is_refused(command, plan, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    elsewhere = CommandLine(tmp_path, Sqlite().new(other))
    elsewhere.good("accounts", "create", "Acme")

    done = elsewhere.run("import", "apply", "my.plan")

    assert done.returncode == 1
    assert f"This book has no account {command.account}" in done.stderr


def test_a_plan_that_is_not_there_or_cannot_be_written_is_told(command):
    missing = command.run("import", "show", "none.plan")
    nowhere = command.run(
        "import", "customers", "file.csv", "--account", command.account, "--plan", "no/such/folder/my.plan"
    )

    assert (missing.returncode, nowhere.returncode) == (1, 1)
    assert "none.plan: No such file or directory" in missing.stderr
    assert "no/such/folder/my.plan: No such file or directory" in nowhere.stderr
    assert "nothing was changed" in nowhere.stderr


def test_no_memory_is_asked_for_what_a_damaged_part_claims(tmp_path, monkeypatch):
    path, asked = tmp_path / "plan", []
    path.write_bytes(plan_file.MAGIC + b"R" + b"\xff" * 8)
    pread = os.pread
    monkeypatch.setattr(os, "pread", lambda file, count, at: asked.append(count) or pread(file, count, at))

    with pytest.raises(plan_file.NoPlan, match="damaged"), plan_file.opened_plan(path):
        pass

    assert max(asked) < 1_000
