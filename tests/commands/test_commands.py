"""The command line as an operator meets it: results on standard output, messages on standard error."""

import json
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from typer.testing import CliRunner

from tests.fixtures import plain_http
from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import length
from tests.fixtures.server import free_port, wait_until
from tradebook.cli.root import app
from tradebook.migrations import HEAD

COMMANDS = (
    (),
    ("demo",),
    ("serve",),
    ("migrate",),
    ("backup",),
    ("check",),
    ("accounts",),
    ("accounts", "create"),
    ("accounts", "list"),
    ("keys",),
    ("keys", "create"),
    ("keys", "list"),
    ("keys", "revoke"),
    ("keys", "rotate"),
    ("import", "customers"),
    ("export", "customers"),
    ("openapi",),
)
ACCOUNT = "the account"
"""Stands for the id of a test's account among the arguments of a command."""
STORED = "number,name\n7,Zoë\n".encode()


@pytest.fixture
def command(tmp_path: Path, engine) -> CommandLine:
    """A command line with a book that has no accounts yet."""
    return CommandLine(tmp_path, engine.new(tmp_path))


@pytest.fixture
def beginner(tmp_path: Path, engine) -> CommandLine:
    """A command line with a place for a book."""
    return CommandLine(tmp_path, engine.empty(tmp_path))


@pytest.fixture
def without_book(tmp_path: Path) -> CommandLine:
    """A command line in an empty folder."""
    return CommandLine(tmp_path, f"sqlite:///{tmp_path / 'book.db'}")


@pytest.fixture
def account(command: CommandLine) -> str:
    """An account in the command line's book."""
    return command.good("accounts", "create", "Acme")


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_explains_itself(words):
    """--help says what a command does, and every option has a help text."""
    done = CliRunner().invoke(app, [*words, "--help"])

    text = done.stdout
    assert done.exit_code == 0
    assert "Usage:" in text
    assert len(text) > 200


def test_an_account_is_created_in_a_new_book_and_its_id_alone_is_printed(without_book):
    printed = without_book.good("accounts", "create", "Acme")

    assert re.fullmatch(r"ac_[0-9a-z]{13}", printed)
    assert json.loads(without_book.good("accounts", "list", "--json")) == [
        {"id": printed, "name": "Acme", "environment": "prod"}
    ]


def test_a_new_book_can_be_read_by_its_owner_alone(without_book):
    without_book.good("accounts", "create", "Acme")

    mode = (without_book.folder / "book.db").stat().st_mode

    assert stat.S_IMODE(mode) == 0o600


@pytest.mark.parametrize("environment", ["prod", "test"])
def test_a_keys_prefix_tells_its_environment(command, environment):
    account = command.good("accounts", "create", "Acme", "--environment", environment)

    key = command.good("keys", "create", "--account", account)

    assert key.startswith(f"tb_sk_{environment}_")


def test_a_key_is_printed_once_and_kept_nowhere(without_book):
    account = without_book.good("accounts", "create", "Acme")

    key = without_book.good("keys", "create", "--account", account)

    assert key not in without_book.good("keys", "list", "--account", account, "--json")
    kept = b"".join(path.read_bytes() for path in without_book.folder.glob("book.db*"))
    assert key.encode() not in kept
    assert key[-20:].encode() not in kept


def test_keys_can_be_limited_listed_and_revoked(command, account):
    made = json.loads(
        command.good(
            "keys",
            "create",
            "--account",
            account,
            "--permission",
            "customers:read",
            "--expires-in",
            "7",
            "--name",
            "Shop",
            "--json",
        )
    )

    command.good("keys", "revoke", made["id"], "--account", account)

    (listed,) = json.loads(command.good("keys", "list", "--account", account, "--json"))
    assert listed["permissions"] == ["customers:read"]
    assert listed["name"] == "Shop"
    assert listed["expires_at"] is not None
    assert listed["revoked_at"] is not None


