"""An object that is made from its declaration shows every column of its table as what the field says."""

from typing import Literal

import msgspec
import pytest
import sqlalchemy as sa

from tradebook.crud.shapes import RowShape
from tradebook.ids import encode_id
from tradebook.storage.schema import choice, flag, moment, reference, text

Colour = Literal["red", "blue"]
KEY = 1_767_225_600_000 << 21


class Part(msgspec.Struct):
    id: str
    object: Literal["part"]
    note: str | None
    created_at: str


class Thing(msgspec.Struct):
    id: str
    part: Part | None
    object: Literal["thing"]
    name: str
    colour: Colour
    lining: Colour | None
    is_new: bool
    seen_at: str | None
    note: Part | None
    owner: None
    created_at: str
    updated_at: str


def things() -> sa.Table:
    return sa.Table(
        "things",
        sa.MetaData(),
        sa.Column("id", sa.BigInteger),
        text("name"),
        choice("colour", Colour),
        choice("lining", Colour, nullable=True),
        flag("is_new"),
        moment("seen_at"),
        text("note", nullable=True),
        reference("maker_id", "makers"),
        sa.Column("updated_at", sa.BigInteger),
    )


def made(row: dict[str, object], **options: object) -> dict[str, object]:
    """The object of a row, as JSON has it; the row may have more than what is asked for."""
    shape = RowShape(Thing, things(), "th", **options)
    return msgspec.to_builtins(shape.make([*(row[column.name] for column in shape.columns), "more"]))


ROW = {
    "id": KEY, "name": "A", "colour": 1, "lining": None, "is_new": 1, "seen_at": None, "note": "n",
    "updated_at": 1_767_225_600_123,
}  # fmt: skip
SHOWN = {
    "id": encode_id("th", KEY), "part": None, "object": "thing", "name": "A", "colour": "blue", "lining": None,
    "is_new": True, "seen_at": None, "note": None, "owner": None, "created_at": "2026-01-01T00:00:00.000Z",
    "updated_at": "2026-01-01T00:00:00.123Z",
}  # fmt: skip


def test_a_row_is_shown_field_by_field_in_their_order():
    assert list(made(ROW).items()) == list(SHOWN.items())


def test_what_may_be_null_and_is_not_is_shown():
    shown = made(ROW | {"lining": 0, "seen_at": 1_767_225_600_001, "is_new": 0})

    assert (shown["lining"], shown["seen_at"], shown["is_new"]) == ("red", "2026-01-01T00:00:00.001Z", False)


def test_an_object_inside_is_made_of_the_same_row():
    part = made(ROW, inside={"part": (Part, "pa")})["part"]

    assert part == {
        "id": encode_id("pa", KEY),
        "object": "part",
        "note": "n",
        "created_at": SHOWN["created_at"],
    }


@pytest.mark.parametrize(
    ("field", "kind"), [("weight", str), ("weight", Literal["heavy"]), ("maker_id", str)]
)
def test_a_field_that_the_table_can_t_fill_is_refused_when_it_is_declared(field, kind):
    shape = msgspec.defstruct("Odd", [("id", str), (field, kind)])

    with pytest.raises(AssertionError, match=field):
        RowShape(shape, things(), "od")
