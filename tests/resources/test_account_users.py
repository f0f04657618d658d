"""Account users: no two share an email, whatever its case."""

import pytest

from tests.contract.checkers import assert_error
from tradebook.text import fold_case

USERS = "/v1/identity/account-users"


def create(book, **fields):
    return book.client.post(USERS, json=fields)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("ann@example.com", "Ann@Example.COM"),
        ("ÉLAN@example.com", "élan@example.com"),
        ("\u00e9lan@example.com", "E\u0301lan@example.com"),
        ("straße@example.com", "STRASSE@example.com"),
        ("ΣΊΣΥΦΟΣ@example.com", "σίσυφος@example.com"),
        ("ﬁne@example.com", "FINE@example.com"),
    ],
)
def test_an_email_is_taken_in_capitals_too(book, first, second):
    made = create(book, email=first)
    other = create(book, name="Other")

    assert made.status_code == other.status_code == 201
    assert_error(create(book, email=second), 409, "resource_exists", "email")
    path = f"{USERS}/{other.json()['id']}"
    assert_error(book.client.patch(path, json={"email": second}), 409, "resource_exists", "email")
    shown = book.get(f"{USERS}/{made.json()['id']}")
    assert shown["user"]["email"] == first


@pytest.mark.parametrize(
    ("first", "second"),
    [("elan@example.com", "élan@example.com"), ("a@example.com", "а@example.com"), ("a@b", "a@b.")],
    ids=["an accent", "a letter that looks alike", "another host"],
)
def test_what_differs_in_more_than_capitals_is_another_email(book, first, second):
    assert [create(book, email=email).status_code for email in (first, second)] == [201, 201]


def test_a_user_keeps_and_changes_the_email(book):
    """In capitals, to another one and back; an email that is left is free for others."""
    path = f"{USERS}/{create(book, email='ann@example.com').json()['id']}"

    def become(email):
        return book.client.patch(path, json={"email": email}).status_code

    assert [become(email) for email in ("ANN@example.com", "bob@example.com")] == [200, 200]
    assert create(book, email="Ann@example.com").status_code == 201
    assert become("ann@EXAMPLE.com") == 409
    assert [become(email) for email in ("BOB@example.com", "cy@example.com")] == [200, 200]
    assert book.client.patch(path, json={"email": None, "name": "Ann"}).status_code == 200
    assert create(book, email="CY@example.com").status_code == 201


def test_an_import_finds_a_rep_whatever_the_case(book):
    made = create(book, email="ann@example.com", name="Ann").json()["id"]

    book.add({"number": "1", "name": "A", "sales_rep_email": "ANN@Example.com", "sales_rep_name": "Ann"})
    book.add({"number": "2", "name": "B", "sales_rep_email": "New@example.com"})
    book.add({"number": "3", "name": "C", "sales_rep_email": "NEW@example.com"})

    assert len(book.get(USERS)["data"]) == 2
    assert book.numbers(**{"sales_rep_ids[]": made}) == ["1"]
    assert_error(create(book, email="nEW@example.com"), 409, "resource_exists", "email")


def test_folding_the_case_keeps_accents_and_no_way_of_writing_them():
    assert fold_case("É") == fold_case("e\u0301") == "é"
    assert fold_case("É") != fold_case("E")
    assert fold_case(fold_case("ΐ")) == fold_case("ΐ") == fold_case("Ϊ́")
