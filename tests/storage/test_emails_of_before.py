"""Emails that were there before they were unique whatever their case: kept, told, and in nobody's way."""

import pytest

from tests.contract.checkers import assert_error
from tests.fixtures.command_line import CommandLine
from tests.storage.old_books import asking, run_sql, take_back
from tradebook import migrations
from tradebook.app import open_database
from tradebook.ids import encode_id
from tradebook.resources import accounts, api_keys
from tradebook.settings import Settings
from tradebook.storage.location import locate
from tradebook.storage.schema import apart
from tradebook.text import fold_case
from tradebook.transfer.imports.run import import_customers
from tradebook.transfer.rows import Row

USERS = "/v1/identity/account-users"
EMAILS = ("ann@x.example", "Ann@X.example", "ANN@x.example", "bob@x.example", None, None)
KEYS = tuple(range(1_001, 1_001 + len(EMAILS)))
OF_ANN = KEYS[:3]


@pytest.fixture(scope="module")
def of_before(engine, tmp_path_factory):
    """A book of before with such users in one account, and one of them in another: URL, the account, a key."""
    url = engine.new(tmp_path_factory.mktemp("before"))
    database = open_database(Settings(database=url))
    ids = [accounts.create_account(database, name, "test") for name in ("One", "Two")]
    one, two = (accounts.find_account(database, account)[0] for account in ids)
    with database.write(one) as writer:
        _, secret = api_keys.create_key(writer, "test")
    database.close()
    take_back(url, "0003")
    for account, key, email in [
        *((one, key, email) for key, email in zip(KEYS, EMAILS, strict=True)),
        (two, 5, EMAILS[1]),
    ]:
        run_sql(
            url,
            "INSERT INTO account_users (account_id, id, status, email, name, updated_at) VALUES (?, ?, 0, ?, 'N', 7)",
            (account, key, email),
        )
    return url, one, secret


@pytest.fixture
def book(engine, of_before, tmp_path):
    """The test's own."""
    url, account, secret = of_before
    return engine.copy(url, tmp_path), account, secret


@pytest.fixture
def client(book):
    """A client of the book, migrated since."""
    url, _, secret = book
    migrations.upgrade(url)
    with asking(url, secret) as made:
        yield made


def path(key: int) -> str:
    """The path of a user."""
    return f"{USERS}/{encode_id('acus', key)}"


def test_migrate_keeps_them_and_says_so(book, tmp_path):
    url, account, _ = book

    done = CommandLine(tmp_path, url).run("migrate", "--json")

    assert done.returncode == 0, done.stderr
    (notice,) = [line for line in done.stderr.splitlines() if "emails" in line]
    named = [encode_id("ac", account), *(encode_id("acus", key) for key in OF_ANN), *EMAILS[:3]]
    assert [word for word in named if word not in notice] == []
    assert "bob" not in notice
    rows = run_sql(url, "SELECT id, email FROM account_users WHERE id > 5 ORDER BY id")
    assert rows == list(zip(KEYS, EMAILS, strict=True))


def test_each_keeps_the_email_and_can_be_changed_otherwise(client):
    for key, email in zip(KEYS, EMAILS, strict=True):
        answers = [
            client.patch(path(key), json={"username": "someone", "email": email}),
            client.put(f"{path(key)}/actions/disable"),
            client.get(f"{path(key)}"),
        ]
        assert [answer.status_code for answer in answers] == [200, 200, 200]
        assert answers[2].json()["user"]["email"] == email


def test_none_of_them_takes_anothers_email_nor_does_anybody_else(client):
    others = KEYS[3]
    for email in (*EMAILS[:3], "aNN@x.example"):
        owners = {key for key, own in zip(KEYS, EMAILS, strict=True) if own == email}

        for key in {*OF_ANN, others} - owners:
            assert_error(client.patch(path(key), json={"email": email}), 409, "resource_exists", "email")
        assert_error(client.post(USERS, json={"email": email}), 409, "resource_exists", "email")


def test_the_email_is_free_when_the_last_of_them_has_left_it(client):
    """Whoever leaves first, the oldest who has it or one that is kept apart."""
    for place, key in enumerate((OF_ANN[0], OF_ANN[2], OF_ANN[1])):
        assert_error(client.post(USERS, json={"email": "ANN@X.EXAMPLE"}), 409, "resource_exists", "email")
        assert client.patch(path(key), json={"email": f"left{place}@x.example"}).status_code == 200

    assert client.post(USERS, json={"email": "ANN@X.EXAMPLE"}).status_code == 201


def test_one_who_was_removed_comes_back_by_the_email_that_the_oldest_has_left(client):
    client.patch(path(OF_ANN[0]), json={"email": "left@x.example"})
    client.patch(path(OF_ANN[2]), json={"email": None})
    client.put(f"{path(OF_ANN[1])}/actions/remove")

    answer = client.post(USERS, json={"email": EMAILS[0]})

    assert (answer.status_code, answer.json()["id"]) == (201, encode_id("acus", OF_ANN[1]))
    assert answer.json()["user"]["name"] == "N"


def test_one_who_comes_back_when_the_others_have_left_has_it_alone(client, book):
    url, account, _ = book
    for key in OF_ANN[:2]:
        client.patch(path(key), json={"email": None})
    client.patch(path(OF_ANN[2]), json={"email": None})

    assert client.patch(path(OF_ANN[2]), json={"email": "Ann@x.example"}).status_code == 200
    folded = run_sql(
        url, "SELECT email_folded FROM account_users WHERE account_id = ? AND id = ?", (account, OF_ANN[2])
    )
    assert folded == [("ann@x.example",)]


def test_what_is_kept_apart_is_no_other_email(book):
    url, account, _ = book
    migrations.upgrade(url)
    rows = run_sql(
        url, "SELECT id, email_folded FROM account_users WHERE account_id = ? ORDER BY id", (account,)
    )

    ann = fold_case(EMAILS[0])
    expected = [ann, *(apart(ann, email) for email in EMAILS[1:3]), EMAILS[3], None, None]
    assert rows == list(zip(KEYS, expected, strict=True))


def test_an_import_finds_the_one_whose_email_is_written_so(book):
    """And the oldest of them, where it is written in another way."""
    url, account, _ = book
    migrations.upgrade(url)
    database = open_database(Settings(database=url))
    emails = (*EMAILS[:3], "aNN@X.example")
    rows = [Row(n, {"number": f"{n}", "name": "A", "sales_rep_email": e}) for n, e in enumerate(emails)]

    summary = import_customers(database, account, rows, report=print)

    database.close()
    assert (summary.problems, summary.made.get("sales_reps", 0)) == (0, 0)
    reps = run_sql(url, "SELECT sales_rep_id FROM customers ORDER BY number")
    assert reps == [(rep,) for rep in (*OF_ANN, OF_ANN[0])]


def test_one_engine_takes_a_book_with_them_from_the_other(book, tmp_path):
    url, _, _ = book
    migrations.upgrade(url)
    target = f"sqlite:///{tmp_path / 'copy.db'}"

    done = CommandLine(tmp_path, url).run("copy", url, target)

    assert done.returncode == 0, done.stderr
    users = "SELECT id, email, email_folded FROM account_users ORDER BY account_id, id"
    assert run_sql(target, users) == run_sql(url, users)
    assert locate(target).exists()
