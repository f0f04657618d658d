"""The pages to read: they tell of everything that is declared, their links lead somewhere, and they need nobody."""

import json
import re
from html.parser import HTMLParser
from urllib.parse import urldefrag

import falcon.testing
import pytest

from tradebook.app import create_app
from tradebook.errors import CATALOGUE
from tradebook.resources import ALL
from tradebook.settings import Settings
from tradebook.web.openapi import openapi_document
from tradebook.web.openapi_refusals import errors_of
from tradebook.web.pages.description import slug_of
from tradebook.web.pages.prose import coloured, inline, prose

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"}
DOCUMENT = openapi_document(ALL)
SLUGS = [slug_of(tag["name"]) for tag in DOCUMENT["tags"]]
PAGES = ["/", "/docs", *(f"/docs/{slug}" for slug in SLUGS), "/errors"]
OPERATIONS = [
    (path, verb, described) for path, verbs in DOCUMENT["paths"].items() for verb, described in verbs.items()
]
ROUTES = [route for resource in ALL for route in resource.routes]


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """A service whose book is away: no page needs one."""
    database = f"sqlite:///{tmp_path_factory.mktemp('pages')}/none.db"
    return falcon.testing.TestClient(
        create_app(Settings(database=database, rate_limit=0, log_requests=False))
    )


class Read(HTMLParser):
    """What a page has: text, ids, links, and everything that it loads."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.links, self.loads, self.strange, self.words = [], [], [], [], []
        self.feed(text)
        self.text = " ".join("".join(self.words).split())

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.ids += [named["id"]] if "id" in named else []
        self.links += [named["href"]] if tag == "a" else []
        self.loads += [named[name] for name in ("src",) if name in named]
        self.loads += [named["href"]] if tag == "link" else []
        self.strange += [name for name in named if name.startswith("on") or name in ("style", "action")]
        self.strange += [tag] if tag in ("style", "form", "iframe", "base") else []
        self.strange += [tag] if tag == "script" and "src" not in named else []

    def handle_data(self, data):
        self.words.append(data)


@pytest.fixture(scope="module")
def read(client):
    """Every page, read."""
    return {path: Read(client.simulate_get(path, headers=BROWSER).text) for path in PAGES}


def page_of(described):
    return f"/docs/{slug_of(described['tags'][0])}"


def resolved(found):
    while "$ref" in found:
        target = DOCUMENT
        for part in found["$ref"].split("/")[1:]:
            target = target[part]
        found = target
    return found


# What they tell


@pytest.mark.parametrize(
    ("path", "verb", "described"), OPERATIONS, ids=[f"{verb} {path}" for path, verb, _ in OPERATIONS]
)
def test_every_route_is_told_with_all_that_it_takes(read, path, verb, described):
    page, name = read[page_of(described)], described["operationId"]
    parameters = [resolved(each)["name"] for each in described.get("parameters", ())]
    content = described.get("requestBody", {}).get("content", {})
    media = content.get("multipart/form-data", content.get("application/json"))
    fields = resolved(media["schema"])["properties"] if media else {}

    assert name in page.ids
    assert f"{verb.upper()} {path}" in page.text
    assert [each for each in parameters if f"{name}.{each}" not in page.ids] == []
    assert [each for each in fields if f"{name}.body.{each}" not in page.ids] == []


@pytest.mark.parametrize(
    "name", [name for name, each in DOCUMENT["components"]["schemas"].items() if "enum" in each]
)
def test_every_word_of_an_enumeration_is_told(read, name):
    text = " ".join(page.text for page in read.values())

    assert [word for word in DOCUMENT["components"]["schemas"][name]["enum"] if word not in text] == []


@pytest.mark.parametrize("resource", [each for each in ALL if each.routes], ids=lambda each: each.name)
def test_every_property_of_an_answered_object_is_told(read, resource):
    properties = DOCUMENT["components"]["schemas"][resource.shape.__name__]["properties"]
    ids = {name for page in read.values() for name in page.ids}

    assert [name for name in properties if f"{resource.shape.__name__}.{name}" not in ids] == []


def test_every_error_of_a_route_is_told_with_its_sentence(client):
    """A section ends where the next one begins, so that the errors are that route's own."""
    for route in ROUTES:
        verb = getattr(route, "method", "GET").lower()
        described = DOCUMENT["paths"][route.path][verb]
        html = client.simulate_get(page_of(described)).text
        section = html.partition(f'id="{described["operationId"]}"')[2].partition("<section")[0]
        text = Read(section).text
        first = [error.__doc__.split("\n\n")[0] for error in errors_of(route)]

        told = re.findall(r'href="/errors#(\w+)"', section)

        assert sorted(told) == sorted({error.code for error in errors_of(route)}), route.path
        assert [s for s in first if " ".join(s.replace("`", "").split()) not in text] == []


