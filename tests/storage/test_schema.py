"""The schema's rules: the account leads everything, and no statement is made without it."""

import apsw
import pytest
import sqlalchemy as sa

from tests.fixtures.engines import Sqlite
from tests.storage.old_books import take_back
from tradebook import migrations
from tradebook.app import open_database
from tradebook.ids import KEY_MAX
from tradebook.resources import INDEXES, accounts
from tradebook.resources.account_groups import INDEX as groups_index
from tradebook.resources.addresses import INDEX as addresses_index
from tradebook.resources.addresses import addresses
from tradebook.resources.customers import INDEX as customers_index
from tradebook.resources.customers import customer_addresses, customers
from tradebook.settings import Settings
from tradebook.storage.index import Query
from tradebook.storage.location import locate
from tradebook.storage.schema import ACCOUNT, StatementWithoutAccount, metadata, prepare
from tradebook.storage.sqlite.dialect import DIALECT
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row

_DECLARED = {index.name for table in metadata.tables.values() for index in table.indexes}
ONLY_ON_POSTGRESQL = {
    *((index.folded.name, "facts") for index in INDEXES),
    *(f"{index.folded.name}_by_everything" for index in INDEXES),
    *(f"{column.table}_by_{column.name}" for index in INDEXES for column in index.facet_columns),
} - _DECLARED
TENANT_TABLES = [table for table in metadata.sorted_tables if table.name != "deployment"]
_c, _a, _l = customers.c, addresses.c, customer_addresses.c
_other = customers.alias("other")


@pytest.fixture(scope="module")
def migrated(tmp_path_factory):
    """A new database, as `tradebook migrate` makes it."""
    path = tmp_path_factory.mktemp("schema") / "book.db"
    migrations.upgrade(f"sqlite:///{path}")
    return path


@pytest.mark.parametrize("table", TENANT_TABLES, ids=lambda table: table.name)
def test_the_account_leads_every_key_index_and_reference(table):
    assert next(iter(table.primary_key.columns)).name == "account_id"
    assert all(next(iter(index.columns)).name == "account_id" for index in table.indexes)
    assert all(key.column_keys[0] == "account_id" for key in table.foreign_key_constraints)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request, tmp_path):
    """The URL of a place for a book on each engine."""
    return (
        Sqlite().empty(tmp_path)
        if request.param == "sqlite"
        else request.getfixturevalue("postgres").empty(None)
    )


def reflected(url: str) -> sa.MetaData:
    """What is in a database."""
    made = sa.MetaData()
    with locate(url).migrating() as connection:
        made.reflect(connection)
    return made


def test_migrations_make_what_the_code_declares(place):
    """Column by column, index by index, reference by reference."""
    migrations.upgrade(place)
    made = reflected(place)

    assert set(made.tables) == {*metadata.tables, "alembic_version"}
    assert [described(made.tables[name]) for name in metadata.tables] == [
        described(table) for table in metadata.tables.values()
    ]


def test_all_text_is_compared_by_its_bytes(postgres):
    url = postgres.empty(None)
    migrations.upgrade(url)
    columns = [column for name in metadata.tables for column in reflected(url).tables[name].columns]
    texts = [column for column in columns if isinstance(column.type, sa.Text)]

    assert len(texts) > 40
    assert [str(column) for column in texts if column.type.collation != "C"] == []


def test_a_book_can_be_taken_back_to_nothing_and_made_again(place):
    migrations.upgrade(place)
    take_back(place, "base")
    assert set(reflected(place).tables) == {"alembic_version"}

    migrations.upgrade(place)

    assert set(reflected(place).tables) == {*metadata.tables, "alembic_version"}


