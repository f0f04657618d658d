"""The bytes of a body, within its limit."""

import falcon

from tradebook.errors import ValidationFailed


def read_body(request: falcon.Request) -> bytes:
    """Read a body as long as it says it is; what is longer was refused before."""
    length = int(request.env.get("CONTENT_LENGTH") or 0)
    stream = request.env["wsgi.input"]
    raw: bytes = stream.read(length) if length else b""
    if len(raw) != length:
        raise ValidationFailed(f"The body ends after {len(raw)} of {length} bytes.")
    return raw
