"""The commands `import draft` and `import maps`."""

import contextlib
import io
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, BinaryIO, cast

import typer
from rich.table import Table

from tradebook.cli.options import JsonOption, UnusedDatabaseOption
from tradebook.cli.output import WRONG_USAGE, fail, print_json, print_whole, reason_of, tell
from tradebook.cli.output_files import STANDARD
from tradebook.transfer.files.formats import FileFormat, format_of
from tradebook.transfer.maps.draft import Draft, draft_map
from tradebook.transfer.maps.looking import CantBeRead
from tradebook.transfer.maps.options import Options, WrongOption
from tradebook.transfer.maps.ready_maps import READY, matched_by, no_such_map, ready_text, recognise

IN_MEMORY_BYTES = 1 << 20


def draft_command(
    file: Annotated[
        str, typer.Argument(metavar="FILE", help="The file that is to come in, or - for standard input.")
    ],
    map_out: Annotated[
        Path | None,
        typer.Option("--map-out", metavar="MAP.toml", help="Write the map there. Default: standard output."),
    ] = None,
    encoding: Annotated[
        str | None, typer.Option("--encoding", metavar="NAME", help="The file's code page, such as cp1250.")
    ] = None,
    sheet: Annotated[
        str | None,
        typer.Option("--sheet", metavar="NAME", help="The sheet of a workbook. Default: the first."),
    ] = None,
    file_format: Annotated[
        str | None,
        typer.Option("--format", help="csv, ndjson or json, where the file's ending does not say it."),
    ] = None,
    _database: UnusedDatabaseOption = None,
) -> None:
    """Draft a map for a file of another system. It needs no book.

    What the columns probably are is found by their headings and by what is in them. What was not understood
    stands in the map as comments.
    """
    if map_out is not None and map_out.exists():
        fail(f"{map_out} is there already. Name another file, or remove it first.")
    chosen = _format_of(file, file_format)
    try:
        options = Options().with_options(encoding=encoding, sheet=sheet).file
    except WrongOption as error:
        fail(f"--{error.name} {error}", WRONG_USAGE)
    with contextlib.closing(_readable_twice(file)) as source:
        try:
            draft = draft_map(
                source, chosen, options, "customers.csv" if file == STANDARD else Path(file).name
            )
        except CantBeRead as error:
            fail(f"{file}: {error}")
    if map_out is None:
        sys.stdout.write(draft.text)
    else:
        try:
            map_out.write_text(draft.text, encoding="utf-8")
        except OSError as error:
            fail(f"{map_out}: {reason_of(error)}.")
    _tell_of(draft)


def _tell_of(draft: Draft) -> None:
    tell(f"{draft.taken} of {len(draft.headings)} columns are taken. The map says what the others hold.")
    for note in draft.notes:
        tell(note)
    tell_ready_map(draft.headings)


def tell_ready_map(headings: Iterable[str]) -> None:
    """Name the map that ships for a file with these headings, if there is one."""
    ready = recognise(headings)
    if ready is not None:
        tell(f"These are headings of {ready.system}. A map for them ships with Tradebook: --map {ready.name}")


def _format_of(file: str, given: str | None) -> FileFormat:
    if given is not None:
        if given not in ("csv", "ndjson", "json"):
            fail("--format is csv, ndjson or json.", WRONG_USAGE)
        return cast("FileFormat", given)
    # A list whose ending says nothing is nearly always one of cells.
    return format_of(file) or "csv"


def _readable_twice(file: str) -> BinaryIO:
    try:
        source = sys.stdin.buffer if file == STANDARD else Path(file).open("rb")  # noqa: SIM115
    except FileNotFoundError:
        fail(f"{file}: there is no such file.")
    except OSError as error:
        fail(f"{file}: {reason_of(error)}.")
    if file != STANDARD and source.seekable():
        return source
    kept = tempfile.SpooledTemporaryFile(IN_MEMORY_BYTES)  # noqa: SIM115 - who takes it closes it
    with source:
        shutil.copyfileobj(source, kept)
    kept.seek(0, io.SEEK_SET)
    return cast("BinaryIO", kept)


def maps_command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Print this map, to be copied and changed.")
    ] = None,
    _database: UnusedDatabaseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the maps that ship with Tradebook, or print one of them."""
    if name is not None:
        text = ready_text(name)
        if text is None:
            fail(no_such_map(name))
        if as_json:
            print_json({"name": name, "map": text})
        else:
            sys.stdout.write(text)
        return
    listed = [
        {
            "name": ready.name,
            "system": ready.system,
            "file": ready.file,
            "export": ready.export,
            "match": matched_by(ready.name),
        }
        for ready in READY
    ]
    if as_json:
        print_json(listed)
        return
    table = Table("name", "system", "file", "how to export it there", "matched by")
    for each in listed:
        table.add_row(
            *(cast("str", each[k]) for k in ("name", "system", "file", "export")), ", ".join(each["match"])
        )
    print_whole(table)
