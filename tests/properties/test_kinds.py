"""What a kind of value gives back it reads again, in JSON and in a file; and a new kind is one class."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tradebook.crud.fields import Body, Field
from tradebook.crud.kinds import Flag, Id, Kind, Line, OneOf, Unreadable
from tradebook.crud.strict_json import Number
from tradebook.errors import InvalidFormat
from tradebook.ids import KEY_MAX
from tradebook.resources import ALL
from tradebook.resources.addresses import Country
from tradebook.resources.quantities import Decimal, UnitId
from tradebook.transfer.cells import CreatedAt
from tradebook.transfer.columns import COLUMNS

SEEN = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=40)
KEPT = {
    Id: lambda kind: st.integers(0, KEY_MAX),
    OneOf: lambda kind: st.integers(0, len(kind.words) - 1),
    Flag: lambda kind: st.integers(0, 1),
    Country: lambda kind: st.sampled_from(["FR", "US", "XK"]),
    UnitId: lambda kind: st.sampled_from(["USD", "EUR", "JPY"]),
    Decimal: lambda kind: st.from_regex(r"(0|[1-9][0-9]{0,9})(\.[0-9]{1,4})?", fullmatch=True),
    CreatedAt: lambda kind: st.integers(0, 4_000_000_000_000),
    Line: lambda kind: SEEN.map(lambda text: f"{text}@example.com"),
}
"""What the book may have of a kind. Of every kind of text, an email address is one."""

IN_FILES = [pytest.param(column.cell.kind, id=name) for name, column in COLUMNS.items()]
IN_BODIES = [
    pytest.param(field.kind, id=f"{resource.name}.{field.name}")
    for resource in ALL
    for route in resource.routes
    for field in getattr(route, "body", Body("None", ())).fields
    if type(field.kind) in KEPT
]


@pytest.mark.parametrize("kind", IN_FILES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_cell_that_is_written_reads_back(kind, data):
    kept = data.draw(KEPT[type(kind)](kind))

    written, nothing = kind.write_cells([kept, None])

    assert kind.read_cell(written) == kept
    assert nothing is None


@pytest.mark.parametrize("kind", IN_BODIES)
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_json_that_is_given_back_reads_again(kind, data):
    kept = data.draw(KEPT[type(kind)](kind))

    assert kind.read_json(msgspec.json.decode(msgspec.json.encode(kind.write_json(kept)))) == kept


def test_a_kind_that_no_other_module_knows_takes_its_own_json():
    class Half(Kind, frozen=True):
        """A number of halves."""

        def read_json(self, value):
            if not isinstance(value, Number) or float(value) * 2 % 1:
                raise Unreadable("takes a number of halves")
            return int(float(value) * 2)

        def schema(self):
            return {"type": "number"}

    body = Body("Sized", (Field("size", Half(), "How large it is."),))

    assert body.read(b'{"size": 1.5}') == {"size": 3}
    with pytest.raises(InvalidFormat, match=r"^size takes a number of halves\.$"):
        body.read(b'{"size": "1.5"}')
