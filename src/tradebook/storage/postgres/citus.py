"""A book spread over the machines of a Citus cluster, by account."""

from collections.abc import Iterable

import sqlalchemy as sa

from tradebook.storage.database import NotDistributable
from tradebook.storage.index import ListIndex
from tradebook.storage.postgres import row_security
from tradebook.storage.postgres.statements import searched_columns, searched_view
from tradebook.storage.schema import metadata

_HAS_CITUS = "SELECT true FROM pg_extension WHERE extname = 'citus'"
_SPREAD = "SELECT logicalrelid::regclass::text FROM pg_dist_partition"
# A migration makes tables and changes spread ones in one transaction, which Citus does shard by shard only.
SHARD_BY_SHARD = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'"


def is_behind(connection: sa.Connection, *, made_anew: bool) -> bool:
    """Tell whether the book is spread, and a table of it is not, or a view is as on one machine."""
    if not connection.execute(sa.text(_HAS_CITUS)).scalar():
        return False
    spread = {name for (name,) in connection.execute(sa.text(_SPREAD))}
    own = {table.name for table in metadata.sorted_tables}
    return "accounts" in spread and (made_anew or not own <= spread)


def distribute(connection: sa.Connection, indexes: Iterable[ListIndex]) -> list[str]:
    """Spread all tables that aren't yet, and return their names; NotDistributable without the extension.

    Row-level security ends: see `row_security.take_down`.
    """
    if not connection.execute(sa.text(_HAS_CITUS)).scalar():
        raise NotDistributable("The database has no citus extension.")
    spread = {name for (name,) in connection.execute(sa.text(_SPREAD))}
    own = [table.name for table in metadata.sorted_tables if "account_id" in table.c]
    waiting = [name for name in own if name not in spread]
    searched = [(index.folded.name, searched_view(index), searched_columns(index)) for index in indexes]
    for statement in row_security.take_down(own, searched):
        connection.execute(sa.text(statement))
    if "deployment" not in spread:
        connection.execute(sa.text("SELECT create_reference_table('deployment')"))
    # In the order of their references: what is referred to first.
    for name in waiting:
        beside = "" if name == own[0] else f", colocate_with => '{own[0]}'"
        connection.execute(sa.text(f"SELECT create_distributed_table('{name}', 'account_id'{beside})"))
    return waiting
