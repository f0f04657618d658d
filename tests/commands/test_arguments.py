"""What commands take as an argument: names of hosts and files as a system has them, and what is no name at all."""

import os
import socket

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.server import free_port
from tradebook.cli.listening import PortTaken, require_free, url_host

NO_UTF_8 = os.fsdecode(b"M\xfcller")
ROWS = "number,name,bill_to.country\n" + "".join(f"{n},Customer {n},US\n" for n in range(1, 121))


@pytest.fixture
def command(tmp_path):
    return CommandLine(tmp_path, Sqlite().new(tmp_path))


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (" ", "NAME must not be empty."),
        ("x" * 256, "NAME has 256 characters, more than 255."),
        ("a\nb", "NAME has a line break or another control character."),
        (NO_UTF_8, "NAME is not UTF-8."),
    ],
)
def test_what_is_no_name_is_wrong_usage_and_makes_nothing(command, name, told):
    done = command.run("accounts", "create", name)

    assert (done.returncode, done.stderr) == (2, f"Error: {told}\n")
    assert command.good("accounts", "list", "--json") == "[]"


def test_a_keys_name_is_one_as_over_http(command):
    account = command.good("accounts", "create", "A" * 255).strip()

    for name in ("", "x" * 256, "a\tb", NO_UTF_8):
        done = command.run("keys", "create", "--account", account, "--name", name)
        assert (done.returncode, done.stderr.startswith("Error: --name ")) == (2, True)
    assert command.good("keys", "list", "--account", account, "--json") == "[]"


def test_a_file_may_have_a_name_that_is_no_utf_8(command):
    account = command.good("accounts", "create", "Acme").strip()
    (command.folder / f"{NO_UTF_8}.csv").write_text(ROWS)

    command.good("import", "customers", f"{NO_UTF_8}.csv", "--account", account, "--plan", NO_UTF_8)
    done = command.run("import", "apply", NO_UTF_8)

    assert (done.returncode, "120 created" in done.stderr) == (0, True)


def test_a_draft_reads_a_pipe_and_no_folder(command):
    reading, written = os.pipe()
    os.write(written, ROWS.encode())
    os.close(written)

    done = command.run("import", "draft", f"/dev/fd/{reading}")
    os.close(reading)
    refused = command.run("import", "draft", ".")

    assert (done.returncode, 'number = "number"' in done.stdout) == (0, True)
    assert (refused.returncode, refused.stderr) == (1, "Error: .: Is a directory.\n")


def test_a_map_is_printed_as_json_too(command):
    text = command.good("import", "maps", "shopify")

    assert command.good("import", "maps", "shopify", "--json").startswith(
        '{"name":"shopify","map":"# Shopify'
    )
    assert text.startswith("# Shopify")


def test_a_book_in_memory_is_refused(command):
    done = command.run("accounts", "create", "Acme", "--database", "sqlite:///:memory:")

    assert (done.returncode, "names no file" in done.stderr) == (2, True)
    assert not (command.folder / ":memory:").exists()


@pytest.mark.parametrize("name", ["a?b.db", "50%41.db", "x?mode=memory", "a#b & c.db", NO_UTF_8])
def test_a_book_may_have_any_name_that_a_file_can_have(command, name):
    database = f"sqlite:///{command.folder}/{name}"
    before = set(command.folder.iterdir())

    made = command.good("accounts", "create", "Acme", "--database", database)

    assert made in command.good("accounts", "list", "--json", "--database", database)
    assert {path.name for path in set(command.folder.iterdir()) - before} == {name, f"{name}-turns"}


def test_a_reason_of_two_lines_is_told_without_the_tab_between(command):
    done = command.run("accounts", "list", "--database", "postgresql://nobody@127.0.0.1:1/nothing")

    assert "Connection refused Is the server running" in done.stderr


def test_the_help_breaks_lines_where_the_terminal_does(command):
    told = command.good("copy", "--help")

    assert any("target and compares it. If anything" in line for line in told.splitlines())


@pytest.mark.parametrize(
    ("host", "number"), [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "0.0.0.0")]
)
def test_a_host_may_be_a_name_and_becomes_the_number_that_the_server_takes(host, number):
    assert require_free(host, free_port()) == number


@pytest.mark.parametrize("host", ["", "a..b", NO_UTF_8, "192.0.2.1"])
def test_what_is_no_host_here_is_refused(host):
    with pytest.raises(PortTaken, match=r"^Can't listen on "):
        require_free(host, 1)


def test_a_port_that_is_taken_is_refused_by_name_too():
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(PortTaken, match="in use"):
        require_free("localhost", taken.getsockname()[1])


def test_an_address_of_ipv6_has_brackets_in_a_url():
    assert (url_host("::1"), url_host("127.0.0.1")) == ("[::1]", "127.0.0.1")
