"""A migration that is killed, at whatever write, leaves the old book or the new one; the next one ends the work."""

import multiprocessing
import os
import random
import resource
import signal
import time

import apsw
import pytest
import sqlalchemy as sa

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tests.storage.old_books import OLD_SCHEMAS, run_sql, take_back
from tests.storage.test_migrate import answers_of
from tradebook import migrations
from tradebook.app import open_database
from tradebook.demo.book import demo_customers
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.storage.schema import metadata

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload([__name__])
KILLS = length(4, 70)
"""How often the migration from each older schema is killed, on SQLite."""

KILLS_OF_A_FIRST_BOOK, KILLS_ON_A_SERVER = length(3, 200), length(1, 20)
SIZE = 30
FEWEST_STATEMENTS = 6
FIRST_WRITES = 32_768
"""All files but SQLite's log are smaller than this when a migration begins to write, or written to at once."""

BESIDE = ("-wal", "-shm", "-turns")


def in_a_process(work, *arguments, killed_after_seconds=None):
    """Do work in a process of its own; returns how it ended."""
    process = PROCESSES.Process(target=work, args=arguments)
    process.start()
    process.join(killed_after_seconds)
    if killed_after_seconds is not None:
        process.kill()
    process.join()
    return process.exitcode


def limit_files(bytes_max):
    """Have the system kill this process at the write that would go beyond so many bytes of a file."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, bytes_max))


def migrate_until(url, bytes_max):
    if bytes_max is not None:
        limit_files(bytes_max)
    migrations.upgrade(url)


def create_until(folder, url, bytes_max):
    if bytes_max is not None:
        limit_files(bytes_max)
    CommandLine(folder, url).good("accounts", "create", "A")


def migrate_until_statement(url, count):
    """Migrate, and end for good before a statement of this number; tells how many there were."""
    done = []

    def count_or_end(*_):
        done.append(1)
        if len(done) == count:
            os.kill(os.getpid(), signal.SIGKILL)

    sa.event.listen(sa.Engine, "before_cursor_execute", count_or_end)
    migrations.upgrade(url)
    sa.event.remove(sa.Engine, "before_cursor_execute", count_or_end)
    return len(done)


def put(path, content):
    """Put a book where another one was."""
    for end in BESIDE:
        path.with_name(path.name + end).unlink(missing_ok=True)
    path.write_bytes(content)


def contents(url):
    """All rows of the declared tables, but for the revision that every write changes."""
    found = {}
    for table in metadata.sorted_tables:
        columns = ", ".join(column.name for column in table.columns if column.name != "revision")
        found[table.name] = sorted(run_sql(url, f"SELECT {columns} FROM {table.name}"), key=repr)
    return found


def log_bytes_of(url):
    """How long the log gets in a migration: a connection of before keeps it from being removed."""
    path = locate(url).path
    keeper = apsw.Connection(str(path))
    keeper.execute("SELECT * FROM accounts").fetchall()
    migrations.upgrade(url)
    size = path.with_name(f"{path.name}-wal").stat().st_size
    keeper.close()
    return size


def kills(random, bytes_max, seconds):
    """How to kill: at a write of the log, and at any time, in turn. The last is beyond the end: nothing is killed."""
    for number in range(KILLS):
        if number % 2:
            yield None, random.uniform(0, 1.2 * seconds)
        else:
            yield random.randint(FIRST_WRITES, bytes_max), None


@pytest.mark.parametrize("schema", length(OLD_SCHEMAS[:1], OLD_SCHEMAS))
def test_a_migration_of_a_file_killed_at_any_write_leaves_the_old_book_or_the_new(tmp_path, schema):
    url = Sqlite().new(tmp_path)
    path = locate(url).path
    ledger = Ledger(open_database(Settings(database=url)))
    ledger.take(*demo_customers(SIZE))
    answers = answers_of(ledger)
    ledger.database.close()
    take_back(url, schema)
    old = path.read_bytes()
    bytes_max = log_bytes_of(url)
    put(path, old)
    started = time.monotonic()
    assert in_a_process(migrate_until, url, None) == 0
    seconds = time.monotonic() - started
    new, found, killed = contents(url), set(), 0

    for limit, moment in kills(random.Random(schema), bytes_max, seconds):
        put(path, old)
        ended = in_a_process(migrate_until, url, limit, killed_after_seconds=moment)
        killed += ended != 0
        assert run_sql(url, "PRAGMA quick_check") == [("ok",)]
        ((version,),) = run_sql(url, "SELECT version_num FROM alembic_version")
        found.add(version)
        migrations.upgrade(url)

        assert contents(url) == new
        assert answers_of(ledger) == answers
        ledger.database.close()

    print(
        f"migrate from {schema}: {KILLS} runs, {killed} killed, left {sorted(found)}; log {bytes_max} bytes"
    )
    assert found <= {schema, migrations.HEAD}
    assert killed >= KILLS // 2


def test_a_first_book_killed_at_any_write_is_made_by_the_next_command(tmp_path):
    url = Sqlite().empty(tmp_path)
    path = locate(url).path
    CommandLine(tmp_path, url).good("accounts", "create", "A")
    bytes_max, drawn, killed = path.stat().st_size, random.Random(1), 0

    for _ in range(KILLS_OF_A_FIRST_BOOK):
        for end in ("", *BESIDE):
            path.with_name(path.name + end).unlink(missing_ok=True)
        limit = drawn.randint(0, bytes_max)
        killed += in_a_process(create_until, tmp_path, url, limit) == -signal.SIGXFSZ

        done = CommandLine(tmp_path, url).run("accounts", "create", "B")

        assert done.returncode == 0, (limit, done.stderr)
        assert run_sql(url, "PRAGMA integrity_check") == [("ok",)]
        assert CommandLine(tmp_path, url).run("migrate", "--check").returncode == 0

    print(f"accounts create: {KILLS_OF_A_FIRST_BOOK} runs, {killed} killed")
    assert killed >= KILLS_OF_A_FIRST_BOOK // 2


@pytest.mark.parametrize("schema", length(OLD_SCHEMAS[:1], OLD_SCHEMAS))
def test_a_migration_on_a_server_killed_before_any_statement_leaves_the_old_book(postgres, schema):
    drawn, last = random.Random(schema), FEWEST_STATEMENTS
    for _ in range(KILLS_ON_A_SERVER):
        url = postgres.new(None)
        ledger = Ledger(open_database(Settings(database=url)))
        ledger.take(*demo_customers(SIZE))
        answers = answers_of(ledger)
        take_back(url, schema)

        ended = in_a_process(migrate_until_statement, url, drawn.randint(1, last))

        assert ended == -signal.SIGKILL
        assert run_sql(url, "SELECT version_num FROM alembic_version") == [(schema,)]
        last = migrate_until_statement(url, None)
        assert answers_of(ledger) == answers
        ledger.database.close()
    assert last >= FEWEST_STATEMENTS
