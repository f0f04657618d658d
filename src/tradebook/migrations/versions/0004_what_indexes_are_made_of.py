"""What each account's indexes were made from; account users' emails that are unique whatever their case."""

from itertools import groupby

import sqlalchemy as sa
from alembic import context, op

from tradebook.ids import encode_id
from tradebook.storage.schema import TEXT, apart
from tradebook.text import fold_case

revision = "0004"
down_revision = "0003"

_users = sa.table(
    "account_users",
    *(sa.column(name, sa.BigInteger) for name in ("account_id", "id")),
    *(sa.column(name, TEXT) for name in ("email", "email_folded")),
)
_EMAILS = (
    sa.select(_users.c.account_id, _users.c.id, _users.c.email)
    .where(_users.c.email.is_not(None))
    .order_by(_users.c.account_id, _users.c.id)
)
_FOLD = (
    sa.update(_users)
    .where(_users.c.account_id == sa.bindparam("of_account"), _users.c.id == sa.bindparam("of_user"))
    .values(email_folded=sa.bindparam("folded"))
)


def upgrade() -> None:
    """Add the columns. No index tells yet what it was made from, so all of them are made anew afterwards."""
    op.add_column("accounts", sa.Column("indexes", TEXT, nullable=False, server_default="{}"))
    op.add_column("account_users", sa.Column("email_folded", TEXT, nullable=True))
    rows = op.get_bind().execute(_EMAILS).fetchall()
    for account_id, users in groupby(rows, key=lambda row: row.account_id):
        _fold(account_id, [(user.id, user.email) for user in users])
    op.create_index(
        "account_users_unique_email_folded", "account_users", ["account_id", "email_folded"], unique=True
    )


def _fold(account_id: int, users: list[tuple[int, str]]) -> None:
    """Fold an account's emails; of users who share one, the oldest has it, and the others are kept apart."""
    sharing: dict[str, list[tuple[int, str]]] = {}
    for key, email in users:
        sharing.setdefault(fold_case(email), []).append((key, email))
    values = [
        {"of_account": account_id, "of_user": key, "folded": apart(folded, str(key)) if place else folded}
        for folded, same in sharing.items()
        for place, (key, _) in enumerate(same)
    ]
    op.get_bind().execute(_FOLD, values)
    for same in sharing.values():
        if len(same) > 1:
            named = ", ".join(f"{encode_id('acus', key)} ({email})" for key, email in same)
            context.config.attributes["tell"](
                f"Account {encode_id('ac', account_id)} has users whose emails differ in capitals alone: "
                f"{named}. They are kept as they are; from now on nobody else can take such an email."
            )


def downgrade() -> None:
    """Take it away again."""
    op.drop_index("account_users_unique_email_folded", "account_users")
    op.drop_column("account_users", "email_folded")
    op.drop_column("accounts", "indexes")
