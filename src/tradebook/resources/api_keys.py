"""API keys: secrets that open an account for some permissions, with or without an expiry."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec.structs import replace

from tradebook.clock import format_ms, format_ms_or_none, now_ms
from tradebook.crud.grant import Grant
from tradebook.crud.records import Records, Values
from tradebook.crud.resource import Asked
from tradebook.crud.shapes import NoObject
from tradebook.crud.versions import first_version, next_version_of
from tradebook.crud.walks import walk_of_table
from tradebook.errors import ResourceGone, ValidationFailed
from tradebook.ids import encode_id, milliseconds_of, new_key
from tradebook.resources.api_key_secrets import account_of, hash_of, new_secret, no_such_key, redacted
from tradebook.storage.database import Database, Reader, Row, Unavailable, Writer
from tradebook.storage.index import Facet
from tradebook.storage.schema import ACCOUNT, moment, prepare, table, text, unique
from tradebook.storage.transactions import reading

Environment = Literal["prod", "test"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)


KeyStatus = Literal["active", "expired", "revoked"]
KEY_STATUSES: tuple[KeyStatus, ...] = get_args(KeyStatus)


class ApiKey(msgspec.Struct, frozen=True):
    """An API key, without its secret."""

    id: str
    object: Literal["api_key"]
    name: str
    """What the key is for."""
    redacted_value: str
    """What can be told of the secret, such as `tb_sk_prod_****1a2b`."""
    role: NoObject
    """Always null in this version."""
    permissions: list[str]
    """What the key may do."""
    expires_at: str | None
    """When the key expires; null if it doesn't."""
    revoked_at: str | None
    """When the key was revoked, or will be, as it was rotated."""
    last_used_at: str | None
    """When the key was last used, to within five minutes."""
    created_at: str
    updated_at: str


class CreatedApiKey(msgspec.Struct, frozen=True):
    """A new API key with its secret, which is shown only this once."""

    object: Literal["created_api_key"]
    api_key_secret: str
    """The secret, such as `tb_sk_prod_…`: keep it, as it is not shown again."""
    api_key_info: ApiKey
    """The key."""

    @property
    def updated_at(self) -> str:
        """The version of the key, which its ETag begins with."""
        return self.api_key_info.updated_at

    @property
    def id(self) -> str:
        """The id of the key."""
        return self.api_key_info.id


api_keys: sa.Table = table(
    "api_keys",
    text("name", nullable=True),
    text("environment"),
    text("secret_hash"),
    text("last_four"),
    text("permissions"),
    moment("expires_at"),
    # In the future where a key was rotated and still works for a while. Not stored in `expires_at`, which the
    # new key takes over.
    moment("revoked_at"),
    moment("last_used_at"),
    unique("api_keys", "secret_hash"),
)

