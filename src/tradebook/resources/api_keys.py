"""API keys: secrets that stand for an account and some permissions. Only their hashes are kept.

A key reads `tb_sk_prod_` or `tb_sk_test_`, then the account, 160 chance bits and a checksum, all in
lower-case Crockford base 32. The account inside makes the look-up start with it; the checksum
refuses a mistyped key without a look at the database.
"""

import hashlib
import re
import secrets
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Literal

import msgspec
import sqlalchemy as sa
from msgspec.structs import asdict, replace

from tradebook.clock import format_ms, now_ms
from tradebook.crud.edit import Edit
from tradebook.crud.fields import LINE, Body, Field, Future, Many, Whole
from tradebook.crud.grant import Grant
from tradebook.crud.parameters import Word
from tradebook.crud.resource import Action, Owner, Resource, View
from tradebook.crud.rows import Rows, Values
from tradebook.crud.standard import Standard
from tradebook.crud.walks import walk_of_table
from tradebook.errors import AlreadyDeleted, InvalidApiKey, RevokedApiKey
from tradebook.ids import KeyMaker, decode_body, decode_id, encode_body, encode_id, milliseconds_of
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Database, Reader, Unavailable, Writer
from tradebook.storage.schema import ACCOUNT, any_of, moment, prepare, table, text, unique
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
_keys = KeyMaker()

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
rows = Rows(api_keys)
_BY_HASH = prepare(
    sa.select(_k.id, _k.permissions, _k.expires_at, _k.revoked_at, _k.last_used_at).where(
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


_TOUCH = prepare(
    sa.update(api_keys)
    .where(_k.account_id == ACCOUNT, _k.id == sa.bindparam("key"))
    .values(last_used_at=sa.bindparam("now"))
)
_ENVIRONMENT = prepare(sa.select(accounts.c.environment).where(accounts.c.account_id == ACCOUNT))
LAST_USED_STEP_MS = 300_000
"""How much later a use must be to be written down."""


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
    expires_at: int | None = None,
    name: str | None = None,
) -> tuple[str, str]:
    """Make a key and return its id and its secret, which is shown this once and never kept."""
    now = now_ms()
    key = _keys.next(now)
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
        expires_at=expires_at,
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
    found = reading(database, account_id, lambda reader: reader.rows(_BY_HASH, secret_hash=_hash(secret)))
    if not found:
        raise _invalid()
    key_id, permissions, expires_at, revoked_at, last_used_at = found[0]
    if revoked_at is not None:
        raise RevokedApiKey("This API key was revoked.")
    grant = Grant(account_id, key_id, frozenset(permissions.split()), expires_at, last_used_at or 0)
    grant.require_unexpired()
    return grant


def note_use(database: Database, grant: Grant) -> Grant:
    """Write down that a key is used, now and then and without waiting; returns what is known then."""
    now = now_ms()
    if now - grant.last_used_at < LAST_USED_STEP_MS:
        return grant
    with suppress(Unavailable):
        # Somebody else writes, or nobody can: the next time is soon enough.
        database.touch(grant.account_id, _TOUCH, key=grant.key_id, now=now)
    return replace(grant, last_used_at=now)


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


class ApiKey(msgspec.Struct, frozen=True):
    """A key as it is shown: everything but the secret."""

    id: str
    object: Literal["api_key"]
    name: str | None
    environment: Literal["prod", "test"]
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


def _shape(row: Values) -> ApiKey:
    return ApiKey(
        encode_id(ID_PREFIX, row["id"]),
        "api_key",
        row["name"],
        row["environment"],
        row["last_four"],
        row["permissions"].split(),
        _time(row["expires_at"]),
        _time(row["last_used_at"]),
        format_ms(milliseconds_of(row["id"])),
        format_ms(row["updated_at"]),
    )


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else format_ms(milliseconds)


_STANDING = prepare(
    sa.select(*(_k[name] for name in rows.columns)).where(
        _k.account_id == ACCOUNT, any_of(_k.id, "ids"), _k.revoked_at.is_(None)
    )
)


def _load(view: View, keys: Sequence[int]) -> Mapping[int, ApiKey]:
    """Return keys that were not revoked."""
    found = (dict(zip(rows.columns, row, strict=True)) for row in view.reader.rows(_STANDING, ids=list(keys)))
    known = {row["id"]: _shape(row) for row in found}
    return {key: known[key] for key in keys if key in known}


def _new(edit: Edit, replaced: ApiKey | None = None, **options: Any) -> NewApiKey:
    edit.grant.require(*options["permissions"])
    environment = edit.writer.rows(_ENVIRONMENT)[0][0]
    key_id, secret = create_key(edit.writer, environment, **options)
    key = decode_id(ID_PREFIX, key_id)
    assert key is not None
    shown = _load(View(edit.writer, edit.cursors), [key])[key]
    return NewApiKey(**asdict(shown), secret=secret, replaces=replaced)


def _create(edit: Edit) -> NewApiKey:
    given = edit.values["permissions"]
    permissions = tuple(p for p in ALL_PERMISSIONS if p in (given or edit.grant.permissions))
    return _new(edit, permissions=permissions, expires_at=edit.values["expires_at"], name=edit.values["name"])


def _rotate(edit: Edit) -> NewApiKey:
    before, now = rows.current(edit), now_ms()
    if before["expires_at"] is not None and before["expires_at"] <= now:
        raise AlreadyDeleted("This key has expired: make a new one.", param="id")
    last = now + edit.values["grace_seconds"] * 1000
    ends = last if before["expires_at"] is None else min(last, before["expires_at"])
    rows.change(edit, before, {"expires_at": ends})
    return _new(
        edit,
        _load(View(edit.writer, edit.cursors), [edit.key])[edit.key],
        permissions=tuple(before["permissions"].split()),
        expires_at=before["expires_at"],
        name=before["name"],
    )


def _delete(edit: Edit) -> None:
    before = rows.current(edit)
    rows.change(edit, before, {"revoked_at": now_ms()})


GRACE_SECONDS_DEFAULT, GRACE_SECONDS_MAX = 86_400, 30 * 86_400
_CREATE = Body(
    "ApiKeyCreate",
    (
        Field("name", LINE, "What the key is for.", can_be_null=True),
        Field(
            "permissions",
            Many(Word(ALL_PERMISSIONS), 1),
            "What it may do, which can't be more than the key that makes it may; the same unless told.",
        ),
        Field("expires_at", Future(), "When it ends by itself; never unless told.", can_be_null=True),
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
_OWNER = Owner("id", ID_PREFIX, _load)

resource = Resource(
    name="api_key",
    id_prefix=ID_PREFIX,
    shape=ApiKey,
    routes=(
        *Standard(
            path=PATH,
            noun="API key",
            nouns="API keys",
            permissions="api_keys",
            item=ApiKey,
            load=_load,
            walk=walk_of_table(_k.id, _k.revoked_at.is_(None)),
            owner=_OWNER,
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
            owners=(_OWNER,),
            item=NewApiKey,
            creates=True,
            has_secret=True,
        ),
    ),
)
