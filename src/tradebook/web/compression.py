"""Compresses answers for who asks for it by `Accept-Encoding`.

At the cheapest levels: a page becomes a tenth of its size in less time than it takes to make it.
"""

import threading
import zlib
from collections.abc import Callable
from functools import lru_cache
from typing import Literal, Protocol

import falcon
import zstandard

Encoding = Literal["zstd", "gzip"]
ENCODINGS: tuple[Encoding, ...] = ("zstd", "gzip")
"""In the order in which they are taken where a client likes both alike."""

BYTES_MIN = 1_000
"""Smaller answers stay as they are."""

ACCEPT_ENCODING = "Accept-Encoding"
_GZIP_LEVEL, _ZSTD_LEVEL = 1, 1
_GZIP_WINDOW = 31
"""zlib's number for gzip, with the largest window."""

_HEADER_LENGTH_MAX = 200
"""A longer header than any client sends is not remembered."""

_ONCE_MADE = 16
_own = threading.local()


class Compressor(Protocol):
    """Compresses a stream."""

    def compress(self, part: bytes, /) -> bytes:
        """Take a part; return what can be sent by now."""

    def flush(self) -> bytes:
        """Return the rest."""


def encoding_of(header: str | None) -> Encoding | None:
    """Choose an encoding by `Accept-Encoding`; None for the answer as it is."""
    if not header:
        return None
    return _remembered(header) if len(header) <= _HEADER_LENGTH_MAX else _chosen(header)


def _chosen(header: str) -> Encoding | None:
    wanted = dict(_weights(header))
    # Only what every client knows is sent to who takes anything.
    wanted.setdefault("gzip", max(wanted.get("x-gzip", 0.0), wanted.get("*", 0.0)))
    best = max(ENCODINGS, key=lambda each: wanted.get(each, 0.0))
    weight = wanted.get(best, 0.0)
    return best if weight > 0 and weight >= wanted.get("identity", 0.0) else None


_remembered = lru_cache(256)(_chosen)


def _weights(header: str) -> list[tuple[str, float]]:
    found = []
    for entry in header.lower().split(","):
        name, _, parameters = entry.partition(";")
        _, _, weight = parameters.replace(" ", "").partition("q=")
        try:
            found.append((name.strip(), float(weight or 1)))
        except ValueError:
            continue
    return found


def compressed(body: bytes, encoding: Encoding) -> bytes:
    """Compress a whole answer."""
    if encoding == "gzip":
        return zlib.compress(body, _GZIP_LEVEL, _GZIP_WINDOW)
    if not hasattr(_own, "zstd"):
        _own.zstd = zstandard.ZstdCompressor(level=_ZSTD_LEVEL)
    done: bytes = _own.zstd.compress(body)
    return done


compressed_once = lru_cache(_ONCE_MADE)(compressed)
"""The same for the pages that hardly ever change, and take longer than they do to be sent."""


def compressor(encoding: Encoding) -> Compressor:
    """Make what compresses a stream."""
    if encoding == "gzip":
        return zlib.compressobj(_GZIP_LEVEL, wbits=_GZIP_WINDOW)
    made: Compressor = zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compressobj()
    return made


def tag_of_encoding(etag: str, encoding: Encoding) -> str:
    """Write the ETag of the compressed form: these are other bytes, and its version stays in front."""
    return f'{etag[:-1]}-{encoding}"'


def without_encoding(etag: str) -> str:
    """Write the ETag of the form that is not compressed."""
    for encoding in ENCODINGS:
        if etag.endswith(f'-{encoding}"'):
            return f'{etag[: -len(encoding) - 2]}"'
    return etag


def compress_answer(
    request: falcon.Request, response: falcon.Response, compress: Callable[[bytes, Encoding], bytes]
) -> None:
    """Compress what is large, is not secret, and is not compressed yet, for who asks for it."""
    body = response.data
    if body is None or len(body) < BYTES_MIN or response.get_header("Content-Encoding") is not None:
        return
    # A secret in a compressed answer can be guessed at by its length.
    if response.get_header("Cache-Control") == "no-store":
        return
    encoding = encoding_of(request.env.get("HTTP_ACCEPT_ENCODING"))
    if encoding is None:
        return
    response.data = compress(body, encoding)
    response.set_header("Content-Encoding", encoding)
    etag = response.get_header("ETag")
    if etag is not None:
        response.set_header("ETag", tag_of_encoding(etag, encoding))
    vary = response.get_header("Vary") or ""
    if ACCEPT_ENCODING not in vary:
        response.set_header("Vary", f"{vary}, {ACCEPT_ENCODING}" if vary else ACCEPT_ENCODING)
