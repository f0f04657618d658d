"""What one account knows of another, tried in every place of every route: it is answered like what never was.

Each attempt is two requests that differ in one id only: one of another account, and one of nothing.
"""

import json
import random
from collections import Counter
from copy import deepcopy

import httpx
import pytest

from tests.contract.checkers import INCLUDE_VALUES, cursor_in, traces_of
from tests.fixtures.book import Book
from tests.fixtures.engines import ENGINES
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.samples import WRITTEN, Maker
from tradebook.crud.kinds import Id, Many
from tradebook.crud.list_requests import parameters_of
from tradebook.crud.resource import Action, ListRoute
from tradebook.resources import ALL

pytestmark = pytest.mark.parametrize("engine", length(["postgresql"], ENGINES), indirect=True)
ATTEMPTS = length(250, 25_000)
"""On each engine."""
SEED = random.SystemRandom().randrange(2**32) if IS_SOAK else 1
CANARY = "zqcanary"
CUSTOMERS = "/v1/sales/customers"
ROUTES = [route for resource in ALL for route in resource.routes]
BY_PREFIX = {resource.id_prefix: resource for resource in ALL}


class Account:
    """An account with two objects of each kind, whose texts say whose they are."""

    def __init__(self, server, mark):
        self.book = Book(server, name=f"{mark} account")
        self.maker = Maker(self.book)
        self.client = self.book.client
        self.ids, self.keys, self.tags = {}, [], []
        for resource in WRITTEN:
            made = [self._marked(resource, mark) for _ in range(2)]
            self.ids[resource.id_prefix] = [each["id"] for each in made if each]

    def _marked(self, resource, mark):
        body = self.maker.required(resource)
        marked = {
            name: f"{mark} {value}" if name in ("name", "note") else value for name, value in body.items()
        }
        path = self.maker.path(next(r for r in resource.routes if isinstance(r, Action) and r.creates))
        key = f"{mark} {len(self.keys)}"
        answer = self.client.post(path, json=marked, headers={"Idempotency-Key": key})
        assert answer.status_code == 201, answer.text
        self.keys.append(key)
        made = answer.json()
        made = made.get("api_key_info", made)
        self.tags.append(self.client.get(f"{path}/{made['id']}").headers.get("etag", '"none"'))
        return made

    def secrets(self):
        """What nobody else may see: the mark, the ids, the key."""
        bodies = {key.partition("_")[2] for ids in self.ids.values() for key in ids}
        return [*sorted(bodies), self.book.account.partition("_")[2], self.book.key]


@pytest.fixture(scope="module")
def theirs(server):
    made = Account(server, CANARY)
    yield made
    made.book.close()


@pytest.fixture(scope="module")
def ours(server):
    made = Account(server, "ours")
    yield made
    made.book.close()


class Attempts:
    """Draws requests with an id of theirs in the place of one of ours."""

    def __init__(self, ours, theirs, seed):
        self._ours, self._theirs, self._draw = ours, theirs, random.Random(seed)
        self._bodies = {
            (route.method, route.path): ours.maker.body(route.body)
            for route in ROUTES
            if isinstance(route, Action) and route.body.fields
        }
        first = theirs.client.get(CUSTOMERS, params={"limit": 1}).json()["page_info"]["next_page_url"]
        self._cursor = cursor_in(first)
        self._places = [place for route in ROUTES for place in self._places_of(route)]

    def _places_of(self, route):
        """Where in a request to a route an id can stand."""
        yield from ((route, "path", owner.param, owner.id_prefix) for owner in route.path_objects)
        if isinstance(route, ListRoute):
            yield (route, "cursor", "cursor", "")
        for parameter in parameters_of(route):
            prefix = prefix_of(parameter.kind)
            if prefix:
                yield (route, "query", parameter.name, prefix)
        for field in getattr(route, "body", None).fields if isinstance(route, Action) else ():
            prefix = prefix_of(field.kind)
            if prefix:
                yield (route, "body", field.name, prefix)
        # Not what would take away an object of ours that others need.
        if isinstance(route, Action) and (route.creates or route.method == "PATCH"):
            yield (route, "key", "Idempotency-Key", "")
        if isinstance(route, Action) and route.changes_object:
            yield (route, "tag", "If-Match", "")

    def draw(self):
        """Return a place, and the two requests."""
        place = self._draw.choice(self._places)
        foreign, nothing = self._pair(place[3], place[1])
        state = self._draw.getstate()
        first = self._request(place, foreign)
        self._draw.setstate(state)
        return place, (foreign, first), (nothing, self._request(place, nothing))

    def _pair(self, prefix, kind):
        if kind == "cursor":
            return self._cursor, "A" * len(self._cursor)
        if kind == "key":
            return self._draw.choice(self._theirs.keys), f"nothing {self._draw.random()}"
        if kind == "tag":
            return self._draw.choice(self._theirs.tags), '"nothing"'
        known = self._theirs.ids.get(prefix)
        return self._draw.choice(known) if known else f"{prefix}_{'1' * 13}", f"{prefix}_{'7' + 'z' * 12}"

    def _request(self, place, key):
        route, kind, name, _ = place
        method = route.method if isinstance(route, Action) else "GET"
        places = {param: self._own(owner.id_prefix) for owner in route.path_objects for param in owner.params}
        parameters, headers, body = (
            {},
            {},
            deepcopy(self._bodies.get((getattr(route, "method", "GET"), route.path))),
        )
        if kind == "path":
            places[name] = key
        elif kind in ("query", "cursor"):
            own = self._draw.random() < 0.3 and kind == "query"
            parameters[name] = f"{key},{self._own(place[3])}" if own else key
        elif kind == "body":
            body[name] = [*body[name], key] if isinstance(body.get(name), list) else key
        else:
            headers[name] = key
        if method == "GET" and route.path.startswith(CUSTOMERS) and self._draw.random() < 0.5:
            parameters["include"] = ",".join(self._draw.sample(INCLUDE_VALUES, 3))
        return method, route.path.format(**places), parameters, headers, body

    def _own(self, prefix):
        known = self._ours.ids.get(prefix)
        # Where there is none of ours, or it would be deleted: one of nothing.
        return self._draw.choice(known) if known else f"{prefix}_{'7' + 'z' * 12}"


