"""What is special about addresses: they serve several customers, and every list and filter knows it."""

from itertools import chain

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.application import application, client_of
from tests.fixtures.book import walk
from tests.fixtures.lengths import length
from tests.fixtures.samples import Maker
from tests.resources.test_customers import create, found, patch, show
from tradebook.crud.change import Change
from tradebook.ids import decode_id
from tradebook.resources import address_routes, addresses, customers

ADDRESSES = "/v1/sales/addresses"


@pytest.fixture
def maker(book):
    return Maker(book)


def listed(maker, **filters):
    return [address["id"] for address in maker.book.get(ADDRESSES, **filters)["data"]]


def test_an_address_has_its_place(maker):
    made = maker.client.post(
        ADDRESSES,
        json={
            "name": "Depot", "country": "de", "street_line_1": "Weg 1", "street_line_2": "Hof", "locality": "Ulm",
            "state": "BW", "postal_code": "89073", "phone": "0731 1", "email": "a@b.de", "type": "drop_ship",
        },
    ).json()  # fmt: skip

    assert list(made) == "id object name phone email type geolocation created_at updated_at".split()
    place = made["geolocation"]
    assert list(place) == "id object street_line_1 street_line_2 locality state postal_code country".split()
    assert (place["country"], place["locality"], place["street_line_2"]) == ("DE", "Ulm", "Hof")
    assert made["type"] == "drop_ship"


@pytest.mark.parametrize("country", ["XX", "D", "DEU", "Germany", "", "ÄÖ", 5])
def test_a_country_is_two_letters_of_a_country(maker, country):
    answer = maker.client.post(ADDRESSES, json={"name": "A", "country": country})

    check_envelope(answer, 400, "country", "invalid_format")


@pytest.mark.parametrize("written", ["XK", "xk"])
def test_kosovo_is_a_country(maker, written):
    made = maker.client.post(ADDRESSES, json={"name": "A", "country": written})

    assert made.json()["geolocation"]["country"] == "XK"


def test_words_are_found_in_every_field_and_only_together(maker):
    fields = {
        "name": "Häuptling", "street_line_1": "Rue Émile", "street_line_2": "Cour Deux", "locality": "Nîmes",
        "state": "Gard", "postal_code": "30900", "email": "chef@example.fr", "phone": "+33 (4) 66-00",
    }  # fmt: skip
    made = maker.of_prefix("ad", **fields)
    other = maker.of_prefix("ad", name="Other")

    for words in (
        "hauptling",
        "emile rue",
        "deux",
        "nimes gard",
        "30900",
        "chef@",
        "466 33466",
        "nimes hauptling",
        "fr hauptling",
    ):
        assert listed(maker, q=words) == [made], words
    assert listed(maker, q="nimes other") == []
    assert listed(maker, q="other") == [other]
    assert listed(maker, q="") == [other, made]
    maker.client.patch(f"{ADDRESSES}/{made}", json={"locality": "Arles"})
    assert (listed(maker, q="nimes"), listed(maker, q="arles")) == ([], [made])


def test_type_and_customers_narrow_the_list(maker):
    customer, other = create(maker), create(maker)
    drop, plain = (
        maker.of_prefix("ad", type=kind, customer_ids=[customer["id"]]) for kind in ("drop_ship", "standard")
    )
    own = {show(maker, customer)[f"{part}_to_address"]["id"] for part in ("bill", "ship")}

    assert set(listed(maker, customer_ids=customer["id"])) == {drop, plain, *own}
    assert listed(maker, customer_ids=customer["id"], type="standard", q="sample") == [plain]
    assert drop in listed(maker, type="drop_ship")
    both = listed(maker, **{"customer_ids[]": [customer["id"], other["id"]]})
    assert len(both) == len(set(both)) == 6
    assert listed(maker, customer_ids="ac_7zzzzzzzzzzzz") == []
    check_envelope(
        maker.client.get(ADDRESSES, params={"customer_ids": drop}), 400, "customer_ids", "parameter_invalid"
    )


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_addresses_of_a_customer_come_in_exact_pages(maker, limit):
    customer = create(maker)["id"]
    for number in range(7):
        maker.of_prefix("ad", customer_ids=[customer], name=f"Depot {number % 2}")
    whole = listed(maker, customer_ids=customer)

    for filters in ({}, {"q": "depot"}, {"type": "drop_ship"}):
        expected = listed(maker, customer_ids=customer, **filters)
        paged = [
            a["id"] for a in walk(maker.client, ADDRESSES, customer_ids=customer, limit=limit, **filters)
        ]
        assert paged == expected
        assert set(expected) <= set(whole)
    assert len(listed(maker, customer_ids=customer, q="depot 1")) == 3


