"""API keys: secrets that stand for an account and some permissions, limited in time where that is wanted."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict, replace

from tradebook.clock import format_ms, format_ms_or_none, now_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import LINE, Body, Field, Future, Many, Whole
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.grant import Grant
from tradebook.crud.parameters import Word
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Action, PathObject, Resource, View
from tradebook.crud.versions import next_version_of
from tradebook.crud.walks import walk_of_table
from tradebook.errors import AlreadyDeleted, PermissionDenied, RevokedApiKey
from tradebook.ids import KeyMaker, encode_id, milliseconds_of
from tradebook.resources.api_key_secrets import account_of, hash_of, new_secret, no_such_key
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Database, Reader, Unavailable, Writer
from tradebook.storage.schema import ACCOUNT, any_of, moment, prepare, table, text, unique
from tradebook.storage.transactions import reading

Environment = Literal["prod", "test"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)
ID_PREFIX = "ak"
ALL_PERMISSIONS = tuple(
    f"{resource}:{action}"
    for resource in (
        "customers",
        "customer_groups",
        "addresses",
        "carriers",
        "shipping_terms",
        "payment_terms",
        "account_users",
        "api_keys",
    )
    for action in ("read", "create", "update", "delete")
)
DAY_MS = 86_400_000
GRACE_SECONDS_DEFAULT, GRACE_SECONDS_MAX = 86_400, 30 * 86_400
LAST_USED_STEP_MS = 300_000
"""How much later a use must be to be written down."""

_keys = KeyMaker()

api_keys: sa.Table = table(
    "api_keys",
    text("name", nullable=True),
    text("environment"),
    text("secret_hash"),
    text("last_four"),
    text("permissions"),
    moment("expires_at"),
    # Not written into `expires_at`: what replaces a key lasts as long as that was to last.
    moment("grace_ends_at"),
    moment("revoked_at"),
    moment("last_used_at"),
    unique("api_keys", "secret_hash"),
)

_k = api_keys.c
records = Records(api_keys, standing=_k.revoked_at.is_(None))
_NOW = sa.bindparam("now", type_=sa.BigInteger)
_BY_HASH = prepare(
    sa.select(*(_k[name] for name in records.columns)).where(
        _k.account_id == ACCOUNT, _k.secret_hash == sa.bindparam("secret_hash")
    )
)
_INSERT = prepare(sa.insert(api_keys))
_REVOKE = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"), _k.revoked_at.is_(None))
    .values(revoked_at=_NOW, updated_at=next_version_of(_k.updated_at))
)
_REPLACE = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"))
    .values(grace_ends_at=sa.bindparam("grace_ends_at"), updated_at=next_version_of(_k.updated_at))
)
_LIST = prepare(
    sa.select(*(_k[name] for name in records.columns)).where(_k.account_id == ACCOUNT).order_by(_k.id.desc())
)
_STANDING = prepare(
    sa.select(*(_k[name] for name in records.columns)).where(
        _k.account_id == ACCOUNT, any_of(_k.id, "ids"), _k.revoked_at.is_(None)
    )
)
_TOUCH = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"))
    .values(last_used_at=sa.bindparam("now"))
)
_ENVIRONMENT = prepare(sa.select(accounts.c.environment).where(accounts.c.account_id == ACCOUNT))


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it is shown: everything but the secret."""

    id: str
    object: Literal["api_key"]
    name: str | None
    environment: Environment
    last_four: str
    permissions: list[str]
    expires_at: str | None
    last_used_at: str | None
    created_at: str
    updated_at: str


class NewApiKey(ApiKey, frozen=True):
    """A key that was just made, with its secret: this once, and never again."""

    secret: str
    replaces: ApiKey | None


class ListedApiKey(ApiKey, frozen=True):
    """A key as the command line lists it, also when it was revoked."""

    revoked_at: str | None


def create_key(
    writer: Writer,
    environment: str,
    *,
    permissions: tuple[str, ...] = ALL_PERMISSIONS,
    expires_at: int | None = None,
    name: str | None = None,
) -> tuple[str, str]:
    """Make a key and return its id and its secret, which is shown this once and never kept."""
    row, secret = _add(writer, environment, permissions=permissions, expires_at=expires_at, name=name)
    return encode_id(ID_PREFIX, row["id"]), secret


