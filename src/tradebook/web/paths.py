"""The objects that a path names, and the tag of an object's state."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

import msgspec

from tradebook.clock import parse_rfc3339
from tradebook.crud.resource import PathObject, View
from tradebook.crud.versions import version_of
from tradebook.errors import RouteNotFound, ValidationFailed
from tradebook.ids import decode_id


def keys_in_path(path_objects: Sequence[PathObject], parts: dict[str, str]) -> tuple[int, ...]:
    """Read the ids of a path; ValidationFailed names one of another type."""
    return tuple(_key_in_path(path_object, parts[path_object.param]) for path_object in path_objects)


def _key_in_path(path_object: PathObject, text: str) -> int:
    key = decode_id(path_object.id_prefix, text)
    if not text:
        raise RouteNotFound("There is no such path; without its last slash there may be.")
    if key is None:
        raise ValidationFailed(
            f"{path_object.param} takes ids that begin with {path_object.id_prefix}_ and 13 more characters, "
            "as this API returns them.",
            param=path_object.param,
        )
    return key


def require_path_objects(path_objects: Sequence[PathObject], view: View, keys: Sequence[int]) -> Any:
    """Return the object that a path ends in; NotFound where one of the path is missing."""
    found, before = None, None
    for path_object, key in zip(path_objects, keys, strict=True):
        found = path_object.require(view, key, before)
        before = key
    return found


class _Versioned(msgspec.Struct):
    updated_at: str | None = None


def etag_of(body: bytes) -> str:
    """Tag a finished object: its own version, for `If-Match`, then what all of the answer says."""
    updated_at = msgspec.json.decode(body, type=_Versioned).updated_at
    version = version_of(0 if updated_at is None else parse_rfc3339(updated_at)[0])
    return f'"{version}-{blake2b(body, digest_size=8).hexdigest()}"'
