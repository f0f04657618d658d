"""Customers found by what others know them by: their number, e-mail or phone, as people write them."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import Literal, NamedTuple

import sqlalchemy as sa

from tradebook.resources.customers.likeness import digits_of
from tradebook.resources.customers.tables import customers
from tradebook.storage.database import Reader
from tradebook.storage.schema import ACCOUNT, Prepared, any_of, newest_of_each, prepare
from tradebook.text import fold_case

By = Literal["email", "phone"]
SOME = 3
"""How many customers with one value are looked for: of more it is enough to know that there are several."""

_c = customers.c


class _Way(NamedTuple):
    """How customers are found by one of their texts."""

    fold: Callable[[str], str | None]
    statement: Prepared


_WAYS: dict[By, _Way] = {
    "email": _Way(fold_case, prepare(newest_of_each(_c.email_folded, _c.id, SOME))),
    "phone": _Way(digits_of, prepare(newest_of_each(_c.phone_digits, _c.id, SOME))),
}
_RESEMBLING = prepare(newest_of_each(_c.number_plain, _c.id, SOME))
_PLAIN = prepare(
    sa.select(_c.number_folded, _c.id).where(_c.account_id == ACCOUNT, any_of(_c.number_folded, "numbers"))
)


def folded_by(by: By, text: str) -> str | None:
    """Return what is compared of an e-mail or a phone; None where nothing is left."""
    return _WAYS[by].fold(text)


def keys_by(reader: Reader, by: By, folded: Iterable[str]) -> dict[str, list[int]]:
    """Return some customers of each folded e-mail or phone, the oldest first, at most SOME."""
    return _found(reader, _WAYS[by].statement, folded)


def resembling(reader: Reader, plain: Iterable[str]) -> dict[str, list[int]]:
    """Return some customers whose number looks like each plainest form, first the one that has it."""
    asked = sorted(set(plain))
    found = defaultdict(list, _found(reader, _RESEMBLING, asked))
    for number, key in reader.rows(_PLAIN, numbers=asked) if asked else ():
        found[number].insert(0, key)
    return dict(found)


def _found(reader: Reader, statement: Prepared, values: Iterable[str]) -> dict[str, list[int]]:
    asked = sorted(set(values))
    found: defaultdict[str, list[int]] = defaultdict(list)
    for value, key in reader.rows(statement, ids=asked) if asked else ():
        found[value].append(key)
    return {value: sorted(keys) for value, keys in found.items()}
