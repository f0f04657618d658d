"""Imports: what was planned or is being written from a file, and the rows that are still to come."""

from typing import Literal

import sqlalchemy as sa

from tradebook.storage.schema import choice, moment, reference, table, text

State = Literal["planning", "planned", "applying", "applied", "failed", "discarded"]
BlockKind = Literal["rows", "parents"]

imports: sa.Table = table(
    "imports",
    choice("state", State),
    # How many rows were read, or since the switch written; and of how many, where that is known.
    sa.Column("rows", sa.BigInteger, nullable=False),
    sa.Column("total", sa.BigInteger, nullable=True),
    # What the file is called, and how it was to be read and matched: JSON.
    text("source", nullable=True),
    text("options"),
    text("matched_by"),
    text("summary", nullable=True),
    # What came of the rows that were written, by outcome: JSON.
    text("counts"),
    text("error", nullable=True),
    # The process that works at it, and until when to believe in one of another machine.
    text("owner", nullable=True),
    moment("lease_until"),
    # When its rows may go.
    moment("ends_at"),
    sa.Index("imports_by_state", "account_id", "state", "id"),
    sa.Index("imports_by_ends_at", "account_id", "ends_at"),
)

import_blocks: sa.Table = table(
    "import_blocks",
    reference("import_id", "imports"),
    choice("kind", BlockKind),
    # The place of its first row among all.
    sa.Column("place", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
    # How many rows have which outcome: JSON.
    text("outcomes"),
    sa.Column("content", sa.LargeBinary, nullable=False),
    key=("import_id", "kind", "place"),
)

ID_PREFIX = "imp"
