"""The routes of API keys."""

from collections.abc import Iterable, Mapping, Sequence

import sqlalchemy as sa

from tradebook.clock import format_ms, now_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import Body, Field
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.grant import Grant
from tradebook.crud.kinds import LINE, Id, Many, OneOf, Time, Whole, Word
from tradebook.crud.parameters import Parameter
from tradebook.crud.records import Values
from tradebook.crud.resource import Action, PathObject, Resource, View
from tradebook.crud.words import texts_of_table
from tradebook.errors import (
    InsufficientPermissions,
    MissingField,
    ResourceGone,
    ResourceNotFound,
    ValidationFailed,
)
from tradebook.resources.api_key_secrets import redacted
from tradebook.resources.api_keys import (
    ALL_PERMISSIONS,
    GRACE_DAYS_MAX,
    GRACE_SECONDS_DEFAULT,
    GRACE_SECONDS_MAX,
    ID_PREFIX,
    STATUS,
    UNNAMED,
    ApiKey,
    CreatedApiKey,
    KeyStatus,
    add_key,
    api_keys,
    records,
    revoke_key,
    rotate_key,
    shown,
    status_of,
    walk,
)
from tradebook.storage.accounts import accounts
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, prepare

PATH = "/v1/auth/api-keys"


def load(view: View, keys: Sequence[int]) -> Mapping[int, ApiKey]:
    """Return keys, ended or not."""
    return {key: shown(row) for key, row in records.find_all(view.reader, keys).items()}


CREATE = Body(
    "ApiKeyCreate",
    (
        Field("name", LINE, "What the key is for.", is_required=True, example="Web shop"),
        Field(
            "permissions",
            Many(Word(ALL_PERMISSIONS), 1),
            "What the key may do: at most what the key that creates it may do. Give these or a `role_id`.",
        ),
        Field(
            "role_id",
            Id("rl"),
            "The role whose permissions the key has. There are no roles yet, so no account has this one: "
            "give `permissions`.",
        ),
        Field(
            "expires_at",
            Time(),
            "When the key expires: not later than the key that creates it. Default: the same time.",
            can_be_null=True,
        ),
    ),
    shape=ApiKey,
    shown=("permissions",),
)
ROTATE = Body(
    "ApiKeyRotate",
    (
        Field(
            "revoke_at",
            Time(may_be_past=True, days_ahead_max=GRACE_DAYS_MAX),
            "When the old key stops working, up to 30 days ahead; a time that is past ends it at once. "
            "Default: in one day.",
        ),
        Field(
            "grace_seconds",
            Whole(0, GRACE_SECONDS_MAX),
            "The same in seconds from now: how long the old key goes on working. Give this or `revoke_at`.",
            example=3600,
        ),
        Field(
            "expires_at",
            Time(),
            "When the new key expires. Default: when the old one would have.",
        ),
    ),
    shown=("grace_seconds",),
)

_ENVIRONMENT = prepare(sa.select(accounts.c.environment).where(accounts.c.account_id == ACCOUNT))


def create(change: Change) -> CreatedApiKey:
    """Make a key that may do no more than the one that makes it."""
    given, grant = change.values, change.grant
    asked = _permissions_in(given)
    permissions = tuple(permission for permission in ALL_PERMISSIONS if permission in asked)
    expires_at = given["expires_at"] or grant.ends_at
    _require_no_more(grant, permissions, expires_at)
    environment = change.writer.rows(_ENVIRONMENT)[0][0]
    return _created(
        *add_key(
            change.writer, environment, permissions=permissions, expires_at=expires_at, name=given["name"]
        )
    )


def _permissions_in(given: Values) -> list[str]:
    """Read what a new key is to do; nothing is given to it unasked."""
    permissions: list[str] | None = given["permissions"]
    if given["role_id"] is not None:
        if permissions is not None:
            raise ValidationFailed("role_id and permissions can't both be given.", param="role_id")
        raise ValidationFailed(
            "role_id names a role that this account doesn't have. Give permissions instead.", param="role_id"
        )
    if permissions is None:
        raise MissingField(
            "permissions is missing. Say what the key may do, such as customers:read.", param="permissions"
        )
    return permissions


