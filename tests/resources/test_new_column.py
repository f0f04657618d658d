"""A new plain column of a customer is one line and a migration: shown by adding one to a copy of the package."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import tradebook
from tests.fixtures import plain_http
from tests.fixtures.server import start_server, stop_server
from tradebook.storage.readiness import HEAD

CUSTOMERS = "/v1/sales/customers"
NEXT = f"{int(HEAD) + 1:04}"
LINE = '    own("tax_number", LINE, "The number under which it pays taxes."),\n'
BEFORE = '    own("email", '
MIGRATION = f'''"""Adds a column."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.schema import TEXT

revision, down_revision = "{NEXT}", "{HEAD}"


def upgrade() -> None:
    op.add_column("customers", sa.Column("tax_number", TEXT, nullable=True))


def downgrade() -> None:
    op.drop_column("customers", "tax_number")
'''


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def grown(tmp_path_factory):
    """A copy of the package with the line and the migration."""
    folder = tmp_path_factory.mktemp("grown")
    package = folder / "tradebook"
    shutil.copytree(Path(tradebook.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    replaced(package / "resources/customers/fields.py", BEFORE, LINE + BEFORE)
    replaced(package / "storage/readiness.py", f'HEAD = "{HEAD}"', f'HEAD = "{NEXT}"')
    (package / f"migrations/versions/{NEXT}_tax_number.py").write_text(MIGRATION)
    return folder


@pytest.fixture
def command(engine, tmp_path, monkeypatch, grown):
    """Runs a command of the package as it is, or as it has grown."""
    monkeypatch.setenv("TRADEBOOK_DATABASE", engine.empty(tmp_path))
    own = Path(tradebook.__file__).parent.parent

    def run(*arguments: str, package: Path = grown, given: bytes = b"") -> bytes:
        monkeypatch.setenv("PYTHONPATH", str(package))
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tradebook", *arguments],
            input=given,
            capture_output=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    run.as_it_is = own
    return run


@pytest.fixture
def book(command, tmp_path):
    """A book of before with a customer, brought to the new schema, and a client of its server."""
    command("migrate", package=command.as_it_is)
    account = command("accounts", "create", "Old", package=command.as_it_is).decode().strip()
    row = b'{"number": "1", "name": "Of before", "bill_to": {"country": "DE"}}\n'
    command(
        "import",
        "customers",
        "-",
        "--format",
        "ndjson",
        "--account",
        account,
        package=command.as_it_is,
        given=row,
    )
    command("migrate")
    key = command("keys", "create", "--account", account).decode().split()[-1]
    server = start_server(tmp_path, database=os.environ["TRADEBOOK_DATABASE"])
    with plain_http.Client(
        base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30
    ) as client:
        client.account = account
        yield client
    stop_server(server)


def exported(command, client, *options: str) -> bytes:
    return command("export", "customers", "--account", client.account, *options)


def rows_of(command, client) -> dict[str, dict]:
    lines = exported(command, client).splitlines()
    return {row["number"]: row for row in map(json.loads, lines)}


def new_customer(client, **fields) -> dict:
    """Create a customer with the first of whatever it needs."""

    def first(path: str) -> str:
        return client.get(path).json()["data"][0]["id"]

    group = client.post(
        "/v1/sales/account-groups", json={"name": fields["name"], "type": "type_group"}
    ).json()
    place = {"name": "A", "country": "DE"}
    answer = client.post(
        CUSTOMERS,
        json={
            "customer_type_group_id": group["id"],
            "default_carrier_id": first("/v1/operations/carriers"),
            "default_payment_term_id": first("/v1/finance/payment-terms"),
            "default_shipping_term_id": first("/v1/operations/shipping-terms"),
            "bill_to_address": place,
            "ship_to_address": place,
            **fields,
        },
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_new_column_is_written_and_read_everywhere(book, command):
    first = new_customer(book, name="First", number="10", tax_number="DE 1")
    second = new_customer(book, name="Second", number="11")
    path = f"{CUSTOMERS}/{first['id']}"

    assert {number: row["tax_number"] for number, row in rows_of(command, book).items()} == {
        "1": None, "10": "DE 1", "11": None,
    }  # fmt: skip

    assert book.patch(path, json={"tax_number": "DE 2"}).status_code == 200
    assert rows_of(command, book)["10"]["tax_number"] == "DE 2"
    for wrong in (5, "", "two\nlines"):
        refused = book.patch(path, json={"tax_number": wrong})
        assert (refused.status_code, refused.json()["error"]["param"]) == (400, "tax_number")
    preview = book.post(
        f"{CUSTOMERS}/{second['id']}/actions/merge",
        json={"source_customer_ids": [first["id"]], "dry_run": True},
    ).json()
    assert {loss["field"]: (loss["lost"], loss["kept"]) for loss in preview["losses"]}["tax_number"] == (
        "DE 2",
        None,
    )
    assert book.patch(path, json={"tax_number": None}).status_code == 200
    assert rows_of(command, book)["10"]["tax_number"] is None


def test_a_new_column_goes_in_and_out_by_files(book, command):
    take = ("import", "customers", "-", "--account", book.account, "--format")

    command(*take, "ndjson", given=b'{"number": "1", "tax_number": "FR 1"}\n{"number": "2", "name": "B"}\n')
    command(*take, "csv", given=b"number,tax_number\n2,FR 2\n")

    assert {number: row["tax_number"] for number, row in rows_of(command, book).items()} == {
        "1": "FR 1",
        "2": "FR 2",
    }
    as_csv = exported(command, book, "--format", "csv")
    header = as_csv.splitlines()[0].decode().split(",")
    assert header.index("tax_number") == header.index("email") - 1
    again = command(*take, "csv", "--json", given=as_csv)
    assert (json.loads(again)["unchanged"], json.loads(again)["updated"]) == (2, 0)


def test_a_new_column_is_described(grown, command):
    document = json.loads(command("openapi"))
    field = document["components"]["schemas"]["CustomerUpdate"]["properties"]["tax_number"]

    assert field["description"] == "The number under which it pays taxes."
    assert field["type"] == ["string", "null"]
    assert not re.search("tax_number", json.dumps(json.loads(command("openapi", package=command.as_it_is))))


def test_without_its_migration_the_new_column_is_refused(command, grown, tmp_path):
    """The planted fault: a line without its migration is no book that works by chance."""
    command("migrate", package=command.as_it_is)

    done = subprocess.run(
        [sys.executable, "-P", "-m", "tradebook", "accounts", "list"],
        env={**os.environ, "PYTHONPATH": str(grown)},
        capture_output=True,
        check=False,
    )

    assert done.returncode == 1
    assert b"tradebook migrate" in done.stderr
