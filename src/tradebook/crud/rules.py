"""Rules that hold of every row of a book, and how a row that breaks one is found."""

from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import sqlalchemy as sa

from tradebook.ids import KEY_MAX
from tradebook.storage.database import ROWS_AT_ONCE, Reader
from tradebook.storage.schema import ACCOUNT, Prepared, prepare


class Rule(msgspec.Struct, frozen=True, eq=False):
    """A rule about the rows whose keys are in the column `walked`.

    `suspects` yields a key, then what `says` is called with. That returns what is wrong, behind the row's
    name, or None where nothing is.
    """

    walked: sa.Column[Any]
    suspects: Prepared
    says: Callable[..., str | None]


def rule(
    walked: sa.Column[Any],
    says: Callable[..., str | None],
    *conditions: sa.ColumnElement[bool],
    key: sa.Column[Any] | None = None,
    told: tuple[sa.ColumnElement[Any], ...] = (),
    joined: sa.FromClause | None = None,
) -> Rule:
    """Make a rule: rows that meet all conditions are suspects.

    `key` is the walked key as another table has it, and `told` is what a sentence needs to know.
    """
    key = walked if key is None else key
    above, below = (sa.bindparam(name, type_=sa.BigInteger) for name in ("above", "below"))
    own = [key.table.c.account_id == ACCOUNT, key >= above, key < below]
    select = sa.select(key, *told).where(*own, *conditions).order_by(key)
    return Rule(walked, prepare(select if joined is None else select.select_from(joined)), says)


def broken(reader: Reader, rules: list[Rule]) -> Iterator[tuple[int, str]]:
    """Yield the rows that break one of these rules, which walk the same keys, some rows at a time."""
    (walked,) = {rule.walked for rule in rules}
    for above, below in _spans(reader, walked):
        for each in rules:
            for key, *told in reader.rows(each.suspects, above=above, below=below):
                wrong = each.says(*told)
                if wrong is not None:
                    yield key, wrong


def _spans(reader: Reader, walked: sa.Column[Any]) -> Iterator[tuple[int, int]]:
    """Cover all keys there could be, by spans with so many rows each."""
    after = prepare(
        sa.select(walked)
        .where(walked.table.c.account_id == ACCOUNT, walked >= sa.bindparam("above", type_=sa.BigInteger))
        .order_by(walked)
        .limit(ROWS_AT_ONCE)
    )
    above = 0
    while above < KEY_MAX:
        keys = reader.rows(after, above=above)
        below = keys[-1][0] + 1 if len(keys) == ROWS_AT_ONCE else KEY_MAX
        yield above, below
        above = below
