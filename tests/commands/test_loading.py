"""A command loads what it needs and nothing else, and so does a worker: every start pays for it."""

import json
import os
import subprocess
import sys

import pytest

from tests.fixtures.engines import Sqlite
from tests.fixtures.server import start_server, stop_server, wait_until
from tradebook.cli.root import COMMANDS, load

COUNTING_TOGETHER = ("limits", "redis", "tradebook.web.shared_limiter")
SERVING = (*COUNTING_TOGETHER, "falcon", "granian", "cryptography", "tradebook.web", "tradebook.app")
MIGRATING = ("alembic", "mako", "tradebook.migrations")
AMOUNTS = ("babel", "pycountry")
POSTGRES = ("psycopg", "sqlalchemy.dialects.postgresql", "tradebook.storage.postgres.engine")
WATCHING = ("prometheus_client", "opentelemetry", "tradebook.web.metrics_page")
AGENTS = ("mcp", "mcp_types", "pydantic", "starlette", "tradebook.mcp")
PAGES = ("jinja2", "tradebook.web.pages.rendering")
FILES = ("tradebook.transfer", "tradebook.demo")
IMPORTS = ("tradebook.transfer.files", "tradebook.transfer.imports", "tradebook.demo")
"""A worker exports, and never imports."""

BOOK = ("sqlalchemy", "apsw", "tradebook.storage", "tradebook.resources", "tradebook.crud")
COMMAND_LINE = ("typer", "rich", "tradebook.cli.root")

DUMP = """
import atexit, json, os, pathlib, sys, threading, time

def write():
    path = pathlib.Path(os.environ["MODULES"]) / f"{os.getpid()}.json"
    path.with_suffix(".part").write_text(json.dumps(sorted(sys.modules)))
    path.with_suffix(".part").rename(path)

def watch():
    while True:
        write()
        time.sleep(0.1)

atexit.register(write)
os.register_at_fork(after_in_child=lambda: threading.Thread(target=watch, daemon=True).start())
"""


@pytest.fixture
def recorder(tmp_path, monkeypatch):
    """Has every Python that starts here write down its modules: at its end, and while it is a fork."""
    folder = tmp_path / "modules"
    folder.mkdir()
    (tmp_path / "sitecustomize.py").write_text(DUMP)
    monkeypatch.setenv("MODULES", str(folder))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    monkeypatch.setenv("TRADEBOOK_DATABASE", Sqlite().new(tmp_path))
    return folder


def found_in(modules, names):
    """Which of these, or of what is inside them, are among the modules."""
    return [name for name in modules if any(f"{name}.".startswith(f"{each}.") for each in names)]


def modules_of(recorder, *arguments):
    """Run a command and return what it had loaded in the end."""
    done = subprocess.run([sys.executable, "-m", "tradebook", *arguments], capture_output=True, check=True)
    (path,) = recorder.iterdir()
    modules = json.loads(path.read_text())
    path.unlink()
    return modules, done.stdout.decode().strip()


def test_the_help_loads_no_book(recorder):
    modules, _ = modules_of(recorder, "--help")

    assert found_in(modules, (*BOOK, *SERVING, *MIGRATING, *AMOUNTS, *POSTGRES, *FILES)) == []
    assert found_in(modules, COMMAND_LINE)


def test_a_command_on_accounts_and_keys_loads_the_book_alone(recorder):
    unneeded = (*SERVING, *MIGRATING, *AMOUNTS, *POSTGRES, *FILES)
    created, account = modules_of(recorder, "accounts", "create", "Acme")
    loaded = {"accounts create": created}
    for group, act in (("accounts", "list"), ("keys", "list"), ("keys", "create")):
        of_whom = () if group == "accounts" else ("--account", account)
        loaded[f"{group} {act}"], _ = modules_of(recorder, group, act, *of_whom)

    for command, modules in loaded.items():
        assert (command, found_in(modules, unneeded)) == (command, [])
        assert found_in(modules, BOOK)


def test_an_export_loads_no_server_and_no_migrations(recorder):
    _, account = modules_of(recorder, "accounts", "create", "Acme")

    modules, _ = modules_of(recorder, "export", "customers", "--account", account)

    assert found_in(modules, (*SERVING, *MIGRATING, *POSTGRES)) == []


def test_a_worker_loads_nothing_of_the_command_line_and_no_migrations(recorder, tmp_path):
    server = start_server(
        tmp_path, "--host", "127.0.0.1", workers=2, database=os.environ["TRADEBOOK_DATABASE"]
    )
    wait_until(lambda: len([*recorder.glob("*.json")]) >= 2, "the workers' lists")
    stop_server(server)

    workers = [json.loads(path.read_text()) for path in recorder.iterdir()]

    unneeded = (
        *COMMAND_LINE,
        *MIGRATING,
        *IMPORTS,
        *POSTGRES,
        *COUNTING_TOGETHER,
        *WATCHING,
        *PAGES,
        *AGENTS,
    )
    assert [found_in(modules, unneeded) for modules in workers] == [[] for _ in workers]
    assert [bool(found_in(modules, ("falcon",))) for modules in workers] == [True] * len(workers)


def test_what_is_loaded_is_noticed(recorder):
    """The tooth of the tests above: what a command does need is found."""
    modules, _ = modules_of(recorder, "openapi")

    assert found_in(modules, ("falcon",))
    assert found_in(modules, ("tradebook.web.openapi",)) == ["tradebook.web.openapi"]
    assert found_in(["babelfish", "babel"], ("babel",)) == ["babel"]


TABLES = "from tradebook.storage.schema import metadata; print(*sorted(metadata.tables))"
EVERYTHING = """
import importlib, pkgutil, tradebook
for module in pkgutil.walk_packages(tradebook.__path__, "tradebook."):
    if "__main__" not in module.name and ".versions." not in module.name and not module.name.endswith(".env"):
        importlib.import_module(module.name)
"""


def tables_after(program):
    """The tables that are declared once a program has run."""
    done = subprocess.run([sys.executable, "-c", f"{program}\n{TABLES}"], capture_output=True, check=True)
    return done.stdout.decode().split()


def test_whoever_has_the_resources_has_every_table():
    """A command that copies, migrates or distributes a book goes by the tables that are declared."""
    assert tables_after("import tradebook.resources") == tables_after(EVERYTHING)
    assert "idempotency_records" in tables_after("import tradebook.migrations")
    assert "idempotency_records" not in tables_after("import tradebook.storage.accounts")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says_of_itself(name):
    paragraph, _, _ = load(name).help.partition("\n\n")

    assert " ".join(paragraph.split()) == COMMANDS[name].help
