"""What a path names its objects by: ids as a rule, or all the rest of the path."""

from collections.abc import Sequence
from typing import Any

from tradebook.crud.kinds import refusal
from tradebook.crud.resource import PathKey, PathObject
from tradebook.errors import ParameterInvalid, ValidationFailed
from tradebook.ids import read_id
from tradebook.text import fold_case, shortened

_WRONG_BYTES = "\N{REPLACEMENT CHARACTER}"
"""What the server has put where a path is no UTF-8. Taken for text, it would be what many names come to."""


def keys_in_path(path_objects: Sequence[PathObject], parts: dict[str, str]) -> tuple[Any, ...]:
    """Read the ids of a path; ParameterInvalid names one of another type."""
    return tuple(_key_in_path(path_object, parts[path_object.param]) for path_object in path_objects)


def _key_in_path(path_object: PathObject, text: str) -> PathKey:
    if path_object.by is not None:
        if _WRONG_BYTES in text:
            raise ParameterInvalid(
                f"{path_object.param} has bytes that are no UTF-8: percent-encode the UTF-8 of the text.",
                param=path_object.param,
            )
        try:
            name: str = path_object.by.read(text)
        except ValueError as reason:
            raise refusal(ParameterInvalid, path_object.param, reason) from None
        return name
    key = read_id(path_object.id_prefix, text)
    if key is None:
        raise ParameterInvalid(
            f"{path_object.param} takes ids that begin with {path_object.id_prefix}_, as this API "
            "returns them.",
            param=path_object.param,
        )
    return key


def require_agreement(path_object: PathObject, name: str, values: dict[str, Any]) -> None:
    """Refuse a body that names another object than the path; the case of letters may be another one."""
    said = values.get(path_object.param)
    if said is not None and fold_case(said) != fold_case(name):
        raise ValidationFailed(
            f"The path has the {path_object.param} {shortened(name)}, the body another one: leave it out of "
            "the body, or write the same.",
            param=path_object.param,
        )
