"""`tradebook openapi`: the document without a server."""

import sys

import msgspec
import typer

from tradebook.cli.options import UnusedDatabaseOption
from tradebook.resources import ALL
from tradebook.web.openapi import openapi_document

app = typer.Typer()


@app.command()
def openapi(_database: UnusedDatabaseOption = None) -> None:
    """Print the OpenAPI 3.1 document, the same as the server's /openapi.json."""
    document = msgspec.json.encode(openapi_document(ALL))
    sys.stdout.buffer.write(msgspec.json.format(document, indent=2) + b"\n")
