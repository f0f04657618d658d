"""Where `tradebook` begins and ends: what becomes of Ctrl-C, and of a standard output that takes nothing."""

import gc
import os
import sys
from io import TextIOWrapper
from typing import cast

INTERRUPTED = 130
"""What a shell says of a program that Ctrl-C has ended."""

COLLECT_AFTER = 200_000
"""How many objects more there are before Python looks for those that only refer to each other. What is loaded
stays: to look through it while it is loaded was a fifth of the time until a command begins."""


def main() -> None:
    """Run the command line."""
    try:
        _replace_what_is_closed()
        # A terminal of another encoding shows what it has not as it shows it in messages: written out.
        cast("TextIOWrapper", sys.stdout).reconfigure(errors="backslashreplace")
        _run()
    except KeyboardInterrupt:
        # It came before a command could take it: nothing is begun, and nobody asks what was being loaded.
        sys.exit(INTERRUPTED)


def _replace_what_is_closed() -> None:
    """Put something in the place of standard input, output and error where there is none.

    A file would be opened under their numbers, a book among them, and messages be printed among the results.
    Reading finds nothing, results can't be written, and messages get lost.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            # The lowest number that is free is given, and this is the lowest.
            os.set_inheritable(os.open(os.devnull, os.O_WRONLY if name == "stderr" else os.O_RDONLY), True)
            setattr(sys, name, open(number, mode, errors="backslashreplace", closefd=False))  # noqa: SIM115


def _run() -> None:
    gc.set_threshold(COLLECT_AFTER)
    # Late, as nearly all of the time until a command begins is spent in it.
    from tradebook.cli.root import app  # noqa: PLC0415

    try:
        try:
            app()
        finally:
            # Here, where it can still be told that the disk behind it is full.
            sys.stdout.flush()
            # To look through all of it once more, at its end, was a fourth of the time of a short command.
            gc.freeze()
    except OSError as error:
        if error.filename is not None:
            raise
        # Late: hardly ever wanted.
        from tradebook.cli.output import end_untaken  # noqa: PLC0415

        end_untaken(error)
