"""The bytes of a body, within its limit."""

import falcon

from tradebook.errors import PayloadTooLarge, ValidationFailed

DRAINED_BYTES_MAX = 16_777_216
"""How much of a body that is too large is read and dropped, so that its answer arrives."""


def read_body(request: falcon.Request, bytes_max: int) -> bytes:
    """Read a body as long as it says it is; one that doesn't say (chunked) up to the limit."""
    stream = request.env["wsgi.input"]
    if request.env.get("HTTP_TRANSFER_ENCODING"):
        found: bytes = stream.read(bytes_max + 1)
        if len(found) > bytes_max:
            # A client that is still sending would find the connection cut, and no answer.
            left = DRAINED_BYTES_MAX
            while left > 0 and (piece := stream.read(65_536)):
                left -= len(piece)
            raise PayloadTooLarge(f"The body is over {bytes_max} bytes.")
        if not found:
            # The server can't tell one that was cut or damaged from one that has nothing in it.
            raise ValidationFailed("The body that Transfer-Encoding announces did not come, or was cut off.")
        return found
    length = int(request.env.get("CONTENT_LENGTH") or 0)
    raw: bytes = stream.read(length) if length else b""
    if len(raw) != length:
        raise ValidationFailed(f"The body ends after {len(raw)} of {length} bytes.")
    return raw
