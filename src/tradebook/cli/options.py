"""The options that several commands have."""

from typing import Annotated

import typer

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
