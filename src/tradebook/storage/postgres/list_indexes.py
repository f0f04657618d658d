"""What the lists need of a database: a B-tree for each facet, an index of everything, and the views.

Made by `migrate` from the declaration, so that a filter or a searched text that is added needs no migration.
"""

from collections.abc import Iterable, Iterator, Sequence

import sqlalchemy as sa

from tradebook.storage.index import ListIndex
from tradebook.storage.postgres.row_security import guard_search
from tradebook.storage.postgres.statements import key_of, searched_columns, searched_view
from tradebook.storage.postgres.stretches import stretches_of

_KNOWN = (
    "SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()"
    " UNION SELECT viewname FROM pg_views WHERE schemaname = current_schema()"
)


def names(indexes: Iterable[ListIndex]) -> list[str]:
    """Name what the lists need."""
    return [name for index in indexes for name, _ in _needed(index)]


def name_of_everything(folded: str) -> str:
    """Name the index of a table of searched text, by its words, facts and stretches of the list."""
    return f"{folded}_by_everything"


def former_names(folded: str) -> list[str]:
    """Name this index as it was before rows had their stretches in it, and before they had their facts."""
    return [f"{folded}_by_trigram", f"{folded}_by_words"]


def make_missing(connection: sa.Connection, indexes: Iterable[ListIndex]) -> bool:
    """Make what isn't there, and tell whether; what is there is not touched, so nobody waits for it."""
    known = {name for (name,) in connection.execute(sa.text(_KNOWN))}
    before = len(known)
    for index in indexes:
        for name in former_names(index.folded.name):
            if name in known:
                connection.execute(sa.text(f"DROP INDEX {name}"))
        for name, statements in _needed(index):
            if name not in known:
                known.add(name)
                for statement in statements:
                    connection.execute(sa.text(statement))
    return len(known) > before


def _needed(index: ListIndex) -> Iterator[tuple[str, Sequence[str]]]:
    for column in index.facet_columns:
        table, key = column.table, key_of(index, column.table)
        name = f"{table}_by_{column.name}"
        yield name, [f"CREATE INDEX {name} ON {table} (account_id, {column.name}, {key})"]
    folded, view = index.folded.name, searched_view(index)
    guarded = list(guard_search(folded, view, searched_columns(index)))
    yield name_of_everything(folded), [*_index_of_everything(folded, index.folded_key), *guarded]
    yield view, guarded


def _index_of_everything(folded: str, key: str) -> Iterator[str]:
    yield f"ALTER TABLE {folded} ADD COLUMN IF NOT EXISTS facts integer[] NOT NULL DEFAULT '{{}}'"
    # In this order a row is looked for: most rows of a book are in the widest stretches.
    columns = f"folded gin_trgm_ops, facts, ({stretches_of(key)})"
    yield f"CREATE INDEX {name_of_everything(folded)} ON {folded} USING gin ({columns})"
    # What the planner knows of them only costs time: it would look for each word in two hundred texts.
    yield f"""DO $$ BEGIN
        IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'citus') THEN
            ALTER TABLE {folded} ALTER COLUMN account_id RESET (n_distinct),
                ALTER COLUMN folded SET STATISTICS 0, ALTER COLUMN facts SET STATISTICS 0;
        END IF;
    END $$"""
    yield f"ANALYZE {folded}"
