"""What the published client libraries send and read, as it was recorded: `data/`, one file for each library.

The files hold facts and no code. The Go libraries were run, and each request was noted on its way out; what they
read is the keys and types of the structures that they decode into. A key that a library knows and the contract doesn't
is left out. Where a value may be null is what the published OpenAPI document says; Go decodes null everywhere.
"""

from pathlib import Path
from typing import Any

import msgspec

FOLDER = Path(__file__).parent / "data"


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One request: ids that an earlier answer held stand in braces, and `{soon}` is a time in the near future."""

    does: str
    sends: str
    """The method, the path and the query string."""
    status: int
    reads: str
    """The shape of the answer."""
    body: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET
    headers: dict[str, str] = {}
    keeps: dict[str, str] = {}
    """What later requests need: a name, and where it is in the answer; of a list, in its first entry."""


class Recording(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What one library sends, in its order."""

    library: str
    headers: dict[str, str]
    requests: list[Request]


Shapes = dict[str, dict[str, str]]
"""The keys of each object, and the type of each: a name of a shape, or one of `PLAIN`; `[…]` is a list of them."""


def recording(name: str) -> Recording:
    """Read the recording of a library."""
    return msgspec.json.decode((FOLDER / f"{name}.json").read_bytes(), type=Recording)


def shapes() -> Shapes:
    """Read the shapes of all answers."""
    return msgspec.json.decode((FOLDER / "shapes.json").read_bytes(), type=Shapes)
