"""Whether a book is one that this version of the program works with."""

from collections.abc import Sequence

from tradebook.ids import ClockOutOfRange, new_key
from tradebook.storage.database import Database, Unavailable

NAMED_MAX = 3
"""How many are named where more are meant."""

HEAD = "0011"
"""The schema that this version works with: the last of `migrations`."""


def why_not(book: Database) -> str | None:
    """Say what keeps the program from working with a book, after its name; None where nothing does."""
    version = book.schema_version()
    if version is None:
        return f"has no schema yet, this program works with {HEAD}. Run tradebook migrate."
    if version > HEAD:
        return (
            f"has schema {version} of a newer version of Tradebook, this one works with {HEAD}. Install that."
        )
    if version < HEAD:
        return f"has schema {version}, this program works with {HEAD}. Run tradebook migrate."
    lacking = book.missing_parts()
    if lacking:
        return f"has schema {version}, but lacks {some_of(lacking)}. Run tradebook migrate."
    waiting = len(book.accounts_to_index())
    if waiting:
        return (
            f"has {waiting} account{'s' if waiting > 1 else ''} whose index is of another version of "
            "Tradebook, or unfinished. Run tradebook migrate."
        )
    return None


def some_of(names: Sequence[str]) -> str:
    """Write the first few names."""
    return ", ".join(names[:NAMED_MAX]) + (", …" if len(names) > NAMED_MAX else "")


def is_ready(book: Database) -> bool:
    """Tell whether the program can read and write a book now."""
    try:
        new_key()
        return why_not(book) is None and book.why_not_written() is None
    except (Unavailable, ClockOutOfRange):
        return False
