"""Parents and children among customers: one generation, and a parent is known to be one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Literal

import sqlalchemy as sa

from tradebook.clock import now_ms
from tradebook.crud.versions import next_version_of
from tradebook.resources.customers.finished import FINISHED
from tradebook.resources.customers.tables import customers
from tradebook.storage.database import ROWS_AT_ONCE, Reader, Writer
from tradebook.storage.schema import ACCOUNT, any_of, prepare

Misfit = Literal["missing", "itself", "is_child", "has_children"]
"""Why a parent can't be had: there is no such customer, it is the child itself, it is a child, the child has
children."""

_c, _child = customers.c, customers.alias("child")
# The key alone, not `*`: then the index of children answers without a look at any row.
has_children = (
    sa.exists(_child.c.id)
    .where(_child.c.account_id == ACCOUNT, _child.c.parent_id == _c.id)
    .correlate(customers)
)
_PARENT_OF = prepare(sa.select(_c.id, _c.parent_id).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids")))
_WITH_CHILDREN = prepare(sa.select(_c.id).where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"), has_children))
_CHILDREN_OF = prepare(
    sa.select(_c.id).where(_c.account_id == ACCOUNT, any_of(_c.parent_id, "ids")).order_by(_c.id.desc())
)
_ADOPT = prepare(
    sa.update(customers)
    .where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))
    .values(parent_id=sa.bindparam("parent"), updated_at=next_version_of(_c.updated_at))
)
_WRONG_FLAG = prepare(
    sa.select(_c.id).where(
        _c.account_id == ACCOUNT, any_of(_c.id, "ids"), (_c.is_parent == 1) != has_children
    )
)
_TURN_FLAG = prepare(
    sa.update(customers)
    .where(_c.account_id == ACCOUNT, any_of(_c.id, "ids"))
    .values(is_parent=1 - _c.is_parent, updated_at=next_version_of(_c.updated_at))
)


def misfits(reader: Reader, parents: Mapping[int, int]) -> dict[int, Misfit]:
    """Find the children, of some that are to have these parents, that can't have them, and why.

    It makes no difference whether they have them already.
    """
    parent_of: dict[int, int | None] = dict(reader.rows(_PARENT_OF, ids=sorted(set(parents.values()))))
    with_children = {key for (key,) in reader.rows(_WITH_CHILDREN, ids=sorted(parents))}
    found: dict[int, Misfit] = {}
    for child, parent in parents.items():
        if parent not in parent_of:
            found[child] = "missing"
        elif parent == child:
            found[child] = "itself"
        elif parent_of[parent] is not None:
            found[child] = "is_child"
        elif child in with_children:
            found[child] = "has_children"
    return found


def children_of(reader: Reader, parents: Iterable[int]) -> list[int]:
    """List the children of some customers, the newest first."""
    return [key for (key,) in reader.rows(_CHILDREN_OF, ids=list(parents))]


def set_parents(writer: Writer, parents: Mapping[int, int | None]) -> None:
    """Give children their parents; None takes a child from its parent."""
    children: defaultdict[int | None, list[int]] = defaultdict(list)
    for child, parent in parents.items():
        children[parent].append(child)
    for parent, listed in children.items():
        # A statement has its time, and a parent may have any number of children.
        for start in range(0, len(listed), ROWS_AT_ONCE):
            some = listed[start : start + ROWS_AT_ONCE]
            writer.run(_ADOPT, ids=some, parent=parent, now=now_ms())
            FINISHED.renew(writer, some)


def review_parents(writer: Writer, keys: Iterable[int | None]) -> list[int]:
    """Have customers be parents exactly if they have children; returns those of whom it changed."""
    wanted = sorted({key for key in keys if key is not None})
    wrong = [key for (key,) in writer.rows(_WRONG_FLAG, ids=wanted)] if wanted else []
    if wrong:
        writer.run(_TURN_FLAG, ids=wrong, now=now_ms())
        FINISHED.renew(writer, wrong)
    return wrong