def test_a_customer_with_very_many_addresses_is_searched_to_the_end(maker, monkeypatch):
    """More than one round of candidates, of which the last one matches."""
    monkeypatch.setattr(address_routes, "CANDIDATES_AT_ONCE", length(4, address_routes.CANDIDATES_AT_ONCE))
    book = maker.book
    customer = create(maker)["id"]
    first = maker.of_prefix("ad", customer_ids=[customer], name="Needle")
    for _ in range(2 * address_routes.CANDIDATES_AT_ONCE + 1):
        maker.of_prefix("ad", customer_ids=[customer], name="Hay")
    here = client_of(application(book.database, book.server.database), book.key)

    page = here.get(ADDRESSES, params={"customer_ids": customer, "q": "needle"}).json()

    assert [address["id"] for address in page["data"]] == [first]


def test_customers_are_attached_and_detached_as_a_set(maker):
    one, two = create(maker), create(maker)
    address = maker.of_prefix("ad", locality="Ulm", customer_ids=[one["id"]])
    assert found(maker, city="Ulm") == [one["id"]]

    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": [two["id"]]})
    assert found(maker, city="Ulm") == [two["id"]]
    maker.client.patch(f"{ADDRESSES}/{address}", json={"name": "Same"})
    assert found(maker, q="ulm") == [two["id"]]
    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": []})
    assert found(maker, city="Ulm") == []
    assert maker.client.delete(f"{ADDRESSES}/{address}").status_code == 200


def test_whom_it_bills_keeps_it_when_it_is_detached_and_the_reverse(maker):
    customer = create(maker)
    address = maker.of_prefix("ad", locality="Ulm", customer_ids=[customer["id"]])
    patch(maker, customer, bill_to_address_id=address)

    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": []})
    assert found(maker, city="Ulm") == [customer["id"]]
    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": [customer["id"]]})
    patch(maker, customer, bill_to_address_id=maker.of_prefix("ad", locality="Bonn"))

    assert found(maker, city="Ulm") == [customer["id"]]


def test_a_shared_address_that_changes_is_found_under_all_whom_it_serves(maker):
    shared = maker.of_prefix("ad", locality="Ulm", state="BW")
    one, two = create(maker), create(maker)
    for customer in (one, two):
        patch(maker, customer, bill_to_address_id=shared, ship_to_address_id=shared)

    maker.client.patch(f"{ADDRESSES}/{shared}", json={"locality": "Köln", "state": None})

    assert set(found(maker, city="Köln")) == set(found(maker, q="koln")) == {one["id"], two["id"]}
    assert found(maker, city="Ulm") == found(maker, state="BW") == []
    error = check_envelope(maker.client.delete(f"{ADDRESSES}/{shared}"), 409, "id", "resource_conflict")
    assert "2 customers" in error["message"]
    assert show(maker, one)["bill_to_address"]["geolocation"]["locality"] == "Köln"


def test_an_import_leaves_what_is_attached(maker):
    maker.book.add({"name": "A", "number": "A", "bill_to.country": "DE", "bill_to.locality": "Ulm"})
    (customer,) = found(maker, city="Ulm")
    (address,) = listed(maker, customer_ids=customer)
    maker.client.patch(f"{ADDRESSES}/{address}", json={"customer_ids": [customer]})
    other = create(maker)
    patch(maker, other, bill_to_address_id=address)

    maker.book.add({"name": "A", "number": "A", "bill_to.locality": "Bonn"})

    assert set(found(maker, city="Ulm")) == {customer, other["id"]}
    assert found(maker, city="Bonn") == [customer]
    assert listed(maker, q="bonn") != []


def test_who_an_address_serves_can_be_listed_and_added_to(maker):
    first, second, third = (maker.of_prefix("ac") for _ in range(3))
    address = maker.of_prefix("ad", customer_ids=[first])
    maker.client.patch(f"/v1/sales/customers/{second}", json={"ship_to_address_id": address})
    path = f"/v1/sales/addresses/{address}/customers"

    served = {customer["id"] for customer in maker.book.get(path)["data"]}
    maker.client.patch(f"/v1/sales/addresses/{address}", json={"customer_ids": [*served, third]})

    assert served == {first, second}
    assert {customer["id"] for customer in maker.book.get(path)["data"]} == {first, second, third}


