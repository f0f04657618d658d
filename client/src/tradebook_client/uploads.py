"""A file that is sent, piece by piece: a path, bytes, or a file that is open."""

import io
import os
import uuid
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import IO, Literal

import msgspec

File = str | PathLike[str] | bytes | IO[bytes]
FileFormat = Literal["csv", "tsv", "ndjson", "json", "xlsx", "ods"]
CONTENT_TYPES: dict[FileFormat, str] = {
    "csv": "text/csv",
    "tsv": "text/tab-separated-values",
    "ndjson": "application/x-ndjson",
    "json": "application/json",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_ENDINGS: dict[str, FileFormat] = {
    **{name: name for name in CONTENT_TYPES},
    "txt": "csv",
    "tab": "tsv",
    "jsonl": "ndjson",
}
PIECE_BYTES = 262_144


class Sent(msgspec.Struct, frozen=True):
    """The body of an upload: a form with the file in it."""

    file: bytes | Path | IO[bytes]
    begin: bytes
    end: bytes
    content_type: str
    start: int | None = 0
    """Where an open file begins; None where it can be read only once."""
    size: int | None = None
    """How many bytes the file has; None where that is not known."""

    @property
    def can_repeat(self) -> bool:
        """Whether it can be sent again."""
        return self.start is not None

    @property
    def length(self) -> int | None:
        """How many bytes the body has."""
        return None if self.size is None else len(self.begin) + self.size + len(self.end)

    def pieces(self) -> Iterator[bytes]:
        """Read the body from its beginning."""
        yield self.begin
        if isinstance(self.file, bytes):
            yield self.file
        elif isinstance(self.file, Path):
            with self.file.open("rb") as opened:
                yield from _pieces_of(opened)
        else:
            if self.start is not None:
                self.file.seek(self.start)
            yield from _pieces_of(self.file)
        yield self.end


def sent(file: File, format: FileFormat | None, file_name: str | None, map: bytes | None) -> Sent:
    """Make the body of an upload; ValueError where nothing says of what format the file is."""
    name = file_name or _name_of(file)
    kind = CONTENT_TYPES[format or _format_of(name)]
    boundary = uuid.uuid4().hex
    begin = _part(boundary, "file", name or f"file.{format or 'csv'}", kind)
    end = b""
    if map is not None:
        end = b"\r\n" + _part(boundary, "map", "map.toml", "application/toml") + map
    end += f"\r\n--{boundary}--\r\n".encode()
    form = f"multipart/form-data; boundary={boundary}"
    if isinstance(file, bytes):
        return Sent(file, begin, end, form, size=len(file))
    if isinstance(file, str | PathLike):
        path = Path(file)
        return Sent(path, begin, end, form, size=path.stat().st_size)
    if isinstance(file, io.TextIOBase):
        raise TypeError("Open the file for bytes, with mode 'rb': its encoding is told by what is in it.")
    if not file.seekable():
        return Sent(file, begin, end, form, start=None)
    start = file.tell()
    return Sent(file, begin, end, form, start=start, size=file.seek(0, os.SEEK_END) - start)


def map_of(map: str | PathLike[str] | bytes | None) -> tuple[str | None, bytes | None]:
    """Tell a map of the server by its name from one of a file, or its text; the second is that text."""
    if map is None or isinstance(map, bytes):
        return None, map
    if isinstance(map, str) and ("\n" in map or ("=" in map and not map.endswith(".toml"))):
        return None, map.encode()
    # As on the command line: a map of the server has a name of one word.
    if isinstance(map, str) and not any(sign in map for sign in "./\\"):
        return map, None
    return None, Path(map).read_bytes()


def _name_of(file: File) -> str | None:
    if isinstance(file, str | PathLike):
        return Path(file).name
    named = getattr(file, "name", None)
    return Path(named).name if isinstance(named, str) else None


def _format_of(name: str | None) -> FileFormat:
    if name is None:
        # The server sees by its bytes what else a file is that is said to be CSV.
        return "csv"
    ending = name.lower().removesuffix(".gz").rpartition(".")[2]
    if ending not in _ENDINGS:
        raise ValueError(
            f"Nothing says of what format the file is: give format, one of {', '.join(CONTENT_TYPES)}."
        )
    return _ENDINGS[ending]


def _part(boundary: str, name: str, file_name: str, kind: str) -> bytes:
    quoted = file_name.replace("\\", "%5C").replace('"', "%22").replace("\r", " ").replace("\n", " ")
    return (
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{quoted}"\r\n'
        f"Content-Type: {kind}\r\n\r\n"
    ).encode()


def _pieces_of(file: IO[bytes]) -> Iterator[bytes]:
    while piece := file.read(PIECE_BYTES):
        yield piece
