"""`tradebook keys`: the API keys of an account."""

from functools import partial
from typing import Annotated

import typer
from rich.table import Table

from tradebook.cli.opening import account_key, opened
from tradebook.cli.options import AccountOption, DatabaseOption, JsonOption, named
from tradebook.cli.output import WRONG_USAGE, fail, json_of, print_json, print_result, print_whole, tell
from tradebook.clock import DAY_MS, now_ms
from tradebook.crud.kinds import did_you_mean
from tradebook.errors import ResourceGone, ResourceNotFound, ValidationFailed
from tradebook.ids import decode_id, encode_id
from tradebook.resources import api_keys
from tradebook.resources.api_keys import ALL_PERMISSIONS
from tradebook.storage.database import Writer
from tradebook.storage.transactions import reading, writing

app = typer.Typer(help="The API keys of an account.", no_args_is_help=True)


@app.command("create")
def create_key(
    account: AccountOption,
    permission: Annotated[
        list[str] | None,
        typer.Option(
            help="A permission such as customers:read; may be repeated. All unless named.",
            show_default=False,
        ),
    ] = None,
    expires_in: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, metavar="DAYS", help="Days until the key ends by itself."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an API key and print its secret, this once: only a hash of it is kept."""
    permissions = tuple(dict.fromkeys(permission)) if permission else ALL_PERMISSIONS
    for word in permissions:
        if word not in ALL_PERMISSIONS:
            hint = did_you_mean(word, ALL_PERMISSIONS)
            fail(
                f"There is no permission {word!r}{hint or '; there are ' + ', '.join(ALL_PERMISSIONS)}",
                WRONG_USAGE,
            )
    name = None if name is None else named("--name", name)
    with opened(database) as book:
        key, environment = account_key(book, account)
        make = partial(
            api_keys.create_key,
            environment=environment,
            permissions=permissions,
            expires_at=None if expires_in is None else now_ms() + expires_in * DAY_MS,
            name=name,
        )
        try:
            key_id, secret = writing(book, key, make)
        except ValidationFailed as error:
            fail(error.message)
    if not as_json:
        tell(f"Key {key_id}. Keep the secret well: it is not shown again.")
    made = {"id": key_id, "key": secret, "permissions": permissions}
    _print_made(key_id, json_of(made) if as_json else secret)


def _print_made(key_id: str, text: str) -> None:
    done = f"Key {key_id} is made, and nobody knows its secret: revoke it, and make another one."
    print_result(text, done=done)


@app.command("list")
def list_keys(account: AccountOption, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all keys that an account ever had, newest first, without their secrets."""
    with opened(database) as book:
        key, _ = account_key(book, account)
        listed = reading(book, key, api_keys.list_keys)
    if as_json:
        print_json(listed)
        return
    table = Table("id", "name", "secret", "permissions", "expires", "revoked")
    for row in listed:
        every = tuple(row.permissions) == ALL_PERMISSIONS
        table.add_row(
            row.id,
            row.name,
            row.redacted_value,
            "all" if every else "\n".join(row.permissions),
            row.expires_at or "never",
            row.revoked_at or "",
        )
    print_whole(table)


KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, such as ak_….")]


def _key_of(text: str) -> int:
    found = decode_id(api_keys.ID_PREFIX, text)
    if found is None:
        fail(f"{text} is no key id; tradebook keys list shows them.", WRONG_USAGE)
    return found


@app.command("rotate")
def rotate_key(
    key: KeyArgument,
    account: AccountOption,
    grace_seconds: Annotated[
        int,
        typer.Option(
            min=0, max=api_keys.GRACE_SECONDS_MAX, help="How long the old key still works; 0 ends it at once."
        ),
    ] = api_keys.GRACE_SECONDS_DEFAULT,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a key in place of another one and print its secret, this once; the old one ends after a while."""
    found = _key_of(key)

    def rotate(writer: Writer) -> tuple[str, str]:
        before = api_keys.records.find(writer, found)
        if before is None:
            raise ResourceGone("There is no such key.")
        row, secret = api_keys.rotate_key(writer, before, revoke_at=now_ms() + grace_seconds * 1000)
        return encode_id(api_keys.ID_PREFIX, row["id"]), secret

    with opened(database) as book:
        account_id, _ = account_key(book, account)
        try:
            key_id, secret = writing(book, account_id, rotate)
        except (ResourceGone, ResourceNotFound):
            fail(f"This account has no key {key} that is still valid.")
        except ValidationFailed as error:
            fail(error.message)
    if not as_json:
        tell(f"Key {key_id} replaces {key}. Keep the secret well: it is not shown again.")
    made = {"id": key_id, "key": secret, "replaces": key}
    _print_made(key_id, json_of(made) if as_json else secret)


@app.command("revoke")
def revoke_key(key: KeyArgument, account: AccountOption, database: DatabaseOption = None) -> None:
    """End a key for good; it is refused from the next request on."""
    found = _key_of(key)
    with opened(database) as book:
        account_id, _ = account_key(book, account)
        revoked = writing(book, account_id, partial(api_keys.revoke_key, key=found))
    if not revoked:
        fail(f"This account has no key {key} that is still valid.")
    tell(f"{key} is revoked.")
