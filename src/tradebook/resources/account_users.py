"""Account users: the people of the account, of whom some are sales reps."""

from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec import structs

from tradebook.crud.change import Change
from tradebook.crud.fields import Field, bodies
from tradebook.crud.five_routes import OF_ALL, ColumnActs, FiveRoutes
from tradebook.crud.fragments import Fragments
from tradebook.crud.kinds import EMAIL, LINE, URL, OneOf
from tradebook.crud.parameters import Parameter
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Act, Action, Asked, PathObject, Resource
from tradebook.crud.shapes import NoObject
from tradebook.crud.walks import walk_of_table
from tradebook.crud.words import texts_of_table
from tradebook.errors import ValidationFailed
from tradebook.storage.database import Reader, Writer
from tradebook.storage.index import Facet
from tradebook.storage.schema import case_folded, choice, moment, table, text, unique

UserStatus = Literal["active", "disabled", "removed"]
RemovedScope = Literal["excluded", "included"]
STATUSES: tuple[UserStatus, ...] = get_args(UserStatus)
REMOVED_SCOPES: tuple[RemovedScope, ...] = get_args(RemovedScope)


class User(msgspec.Struct, frozen=True):
    """The person behind an account user. Both ids are made of the same key."""

    id: str
    """The id, such as `us_2t17adc000000`."""
    object: Literal["user"]
    email: str | None
    """Unique in the account, such as `elin.berg@tradebook.example`."""
    name: str | None
    """The person's name, such as `Elin Berg`."""
    username: str | None
    """What the person signs in with, such as `elin`."""
    email_verified_at: str | None
    """When the email address was verified."""
    image_url: str | None
    """A picture of the person, such as `https://www.tradebook.example/elin.png`."""
    created_at: str
    updated_at: str


class AccountUser(msgspec.Struct, frozen=True):
    """A member of the account."""

    id: str
    user: User | None
    """The person."""
    object: Literal["account_user"]
    status: UserStatus
    """Whether the person can sign in."""
    role: NoObject
    """Always null in this version."""
    department: NoObject
    """Always null in this version."""
    last_used_at: str | None
    """When the person was last active."""
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
    case_folded("email"),
    unique("account_users", "email"),
    unique("account_users", "email_folded"),
)

_u = account_users.c
REMOVED_SCOPE = Facet("r", (_u.status,))
_all, _there = walk_of_table(_u.id), walk_of_table(_u.id, _u.status != STATUSES.index("removed"))


def walk(reader: Reader, asked: Asked) -> list[int]:
    """Walk those who are there, and only if that is asked for those who were removed."""
    is_included = REMOVED_SCOPES.index("included") in asked.places
    return (_all if is_included else _there)(reader, asked)


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
    Field(
        "email",
        EMAIL,
        "No two users share an email, in capitals or not.",
        can_be_null=True,
        example="elin.berg@tradebook.example",
    ),
    Field(
        "name",
        LINE,
        "The person's name. An email or a name must be given.",
        can_be_null=True,
        example="Elin Berg",
    ),
    Field("username", LINE, "What the person signs in with.", can_be_null=True, example="elin"),
    Field(
        "image_url",
        URL,
        "Where a picture of the person is.",
        can_be_null=True,
        example="https://www.tradebook.example/elin.png",
    ),
)
CREATE, UPDATE = bodies("AccountUser", AccountUser, FIELDS, shown=("username",), shown_new=("email", "name"))
# What is absent must be told from null: a user who comes back keeps it.
CREATE = structs.replace(CREATE, is_partial=True)
_OF_NEW: Values = {"status": STATUSES.index("active"), "last_used_at": None, "email_verified_at": None}
acts = ColumnActs(records, **_OF_NEW)


def add(writer: Writer, given: Values) -> int:
    """Add an active account user, who has an e-mail or a name."""
    _require_somebody(given)
    return acts.add(writer, given)


def create(change: Change) -> int:
    """Add an active user; one who was removed comes back by the e-mail, changed by what is given."""
    before = _removed_with(change.writer, change.values.get("email"))
    if before is None:
        return add(change.writer, CREATE.completed(change.values))
    return _write(change.writer, before, {**change.values, "status": _OF_NEW["status"]})


def _removed_with(reader: Reader, email: str | None) -> Values | None:
    """Find the removed user who has an e-mail."""
    row = None if email is None else records.find_by(reader, "email", [email]).get(email)
    return row if row is not None and row["status"] == STATUSES.index("removed") else None


def update(change: Change) -> int:
    """Change what is given."""
    _require_somebody({**change.row, **change.values})
    return _write(change.writer, change.row, change.values)


def _write(writer: Writer, before: Values, given: Values) -> int:
    """Change a row by what is given; another email is not verified."""
    is_another = given.get("email", before["email"]) != before["email"]
    records.update(writer, before, {**given, "email_verified_at": None} if is_another else given)
    key: int = before["id"]
    return key


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


_INCLUDES = ("user", "role", "department")
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
            permissions_of="account_users",
            item=AccountUser,
            load=fragments_with_user.load_found,
            walk=walk,
            texts=texts_of_table(_u.email, _u.name, _u.username, _u.image_url),
            path_object=_PATH_OBJECT,
            parameters=(
                Parameter(
                    "removed_scope",
                    OneOf(RemovedScope),
                    "Whether users who were removed are listed too. Default: `excluded`.",
                    REMOVED_SCOPE,
                ),
            ),
            includes=_INCLUDES,
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
                includes=(*_INCLUDES, *OF_ALL),
            )
            for verb, status in _VERBS
        ),
    ),
)