@pytest.mark.parametrize("error", CATALOGUE, ids=lambda error: error.code)
def test_the_page_of_errors_tells_of_each(read, error):
    assert read["/errors"].ids.count(error.code) == 1
    assert " ".join(error.__doc__.replace("`", "").split()) in read["/errors"].text


def test_every_route_has_an_example_in_three_languages(client):
    html = "".join(client.simulate_get(f"/docs/{slug}").text for slug in SLUGS)

    assert [html.count(f'<pre class="{each}">') for each in ("curl", "python", "typescript")] == [
        len(OPERATIONS)
    ] * 3


# Where they lead


@pytest.mark.parametrize("slug", SLUGS)
def test_an_answer_that_is_shown_does_not_contradict_itself(read, slug):
    """A page has the address of the next one exactly where its flag says that there is one."""
    shown = re.findall(
        r'"next_page_url": (\S+), "previous_page_url": (\S+), "has_next_page": (\w+), "has_prev_page": (\w+)',
        read[f"/docs/{slug}"].text,
    )

    for following, before, has_next, has_prev in shown:
        assert (following != "null", before != "null") == (has_next == "true", has_prev == "true")
    assert shown or slug in ("service", "imports")


def test_every_link_leads_to_what_there_is(client, read):
    broken = []
    for path, page in read.items():
        for link in page.links:
            place, anchor = urldefrag(link)
            place = place or path
            if place in read:
                broken += [(path, link)] if anchor and anchor not in (*read[place].ids, "main") else []
            elif client.simulate_get(place).status_code not in (200, 503):
                broken.append((path, link))

    assert broken == []


def test_no_id_is_there_twice(read):
    assert {path: [i for i in page.ids if page.ids.count(i) > 1] for path, page in read.items()} == {
        path: [] for path in PAGES
    }


def test_every_row_of_the_search_leads_to_what_there_is(client, read):
    rows = search_of(client)
    places = {(path, i) for path, page in read.items() for i in (*page.ids, "")}

    assert [row for row in rows if tuple(urldefrag(row[2])) not in places] == []
    assert {"route", "parameter", "field", "property", "error", "object", "resource"} <= {r[1] for r in rows}
    assert {each["summary"].split("; ")[0] for _, _, each in OPERATIONS} <= {row[0] for row in rows}
    assert {error.code for error in CATALOGUE} <= {row[0] for row in rows}


def search_of(client):
    place = re.search(r'data-search="([^"]+)"', client.simulate_get("/docs").text)[1]
    return client.simulate_get(place).json


# What they load


@pytest.mark.parametrize("path", PAGES)
def test_a_page_loads_its_own_files_alone_and_has_no_code_of_its_own(client, read, path):
    page = read[path]

    assert [each for each in (*page.loads, *page.links) if not re.match(r"[/#](?!/)", each)] == []
    assert page.strange == []
    assert [client.simulate_get(each).status_code for each in page.loads] == [200] * len(page.loads)


def test_a_foreign_load_is_noticed():
    page = Read('<script src="https://cdn.example/x.js"></script><p style="x" onclick="y"><script>z</script>')

    assert page.loads == ["https://cdn.example/x.js"]
    assert page.strange == ["style", "onclick", "script"]


@pytest.mark.parametrize("path", PAGES)
def test_the_policy_allows_nothing_else(client, path):
    policy = client.simulate_get(path, headers=BROWSER).headers["content-security-policy"]

    assert policy.startswith("default-src 'none'; ")
    assert "unsafe" not in policy
    assert "http" not in policy


