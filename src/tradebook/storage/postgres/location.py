"""Where a book lies on a server, and what its database needs when its schema is changed."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import psycopg
import sqlalchemy as sa
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from tradebook.storage.database import Unavailable
from tradebook.storage.index import ListIndex
from tradebook.storage.postgres import citus, list_indexes
from tradebook.storage.postgres.beginning import AWAY
from tradebook.storage.postgres.engine import PostgresDatabase

_REFUSED = (*AWAY, errors.InsufficientPrivilege, errors.FeatureNotSupported)


class PostgresLocation:
    """A database on a server, by its URL."""

    is_embedded = False

    def __init__(self, url: str) -> None:
        self.url = url
        try:
            known = conninfo_to_dict(url)
        except psycopg.ProgrammingError:
            # Its own message would repeat the URL, and the password in it.
            raise ValueError("write postgresql://USER:PASSWORD@HOST/DATABASE") from None
        place = f"{known.get('host', '')}:{known['port']}" if "port" in known else known.get("host", "")
        self.shown = f"postgresql://{place}/{known.get('dbname', '')}"

    def exists(self) -> bool:
        """Return True: whether the database exists is found out on the first statement."""
        return True

    def create(self) -> bool:
        """Do nothing: whoever runs the server makes the database."""
        return False

    def open(self, *, timeout_ms: int, indexes: Sequence[ListIndex]) -> PostgresDatabase:
        """Return a handle to the book; connections are opened when they are needed."""
        return PostgresDatabase(self.url, timeout_ms=timeout_ms, indexes=indexes)

    @contextmanager
    def migrating(self) -> Iterator[sa.Connection]:
        """Open the transaction in which the schema is changed; its statements take as long as they take."""
        engine = sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(self.url))
        try:
            with engine.begin() as connection:
                connection.exec_driver_sql(citus.SHARD_BY_SHARD)
                yield connection
        except sa.exc.DBAPIError as error:
            if isinstance(error.orig, _REFUSED):
                raise Unavailable(str(error.orig)) from error
            raise
        finally:
            engine.dispose()

    def finish_migration(self, connection: sa.Connection, indexes: Sequence[ListIndex]) -> None:
        """Make what the declared lists need and the tables have not yet; spread new tables of a spread book.

        Before they are filled: Citus can't join what is spread with what is not.
        """
        made = list_indexes.make_missing(connection, indexes)
        if citus.is_behind(connection, made_anew=made):
            citus.distribute(connection, indexes)

    def distribute(self, connection: sa.Connection, indexes: Sequence[ListIndex]) -> list[str]:
        """Spread the tables over the machines of a Citus cluster and tell which were not yet."""
        return citus.distribute(connection, indexes)
