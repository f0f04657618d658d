"""Bodies that are files: which kinds of file an action takes, and what is known of one that has come."""

from collections.abc import Mapping

import msgspec


class FileBody(msgspec.Struct, frozen=True):
    """A file as the body of an action: by itself, or as a part of a form, with a text beside it."""

    formats: Mapping[str, str]
    """What each content type is called by who reads the file."""
    endings: Mapping[str, str]
    """The same for the endings of names: forms often send no type that says anything."""
    description: str
    text_part: str
    """What the form calls the text beside the file."""
    text_description: str
    example: str
    """The file of an example, in the first of the formats."""

    def format_of(self, content_type: str, file_name: str | None) -> str | None:
        """Tell what a part of a form is, by its type, or else by its name; None where it is nothing known."""
        ending = (file_name or "").lower().removesuffix(".gz").rpartition(".")[2]
        return self.formats.get(content_type) or self.endings.get(ending)


class Uploaded(msgspec.Struct, frozen=True):
    """A file that has come, and waits on the disk to be read."""

    name: str
    """What it is called there."""
    size: int
    format: str
    charset: str | None
    """The encoding that its sender has named."""
    file_name: str | None
    """What its sender calls it."""
    text: str | None
    """The text that came beside it."""
