"""Text that is UTF-8 and was read as something else: Müller as MÃ¼ller.

Every run of letters beyond ASCII is put back into bytes, by the code pages with which this usually happens,
and read as UTF-8. Real letters hardly ever agree with that. What does is left out case by case: capitals
before quotes, dashes and blanks that don't break (AMANHÃ…), and letters of scripts in which one alone is no
word.
"""

import re
from typing import NamedTuple

_RUN = re.compile("[^\x00-\x7f]+")
_SUSPECT = re.compile("[^\x00-\x7f]{2}|[A-Za-z][\u2e80-\uffef][A-Za-z]")
_EAST = "\u2e80"
"""Behind this are the letters of the east."""

_CUT = {"Â", "Ã"}
_LEADS = range(0xC2, 0xF5)
_PUNCTUATION = range(0x80, 0xA0)
"""The bytes that are quotes and dashes in code pages of Windows, and letters in no text."""

_ENDING = frozenset(b"\x85\x92\x94\x95\x96\x97\x99\x9b")
"""Those of them that may follow a word: dots, closing quotes, dashes, and the sign of a trade mark."""

_REAL_PAIRS = {"ÂŞ", "Âş", "ĹŠ", "ĹŽ", "ĹŤ"}
"""Romanian, Turkish and Slovak letters that do stand together."""

_APOSTROPHE = "\u2019"
_LATIN = re.compile("[\u00a0-\u00d6\u00d8-\u00f6\u00f8-\u017f\u0218-\u021b\u1e00-\u1eff]")
_SIGNS = re.compile("[\u2010-\u203a\u20ac\u2122\ufeff\ufffd\U0001f000-\U0001ffff]")
_MARKS = re.compile("[\u0300-\u0304\u0306-\u0308\u030a-\u030c\u0327\u0328]")
_OTHERS = re.compile(
    "[\u0370-\u058f\u0590-\u06ff\u0900-\u0e7f\u10a0-\u11ff\u1f00-\u1fff\u3000-\u30ff\u3400-\u9fff\uac00-\ud7af"
    "\uff00-\uffef]{2,}"
)
"""Other scripts: of these one letter alone is no sign."""


class Misread(NamedTuple):
    """What a text was read as, and what it was."""

    encoding: str
    text: str


class _Run(NamedTuple):
    """Some letters beyond ASCII that stand together, and what they are as UTF-8."""

    start: int
    end: int
    codes: bytes
    meant: str


class _Page:
    """A code page that UTF-8 is read as."""

    def __init__(
        self, name: str, codec: str, *, is_of_windows: bool = False, is_foreign: bool = False
    ) -> None:
        self.name, self._is_of_windows, self._is_foreign = name, is_of_windows, is_foreign
        # Bytes that a code page of Windows leaves open are kept as control characters, as browsers do.
        self._codes = {chr(code): code for code in _PUNCTUATION} if is_of_windows else {}
        for code in range(0x80, 0x100):
            letter = bytes([code]).decode(codec, "ignore")
            if letter:
                self._codes[letter] = code

    def runs(self, text: str, found: list[re.Match[str]]) -> list[_Run]:
        """Return the runs that are UTF-8 in this code page; none where they are more likely what they are."""
        runs = [run for each in found if (run := self._read(each)) is not None]
        # Where quotes and dashes are a part of it, all of the text has to be so: real ones come alone.
        is_whole = len(runs) == len(found)
        for run in runs:
            if (is_whole or not _has_punctuation(run)) and self._is_likely(text, run):
                return runs
        return []

    def _read(self, found: re.Match[str]) -> _Run | None:
        letters = found[0]
        if len(letters) < 2 or self._codes.get(letters[0]) not in _LEADS:
            return None
        try:
            codes = bytes([self._codes[letter] for letter in letters])
            return _Run(found.start(), found.end(), codes, codes.decode())
        except (KeyError, UnicodeDecodeError):
            return None

    def _is_likely(self, text: str, run: _Run) -> bool:
        rest = _OTHERS.sub("", run.meant)
        if self._is_of_windows and run.codes[0] == 0xCC and _before(text, run).isalpha():
            rest = _MARKS.sub("", rest)
        if any(not (_LATIN.match(letter) or _SIGNS.match(letter)) for letter in rest):
            return False
        if not self._is_of_windows or len(run.codes) > 2 or not rest:
            return True
        return self._is_likely_letter(text, run)

    def _is_likely_letter(self, text: str, run: _Run) -> bool:
        """Tell whether two letters of a Windows code page are more likely one than what they are."""
        before, after = _before(text, run), text[run.end : run.end + 1]
        if self._is_foreign and not (run.meant.isalpha() and (_is_latin(before) or _is_latin(after))):
            return False
        letters = text[run.start : run.end]
        if letters in _REAL_PAIRS:
            return False
        word = _word_before(text, run)
        is_in_capitals = word.isupper() and (len(word) > 1 or after.isupper())
        if is_in_capitals and run.meant.islower():
            return False
        is_at_end = not after.isalpha() or (letters[1] == _APOSTROPHE and after in "sS")
        return not (word.isupper() and is_at_end and run.codes[1] in _ENDING)


