"""What the contract's tests judge answers by. Each checker is shown to bite in test_checkers.py."""

import json
import re
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

import httpx

CUSTOMERS = "/v1/sales/customers"
INCLUDE_VALUES = [
    "bill_to_address",
    "ship_to_address",
    "type",
    "parent_account",
    "child_accounts",
    "price_groups",
    "contact_info",
    "credit_limit",
    "notification_preferences",
    "freight_preferences",
    "freight_preferences.carrier",
    "freight_preferences.service_level",
    "defaults",
    "defaults.payment_term",
    "defaults.shipping_term",
    "defaults.priority",
    "defaults.sales_rep",
    "defaults.sales_rep.user",
    "credit_limit.unit",
    "freight_preferences.carrier.service_levels",
    "bill_to_address.geolocation",
    "ship_to_address.geolocation",
]
PAGE_INFO_KEYS = ["next_page_url", "previous_page_url", "has_next_page", "has_prev_page"]
ENVELOPE_KEYS = [
    "code", "type", "message", "param", "doc_url", "is_transient", "quota", "request_log_url",
]  # fmt: skip
ERROR_TYPES = {"invalid_request_error", "api_error", "idempotency_error"}
_TIMES = ["created_at", "updated_at"]
KEYS_OF: dict[str, list[str]] = {
    "list": ["object", "page_info", "data"],
    "customer": [
        "id", "object", "name", "number", "status", "edi_status", "relationship_type", "commission_policy",
        "note", "credit_limit", "contact_info", "freight_preferences", "defaults",
        "notification_preferences", "bill_to_address", "ship_to_address", "type", "price_groups",
        "parent_account", "child_accounts", *_TIMES,
    ],
    "quantity": ["id", "object", "value", "display_value", "unit"],
    "unit": [
        "id", "object", "name", "abbreviation", "type", "ratio_numerator", "ratio_denominator",
        "offset_numerator", "offset_denominator", "is_base_unit", "owner", *_TIMES, "code", "symbol",
    ],
    "customer_contact_info": ["object", "email", "phone", "url"],
    "customer_freight_preferences": [
        "object", "status", "carrier", "service_level", "billing_type", "billing_account",
    ],
    "carrier": [
        "id", "object", "name", "code", "account_number", "customer_portal_visibility", "owner",
        "service_levels", "deleted_at", *_TIMES,
    ],
    "service_level": [
        "id", "object", "name", "service_level_token", "customer_portal_visibility", "is_default", "owner",
        *_TIMES,
    ],
    "customer_defaults": ["object", "payment_term", "shipping_term", "priority", "sales_rep"],
    "payment_term": ["id", "object", "name", "status", "owner", *_TIMES],
    "shipping_term": [
        "id", "object", "name", "type", "owner", "flat_rate", "minimum_order_value",
        "free_shipping_service_levels", *_TIMES,
    ],
    "priority": ["id", "object", "code", "name", "owner", *_TIMES],
    "account_user": ["id", "user", "object", "status", "role", "department", "last_used_at", *_TIMES],
    "user": [
        "id", "object", "email", "name", "username", "email_verified_at", "image_url", *_TIMES,
    ],
    "customer_notification_preferences": ["object", "accepts_invoice_emails"],
    "address": ["id", "object", "name", "phone", "email", "type", "geolocation", *_TIMES],
    "geolocation": [
        "id", "object", "street_line_1", "street_line_2", "locality", "state", "postal_code", "country",
    ],
    "account_group": [
        "id", "object", "name", "description", "commission_policy", "freight_policy", "type", *_TIMES,
    ],
}  # fmt: skip
"""The keys of every object that the contract spells out, in its order."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_INSIDE = re.compile(
    r"Traceback|\.py\b|sqlite|apsw|psycopg|SELECT |falcon|msgspec|granian"
    rf"|{re.escape(str(Path(__file__).parents[2]))}|{re.escape(tempfile.gettempdir())}",
    re.IGNORECASE,
)


def envelope_faults(answer: httpx.Response, status: int, code: str, param: str | None) -> list[str]:
    """Say all that is wrong with an answer that must be this error."""
    try:
        body = json.loads(answer.content)
        error = body["error"]
        keys = [list(body), list(error)]
    except (ValueError, TypeError, KeyError):
        return [f"not an envelope: {answer.status_code} {answer.content[:200]!r}"]
    claims = {
        f"status is {answer.status_code}, not {status}": answer.status_code == status,
        f"keys are {keys}": keys == [["error"], ENVELOPE_KEYS],
        f"code is {error.get('code')!r}, not {code!r}": error.get("code") == code,
        f"param is {error.get('param')!r}, not {param!r}": error.get("param") == param,
        f"type is {error.get('type')!r}": error.get("type") in ERROR_TYPES,
        "message is no sentence": isinstance(error.get("message"), str) and len(error["message"]) > 5,
        "message shows the inside": not _INSIDE.search(str(error.get("message"))),
        "doc_url does not end in the code": str(error.get("doc_url")).endswith(f"#{error.get('code')}"),
        "is_transient is no boolean": isinstance(error.get("is_transient"), bool),
        "quota is not null": error.get("quota", "") is None,
        "x-should-retry and is_transient differ": answer.headers.get("x-should-retry")
        == json.dumps(error.get("is_transient")),
        "content type is not JSON": answer.headers.get("content-type", "").startswith("application/json"),
        **header_claims(answer),
    }
    return [fault for fault, holds in claims.items() if not holds]


def header_claims(answer: httpx.Response) -> dict[str, bool]:
    """Claim what holds for the headers of every answer."""
    return {
        "no request id": bool(_REQUEST_ID.fullmatch(answer.headers.get("x-request-id", ""))),
        "two request ids": answer.headers.get("request-id") == answer.headers.get("x-request-id"),
        "no x-should-retry": answer.headers.get("x-should-retry") in {"true", "false"},
        "no nosniff": answer.headers.get("x-content-type-options") == "nosniff",
    }


def assert_error(answer: httpx.Response, status: int, code: str, param: str | None = None) -> None:
    """The answer is this error, in the envelope, with the headers that every answer has."""
    assert envelope_faults(answer, status, code, param) == [], answer.text[:500]


def assert_refused(answer: httpx.Response, param: str | None) -> None:
    """The answer is a 400 that names the parameter, and says whether there is none or its value is wrong."""
    is_unknown = answer.json()["error"]["message"].startswith("There is no parameter")
    assert_error(answer, 400, "parameter_unknown" if is_unknown else "parameter_invalid", param)


def key_order_faults(value: Any, path: str = "$") -> list[str]:
    """Name every object inside a value that has other keys, or another order, than the contract."""
    faults: list[str] = []
    if isinstance(value, list):
        for place, item in enumerate(value):
            faults += key_order_faults(item, f"{path}[{place}]")
    elif isinstance(value, dict):
        kind = value.get("object")
        wanted = PAGE_INFO_KEYS if path.endswith(".page_info") else KEYS_OF.get(str(kind), list(value))
        if list(value) != wanted:
            faults.append(f"{path} ({kind}): {list(value)}")
        for key, item in value.items():
            faults += key_order_faults(item, f"{path}.{key}")
    return faults


def non_null_paths(value: dict[str, Any], inside: str = "") -> set[str]:
    """Name every sub-object of an object that is there, dotted as include values are."""
    found: set[str] = set()
    for key, item in value.items():
        if isinstance(item, dict) and key != "page_info":
            found |= {f"{inside}{key}"} | non_null_paths(item, f"{inside}{key}.")
    return found


def page_faults(page: dict[str, Any]) -> list[str]:
    """Say all that is wrong with a page by itself: its keys, flags, URLs and order."""
    info = page["page_info"]
    ids = [item["id"] for item in page["data"]]
    claims = {
        "keys of the page": list(page) == KEYS_OF["list"] and page["object"] == "list",
        "keys of page_info": list(info) == PAGE_INFO_KEYS,
        "next_page_url is null exactly without next": (info["next_page_url"] is not None)
        is info["has_next_page"],
        "previous_page_url is null exactly without previous": (info["previous_page_url"] is not None)
        is info["has_prev_page"],
        "the URLs are relative": all(
            url is None or (url.startswith("/") and not url.startswith("//"))
            for url in (info["next_page_url"], info["previous_page_url"])
        ),
        # The body of an id is its key, and text order is key order.
        "newest first": ids == sorted(ids, reverse=True),
    }
    return [fault for fault, holds in claims.items() if not holds]


def fetch(client: httpx.Client, url: str, **options: Any) -> dict[str, Any]:
    """GET a page that must be there."""
    answer = client.get(url, **options)
    assert answer.status_code == 200, answer.text[:500]
    page: dict[str, Any] = answer.json()
    return page


def pages_of(client: httpx.Client, url: str, direction: str = "next_page_url") -> list[dict[str, Any]]:
    """Follow the URLs of one direction verbatim, from this page to the end."""
    pages = [fetch(client, url)]
    while (following := pages[-1]["page_info"][direction]) is not None:
        assert len(pages) < 10_000, "the walk has no end"
        pages.append(fetch(client, following))
    return pages


def ids_of(pages: Iterable[dict[str, Any]]) -> list[str]:
    """List the ids on pages, in order."""
    return [item["id"] for page in pages for item in page["data"]]


def walk_faults(pages: Sequence[dict[str, Any]], stayed: Sequence[str], limit: int) -> list[str]:
    """Say all that is wrong with a whole forward walk over rows that did not change."""
    seen = Counter(ids_of(pages))
    faults = [f"page {n}: {fault}" for n, page in enumerate(pages, 1) for fault in page_faults(page)]
    faults += [f"skipped {key}" for key in stayed if key not in seen]
    faults += [f"repeated {key}" for key, count in seen.items() if count > 1]
    faults += [f"foreign {key}" for key in seen if key not in set(stayed)]
    if ids_of(pages) != sorted(seen, reverse=True):
        faults.append("not newest first")
    flags = [(page["page_info"]["has_prev_page"], page["page_info"]["has_next_page"]) for page in pages]
    if flags != [(n > 0, n < len(pages) - 1) for n in range(len(pages))]:
        faults.append(f"flags {flags}")
    lengths = [len(page["data"]) for page in pages]
    whole, rest = divmod(len(stayed), limit)
    if lengths != ([limit] * whole + [rest] * (rest > 0) or [0]):
        faults.append(f"lengths {lengths}")
    return faults


def assert_exact_walk(client: httpx.Client, url: str, stayed: Sequence[str], limit: int) -> None:
    """Both directions show exactly these rows, each once, on exactly full pages; URLs keep what was asked."""
    forward = pages_of(client, url)
    assert walk_faults(forward, stayed, limit) == []
    assert_urls_repeat(forward, url)

    last = forward[-1]["page_info"]["previous_page_url"]
    backward = pages_of(client, last, "previous_page_url") if last else []

    assert [fault for page in backward for fault in page_faults(page)] == []
    assert [page["data"] for page in reversed(backward)] == [page["data"] for page in forward[:-1]]
    assert [page["page_info"]["has_prev_page"] for page in backward] == [True] * (len(backward) - 1) + [
        False
    ] * (len(backward) > 0)
    assert all(page["page_info"]["has_next_page"] for page in backward)


def assert_urls_repeat(pages: Iterable[dict[str, Any]], url: str) -> None:
    """Every neighbour's URL has the same path and parameters as the request, and a cursor."""
    asked = urlsplit(url)
    for link in links_of(pages):
        found = urlsplit(link)
        pairs = parse_qsl(found.query, keep_blank_values=True)
        cursors = [value for name, value in pairs if name == "cursor"]
        assert found.path == asked.path
        assert [pair for pair in pairs if pair[0] != "cursor"] == [
            pair for pair in parse_qsl(asked.query, keep_blank_values=True) if pair[0] != "cursor"
        ]
        assert len(cursors) == 1


def links_of(pages: Iterable[dict[str, Any]]) -> Iterator[str]:
    """Yield every URL that pages point at."""
    for page in pages:
        for name in ("next_page_url", "previous_page_url"):
            if page["page_info"][name] is not None:
                yield page["page_info"][name]


def cursor_in(url: str) -> str:
    """Take the cursor out of a page's URL."""
    return dict(parse_qsl(urlsplit(url).query))["cursor"]


def traces_of(answer: httpx.Response, canaries: Iterable[str]) -> list[str]:
    """Name the canaries that occur anywhere in an answer: body or headers, as they are or encoded."""
    heads = b"\n".join(name + b": " + value for name, value in answer.headers.raw)
    text = heads + b"\n" + answer.content
    # As JSON escapes and as percent signs too, whatever the case.
    unescaped = re.sub(rb"\\u00([0-7][0-9a-f])", lambda m: bytes.fromhex(m[1].decode()), text)
    haystack = b"\n".join((text, unescaped, unquote_to_bytes(text))).lower()
    return [canary for canary in canaries if canary.lower().encode() in haystack]
