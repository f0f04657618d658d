"""Imports in many small steps, so that a few rows are enough for every part of the way."""

from contextlib import ExitStack
from unittest.mock import patch

import pytest

from tradebook.transfer.imports import applying, pace, staging
from tradebook.transfer.imports.planning import plan_customers
from tradebook.transfer.maps.options import Options
from tradebook.transfer.rows import Row

ROWS_IN_A_STEP = 8


def in_small_steps():
    """Have everything be small: what one step takes, a block, and what is done at once."""
    return (
        patch.multiple(pace, ROWS_LEAST=ROWS_IN_A_STEP, ROWS_FIRST=ROWS_IN_A_STEP, ROWS_MAX=ROWS_IN_A_STEP),
        # However busy the machine is, the steps are the same.
        patch.multiple(pace, AIM_SECONDS=60, AIM_BESIDE_SECONDS=60),
        patch.multiple(staging, BLOCK_ROWS=10, BLOCKS_AT_ONCE=2),
        patch.multiple(applying, ROWS_IN_ONE_STEP=5),
    )


@pytest.fixture
def small_steps():
    """Have every import of a test go in small steps."""
    with ExitStack() as small:
        for each in in_small_steps():
            small.enter_context(each)
        yield


def planned(database, account, records, **options):
    """The plan of some records. Close it."""
    rows = [Row(line, each) for line, each in enumerate(records, 1)]
    with database.read(account) as reader:
        return plan_customers(reader, rows, Options(**options))


def family(size):
    """Customers of every kind: a parent after and before its children, numbers given and not, groups made."""
    yield {"number": "C1", "name": "Child of a late one", "parent_number": "LATE", "price_groups": "Fresh"}
    for place in range(size):
        record = {"name": f"Customer {place}", "email": f"c{place}@example.com"}
        record |= {"bill_to.country": "IE", "bill_to.locality": f"Town {place}"}
        if place % 3:
            record["number"] = f"N{place}"
        if place % 5 == 4:
            record |= {"parent_number": "EARLY"}
        if place == 0:
            record["number"] = "EARLY"
        if place == size // 2:
            record["number"] = "1041"
        yield record
    yield {"number": "LATE", "name": "Late parent", "sales_rep_email": "rep@example.com"}
    yield {"name": "Child without a number", "parent_number": "LATE"}


def told(records):
    """What is the same however often an import was begun: all but the times."""
    return sorted(
        ({name: value for name, value in each.items() if name != "created_at"} for each in records),
        key=repr,
    )


def shown(record):
    """A record with its addresses' keys dotted, as a row has them."""
    flat = {}
    for name, value in record.items():
        if name in ("bill_to", "ship_to"):
            flat.update({f"{name}.{inner}": entry for inner, entry in (value or {}).items()})
        else:
            flat[name] = value
    return flat
