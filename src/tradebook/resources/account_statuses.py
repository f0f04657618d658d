"""Account statuses: how a customer's orders are treated. Constants of the system, the same everywhere."""

from typing import Literal, get_args

import msgspec

from tradebook.clock import format_ms
from tradebook.crud.constants import Constants
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.resource import PathObject, Resource
from tradebook.crud.shapes import NoObject
from tradebook.ids import encode_id, milliseconds_of
from tradebook.resources.system import system_key

StatusCode = Literal["normal", "preferred", "hold_shipment", "hold_all"]
CODES: tuple[StatusCode, ...] = get_args(StatusCode)


class AccountStatus(msgspec.Struct, frozen=True):
    """How orders are treated."""

    id: str
    object: Literal["account_status"]
    code: StatusCode
    """How a customer names it."""
    name: str
    """What it is called, such as `Hold shipment`."""
    owner: NoObject
    created_at: str
    updated_at: str


ID_PREFIX = "acst"
PATH = "/v1/sales/account-statuses"


def _status(place: int) -> AccountStatus:
    key, code = system_key("account_status", place), CODES[place]
    born = format_ms(milliseconds_of(key))
    name = code.replace("_", " ").capitalize()
    return AccountStatus(encode_id(ID_PREFIX, key), "account_status", code, name, None, born, born)


_all = Constants(
    lambda: {system_key("account_status", place): _status(place) for place in range(len(CODES))},
    "code",
    "name",
)
resource = Resource(
    name="account_status",
    id_prefix=ID_PREFIX,
    shape=AccountStatus,
    routes=FiveRoutes(
        path=PATH,
        noun="account status",
        nouns="account statuses",
        permissions_of="customers",
        item=AccountStatus,
        load=_all.load,
        walk=_all.walk,
        texts=_all.texts,
        path_object=PathObject("id", ID_PREFIX, example=system_key("account_status", 0)),
    ).routes(),
)
