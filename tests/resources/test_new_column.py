"""A new plain column of a customer is one line and a migration, and then the whole program knows it.

The program here is a copy with that line in it, run on a book that was there before.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.fixtures import plain_http
from tests.fixtures.engines import Engine
from tests.fixtures.server import start_server, stop_server
from tradebook.storage.readiness import HEAD

ROOT = Path(__file__).parents[2]
CUSTOMERS = "/v1/sales/customers"
BEFORE = '    own("url", URL, "A web address."),\n'
LINE = '    own("tax_number", LINE, "What the customer is called by those who collect taxes."),\n'
NEW_HEAD = f"{int(HEAD) + 1:04}"
MIGRATION = f'''"""Tax numbers of customers."""

import sqlalchemy as sa
from alembic import op

from tradebook.storage.schema import TEXT

revision = "{NEW_HEAD}"
down_revision = "{HEAD}"


def upgrade() -> None:
    """Add the column."""
    op.add_column("customers", sa.Column("tax_number", TEXT, nullable=True))
'''
COMMANDS = """
import json, sys
from typer.testing import CliRunner
from tradebook.cli.root import app
for line in sys.stdin:
    arguments, given = json.loads(line)
    done = CliRunner().invoke(app, arguments, input=given.encode())
    print(json.dumps([done.exit_code, done.stdout, done.stderr]), flush=True)
"""


class Program:
    """A copy of the program, whose commands run in one process of their own."""

    def __init__(self, folder: Path, database: str) -> None:
        self.folder = folder
        self.environment = os.environ | {"PYTHONPATH": str(folder / "src"), "TRADEBOOK_DATABASE": database}
        self._process = subprocess.Popen(
            [sys.executable, "-c", COMMANDS],
            cwd=folder,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, given: str = "") -> tuple[int, str, str]:
        """Run a command and return how it ended: exit code, results, messages."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps([arguments, given]) + "\n")
        self._process.stdin.flush()
        code, results, messages = json.loads(self._process.stdout.readline())
        return code, results, messages

    def good(self, *arguments: str, given: str = "") -> str:
        """Run a command that must succeed and return its results."""
        code, results, messages = self.run(*arguments, given=given)
        assert code == 0, messages
        return results.strip()

    def close(self) -> None:
        """End the process of the commands."""
        self._process.communicate()


