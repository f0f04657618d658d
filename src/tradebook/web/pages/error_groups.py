"""The catalogue of errors by code: several errors may have one code, as a client handles them alike."""

from collections.abc import Iterable
from inspect import cleandoc
from typing import NamedTuple

from tradebook.errors import ApiError


class ErrorGroup(NamedTuple):
    """The errors of one code and status."""

    code: str
    status: int
    type: str
    is_transient: bool
    firsts: tuple[str, ...]
    """When each of them is answered, in a sentence."""
    texts: tuple[str, ...]
    """The same at length."""


def grouped(errors: Iterable[type[ApiError]]) -> list[ErrorGroup]:
    """Bring together what has the same code, in the order of the catalogue."""
    found: dict[str, list[type[ApiError]]] = {}
    for error in errors:
        found.setdefault(error.code, []).append(error)
    return [
        ErrorGroup(
            code,
            same[0].status,
            same[0].type,
            same[0].is_transient,
            tuple(_text_of(error).partition("\n\n")[0].replace("\n", " ") for error in same),
            tuple(map(_text_of, same)),
        )
        for code, same in found.items()
    ]


def _text_of(error: type[ApiError]) -> str:
    return cleandoc(error.__doc__ or "")
