"""What a table keeps, each fact in one line: its column, the field of a body, the column of a file.

The table, the bodies, what a new row has, and the columns of import and export follow from these lines.
"""

from collections.abc import Iterable
from typing import Any

import msgspec
import sqlalchemy as sa
from msgspec import structs

from tradebook.crud.fields import Field
from tradebook.crud.kinds import Id, Kind
from tradebook.crud.records import Values
from tradebook.storage.schema import reference


class Cell(msgspec.Struct, frozen=True):
    """What files say of it, under the name of their column."""

    name: str
    kind: Kind
    description: str
    can_be_null: bool = True
    """Whether an empty cell clears it; where it can't, an empty cell says nothing."""
    is_required: bool = False
    """Whether a new row needs it."""
    column: str | None = None
    """The column of the table that holds the value, or the key of what the cell names."""
    names: str | None = None
    """What the cell has of the row that is referred to, such as `carriers.name`."""
    is_list: bool = False


class TableField(Field, frozen=True, eq=False, kw_only=True):
    """A field of a body, the columns that keep it, and the cells that say it in files."""

    columns: tuple[sa.Column[Any], ...] = ()
    cells: tuple[Cell, ...] = ()

    def keep(self, value: Any, _before: Values) -> Values:
        """Return the columns for what a body says; `before` is the row so far."""
        return {column.name: value for column in self.columns}

    def give(self, row: Values) -> Any:
        """Return what a body would say for a row."""
        kept = row[self.columns[0].name]
        return None if kept is None else self.kind.write_json(kept)


def own(
    name: str,
    kind: Kind,
    description: str,
    *,
    field: str | None = None,
    default: Any = None,
    is_required: bool = False,
    can_be_null: bool | None = None,
    example: Any = None,
) -> TableField:
    """Declare a value of the row itself, called the same in table, body and file; bodies may have `field`.

    It can be null unless it is required or has a default, which is given as a body says it.
    """
    nullable = default is None and not is_required if can_be_null is None else can_be_null
    shown = description if default is None else f"{description} Default: `{str(default).lower()}`."
    return TableField(
        name=field or name,
        kind=kind,
        description=shown,
        is_required=is_required,
        can_be_null=nullable,
        default=None if default is None else kind.read_json(default),
        example=example,
        columns=(kind.column(name, nullable=nullable),),
        cells=(Cell(name, kind, shown, nullable, is_required, column=name),),
    )


def ref(
    name: str,
    target: str,
    prefix: str,
    description: str,
    *cells: Cell,
    field: str | None = None,
    is_required: bool = False,
    example: str | None = None,
) -> TableField:
    """Declare the key of a row of the table `target`: its id in bodies, in files what the cells name.

    A required one may still be missing in the table: files don't have to give it.
    """
    return TableField(
        name=field or name,
        kind=Id(prefix),
        description=description,
        is_required=is_required,
        can_be_null=not is_required,
        example=example,
        columns=(reference(name, target, nullable=True),),
        cells=tuple(structs.replace(cell, column=name, names=f"{target}.{cell.names}") for cell in cells),
    )


def columns_of(fields: Iterable[TableField]) -> tuple[sa.Column[Any], ...]:
    """List the columns that keep these fields."""
    return tuple(column for field in fields for column in field.columns)


def required_first(fields: Iterable[Field]) -> tuple[Field, ...]:
    """Put fields into the order of a body."""
    return tuple(sorted(fields, key=lambda field: not field.is_required))


def new_row(fields: Iterable[TableField]) -> Values:
    """Return the columns of a row of which nothing is said."""
    return {column.name: field.default for field in fields for column in field.columns}


def kept(fields: Iterable[TableField], values: Values, before: Values) -> Values:
    """Return the columns for what a body says, by field; `before` is the row so far."""
    found: Values = {}
    for field in fields:
        if field.name in values:
            found.update(field.keep(values[field.name], before))
    return found


def given(fields: Iterable[TableField], row: Values) -> Values:
    """Return what a body would say for a row, field by field, but for what no column keeps."""
    return {field.name: field.give(row) for field in fields if field.columns}
