"""Accounts in a real file, to import into and export from without a server."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tradebook import migrations
from tradebook.app import open_database
from tradebook.ids import KEY_MAX
from tradebook.resources import accounts
from tradebook.resources.customers.tables import INDEX
from tradebook.settings import Settings
from tradebook.storage.database import Database
from tradebook.storage.index import Condition, Facet, Query
from tradebook.storage.sqlite import create_private_file
from tradebook.text import words_of
from tradebook.transfer.exporting import ExportSummary, Format, export_customers
from tradebook.transfer.importing import ImportSummary, import_customers
from tradebook.transfer.reading import Problem, Row, read_file

Record = dict[str, Any]


def new_database(folder: Path) -> Database:
    """Make a book without accounts."""
    path = folder / "book.db"
    create_private_file(path)
    url = f"sqlite:///{path}"
    migrations.upgrade(url)
    return open_database(Settings(database=url))


class Ledger:
    """One account: what goes in and comes out."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.key, _ = accounts.find_account(database, accounts.create_account(database, "Test", "test"))

    def take(self, *records: Record, **options: Any) -> ImportSummary:
        """Import records that have no problem."""
        summary, problems = self.try_to_take(*records, **options)
        assert problems == []
        return summary

    def try_to_take(
        self, *records: Record, sources: dict[str, str] | None = None, dry_run: bool = False
    ) -> tuple[ImportSummary, list[str]]:
        """Import records, and return the problems as they are told."""
        return self.take_rows(
            (Row(line, record, sources or {}) for line, record in enumerate(records, 1)), dry_run=dry_run
        )

    def take_rows(
        self, rows: Iterable[Row | Problem], *, dry_run: bool = False
    ) -> tuple[ImportSummary, list[str]]:
        """Import what a reader yields."""
        problems: list[Problem] = []
        summary = import_customers(self.database, self.key, rows, dry_run=dry_run, report=problems.append)
        assert summary.problems == len(problems)
        return summary, [str(problem) for problem in problems]

    def take_file(self, content: bytes, file_format: Format) -> ImportSummary:
        """Import a file that has no problem."""
        summary, problems = self.take_rows(read_file(io.BytesIO(content), file_format, None))
        assert problems == []
        return summary

    def export(self, file_format: Format = "ndjson") -> bytes:
        """Return the file that an export writes."""
        return self.exported(file_format)[0]

    def exported(self, file_format: Format = "ndjson") -> tuple[bytes, ExportSummary]:
        """Return the file that an export writes, and what it tells."""
        file = io.BytesIO()
        summary = export_customers(self.database, self.key, format=file_format, file=file)
        return file.getvalue(), summary

    def records(self) -> list[Record]:
        """Return all customers, oldest first, as import records."""
        return [msgspec.json.decode(line) for line in self.export().splitlines()]

    def customer(self, number: str) -> Record:
        """Return one customer as an import record."""
        (found,) = [record for record in self.records() if record["number"] == number]
        return found

    def found(self, words: str = "", facet: Facet | None = None, *value: Any) -> set[str]:
        """Return the numbers of the customers that a list finds."""
        conditions = (Condition(facet, (value,)),) if facet else ()
        query = Query(conditions, tuple(words_of(words)))
        with self.database.read(self.key) as reader:
            keys = reader.keys(INDEX, query, above=0, below=KEY_MAX, descending=True, limit=1000)
        numbers = {row[1]: row[2] for row in self.sql("SELECT account_id, id, number FROM customers")}
        return {numbers[key] for key in keys}

    def sql(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Read rows of a table whose first column is the account."""
        with self.database.read(self.key) as reader:
            rows = reader._connection.execute(statement, values).fetchall()
        return [row for row in rows if row[0] == self.key]

    def plant(self, statement: str, *values: Any) -> None:
        """Change a table in a way that import does not."""
        with self.database.write(self.key) as writer:
            writer._connection.execute(statement, values)


@pytest.fixture
def new_ledger(tmp_path: Path) -> Iterator[Callable[[], Ledger]]:
    """Make as many accounts as a test needs."""
    database = new_database(tmp_path)
    yield lambda: Ledger(database)
    database.close()


@pytest.fixture
def ledger(new_ledger: Callable[[], Ledger]) -> Ledger:
    """An empty account."""
    return new_ledger()
