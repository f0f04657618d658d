"""Account users: the people of the account, of whom some are sales reps."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.kinds import EMAIL, LINE, URL
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Act, Action, PathObject, Resource
from tradebook.crud.shapes import NoObject
from tradebook.crud.walks import walk_of_table
from tradebook.errors import ValidationFailed
from tradebook.storage.database import Writer
from tradebook.storage.schema import case_folded, choice, moment, table, text, unique

UserStatus = Literal["active", "disabled", "removed"]
STATUSES: tuple[UserStatus, ...] = get_args(UserStatus)


class User(msgspec.Struct, frozen=True):
    """The person behind an account user. Both ids are made of the same key."""

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
    """A member of the account."""

    id: str
    user: User | None
    object: Literal["account_user"]
    status: UserStatus
    role: NoObject
    department: NoObject
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
    case_folded("email_folded", "email"),
    unique("account_users", "email"),
    unique("account_users", "email_folded"),
)

ID_PREFIX, USER_PREFIX = "acus", "us"
PATH = "/v1/identity/account-users"

fragments = Fragments("account_user", account_users, shown=AccountUser, id_prefix=ID_PREFIX)
fragments_with_user = Fragments(
    "account_user with user",
    account_users,
    shown=AccountUser,
    id_prefix=ID_PREFIX,
    inside={"user": (User, USER_PREFIX)},
)
records = Records(account_users, unique=("email",))

FIELDS = (
    Field("email", EMAIL, "No two users share an email, in capitals or not.", can_be_null=True),
    Field("name", LINE, "The person's name. An email or a name must be given.", can_be_null=True),
    Field("username", LINE, "What the person signs in with.", can_be_null=True),
    Field("image_url", URL, "Where a picture of the person is.", can_be_null=True),
)
CREATE, UPDATE = bodies("AccountUser", AccountUser, FIELDS)
acts = ColumnActs(records, status=STATUSES.index("active"), last_used_at=None, email_verified_at=None)


def add(writer: Writer, given: Values) -> int:
    """Add an active account user, who has an e-mail or a name."""
    _require_somebody(given)
    return acts.add(writer, given)


def create(change: Change) -> int:
    """Add an active user."""
    return add(change.writer, change.values)


def update(change: Change) -> int:
    """Change what is given; another email is not verified."""
    changed = dict(change.values)
    _require_somebody({**change.row, **changed})
    if changed.get("email", change.row["email"]) != change.row["email"]:
        changed["email_verified_at"] = None
    records.update(change.writer, change.row, changed)
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
            records.update(change.writer, change.row, {"status": place})
        return change.id

    return become


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
            bodies=(CREATE, UPDATE),
            create=create,
            update=update,
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
