"""The options of `import customers`."""

from pathlib import Path
from typing import Annotated

import typer

FileArgument = Annotated[
    str,
    typer.Argument(
        metavar="FILE", help="A .csv, .tsv, .ndjson, .json, .xlsx or .ods file, or - for standard input."
    ),
]
MapOption = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="MAP",
        help="Translates another system's file: a MAP.toml, or a map that ships, such as shopify.",
    ),
]
DryRunOption = Annotated[
    bool, typer.Option("--dry-run", help="Tell what the import would do, and change nothing.")
]
RejectsOption = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        metavar="FILE",
        help="Let the good rows in, and write the others to a file, each with its problem.",
    ),
]
PlanOption = Annotated[
    Path | None,
    typer.Option("--plan", metavar="PLAN", help="Write what would be done to a file, and change nothing."),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Go on in spite of warnings.")]
MatchOption = Annotated[
    str | None,
    typer.Option(
        "--match",
        metavar="COLUMNS",
        help="What a row is known by: number, email, phone, external_ids.NAME, with commas between them. "
        "Default: number.",
    ),
]
OnlyOption = Annotated[
    str | None,
    typer.Option("--only", metavar="create|update", help="Have a known, or a new customer be a problem."),
]
KeepEmptyOption = Annotated[
    bool, typer.Option("--keep-empty", help="Have an empty cell leave what a customer has.")
]
EncodingOption = Annotated[
    str | None,
    typer.Option("--encoding", help="The code page of the file, such as cp1250. Default: recognised."),
]
SheetOption = Annotated[
    str | None, typer.Option("--sheet", help="The sheet of a workbook. Default: the first.")
]
FormatOption = Annotated[
    str | None,
    typer.Option(
        "--format", help="csv, tsv, ndjson, json, xlsx or ods. Default: by the file's ending and content."
    ),
]
