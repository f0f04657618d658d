"""The Postman collection, from the OpenAPI document: it runs as it is imported, but for the key."""

import json
from collections.abc import Mapping
from typing import Any

from tradebook.resources import ALL
from tradebook.web.openapi import SERVED_AT, openapi_document

SCHEMA = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
ABOUT = (
    "Every request has what it needs to work against a demo book: run `tradebook demo`, and put the key it "
    "prints into the variable `apiKey`. Filters are switched off. Each Idempotency-Key is a new one."
)
TEST = "pm.test('It is answered as it should be', () => pm.expect(pm.response.code).to.be.oneOf({codes}));"
IDEMPOTENCY = {"key": "Idempotency-Key", "value": "{{$guid}}"}


def collection() -> str:
    """Write the collection, a folder for each tag."""
    document = openapi_document(ALL)
    folders: dict[str, list[Any]] = {tag["name"]: [] for tag in document["tags"]}
    for path, verbs in document["paths"].items():
        for verb, operation in verbs.items():
            folders[operation["tags"][0]].append(_request(verb.upper(), path, operation))
    made = {
        "info": {"name": "Tradebook", "description": ABOUT, "schema": SCHEMA},
        "auth": {"type": "bearer", "bearer": [{"key": "token", "value": "{{apiKey}}", "type": "string"}]},
        "variable": [{"key": "baseUrl", "value": SERVED_AT}, {"key": "apiKey", "value": ""}],
        "item": [
            {"name": tag["name"], "description": tag["description"], "item": folders[tag["name"]]}
            for tag in document["tags"]
        ],
    }
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _request(method: str, path: str, operation: Mapping[str, Any]) -> dict[str, Any]:
    parameters = [each for each in operation.get("parameters", ()) if "in" in each]
    places = [each for each in parameters if each["in"] == "path"]
    query = [each for each in parameters if each["in"] == "query"]
    segments = path.replace("{", ":").replace("}", "").strip("/").split("/")
    request: dict[str, Any] = {
        "method": method,
        "description": operation["description"],
        "header": [IDEMPOTENCY] if _is_repeatable(operation) else [],
        "url": {
            "raw": f"{{{{baseUrl}}}}/{'/'.join(segments)}",
            "host": ["{{baseUrl}}"],
            "path": segments,
            "variable": [{"key": p["name"], "value": p["example"]} for p in places],
            "query": [
                {"key": p["name"], "value": _text(p.get("example", "")), "description": p["description"]}
                | {"disabled": True}
                for p in query
            ],
        },
    }
    content = operation.get("requestBody", {}).get("content", {})
    kind = next((each for each in content if "example" in content[each]), "")
    if kind == "application/json":
        body = json.dumps(content[kind]["example"], indent=2, ensure_ascii=False)
        request["body"] = {"mode": "raw", "raw": body, "options": {"raw": {"language": "json"}}}
    elif kind:
        request["body"] = {"mode": "raw", "raw": content[kind]["example"]}
        request["header"] = [*request["header"], {"key": "Content-Type", "value": kind}]
    codes = [int(code) for code in operation["responses"] if code.startswith("2")]
    test = {"type": "text/javascript", "exec": [TEST.format(codes=codes)]}
    return {"name": operation["summary"], "request": request, "event": [{"listen": "test", "script": test}]}


def _is_repeatable(operation: Mapping[str, Any]) -> bool:
    return {"$ref": "#/components/parameters/Idempotency-Key"} in operation.get("parameters", ())


def _text(example: Any) -> str:
    return ",".join(example) if isinstance(example, list) else str(example)
