"""Numbers of customers, and names, that are unique whatever their case."""

from itertools import groupby
from typing import Any

import sqlalchemy as sa
from alembic import context, op

from tradebook.ids import encode_id
from tradebook.storage.schema import TEXT, apart
from tradebook.text import fold_case

revision = "0006"
down_revision = "0005"

NAMES: tuple[tuple[str, str, str, str, str], ...] = (
    ("customers", "number", "", "ac", "customers whose numbers"),
    ("account_groups", "name", "", "acgr", "groups whose names"),
    ("carriers", "name", "", "cr", "carriers whose names"),
    ("service_levels", "name", "carrier_id", "crop", "service levels of one carrier whose names"),
    ("payment_terms", "name", "", "pytm", "payment terms whose names"),
    ("shipping_terms", "name", "", "shtm", "shipping terms whose names"),
)
"""Tables, what is unique in them and within what, the prefix of their ids, and their words in a sentence."""

STANDING = {"carriers": "deleted_at IS NULL"}
"""Which rows of a table count; of the others all do."""

TOLD_MAX = 20
"""How many texts that agree are told of an account; of more, their number."""

_FEW = 1_000


def upgrade() -> None:
    """Add the columns. What agrees already is kept as it is: the oldest has it, the others are kept apart."""
    for table, name, within, prefix, words in NAMES:
        op.add_column(table, sa.Column(f"{name}_folded", TEXT, nullable=True))
        _fold(table, name)
        _keep_apart(table, name, within, prefix, words)
        _index(table, f"{name}_folded", within)
        op.drop_index(_index_name(table, name, within), table)
    _keep_emails_apart()


def _index_name(table: str, name: str, within: str) -> str:
    return "_".join(part for part in (table, "unique", within, name) if part)


def _index(table: str, column: str, within: str) -> None:
    columns = ["account_id", *([within] if within else []), column]
    standing = sa.text(STANDING[table]) if table in STANDING else None
    op.create_index(
        _index_name(table, column, within),
        table,
        columns,
        unique=True,
        sqlite_where=standing,
        postgresql_where=standing,
    )


def _table(table: str, *columns: str) -> sa.TableClause:
    keys = (sa.column(name, sa.BigInteger) for name in ("account_id", "id", "carrier_id", "deleted_at"))
    return sa.table(table, *keys, *(sa.column(name, TEXT) for name in columns))


def _fold(table: str, name: str) -> None:
    """Fold all texts: those of ASCII in one statement, which are nearly all, the others one by one."""
    connection, known = op.get_bind(), _table(table, name, f"{name}_folded")
    text = known.c[name]
    connection.execute(sa.update(known).values({f"{name}_folded": sa.func.lower(text)}))
    is_sqlite = op.get_context().dialect.name == "sqlite"
    size = sa.func.length(sa.cast(text, sa.LargeBinary)) if is_sqlite else sa.func.octet_length(text)
    others = sa.select(known.c.account_id, known.c.id, text).where(size != sa.func.length(text))
    for rows in connection.execute(others).partitions(_FEW):
        _write(table, name, [(account, key, fold_case(value)) for account, key, value in rows])


def _write(table: str, name: str, folded: list[tuple[int, int, str]]) -> None:
    known = _table(table, f"{name}_folded")
    statement = (
        sa.update(known)
        .where(known.c.account_id == sa.bindparam("of_account"), known.c.id == sa.bindparam("of_row"))
        .values({f"{name}_folded": sa.bindparam("folded")})
    )
    names = ("of_account", "of_row", "folded")
    if folded:
        op.get_bind().execute(statement, [dict(zip(names, row, strict=True)) for row in folded])


def _keep_apart(table: str, name: str, within: str, prefix: str, words: str) -> None:
    known = _table(table, name, f"{name}_folded")
    own = [known.c[column] for column in ("account_id", within, f"{name}_folded") if column]
    counted = [known.c.deleted_at.is_(None)] if table in STANDING else []
    same = sa.select(*own).where(*counted).group_by(*own).having(sa.func.count() > 1).subquery()
    agrees = sa.and_(*(column == same.c[column.name] for column in own))
    rows = op.get_bind().execute(
        sa.select(known.c.account_id, *own[1:], known.c.id, known.c[name])
        .select_from(known.join(same, agrees))
        .where(*counted)
        .order_by(*own, known.c.id)
    )
    told: dict[int, list[list[tuple[int, str]]]] = {}
    moved: list[tuple[int, int, str]] = []
    for (account, *_, folded), agreeing in groupby(rows.fetchall(), key=lambda row: tuple(row[: len(own)])):
        listed = [(row[-2], row[-1]) for row in agreeing]
        told.setdefault(account, []).append(listed)
        moved += [(account, key, apart(folded, text)) for key, text in listed[1:]]
    _write(table, name, moved)
    for account, all_of_account in told.items():
        _tell(account, words, prefix, all_of_account)


def _tell(account: int, words: str, prefix: str, agreeing: list[list[tuple[int, str]]]) -> None:
    shown = "; ".join(
        ", ".join(f"{encode_id(prefix, key)} ({text})" for key, text in listed)
        for listed in agreeing[:TOLD_MAX]
    )
    more = f"; and {len(agreeing) - TOLD_MAX:,} more such" if len(agreeing) > TOLD_MAX else ""
    context.config.attributes["tell"](
        f"Account {encode_id('ac', account)} has {words} differ in capitals alone: {shown}{more}. "
        "They are kept as they are; from now on nothing else can be called so."
    )


def _keep_emails_apart() -> None:
    """Write the emails that are kept apart as all others are: behind the text, not behind the key."""
    users: Any = _table("account_users", "email", "email_folded")
    rows = op.get_bind().execute(
        sa.select(users.c.account_id, users.c.id, users.c.email).where(users.c.email_folded.contains("\n"))
    )
    moved = [(account, key, apart(fold_case(email), email)) for account, key, email in rows.fetchall()]
    _write("account_users", "email", moved)


def downgrade() -> None:
    """Take the columns away, and have the texts unique as they are written."""
    for table, name, within, _, _ in NAMES:
        op.drop_index(_index_name(table, f"{name}_folded", within), table)
        op.drop_column(table, f"{name}_folded")
        _index(table, name, within)
