"""A finished page, or a file that belongs to one."""

from hashlib import blake2b
from typing import NamedTuple


class Made(NamedTuple):
    """Its bytes and what they are."""

    body: bytes
    content_type: str
    etag: str


def made(body: bytes, content_type: str) -> Made:
    """Finish a page."""
    return Made(body, content_type, f'"{blake2b(body, digest_size=8).hexdigest()}"')
