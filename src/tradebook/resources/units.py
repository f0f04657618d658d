"""Units: what a quantity counts, which is a currency. Constants of the system, the same for every account."""

from typing import Literal

import sqlalchemy as sa

from tradebook.crud.constants import Constants
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.kinds import OneOf
from tradebook.crud.parameters import Parameter
from tradebook.crud.resource import Asked, PathObject, Resource
from tradebook.money import currencies_by_number
from tradebook.resources.quantities import UNIT_PREFIX, Unit, unit_of
from tradebook.resources.system import system_key
from tradebook.storage.database import Reader
from tradebook.storage.index import Facet

UnitType = Literal["currency", "quantity", "time", "mass", "volume", "length", "temperature", "area"]
"""What the published API has units of; here there are currencies alone."""

TYPE = Facet("t", (sa.Column("type", sa.Text),))
"""No index has it: `walk` looks at it."""

ID_PREFIX = UNIT_PREFIX
PATH = "/v1/catalog/units"

_DOLLAR = 840
"""The number of the US dollar in ISO 4217."""


_all = Constants(
    lambda: {system_key("unit", number): unit_of(code) for number, code in currencies_by_number().items()},
    "name",
    "abbreviation",
    "code",
    "symbol",
)


def walk(reader: Reader, asked: Asked) -> list[int]:
    """Walk the currencies; nothing where another type is asked for."""
    return _all.walk(reader, asked) if asked.places <= {0} else []


resource = Resource(
    name="unit",
    id_prefix=ID_PREFIX,
    shape=Unit,
    routes=FiveRoutes(
        path=PATH,
        noun="unit",
        nouns="units",
        permissions_of=None,
        item=Unit,
        load=_all.load,
        walk=walk,
        texts=_all.texts,
        path_object=PathObject("id", ID_PREFIX, example=system_key("unit", _DOLLAR)),
        parameters=(
            Parameter(
                "type",
                OneOf(UnitType),
                "Only units of this type. There are currencies; the other types have none.",
                TYPE,
            ),
        ),
    ).routes(),
)