def described(table: sa.Table) -> tuple:
    """What counts of a table; what filters need on PostgreSQL alone has tests of its own."""
    return (
        table.name,
        # In any order: what a migration adds to a table comes last, wherever it is declared.
        sorted(
            (column.name, str(column.type._type_affinity), column.nullable)
            for column in table.columns
            if (table.name, column.name) not in ONLY_ON_POSTGRESQL
        ),
        [column.name for column in table.primary_key.columns],
        sorted(
            (i.name, i.unique, [c.name for c in i.columns])
            for i in table.indexes
            if i.name not in ONLY_ON_POSTGRESQL
        ),
        sorted(
            (key.column_keys, [element.target_fullname for element in key.elements])
            for key in table.foreign_key_constraints
        ),
    )


def test_head_is_the_last_migration(migrated):
    connection = apsw.Connection(str(migrated))
    assert connection.execute("SELECT version_num FROM alembic_version").get == migrations.HEAD


def test_tables_are_kept_in_the_order_of_their_keys(migrated):
    """WITHOUT ROWID: a page of an account is one contiguous read."""
    connection = apsw.Connection(str(migrated))
    kept = connection.execute(
        "SELECT name, wr FROM pragma_table_list WHERE type = 'table' AND schema = 'main'"
    )

    assert {name for name, without in kept if not without} == {
        "alembic_version",
        "sqlite_schema",
        "sqlite_stat1",
    }


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(_c.id),
        sa.select(_c.id).where(_c.id == sa.bindparam("id")),
        sa.select(_c.id).where(_c.account_id == 5),
        sa.select(_c.id).where(_c.account_id == sa.bindparam("other")),
        sa.select(_c.id, _a.name)
        .join_from(customers, addresses, _a.id == _c.id)
        .where(_c.account_id == ACCOUNT),
        sa.select(_c.id).join(_other, _other.c.id == _c.parent_id).where(_c.account_id == ACCOUNT),
        sa.select(_c.id).where(_c.account_id == ACCOUNT, _c.id.in_(sa.select(_l.customer_id))),
        sa.select(_c.id).where(_c.account_id == ACCOUNT, sa.exists().where(_other.c.parent_id == _c.id)),
        sa.update(customers).values(name="x"),
        sa.delete(customers).where(_c.id == 1),
        sa.insert(customers).from_select(["id"], sa.select(_a.id)),
    ],
    ids=range(11),
)
def test_no_statement_is_made_without_its_account(statement):
    with pytest.raises(StatementWithoutAccount):
        prepare(statement)


@pytest.mark.parametrize(
    "statement",
    [
        sa.select(_c.id).where(_c.account_id == ACCOUNT),
        sa.select(_c.id).join(_other, _other.c.account_id == ACCOUNT).where(_c.account_id == ACCOUNT),
        sa.update(customers).values(name="x").where(_c.account_id == ACCOUNT),
        sa.insert(customers),
    ],
    ids=range(4),
)
def test_a_statement_with_its_account_is_made(statement):
    assert prepare(statement).text(DIALECT)[0]


def test_a_book_of_before_is_indexed_when_it_is_upgraded(place):
    """Addresses and groups were not searched once: what stands in an older book is found after `migrate`."""
    locate(place).create()
    migrations.upgrade(place)
    database = open_database(Settings(database=place))
    account, _ = accounts.find_account(database, accounts.create_account(database, "Old", "test"))
    record = {"name": "A", "type": "Wholesale", "bill_to.country": "DE", "bill_to.locality": "Ulm"}
    rows = [Row(1, record)]
    import_customers(database, account, rows, report=print)
    database.close()
    take_back(place, "0002")

    migrations.upgrade(place)

    database = open_database(Settings(database=place))
    with database.read(account) as reader:
        found = [
            reader.keys(index, Query((), (word,)), above=0, below=KEY_MAX, descending=True, limit=9)
            for index, word in (
                (addresses_index, "ulm"),
                (groups_index, "wholesale"),
                (customers_index, "ulm"),
            )
        ]
    database.close()
    assert [len(keys) for keys in found] == [1, 1, 1]
