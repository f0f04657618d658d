"""What a file is by its first bytes, whatever its name says."""

import zipfile
from typing import BinaryIO

from tradebook.transfer.files.source import BROKEN_ZIP, Unreadable

_ZIP = b"PK\x03\x04"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_AS_CSV = "save the list as CSV UTF-8 or .xlsx"
_BINARY = (
    (b"%PDF", f"The file is a PDF: {_AS_CSV} in the program that made it."),
    (b"{\\rtf", f"The file is a text document: {_AS_CSV}."),
    (b"PK\x05\x06", "The file is an empty zip archive."),
    (b"7z\xbc\xaf\x27\x1c", "The file is a 7-Zip archive: unpack it first."),
    (b"Rar!", "The file is a RAR archive: unpack it first."),
    (b"BZh", "The file is packed by bzip2: unpack it first, or use gzip."),
    (b"\xfd7zXZ\0", "The file is packed by xz: unpack it first, or use gzip."),
    (b"\x28\xb5\x2f\xfd", "The file is packed by zstd: unpack it first, or use gzip."),
    (b"SQLite format 3\0", "The file is an SQLite database: export the table as CSV."),
    (b"PAR1", "The file is Parquet: write the table as CSV or NDJSON."),
    (b"Obj\x01", "The file is Avro: write the table as CSV or NDJSON."),
    (b"\x89PNG", "The file is a picture."),
    (b"\xff\xd8\xff", "The file is a picture."),
    (b"GIF8", "The file is a picture."),
    (b"\x7fELF", "The file is a program."),
    (b"MZ\x90", "The file is a program."),
)
_MARKUP = (
    (b"<!doctype html", "a web page"),
    (b"<html", "a web page"),
    (b"<table", "a web page"),
    (b"<?xml", "XML"),
)
_CONTROLS = bytes({*range(32)} - set(b"\t\n\r\x0c\x1b"))
_CONTROLS_SHARE = 20
"""One such sign in twenty is no text any more."""


def may_be_workbook(head: bytes) -> bool:
    """Tell whether it is of the kinds that workbooks are of."""
    return head.startswith((_ZIP, _OLD_OFFICE))


def refuse_others(stream: BinaryIO, head: bytes) -> None:
    """Refuse what is neither a workbook nor text."""
    if head.startswith(_ZIP):
        _refuse_archives(stream)
    for signature, sentence in _BINARY:
        if head.startswith(signature):
            raise Unreadable(sentence)
    start = head[:2_000].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    for signature, name in _MARKUP:
        if start.startswith(signature):
            raise Unreadable(f"The file is {name}, no list: open it in a spreadsheet program, and {_AS_CSV}.")


def refuse_binary(head: bytes) -> None:
    """Refuse what is no text in any encoding; UTF-16 and UTF-32, full of NUL bytes, have been ruled out."""
    begin = head[:4_096]
    if len(begin) - len(begin.translate(None, _CONTROLS)) > max(2, len(begin) // _CONTROLS_SHARE):
        raise Unreadable(f"The file is no text and no workbook. In the program that made it, {_AS_CSV}.")


def _refuse_archives(stream: BinaryIO) -> None:
    try:
        stream.seek(0)
        with zipfile.ZipFile(stream) as archive:
            names = set(archive.namelist())
    except (*BROKEN_ZIP, ValueError):
        raise Unreadable(
            "The file is a damaged workbook or zip archive. Fetch it again, or save it anew."
        ) from None
    if names & {"xl/workbook.xml", "xl/workbook.bin"} or {"mimetype", "content.xml"} <= names:
        return
    if any(name.endswith(".iwa") for name in names):
        raise Unreadable("The file is a Numbers document: export it as Excel (.xlsx) or CSV.")
    if "[Content_Types].xml" in names:
        raise Unreadable(f"The file is an office document, no workbook: {_AS_CSV}.")
    raise Unreadable("The file is a zip archive: unpack it, and import the list in it.")