def test_files_are_kept_for_ever_and_pages_are_asked_for_again(client, read):
    for path in PAGES:
        first = client.simulate_get(path, headers=BROWSER)
        again = client.simulate_get(path, headers={**BROWSER, "If-None-Match": first.headers["etag"]})

        assert first.headers["cache-control"] == "public, no-cache"
        assert (again.status_code, again.content) == (304, b"")
    for path in {each for page in read.values() for each in page.loads if "/assets/" in each}:
        assert re.fullmatch(r"/docs/assets/\w+\.[0-9a-f]{12}\.\w+", path)
        assert client.simulate_get(path).headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    "path", ["/docs/nix", "/docs/assets/docs.css", "/docs/assets/..%2fserving.py", "/doc"]
)
def test_what_there_is_not_is_an_error_as_elsewhere(client, path):
    answer = client.simulate_get(path, headers=BROWSER)

    assert answer.status_code == 404
    assert answer.json["error"]["doc_url"].startswith("/errors#")


@pytest.mark.parametrize("path", [*PAGES, "/llms.txt", "/favicon.svg", "/favicon.ico"])
def test_a_head_request_has_the_headers_and_no_body(client, path):
    got, head = (client.simulate_request(method, path, headers=BROWSER) for method in ("GET", "HEAD"))

    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == str(len(got.content))
    assert head.headers["etag"] == got.headers["etag"]


# The root


@pytest.mark.parametrize(
    "accept", [None, "*/*", "application/json", "application/json, text/plain, */*", "x"]
)
def test_a_program_gets_the_links_at_the_root(client, accept):
    answer = client.simulate_get("/", headers={"Accept": accept} if accept else {})

    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["vary"] == "Accept"
    assert answer.json["name"] == "Tradebook"
    assert [client.simulate_get(each).status_code for each in answer.json["links"].values()] == [
        {"readiness": 503, "mcp": 405}.get(name, 200) for name in answer.json["links"]
    ]


def test_a_browser_gets_a_page_with_the_same_links(client, read):
    links = client.simulate_get("/").json["links"]
    told = links.pop("mcp")

    assert f"at {told} of this server" in read["/"].text
    assert client.simulate_get("/", headers=BROWSER).headers["content-type"].startswith("text/html")
    assert set(links.values()) <= set(read["/"].links)


def test_both_answers_of_the_root_have_tags_of_their_own(client):
    page, links = client.simulate_get("/", headers=BROWSER), client.simulate_get("/")

    crossed = client.simulate_get("/", headers={"If-None-Match": page.headers["etag"]})

    assert page.headers["etag"] != links.headers["etag"]
    assert crossed.status_code == 200


# llms.txt


def test_the_text_for_language_models_names_every_route_and_field(client):
    answer = client.simulate_get("/llms.txt")
    lines = answer.text.splitlines()

    assert answer.headers["content-type"].startswith("text/plain")
    assert re.fullmatch(r"# Tradebook [\d.]+", lines[0])
    assert lines[2].startswith("> ")
    for path, verb, described in OPERATIONS:
        (line,) = (each for each in lines if each.startswith(f"- `{verb.upper()} {path}`:"))
        names = [resolved(each)["name"] for each in described.get("parameters", ())]
        assert [name for name in names if f"`{name}`" not in line] == []


def test_its_links_lead_to_what_there_is(client):
    links = re.findall(r"\]\((/[^)]*)\)", client.simulate_get("/llms.txt").text)

    assert len(links) > len(SLUGS)
    assert [each for each in links if client.simulate_get(each).status_code not in (200, 503)] == []


# Text into HTML


def test_whatever_a_description_says_is_text():
    evil = '<b>&"\' `<i>` [x](javascript:y) [z](/docs"onclick=)'

    for made in (inline(evil), prose(evil), coloured(evil, "json"), coloured(evil, "curl")):
        page = Read(str(made))

        assert page.strange == []
        assert "<b>" not in made
        assert "<i>" not in made
        assert [link for link in page.links if "javascript" in link] == []


@pytest.mark.parametrize("language", ["curl", "python", "typescript", "json"])
def test_colours_change_no_letter(language):
    code = json.dumps({"a": [1, None, "it's"], "b": "`x`"}, indent=2) + "\nconst x = `y`; curl -sS 'z' # for"

    assert "".join(Read(str(coloured(code, language))).words) == code
