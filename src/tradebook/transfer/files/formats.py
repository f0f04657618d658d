"""The formats of files, by their endings."""

from pathlib import PurePath
from typing import Literal

FileFormat = Literal["csv", "ndjson", "json", "workbook"]

ENDINGS: dict[str, FileFormat] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".txt": "csv",
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "json",
    ".xlsx": "workbook",
    ".xlsm": "workbook",
    ".ods": "workbook",
    ".xlsb": "workbook",
    ".xls": "workbook",
}
PACKED = ".gz"


def format_of(name: str) -> FileFormat | None:
    """Tell the format of a file by its name, packed by gzip or not; None where the ending says nothing."""
    path = PurePath(name.lower())
    return ENDINGS.get(PurePath(path.stem).suffix if path.suffix == PACKED else path.suffix)
