"""`tradebook serve`: the book over HTTP."""

import os
import sys
from typing import Annotated

import typer

from tradebook.cli.listening import PortTaken, address_of, require_free
from tradebook.cli.opening import opened
from tradebook.cli.options import DatabaseOption, PortOption
from tradebook.cli.output import WRONG_USAGE, fail
from tradebook.settings import REPLICAS_VARIABLE
from tradebook.web import endpoints

app = typer.Typer()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="The address to listen on.")] = "127.0.0.1",
    port: PortOption = 8000,
    workers: Annotated[
        int, typer.Option(min=1, max=256, help="How many worker processes answer requests.")
    ] = 1,
    replica: Annotated[
        list[str] | None,
        typer.Option(
            metavar="URL",
            help="A streaming standby of a PostgreSQL database, to read from; may be repeated. "
            "Default: the URLs in $TRADEBOOK_REPLICAS, separated by spaces.",
            show_default=False,
        ),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="HOST:PORT",
            help="Serve figures for Prometheus there, at /metrics. A port alone is one of 127.0.0.1.",
            show_default=False,
        ),
    ] = None,
    database: DatabaseOption = None,
) -> None:
    """Serve the book over HTTP until you stop it. If its file does not exist, it is made."""
    if reason := endpoints.why_not():
        fail(reason)
    if replica:
        os.environ[REPLICAS_VARIABLE] = " ".join(replica)
    with opened(database, makes=True):
        pass
    try:
        shown_at = () if metrics is None else (address_of(metrics),)
        host = require_free(host.strip("[]"), port)
        for address in shown_at:
            require_free(*address)
    except ValueError as error:
        fail(f"--metrics: {error}", WRONG_USAGE)
    except PortTaken as error:
        fail(str(error))
    # A server runs for months, and each worker is a copy of its process: it begins anew, without what only
    # commands and migrations need. -P as the folder that the operator stands in is no place for modules.
    given = (host, str(port), str(workers), *([metrics] if metrics else []))
    server = ("-P", "-m", "tradebook.cli.serving", *given)
    os.execv(sys.executable, (sys.executable, *server))  # noqa: S606 - no shell is wanted
