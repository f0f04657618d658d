"""`tradebook check`: each kind of fault is planted once, and found by its name; a whole book has none."""

import hashlib
import json
import re
from contextlib import closing

import apsw
import psycopg
import pytest

from tests.fixtures.command_line import CommandLine
from tests.fixtures.engines import Sqlite
from tests.fixtures.ledgers import Ledger
from tests.fixtures.lengths import length
from tradebook.app import open_database
from tradebook.checking import faults_of_account, faults_of_book
from tradebook.cli import check as check_command
from tradebook.cli.output import FAILED
from tradebook.demo.book import demo_customers
from tradebook.ids import encode_body
from tradebook.resources import api_keys, customers
from tradebook.settings import Settings
from tradebook.storage import database as storage_database
from tradebook.storage import index_versions
from tradebook.storage.index_documents import documents
from tradebook.storage.location import locate
from tradebook.storage.sqlite.index import tokens

RECORDS = (
    {"number": "1", "name": "Parent", "type": "Retail", "carrier": "FedEx", "bill_to.country": "FR"},
    {"number": "2", "name": "Child", "parent_number": "1", "price_groups": ["Gold"], "bill_to.country": "DE"},
    {
        "number": "3",
        "name": "Third",
        "service_level": "Ground",
        "carrier": "UPS",
        "sales_rep_email": "Ann@example.com",
        "bill_to.country": "DE",
        "bill_to.locality": "Ulm",
        "ship_to.country": "DE",
        "ship_to.locality": "Rom",
        "credit_limit": "10.00",
    },
)
CUSTOMER = "id = (SELECT id FROM customers WHERE account_id = {a} AND number = '{n}')"
"""The condition for a customer, by its number."""


def of(number):
    return f"account_id = {{a}} AND {CUSTOMER.replace('{n}', number)}"


NOWHERE = "7"
"""The key of a row that is in no table."""