ID_PREFIX = "ak"
_OF_RESOURCES = tuple(
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
ALL_PERMISSIONS = (*_OF_RESOURCES, "imports:read", "imports:create", "imports:update")
UNNAMED = "Unnamed"
"""What a key is called that the command line has made without a name."""
KEYS_MAX = 1_000
"""How many keys that work an account may have: each has a rate of its own, and is remembered."""
GRACE_DAYS_MAX = 30
GRACE_SECONDS_DEFAULT, GRACE_SECONDS_MAX = 86_400, GRACE_DAYS_MAX * 86_400
LAST_USED_STEP_MS = 300_000
"""How long after the last saved use a use is saved again."""


_k = api_keys.c
STATUS = Facet("s", (_k.revoked_at,))
"""What a key is depends on what time it is, so no index has it: `walk` reads what is asked."""
records = Records(api_keys)

_NOW: sa.BindParameter[int] = sa.bindparam("now", type_=sa.BigInteger)
_IS_UNREVOKED = sa.or_(_k.revoked_at.is_(None), _k.revoked_at > _NOW)
_IS_UNEXPIRED = sa.or_(_k.expires_at.is_(None), _k.expires_at > _NOW)
_BY_HASH = prepare(
    sa.select(*(_k[name] for name in records.columns)).where(
        _k.account_id == ACCOUNT, _k.secret_hash == sa.bindparam("secret_hash")
    )
)
_COUNT = prepare(sa.select(sa.func.count()).where(_k.account_id == ACCOUNT, _IS_UNREVOKED, _IS_UNEXPIRED))
_GRANT = prepare(
    sa.select(_k.permissions, _k.expires_at, _k.revoked_at).where(
        _k.account_id == ACCOUNT, _k.id == sa.bindparam("key")
    )
)
_INSERT = prepare(sa.insert(api_keys))
_REVOKE = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"), _IS_UNREVOKED)
    .values(revoked_at=sa.bindparam("revoked_at"), updated_at=next_version_of(_k.updated_at))
)
_LIST = prepare(
    sa.select(*(_k[name] for name in records.columns)).where(_k.account_id == ACCOUNT).order_by(_k.id.desc())
)
_TOUCH = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"))
    .values(last_used_at=sa.bindparam("now"))
)
_OF_STATUS: dict[KeyStatus, sa.ColumnElement[bool]] = {
    "active": sa.and_(_IS_UNREVOKED, _IS_UNEXPIRED),
    "expired": sa.and_(_IS_UNREVOKED, ~_IS_UNEXPIRED),
    "revoked": ~_IS_UNREVOKED,
}
_ASKED = {status: sa.bindparam(f"is_{status}_asked", type_=sa.SmallInteger) for status in KEY_STATUSES}


def _asked_statuses(asked: Asked) -> Values:
    flags = {
        f"is_{status}_asked": int(not asked.places or place in asked.places)
        for place, status in enumerate(KEY_STATUSES)
    }
    return {"now": now_ms(), **flags}


walk = walk_of_table(
    _k.id,
    sa.or_(*(sa.and_(_ASKED[status] == 1, is_it) for status, is_it in _OF_STATUS.items())),
    values=_asked_statuses,
)
"""Walks the keys that have one of the statuses now; all keys without any."""


def create_key(
    writer: Writer,
    environment: str,
    *,
    permissions: tuple[str, ...] = ALL_PERMISSIONS,
    expires_at: int | None = None,
    name: str | None = None,
) -> tuple[str, str]:
    """Make a key and return its id and its secret, of which only the hash is stored."""
    row, secret = add_key(writer, environment, permissions=permissions, expires_at=expires_at, name=name)
    return encode_id(ID_PREFIX, row["id"]), secret


def rotate_key(
    writer: Writer, before: Values, *, revoke_at: int, expires_at: int | None = None
) -> tuple[Values, str]:
    """Replace a key by one with the same permissions; the old one is revoked at a time.

    Returns the row of the new key and its secret. ResourceGone if the old one doesn't work any more.
    """
    now = now_ms()
    if status_of(before, now) != "active":
        raise ResourceGone("This key doesn't work any more: make a new one.", param="id")
    revoked_at = max(revoke_at, now)
    if before["revoked_at"] is not None:
        # Rotated again, as after a lost answer, it doesn't last longer.
        revoked_at = min(revoked_at, before["revoked_at"])
    writer.run(_REVOKE, key=before["id"], revoked_at=revoked_at, now=now)
    return add_key(
        writer,
        before["environment"],
        permissions=before["permissions"].split(),
        expires_at=expires_at or before["expires_at"],
        name=before["name"],
    )


