"""`tradebook accounts`: the tenants of a book."""

from typing import Annotated

import typer
from rich.table import Table

from tradebook.cli.opening import opened
from tradebook.cli.options import DatabaseOption, JsonOption, named
from tradebook.cli.output import WRONG_USAGE, fail, json_of, print_json, print_result, print_whole
from tradebook.resources import accounts
from tradebook.resources.api_keys import ENVIRONMENTS

app = typer.Typer(help="The tenants of a book.", no_args_is_help=True)


@app.command("create")
def create_account(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What people call the account.")],
    environment: Annotated[
        str, typer.Option(help="prod, or test for a sandbox; it shows in the account's keys.")
    ] = "prod",
    database: DatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Add an account and print its id."""
    if environment not in ENVIRONMENTS:
        fail(f"--environment is one of {', '.join(ENVIRONMENTS)}.", WRONG_USAGE)
    name = named("NAME", name)
    with opened(database, makes=True) as book:
        account = accounts.create_account(book, name, environment)
    made = {"id": account, "name": name, "environment": environment}
    done = "The account is made: tradebook accounts list shows it."
    print_result(json_of(made) if as_json else account, done=done)


@app.command("list")
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
    print_whole(table)