def test_a_key_is_rotated_as_over_http(without_book):
    command, account = without_book, without_book.good("accounts", "create", "Acme")
    old = json.loads(command.good("keys", "create", "--account", account, "--name", "Shop", "--json"))

    arguments = ("keys", "rotate", old["id"], "--account", account, "--grace-seconds")
    new = json.loads(command.good(*arguments, "60", "--json"))

    listed = {
        key["id"]: key for key in json.loads(command.good("keys", "list", "--account", account, "--json"))
    }
    assert new["replaces"] == old["id"]
    assert new["key"] != old["key"]
    assert listed[new["id"]]["name"] == "Shop"
    assert listed[new["id"]]["expires_at"] is None
    assert listed[old["id"]]["expires_at"] is None
    assert listed[old["id"]]["revoked_at"] is not None
    command.good(*arguments, "0")
    assert "still valid" in command.run(*arguments, "0").stderr


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("nonsense",), 2, "No such command"),
        (("accounts", "create"), 2, "Missing argument"),
        (("accounts", "create", "X", "--environment", "live"), 2, "prod, test"),
        (("keys", "create", "--account", "ac_0000000000000"), 1, "There is no book"),
        (("serve", "--port", "99999"), 2, "65535"),
        (("migrate", "--check"), 1, "There is no book"),
        (("import", "customers", "missing.csv", "--account", "ac_0000000000000"), 1, "missing.csv"),
        (("import", "customers", "-", "--format", "xml", "--account", "ac_0000000000000"), 2, "csv, tsv"),
        (("export", "customers", "--account", "ac_0", "--format", "xml"), 2, "csv or ndjson"),
        (("accounts", "list", "--database", "mysql://x"), 2, "sqlite:///"),
        (("accounts", "list", "--database", "sqlite://book.db"), 2, "three slashes"),
    ],
)
def test_failures_have_their_exit_code_and_say_what_to_do(without_book, arguments, code, told):
    done = without_book.run(*arguments)

    assert (done.returncode, told in done.stderr) == (code, True), done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("url", "code"),
    [("postgresql://me:verysecret@[bad", 2), ("postgresql://me:verysecret@127.0.0.1:1/book", 1)],
    ids=["malformed", "refused"],
)
def test_a_database_that_is_not_reached_is_named_without_its_password(without_book, url, code):
    done = without_book.run("accounts", "list", "--database", url)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    assert "verysecret" not in done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ("accounts", "list"),
        ("keys", "list", "--account", "ac_0000000000000"),
        ("keys", "create", "--account", "ac_0000000000000"),
        ("export", "customers", "--account", "ac_0000000000000"),
        ("import", "customers", "-", "--account", "ac_0000000000000"),
        ("check",),
        ("backup", "copy.db"),
        ("copy", "sqlite:///misspelt.db", "sqlite:///new.db"),
    ],
    ids=" ".join,
)
def test_a_book_that_is_not_there_is_told_and_not_made(tmp_path, arguments):
    done = CommandLine(tmp_path, "sqlite:///misspelt.db").run(*arguments)

    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no book at sqlite:///misspelt.db." in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ("migrate",),
        ("migrate", "--check"),
        ("serve",),
        ("accounts", "create", "X"),
        ("accounts", "list"),
        ("check",),
        ("copy", "sqlite:///ours.db", "sqlite:///theirs.db"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("table", ["customers", "alembic_version"])
def test_the_database_of_another_program_is_refused_untouched(tmp_path, arguments, table):
    CommandLine(tmp_path, "sqlite:///ours.db").good("accounts", "create", "Ours")
    theirs = tmp_path / "theirs.db"
    with closing(sqlite3.connect(theirs)) as connection, connection:
        connection.execute(f"CREATE TABLE {table} (version_num TEXT)")
    before = theirs.read_bytes()

    done = CommandLine(tmp_path, "sqlite:///theirs.db").run(*arguments)

    assert done.returncode == 1
    assert "another program" in done.stderr
    assert theirs.read_bytes() == before


def test_an_export_is_not_named_like_a_workbook(command, account):
    done = command.run("export", "customers", "--account", account, "-o", "customers.xlsx")

    assert done.returncode == 2
    assert ".csv or .ndjson" in done.stderr
    assert not (command.folder / "customers.xlsx").exists()
    command.good("export", "customers", "--account", account, "-o", "named.json", "--format", "ndjson")


@pytest.mark.parametrize("engine", length(["sqlite"], ENGINES), indirect=True)
@pytest.mark.parametrize(
    "arguments", [("openapi",), ("accounts", "list"), ("import", "maps", "shopify")], ids=" ".join
)
def test_a_full_disk_behind_the_output_is_told(command, account, arguments):
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "tradebook", *arguments, "--database", command.database],
            stdout=full, stderr=subprocess.PIPE, text=True, check=False, cwd=command.folder,
        )  # fmt: skip

    assert done.returncode == 1
    assert done.stderr == "Error: standard output can't be written: No space left on device.\n"


