"""Customers found by e-mail, by the digits of their phone, and by numbers that only look different."""

import sqlalchemy as sa
from alembic import op

from tradebook.resources.customers.likeness import digits_of, plain_number
from tradebook.storage.schema import TEXT
from tradebook.text import fold_case

revision = "0010"
down_revision = "0009"

MADE = (
    ("number_plain", "number", plain_number),
    ("email_folded", "email", fold_case),
    ("phone_digits", "phone", digits_of),
)
"""Columns of customers, the text that each is made of, and by what."""

_SOME = 10_000
_keys = ("account_id", "id")


def upgrade() -> None:
    """Add the columns, fill them, and index what is there to find."""
    for name, *_ in MADE:
        op.add_column("customers", sa.Column(name, TEXT, nullable=True))
    _fill()
    for name, *_ in MADE:
        there = sa.text(f"{name} IS NOT NULL")
        op.create_index(
            f"customers_by_{name}",
            "customers",
            ["account_id", name, "id"],
            sqlite_where=there,
            postgresql_where=there,
        )


def _fill() -> None:
    """Fill them, some customers at a time: the last one of before begins the next."""
    connection = op.get_bind()
    customers: sa.TableClause = sa.table(
        "customers",
        *(sa.column(key, sa.BigInteger) for key in _keys),
        *(sa.column(column, TEXT) for made in MADE for column in made[:2]),
    )
    c = customers.c
    update = (
        sa.update(customers)
        .where(c.account_id == sa.bindparam("of_account"), c.id == sa.bindparam("of_row"))
        .values({name: sa.bindparam(f"new_{name}") for name, *_ in MADE})
    )
    place = sa.tuple_(c.account_id, c.id)
    texts = [c[of] for _, of, _ in MADE]
    last: tuple[int, int] = (-1, -1)
    while rows := connection.execute(
        sa.select(c.account_id, c.id, *texts).where(place > last).order_by(c.account_id, c.id).limit(_SOME)
    ).fetchall():
        last = (rows[-1][0], rows[-1][1])
        changes = [
            {"of_account": account, "of_row": key}
            | {f"new_{name}": text and make(text) for (name, _, make), text in zip(MADE, had, strict=True)}
            for account, key, *had in rows
        ]
        changed = [each for each in changes if any(each[f"new_{name}"] is not None for name, *_ in MADE)]
        if changed:
            connection.execute(update, changed)


def downgrade() -> None:
    """Take the columns away."""
    for name, *_ in MADE:
        op.drop_index(f"customers_by_{name}", "customers")
        op.drop_column("customers", name)
