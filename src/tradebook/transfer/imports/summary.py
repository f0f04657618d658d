"""What an import did, or would do: the summary, the same everywhere that it is told."""

import msgspec

from tradebook.resources.import_shapes import ImportDoubt
from tradebook.transfer.rows import Problem, Recognised

LISTED_MAX = 1_000
"""How many problems, and how many warnings, a summary lists; a plan has all of them."""


class Made(msgspec.Struct, frozen=True):
    """A name that the account doesn't have yet."""

    name: str
    line: int
    """The line that first needs it."""
    nearest: str | None = None
    """The nearest name of the book, or of the file before."""


class SkippedBy(msgspec.Struct):
    """How many rows a rule of the map left out; `is` has one of its words, the one that they had."""

    column: str
    is_: str = msgspec.field(name="is")
    rows: int = 0


class Summary(msgspec.Struct, kw_only=True):
    """What an import did, or would do. `rows` is the sum of the six numbers behind it."""

    rows: int = 0
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    skipped: int = 0
    joined: int = 0
    """Further rows of one customer."""
    faulty: int = 0
    """Rows with a problem."""
    is_kept: bool = False
    """Whether it was written."""
    problems: int = 0
    needs_yes: int = 0
    """How many warnings keep it from being written until somebody says yes."""
    problem_list: list[Problem] = []
    """In the order of the file; the first LISTED_MAX of them."""
    warnings: list[ImportDoubt] = []
    cleared: dict[str, int] = {}
    """How many values would become empty, by column."""
    skipped_by: list[SkippedBy] = []
    made: dict[str, list[Made]] = {}
    """The groups, terms, carriers, service levels and sales reps that the account lacked, by kind."""
    recognised: Recognised = msgspec.field(default_factory=Recognised)
