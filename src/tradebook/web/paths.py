"""The ids in a path."""

from collections.abc import Sequence

from tradebook.crud.resource import PathObject
from tradebook.errors import ParameterInvalid
from tradebook.ids import read_id


def keys_in_path(path_objects: Sequence[PathObject], parts: dict[str, str]) -> tuple[int, ...]:
    """Read the ids of a path; ParameterInvalid names one of another type."""
    return tuple(_key_in_path(path_object, parts[path_object.param]) for path_object in path_objects)


def _key_in_path(path_object: PathObject, text: str) -> int:
    key = read_id(path_object.id_prefix, text)
    if key is None:
        raise ParameterInvalid(
            f"{path_object.param} takes ids that begin with {path_object.id_prefix}_, as this API "
            "returns them.",
            param=path_object.param,
        )
    return key
