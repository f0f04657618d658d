"""What the declaration has and a database has not, whatever the number of its schema says."""

from collections.abc import Iterable, Iterator

from tradebook.storage.index import ListIndex
from tradebook.storage.postgres import list_indexes
from tradebook.storage.postgres.connections import Connection
from tradebook.storage.schema import declared_parts, metadata

_FOUND = """
    SELECT relname FROM pg_catalog.pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (%(names)s)
    UNION ALL
    SELECT relname || '.' || attname
    FROM pg_catalog.pg_class JOIN pg_catalog.pg_attribute ON attrelid = pg_class.oid
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY (%(names)s)
      AND attnum > 0 AND NOT attisdropped
"""
_HAS_CITUS = "SELECT to_regclass('pg_dist_partition') IS NOT NULL"
_SPREAD = "SELECT logicalrelid::regclass::text FROM pg_dist_partition"


def missing(connection: Connection, indexes: Iterable[ListIndex]) -> list[str]:
    """Name the tables, columns, indexes and views that are missing, and tables that are not distributed."""
    wanted = [*declared_parts(), *list_indexes.names(indexes)]
    names = [name for name in wanted if "." not in name]
    found = {name for (name,) in connection.execute(_FOUND, {"names": names})}
    return [name for name in wanted if name not in found] + [*_not_spread(connection)]


def _not_spread(connection: Connection) -> Iterator[str]:
    """Name the tables that are on one machine, where the others are spread over many."""
    has_citus = connection.execute(_HAS_CITUS).fetchone()
    if has_citus != (True,):
        return
    spread = {name for (name,) in connection.execute(_SPREAD)}
    for table in metadata.sorted_tables if "accounts" in spread else ():
        if table.name not in spread:
            yield f"the distribution of {table.name}"