def prefix_of(kind):
    """The prefix of the ids that something takes; empty where it takes none."""
    inner = kind.kind if isinstance(kind, Many) else kind
    return inner.prefix if isinstance(inner, Id) else ""


def send(client, request):
    method, path, parameters, headers, body = request
    return client.request(method, path, params=parameters or None, headers=headers, json=body)


def told(answer, key):
    """What an answer tells, but for its own id, its time, and the id that was asked for."""
    text = answer.text.replace(key, "ID").replace(httpx.URL(path=f"/{key}").path[1:], "ID")
    return answer.status_code, text, answer.headers.get("location", "").replace(key, "ID")


def test_nothing_of_another_account_is_told_or_touched(ours, theirs, figures):
    attempts, secrets, faults = Attempts(ours, theirs, SEED), theirs.secrets(), []
    before = {prefix: state_of(theirs, prefix) for prefix in theirs.ids}
    reached, codes = set(), Counter()
    for _ in range(ATTEMPTS // 2):
        place, (foreign, request), (nothing, other) = attempts.draw()
        answers = send(ours.client, request), send(ours.client, other)
        reached.add((place[0].path, *place[1:3]))
        named = f"{request[0]} {request[1]} {place[1:3]}"
        # What was put into the request may come back in the refusal that names it; nothing else may.
        bare = foreign.partition("_")[2]
        traces = traces_of(answers[0], [each for each in secrets if each != bare])
        faults += [f"{named} shows {trace}" for trace in traces]
        codes[place[1], answers[0].status_code] += 1
        if place[1] != "key" and told(answers[0], foreign) != told(answers[1], nothing):
            faults.append(f"{named}: {told(answers[0], foreign)} is not {told(answers[1], nothing)}")
        if place[1] in ("path", "body") and answers[0].status_code < 300:
            faults.append(f"{named}: {answers[0].status_code}")
    changed = [prefix for prefix in theirs.ids if state_of(theirs, prefix) != before[prefix]]

    figures(
        1,
        ATTEMPTS,
        len(faults) + len(changed),
        seed=SEED,
        places=f"{len(reached)} of {len(attempts._places)}",
    )
    assert faults == []
    assert changed == []
    assert len(reached) > min(len(attempts._places), ATTEMPTS // 2) // 3


def state_of(account, prefix):
    """All that an account shows of a kind, with its versions."""
    resource = BY_PREFIX[prefix]
    route = next(r for r in resource.routes if isinstance(r, ListRoute) and r.item is resource.shape)
    if route.path_objects:
        return None
    page = account.book.get(route.path, limit=1000)["data"]
    # Looking at it is a use of the key.
    return json.dumps(
        [{name: value for name, value in each.items() if name != "last_used_at"} for each in page]
    )


def test_what_is_told_twice_is_noticed(ours, theirs):
    """The tooth: asked with their own key, an id of theirs is not like one of nothing."""
    key = theirs.ids["ac"][0]

    found, missing = (theirs.client.get(f"{CUSTOMERS}/{each}") for each in (key, f"ac_{'7' + 'z' * 12}"))

    assert told(found, key) != told(missing, f"ac_{'7' + 'z' * 12}")
    assert CANARY in found.text
    assert traces_of(found, theirs.secrets()) != []