ROW_FAULTS = {
    "parent flag set": (f"UPDATE customers SET is_parent = 1 WHERE {of('3')}", "Customer ac_.* no child accounts"),
    "parent flag lost": (f"UPDATE customers SET is_parent = 0 WHERE {of('1')}", "Customer ac_.* child accounts, and is_parent"),
    "own parent": (f"UPDATE customers SET parent_id = id WHERE {of('3')}", "Customer ac_.* is its own parent"),
    "grandchild": (
        f"UPDATE customers SET parent_id = (SELECT id FROM customers WHERE account_id = {{a}} AND number = '2') WHERE {of('3')}",
        "Customer ac_.* has the parent ac_.*, which is a child account itself",
    ),
    "type of another kind": (
        f"UPDATE customers SET type_id = (SELECT id FROM account_groups WHERE account_id = {{a}} AND name = 'Gold') WHERE {of('1')}",
        "Customer ac_.* has the type acgr_.*, which is no type group",
    ),
    "pricing group of another kind": (
        ("UPDATE customer_price_groups SET group_id = (SELECT id FROM account_groups WHERE account_id = {a} AND name = 'Retail')"
        " WHERE account_id = {a}"),
        "Customer ac_.* is in acgr_.*, which is no pricing group",
    ),
    "level of another carrier": (
        ("UPDATE customers SET service_level_id = (SELECT min(id) FROM service_levels WHERE account_id = {a} AND carrier_id <>"
        f" customers.carrier_id) WHERE {of('3')}"),
        "Customer ac_.* has the service level crop_.* of another carrier",
    ),
    "link lost": ("DELETE FROM customer_addresses WHERE account_id = {a}", "bill-to address ad_.*: the link is missing"),
    "link of the ship-to address lost": (
        f"UPDATE customers SET bill_to_address_id = NULL WHERE {of('3')}; DELETE FROM customer_addresses WHERE account_id = {{a}}",
        "ship-to address ad_.*: the link is missing",
    ),
    "link left over": (f"UPDATE customers SET ship_to_address_id = NULL WHERE {of('3')}", "link to the address ad_.* that nothing holds"),
    "link stale": ("UPDATE addresses SET locality = 'Bonn' WHERE account_id = {a} AND locality = 'Ulm'", "ad_.* has: the link is stale"),
    "link's place lost": ("UPDATE addresses SET locality = NULL WHERE account_id = {a}", "ad_.* has: the link is stale"),
    "sequence behind": ("UPDATE accounts SET last_customer_number = 2 WHERE account_id = {a}", "has the number 3, .* sequence is at 2 only"),
    "sequence broken": ("UPDATE accounts SET last_customer_number = -1 WHERE account_id = {a}", "numbers is at -1"),
    "revision broken": ("UPDATE accounts SET revision = -1 WHERE account_id = {a}", "revision is -1"),
    "merged and there": (
        ("INSERT INTO merged_customers (account_id, id, survivor_id, updated_at) SELECT account_id, id, id, 1 FROM customers"
        f" WHERE {of('3')}"),
        "Customer ac_.* was merged into ac_.*, and is still there",
    ),
    "number folded otherwise": (f"UPDATE customers SET number_folded = 'x' WHERE {of('3')}", r"Customer ac_.* \(number_folded\)"),
    "phone known otherwise": (f"UPDATE customers SET phone_digits = '1' WHERE {of('3')}", r"Customer ac_.* \(phone_digits\)"),
    "email folded otherwise": ("UPDATE account_users SET email_folded = 'x' WHERE account_id = {a}", r"Account user acus_.* \(email_folded\)"),
    "two defaults": ("UPDATE service_levels SET is_default = 1 WHERE account_id = {a}", r"Carrier cr_.* has \d default service levels"),
    "word out of range": (f"UPDATE customers SET status = 99 WHERE {of('3')}", "Customer ac_.* has 99 in customers.status, which takes 0 to"),
    "flag out of range": ("UPDATE carriers SET is_system = 2 WHERE account_id = {a}", "Carrier cr_.* has 2 in carriers.is_system, .* 0 to 1"),
    "link's flag out of range": ("UPDATE customer_addresses SET is_attached = -1 WHERE account_id = {a}", "has -1 in customer_addresses.is_attached"),
    "amount without currency": (f"UPDATE customers SET credit_limit_currency = NULL WHERE {of('3')}", "has credit_limit or its currency"),
    "no amount": (f"UPDATE customers SET credit_limit = 'ten' WHERE {of('3')}", "has 'ten' in customers.credit_limit, .* an amount"),
    "parent not there": (
        f"UPDATE customers SET parent_id = {NOWHERE} WHERE {of('3')}",
        r"Customer ac_.* refers to ac_0000000000007, which is not there \(customers.parent_id\)",
    ),
    "link to nothing": (
        f"UPDATE customer_price_groups SET group_id = {NOWHERE} WHERE account_id = {{a}}",
        r"Customer ac_.* refers to acgr_0000000000007, which is not there \(customer_price_groups.group_id\)",
    ),
    "link of nobody": (
        f"UPDATE customer_price_groups SET customer_id = {NOWHERE} WHERE account_id = {{a}}",
        r"Customer ac_0000000000007 refers to ac_0000000000007, which is not there \(customer_price_groups.customer_id\)",
    ),
    "link of somebody behind all others": (
        "UPDATE customer_price_groups SET customer_id = 9000000000000000000 WHERE account_id = {a}",
        r"is not there \(customer_price_groups.customer_id\)",
    ),
    "carrier gone": ("DELETE FROM carriers WHERE account_id = {a}", r"Service level crop_.* refers to cr_.* not there"),
    "text missing": ("DELETE FROM customer_search WHERE account_id = {a}", "Customer ac_.* is not in the index"),
    "text stale": ("UPDATE addresses SET street_line_1 = 'Main' WHERE account_id = {a}", "Address ad_.* with something else than its row"),
    "text damaged": ("UPDATE account_group_search SET folded = 'x' WHERE account_id = {a}", "Account group acgr_.* with something else"),
    "text left over": (
        ("UPDATE address_search SET address_id = 7 WHERE account_id = {a} AND address_id = (SELECT min(address_id) FROM"
        " address_search WHERE account_id = {a})"),
        "Address ad_0000000000007 is in the index, and there is no such row",
    ),
    "another name in the JSON": ("UPDATE finished_customers SET head = head || ' ' WHERE account_id = {a}", "Customer ac_.* is kept as JSON with something else"),
    "JSON of an address lost": ("DELETE FROM finished_addresses WHERE account_id = {a}", "Address ad_.* is kept as JSON with something else"),
    "key of another environment": ("UPDATE api_keys SET environment = 'prod' WHERE account_id = {a}", "API key ak_.* another environment"),
}  # fmt: skip

