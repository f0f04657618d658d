"""How planned rows wait in the book: many in a block, packed and compressed."""

from collections.abc import Sequence
from typing import TypeVar

import msgspec
import zstandard

Row = TypeVar("Row", bound=msgspec.Struct)
BLOCK_ROWS = 1_000
"""How many rows a block has at most: about as many as a page of them."""


def packed(rows: Sequence[msgspec.Struct]) -> bytes:
    """Pack rows into the content of a block."""
    return zstandard.ZstdCompressor().compress(msgspec.msgpack.encode(rows))


def unpacked(content: bytes, kind: type[Row]) -> list[Row]:
    """Read the rows of a block, with as many of their fields as `kind` has."""
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(content), type=list[kind])  # type: ignore[valid-type]
