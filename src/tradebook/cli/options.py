"""The options that several commands have."""

from typing import Annotated

import typer

from tradebook.cli.output import WRONG_USAGE, fail
from tradebook.text import encodable

DatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="The book: sqlite:///FILE or postgresql://… Default: $TRADEBOOK_DATABASE, else sqlite:///tradebook.db.",
        show_default=False,
    ),
]
UnusedDatabaseOption = Annotated[
    str | None,
    typer.Option(
        "--database",
        metavar="URL",
        help="Taken as everywhere, but no book is needed for this.",
        show_default=False,
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON for programs.")]
AccountOption = Annotated[
    str, typer.Option("--account", metavar="ID", help="The account's id, such as ac_….")
]
PortOption = Annotated[int, typer.Option(min=1, max=65535, help="The port to listen on.")]


def named(option: str, text: str) -> str:
    """Return a name without the white space around it; end the command where it can't be one over HTTP."""
    # Late: these options are those of commands too that need nothing else of it.
    from tradebook.crud.kinds import LINE  # noqa: PLC0415

    if encodable(text) != text:
        fail(f"{option} is not UTF-8.", WRONG_USAGE)
    try:
        return LINE.read(text)
    except ValueError as reason:
        fail(f"{option} {reason}.", WRONG_USAGE)
