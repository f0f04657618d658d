"""The commands of docs/operating.md and docs/alarms.md do what they are printed for: each is run, in its order."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.lengths import IS_SOAK
from tests.fixtures.postgres import PostgresServer
from tests.fixtures.server import free_port

ROOT = Path(__file__).parents[2]
PAGES = ("operating.md", "alarms.md")
ELSEWHERE = {
    "make .venv/.run": "every run of the tests begins with it",
    "uv ": "it would fetch packages; what the wheel needs is tried by tools/wheel_check.py",
    "pipx ": "as uv",
    ".venv/bin/python -m pip ": "as uv",
    "podman ": "no base image is here",
    "litestream ": "it is no part of Tradebook",
    "tradebook serve --replica ": "tests/storage/test_replicas.py runs it, with standbys",
    "psql -c 'CREATE EXTENSION citus'": "there is no such extension here",
    "tradebook migrate --distribute ": "tests/storage/test_citus.py runs it",
}
"""How the commands begin that are not run here, and why."""

PROLOGUE = r"""
set -euo pipefail
tradebook() {
    if [ "$1" = serve ]; then served "$@"; return; fi
    local printed status=0
    printed=$("$PYTHON" -m tradebook "$@") || status=$?
    printf '%s\n' "$printed"
    case "$1 ${2-}" in
        "accounts create") ACCOUNT=$printed;;
        "keys create") KEY=$("$PYTHON" -m tradebook keys list --account "$ACCOUNT" --json |
            "$PYTHON" -c 'import json, sys; print(json.load(sys.stdin)[-1]["id"])');;
    esac
    return $status
}
served() {
    "$PYTHON" -m tradebook "$@" --port "$PORT" & local server=$!
    "$PYTHON" -c "$ASK" "http://127.0.0.1:$PORT/readyz"
    kill -TERM $server
    wait $server
}
"""
ASK = """
import sys, time, urllib.request
for _ in range(200):
    try:
        sys.exit(urllib.request.urlopen(sys.argv[1], timeout=5).status != 200)
    except OSError:
        time.sleep(0.1)
sys.exit('nobody has answered')
"""


def sections_of(page):
    """Yield the title of each section of a page, and its commands, a line each."""
    for section in re.split(r"^##+ ", page, flags=re.MULTILINE)[1:]:
        title, _, text = section.partition("\n")
        blocks = re.findall(r"^( *)```(\w*)\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
        commands = []
        for indent, language, block in blocks:
            if not language:
                whole = re.sub(r"\\\n\s*|(?<=&&)\n\s*", " ", block)
                commands += [line.removeprefix(indent) for line in whole.splitlines()]
        yield title, commands


def runs_here(command):
    return not any(command.startswith(beginning) for beginning in ELSEWHERE)


def script_of(sections, replaced):
    """Write a script of the commands that run here, with the places of this machine."""
    lines = [command for _, commands in sections for command in commands if runs_here(command)]
    script = "\n".join(lines)
    for printed, own in replaced.items():
        script = script.replace(printed, own)
    return f"{PROLOGUE}\n{script}\necho all of it\n"


@pytest.fixture
def places(tmp_path):
    """What the pages name, and what that is here."""
    for name in ("backup", "node_exporter"):
        (tmp_path / name).mkdir()
    return {
        "/var/lib/tradebook": str(tmp_path),
        "/var/lib/node_exporter": str(tmp_path / "node_exporter"),
        "/backup/": f"{tmp_path / 'backup'}/",
        ".venv/bin/python": sys.executable,
        "127.0.0.1:9464": f"127.0.0.1:{free_port()}",
        "--port 8000": "",
        "ac_…": '"$ACCOUNT"',
        "ak_…": '"$KEY"',
    }


def run(script, folder):
    environment = {
        **os.environ,
        "PYTHON": sys.executable,
        "PORT": str(free_port()),
        "ASK": ASK,
        "TRADEBOOK_DATABASE": f"sqlite:///{folder / 'book.db'}",
    }
    return subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def pages():
    return {name: list(sections_of((ROOT / "docs" / name).read_text())) for name in PAGES}


def test_the_commands_about_backups_work_as_printed(tmp_path, places):
    Sqlite().new(tmp_path)
    sections = [section for section in pages()["operating.md"] if section[0] == "Back up"]

    done = run(script_of(sections, places), tmp_path)

    assert len(sections) == 1
    assert done.stdout.endswith("all of it\n"), done.stdout + done.stderr
    assert (tmp_path / "copy.db").exists()
    assert (tmp_path / "small.db").stat().st_mode & 0o777 == 0o600


@pytest.mark.skipif(not IS_SOAK, reason="the whole of it takes half a minute")
def test_every_command_of_the_pages_works_as_printed(tmp_path, places):
    operating, alarms = pages().values()
    server = PostgresServer.new()
    try:
        for statement in re.findall(
            r"^CREATE [^;]+", (ROOT / "docs" / "operating.md").read_text(), re.MULTILINE
        ):
            server.execute(statement)
        replaced = {**places, "…@db/": f"x@{server.url().partition('@')[2].partition('/')[0]}/"}

        done = run(script_of(alarms_on_the_file(operating, alarms), replaced), tmp_path)
    finally:
        server.stop()
        server.remove()

    assert done.stdout.endswith("all of it\n"), done.stdout + done.stderr
    assert "each read again and compared" in done.stderr
    assert re.fullmatch(r"tradebook_backup_timestamp_seconds \d+\n", figure(tmp_path, "backup"))
    assert figure(tmp_path, "check") == "tradebook_check_exit_code 0\n"


def figure(folder, name):
    return (folder / "node_exporter" / f"tradebook_{name}.prom").read_text()


def alarms_on_the_file(operating, alarms):
    """Put the alarms before the way to a server: they are about the file too."""
    place = [title for title, _ in operating].index("Grow")
    return [*operating[:place], *alarms, *operating[place:]]


def test_a_command_that_fails_is_noticed(tmp_path, places):
    done = run(script_of([("Wrong", ["tradebook backup none/copy.db"])], places), tmp_path)

    assert done.returncode == 1
    assert "all of it" not in done.stdout


def test_each_exception_is_one_still():
    commands = [command for page in pages().values() for _, listed in page for command in listed]

    assert len(commands) > 30
    assert [start for start in ELSEWHERE if not any(c.startswith(start) for c in commands)] == []
