"""Which encoding a file has: as it is told, by its byte order mark, or by all of its bytes.

See docs/decisions/0018-encodings-by-evidence.md.
"""

import codecs
from typing import BinaryIO

import msgspec

from tradebook.text import quoted, shown
from tradebook.transfer.files.code_pages import likely_code_page
from tradebook.transfer.files.signatures import refuse_binary
from tradebook.transfer.files.source import Unreadable

BLOCK_BYTES = 1 << 20
_BOMS = (
    # UTF-32 first: its mark begins with that of UTF-16.
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8 with a byte order mark"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_NOT_OF_FILES = {"idna", "punycode", "undefined", "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}
_VALID_PER_BAD = 20
"""A file is UTF-8 if of this many bytes beyond ASCII that are not, at least one is: accidents are rarer."""


class Encoding(msgspec.Struct, frozen=True):
    """How the bytes of a file are read."""

    codec: str
    told: str
    is_ascii: bool = False
    has_marks: bool = False
    """Whether some bytes are no text in it."""


def recognise(stream: BinaryIO, head: bytes, named: str | None) -> tuple[Encoding, list[str]]:
    """Recognise the encoding, and tell what is remarkable; Unreadable where it can't be."""
    bom = next((each for each in _BOMS if head.startswith(each[0])), None)
    if named is not None:
        codec = _codec_named(named)
        if bom is None or _family(codec) == _family(bom[1]):
            # Also where there is a mark of this very encoding: it is no part of the text.
            return _checked(stream, _with_mark(codec) if bom else _unmarked(codec, head), shown(named)), []
        note = f"The file's byte order mark says {bom[2].split()[0]}; it was read so, not as {quoted(named)}."
        return _checked(stream, bom[1], bom[2]), [note]
    if bom is not None:
        return _checked(stream, bom[1], bom[2]), []
    wide = _without_mark(head)
    if wide is not None:
        return _checked(stream, *wide), []
    refuse_binary(head)
    return _by_evidence(stream), []


def _codec_named(named: str) -> str:
    try:
        found = codecs.lookup(named.strip())
    except (LookupError, ValueError):
        raise Unreadable(
            f"There is no encoding {quoted(named)}: write a name such as utf-8, cp1252 or iso-8859-15."
        ) from None
    is_text = getattr(found, "_is_text_encoding", True)
    if not is_text or found.name in _NOT_OF_FILES or found.name.replace("_", "-") in _NOT_OF_FILES:
        raise Unreadable(
            f"{quoted(named)} is no encoding of a text file: write a name such as utf-8 or cp1252."
        )
    return found.name


def _with_mark(codec: str) -> str:
    return "utf-8-sig" if codec == "utf-8" else codec


def _unmarked(codec: str, head: bytes) -> str:
    """Choose the order of bytes where no mark tells it; Python's decoder would refuse to."""
    if codec == "utf-16":
        wide = _without_mark(head)
        return wide[0] if wide else "utf-16-le"
    return "utf-32-le" if codec == "utf-32" else codec


def _family(codec: str) -> str:
    """Reduce utf-16-le to utf-16, and utf-8-sig to utf-8."""
    return "-".join(codec.replace("_", "-").split("-")[:2])


def _without_mark(head: bytes) -> tuple[str, str] | None:
    """Recognise UTF-16 by the NUL bytes beside Latin letters, digits and separators, all on one side."""
    pairs = len(head) // 2
    first, second = head[0::2].count(0), head[1::2].count(0)
    if second > pairs // 10 and first <= second // 50:
        return "utf-16-le", "UTF-16 without a byte order mark"
    if first > pairs // 10 and second <= first // 50:
        return "utf-16-be", "UTF-16 without a byte order mark"
    return None


def _checked(stream: BinaryIO, codec: str, told: str) -> Encoding:
    """Look whether all bytes are text in an encoding that is known."""
    decoder = codecs.getincrementaldecoder(codec)("strict")
    is_ascii = True
    stream.seek(0)
    try:
        while block := stream.read(BLOCK_BYTES):
            is_ascii = decoder.decode(block).isascii() and is_ascii
        decoder.decode(b"", final=True)
    except UnicodeError:
        return Encoding(codec, told, has_marks=True)
    return Encoding(codec, told, is_ascii)


def _by_evidence(stream: BinaryIO) -> Encoding:
    """Decide by all bytes beyond ASCII: which are UTF-8, and which can't be."""
    valid = bad = 0
    is_ascii = True
    rest = b""
    samples: list[bytes] = []
    stream.seek(0)
    while True:
        block = stream.read(BLOCK_BYTES)
        content = rest + block
        if content.isascii():
            rest = b""
        else:
            is_ascii = False
            text, used = codecs.utf_8_decode(content, "surrogateescape", not block)
            rest = content[used:]
            # A byte that is no UTF-8 becomes one character, so what is longer than the text is UTF-8.
            valid += used - len(text)
            wrong = _count_marks(text)
            bad += wrong
            if wrong and len(samples) < 8:
                samples.append(content)
        if not block:
            break
    if not bad:
        return Encoding("utf-8", "UTF-8", is_ascii)
    if valid * _VALID_PER_BAD >= bad:
        return Encoding("utf-8", "UTF-8", has_marks=True)
    page = likely_code_page(samples)
    if page is None:
        raise Unreadable(
            "The file is no UTF-8, and its words look wrong in every code page that is recognised: "
            "name its encoding (--encoding), such as shift_jis, gb18030, cp1255 or cp852."
        )
    return _checked(stream, *page)


def _count_marks(text: str) -> int:
    try:
        text.encode()
    except UnicodeEncodeError:
        return len(text) - len(text.encode("utf-8", "ignore").decode())
    return 0