class _WidePage:
    """A code page of the east, in which two bytes of UTF-8 are one letter: Müller as M眉ller."""

    def __init__(self, name: str, codec: str) -> None:
        self.name, self._codec = name, codec

    def runs(self, text: str, found: list[re.Match[str]]) -> list[_Run]:
        """Return the runs that are letters of the west in this code page, amidst others."""
        return [run for each in found if (run := self._read(text, each)) is not None]

    def _read(self, text: str, found: re.Match[str]) -> _Run | None:
        if found[0][0] < _EAST or not (found.start() and _is_latin(text[found.start() - 1])):
            return None
        if not _is_latin(text[found.end() : found.end() + 1]):
            return None
        try:
            codes = found[0].encode(self._codec)
            run = _Run(found.start(), found.end(), codes, codes.decode())
        except UnicodeError:
            return None
        return run if all(_LATIN.match(letter) and letter.isalpha() for letter in run.meant) else None


_PAGES: tuple[_Page | _WidePage, ...] = (
    _Page("Windows-1252", "cp1252", is_of_windows=True),
    _Page("Windows-1250", "cp1250", is_of_windows=True),
    _Page("Windows-1251", "cp1251", is_of_windows=True, is_foreign=True),
    _Page("code page 850", "cp850"),
    _Page("code page 437", "cp437"),
    _Page("Mac Roman", "mac_roman"),
    *(
        _Page(name, codec, is_of_windows=True, is_foreign=True)
        for name, codec in (
            ("ISO 8859-2", "iso8859_2"),
            ("ISO 8859-15", "iso8859_15"),
            ("Windows-1253", "cp1253"),
            ("Windows-1256", "cp1256"),
            ("Windows-1257", "cp1257"),
            ("KOI8-R", "koi8_r"),
            ("Shift JIS", "cp932"),
        )
    ),
    _WidePage("GBK", "gbk"),
    _WidePage("Big5", "big5"),
    _WidePage("EUC-KR", "cp949"),
)


def misread(text: str) -> Misread | None:
    """Return what a text was that was read wrongly; None for nearly every text."""
    if text[-1:] in _CUT and text[-2:-1].islower():
        # A blank that doesn't break was cut off at its end.
        text += "\u00a0"
    if _SUSPECT.search(text) is None:
        return None
    found = list(_RUN.finditer(text))
    best: tuple[str, list[_Run]] = ("", [])
    for page in _PAGES:
        runs = page.runs(text, found)
        if len(runs) > len(best[1]):
            best = (page.name, runs)
    encoding, runs = best
    if not runs:
        return None
    meant = _replaced(text, runs)
    twice = misread(meant)
    return Misread(encoding, twice.text if twice else meant)


def _replaced(text: str, runs: list[_Run]) -> str:
    for run in reversed(runs):
        text = text[: run.start] + run.meant + text[run.end :]
    return text


def _has_punctuation(run: _Run) -> bool:
    return any(code in _PUNCTUATION for code in run.codes)


def _is_latin(letter: str) -> bool:
    return letter.isascii() and letter.isalpha()


def _before(text: str, run: _Run) -> str:
    return text[run.start - 1 : run.start] if run.start else ""


def _word_before(text: str, run: _Run) -> str:
    start = run.start
    while start and text[start - 1].isalpha():
        start -= 1
    return text[start : run.start]
