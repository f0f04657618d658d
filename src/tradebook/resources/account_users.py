"""Account users: the people of the account, of whom some are sales reps."""

from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms
from tradebook.crud.fragments import Fragments
from tradebook.crud.resource import Resource
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, moment, table, text, unique

STATUSES = ("active", "disabled", "removed")
USER_PREFIX = "us"


class User(msgspec.Struct, frozen=True):
    """The person behind an account user; both share a key under two prefixes."""

    id: str
    object: Literal["user"]
    email: str | None
    name: str | None
    username: str | None
    email_verified_at: str | None
    image_url: str | None
    created_at: str
    updated_at: str


class AccountUser(msgspec.Struct, frozen=True):
    """Somebody's place in the account."""

    id: str
    user: User | None
    object: Literal["account_user"]
    status: Literal["active", "disabled", "removed"]
    role: None
    department: None
    last_used_at: str | None
    created_at: str
    updated_at: str


account_users: sa.Table = table(
    "account_users",
    choice("status", STATUSES),
    moment("last_used_at"),
    text("email", nullable=True),
    text("name", nullable=True),
    text("username", nullable=True),
    moment("email_verified_at"),
    text("image_url", nullable=True),
    unique("account_users", "email"),
)

resource = Resource(name="account_user", id_prefix="acus", shape=AccountUser)


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_ms(milliseconds)


def _shape(
    key: int, status: int, last_used_at: int | None, updated_at: int, user: User | None = None
) -> AccountUser:
    return AccountUser(
        encode_id(resource.id_prefix, key),
        user,
        "account_user",
        STATUSES[status],  # type: ignore[arg-type]
        None,
        None,
        _time(last_used_at),
        format_ms(milliseconds_of(key)),
        format_ms(updated_at),
    )


def _shape_with_user(
    key: int,
    status: int,
    last_used_at: int | None,
    updated_at: int,
    email: str | None,
    name: str | None,
    username: str | None,
    email_verified_at: int | None,
    image_url: str | None,
) -> AccountUser:
    user = User(
        encode_id(USER_PREFIX, key),
        "user",
        email,
        name,
        username,
        _time(email_verified_at),
        image_url,
        format_ms(milliseconds_of(key)),
        format_ms(updated_at),
    )
    return _shape(key, status, last_used_at, updated_at, user)


_OWN = (account_users.c.status, account_users.c.last_used_at, account_users.c.updated_at)
_OF_USER = (
    account_users.c.email,
    account_users.c.name,
    account_users.c.username,
    account_users.c.email_verified_at,
    account_users.c.image_url,
)

fragments = Fragments("account_user", account_users, _OWN, _shape)
fragments_with_user = Fragments("account_user with user", account_users, (*_OWN, *_OF_USER), _shape_with_user)
