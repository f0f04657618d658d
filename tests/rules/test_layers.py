"""Imports go down only, and the check that says so has teeth."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the contracts of pyproject.toml over the package in a folder."""
    program = "from importlinter.cli import lint_imports; import sys; sys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env={"PYTHONPATH": str(folder / "src"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )


def copied_to(folder: Path) -> Path:
    """Copy the package and its contracts, to plant breaches in."""
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def test_the_contracts_hold(tmp_path):
    done = lint_imports(copied_to(tmp_path))

    assert done.returncode == 0, done.stdout


BREACHES = (
    ("storage/schema.py", "import tradebook.crud.listing"),
    ("crud/listing.py", "import tradebook.resources.carriers"),
    ("web/reading.py", "import tradebook.resources.carriers"),
    ("resources/carriers.py", "import falcon"),
    ("crud/listing.py", "import urllib"),
    ("crud/listing.py", "import apsw"),
    ("transfer/copying.py", "import psycopg"),
    ("app.py", "import tradebook.migrations"),
    ("storage/readiness.py", "import alembic"),
    ("storage/schema.py", "import apsw"),
    ("storage/replicas.py", "import psycopg"),
    ("storage/sqlite/engine.py", "import psycopg"),
    ("storage/postgres/index.py", "import apsw"),
    ("storage/sqlite/engine.py", "import tradebook.storage.postgres.dialect"),
    ("storage/postgres/dialect.py", "import tradebook.storage.sqlite.dialect"),
    ("storage/schema.py", "import tradebook.storage.sqlite.dialect"),
    ("storage/readiness.py", "import tradebook.storage.postgres.location"),
    ("text.py", "import tradebook.crud.cursor"),
    ("resources/service_levels.py", "import tradebook.resources.carriers"),
    ("resources/address_routes.py", "import tradebook.resources.customers.tables"),
    ("transfer/exports/run.py", "import tradebook.resources.customers.writing"),
    ("transfer/imports/run.py", "import tradebook.transfer.exports.names"),
    ("transfer/exports/run.py", "import tradebook.transfer.imports.spill"),
    ("transfer/exports/run.py", "import tradebook.transfer.copying"),
    ("transfer/exports/run.py", "import tradebook.transfer.files.rows"),
    ("transfer/files/rows.py", "import tradebook.transfer.imports.records"),
    ("transfer/columns.py", "import tradebook.transfer.files.decoding"),
    ("transfer/cells.py", "import tradebook.transfer.columns"),
    ("transfer/copying.py", "import tradebook.transfer.columns"),
    ("cli/demo.py", "from tradebook.resources.customers import load"),
)
DRAWERS = ("utils.py", "transfer/shared.py")


def dotted(path: str) -> str:
    """The name of a module."""
    return f"tradebook.{path.removesuffix('.py').replace('/', '.')}"


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    """What is said of the package with all breaches in it, without the ends of lines; one run takes a second."""
    folder = copied_to(tmp_path_factory.mktemp("breached"))
    for path, line in (*BREACHES, *((drawer, "") for drawer in DRAWERS)):
        with (folder / "src" / "tradebook" / path).open("a") as file:
            file.write(f"\n{line}\n")
    done = lint_imports(folder)
    assert done.returncode != 0
    return " ".join(done.stdout.split())


@pytest.mark.parametrize(("path", "line"), BREACHES)
def test_a_planted_breach_is_named(told, path, line):
    importing, imported = dotted(path), line.replace(" import ", ".").split()[-1]
    chain = f"{importing} -> {imported} "

    assert chain in told or chain.replace("tradebook.resources.", ".") in told


@pytest.mark.parametrize("path", DRAWERS)
def test_a_module_in_no_layer_is_named(told, path):
    assert f"not listed as layers: - {dotted(path)} " in told
