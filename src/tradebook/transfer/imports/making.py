"""Names that the account lacks: noted while a file is looked at, made when it is written."""

from collections.abc import Callable
from typing import Literal, NamedTuple, Protocol

from tradebook.storage.database import Writer
from tradebook.text import fold_case

MadeKind = Literal[
    "type_groups",
    "pricing_groups",
    "payment_terms",
    "shipping_terms",
    "carriers",
    "service_levels",
    "sales_reps",
    "sales_reps_renamed",
]


class Making(Protocol):
    """What comes of a name that there is not."""

    def make(self, kind: MadeKind, name: str, among: int, write: Callable[[Writer], int]) -> int:
        """Return the key of what has this name from now on; `among` is the carrier of a level."""


class Made(NamedTuple):
    """A name that would be made."""

    kind: MadeKind
    name: str
    among: int


class Foreseen:
    """Names that would be made: each gets a key below zero, which no row of the book has."""

    def __init__(self) -> None:
        self._made: list[Made] = []

    def make(self, kind: MadeKind, name: str, among: int, _write: Callable[[Writer], int]) -> int:
        """Note a name."""
        self._made.append(Made(kind, name, among))
        return -len(self._made)

    def __bool__(self) -> bool:
        """Tell whether there is any."""
        return bool(self._made)

    def of(self, key: int) -> Made:
        """Return the name that was noted under a key."""
        return self._made[-key - 1]


class Written:
    """Names that are made at once."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.made: list[tuple[MadeKind, str]] = []
        """Which were: names as they are compared."""

    def make(self, kind: MadeKind, name: str, _among: int, write: Callable[[Writer], int]) -> int:
        """Make it in the book."""
        self.made.append((kind, fold_case(name)))
        return write(self._writer)
