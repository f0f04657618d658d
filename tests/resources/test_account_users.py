"""Account users: no two share an email, whatever its case."""

import pytest

from tests.contract.checkers import assert_error
from tests.contract.checks import check_envelope
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


def act(book, user, verb):
    answer = book.client.put(f"{USERS}/{user['id']}/actions/{verb}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def ids(page):
    return [user["id"] for user in page["data"]]


def test_who_was_removed_is_read_and_listed_only_if_that_is_asked_for(book):
    made = [create(book, name=f"User {n}").json() for n in range(7)]
    for user in made[::2]:
        act(book, user, "remove")
    act(book, made[1], "disable")
    newest_first = [user["id"] for user in made[::-1]]

    def walked(scope):
        pages, url = [], f"{USERS}?limit=2{scope}"
        while url:
            page = book.get(url)
            pages.append(ids(page))
            url = page["page_info"]["next_page_url"]
        return [key for page in pages for key in page]

    for scope in ("", "&removed_scope=excluded"):
        assert walked(scope) == [key for key in newest_first if key not in [u["id"] for u in made[::2]]]
    assert walked("&removed_scope=included") == newest_first
    assert book.get(f"{USERS}/{made[0]['id']}")["status"] == "removed"
    following = book.get(f"{USERS}?limit=1&removed_scope=included")["page_info"]["next_page_url"]
    check_envelope(book.client.get(following.replace("included", "excluded")), 400, "cursor")
    check_envelope(book.client.get(f"{USERS}?removed_scope=all"), 400, "removed_scope")
    check_envelope(book.client.get(f"{USERS}?role_type=admin"), 400, "role_type")


def test_who_was_removed_comes_back_as_they_were_but_for_what_is_given(book):
    before = create(book, email="ann@example.com", name="Ann", username="ann").json()
    act(book, before, "remove")

    answer = create(book, email="Ann@Example.com", username=None, image_url="https://example.com/ann")

    after = answer.json()
    assert answer.status_code == 201
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])
    assert after["status"] == "active"
    user = {
        "email": "Ann@Example.com",
        "username": None,
        "image_url": "https://example.com/ann",
    }
    assert after["user"] == before["user"] | user | {"updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]
    assert ids(book.get(USERS)) == [before["id"]]
    check_envelope(create(book, email="ann@example.com"), 409, "email")


@pytest.mark.parametrize("verb", ["activate", "disable", "remove"])
def test_an_action_takes_the_includes_that_the_list_takes(book, verb):
    user = create(book, name="Ann").json()
    path = f"{USERS}/{user['id']}/actions/{verb}"

    answer = book.client.put(f"{path}?include[]=user&include[]=owner&include[]=role")

    assert (answer.status_code, answer.json()["user"]["name"]) == (200, "Ann")
    assert book.client.put(f"{path}?include[]=customers").status_code == 400


def test_who_is_disabled_or_has_no_email_does_not_come_back(book):
    disabled, nameless = create(book, email="ann@example.com").json(), create(book, name="Bob").json()
    act(book, disabled, "disable")
    act(book, nameless, "remove")

    check_envelope(create(book, email="ann@example.com"), 409, "email")
    assert create(book, name="Bob").json()["id"] != nameless["id"]
    check_envelope(create(book, email=None), 400, "email")


def test_an_import_names_who_was_removed_and_does_not_bring_them_back(book):
    """An export names them, and importing it again must change nothing."""
    ann = create(book, email="ann@example.com", name="Ann").json()
    act(book, ann, "remove")

    book.add({"number": "1", "name": "A", "sales_rep_email": "Ann@example.com", "sales_rep_name": "Ann"})

    assert book.numbers(**{"sales_rep_ids[]": ann["id"]}) == ["1"]
    assert book.get(f"{USERS}/{ann['id']}")["status"] == "removed"
    assert ids(book.get(USERS)) == []
