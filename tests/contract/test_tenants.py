"""Nothing of another account is ever visible: not a byte, not by any id, cursor, filter or error."""

import pytest

from tests.contract.checkers import (
    CUSTOMERS,
    INCLUDE_VALUES,
    assert_error,
    cursor_in,
    fetch,
    traces_of,
)
from tests.fixtures.book import Book, filled

CANARY = "zqcanary"
FOREIGN_FILTERS = {
    "customer_group_ids": ("type", "id"),
    "pricing_group_ids": ("price_groups", "data", 0, "id"),
    "sales_rep_ids": ("defaults", "sales_rep", "id"),
    "shipping_term_ids": ("defaults", "shipping_term", "id"),
    "payment_term_ids": ("defaults", "payment_term", "id"),
    "carrier_ids": ("freight_preferences", "carrier", "id"),
    "service_level_ids": ("freight_preferences", "service_level", "id"),
}
NESTED = ["", "/child_accounts", "/price_groups"]
UNKNOWN = "ac_0000000000000"


def customer(mark, number, **others):
    """A customer whose every text says whose it is."""
    place = {
        part: {
            f"{part}.name": f"{mark} {part}",
            f"{part}.street_line_1": f"{mark} street",
            f"{part}.locality": f"{mark} city",
            f"{part}.state": f"{mark} state",
            f"{part}.postal_code": f"{mark} code",
            f"{part}.country": "US",
            f"{part}.phone": f"{mark} phone",
            f"{part}.email": f"{part}@{mark}.example",
        }
        for part in ("bill_to", "ship_to")
    }
    return {
        "number": number,
        "name": f"{mark} name",
        "note": f"{mark} note",
        "email": f"mail@{mark}.example",
        "phone": f"+1 555 {mark}",
        "url": f"https://{mark}.example",
        "credit_limit": "987654321.12",
        "type": f"{mark} type",
        "price_groups": [f"{mark} price group"],
        "carrier": f"{mark} carrier",
        "service_level": f"{mark} level",
        "carrier_billing_account": f"{mark} billing",
        "payment_term": f"{mark} payment term",
        "shipping_term": f"{mark} shipping term",
        "sales_rep_email": f"rep@{mark}.example",
        "sales_rep_name": f"{mark} rep",
        **place["bill_to"],
        **place["ship_to"],
        **others,
    }


@pytest.fixture(scope="module")
def theirs(server):
    """The other account: a family of customers, all of them marked."""
    with filled(
        server,
        customer(CANARY, f"{CANARY}-parent"),
        customer(CANARY, f"{CANARY}-child", parent_number=f"{CANARY}-parent"),
        customer(CANARY, f"{CANARY}-third"),
        name=f"{CANARY} account",
    ) as made:
        yield made


@pytest.fixture(scope="module")
def ours(module_book):
    """This account: the same kind of customers, two of them under the same numbers."""
    mine = ("ours", "ours-parent"), ("ours", "ours-child"), ("ours", "ours-third")
    module_book.add(*(customer(mark, number) for mark, number in mine))
    return module_book


@pytest.fixture(scope="module")
def secrets(theirs):
    """All that must never be in an answer to us: the canary, and every id that only they have."""
    whole = theirs.get(include=",".join(INCLUDE_VALUES))["data"]
    own_ids = {path_of(c, path) for c in whole for path in FOREIGN_FILTERS.values()}
    own_ids |= {c["id"] for c in whole} | {c["credit_limit"]["id"] for c in whole}
    own_ids |= {c[f"{part}_address"]["id"] for c in whole for part in ("bill_to", "ship_to")}
    bodies = {key.partition("_")[2] for key in own_ids}
    return [CANARY, *sorted(bodies), theirs.account.partition("_")[2], theirs.key]


def path_of(value, path):
    for step in path:
        value = value[step]
    return value


