"""Finds what is wrong with a book's database on a server, as far as its catalogue tells."""

from collections.abc import Iterator

from tradebook.storage.postgres.connections import Connection
from tradebook.storage.postgres.row_security import ROLE_SETTING
from tradebook.storage.schema import metadata

_INVALID = (
    "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = pg_class.oid"
    " WHERE relnamespace = current_schema()::regnamespace AND NOT indisvalid"
)
_NOT_VALIDATED = (
    "SELECT conname FROM pg_constraint"
    " WHERE connamespace = current_schema()::regnamespace AND NOT convalidated"
)
_OPEN_TO_ALL = (
    "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace"
    " AND relkind IN ('r', 'p') AND NOT relrowsecurity"
    f" AND current_setting('{ROLE_SETTING}', true) IS DISTINCT FROM 'none'"
)
_CHECKSUMS = "SELECT checksum_failures FROM pg_stat_database WHERE datname = current_database()"


def database_faults(connection: Connection) -> Iterator[str]:
    """Name what is wrong with the database as a whole."""

    def names(statement: str) -> set[str]:
        return {name for (name,) in connection.execute(statement).fetchall()}

    own = {table.name for table in metadata.sorted_tables if "account_id" in table.c}
    for name in sorted(names(_INVALID)):
        yield f"The index {name} is not valid: its making was not finished. REINDEX INDEX {name} mends it."
    for name in sorted(names(_NOT_VALIDATED)):
        yield f"The constraint {name} was never checked against the rows that were there already."
    for name in sorted(names(_OPEN_TO_ALL) & own):
        yield f"Row-level security of {name} is off."
    for failures in sorted(filter(None, names(_CHECKSUMS))):
        yield f"PostgreSQL has read {failures} pages whose checksum is wrong."