def rotate_key(writer: Writer, before: Values, grace_seconds: int) -> tuple[Values, str]:
    """Make a key that may do what another one may, which ends after a time of grace.

    Returns the row of the new key and its secret. AlreadyDeleted where the old one has ended.
    """
    now, end = now_ms(), _end_of(before)
    if end is not None and end <= now:
        raise AlreadyDeleted("This key has ended: make a new one.", param="id")
    grace_ends_at = now + grace_seconds * 1000
    if before["grace_ends_at"] is not None:
        grace_ends_at = min(grace_ends_at, before["grace_ends_at"])
    writer.run(_REPLACE, key=before["id"], grace_ends_at=grace_ends_at, now=now)
    return _add(
        writer,
        before["environment"],
        permissions=before["permissions"].split(),
        expires_at=before["expires_at"],
        name=before["name"],
    )


def _add(
    writer: Writer,
    environment: str,
    *,
    permissions: Sequence[str],
    expires_at: int | None,
    name: str | None,
) -> tuple[Values, str]:
    now = now_ms()
    secret = new_secret(environment, writer.account_id)
    row: Values = {
        "id": _keys.next(now),
        "updated_at": now,
        "name": name,
        "environment": environment,
        "secret_hash": hash_of(secret),
        "last_four": secret[-4:],
        "permissions": " ".join(permissions),
        "expires_at": expires_at,
        "grace_ends_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    writer.run(_INSERT, **row)
    return row, secret


def revoke_key(writer: Writer, key: int) -> bool:
    """End a key for good; False where there is no such key that is still good."""
    return writer.run(_REVOKE, key=key, now=now_ms()) > 0


def list_keys(reader: Reader) -> list[ListedApiKey]:
    """List the account's keys, newest first, also those that were revoked."""
    found = [dict(zip(records.columns, row, strict=True)) for row in reader.rows(_LIST)]
    return [
        ListedApiKey(**asdict(_shape(row)), revoked_at=format_ms_or_none(row["revoked_at"])) for row in found
    ]


def authenticate(database: Database, secret: str, revision: int | None = None) -> tuple[Grant, int]:
    """Find out what a key opens, and for which revision of its account; `revision` is the latest if known.

    InvalidApiKey, RevokedApiKey or ExpiredApiKey where it opens nothing.
    """
    account_id = account_of(secret)
    # The revision first: a key that is revoked in between is looked up again by the next request.
    revision = database.revision(account_id) if revision is None else revision
    if revision is None:
        raise no_such_key()
    found = reading(database, account_id, lambda reader: reader.rows(_BY_HASH, secret_hash=hash_of(secret)))
    if not found:
        raise no_such_key()
    row = dict(zip(records.columns, found[0], strict=True))
    if row["revoked_at"] is not None:
        raise RevokedApiKey("This API key was revoked.")
    permissions = frozenset(row["permissions"].split())
    grant = Grant(account_id, row["id"], permissions, _end_of(row), row["last_used_at"] or 0)
    grant.require_unexpired()
    return grant, revision


def note_use(database: Database, grant: Grant) -> Grant:
    """Write down that a key is used, now and then and without waiting; returns what is known then."""
    now = now_ms()
    if now - grant.last_used_at < LAST_USED_STEP_MS:
        return grant
    with suppress(Unavailable):
        database.touch(grant.account_id, _TOUCH, key=grant.key_id, now=now)
        return replace(grant, last_used_at=now)
    # Somebody else writes, or nobody can: the next request is soon enough.
    return grant


def _end_of(row: Values) -> int | None:
    """Tell when a key ends: by itself, or with the grace that it was given when it was replaced."""
    ends = [end for end in (row["expires_at"], row["grace_ends_at"]) if end is not None]
    return min(ends, default=None)


def _shape(row: Values) -> ApiKey:
    return ApiKey(
        encode_id(ID_PREFIX, row["id"]),
        "api_key",
        row["name"],
        row["environment"],
        row["last_four"],
        row["permissions"].split(),
        format_ms_or_none(_end_of(row)),
        format_ms_or_none(row["last_used_at"]),
        format_ms(milliseconds_of(row["id"])),
        format_ms(row["updated_at"]),
    )


def _load(view: View, keys: Sequence[int]) -> Mapping[int, ApiKey]:
    """Return keys that were not revoked."""
    return _standing(view.reader, keys)


def _standing(reader: Reader, keys: Sequence[int]) -> dict[int, ApiKey]:
    found = (dict(zip(records.columns, row, strict=True)) for row in reader.rows(_STANDING, ids=list(keys)))
    return {row["id"]: _shape(row) for row in found}


def _require_no_more(grant: Grant, permissions: Sequence[str], expires_at: int | None) -> None:
    """Refuse a key that may do more than the one that makes it, or for longer."""
    grant.require(*permissions)
    end = grant.expires_at
    if end is not None and (expires_at is None or expires_at > end):
        raise PermissionDenied(
            f"This API key ends at {format_ms(end)} and can't make one that ends later. Use one that lasts."
        )


def _create(change: Change) -> NewApiKey:
    given, grant = change.values, change.grant
    permissions = tuple(p for p in ALL_PERMISSIONS if p in (given["permissions"] or grant.permissions))
    expires_at = given["expires_at"] or grant.expires_at
    _require_no_more(grant, permissions, expires_at)
    environment = change.writer.rows(_ENVIRONMENT)[0][0]
    row, secret = _add(
        change.writer, environment, permissions=permissions, expires_at=expires_at, name=given["name"]
    )
    return NewApiKey(**asdict(_shape(row)), secret=secret, replaces=None)


def _rotate(change: Change) -> NewApiKey:
    before = change.row
    _require_no_more(change.grant, before["permissions"].split(), before["expires_at"])
    row, secret = rotate_key(change.writer, before, change.values["grace_seconds"])
    replaced = _standing(change.writer, [change.id])[change.id]
    return NewApiKey(**asdict(_shape(row)), secret=secret, replaces=replaced)


def _delete(change: Change) -> None:
    revoke_key(change.writer, change.id)


_CREATE = Body(
    "ApiKeyCreate",
    (
        Field("name", LINE, "What the key is for.", can_be_null=True),
        Field(
            "permissions",
            Many(Word(ALL_PERMISSIONS), 1),
            "What it may do, which can't be more than the key that makes it may; the same unless told.",
        ),
        Field(
            "expires_at",
            Future(),
            "When it ends by itself: with the key that makes it at the latest, and then unless told.",
            can_be_null=True,
        ),
    ),
    shape=ApiKey,
)
_ROTATE = Body(
    "ApiKeyRotate",
    (
        Field(
            "grace_seconds",
            Whole(0, GRACE_SECONDS_MAX),
            "How long the old key still works: a day unless told, 0 ends it at once.",
            default=GRACE_SECONDS_DEFAULT,
        ),
    ),
)
PATH = "/v1/auth/api-keys"
_PATH_OBJECT = PathObject("id", ID_PREFIX, records)

resource = Resource(
    name="api_key",
    id_prefix=ID_PREFIX,
    shape=ApiKey,
    routes=(
        *FiveRoutes(
            path=PATH,
            noun="API key",
            nouns="API keys",
            permissions="api_keys",
            item=ApiKey,
            load=_load,
            walk=walk_of_table(_k.id, _k.revoked_at.is_(None)),
            path_object=_PATH_OBJECT,
            # When a key was used changes without a new revision of the account.
            is_kept=False,
            deleting=_delete,
        ).routes(),
        Action(
            method="POST",
            path=PATH,
            summary="Create an API key",
            permissions=("api_keys:create",),
            act=_create,
            body=_CREATE,
            item=NewApiKey,
            creates=True,
            has_secret=True,
        ),
        Action(
            method="POST",
            path=f"{PATH}/{{id}}/actions/rotate",
            summary="Make a new API key in place of one, which ends after a time of grace",
            permissions=("api_keys:create", "api_keys:delete"),
            act=_rotate,
            body=_ROTATE,
            path_objects=(_PATH_OBJECT,),
            item=NewApiKey,
            creates=True,
            has_secret=True,
        ),
    ),
)