def test_what_customers_are_not_found_by_changes_none_of_them(maker, monkeypatch):
    """A phone number of an address that serves very many costs what it costs for one."""
    address = maker.of_prefix("ad", customer_ids=[maker.of_prefix("ac")])
    key = decode_id("ad", address)
    with maker.book.database.write(maker.book.account_key) as writer:
        seen = []
        monkeypatch.setattr(type(writer), "reindex", lambda self, index, *_: seen.append(index.name))
        for values in ({"phone": "1"}, {"street_line_1": "Elsewhere"}, {"locality": "Rome"}):
            row = addresses.records.find(writer, key)
            change = Change(writer=writer, grant=None, path_keys=(key,), row=row, values=values)
            address_routes.update(change)

    assert seen.count(addresses.INDEX.name) == 3
    assert seen.count(customers.INDEX.name) == 1


def served(maker, address, *relations, **more):
    """The ids of the customers that an address serves, in these relations."""
    path = f"{ADDRESSES}/{address}/customers"
    return [c["id"] for c in maker.book.get(path, **{"relations[]": list(relations)}, **more)["data"]]


@pytest.fixture
def serving(maker):
    """An address that serves customers in every relation, and each of those: attached, billed, shipped, all."""
    attached, billed, shipped, every, nobody = (create(maker)["id"] for _ in range(5))
    address = maker.of_prefix("ad", locality="Ulm", customer_ids=[attached, every])
    patch(maker, {"id": billed}, bill_to_address_id=address)
    patch(maker, {"id": shipped}, ship_to_address_id=address)
    patch(maker, {"id": every}, bill_to_address_id=address, ship_to_address_id=address)
    return address, attached, billed, shipped, every, nobody


def test_whom_an_address_serves_is_listed_by_relation(maker, serving):
    address, attached, billed, shipped, every, _ = serving

    assert served(maker, address) == [every, shipped, billed, attached]
    assert served(maker, address, "attached") == [every, attached]
    assert served(maker, address, "bill_to") == [every, billed]
    assert served(maker, address, "ship_to") == [every, shipped]
    assert served(maker, address, "bill_to", "ship_to") == [every, shipped, billed]
    assert served(maker, address, "attached", "bill_to", "ship_to") == served(maker, address)


@pytest.mark.parametrize(
    "query",
    [
        "relations[]=attached&relations[]=ship_to",
        "relations%5B%5D=attached,ship_to",
        "relations=attached&relations=ship_to",
        "relations=attached%2Cship_to",
        "relations=attached&relations[]=ship_to,attached",
    ],
)
def test_relations_are_spelled_as_every_array(maker, serving, query):
    address, attached, _, shipped, every, _ = serving

    page = maker.client.get(f"{ADDRESSES}/{address}/customers?{query}").json()

    assert [customer["id"] for customer in page["data"]] == [every, shipped, attached]


@pytest.mark.parametrize("query", ["relations[]=attached_to", "relations=", "relation=attached"])
def test_a_relation_that_is_none_is_refused(maker, serving, query):
    answer = maker.client.get(f"{ADDRESSES}/{serving[0]}/customers?{query}")

    code = "parameter_unknown" if query.startswith("relation=") else "parameter_invalid"
    check_envelope(answer, 400, query.partition("=")[0], code)


@pytest.mark.parametrize("relations", [["attached"], ["bill_to", "ship_to"], ["attached", "ship_to"]])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_walk_over_relations_is_exact_both_ways_and_its_cursors_are_bound_to_them(maker, relations, limit):
    address = maker.of_prefix("ad")
    for number in range(7):
        customer = create(maker)
        patch(maker, customer, **{f"{('bill', 'ship')[number % 2]}_to_address_id": address})
        if number % 3:
            maker.client.put(f"{ADDRESSES}/{address}/customers/{customer['id']}")
    path, whole = f"{ADDRESSES}/{address}/customers", served(maker, address, *relations)
    assert len(whole) >= 4

    there = list(walk(maker.client, path, limit=limit, **{"relations[]": relations}))
    answer = maker.client.get(path, params={"limit": limit, "relations[]": relations}).json()
    cursor = answer["page_info"]["next_page_url"].partition("cursor=")[2]
    foreign = maker.client.get(path, params={"limit": limit, "cursor": cursor})
    pages = [[c["id"] for c in answer["data"]]]
    while answer["page_info"]["has_next_page"]:
        answer = maker.client.get(answer["page_info"]["next_page_url"]).json()
        pages.append([c["id"] for c in answer["data"]])
    back = [pages[-1]]
    while answer["page_info"]["has_prev_page"]:
        answer = maker.client.get(answer["page_info"]["previous_page_url"]).json()
        back.insert(0, [c["id"] for c in answer["data"]])

    assert [customer["id"] for customer in there] == whole
    assert list(chain(*pages)) == list(chain(*back)) == whole
    check_envelope(foreign, 400, "cursor", "parameter_invalid")