INDEX = "customers_index_{body}"
TOKEN_FAULTS = {
    "row missing": (f"DELETE FROM {INDEX} WHERE rowid = -{{third}}", "Customer ac_.* is not in the index"),
    "row left over": (f"INSERT INTO {INDEX} (rowid, tokens) VALUES (-7, 'g1')", "Customer ac_0000000000007 .* no such row"),
    "tokens lost": (f"INSERT OR REPLACE INTO {INDEX} (rowid, tokens) VALUES (-{{third}}, 'g1')", "Customer ac_.* with something else"),
    "a token too many": (
        f"INSERT OR REPLACE INTO {INDEX} (rowid, tokens) VALUES (-{{third}}, '{{tokens}} w123')",
        "Customer ac_.* with something else",
    ),
    "the place of before": (
        f"INSERT OR REPLACE INTO {INDEX} (rowid, tokens) VALUES (-{{third}}, '{{tokens}} {{foreign}}')",
        "Customer ac_.* with something else",
    ),
    "index gone": (f"DROP TABLE {INDEX}", "The index of customers is missing"),
}  # fmt: skip


@pytest.fixture(scope="module")
def place(tmp_path_factory, engine):
    """The URL of a book, and the book."""
    url = engine.new(tmp_path_factory.mktemp("checked"))
    book = open_database(Settings(database=url, database_timeout_ms=60_000))
    yield url, book
    book.close()


@pytest.fixture
def ledger(place):
    """An account with three customers."""
    made = Ledger(place[1])
    made.take(*RECORDS)
    with made.database.write(made.key) as writer:
        api_keys.create_key(writer, "test")
    return made


def plant(url, statements):
    """Change rows as no program does: past all rules, also those of the engine."""
    if locate(url).is_embedded:
        with closing(apsw.Connection(str(locate(url).path))) as connection:
            connection.execute(statements)
        return
    with psycopg.connect(url) as connection:
        connection.execute(f"SET session_replication_role = replica; {statements}")


def sentences(ledger):
    return [fault.sentence for fault in faults_of_account(ledger.database, ledger.key)]


def assert_told(found, pattern):
    assert any(re.search(pattern, sentence) for sentence in found), found


def test_an_account_that_nobody_touched_has_no_fault(ledger):
    assert sentences(ledger) == []


ROWS_ON = [
    *(("sqlite", fault) for fault in ROW_FAULTS),
    *(("postgresql", fault) for fault in list(ROW_FAULTS)[:: length(4, 1)]),
]
"""The rules are the same statements on both engines, and the short run has little time."""


@pytest.mark.parametrize(("engine", "fault"), ROWS_ON, indirect=["engine"])
def test_a_fault_of_rows_is_found(place, ledger, fault):
    statement, pattern = ROW_FAULTS[fault]

    plant(place[0], statement.format(a=ledger.key))

    assert_told(sentences(ledger), pattern)


