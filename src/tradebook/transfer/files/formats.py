"""The formats of files, by their endings and by their content."""

import re
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
_LIST = re.compile(r"\[\s*(?:\{\s*[\"}]|\]\s*\Z)")
_OBJECT = re.compile(r"\{\s*(?:\"|\}|\Z)")


def format_of(name: str) -> FileFormat | None:
    """Tell the format of a file by its name, packed by gzip or not; None where the ending says nothing."""
    path = PurePath(name.lower())
    return ENDINGS.get(PurePath(path.stem).suffix if path.suffix == PACKED else path.suffix)


def format_by_content(sample: str, told: FileFormat | None) -> FileFormat:
    """Tell the format of a text by its beginning, where its name says another one or nothing."""
    text = sample.lstrip()
    if told == "csv" and text.startswith("{}") and not text[2:].lstrip().startswith("{"):
        return "csv"  # MYOB writes that line before its headings.
    if _LIST.match(text):
        return "json"
    if not _OBJECT.match(text):
        return told if told in ("ndjson", "json") else "csv"
    # A line that is a whole object begins NDJSON; an object over several lines is a document.
    first, _, others = (part.strip() for part in text.partition("\n"))
    if told == "ndjson":
        return "json" if first == "{" else "ndjson"
    return "ndjson" if told != "json" and first.endswith("}") and others else "json"
