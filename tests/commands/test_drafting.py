"""`tradebook import draft`: a map from a file, without any book."""

import tomllib

import pytest

from tests.fixtures.command_line import CommandLine

LIST = "Nr;Firma;PLZ;Ort;Land;Punkte\n1;Müller GmbH;01067;Dresden;Deutschland;12\n2;Huber KG;1010;Wien;Österreich;7\n"


@pytest.fixture
def nowhere(tmp_path):
    """A command line whose book can't be opened."""
    return CommandLine(tmp_path, "postgresql://nobody@127.0.0.1:1/nothing")


def test_a_draft_needs_no_book_and_tells_what_it_took(nowhere):
    (nowhere.folder / "list.csv").write_text(LIST)

    done = nowhere.run("import", "draft", "list.csv")

    assert done.returncode == 0
    assert tomllib.loads(done.stdout)["columns"]["bill_to.postal_code"] == "PLZ"
    assert done.stderr.splitlines()[0].startswith("5 of 6 columns are taken")


def test_a_draft_goes_into_a_file_that_is_not_there_yet(nowhere):
    (nowhere.folder / "list.csv").write_text(LIST)

    nowhere.good("import", "draft", "list.csv", "--map-out", "list.toml")
    again = nowhere.run("import", "draft", "list.csv", "--map-out", "list.toml")

    assert tomllib.loads((nowhere.folder / "list.toml").read_text())["match"] == {"by": ["number"]}
    assert (again.returncode, "list.toml is there already" in again.stderr) == (1, True)


def test_standard_input_is_read_and_its_code_page_can_be_named(nowhere):
    done = nowhere.run(
        "import",
        "draft",
        "-",
        "--encoding",
        "cp1250",
        given="Nazwa,Miasto,Kraj\nŻuraw,Łódź,PL\n".encode("cp1250"),
    )

    assert done.returncode == 0, done.stderr
    assert tomllib.loads(done.stdout)["file"]["encoding"] == "cp1250"


def test_the_headings_of_a_known_system_are_told_with_the_map_that_ships(nowhere):
    (nowhere.folder / "x.csv").write_text("Id,Name,BillingStreet\n1,A,\n")

    assert "--map salesforce" in nowhere.run("import", "draft", "x.csv").stderr


def test_an_import_without_a_map_names_the_one_that_ships(tmp_path):
    command = CommandLine(tmp_path, f"sqlite:///{tmp_path}/book.db")
    account = command.good("accounts", "create", "Acme")
    rows = b"Id,Name,BillingStreet\n1,A,\n"

    done = command.run("import", "customers", "-", "--format", "csv", "--account", account, given=rows)

    assert done.returncode == 1
    assert "There are no such columns: Id, Name (did you mean name?), BillingStreet." in done.stderr
    assert "--map salesforce" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("gone.csv",), 1, "gone.csv: there is no such file"),
        (("empty.csv",), 1, "empty.csv"),
        (("empty.csv", "--encoding", "klingon"), 2, "--encoding"),
        (("empty.csv", "--format", "pdf"), 2, "--format is csv, ndjson or json"),
        (("list.csv", "--map-out", "gone/list.toml"), 1, "gone/list.toml: No such file"),
        (("binary.csv",), 1, "binary.csv"),
    ],
)
def test_what_can_not_be_read_is_told(nowhere, arguments, code, told):
    (nowhere.folder / "empty.csv").write_text("")
    (nowhere.folder / "list.csv").write_text(LIST)
    (nowhere.folder / "binary.csv").write_bytes(bytes(range(256)) * 40)

    done = nowhere.run("import", "draft", *arguments)

    assert (done.returncode, done.stdout, told in done.stderr) == (code, "", True), done.stderr


def test_control_characters_of_a_file_reach_no_terminal(nowhere):
    (nowhere.folder / "x.csv").write_text("Name,\x1b]0;title\x07,\x9b31m\u202e\nA\x1b[31m,\x1b[2J,c\n")

    done = nowhere.run("import", "draft", "x.csv")

    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(done.stdout + done.stderr)
    tomllib.loads(done.stdout)