class Changed:
    """The changed program on an old book: its account, its commands, and a client of its server."""

    def __init__(self, program: Program, account: str, client: plain_http.Client) -> None:
        self.program, self.account, self.client = program, account, client

    def take(self, content: str, file_format: str = "ndjson") -> tuple[int, str]:
        """Import a file; returns the exit code and what is told."""
        code, _, messages = self.program.run(
            "import", "customers", "-", "--account", self.account, "--format", file_format, given=content
        )
        return code, messages

    def export(self, file_format: str = "ndjson") -> str:
        """Return the file that an export writes."""
        return self.program.good("export", "customers", "--account", self.account, "--format", file_format)

    def tax_numbers(self) -> dict[str, Any]:
        """Return what the book has in the new column, by customer number."""
        records = [json.loads(line) for line in self.export().splitlines()]
        return {record["number"]: record["tax_number"] for record in records}

    def post(self, path: str, **body: Any) -> Any:
        """POST what must succeed and return the answer."""
        answer = self.client.post(path, json=body)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def create(self, number: str, **fields: Any) -> dict[str, Any]:
        """Create a customer over HTTP."""
        address = {"name": "Desk", "country": "FR"}
        group = self.post("/v1/sales/account-groups", name=f"Type of {number}", type="type_group")
        firsts = {
            field: self.client.get(path).json()["data"][0]["id"]
            for field, path in {
                "default_carrier_id": "/v1/operations/carriers",
                "default_payment_term_id": "/v1/finance/payment-terms",
                "default_shipping_term_id": "/v1/operations/shipping-terms",
            }.items()
        }
        customer: dict[str, Any] = self.post(
            CUSTOMERS,
            name=f"Customer {number}",
            number=number,
            customer_type_group_id=group["id"],
            bill_to_address=address,
            ship_to_address=address,
            **firsts,
            **fields,
        )
        return customer

    def patch(self, customer: dict[str, Any], **fields: Any) -> Any:
        """PATCH a customer."""
        return self.client.patch(f"{CUSTOMERS}/{customer['id']}", json=fields)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The changed program: a line among the fields, a migration, and the number of the schema that it makes."""
    made = tmp_path_factory.mktemp("changed")
    for name in ("src", "tools", "docs"):
        shutil.copytree(ROOT / name, made / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    package = made / "src" / "tradebook"
    replace(package / "resources" / "customers" / "fields.py", BEFORE, BEFORE + LINE)
    replace(package / "storage" / "readiness.py", f'HEAD = "{HEAD}"', f'HEAD = "{NEW_HEAD}"')
    (package / "migrations" / "versions" / f"{NEW_HEAD}_tax_numbers.py").write_text(MIGRATION)
    return made


def replace(path: Path, old: str, new: str) -> None:
    """Change the one place of a file that has this text."""
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.fixture(scope="module")
def changed(folder: Path, engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """The changed program after `migrate`, on a book in which the program of before has put a customer."""
    place = tmp_path_factory.mktemp("place")
    database = engine.new(place)
    before = Program(ROOT, database)
    account = before.good("accounts", "create", "Old").split()[-1]
    before.good(
        "import", "customers", "-", "--account", account, "--format", "csv", given="number,name\nold,Old\n"
    )
    before.close()
    program = Program(folder, database)
    assert program.run("migrate", "--check")[0] == 1
    program.good("migrate")
    key = program.good("keys", "create", "--account", account).split()[-1]
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", program.environment["PYTHONPATH"])
        server = start_server(place, database=database)
    client = plain_http.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
    yield Changed(program, account, client)
    client.close()
    stop_server(server)
    program.close()


def test_requests_write_change_and_clear_it(changed: Changed) -> None:
    customer = changed.create("h1", tax_number=" FR 40 303 265 045 ")
    assert changed.tax_numbers()["h1"] == "FR 40 303 265 045"

    assert changed.patch(customer, tax_number="DE 1").status_code == 200
    assert changed.tax_numbers()["h1"] == "DE 1"
    assert changed.patch(customer, note="x").status_code == 200
    assert changed.tax_numbers()["h1"] == "DE 1"
    assert changed.patch(customer, tax_number=None).status_code == 200
    assert changed.tax_numbers()["h1"] is None


def test_it_is_null_where_nothing_is_said(changed: Changed) -> None:
    changed.create("h2")

    assert (changed.tax_numbers()["h2"], changed.tax_numbers()["old"]) == (None, None)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"tax_number": 5}, "tax_number takes text in quotation marks."),
        ({"tax_number": ["5"]}, "tax_number takes one value."),
        ({"tax_number": ""}, "tax_number must not be empty; null clears it."),
        ({"name": " "}, "name must not be empty."),
        ({"tax_number": "a\nb"}, "tax_number has a line break or another control character."),
        ({"tax_nmber": "5"}, "There is no field tax_nmber; did you mean tax_number?"),
    ],
)
def test_a_wrong_one_is_refused(changed: Changed, body: dict[str, Any], told: str) -> None:
    (old,) = changed.client.get(f"{CUSTOMERS}?q=Old").json()["data"]

    answer = changed.patch(old, **body)

    assert (answer.status_code, answer.json()["error"]["message"]) == (400, told)


def test_a_merge_tells_that_it_is_lost(changed: Changed) -> None:
    target, source = changed.create("h3", tax_number="kept"), changed.create("h4", tax_number="lost")

    preview = changed.post(
        f"{CUSTOMERS}/{target['id']}/actions/merge", source_customer_ids=[source["id"]], dry_run=True
    )

    losses = {loss["field"]: (loss["lost"], loss["kept"]) for loss in preview["losses"]}
    assert losses["tax_number"] == ("lost", "kept")


@pytest.mark.parametrize("file_format", ["csv", "ndjson"])
def test_files_bring_it_in_change_it_and_clear_it(changed: Changed, file_format: str) -> None:
    def row(value: str, number: str) -> str:
        as_json = json.dumps({"number": number, "name": "F", "tax_number": value})
        return as_json if file_format == "ndjson" else f"number,name,tax_number\n{number},F,{value}\n"

    number = f"f-{file_format}"
    for value, kept in (("GB 1", "GB 1"), ("GB 2", "GB 2"), ("", None)):
        code, messages = changed.take(row(value, number), file_format)

        assert code == 0, messages
        assert changed.tax_numbers()[number] == kept
    code, messages = changed.take(row("9" * 256, number), file_format)
    assert code == 1
    assert "tax_number: '999" in messages
    assert "has 256 characters, more than 255" in messages


@pytest.mark.parametrize("file_format", ["csv", "ndjson"])
def test_an_export_has_it_where_its_line_stands_and_comes_in_again(
    changed: Changed, file_format: str
) -> None:
    changed.create(f"e-{file_format}", tax_number="=1")
    file = changed.export(file_format)

    first = file.splitlines()[0]
    columns = first.split(",") if file_format == "csv" else list(json.loads(first))
    assert columns[columns.index("url") + 1] == "tax_number"
    code, messages = changed.take(file, file_format)
    assert code == 0, messages
    assert " 0 created, 0 updated," in messages
    assert changed.export(file_format) == file


def test_a_map_may_fill_it(changed: Changed) -> None:
    (changed.program.folder / "map.toml").write_text(
        '[columns]\nnumber = "no"\nname = "no"\ntax_number = "vat"\n'
    )

    changed.program.good(
        "import", "customers", "-", "--account", changed.account, "--format", "csv", "--map", "map.toml",
        given="no,vat\nm1,IT 7\n",
    )  # fmt: skip

    assert changed.tax_numbers()["m1"] == "IT 7"


def test_the_document_and_the_reference_describe_it(changed: Changed) -> None:
    subprocess.run(
        [sys.executable, "tools/reference.py"],
        cwd=changed.program.folder,
        env=changed.program.environment,
        check=True,
    )

    schemas = changed.client.get("/openapi.json").json()["components"]["schemas"]
    pages = changed.program.folder / "docs" / "reference"
    for name in ("CustomerCreate", "CustomerUpdate"):
        assert schemas[name]["properties"]["tax_number"]["type"] == ["string", "null"]
    assert (pages / "parameters.md").read_text().count("| `tax_number` | text") == 4
    assert (pages / "columns.md").read_text().count("| `tax_number` | text") == 1


def test_without_its_migration_the_line_makes_no_book_that_works_by_chance(
    folder: Path, engine: Engine, tmp_path: Path
) -> None:
    program = Program(folder, engine.new(tmp_path))

    code, _, messages = program.run("accounts", "list")

    program.close()
    assert code == 1
    assert "tradebook migrate" in messages


def test_without_the_line_nobody_knows_it(book: Any) -> None:
    """What is asked of the changed program is refused by the unchanged one."""
    answer = book.client.post(CUSTOMERS, json={"tax_number": "FR 1"})

    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == "tax_number"
