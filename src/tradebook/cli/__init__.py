"""The commands: what an operator does with a book from a terminal."""

from tradebook.cli.main import main

__all__ = ["main"]
