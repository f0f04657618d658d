"""How the index of a condition has its rows."""

from typing import Any

import sqlalchemy as sa

from tradebook.storage.index import Condition


def is_composed(condition: Condition) -> bool:
    """Tell whether several columns must match together; an index begins with only one of them."""
    return any(len([part for part in value if part is not None]) > 1 for value in condition.values)


def leading(condition: Condition) -> tuple[sa.Column[Any], list[Any]]:
    """Return the column that the index of a condition begins with, and the values asked for."""
    place = next(at for at, part in enumerate(condition.values[0]) if part is not None)
    return condition.facet.columns[place], [value[place] for value in condition.values]
