"""Forms that bring a file (multipart/form-data), read piece by piece as they come."""

from collections.abc import Callable
from typing import NoReturn

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tradebook.crud.kinds import did_you_mean
from tradebook.errors import MissingField, ParameterUnknown, ValidationFailed
from tradebook.text import shortened

MULTIPART = "multipart/form-data"
FILE = "file"


class Form:
    """A form with the part `file`, which is handed on as it comes, and one text, which is kept."""

    def __init__(
        self,
        boundary: str,
        text_part: str,
        text_bytes_max: int,
        begin: Callable[[str, str | None], object],
        write: Callable[[bytes], object],
    ) -> None:
        self._text_part, self._text_bytes_max = text_part, text_bytes_max
        self._begin, self._write = begin, write
        self._seen: set[str] = set()
        self._part = ""
        self._text = bytearray()
        self._header_name = self._header_value = b""
        self._headers: dict[str, str] = {}
        self._is_ended = False
        try:
            self._parser = MultipartParser(boundary, self._callbacks())  # type: ignore[arg-type]
        except FormParserError as error:
            raise _damaged(str(error)) from None

    def feed(self, piece: bytes) -> None:
        """Read the next piece; an ApiError says what is wrong with the form."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise _damaged(str(error)) from None

    def end(self) -> str | None:
        """Return the text, None if there was none; MissingField where no file came."""
        if not self._is_ended:
            raise _damaged("it ends before its last boundary")
        if FILE not in self._seen:
            raise MissingField(f"The form has no part called {FILE}.", param=FILE)
        if self._text_part not in self._seen:
            return None
        try:
            # Some editors write a byte order mark.
            return self._text.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValidationFailed(
                f"The part {self._text_part} is not UTF-8.", param=self._text_part
            ) from None

    def _callbacks(self) -> dict[str, Callable[..., None]]:
        return {
            "on_part_begin": self._begin_part,
            "on_header_begin": self._begin_header,
            "on_header_field": self._on_header_field,
            "on_header_value": self._on_header_value,
            "on_header_end": self._end_header,
            "on_headers_finished": self._name_part,
            "on_part_data": self._on_data,
            "on_end": self._end,
        }

    def _begin_part(self) -> None:
        self._headers = {}

    def _begin_header(self) -> None:
        self._header_name = self._header_value = b""

    def _on_header_field(self, piece: bytes, start: int, end: int) -> None:
        self._header_name += piece[start:end]

    def _on_header_value(self, piece: bytes, start: int, end: int) -> None:
        self._header_value += piece[start:end]

    def _end_header(self) -> None:
        name, value = self._header_name.decode("latin-1"), self._header_value.decode("latin-1")
        self._headers[name.lower()] = value

    def _name_part(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition"))
        self._part = _text(options.get(b"name", b""))
        if self._part not in {FILE, self._text_part}:
            self._refuse_part()
        if self._part in self._seen:
            raise ValidationFailed(f"The form has two parts called {self._part}.", param=self._part)
        self._seen.add(self._part)
        if self._part == FILE:
            name = _text(options.get(b"filename", b"")) or None
            self._begin(self._headers.get("content-type", ""), name)

    def _refuse_part(self) -> NoReturn:
        hint = did_you_mean(self._part, [FILE, self._text_part])
        rest = f"; there are {FILE} and {self._text_part}. Options go into the URL."
        raise ParameterUnknown(
            f"There is no part {shortened(self._part)}{hint or rest}", param=self._part or None
        )

    def _on_data(self, piece: bytes, start: int, end: int) -> None:
        if self._part == FILE:
            self._write(piece[start:end])
            return
        self._text += piece[start:end]
        if len(self._text) > self._text_bytes_max:
            raise ValidationFailed(
                f"The part {self._text_part} is over {self._text_bytes_max} bytes.", param=self._text_part
            )

    def _end(self) -> None:
        self._is_ended = True


def boundary_of(content_type: str) -> str:
    """Read what stands between the parts of a form; ValidationFailed where the header doesn't say."""
    _, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"").decode("latin-1")
    if not boundary:
        raise ValidationFailed(f"Content-Type: {MULTIPART} needs its boundary.", param="Content-Type")
    return boundary


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _damaged(what: str) -> ValidationFailed:
    return ValidationFailed(f"The form can't be read: {what}.")
