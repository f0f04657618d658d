"""The ids that customers have in other systems: one for each system's name, and each id is one customer's."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from tradebook.crud.kinds import LINE, Kind, Line
from tradebook.crud.text_values import check_text
from tradebook.errors import ApiError, InvalidFormat, ResourceExists, ValidationFailed
from tradebook.ids import encode_id
from tradebook.resources.customers.shape import ID_PREFIX
from tradebook.storage.database import Reader, Writer
from tradebook.storage.schema import ACCOUNT, TEXT, any_of, prepare, reference, table, text, unique
from tradebook.text import shortened

FIELD = "external_ids"
NAME_LENGTH_MAX = 64
OF_CUSTOMER_MAX = 50
"""How many a customer can have: they are shown all together."""

# Of ASCII only what needs no care in a path, a heading or a map.
_NAME = re.compile("[A-Za-z0-9\x80-\U0010ffff][A-Za-z0-9_ .:\\-\x80-\U0010ffff]*")

external_ids: sa.Table = table(
    "external_ids",
    reference("customer_id", "customers"),
    text("name"),
    text("value"),
    unique("external_ids", "name", "value"),
    key=("customer_id", "name"),
)

Wanted = Mapping[int, Mapping[str, str | None]]
"""What customers are to have, by key and name; None takes an id away, and what is not named stays."""

_e = external_ids.c
_OF = prepare(
    sa.select(_e.customer_id, _e.name, _e.value)
    .where(_e.account_id == ACCOUNT, any_of(_e.customer_id, "ids"))
    .order_by(_e.customer_id, _e.name)
)
_OF_SPAN = prepare(
    sa.select(_e.customer_id, _e.name, _e.value)
    .where(
        _e.account_id == ACCOUNT,
        _e.customer_id.between(sa.bindparam("first"), sa.bindparam("last")),
    )
    .order_by(_e.customer_id, _e.name)
)
_FIND = prepare(
    sa.select(_e.value, _e.customer_id).where(
        _e.account_id == ACCOUNT, _e.name == sa.bindparam("name"), any_of(_e.value, "values")
    )
)
_NEXT_NAME = prepare(
    sa.select(sa.func.min(_e.name)).where(
        _e.account_id == ACCOUNT, _e.name > sa.bindparam("after", type_=TEXT)
    )
)
_DROP = prepare(
    sa.delete(external_ids).where(
        _e.account_id == ACCOUNT, any_of(_e.customer_id, "ids"), _e.name == sa.bindparam("name")
    )
)
_ADD = prepare(sa.insert(external_ids))


def check_name(value: Any) -> str:
    """Accept the name of a system: it stands in a column's name and in a path."""
    name = unicodedata.normalize("NFC", check_text(value, length_max=NAME_LENGTH_MAX))
    if not _NAME.fullmatch(name):
        raise ValueError("takes letters, digits, blanks and _ . : -, and begins with a letter or a digit")
    return name


NAME = Line(NAME_LENGTH_MAX, check_name, such_as="shopify")


class ExternalIds(Kind, frozen=True):
    """Ids in other systems by the names of these; null takes one away."""

    def take(self, value: Any, param: str) -> dict[str, str | None]:
        """Read a JSON object; what is wrong with one id is named by the way to it."""
        if not isinstance(value, dict):
            raise InvalidFormat(f'{param} takes an object such as {{"shopify": "72"}}.', param=param)
        found: dict[str, str | None] = {}
        for name, one in value.items():
            at = f"{param}.{shortened(name)}"
            try:
                read = NAME.read(name)
            except ValueError as reason:
                raise InvalidFormat(f"{at} is named wrongly: a name {reason}.", param=at) from None
            if read in found:
                raise InvalidFormat(f"{at} is given twice.", param=at)
            found[read] = None if one is None else LINE.take(one, at)
        return found

    def schema(self) -> dict[str, Any]:
        """Describe the object, and the texts in it."""
        one = LINE.schema()
        return {
            "type": "object",
            "additionalProperties": {**one, "type": ["string", "null"]},
            "propertyNames": {"type": "string", "minLength": 1, "maxLength": NAME_LENGTH_MAX},
        }


