"""How a command ends where nobody takes its results, or where Ctrl-C comes before it has begun."""

import os
import re
import shlex
import subprocess
import sys

import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite

PLANTED = """
import os, signal, sys

# What a shell runs in the background begins with Ctrl-C ignored.
signal.signal(signal.SIGINT, signal.default_int_handler)

class Interrupting:
    def find_spec(self, name, path, target=None):
        if name == os.environ["INTERRUPTED_AT"]:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
"""


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    folder = tmp_path_factory.mktemp("ends")
    return CommandLine(folder, Sqlite().new(folder))


@pytest.fixture(scope="module")
def account(command):
    return command.good("accounts", "create", "Acme")


def shell(command, line):
    """Run a line of the shell, in which `tradebook` is the command."""
    started = f'tradebook() {{ {shlex.quote(sys.executable)} -m tradebook "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", started],
        env=os.environ | {"TRADEBOOK_DATABASE": command.database},
        cwd=command.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize("module", ["typer", "tradebook.cli.accounts"])
def test_ctrl_c_while_a_command_is_loaded_ends_it_without_a_word(command, tmp_path, monkeypatch, module):
    (tmp_path / "sitecustomize.py").write_text(PLANTED)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("INTERRUPTED_AT", module)

    done = command.run_as_process("accounts", "list")

    assert done == (130, "", "")


@pytest.mark.parametrize("what", ["accounts list", "--version"])
def test_results_that_nobody_can_take_are_told(command, account, what):
    done = shell(command, f"tradebook {what} >&-")

    assert done.returncode == 1
    assert done.stderr == "Error: standard output can't be written: Bad file descriptor.\n"


@pytest.mark.parametrize(
    ("line", "done"),
    [
        ("accounts create Bolt", r"The account is made: tradebook accounts list shows it\."),
        ("keys create --account {a}", r"Key ak_\w{13} is made, and nobody knows its secret: .*\."),
        ("import customers list.csv --account {a} --json", r"The rows are written\."),
        ("backup copy.db --json", r"The copy is made: \S+/copy\.db\."),
    ],
)
def test_what_is_done_is_told_where_the_results_are_lost(command, account, monkeypatch, line, done):
    """A full disk behind `> file`: the work is done and stays so, and is not to be done again."""
    # Then nothing waits for the end of the command: it fails within its work.
    monkeypatch.setenv("PYTHONUNBUFFERED", "1")
    (command.folder / "list.csv").write_text("number,name\n1,Alder\n")

    ended = shell(command, f"tradebook {line.format(a=account)} >/dev/full")

    *_, error, last = ended.stderr.splitlines()
    assert ended.returncode == 1
    assert error == "Error: standard output can't be written: No space left on device."
    assert re.fullmatch(done, last)


def test_a_command_without_results_needs_no_standard_output(command, account):
    done = shell(command, "tradebook migrate >&-")

    assert (done.returncode, "Nothing was missing." in done.stderr) == (0, True)


def test_messages_never_come_among_the_results(command, account):
    (command.folder / "list.csv").write_text("name\nAlder\n")

    done = shell(command, f"tradebook import customers list.csv --account {account} 2>&-")

    assert (done.returncode, done.stdout) == (0, "")


def test_a_closed_standard_input_is_an_empty_file(command, account):
    done = shell(command, f"tradebook import customers - --format csv --account {account} <&-")

    assert (done.returncode, "Traceback" in done.stderr) == (1, False), done.stderr


def test_who_reads_no_more_is_told_nothing(command):
    """As `| head` does it, when it has its lines."""
    reading, writing = os.pipe()
    os.close(reading)

    done = subprocess.run(
        [sys.executable, "-m", "tradebook", "--version"], stdout=writing, stderr=subprocess.PIPE, check=False
    )
    os.close(writing)

    assert (done.returncode, done.stderr) == (1, b"")


def test_a_terminal_of_another_encoding_shows_every_name_and_all_help(command, monkeypatch):
    command.good("accounts", "create", "株式会社")
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")

    listed, helped = command.run_as_process("accounts", "list"), command.run_as_process("serve", "--help")

    assert (listed.returncode, listed.stderr) == (0, "")
    assert r"\u682a\u5f0f\u4f1a\u793e" in listed.stdout
    assert (helped.returncode, helped.stderr) == (0, "")
