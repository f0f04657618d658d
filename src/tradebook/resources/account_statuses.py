"""Account statuses: how a customer's orders are treated. Constants of the system, the same everywhere."""

from collections.abc import Mapping, Sequence
from typing import Literal, get_args

import msgspec

from tradebook.clock import format_ms
from tradebook.crud.five_routes import FiveRoutes
from tradebook.crud.resource import PathObject, Resource, View
from tradebook.crud.shapes import NoObject
from tradebook.crud.walks import walk_of_constants
from tradebook.crud.words import texts_of_constants
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


_BY_KEY = {system_key("account_status", place): _status(place) for place in range(len(CODES))}


def load(_view: View, keys: Sequence[int]) -> Mapping[int, AccountStatus]:
    """Return statuses by key."""
    return {key: _BY_KEY[key] for key in keys if key in _BY_KEY}


resource = Resource(
    name="account_status",
    id_prefix=ID_PREFIX,
    shape=AccountStatus,
    routes=FiveRoutes(
        path=PATH,
        noun="account status",
        nouns="account statuses",
        permissions="customers",
        item=AccountStatus,
        load=load,
        walk=walk_of_constants(list(_BY_KEY)),
        texts=texts_of_constants(_BY_KEY, "code", "name"),
        path_object=PathObject("id", ID_PREFIX, example=system_key("account_status", 0)),
    ).routes(),
)