def add_key(
    writer: Writer,
    environment: str,
    *,
    permissions: Sequence[str],
    expires_at: int | None,
    name: str | None,
    key: int | None = None,
) -> tuple[Values, str]:
    """Add a key and return its row and its secret; ValidationFailed if the account has too many."""
    key = new_key() if key is None else key
    if writer.rows(_COUNT, now=now_ms())[0][0] >= KEYS_MAX:
        raise ValidationFailed(
            f"The account has {KEYS_MAX:,} API keys that work, the most that it can have. Revoke some first."
        )
    secret = new_secret(environment, writer.account_id)
    row: Values = {
        "id": key,
        "updated_at": first_version(key),
        "name": name,
        "environment": environment,
        "secret_hash": hash_of(secret),
        "last_four": secret[-4:],
        "permissions": " ".join(permissions),
        "expires_at": expires_at,
        "revoked_at": None,
        "last_used_at": None,
    }
    writer.run(_INSERT, **row)
    return row, secret


def revoke_key(writer: Writer, key: int) -> bool:
    """End a key for good; False if there is no such key, or it was revoked already."""
    now = now_ms()
    return writer.changed(_REVOKE, key=key, revoked_at=now, now=now) > 0


def list_keys(reader: Reader) -> list[ApiKey]:
    """List all keys that the account ever had, newest first."""
    return [shown(dict(zip(records.columns, row, strict=True))) for row in reader.rows(_LIST)]


def authenticate(database: Database, secret: str) -> tuple[Grant, int]:
    """Return the grant of a key, and the revision of its account.

    InvalidCredentials, ApiKeyRevoked or ApiKeyExpired if it opens nothing.
    """
    account_id = account_of(secret)

    def look(reader: Reader) -> tuple[list[Row], int]:
        rows = reader.rows(_BY_HASH, secret_hash=hash_of(secret))
        # Who names an account that is not there has no key in it either.
        return rows, reader.revision if rows else 0

    found, revision = reading(database, account_id, look)
    if not found:
        raise no_such_key()
    row = dict(zip(records.columns, found[0], strict=True))
    grant = Grant(
        account_id,
        row["id"],
        frozenset(row["permissions"].split()),
        expires_at=row["expires_at"],
        revoked_at=row["revoked_at"],
        last_used_at=row["last_used_at"] or 0,
    )
    grant.require_standing()
    return grant, revision


def require_standing(reader: Reader, grant: Grant) -> Grant:
    """Return a grant as it is now; ApiKeyRevoked or ApiKeyExpired if it has ended since it was looked up."""
    found = reader.rows(_GRANT, key=grant.key_id)
    if not found:
        raise no_such_key()
    permissions, expires_at, revoked_at = found[0]
    standing = replace(
        grant, permissions=frozenset(permissions.split()), expires_at=expires_at, revoked_at=revoked_at
    )
    standing.require_standing()
    return standing


def note_use(database: Database, grant: Grant) -> Grant:
    """Save that a key is used, now and then and without waiting; returns the grant with the saved time."""
    now = now_ms()
    if now - grant.last_used_at < LAST_USED_STEP_MS:
        return grant
    with suppress(Unavailable):
        database.touch(grant.account_id, _TOUCH, key=grant.key_id, now=now)
        return replace(grant, last_used_at=now)
    # Another writer is in the way, or the database is down: the next request tries again.
    return grant


def status_of(row: Values, now: int) -> KeyStatus:
    """Tell whether a key works; what was revoked counts as revoked, expired or not."""
    if row["revoked_at"] is not None and row["revoked_at"] <= now:
        return "revoked"
    return "expired" if row["expires_at"] is not None and row["expires_at"] <= now else "active"


def shown(row: Values) -> ApiKey:
    """Show a key by its row."""
    return ApiKey(
        encode_id(ID_PREFIX, row["id"]),
        "api_key",
        row["name"] or UNNAMED,
        redacted(row["environment"], row["last_four"]),
        None,
        row["permissions"].split(),
        format_ms_or_none(row["expires_at"]),
        format_ms_or_none(row["revoked_at"]),
        format_ms_or_none(row["last_used_at"]),
        format_ms(milliseconds_of(row["id"])),
        format_ms(row["updated_at"]),
    )