def test_one_customer_is_attached_and_detached_and_the_others_stay(maker, serving):
    address, attached, billed, _, every, nobody = serving
    path = f"{ADDRESSES}/{address}/customers"
    shown = {c["id"]: c for c in maker.book.get("/v1/sales/customers")["data"]}

    for _ in range(2):
        put = maker.client.put(f"{path}/{nobody}")
        assert (put.status_code, put.json()) == (200, shown[nobody])
    assert served(maker, address, "attached") == [nobody, every, attached]
    assert nobody in found(maker, city="Ulm")

    assert maker.client.delete(f"{path}/{nobody}").status_code == 200
    assert maker.client.delete(f"{path}/{every}").status_code == 200
    assert served(maker, address, "attached") == [attached]
    assert nobody not in found(maker, city="Ulm")
    assert every in served(maker, address, "bill_to")
    assert {every, billed} <= set(found(maker, city="Ulm"))


def test_what_is_not_attached_can_t_be_detached(maker, serving):
    """404 as for every second DELETE; of one that is billed there the sentence says where to look."""
    address, attached, billed, _, _, nobody = serving
    path = f"{ADDRESSES}/{address}/customers"
    maker.client.delete(f"{path}/{attached}")

    for customer, sentence in (
        (attached, "not attached"),
        (nobody, "not attached"),
        (billed, "is billed or shipped to there"),
    ):
        error = check_envelope(
            maker.client.delete(f"{path}/{customer}"), 404, "customer_id", "resource_not_found"
        )
        assert sentence in error["message"]
    assert billed in served(maker, address)


def test_a_customer_that_is_merged_or_nowhere_is_not_attached(maker, serving):
    address, attached, *_, nobody = serving
    path = f"{ADDRESSES}/{address}/customers"
    body = {"source_customer_ids": [nobody]}
    assert maker.client.post(f"/v1/sales/customers/{attached}/actions/merge", json=body).is_success

    merged = maker.client.put(f"{path}/{nobody}")

    assert attached in check_envelope(merged, 404, "customer_id", "resource_not_found")["message"]
    check_envelope(maker.client.put(f"{path}/ac_7zzzzzzzzzzzz"), 404, "customer_id", "resource_not_found")
    check_envelope(maker.client.put(f"{path}/{address}"), 400, "customer_id", "parameter_invalid")


def test_who_replaces_the_set_learns_that_one_was_attached_meanwhile(maker, serving):
    address, attached, *_, nobody = serving
    path = f"{ADDRESSES}/{address}"

    def tag():
        return maker.client.get(path).headers["etag"]

    seen = tag()
    maker.client.put(f"{path}/customers/{attached}")
    assert tag() == seen
    maker.client.put(f"{path}/customers/{nobody}")
    replaced = maker.client.patch(path, json={"customer_ids": [attached]}, headers={"If-Match": seen})

    check_envelope(replaced, 412, None, "precondition_failed")
    assert nobody in served(maker, address, "attached")


def test_more_are_attached_one_by_one_than_a_set_has_room_for(maker):
    """1,000 fit into `customer_ids`; each of those beyond is put in and taken out by itself."""
    maker.book.add(*({"number": str(number), "name": "A"} for number in range(1, 1_003)))
    ids = [c["id"] for c in walk(maker.client, limit=1000)]
    address = maker.of_prefix("ad", customer_ids=ids[:1000])
    path = f"{ADDRESSES}/{address}/customers"

    for customer in ids[1000:]:
        assert maker.client.put(f"{path}/{customer}").is_success
    assert maker.client.delete(f"{path}/{ids[0]}").status_code == 200

    attached = [c["id"] for c in walk(maker.client, path, limit=1000, **{"relations[]": "attached"})]
    assert attached == ids[1:]


@pytest.mark.parametrize("q", ["Harbour Row", "+353 87 555 0199", "una@quay.example", "0199 quay"])
def test_a_customer_is_found_by_its_street_in_two_requests(book, q):
    """The list of customers looks at no streets and at no contacts of addresses."""
    book.add(
        {
            "number": "1", "name": "Quay Trading", "phone": "+353 1 555 0101", "bill_to.name": "Una Byrne",
            "bill_to.street_line_1": "12 Harbour Row", "bill_to.locality": "Cork", "bill_to.country": "IE",
            "bill_to.phone": "+353 87 555 0199", "bill_to.email": "una@quay.example",
        },
        {"number": "2", "name": "Other", "bill_to.country": "IE", "bill_to.street_line_1": "1 Quay"},
    )  # fmt: skip

    (address,) = book.get(ADDRESSES, q=q)["data"]
    customers = book.get(f"{ADDRESSES}/{address['id']}/customers")["data"]

    assert [customer["number"] for customer in customers] == ["1"]
    assert book.numbers(q=q) == []