def strange(answer):
    """What may differ between two refusals of the same kind: nothing but the request's own id and time."""
    varying = {"request-id", "x-request-id", "date"}
    return answer.status_code, answer.content, [h for h in answer.headers.items() if h[0] not in varying]


def answers_to_us(ours, theirs):
    """Everything that we can ask with what they know: ids in paths and filters, cursors, words, numbers."""
    whole = theirs.get(include=",".join(INCLUDE_VALUES))["data"]
    cursors = [
        cursor_in(fetch(theirs.client, f"{CUSTOMERS}?limit=1{filters}")["page_info"]["next_page_url"])
        for filters in ("", f"&q={CANARY}")
    ]
    include = ",".join(INCLUDE_VALUES)
    targets = [
        CUSTOMERS,
        f"{CUSTOMERS}?limit=1000&include={include}",
        f"{CUSTOMERS}?q={CANARY}&include={include}",
        f"{CUSTOMERS}?q=987654321",
        *(f"{CUSTOMERS}/{c['id']}{nested}" for c in whole for nested in NESTED),
        *(f"{CUSTOMERS}/{c['id']}?include={include}" for c in whole),
        *(
            f"{CUSTOMERS}?{name}={path_of(c, path)}&include={include}"
            for c in whole
            for name, path in FOREIGN_FILTERS.items()
        ),
        *(f"{CUSTOMERS}?cursor={cursor}" for cursor in cursors),
        *(f"{CUSTOMERS}?cursor={cursor}&q={CANARY}" for cursor in cursors),
        *(
            f"/v1/operations/carriers/{path_of(c, FOREIGN_FILTERS['carrier_ids'])}/service-levels"
            for c in whole
        ),
        f"{CUSTOMERS}/{theirs.account}",
        "/openapi.json",
        "/errors",
        "/healthz",
        "/readyz",
        "/nix",
    ]
    return {target: ours.client.get(target) for target in targets}


def test_no_byte_of_another_account_is_in_any_answer(ours, theirs, secrets):
    """Not even the ids and words that we put into the question come back."""
    found = {target: traces_of(answer, secrets) for target, answer in answers_to_us(ours, theirs).items()}

    assert len(found) > 30
    assert {target: traces for target, traces in found.items() if traces} == {}


def test_the_scanner_finds_them_where_they_are(theirs, secrets):
    """The tooth: the owner's own answer has every one of them, but the account's id and its key."""
    answer = theirs.client.get(CUSTOMERS, params={"include": ",".join(INCLUDE_VALUES)})

    assert set(secrets) - set(traces_of(answer, secrets)) == {theirs.key, theirs.account.partition("_")[2]}


@pytest.mark.parametrize("nested", NESTED)
def test_a_foreign_id_answers_exactly_like_one_that_never_was(ours, theirs, nested):
    foreign = [c["id"] for c in theirs.get()["data"]]

    answers = [strange(ours.client.get(f"{CUSTOMERS}/{key}{nested}")) for key in (*foreign, UNKNOWN)]

    assert answers == [answers[-1]] * 4
    assert_error(ours.client.get(f"{CUSTOMERS}/{foreign[0]}{nested}"), 404, "resource_not_found", "id")


def test_a_foreign_carrier_answers_exactly_like_one_that_never_was(ours, theirs):
    foreign = path_of(
        theirs.get(include="freight_preferences.carrier")["data"][0], FOREIGN_FILTERS["carrier_ids"]
    )

    answers = [
        strange(ours.client.get(f"/v1/operations/carriers/{key}/service-levels"))
        for key in (foreign, "cr_0000000000000")
    ]

    assert answers[0] == answers[1]
    assert answers[0][0] == 404


