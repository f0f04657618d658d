"""What is told of imports: the import, its summary, and what each row does."""

from typing import Any, Literal, get_args

import msgspec

from tradebook.resources.imports import State

Outcome = Literal["created", "updated", "unchanged", "skipped", "joined", "problem"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
Only = Literal["create", "update"]


class ImportCustomer(msgspec.Struct, frozen=True):
    """The customer that a row is about."""

    id: str | None = None
    """Its id, such as `ac_2t17adc000000`; null where it would be a new one."""
    number: str | None = None
    """Its number, such as `10001`; null where it would get the next one."""
    name: str | None = None
    """Its name, such as `Harbor Coffee`."""


class ImportResembled(msgspec.Struct, frozen=True):
    """The customer that a row resembles."""

    id: str | None
    """Its id, such as `ac_2t17adc000000`; null where it stands in the file alone."""
    number: str | None
    """Its number, such as `00417`; null where it has none yet."""


class ImportProblem(msgspec.Struct, frozen=True):
    """What is wrong with a row, and where."""

    line: int
    """The line of the file; of a sheet, its row."""
    column: str | None
    """The column, such as `email`; null where it is about the row, or a column that only the file has."""
    value: str | None
    """What stands there, such as `orders@`; null where nothing does."""
    reason: str
    """What is wrong, for people, such as `must be an e-mail address`."""
    heading: str | None = None
    """What the file calls the column, such as `E-Mail`, where that is another name."""


class ImportDoubt(msgspec.Struct, frozen=True):
    """What looks wrong with a row, and may be meant."""

    line: int
    """The line of the file; of a sheet, its row."""
    column: str | None
    """The column, such as `number`; null where it is about the row."""
    value: str | None
    """What stands there, such as `417`; null where nothing does."""
    reason: str
    """What looks wrong, for people, such as `differs from 00417 by leading zeros alone`."""
    customer: ImportResembled | None = None
    """The customer that it resembles."""
    needs_yes: bool = False
    """Whether the import is applied only with `yes=true`."""


class ImportSkipped(msgspec.Struct, frozen=True):
    """How many rows a rule of the map leaves out."""

    column: str
    """The heading of the file, such as `Type`."""
    is_: str = msgspec.field(name="is")
    """The word of the rule, such as `Supplier`."""
    rows: int = 0
    """How many rows it leaves out."""


class ImportRecognised(msgspec.Struct, frozen=True):
    """What the file turned out to be."""

    encoding: str | None = None
    """How its text is encoded, such as `UTF-8`."""
    separator: str | None = None
    """What stands between its cells, such as `;`."""
    header: int | None = None
    """The line of the headings."""
    left_out: list[str] = []
    """What is not read, such as columns without a name."""
    samples: list[str] = []
    """Some values with letters beyond ASCII, to see whether they are right."""
    notes: list[str] = []
    """What else was found, such as lines before the headings."""


class ImportSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What an import would do, or did. `rows` is the sum of the six numbers behind it."""

    rows: int
    """The rows of the file, without empty lines."""
    created: int
    """How many are new customers."""
    updated: int
    """How many change a customer."""
    unchanged: int
    """How many change nothing."""
    skipped: int
    """Rows that a rule of the map leaves out."""
    joined: int
    """Further rows of one customer."""
    faulty: int
    """Rows with a problem."""
    is_kept: bool
    """Whether it was written."""
    problems: int
    """How many problems there are: a row may have several."""
    needs_yes: int
    """How many warnings ask for `yes=true`."""
    problem_list: list[ImportProblem]
    """The first 1,000 problems; the rows have all of them, and a note says so."""
    warnings: list[ImportDoubt]
    """The first 1,000 warnings; where there are more, a note says so."""
    cleared: dict[str, Any]
    """How many values become empty, by column."""
    skipped_by: list[ImportSkipped]
    """Which rules leave rows out."""
    made: dict[str, Any]
    """What the account lacks, by kind, such as `pricing_groups`: `name`, `line` and `nearest` of each."""
    recognised: ImportRecognised
    """What the file turned out to be."""


NOTHING_DONE = ImportSummary(
    **dict.fromkeys(
        ("rows", "created", "updated", "unchanged", "skipped", "joined", "faulty", "problems", "needs_yes"), 0
    ),
    is_kept=False,
    problem_list=[],
    warnings=[],
    cleared={},
    skipped_by=[],
    made={},
    recognised=ImportRecognised(),
)


class ImportProgress(msgspec.Struct, frozen=True):
    """How far it has come."""

    rows: int
    """How many rows were read, or written since it is applied."""
    total: int | None
    """Of how many; null while that is not known."""


class ImportOptions(msgspec.Struct, frozen=True):
    """How the file was asked to be read and matched."""

    encoding: str | None = None
    """How its text is encoded, such as `cp1252`; null where that is to be recognised."""
    match: list[str] | None = None
    """What says which customer a row is about; null for what the map says, or the number."""
    only: Only | None = None
    """Whether it may only create, or only update; null for both."""
    keep_empty: bool = False
    """Whether an empty cell leaves what a customer has."""
    sheet: str | None = None
    """Which sheet of a workbook, such as `Customers`; null for the first."""
    map: str | None = None
    """The map that ships with Tradebook, such as `shopify`; `own` for one that came with the file."""


class Import(msgspec.Struct, frozen=True):
    """A file that is brought in: first planned, then applied."""

    id: str
    object: Literal["import"]
    state: State
    """`planning` and `applying` go on by themselves. A plan waits seven days as `planned`."""
    file_name: str | None
    """What the file is called, such as `customers.csv`; null where that was not said."""
    options: ImportOptions
    """How the file was asked to be read and matched."""
    progress: ImportProgress
    """How far it has come."""
    summary: ImportSummary | None
    """What it would do, or did; null until it is planned."""
    error: str | None
    """Why it has failed, such as `The file is empty.`; null where it has not."""
    expires_at: str | None
    """When the plan ends if it is not applied, and its rows go, such as `2026-02-07T09:30:00Z`."""
    created_at: str
    updated_at: str


class ImportRow(msgspec.Struct, frozen=True):
    """What one row of the file does."""

    line: int
    """The line of the file; of a sheet, its row."""
    outcome: Outcome
    """What becomes of it; `joined` is a further row of one customer."""
    customer: ImportCustomer | None = None
    """The customer that it is about; null where it is about none."""
    changes: dict[str, Any] = {}
    """What changes, by column: the old value and the new one."""
    problems: list[ImportProblem] = []
    """What is wrong with it."""