@pytest.mark.parametrize("facts", ["'{}'", "facts || 1", "facts[2:]"])
def test_a_fault_of_facts_is_found(postgres, facts):
    """A filter would miss the customer, or look at it in vain."""
    url = postgres.new(None)
    ledger = Ledger(open_database(Settings(database=url)))
    ledger.take(*RECORDS)
    assert sentences(ledger) == []

    plant(url, f"UPDATE customer_search SET facts = {facts} WHERE account_id = {ledger.key}")

    found = sentences(ledger)
    ledger.database.close()
    assert len(found) == len(RECORDS)
    assert_told(found, "Customer ac_.* with something else")


@pytest.fixture
def sqlite_ledger(tmp_path):
    book = open_database(Settings(database=Sqlite().new(tmp_path)))
    made = Ledger(book)
    made.take(*RECORDS)
    yield made
    book.close()


@pytest.mark.parametrize("fault", TOKEN_FAULTS)
def test_a_fault_of_tokens_is_found(sqlite_ledger, fault):
    statement, pattern = TOKEN_FAULTS[fault]
    keys = {
        number: key for _, key, number in sqlite_ledger.sql("SELECT account_id, id, number FROM customers")
    }
    with sqlite_ledger.database.read(sqlite_ledger.key) as reader:
        found = documents(customers.INDEX, reader.rows, sorted(keys.values()))
        written = {key: tokens(document) for key, document in found.items()}
    own, other = set(written[keys["3"]].split(" ")), set(written[keys["1"]].split(" "))
    names = {
        "body": encode_body(sqlite_ledger.key),
        "third": keys["3"],
        "tokens": " ".join(own),
        "foreign": min(other - own),
    }
    assert sentences(sqlite_ledger) == []

    plant(f"sqlite:///{sqlite_ledger.database.path}", statement.format(**names))

    found = sentences(sqlite_ledger)
    assert_told(found, pattern)
    assert len(found) == 1


STRANGE = {
    "bytes for a text": "UPDATE customers SET name = x'00'",
    "a text that is none": "UPDATE customers SET name = CAST(x'ff00' AS TEXT)",
    "a text for a number": "UPDATE customers SET type_id = 'x'",
    "a fraction for a flag": "UPDATE customers SET is_parent = 0.5",
    "a text that is none in JSON": "UPDATE finished_customers SET head = CAST(x'ff00' AS TEXT)",
    "a text that is none beside the customers": "UPDATE account_groups SET name = CAST(x'ff00' AS TEXT)",
}


@pytest.mark.parametrize("fault", STRANGE)
def test_a_value_of_another_kind_is_told_and_not_worked_with(sqlite_ledger, fault):
    """As damage leaves it, or somebody's SQL: the file keeps it, and nothing can be compared with it."""
    plant(f"sqlite:///{sqlite_ledger.database.path}", STRANGE[fault])

    *found, last = sentences(sqlite_ledger)

    table, column = re.search(r"UPDATE (\w+) SET (\w+)", STRANGE[fault]).groups()
    assert found
    for sentence in found:
        told = re.fullmatch(
            r"[A-Z][a-z ]+ (ac|acgr)_\w{13} has a value of the wrong kind in (\S+)\.", sentence
        )
        assert told[2] == f"{table}.{column}"
    assert last == "The rest was not looked at: it can't be compared with such values."


@pytest.mark.parametrize("column", ["revision", "last_customer_number"])
def test_a_value_of_another_kind_in_the_accounts_own_row_is_told(sqlite_ledger, column):
    plant(f"sqlite:///{sqlite_ledger.database.path}", f"UPDATE accounts SET {column} = 'x'")

    assert sum("'x'" in sentence for sentence in sentences(sqlite_ledger)) == 1


