"""API keys: secrets that open an account for some permissions, with or without an expiry."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Literal, get_args

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict, replace

from tradebook.clock import format_ms, format_ms_or_none, now_ms
from tradebook.crud.grant import Grant
from tradebook.crud.records import Records, Values
from tradebook.crud.versions import first_version, next_version_of
from tradebook.errors import AlreadyDeleted, RevokedApiKey, ValidationFailed
from tradebook.ids import encode_id, milliseconds_of, new_key
from tradebook.resources.api_key_secrets import account_of, hash_of, new_secret, no_such_key
from tradebook.storage.database import Database, Reader, Unavailable, Writer
from tradebook.storage.schema import ACCOUNT, any_of, moment, prepare, table, text, unique
from tradebook.storage.transactions import reading

Environment = Literal["prod", "test"]
ENVIRONMENTS: tuple[Environment, ...] = get_args(Environment)


class ApiKey(msgspec.Struct, frozen=True):
    """An API key, without its secret."""

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


class CreatedApiKey(ApiKey, frozen=True):
    """A new API key with its secret, which is shown only this once."""

    secret: str
    replaces: ApiKey | None


class ListedApiKey(ApiKey, frozen=True):
    """An API key as the command line lists it, even if it was revoked."""

    revoked_at: str | None


api_keys: sa.Table = table(
    "api_keys",
    text("name", nullable=True),
    text("environment"),
    text("secret_hash"),
    text("last_four"),
    text("permissions"),
    moment("expires_at"),
    # Not stored in `expires_at`: a new key takes over the expiry that the old one had before its rotation.
    moment("grace_ends_at"),
    moment("revoked_at"),
    moment("last_used_at"),
    unique("api_keys", "secret_hash"),
)

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
KEYS_MAX = 1_000
"""How many keys that work an account may have: each has a rate of its own, and is remembered."""
DAY_MS = 86_400_000
GRACE_SECONDS_DEFAULT, GRACE_SECONDS_MAX = 86_400, 30 * 86_400
LAST_USED_STEP_MS = 300_000
"""How long after the last saved use a use is saved again."""


_k = api_keys.c
records = Records(api_keys, standing=_k.revoked_at.is_(None))

_NOW = sa.bindparam("now", type_=sa.BigInteger)
_BY_HASH = prepare(
    sa.select(*(_k[name] for name in records.columns)).where(
        _k.account_id == ACCOUNT, _k.secret_hash == sa.bindparam("secret_hash")
    )
)
_COUNT = prepare(
    sa.select(sa.func.count()).where(
        _k.account_id == ACCOUNT,
        _k.revoked_at.is_(None),
        sa.or_(_k.expires_at.is_(None), _k.expires_at > _NOW),
        sa.or_(_k.grace_ends_at.is_(None), _k.grace_ends_at > _NOW),
    )
)
_STANDING_GRANT = prepare(
    sa.select(_k.permissions, _k.expires_at, _k.grace_ends_at).where(
        _k.account_id == ACCOUNT, _k.id == sa.bindparam("key"), _k.revoked_at.is_(None)
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


def rotate_key(writer: Writer, before: Values, grace_seconds: int) -> tuple[Values, str]:
    """Replace a key by one with the same permissions; the old one ends after its grace.

    Returns the row of the new key and its secret. AlreadyDeleted if the old one has ended.
    """
    now, end = now_ms(), _end_of(before)
    if end is not None and end <= now:
        raise AlreadyDeleted("This key has ended: make a new one.", param="id")
    grace_ends_at = now + grace_seconds * 1000
    if before["grace_ends_at"] is not None:
        grace_ends_at = min(grace_ends_at, before["grace_ends_at"])
    writer.run(_REPLACE, key=before["id"], grace_ends_at=grace_ends_at, now=now)
    return add_key(
        writer,
        before["environment"],
        permissions=before["permissions"].split(),
        expires_at=before["expires_at"],
        name=before["name"],
    )


def add_key(
    writer: Writer,
    environment: str,
    *,
    permissions: Sequence[str],
    expires_at: int | None,
    name: str | None,
) -> tuple[Values, str]:
    """Add a key and return its row and its secret; ValidationFailed if the account has too many."""
    key = new_key()
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
        "grace_ends_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    writer.run(_INSERT, **row)
    return row, secret


def revoke_key(writer: Writer, key: int) -> bool:
    """End a key for good; False if there is no such key, or it was revoked already."""
    return writer.run(_REVOKE, key=key, now=now_ms()) > 0


def list_keys(reader: Reader) -> list[ListedApiKey]:
    """List the account's keys, newest first, with those that were revoked."""
    found = [dict(zip(records.columns, row, strict=True)) for row in reader.rows(_LIST)]
    return [
        ListedApiKey(**asdict(shown(row)), revoked_at=format_ms_or_none(row["revoked_at"])) for row in found
    ]


def authenticate(database: Database, secret: str, revision: int | None = None) -> tuple[Grant, int]:
    """Return the grant of a key, and the revision of its account; `revision` is the current one, if known.

    InvalidApiKey, RevokedApiKey or ExpiredApiKey if it opens nothing.
    """
    account_id = account_of(secret)
    # The revision first: if the key is revoked in between, the next request looks it up again.
    revision = database.revision(account_id) if revision is None else revision
    if revision is None:
        raise no_such_key()
    found = reading(database, account_id, lambda reader: reader.rows(_BY_HASH, secret_hash=hash_of(secret)))
    if not found:
        raise no_such_key()
    row = dict(zip(records.columns, found[0], strict=True))
    if row["revoked_at"] is not None:
        raise _revoked()
    permissions = frozenset(row["permissions"].split())
    grant = Grant(account_id, row["id"], permissions, _end_of(row), row["last_used_at"] or 0)
    grant.require_unexpired()
    return grant, revision


def require_standing(reader: Reader, grant: Grant) -> Grant:
    """Return a grant as it is now; RevokedApiKey or ExpiredApiKey if it has ended since it was looked up."""
    found = reader.rows(_STANDING_GRANT, key=grant.key_id)
    if not found:
        raise _revoked()
    permissions, *ends = found[0]
    standing = replace(grant, permissions=frozenset(permissions.split()), expires_at=_earliest(ends))
    standing.require_unexpired()
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


def _end_of(row: Values) -> int | None:
    """Return when a key ends: at its expiry, or with its grace if it was rotated."""
    return _earliest((row["expires_at"], row["grace_ends_at"]))


def _earliest(ends: Iterable[int | None]) -> int | None:
    return min((end for end in ends if end is not None), default=None)


def _revoked() -> RevokedApiKey:
    return RevokedApiKey("This API key was revoked.")


def shown(row: Values) -> ApiKey:
    """Show a key by its row."""
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


def standing_keys(reader: Reader, keys: Sequence[int]) -> dict[int, ApiKey]:
    """Return keys that were not revoked."""
    found = (dict(zip(records.columns, row, strict=True)) for row in reader.rows(_STANDING, ids=list(keys)))
    return {row["id"]: shown(row) for row in found}