def find_by(reader: Reader, name: str, values: Iterable[str]) -> dict[str, int]:
    """Return the customers that have these ids in one system; ids that nobody has are left out."""
    wanted = sorted(set(values))
    return dict(reader.rows(_FIND, name=name, values=wanted)) if wanted else {}


def of(reader: Reader, keys: Iterable[int]) -> dict[int, dict[str, str]]:
    """Return the ids of some customers by the systems' names; a customer without any has an empty entry."""
    wanted = list(keys)
    found = of_some(reader, wanted)
    return {key: found.get(key, {}) for key in wanted}


def of_some(reader: Reader, keys: Sequence[int], *, are_all: bool = False) -> Mapping[int, dict[str, str]]:
    """Return the ids of those of some customers that have any, by the systems' names.

    `are_all` tells that these are all customers between the first and the last of them.
    """
    if not keys:
        return {}
    if are_all:
        rows = reader.rows(_OF_SPAN, first=min(keys), last=max(keys))
    else:
        rows = reader.rows(_OF, ids=list(keys))
    found: dict[int, dict[str, str]] = defaultdict(dict)
    for customer, name, value in rows:
        found[customer][name] = value
    return found


def systems(reader: Reader) -> Iterator[str]:
    """Yield the names of all systems, in their order."""
    # From name to name: an index of a million ids is not read for a handful of names.
    after = ""
    while (name := reader.rows(_NEXT_NAME, after=after)[0][0]) is not None:
        yield name
        after = name


def taken(reader: Reader, wanted: Wanted) -> dict[int, dict[str, int]]:
    """Return which wanted ids other customers have, and who: by the customer that wants it, and name.

    An id is free where the customer that has it is to have another one, or none.
    """
    values: defaultdict[str, dict[str, int]] = defaultdict(dict)
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for key, ids in wanted.items():
        for name, value in ids.items():
            if value is not None and values[name].setdefault(value, key) != key:
                found[key][name] = values[name][value]
    for name, wanting in values.items():
        for value, owner in find_by(reader, name, wanting).items():
            key = wanting[value]
            if owner != key and wanted.get(owner, {}).get(name, value) == value:
                found[key].setdefault(name, owner)
    return dict(found)


def merged(had: Mapping[str, str], wanted: Mapping[str, str | None]) -> dict[str, str]:
    """Return what a customer has afterwards."""
    return {name: value for name, value in {**had, **wanted}.items() if value is not None}


def set_external_ids(
    writer: Writer, wanted: Wanted, *, had: Mapping[int, Mapping[str, str]] | None = None
) -> set[int]:
    """Have customers have these ids, and return those of whom that changes anything.

    `had` are the ids that they have so far, where the caller knows; a new customer needs no entry there. The
    version of a customer is its writer's matter. ResourceExists where another customer has an id.
    """
    wanted = {key: ids for key, ids in wanted.items() if ids}
    if not wanted:
        return set()
    had = of(writer, wanted) if had is None else had
    changes = {
        key: {name: value for name, value in ids.items() if had.get(key, {}).get(name) != value}
        for key, ids in wanted.items()
    }
    if any(len(merged(had.get(key, {}), ids)) > OF_CUSTOMER_MAX for key, ids in changes.items() if ids):
        raise ValidationFailed(f"A customer takes at most {OF_CUSTOMER_MAX} external ids.", param=FIELD)
    for key, names in taken(writer, changes).items():
        for name, owner in names.items():
            raise _taken(name, changes[key][name], owner)
    gone: defaultdict[str, list[int]] = defaultdict(list)
    for key, ids in changes.items():
        for name in ids.keys() & had.get(key, {}).keys():
            gone[name].append(key)
    for name, keys in gone.items():
        writer.run(_DROP, name=name, ids=keys)
    writer.insert(
        _ADD,
        [
            {"customer_id": key, "name": name, "value": value}
            for key, ids in changes.items()
            for name, value in ids.items()
            if value is not None
        ],
    )
    return {key for key, ids in changes.items() if ids}


def _taken(name: str, value: str | None, owner: int) -> ApiError:
    return ResourceExists(
        f"{encode_id(ID_PREFIX, owner)} has the {name} id {shortened(str(value))} already. "
        "An id is one customer's.",
        param=f"{FIELD}.{name}",
    )