def test_rows_of_many_steps_are_each_compared(sqlite_ledger, monkeypatch):
    """With steps of three rows: what is wrong of the first and of the last is named, and nothing else is."""
    for module in (index_versions, storage_database):
        monkeypatch.setattr(module, "ROWS_AT_ONCE", 3)
    monkeypatch.setattr("tradebook.storage.index_faults.ROWS_AT_ONCE", 3)
    monkeypatch.setattr("tradebook.crud.rules.ROWS_AT_ONCE", 3)
    index_versions.keys_to_index.cache_clear()
    try:
        sqlite_ledger.take(*({"number": str(n), "name": f"Customer {n}"} for n in range(10, 30)))
        assert sentences(sqlite_ledger) == []

        plant(
            f"sqlite:///{sqlite_ledger.database.path}",
            "UPDATE customers SET status = 99 WHERE number IN ('10', '29')",
        )

        found = sentences(sqlite_ledger)
        assert sum("customers.status" in sentence for sentence in found) == 2
        assert sum("something else" in sentence for sentence in found) == 2
        assert len(found) == 4
    finally:
        index_versions.keys_to_index.cache_clear()


def test_a_made_up_book_has_no_fault(place):
    made = Ledger(place[1])
    made.take(*demo_customers(300))

    assert sentences(made) == []


FILE_FAULTS = {
    "account lost": ("DELETE FROM accounts", "Rows of carriers belong to an account that is not there"),
    "index of nobody": ("DELETE FROM accounts", "index customers_index_.* belongs to an account"),
}
DATABASE_FAULTS = {
    "wall down": ("ALTER TABLE addresses DISABLE ROW LEVEL SECURITY", "Row-level security of addresses is off"),
    "index not made to its end": (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'customers_by_type_id'::regclass",
        "index customers_by_type_id is not valid",
    ),
    "constraint not checked": (
        "ALTER TABLE deployment ADD CONSTRAINT is_named CHECK (name <> '') NOT VALID",
        "constraint is_named was never checked",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FILE_FAULTS)
def test_a_fault_of_the_file_is_found(sqlite_ledger, fault):
    statement, pattern = FILE_FAULTS[fault]
    assert list(faults_of_book(sqlite_ledger.database)) == []

    plant(f"sqlite:///{sqlite_ledger.database.path}", statement)

    assert_told([fault.sentence for fault in faults_of_book(sqlite_ledger.database)], pattern)


@pytest.mark.parametrize("fault", DATABASE_FAULTS)
def test_a_fault_of_the_database_is_found(tmp_path, postgres, fault):
    statement, pattern = DATABASE_FAULTS[fault]
    url = postgres.new(tmp_path)
    with closing(open_database(Settings(database=url))) as book:
        assert list(faults_of_book(book)) == []

        plant(url, statement)

        assert_told([fault.sentence for fault in faults_of_book(book)], pattern)


def test_a_book_on_a_cluster_has_no_second_wall_and_that_is_no_fault(tmp_path, postgres):
    url = postgres.new(tmp_path)
    name = url.partition("?")[0].rpartition("/")[2]
    plant(
        url,
        f"ALTER DATABASE {name} SET tradebook.role = none; ALTER TABLE addresses DISABLE ROW LEVEL SECURITY",
    )

    with closing(open_database(Settings(database=url))) as book:
        assert list(faults_of_book(book)) == []


@pytest.fixture
def command(tmp_path, engine):
    """A command line with a book of two accounts."""
    made = CommandLine(tmp_path, engine.new(tmp_path))
    made.accounts = [made.good("accounts", "create", name) for name in ("Acme", "Bolt")]
    return made


def test_a_whole_book_is_said_to_be_one(command):
    done = command.run("check")

    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Nothing is wrong with 2 accounts.\n"
    assert json.loads(command.good("check", "--json")) == {"accounts": 2, "faults": 0, "shown": []}


def test_each_fault_is_a_line_with_its_account(command):
    plant(command.database, "UPDATE payment_terms SET status = 9")

    done = command.run("check")
    one = command.run("check", "--account", command.accounts[1])
    told = command.run("check", "--json")

    lines = done.stdout.splitlines()
    assert done.returncode == one.returncode == told.returncode == FAILED
    assert re.fullmatch(
        r"(ac_\w{13}): Payment term pytm_\w{13} has 9 in payment_terms.status, which takes 0 to 1\.", lines[0]
    )
    assert {line.partition(":")[0] for line in lines} == set(command.accounts)
    assert {line.partition(":")[0] for line in one.stdout.splitlines()} == {command.accounts[1]}
    assert (
        done.stderr
        == f"{len(lines)} fault{'s' if len(lines) > 1 else ''} in 2 accounts; shown: {len(lines)}.\n"
    )
    listed = json.loads(told.stdout)
    assert listed["faults"] == len(lines)
    assert [f"{fault['account']}: {fault['sentence']}" for fault in listed["shown"]] == lines


@pytest.mark.parametrize("lost", ["INDEX customers_by_type_id", "TABLE idempotency_records"])
def test_a_part_of_the_schema_that_is_lost_is_told(command, lost):
    plant(command.database, f"DROP {lost}")

    done = command.run("check")

    assert done.returncode == FAILED
    assert f"lacks {lost.split()[1]}" in done.stderr


def test_very_many_faults_are_counted_and_not_all_shown(command, monkeypatch):
    monkeypatch.setattr(check_command, "FAULTS_SHOWN", 2)
    plant(command.database, "UPDATE payment_terms SET status = 9")

    done = command.run("check")

    assert len(done.stdout.splitlines()) == 2
    assert re.match(r"\d\d faults in 2 accounts; shown: 2", done.stderr)


def test_it_changes_nothing(tmp_path):
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))
    command.good("accounts", "create", "Acme")
    book = tmp_path / "book.db"
    before = hashlib.sha256(book.read_bytes()).hexdigest()
    files = {path.name for path in tmp_path.iterdir()}

    command.good("check")

    assert hashlib.sha256(book.read_bytes()).hexdigest() == before
    assert {path.name for path in tmp_path.iterdir()} == files


