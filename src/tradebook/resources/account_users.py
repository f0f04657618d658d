"""Account users: the people of the account, of whom some are sales reps."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.clock import format_ms, format_ms_or_none
from tradebook.crud.change import Change
from tradebook.crud.fields import EMAIL, LINE, URL, Field, bodies
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Act, Action, PathObject, Resource
from tradebook.crud.walks import walk_of_table
from tradebook.errors import ValidationFailed
from tradebook.ids import encode_id, milliseconds_of
from tradebook.storage.schema import choice, moment, table, text, unique

UserStatus = Literal["active", "disabled", "removed"]
STATUSES: tuple[UserStatus, ...] = get_args(UserStatus)
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
    status: UserStatus
    role: None
    department: None
    last_used_at: str | None
    created_at: str
    updated_at: str


account_users: sa.Table = table(
    "account_users",
    choice("status", UserStatus),
    moment("last_used_at"),
    text("email", nullable=True),
    text("name", nullable=True),
    text("username", nullable=True),
    moment("email_verified_at"),
    text("image_url", nullable=True),
    unique("account_users", "email"),
)

ID_PREFIX = "acus"
PATH = "/v1/identity/account-users"


def _shape(
    key: int, status: int, last_used_at: int | None, updated_at: int, user: User | None = None
) -> AccountUser:
    return AccountUser(
        encode_id(ID_PREFIX, key),
        user,
        "account_user",
        STATUSES[status],
        None,
        None,
        format_ms_or_none(last_used_at),
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
        format_ms_or_none(email_verified_at),
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

records = Records(account_users, unique=("email",))


def _create(change: Change) -> int:
    _require_somebody(change.values)
    return records.add(
        change, {"status": 0, "last_used_at": None, "email_verified_at": None, **change.values}
    )


def _update(change: Change) -> int:
    before = change.row
    changed = dict(change.values)
    _require_somebody({**before, **changed})
    if changed.get("email", before["email"]) != before["email"]:
        changed["email_verified_at"] = None
    records.update(change, before, changed)
    return change.id


def _require_somebody(values: Values) -> None:
    if values["email"] is None and values["name"] is None:
        raise ValidationFailed("An account user needs an email or a name.", param="email")


_VERBS: tuple[tuple[str, UserStatus], ...] = (
    ("activate", "active"),
    ("disable", "disabled"),
    ("remove", "removed"),
)


def _becoming(status: UserStatus) -> Act:
    place = STATUSES.index(status)

    def become(change: Change) -> int:
        if change.row["status"] != place:
            records.update(change, change.row, {"status": place})
        return change.id

    return become


_bodies = bodies(
    "AccountUser",
    AccountUser,
    (
        Field("email", EMAIL, "No two users share an email.", can_be_null=True),
        Field("name", LINE, "The person's name. An email or a name must be given.", can_be_null=True),
        Field("username", LINE, "What the person signs in with.", can_be_null=True),
        Field("image_url", URL, "Where a picture of the person is.", can_be_null=True),
    ),
)
_PATH_OBJECT = PathObject("id", ID_PREFIX, records)

resource = Resource(
    name="account_user",
    id_prefix=ID_PREFIX,
    shape=AccountUser,
    routes=(
        *FiveRoutes(
            path=PATH,
            noun="account user",
            nouns="account users",
            permissions="account_users",
            item=AccountUser,
            load=fragments_with_user.load_found,
            walk=walk_of_table(account_users.c.id),
            path_object=_PATH_OBJECT,
            create=_bodies[0],
            update=_bodies[1],
            creating=_create,
            changing=_update,
        ).routes(),
        *(
            Action(
                method="PUT",
                path=f"{PATH}/{{id}}/actions/{verb}",
                summary=f"{verb.capitalize()} one account user",
                permissions=("account_users:update",),
                act=_becoming(status),
                path_objects=(_PATH_OBJECT,),
                item=AccountUser,
                load=fragments_with_user.load_found,
            )
            for verb, status in _VERBS
        ),
    ),
)
