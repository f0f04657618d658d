"""The text of a JSON document, read value by value; memory holds one value and a part of the text."""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tradebook.crud.strict_json import NotJson, NotStrict, decode_at
from tradebook.transfer.files.decoding import LINE_LENGTH_MAX, Lines
from tradebook.transfer.files.ndjson import why
from tradebook.transfer.files.source import Unreadable

_CHUNK = 131_072
_BLANK = re.compile(r"[ \t\n]*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\.)*"|[{}\[\]]')
_SCALAR = re.compile(r"[^,\]\n]*")
_DEPTH_MAX = 20
_CUT = "The file ends in the middle of a list. Fetch it again."


class Element(msgspec.Struct):
    """One value of a list."""

    line: int
    value: Any
    error: str | None
    raw: str


class JsonText:
    """Where one stands in the text of a document."""

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._buffer = ""
        self._at = 0
        self._is_whole = False
        self._line = 1
        self._counted = 0
        self.ends_early: str | None = None
        """Why a list ends before its bracket."""

    @property
    def line(self) -> int:
        """Return the line where one stands."""
        self._line += self._buffer.count("\n", self._counted, self._at)
        self._counted = self._at
        return self._line

    def _fill(self) -> bool:
        """Read some more text, and let go of what is behind; False where there is no more."""
        if self._is_whole:
            return False
        part = self._lines.read(_CHUNK)
        self._is_whole = not part
        if part.endswith("\r"):
            part += self._lines.read(1)
        self._line = self.line
        self._buffer = self._buffer[self._at :] + part.replace("\r\n", "\n").replace("\r", "\n")
        self._at = self._counted = 0
        return bool(part)

    def peek(self) -> str:
        """Go to the next sign that is not blank, and return it; empty at the end."""
        while True:
            match = _BLANK.match(self._buffer, self._at)
            assert match is not None
            self._at = match.end()
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._fill():
                return ""

    def take(self, sign: str) -> None:
        """Go behind a sign; NotJson where another one stands."""
        found = self.peek()
        if found != sign:
            raise NotJson(f"there is no {sign}" if found else "it ends too early", 1)
        self._at += 1

    def value(self) -> tuple[Any, str]:
        """Read the value that begins here, and its text; NotStrict where it is none, and one stays there."""
        self.peek()
        while True:
            try:
                value, end = decode_at(self._buffer, self._at)
            except NotJson:
                if len(self._buffer) - self._at > LINE_LENGTH_MAX or not self._fill():
                    raise
                continue
            # A number may go on in the next part.
            if end == len(self._buffer) and isinstance(value, str) and self._fill():
                continue
            raw = self._buffer[self._at : end]
            self._at = end
            return value, raw

    def object_keys(self) -> Iterator[str]:
        """Yield the keys of the object that begins here; the value of each must be read before the next."""
        self.take("{")
        if self.peek() == "}":
            self._at += 1
            return
        while True:
            if self.peek() != '"':
                raise NotJson("there is no key in quotes", 1)
            key, _ = self.value()
            self.take(":")
            yield str(key)
            if self.ends_early is not None:
                return
            if self.peek() == "}":
                self._at += 1
                return
            self.take(",")

    def go_to(self, path: tuple[str, ...]) -> None:
        """Go to the value at a path, which is there."""
        for name in path:
            for key in self.object_keys():
                if key == name:
                    break
                self._skip()

    def _skip(self, depth: int = 0) -> None:
        """Go behind the value that begins here. Lists and objects may be longer than memory."""
        begins = self.peek()
        if begins == "[":
            self.take("[")
            for _ in self.elements():
                pass
        elif begins == "{" and depth < _DEPTH_MAX:
            for _ in self.object_keys():
                self._skip(depth + 1)
        else:
            self.value()

    def values(self) -> Iterator[Element]:
        """Yield values that follow one another with no sign between them."""
        while self.peek() and self.ends_early is None:
            yield self._element()

    def elements(self) -> Iterator[Element]:
        """Yield the values of a list, behind its first bracket; go behind its last one."""
        if self.peek() == "]":
            self._at += 1
            return
        while True:
            if not self.peek():
                self.ends_early = _CUT
                return
            yield self._element()
            after = self.peek()
            if after and after in ",]":
                self._at += 1
            if after == "]" or self.ends_early is not None:
                return
            if after != ",":
                self.ends_early = "There is no comma between two values of a list." if after else _CUT
                return

    def _element(self) -> Element:
        self.peek()
        line = self.line
        try:
            value, raw = self.value()
        except NotStrict as error:
            return Element(line, None, why(error, "The object"), self._go_behind())
        return Element(line, value, None, raw)

    def _go_behind(self) -> str:
        """Go behind a value that is none, by its brackets; return its text."""
        while len(self._buffer) - self._at <= 2 * LINE_LENGTH_MAX and self._fill():
            pass
        if self._buffer[self._at : self._at + 1] not in ("{", "["):
            match = _SCALAR.match(self._buffer, self._at)
            assert match is not None
            # One sign at least, so that it ends.
            return self._advance(max(match.end(), self._at + 1))
        depth = 0
        for token in _TOKEN.finditer(self._buffer, self._at):
            depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
            if depth == 0:
                return self._advance(token.end())
        if not self._is_whole:
            raise Unreadable(
                f"The object that begins in line {self.line} is longer than a million characters."
            )
        self.ends_early = _CUT
        return self._advance(len(self._buffer))

    def _advance(self, end: int) -> str:
        text = self._buffer[self._at : end]
        self._at = end
        return text