def test_a_list_of_accounts_that_cannot_be_read_is_told(tmp_path):
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))
    command.good("accounts", "create", "Acme")
    plant(command.database, "UPDATE accounts SET name = CAST(x'ff00' AS TEXT)")

    done = command.run("check")

    assert done.returncode == FAILED
    assert done.stderr.startswith(f"Error: {command.database}: 'utf-8' codec can't decode")


def test_no_book_is_made_to_be_checked(tmp_path):
    done = CommandLine(tmp_path, f"sqlite:///{tmp_path / 'book.db'}").run("check")

    assert (done.returncode, list(tmp_path.iterdir())) == (FAILED, [])
    assert "There is no book at" in done.stderr


def test_a_book_without_a_schema_stays_without_one(tmp_path, engine):
    command = CommandLine(tmp_path, engine.empty(tmp_path))
    locate(command.database).create()

    done = command.run("check")

    assert done.returncode == FAILED
    assert "has no schema yet" in done.stderr


@pytest.mark.parametrize("share", length([0.6], [0.3, 0.6, 0.95]))
def test_a_damaged_file_is_told_and_no_traceback(tmp_path, share):
    command = CommandLine(tmp_path, Sqlite().new(tmp_path))
    command.good("accounts", "create", "Acme")
    book = tmp_path / "book.db"
    with book.open("r+b") as file:
        file.seek(int(book.stat().st_size * share) // 4096 * 4096)
        file.write(b"\x55" * 4096)

    done = command.run("check")

    assert done.returncode == FAILED
    assert re.search("malformed|fault in the file|could not be read", done.stdout + done.stderr)
    # SQLite tells several in one, below a heading.
    beginnings = r"SQLite finds a fault in the file: \w|ac_\w{13}: "
    assert [line for line in done.stdout.splitlines() if not re.match(beginnings, line)] == []
