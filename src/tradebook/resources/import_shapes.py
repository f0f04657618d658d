"""What is told of imports: the import, its summary, and what each row does."""

from typing import Any, Literal, get_args

import msgspec

from tradebook.resources.imports import State

Outcome = Literal["created", "updated", "unchanged", "skipped", "joined", "problem"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Only = Literal["create", "update"]


class ImportCustomer(msgspec.Struct, frozen=True):
    """The customer that a row or a warning is about."""

    id: str | None = None
    """Null where it would be a new one."""
    number: str | None = None
    """Null where it would get the next number."""
    name: str | None = None


class ImportProblem(msgspec.Struct, frozen=True):
    """What is wrong with a row, and where."""

    line: int
    """The line of the file; of a sheet, its row."""
    column: str | None
    """The column by our name; null where it is about the row, or about a column that is not ours."""
    value: str | None
    """What stands there; null where nothing does."""
    reason: str
    """What is wrong, for people."""
    heading: str | None = None
    """What the file calls the column, where that is another name."""


class ImportDoubt(msgspec.Struct, frozen=True):
    """What looks wrong with a row, and may be meant."""

    line: int
    column: str | None
    value: str | None
    reason: str
    customer: ImportCustomer | None = None
    """The customer that it resembles."""
    needs_yes: bool = False
    """Whether the import is applied only with `yes=true`."""


class ImportSkipped(msgspec.Struct, frozen=True):
    """How many rows a rule of the map leaves out."""

    column: str
    is_: str = msgspec.field(name="is")
    """One of the words of the rule."""
    rows: int = 0


class ImportRecognised(msgspec.Struct, frozen=True):
    """What the file turned out to be."""

    encoding: str | None = None
    separator: str | None = None
    header: int | None = None
    """The line of the headings."""
    left_out: list[str] = []
    """What is not read, such as columns without a name."""
    samples: list[str] = []
    """Some values with letters beyond ASCII, to see whether they are right."""


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do, or did. `rows` is the sum of the six numbers behind it."""

    rows: int
    """The rows of the file, without empty lines."""
    created: int
    updated: int
    unchanged: int
    skipped: int
    """Rows that a rule of the map leaves out."""
    joined: int
    """Further rows of one customer."""
    faulty: int
    """Rows with a problem."""
    is_kept: bool
    """Whether it was written."""
    problems: int
    needs_yes: int
    """How many warnings ask for `yes=true`."""
    problem_list: list[ImportProblem]
    """The first 1,000 problems; the rows have all of them."""
    warnings: list[ImportDoubt]
    """The first 1,000 warnings."""
    cleared: dict[str, Any]
    """How many values become empty, by column."""
    skipped_by: list[ImportSkipped]
    """Which rules leave rows out."""
    made: dict[str, Any]
    """What the account lacks, by kind, such as `pricing_groups`: `name`, `line` and `nearest` of each."""
    recognised: ImportRecognised


class ImportProgress(msgspec.Struct, frozen=True):
    """How far it has come."""

    rows: int
    """How many rows were read, or written since it is applied."""
    total: int | None
    """Of how many; null while that is not known."""


class ImportOptions(msgspec.Struct, frozen=True):
    """How the file was asked to be read and matched."""

    encoding: str | None = None
    match: list[str] | None = None
    only: Only | None = None
    keep_empty: bool = False
    sheet: str | None = None
    map: str | None = None
    """The name of a map that ships with Tradebook, or `own` for one that came with the file."""


class Import(msgspec.Struct, frozen=True):
    """A file that is brought in: first planned, then applied."""

    id: str
    object: Literal["import"]
    state: State
    """`planning` and `applying` go on by themselves. A plan waits seven days as `planned`."""
    file_name: str | None
    """What the file is called, where that was said."""
    options: ImportOptions
    """How the file was asked to be read and matched."""
    progress: ImportProgress
    """How far it has come."""
    summary: ImportSummary | None
    """What it would do, or did; null until it is planned."""
    error: str | None
    """Why it has failed, or was ended; null where it was not."""
    expires_at: str | None
    """When the plan ends, if it is not applied before; null where nothing waits."""
    created_at: str
    updated_at: str


class ImportRow(msgspec.Struct, frozen=True):
    """What one row of the file does."""

    line: int
    """The line of the file; of a sheet, its row."""
    outcome: Outcome
    customer: ImportCustomer | None = None
    """The customer that it is about; null where it is about none."""
    changes: dict[str, Any] = {}
    """What changes, by column: the old value and the new one."""
    problems: list[ImportProblem] = []
    """What is wrong with it."""
