"""Objects made from the rows of a table, as both are declared: a field shows the column of its name."""

from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from types import NoneType
from typing import Any, Generic, TypeVar, get_args

import msgspec
import sqlalchemy as sa
from msgspec.structs import FieldInfo, fields

from tradebook.clock import format_ms, format_ms_or_none
from tradebook.ids import encode_id, milliseconds_of

Shape = TypeVar("Shape", bound=msgspec.Struct)
Inside = Mapping[str, tuple[type[msgspec.Struct], str]]
Row = Sequence[Any]
_Show = Callable[[Row], Any]

NoObject = dict[str, Any] | None
"""An object that the published API has and this version doesn't: always null."""


class RowShape(Generic[Shape]):
    """Makes objects of one shape from rows that begin with `columns`.

    A field without a column is null, and so is an object: for whoever knows better to fill in.
    """

    def __init__(
        self, shape: type[Shape], table: sa.Table, id_prefix: str, inside: Inside | None = None
    ) -> None:
        """`inside` are the objects inside that share the row and its key: shape and id prefix by field."""
        self._table = table
        self.columns: list[sa.Column[Any]] = [table.c.id]
        self.make: Callable[[Row], Shape] = self._maker(shape, id_prefix, inside or {})

    def _maker(self, shape: type[Any], id_prefix: str, inside: Inside) -> Callable[[Row], Any]:
        shows = [self._show(field, id_prefix, inside) for field in fields(shape)]
        return lambda row: shape(*[show(row) for show in shows])

    def _show(self, field: FieldInfo, id_prefix: str, inside: Inside) -> _Show:
        """Make a field from the key, which begins a row, from its column, or from nothing."""
        if field.name == "id":
            return lambda row: encode_id(id_prefix, row[0])
        if field.name == "created_at":
            return lambda row: format_ms(milliseconds_of(row[0]))
        if field.name in inside:
            return self._maker(*inside[field.name], {})
        types = get_args(field.type) or (field.type,)
        column = self._table.c.get(field.name)
        # A column of the same name is a part of an object at most, such as the amount of a quantity.
        is_object = any(isinstance(kind, type) and issubclass(kind, msgspec.Struct) for kind in types)
        if column is not None and not is_object:
            return self._show_column(field, column)
        constant = None if NoneType in types else types[0]
        assert constant is None or field.name == "object", f"{field.name} has no column and can't be null"
        return lambda _: constant

    def _show_column(self, field: FieldInfo, column: sa.Column[Any]) -> _Show:
        at = len(self.columns)
        self.columns.append(column)
        if "words" in column.info:
            words: dict[int | None, str | None] = {None: None, **dict(enumerate(column.info["words"]))}
            return lambda row: words[row[at]]
        if field.type is bool:
            return lambda row: bool(row[at])
        if isinstance(column.type, sa.BigInteger):
            assert "references" not in column.info, f"{field.name} would show a key as a time"
            return lambda row: format_ms_or_none(row[at])
        return itemgetter(at)