def test_a_demo_whose_port_is_taken_makes_nothing_up(without_book):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = without_book.run("demo", "--port", str(taken.getsockname()[1]), "--customers", "1000000")

    assert done.returncode == 1
    assert "Choose another with --port" in done.stderr
    assert "Making up" not in done.stderr


def test_an_unknown_permission_is_wrong_usage_with_a_suggestion(command, account):
    done = command.run("keys", "create", "--account", account, "--permission", "customer:read")

    assert done.returncode == 2
    assert "did you mean customers:read?" in done.stderr


def test_migrate_brings_a_book_up_to_date_and_check_tells(beginner):
    beginner.good("migrate")

    told = json.loads(beginner.good("migrate", "--check", "--json"))

    assert told == {"schema": HEAD, "missing": []}


def test_migrate_lists_what_it_applied_one_step_a_line(beginner):
    first, again = beginner.run("migrate").stderr, beginner.run("migrate").stderr

    assert re.fullmatch(r"Applied:\n(\d{4}: [^\n]+[^.]\.\n)+The book has schema \d{4}\.\n", first)
    assert re.fullmatch(r"Nothing was missing\.\nThe book has schema \d{4}\.\n", again)


def test_a_database_on_a_server_waits_for_migrate(postgres, tmp_path):
    """A file of ours is made when it is needed; a database that others may use is not filled unasked."""
    command = CommandLine(tmp_path, postgres.empty(tmp_path))

    early = command.run("accounts", "create", "Acme")
    checked = command.run("migrate", "--check")
    command.good("migrate")

    assert (early.returncode, "tradebook migrate" in early.stderr) == (1, True)
    assert (checked.returncode, "0002: PostgreSQL" in checked.stderr) == (1, True)
    assert command.good("accounts", "create", "Acme").startswith("ac_")


def test_import_keeps_nothing_of_a_file_with_a_bad_row_and_names_all_of_them(command, account):
    rows = b"number,name,status\n1,Good,normal\n2,Bad,great\n3,,normal\n"

    done = command.run("import", "customers", "-", "--format", "csv", "--account", account, given=rows)

    assert done.returncode == 1
    assert "line 3" in done.stderr
    assert "great" in done.stderr
    assert "line 4" in done.stderr
    assert command.good("export", "customers", "--account", account) == ""


def test_dry_run_keeps_nothing(command, account):
    rows = b"number,name\n1,Good\n"

    command.good("import", "customers", "-", "--format", "csv", "--account", account, "--dry-run", given=rows)

    assert command.good("export", "customers", "--account", account) == ""


@pytest.mark.parametrize(
    ("engine", "ending"), [("sqlite", "csv"), ("postgresql", "ndjson")], indirect=["engine"]
)
def test_import_of_an_export_gives_the_same_book(command, account, ending):
    rows = (
        "number,name,phone,note,type,price_groups,bill_to.name,bill_to.country,created_at\n"
        '1,"=cmd()","+1 555 0100","two\nlines",Retail,A;B,Desk,Germany,2024-02-29T12:00:00.123Z\n'
        "2,Zoë,,,,,,,\n"
    ).encode()
    command.good("import", "customers", "-", "--format", "csv", "--account", account, given=rows)
    first = command.folder / f"first.{ending}"
    command.good("export", "customers", "--account", account, "-o", str(first))
    other = command.good("accounts", "create", "Other")

    command.good("import", "customers", str(first), "--account", other)

    second = command.folder / f"second.{ending}"
    command.good("export", "customers", "--account", other, "-o", str(second))
    assert second.read_bytes() == first.read_bytes()
    assert "Zoë" in second.read_text()


