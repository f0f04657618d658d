"""What the commands say: results on standard output, messages on standard error, and how they end."""

import os
import re
import sys
from typing import Any, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from tradebook.text import shown

FAILED, WRONG_USAGE = 1, 2
_STEERS = re.compile("[\x7f-\x9f]")
"""What JSON leaves as it is of them."""


def tell(message: str) -> None:
    """Print a message for people on standard error; standard output is for results."""
    # Names of files and what a library says may have signs that steer the terminal.
    print("\n".join(map(shown, message.split("\n"))), file=sys.stderr)


def fail(message: str, code: int = FAILED) -> NoReturn:
    """End the command with exit code 1 if the work failed, or 2 if the command was called wrongly."""
    tell(f"Error: {message}")
    raise typer.Exit(code)


def reason_of(error: Exception) -> str:
    """Say why something failed, without the number and the name that the system puts around it."""
    # libpq indents the second line of a reason.
    return getattr(error, "strerror", None) or str(error).replace("\n\t", " ")


def json_of(result: Any) -> str:
    """Write a result for programs, who may be a person's terminal: signs that steer one are written out."""
    return _STEERS.sub(lambda sign: f"\\u{ord(sign[0]):04x}", msgspec.json.encode(result).decode())


def print_result(text: str, *, done: str = "") -> None:
    """Print a result; where standard output does not take it, tell what is `done` all the same."""
    try:
        print(text, flush=True)
    except OSError as error:
        end_untaken(error, done)


def print_json(result: Any, *, done: str = "") -> None:
    """Print a result for programs, one line."""
    print_result(json_of(result), done=done)


def end_untaken(error: OSError, done: str = "") -> NoReturn:
    """End the command, as standard output takes no results; who reads no more is not told of that."""
    # What could not be written would be tried once more at the very end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    if not isinstance(error, BrokenPipeError):
        tell(f"Error: standard output can't be written: {reason_of(error)}.")
    if done:
        tell(done)
    sys.exit(FAILED)


def print_whole(table: Table) -> None:
    """Print a table that is never cut: ids are there to be copied."""
    whole = Console(width=1_000).measure(table).maximum
    Console(width=max(Console().width, whole)).print(table)
