"""`tradebook mcp`: the book for an agent, over standard input and output."""

import os
import signal
import sys
from typing import Annotated

import typer

from tradebook.cli.opening import opened, settings_for
from tradebook.cli.options import DatabaseOption
from tradebook.cli.output import WRONG_USAGE, fail, tell
from tradebook.errors import ApiError
from tradebook.settings import KEY_VARIABLE

app = typer.Typer()


@app.command()
def mcp(
    write: Annotated[
        bool, typer.Option("--write", help="Offer the tools that change the book too, as far as the key may.")
    ] = False,
    database: DatabaseOption = None,
) -> None:
    """Serve tools to an agent over standard input and output, with an API key of the book.

    The key is in $TRADEBOOK_API_KEY. The tools see its account alone, and have its permissions.
    """
    key = os.environ.get(KEY_VARIABLE, "").strip()
    if not key:
        fail(
            f"{KEY_VARIABLE} is not set. Give the API key there that `tradebook keys create` has printed.",
            WRONG_USAGE,
        )
    # The host that has started it may show all of standard error to its user.
    os.environ.setdefault("TRADEBOOK_LOG_REQUESTS", "false")
    settings = settings_for(database)
    with opened(database):
        pass
    if sys.stdin.isatty():
        tell("This talks to a program, in MCP, over standard input. docs/agents.md has how a host starts it.")
    # At once: whoever waits for input could not be told to end otherwise.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    # Late: the package of the protocol takes half a second to load.
    from tradebook.app import opened_for_agent  # noqa: PLC0415
    from tradebook.mcp.server import serve_stdio  # noqa: PLC0415

    try:
        with opened_for_agent(settings, key, may_write=write) as book:
            serve_stdio(book)
    except ApiError as error:
        fail(f"{KEY_VARIABLE}: {error.message}")
