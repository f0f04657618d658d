"""The schemas of the OpenAPI document are such that every generator of clients makes something that runs."""

import re
from collections import Counter
from collections.abc import Iterator
from itertools import chain
from typing import Any

import pytest

from tradebook.resources import ALL
from tradebook.web.openapi import openapi_document

SCHEMAS = "#/components/schemas/"


@pytest.fixture(scope="module")
def document():
    """The document, without a server."""
    return openapi_document(ALL)


def below(found: Any, path: str = "") -> Iterator[tuple[str, dict]]:
    """Yield every object of a document, with the path to it."""
    if isinstance(found, dict):
        yield path, found
        for key, value in found.items():
            yield from below(value, f"{path}/{key}")
    elif isinstance(found, list):
        for place, value in enumerate(found):
            yield from below(value, f"{path}/{place}")


def schemas_of(document: dict) -> Iterator[tuple[str, dict]]:
    """Yield every schema of a property, parameter or header, with the path to it."""
    for path, found in below(document):
        if isinstance(found.get("properties"), dict):
            yield from ((f"{path}/{name}", schema) for name, schema in found["properties"].items())
        if isinstance(found.get("schema"), dict):
            yield path, found["schema"]


def test_every_list_says_what_is_in_it(document):
    arrays = [(path, schema) for path, schema in below(document) if schema.get("type") == "array"]

    assert len(arrays) > 20
    assert [path for path, schema in arrays if not schema.get("items")] == []
    properties = document["components"]["schemas"]["Customer"]["properties"]
    assert properties["child_accounts"] == properties["child_accounts"] | {
        "anyOf": [{"$ref": f"{SCHEMAS}CustomerList"}, {"type": "null"}]
    }
    assert properties["price_groups"]["anyOf"][0] == {"$ref": f"{SCHEMAS}AccountGroupList"}


def test_no_schema_has_a_second_name(document):
    titled = [
        path
        for path, schema in below(document["components"]["schemas"])
        if isinstance(schema.get("title"), str)
    ]

    assert titled == []


def test_nothing_is_null_alone(document):
    assert [path for path, schema in schemas_of(document) if schema.get("type") == "null"] == []
    assert document["components"]["schemas"]["PaymentTerm"]["properties"]["owner"]["type"] == [
        "object",
        "null",
    ]
    body = document["components"]["schemas"]["ErrorBody"]["properties"]
    assert (body["quota"]["type"], body["request_log_url"]["type"]) == (
        ["object", "null"],
        ["string", "null"],
    )


def test_an_enumeration_stands_under_a_name_of_its_own(document):
    schemas = document["components"]["schemas"]
    named = {name for name, schema in schemas.items() if "enum" in schema}
    inline = [path for path, schema in below(document) if isinstance(schema.get("enum"), list)]

    assert {"CustomerStatus", "CommissionPolicy", "FreightPolicy", "CustomerInclude", "PriorityCode"} <= named
    assert {path.split("/")[3] for path in inline if path.startswith("/components/schemas/")} == named
    # Headers have no name in any client.
    assert [
        path for path in inline if not path.startswith(("/components/schemas/", "/components/headers/"))
    ] == []
    assert len({frozenset(schemas[name]["enum"]) for name in named}) == len(named)


def test_the_kind_of_an_object_is_a_constant(document):
    kinds = {
        name: schema["properties"]["object"]
        for name, schema in document["components"]["schemas"].items()
        if "object" in schema.get("properties", ())
    }

    assert len(kinds) > 20
    assert [name for name, kind in kinds.items() if "const" not in kind] == []
    assert {kind["type"] for kind in kinds.values()} == {"string"}


def test_times_are_told_as_times(document):
    times = [(path, schema) for path, schema in schemas_of(document) if path.endswith("_at")]

    assert len(times) > 20
    assert [path for path, schema in times if schema.get("format") != "date-time"] == []


def test_no_two_names_are_one_in_go(document):
    """A generator for Go makes `NewX` for every `X`, and doesn't tell capitals apart in the names of files."""
    names = list(document["components"]["schemas"])

    made = Counter(chain.from_iterable((name.lower(), f"new{name}".lower()) for name in names))
    assert [name for name, count in made.items() if count > 1] == []


@pytest.mark.parametrize("body", ["CustomerCreate", "AddressCreate"])
def test_an_object_that_is_sent_in_several_places_is_one(document, body):
    schemas = document["components"]["schemas"]
    inline = [
        key
        for key, s in schemas[body]["properties"].items()
        if s.get("type") == "object" or "properties" in s
    ]

    assert inline == []
    assert schemas["CustomerCreate"]["properties"]["bill_to_address"]["$ref"] == f"{SCHEMAS}AddressInput"
    assert schemas["CustomerCreate"]["properties"]["ship_to_address"]["$ref"] == f"{SCHEMAS}AddressInput"


def test_a_parameter_can_be_an_argument_of_a_function(document):
    """Agents' tools and most languages refuse brackets; the server takes both spellings."""
    parameters = [p for path, p in below(document["paths"]) if p.get("in") in {"query", "path"}]

    assert len(parameters) > 100
    assert [p["name"] for p in parameters if not re.fullmatch("[a-z][a-z0-9_]*", p["name"])] == []


def test_every_tag_says_what_it_is_about(document):
    tags = {tag["name"]: tag["description"] for tag in document["tags"]}
    operations = [operation for verbs in document["paths"].values() for operation in verbs.values()]

    assert all(tags.values())
    assert {"Customers", "Payment terms", "API keys", "Service levels"} <= set(tags)
    assert {tag for operation in operations for tag in operation["tags"]} == set(tags)
    assert all(operation["summary"] and operation["description"] for operation in operations)


def test_what_creates_points_to_what_reads_changes_deletes_and_merges(document):
    links = {
        operation["operationId"]: answer["links"]
        for verbs in document["paths"].values()
        for operation in verbs.values()
        for status, answer in operation["responses"].items()
        if "links" in answer
    }
    known = {operation["operationId"] for verbs in document["paths"].values() for operation in verbs.values()}

    assert {"get_customer", "update_customer", "delete_customer", "merge_customer"} <= set(
        links["create_customer"]
    )
    assert links["create_service_level"]["get_service_level"]["parameters"] == {
        "carrier_id": "$request.path.carrier_id",
        "id": "$response.body#/id",
    }
    created = links["create_api_key"]["rotate_api_key"]["parameters"]
    assert created == {"id": "$response.body#/api_key_info/id"}
    assert {name for each in links.values() for name in each} <= known
