"""Imports go down only, and the check that says so has teeth."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fixtures.lengths import length

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


@pytest.fixture
def copy(tmp_path):
    """The package and its contracts, to plant breaches in."""
    shutil.copytree(
        ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_contracts_hold(copy):
    done = lint_imports(copy)

    assert done.returncode == 0, done.stdout


BREACHES = (
    ("storage/schema.py", "import tradebook.crud.listing"),
    ("crud/listing.py", "import tradebook.resources.carriers"),
    ("web/reading.py", "import tradebook.resources.carriers"),
    ("resources/carriers.py", "import falcon"),
    ("crud/listing.py", "import urllib.parse"),
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
    ("text.py", "import tradebook.money, tradebook.crud.cursor"),
    ("utils.py", '"""A drawer for everything."""'),
    ("resources/service_levels.py", "import tradebook.resources.carriers"),
    ("resources/address_routes.py", "import tradebook.resources.customers.tables"),
    ("transfer/exports/run.py", "from tradebook.resources.customers.writing import records"),
    ("transfer/imports/run.py", "import tradebook.transfer.exports.names"),
    ("transfer/exports/run.py", "import tradebook.transfer.imports.spill"),
    ("transfer/exports/run.py", "import tradebook.transfer.copying"),
    ("transfer/exports/run.py", "import tradebook.transfer.files.rows"),
    ("transfer/files/rows.py", "import tradebook.transfer.imports.records"),
    ("transfer/columns.py", "import tradebook.transfer.files.decoding"),
    ("transfer/cells.py", "import tradebook.transfer.columns"),
    ("transfer/copying.py", "import tradebook.transfer.columns"),
    ("transfer/shared.py", '"""Another drawer."""'),
    ("cli/demo.py", "from tradebook.resources.customers import load as whole, tables"),
)


# Each takes a second: a short run has some of them, others in each part of the list.
@pytest.mark.parametrize(("module", "line"), BREACHES[:: length(3, 1)])
def test_a_planted_breach_is_caught(copy, module, line):
    path = copy / "src" / "tradebook" / module
    path.write_text((path.read_text() if path.exists() else "") + f"\n{line}\n")

    assert lint_imports(copy).returncode != 0
