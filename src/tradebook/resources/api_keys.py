"""API keys: secrets that stand for an account and some permissions. Only their hashes are kept.

A key reads `tb_sk_prod_` or `tb_sk_test_`, then the account, 160 chance bits and a checksum, all in
lower-case Crockford base 32. The account inside makes the look-up start with it; the checksum
refuses a mistyped key without a look at the database.
"""

import hashlib
import re
import secrets
import zlib
from typing import Literal

import msgspec
import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.grant import Grant
from tradebook.errors import InvalidApiKey, RevokedApiKey
from tradebook.ids import KeyMaker, decode_body, encode_body, encode_id
from tradebook.storage.database import Database, Reader, Writer
from tradebook.storage.schema import ACCOUNT, moment, prepare, table, text, unique
from tradebook.storage.transactions import reading

Environment = Literal["prod", "test"]
ENVIRONMENTS: tuple[Environment, ...] = ("prod", "test")
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
_KEY = re.compile(r"tb_sk_(prod|test)_([0-9a-hjkmnp-tv-z]{13})[0-9a-hjkmnp-tv-z]{39}", re.ASCII)
_CHECK_LENGTH = 7

api_keys: sa.Table = table(
    "api_keys",
    text("name", nullable=True),
    text("environment"),
    text("secret_hash"),
    text("last_four"),
    text("permissions"),
    moment("expires_at"),
    moment("revoked_at"),
    moment("last_used_at"),
    unique("api_keys", "secret_hash"),
)

_k = api_keys.c
_BY_HASH = prepare(
    sa.select(_k.id, _k.permissions, _k.expires_at, _k.revoked_at).where(
        _k.account_id == ACCOUNT, _k.secret_hash == sa.bindparam("secret_hash")
    )
)
_INSERT = prepare(sa.insert(api_keys))
_REVOKE = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"), _k.revoked_at.is_(None))
    .values(revoked_at=sa.bindparam("now"), updated_at=sa.bindparam("now"))
)
_LIST = prepare(
    sa.select(_k.id, _k.name, _k.last_four, _k.permissions, _k.expires_at, _k.revoked_at)
    .where(_k.account_id == ACCOUNT)
    .order_by(_k.id.desc())
)


class ApiKeyRow(msgspec.Struct, frozen=True):
    """A key as it can be listed: everything but the secret."""

    id: str
    name: str | None
    last_four: str
    permissions: tuple[str, ...]
    expires_at: int | None
    revoked_at: int | None


def create_key(
    writer: Writer,
    environment: str,
    *,
    permissions: tuple[str, ...] = ALL_PERMISSIONS,
    expires_in_days: int | None = None,
    name: str | None = None,
) -> tuple[str, str]:
    """Make a key and return its id and its secret, which is shown this once and never kept."""
    now = now_ms()
    key = KeyMaker().next(now)
    front = f"tb_sk_{environment}_{encode_body(writer.account_id)}{_chance()}"
    secret = front + _check_of(front)
    writer.run(
        _INSERT,
        id=key,
        updated_at=now,
        name=name,
        environment=environment,
        secret_hash=_hash(secret),
        last_four=secret[-4:],
        permissions=" ".join(permissions),
        expires_at=None if expires_in_days is None else now + expires_in_days * DAY_MS,
        revoked_at=None,
        last_used_at=None,
    )
    return encode_id(ID_PREFIX, key), secret


def revoke_key(writer: Writer, key: int) -> bool:
    """End a key for good; False where there is no such key that is still good."""
    return writer.run(_REVOKE, key=key, now=now_ms()) > 0


def list_keys(reader: Reader) -> list[ApiKeyRow]:
    """List the account's keys, newest first."""
    return [
        ApiKeyRow(encode_id(ID_PREFIX, row[0]), row[1], row[2], tuple(row[3].split()), *row[4:])
        for row in reader.rows(_LIST)
    ]


def account_of(secret: str) -> int:
    """Read the account out of a key's text; InvalidApiKey where the text is none of ours."""
    match = _KEY.fullmatch(secret)
    account_id = decode_body(match[2]) if match else None
    if account_id is None or secret[-_CHECK_LENGTH:] != _check_of(secret[:-_CHECK_LENGTH]):
        raise _invalid()
    return account_id


def authenticate(database: Database, secret: str) -> Grant:
    """Find out what a key opens; InvalidApiKey, RevokedApiKey or ExpiredApiKey where it opens nothing."""
    account_id = account_of(secret)
    if database.revision(account_id) is None:
        raise _invalid()
    rows = reading(database, account_id, lambda reader: reader.rows(_BY_HASH, secret_hash=_hash(secret)))
    if not rows:
        raise _invalid()
    key_id, permissions, expires_at, revoked_at = rows[0]
    if revoked_at is not None:
        raise RevokedApiKey("This API key was revoked.")
    grant = Grant(account_id, key_id, frozenset(permissions.split()), expires_at)
    grant.require_unexpired()
    return grant


def _invalid() -> InvalidApiKey:
    return InvalidApiKey("There is no such API key. Check that it was copied whole.")


def _hash(secret: str) -> str:
    # A key is 160 chance bits, not a password: one round is as safe as many, and costs every
    # request less.
    return hashlib.sha256(secret.encode()).hexdigest()


def _chance() -> str:
    return "".join(secrets.choice("0123456789abcdefghjkmnpqrstvwxyz") for _ in range(32))


def _check_of(front: str) -> str:
    return encode_body(zlib.crc32(front.encode()))[-_CHECK_LENGTH:]