@pytest.mark.parametrize("name", FOREIGN_FILTERS)
def test_a_foreign_id_in_a_filter_matches_what_a_random_one_does_nothing(ours, theirs, name):
    foreign = path_of(theirs.get(include=",".join(INCLUDE_VALUES))["data"][0], FOREIGN_FILTERS[name])
    random = f"{foreign.partition('_')[0]}_0000000000000"

    answers = [ours.client.get(f"{CUSTOMERS}?{name}={key}") for key in (foreign, random)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert answers[0].json()["data"] == []


@pytest.mark.parametrize("name", FOREIGN_FILTERS)
def test_a_foreign_id_beside_an_own_one_adds_nothing(ours, theirs, name):
    foreign = path_of(theirs.get(include=",".join(INCLUDE_VALUES))["data"][0], FOREIGN_FILTERS[name])
    own = path_of(ours.get(include=",".join(INCLUDE_VALUES))["data"][0], FOREIGN_FILTERS[name])

    found = ours.get(**{name: f"{foreign},{own}"})["data"]

    assert found == ours.get(**{name: own})["data"]
    assert len(found) == 3


def test_a_foreign_cursor_answers_exactly_like_a_made_up_one(ours, theirs):
    cursor = cursor_in(fetch(theirs.client, f"{CUSTOMERS}?limit=1")["page_info"]["next_page_url"])

    answers = [strange(ours.client.get(f"{CUSTOMERS}?cursor={text}")) for text in (cursor, "A" * 28, "x")]

    assert answers == [answers[0]] * 3
    assert answers[0][0] == 400


@pytest.mark.parametrize("field", ["name", "number", "email", "phone", "url"])
def test_a_search_finds_nothing_of_another_account(ours, theirs, field):
    written = customer(CANARY, f"{CANARY}-parent")[field]

    assert ours.get(q=written)["data"] == []
    assert theirs.get(q=written)["data"] != []


@pytest.mark.parametrize(
    ("name", "value"),
    [("city", f"{CANARY} city"), ("state", f"{CANARY} state"), ("postal_code", f"{CANARY} code")],
)
def test_a_place_finds_nothing_of_another_account(ours, theirs, name, value):
    assert ours.get(**{name: value})["data"] == []
    assert len(theirs.get(**{name: value})["data"]) == 3


def test_the_same_numbers_and_names_may_be_in_two_accounts(server):
    first, second = Book(server), Book(server)
    for made, name in ((first, "First"), (second, "Second")):
        made.add({"number": "1", "name": name, "type": "Retail", "carrier": "Mule Train"})

    assert [c["name"] for c in first.get()["data"]] == ["First"]
    assert [c["name"] for c in second.get()["data"]] == ["Second"]
    first.close()
    second.close()


def test_a_page_kept_for_one_account_is_not_given_to_another(ours, theirs):
    """Both ask the same question, in turn, of every worker."""
    seen = [
        (name, {c["name"] for c in made.get(limit=7)["data"]})
        for _ in range(10)
        for name, made in (("ours", ours), (CANARY, theirs))
    ]

    assert [pair for pair in seen if pair[1] != {f"{pair[0]} name"}] == []


def test_an_etag_of_another_account_says_nothing(ours, theirs):
    etag = theirs.client.get(CUSTOMERS).headers["etag"]

    assert ours.client.get(CUSTOMERS, headers={"If-None-Match": etag}).status_code == 200


def test_what_the_system_owns_is_the_same_for_all_and_tells_nothing(ours, theirs):
    path = "/v1/operations/carriers/{}/service-levels"
    for made, mark in ((ours, "ours"), (theirs, CANARY)):
        made.add({"number": "system", "name": f"{mark} system", "carrier": "fedex"})
    carriers = [
        made.get(q="system", include="freight_preferences.carrier")["data"][0]["freight_preferences"][
            "carrier"
        ]
        for made in (ours, theirs)
    ]

    answers = [made.client.get(path.format(carriers[0]["id"])) for made in (ours, theirs)]

    assert carriers[0]["id"] == carriers[1]["id"]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert traces_of(answers[0], [CANARY]) == traces_of(answers[1], ["ours"]) == []
