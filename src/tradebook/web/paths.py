"""What a path names its objects by: ids as a rule, or all the rest of the path."""

from collections.abc import Sequence
from typing import Any

from tradebook.crud.kinds import refusal
from tradebook.crud.resource import NamePart, PathKey, PathObject
from tradebook.errors import ParameterInvalid
from tradebook.ids import read_id

_WRONG_BYTES = "\N{REPLACEMENT CHARACTER}"
"""What the server has put where a path is no UTF-8. Taken for text, it would be what many names come to."""


def keys_in_path(path_objects: Sequence[PathObject], parts: dict[str, str]) -> tuple[Any, ...]:
    """Read the ids of a path; ParameterInvalid names one of another type."""
    return tuple(_key_in_path(path_object, parts) for path_object in path_objects)


def _key_in_path(path_object: PathObject, parts: dict[str, str]) -> PathKey:
    if path_object.by is not None:
        return tuple(_text_in_path(part, parts[part.param]) for part in path_object.by.parts)
    key = read_id(path_object.id_prefix, parts[path_object.param])
    if key is None:
        raise ParameterInvalid(
            f"{path_object.param} takes ids that begin with {path_object.id_prefix}_, as this API "
            "returns them.",
            param=path_object.param,
        )
    return key


def _text_in_path(part: NamePart, text: str) -> str:
    if _WRONG_BYTES in text:
        raise ParameterInvalid(
            f"{part.param} has bytes that are no UTF-8: percent-encode the UTF-8 of the text.",
            param=part.param,
        )
    try:
        name: str = part.kind.read(text)
    except ValueError as reason:
        raise refusal(ParameterInvalid, part.param, reason) from None
    return name
