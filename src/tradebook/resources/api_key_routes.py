"""The routes of API keys."""

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from msgspec.structs import asdict

from tradebook.clock import format_ms
from tradebook.crud.change import Change
from tradebook.crud.fields import Body, Field
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.grant import Grant
from tradebook.crud.kinds import LINE, Future, Many, Whole, Word
from tradebook.crud.resource import Action, PathObject, Resource, View
from tradebook.crud.walks import walk_of_table
from tradebook.errors import AlreadyDeleted, PermissionDenied
from tradebook.resources.api_keys import (
    ALL_PERMISSIONS,
    GRACE_SECONDS_DEFAULT,
    GRACE_SECONDS_MAX,
    ID_PREFIX,
    ApiKey,
    CreatedApiKey,
    add_key,
    api_keys,
    records,
    revoke_key,
    rotate_key,
    shown,
    standing_keys,
)
from tradebook.storage.accounts import accounts
from tradebook.storage.schema import ACCOUNT, prepare

PATH = "/v1/auth/api-keys"


def load(view: View, keys: Sequence[int]) -> Mapping[int, ApiKey]:
    """Return keys that were not revoked."""
    return standing_keys(view.reader, keys)


CREATE = Body(
    "ApiKeyCreate",
    (
        Field("name", LINE, "What the key is for.", can_be_null=True),
        Field(
            "permissions",
            Many(Word(ALL_PERMISSIONS), 1),
            "What the key may do: at most what the key that creates it may do. Default: the same.",
        ),
        Field(
            "expires_at",
            Future(),
            "When the key expires: not later than the key that creates it. Default: the same time.",
            can_be_null=True,
        ),
    ),
    shape=ApiKey,
)
ROTATE = Body(
    "ApiKeyRotate",
    (
        Field(
            "grace_seconds",
            Whole(0, GRACE_SECONDS_MAX),
            "How long the old key goes on working, in seconds; 0 ends it at once. Default: one day.",
            default=GRACE_SECONDS_DEFAULT,
        ),
    ),
)

_ENVIRONMENT = prepare(sa.select(accounts.c.environment).where(accounts.c.account_id == ACCOUNT))


def create(change: Change) -> CreatedApiKey:
    """Make a key that may do no more than the one that makes it."""
    given, grant = change.values, change.grant
    permissions = tuple(p for p in ALL_PERMISSIONS if p in (given["permissions"] or grant.permissions))
    expires_at = given["expires_at"] or grant.expires_at
    _require_no_more(grant, permissions, expires_at)
    environment = change.writer.rows(_ENVIRONMENT)[0][0]
    row, secret = add_key(
        change.writer, environment, permissions=permissions, expires_at=expires_at, name=given["name"]
    )
    return CreatedApiKey(**asdict(shown(row)), secret=secret, replaces=None)


def rotate(change: Change) -> CreatedApiKey:
    """Make a key in place of another one."""
    before = change.row
    _require_no_weaker(change.grant, before["permissions"].split())
    _require_no_more(change.grant, before["permissions"].split(), before["expires_at"])
    row, secret = rotate_key(change.writer, before, change.values["grace_seconds"])
    replaced = standing_keys(change.writer, [change.id])[change.id]
    return CreatedApiKey(**asdict(shown(row)), secret=secret, replaces=replaced)


def delete(change: Change) -> None:
    """Revoke a key that may do no more than the one that revokes it."""
    _require_no_weaker(change.grant, change.row["permissions"].split())
    revoke_key(change.writer, change.id)


def _require_no_weaker(grant: Grant, permissions: Sequence[str]) -> None:
    """Refuse to end or replace a key that may do more than the one that asks for it."""
    more = [permission for permission in permissions if permission not in grant.permissions]
    if more:
        raise PermissionDenied(
            f"That key may do more than this one, {more[0]} for example. Use a key that has all of its "
            "permissions, or tradebook keys revoke."
        )


def _require_no_more(grant: Grant, permissions: Sequence[str], expires_at: int | None) -> None:
    """Refuse a new key that may do more than the key that makes it, or that lasts longer."""
    grant.require(*permissions)
    end = grant.expires_at
    if end is not None and (expires_at is None or expires_at > end):
        raise PermissionDenied(
            f"This API key ends at {format_ms(end)} and can't make one that ends later. Use one that lasts."
        )


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
            load=load,
            walk=walk_of_table(api_keys.c.id, api_keys.c.revoked_at.is_(None)),
            path_object=_PATH_OBJECT,
            # When a key was used changes without a new revision of the account.
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
            creates=True,
            has_secret=True,
        ),
        Action(
            method="POST",
            path=f"{PATH}/{{id}}/actions/rotate",
            summary="Replace an API key by a new one; the old one ends after its grace",
            permissions=("api_keys:create", "api_keys:delete"),
            act=rotate,
            errors=(AlreadyDeleted,),
            body=ROTATE,
            path_objects=(_PATH_OBJECT,),
            item=CreatedApiKey,
            creates=True,
            has_secret=True,
        ),
    ),
)