def test_an_exported_file_is_its_owners_alone_and_no_link_is_followed(command, account):
    folder = command.folder
    others = [folder / name for name in ("theirs.csv", "theirs.part")]
    file = folder / "out.csv"
    for link, other in zip((file, folder / "out.csv.part"), others, strict=True):
        other.write_text("theirs")
        link.symlink_to(other)

    command.good("export", "customers", "--account", account, "-o", str(file))

    assert [other.read_text() for other in others] == ["theirs", "theirs"]
    assert not file.is_symlink()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert not (folder / "out.csv.part").exists()


def test_an_export_that_cannot_be_written_fails_and_leaves_no_half_file(command, account):
    command.good(
        "import", "customers", "-", "--format", "ndjson", "--account", account, given=b'{"name":"A"}\n'
    )

    done = command.run("export", "customers", "--account", account, "-o", "/dev/full")
    missing = command.run("export", "customers", "--account", account, "-o", "no/such/folder.csv")

    assert done.returncode == 1
    assert missing.returncode == 1
    assert "Traceback" not in done.stderr + missing.stderr


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
def test_the_printed_openapi_document_is_the_served_one(without_book, server):
    printed = without_book.good("openapi")

    served = plain_http.get(f"{server.url}/openapi.json").json()
    assert served.pop("servers")[0]["url"] == server.url
    assert json.loads(printed) == {**served, "servers": json.loads(printed)["servers"]}


@pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        (("accounts", "list", "--json"), b""),
        (("import", "customers", "-", "--format", "csv", "--account", ACCOUNT), "name\nZoë\n".encode()),
        (("import", "customers", "-", "--format", "csv", "--account", ACCOUNT), b"number,name\n1,\n"),
        (("export", "customers", "--account", ACCOUNT), b""),
        (("keys", "list", "--account", "ac_0"), b""),
        (("keys", "create"), b""),
    ],
    ids=["success", "input", "bad input", "output", "failure", "wrong usage"],
)
def test_a_command_ends_as_a_process_as_it_does_when_it_is_called(command, account, arguments, given):
    """What the other tests call in this process is what an operator runs: exit code, results and messages."""
    words = [account if word == ACCOUNT else word for word in arguments]
    command.good("import", "customers", "-", "--format", "csv", "--account", account, given=STORED)
    process = command.run_as_process(*words, given=given)

    called = command.run(*words, given=given)

    assert process == called


def test_the_demo_serves_what_it_prints_and_leaves_nothing(tmp_path):
    """The printed curl line's key opens the printed address; Ctrl-C removes the book. Rows are results too."""
    port = free_port()
    log = tmp_path / "demo.log"
    with log.open("wb") as output:
        demo = subprocess.Popen(
            [sys.executable, "-m", "tradebook", "demo", "--port", str(port), "--customers", "50"],
            env={**os.environ, "TMPDIR": str(tmp_path)},
            stdout=output,
            stderr=subprocess.DEVNULL,
        )
    wait_until(lambda: "curl" in log.read_text() or demo.poll() is not None, "the demo's curl line")
    key = re.search(r"tb_sk_test_[0-9a-z]+", log.read_text())[0]
    url = re.search(r"'(http://[^']+)'", log.read_text())[1]

    def answer():
        try:
            return plain_http.get(url, headers={"Authorization": f"Bearer {key}"})
        except httpx.TransportError:
            return None

    wait_until(lambda: answer() is not None, "the demo's answer")
    page = answer().json()
    demo.send_signal(signal.SIGINT)
    demo.wait(20)

    assert len(page["data"]) == 3
    assert page["data"][0]["number"] in log.read_text()
    assert demo.returncode == 0
    assert [path.name for path in tmp_path.iterdir()] == ["demo.log"]
