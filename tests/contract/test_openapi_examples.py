"""Everything in the OpenAPI document is explained, and its examples work as they stand against a demo book."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from falcon.testing import Result, TestClient

from tests.contract.test_openapi_names import below, schemas_of
from tests.fixtures.application import application
from tradebook.book import open_database
from tradebook.cli.demo import make_book
from tradebook.resources import ALL
from tradebook.settings import Settings
from tradebook.web.openapi import openapi_document

# A cursor is good for one book and one question; the other is null in this version.
# The addresses of pages would contradict the example's has_next_page, of which each value is as good.
WITHOUT_EXAMPLE = {"cursor", "next_page_url", "previous_page_url", "request_log_url"}


@pytest.fixture(scope="module")
def document():
    """The document, without a server."""
    return openapi_document(ALL)


def operations(document: dict) -> Iterator[tuple[str, str, dict]]:
    """Yield every operation: method, path, and what is told of it."""
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            yield verb.upper(), path, operation


def test_every_property_and_every_schema_has_a_description(document):
    named = document["components"]["schemas"]
    properties = dict(schemas_of(named))

    assert len(properties) > 300
    assert [path for path, found in properties.items() if not found.get("description")] == []
    assert [name for name, schema in named.items() if not schema.get("description")] == []


def test_every_parameter_has_a_description_and_an_example(document):
    parameters = [(path, p) for path, p in below(document) if p.get("in") in {"query", "path"}]

    assert [path for path, p in parameters if not p["description"]] == []
    assert [path for path, p in parameters if "example" not in p and p["name"] not in WITHOUT_EXAMPLE] == []


def test_conditional_headers_have_examples_that_do_not_get_in_the_way(document, demo):
    parameters = document["components"]["parameters"]
    reading, putting = parameters["If-None-Match"]["example"], parameters["If-None-Match-Of-Put"]["example"]
    customers = "/v1/sales/customers"
    (first,) = demo.simulate_get(customers, params={"limit": 1}).json["data"]
    changed = f"{customers}/{first['id']}"

    read = demo.simulate_get(customers, headers={"If-None-Match": reading})
    patched = demo.simulate_patch(changed, json={}, headers={"If-Match": parameters["If-Match"]["example"]})

    assert (read.status_code, patched.status_code, putting) == (200, 200, "*")


def test_every_text_that_is_answered_or_sent_has_an_example(document):
    properties = dict(schemas_of(document["components"]["schemas"]))
    texts = [
        p for p, found in properties.items() if "string" in found.get("type", ()) and "const" not in found
    ]

    assert len(texts) > 150
    without = [path for path in texts if properties[path].get("examples") in (None, [None])]
    assert [path for path in without if path.split("/")[-1] not in WITHOUT_EXAMPLE] == []


def test_every_body_has_an_example(document):
    bodies = {
        path: list(operation["requestBody"]["content"].values())
        for _, path, operation in operations(document)
        if "requestBody" in operation
    }

    assert len(bodies) > 14
    assert [path for path, kinds in bodies.items() if not any(each.get("example") for each in kinds)] == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """A small demo book, and the service on it."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo') / 'demo.db'}"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRADEBOOK_DATABASE", url)
        secret = make_book(url, 20)
    database = open_database(Settings(database=url))
    yield TestClient(application(database, url), headers={"Authorization": f"Bearer {secret}"})
    database.close()


def send(demo: TestClient, method: str, path: str, operation: dict, **query: Any) -> Result:
    """Send a request as its examples say it."""
    places = {p["name"]: p["example"] for p in operation.get("parameters", ()) if p.get("in") == "path"}
    content = operation.get("requestBody", {}).get("content", {})
    kind = next((each for each in content if "example" in content[each]), None)
    if kind not in {None, "application/json"}:
        body, headers = content[kind]["example"].encode(), {"Content-Type": kind}
        return demo.simulate_request(method, path.format(**places), params=query, body=body, headers=headers)
    body = None if kind is None else content[kind]["example"]
    return demo.simulate_request(method, path.format(**places), params=query, json=body)


def test_the_examples_of_all_operations_work_one_after_the_other(document, demo):
    """In the order of the document, in which nothing is used after it was deleted."""
    answers = {
        (method, path): send(demo, method, path, operation)
        for method, path, operation in operations(document)
    }

    assert {each: answer.text for each, answer in answers.items() if answer.status_code >= 300} == {}


def test_the_example_of_every_parameter_works(document, demo):
    for method, path, operation in operations(document):
        for parameter in operation.get("parameters", ()):
            if method == "GET" and parameter.get("in") == "query" and "example" in parameter:
                answer = send(demo, method, path, operation, **{parameter["name"]: parameter["example"]})

                assert answer.status_code == 200, (path, parameter["name"], answer.text)


def test_a_filter_by_what_the_demo_has_finds_something(document, demo):
    found = demo.simulate_get("/v1/sales/customers", params={"status_codes": "normal", "q": "co", "limit": 3})

    assert len(found.json["data"]) == 3


def test_an_example_fits_its_schema(document):
    """A pattern is a part of the text alone; the other rules of a schema are the server's to check."""
    for path, schema in schemas_of(document):
        for example in schema.get("examples", ()):
            if isinstance(example, str) and "pattern" in schema:
                assert re.search(schema["pattern"], example), path
