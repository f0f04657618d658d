"""The command line's root: which commands there are. What one of them needs is loaded when it is called."""

import os
from importlib import import_module
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

import tradebook
from tradebook.cli.options import DatabaseOption
from tradebook.settings import DATABASE_VARIABLE


class Command(NamedTuple):
    """A command, or a group of them: where it is found, and what the list of commands says of it."""

    module: str
    help: str
    """The first paragraph of its own help, so that the list is shown without loading it."""
    app: str = "app"


COMMANDS = {
    "demo": Command(
        "demo", "Serve a made-up book from a temporary folder, and show a first request. Ctrl-C removes it."
    ),
    "serve": Command(
        "serve", "Serve the book over HTTP until you stop it. If its file does not exist, it is made."
    ),
    "migrate": Command(
        "migrate",
        "Bring a book's schema and indexes to this version, or tell what is missing. Safe to run again.",
    ),
    "copy": Command(
        "transfers",
        "Copy a whole book to another database, of the same or another engine. "
        "Ids, keys and cursors stay valid.",
        "copy_app",
    ),
    "backup": Command("backup", "Copy the book to a new file while it is in use, and verify the copy."),
    "check": Command(
        "check",
        "Look for faults in the book: damage, broken references, and what no longer agrees with its rows.",
    ),
    "mcp": Command(
        "mcp", "Serve tools to an agent over standard input and output, with an API key of the book."
    ),
    "openapi": Command("openapi", "Print the OpenAPI 3.1 document, the same as the server's /openapi.json."),
    "accounts": Command("accounts", "The tenants of a book."),
    "keys": Command("keys", "The API keys of an account."),
    "import": Command("importing", "Import a list from a file.", "import_app"),
    "export": Command("transfers", "Write a list to a file.", "export_app"),
}


def load(name: str) -> Any:
    """Load a command: the module's whole group, or the one command in it that has this name."""
    module = import_module(f"tradebook.cli.{COMMANDS[name].module}")
    group = typer.main.get_group(getattr(module, COMMANDS[name].app))
    for command in group.commands.values():
        # Typer would break the lines of all paragraphs but the first where the source does.
        command.help = "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n"))
    return group.commands.get(name, group)


class _Root(TyperGroup):
    """Lists the commands as they are declared above, and loads the one that is called."""

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, load(name) if name else command, rest


app = typer.Typer(
    name="tradebook",
    cls=_Root,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def root(
    database: DatabaseOption = None,
    version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
) -> None:
    """Keep the customer book of a B2B seller, and serve it as one HTTP API.

    Start with `tradebook demo`. Exit codes: 0 success, 1 the work failed, 2 wrong usage.
    """
    if version:
        print(tradebook.__version__)
        raise typer.Exit
    if database is not None:
        os.environ[DATABASE_VARIABLE] = database


def _nothing() -> None:
    """Stand in the list for a command that is loaded when it is called."""


for _name, _command in COMMANDS.items():
    app.command(_name, help=_command.help)(_nothing)