def rotate(change: Change) -> CreatedApiKey:
    """Make a key in place of another one."""
    before, given = change.row, change.values
    if given["revoke_at"] is not None and given["grace_seconds"] is not None:
        raise ValidationFailed("revoke_at and grace_seconds can't both be given.", param="revoke_at")
    permissions = before["permissions"].split()
    expires_at = given["expires_at"] or before["expires_at"]
    _require_no_weaker(change.grant, permissions)
    _require_no_more(change.grant, permissions, expires_at)
    grace_seconds = GRACE_SECONDS_DEFAULT if given["grace_seconds"] is None else given["grace_seconds"]
    revoke_at = now_ms() + grace_seconds * 1000 if given["revoke_at"] is None else given["revoke_at"]
    return _created(*rotate_key(change.writer, before, revoke_at=revoke_at, expires_at=expires_at))


def _created(row: Values, secret: str) -> CreatedApiKey:
    return CreatedApiKey("created_api_key", secret, shown(row))


def delete(change: Change) -> None:
    """Revoke a key that may do no more than the one that revokes it."""
    if status_of(change.row, now_ms()) == "revoked":
        raise ResourceNotFound("This key was revoked already.", param="id")
    _require_no_weaker(change.grant, change.row["permissions"].split())
    revoke_key(change.writer, change.id)


def _require_no_weaker(grant: Grant, permissions: Sequence[str]) -> None:
    """Refuse to end or replace a key that may do more than the one that asks for it."""
    more = [permission for permission in permissions if permission not in grant.permissions]
    if more:
        raise InsufficientPermissions(
            f"That key may do more than this one, {more[0]} for example. Use a key that has all of its "
            "permissions, or tradebook keys revoke."
        )


def _require_no_more(grant: Grant, permissions: Sequence[str], expires_at: int | None) -> None:
    """Refuse a new key that may do more than the key that makes it, or that lasts longer."""
    grant.require(*permissions)
    end = grant.ends_at
    if end is not None and (expires_at is None or expires_at > end):
        raise InsufficientPermissions(
            f"This API key ends at {format_ms(end)} and can't make one that ends later. Use one that lasts."
        )


_of_table = texts_of_table(api_keys.c.name, api_keys.c.environment, api_keys.c.last_four)


def _texts(reader: Reader, keys: Sequence[int]) -> Iterable[tuple[int, Sequence[str | None]]]:
    """Read the names of keys, and what is shown of their secrets."""
    for key, (name, environment, last_four) in _of_table(reader, keys):
        assert environment is not None
        assert last_four is not None
        yield key, (name or UNNAMED, redacted(environment, last_four))


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
            permissions_of="api_keys",
            item=ApiKey,
            load=load,
            walk=walk,
            texts=_texts,
            includes=("role", "role.permissions"),
            path_object=_PATH_OBJECT,
            parameters=(
                Parameter(
                    "statuses[]",
                    OneOf(KeyStatus),
                    "Only keys that work, or have expired, or were revoked; a revoked one counts as revoked, "
                    "expired or not. Default: all.",
                    STATUS,
                ),
            ),
            # When a key was used, and whether it still works, change without a new revision of the account.
            is_kept=False,
            delete=delete,
        ).routes(),
        Action(
            method="POST",
            path=PATH,
            summary="Create an API key",
            permissions=("api_keys:create",),
            act=create,
            body=CREATE,
            item=CreatedApiKey,
            creates=_PATH_OBJECT,
            has_secret=True,
        ),
        Action(
            method="POST",
            path=f"{PATH}/{{id}}/actions/rotate",
            summary="Replace an API key by a new one; the old one is revoked after its grace",
            permissions=("api_keys:create", "api_keys:delete"),
            act=rotate,
            errors=(ResourceGone,),
            body=ROTATE,
            path_objects=(_PATH_OBJECT,),
            item=CreatedApiKey,
            creates=_PATH_OBJECT,
            has_secret=True,
        ),
    ),
)
