"""The commands `accounts` and `keys`."""

from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tradebook.cli.opening import (
    WRONG_USAGE,
    AccountOption,
    DatabaseOption,
    JsonOption,
    account_key,
    fail,
    opened,
    print_json,
    tell,
)
from tradebook.clock import now_ms
from tradebook.crud.parameters import did_you_mean
from tradebook.errors import AlreadyDeleted
from tradebook.ids import decode_id, encode_id
from tradebook.resources import accounts, api_keys
from tradebook.resources.api_keys import ALL_PERMISSIONS, ENVIRONMENTS
from tradebook.storage.database import Writer
from tradebook.storage.transactions import reading, writing

accounts_app = typer.Typer(help="The tenants of a book.", no_args_is_help=True)
keys_app = typer.Typer(help="The API keys of an account.", no_args_is_help=True)


def _print_whole(table: Table) -> None:
    """Print a table in its full width, however narrow the terminal is, so that ids can be copied."""
    whole = Console(width=1_000).measure(table).maximum
    Console(width=max(Console().width, whole)).print(table)


@accounts_app.command("create")
def create_account(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    environment: Annotated[
        str,
        typer.Option(
            help="prod, or test for a sandbox. The account's keys show it: tb_sk_prod_…, tb_sk_test_…"
        ),
    ] = "prod",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an account and print its id."""
    if environment not in ENVIRONMENTS:
        fail(f"--environment is one of {', '.join(ENVIRONMENTS)}.", WRONG_USAGE)
    if not name.strip():
        fail("NAME must not be empty.", WRONG_USAGE)
    with opened(database) as book:
        account = accounts.create_account(book, name.strip(), environment)
    if as_json:
        print_json({"id": account, "name": name.strip(), "environment": environment})
    else:
        print(account)


@accounts_app.command("list")
def list_accounts(database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List all accounts of the book."""
    with opened(database) as book:
        listed = accounts.list_accounts(book)
    if as_json:
        print_json([dict(zip(("id", "name", "environment"), row, strict=True)) for row in listed])
        return
    table = Table("id", "name", "environment")
    for row in listed:
        table.add_row(*row)
    _print_whole(table)


@keys_app.command("create")
def create_key(
    account: AccountOption,
    permission: Annotated[
        list[str] | None,
        typer.Option(
            help="A permission such as customers:read; may be repeated. Default: all permissions.",
            show_default=False,
        ),
    ] = None,
    expires_in: Annotated[
        int | None,
        typer.Option(min=1, max=36_500, metavar="DAYS", help="Days until the key expires. Default: never."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="What the key is for.")] = None,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Create an API key and print its secret. It is shown only once: the book keeps just a hash."""
    permissions = tuple(dict.fromkeys(permission)) if permission else ALL_PERMISSIONS
    for word in permissions:
        if word not in ALL_PERMISSIONS:
            hint = did_you_mean(word, ALL_PERMISSIONS)
            fail(
                f"There is no permission {word}{hint or '; there are ' + ', '.join(ALL_PERMISSIONS)}",
                WRONG_USAGE,
            )
    with opened(database) as book:
        key, environment = account_key(book, account)
        make = partial(
            api_keys.create_key,
            environment=environment,
            permissions=permissions,
            expires_at=None if expires_in is None else now_ms() + expires_in * api_keys.DAY_MS,
            name=name,
        )
        key_id, secret = writing(book, key, make)
    if as_json:
        print_json({"id": key_id, "key": secret, "permissions": permissions})
    else:
        tell(f"Key {key_id}. Keep the secret well: it is not shown again.")
        print(secret)


@keys_app.command("list")
def list_keys(account: AccountOption, database: DatabaseOption = None, as_json: JsonOption = False) -> None:
    """List an account's keys, newest first, without their secrets."""
    with opened(database) as book:
        key, _ = account_key(book, account)
        listed = reading(book, key, api_keys.list_keys)
    if as_json:
        print_json(listed)
        return
    table = Table("id", "name", "ends in", "permissions", "expires", "revoked")
    for row in listed:
        every = tuple(row.permissions) == ALL_PERMISSIONS
        table.add_row(
            row.id,
            row.name,
            f"…{row.last_four}",
            "all" if every else "\n".join(row.permissions),
            row.expires_at or "never",
            row.revoked_at or "",
        )
    _print_whole(table)


KeyArgument = Annotated[str, typer.Argument(metavar="KEY_ID", help="The key's id, such as ak_….")]


def _key_of(text: str) -> int:
    found = decode_id(api_keys.ID_PREFIX, text)
    if found is None:
        fail(f"{text} is not a key id; tradebook keys list shows them.", WRONG_USAGE)
    return found


@keys_app.command("rotate")
def rotate_key(
    key: KeyArgument,
    account: AccountOption,
    grace_seconds: Annotated[
        int,
        typer.Option(
            min=0,
            max=api_keys.GRACE_SECONDS_MAX,
            help="How long the old key goes on working; 0 ends it at once.",
        ),
    ] = api_keys.GRACE_SECONDS_DEFAULT,
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Replace a key by a new one and print its secret, only once. The old key ends after the grace."""
    found = _key_of(key)

    def rotate(writer: Writer) -> tuple[str, str]:
        before = api_keys.records.find(writer, found)
        if before is None:
            raise AlreadyDeleted("There is no such key.")
        row, secret = api_keys.rotate_key(writer, before, grace_seconds)
        return encode_id(api_keys.ID_PREFIX, row["id"]), secret

    with opened(database) as book:
        account_id, _ = account_key(book, account)
        try:
            key_id, secret = writing(book, account_id, rotate)
        except AlreadyDeleted:
            fail(f"This account has no key {key} that is still valid.")
    if as_json:
        print_json({"id": key_id, "key": secret, "replaces": key})
    else:
        tell(f"Key {key_id} replaces {key}. Keep the secret well: it is not shown again.")
        print(secret)


@keys_app.command("revoke")
def revoke_key(key: KeyArgument, account: AccountOption, database: DatabaseOption = None) -> None:
    """End a key for good. It is refused from the next request on."""
    found = _key_of(key)
    with opened(database) as book:
        account_id, _ = account_key(book, account)
        revoked = writing(book, account_id, partial(api_keys.revoke_key, key=found))
    if not revoked:
        fail(f"This account has no key {key} that is still valid.")
    tell(f"{key} is revoked.")
