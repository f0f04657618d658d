"""What must hold for every answer, written from the contract; each check raises AssertionError."""

import re

CUSTOMER_KEYS = (
    "id object name number status edi_status relationship_type commission_policy note credit_limit contact_info "
    "freight_preferences defaults notification_preferences bill_to_address ship_to_address type price_groups "
    "parent_account child_accounts created_at updated_at"
).split()
ERROR_KEYS = {"code", "type", "message", "param", "doc_url", "is_transient", "quota", "request_log_url"}
NULL_UNLESS_ASKED = CUSTOMER_KEYS[CUSTOMER_KEYS.index("credit_limit") : CUSTOMER_KEYS.index("created_at")]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")


def check_envelope(answer, status: int, param: str | None = None, code: str | None = None) -> dict:
    """The answer is an error of this status, with all eight keys and the headers of every answer."""
    assert answer.status_code == status, (answer.status_code, answer.text)
    check_headers(answer)
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    assert set(body) == {"error"}
    error = body["error"]
    assert set(error) == ERROR_KEYS
    assert error["type"] in ("invalid_request_error", "api_error", "idempotency_error")
    assert isinstance(error["message"], str)
    assert len(error["message"]) > 10
    assert error["param"] == param
    assert error["quota"] is None
    assert error["request_log_url"] is None
    assert error["doc_url"].endswith(f"#{error['code']}")
    assert answer.headers["x-should-retry"] == ("true" if error["is_transient"] else "false")
    if code:
        assert error["code"] == code
    return error


def check_headers(answer) -> None:
    """Request id and retry advice are on every answer."""
    assert re.fullmatch(r"[A-Za-z0-9_-]{1,128}", answer.headers["x-request-id"])
    assert answer.headers["request-id"] == answer.headers["x-request-id"]
    assert answer.headers["x-should-retry"] in ("true", "false")


def check_customer(customer: dict, *, bare: bool = False) -> None:
    """Every key, in the reference's order; a bare one has every sub-object null."""
    assert list(customer) == CUSTOMER_KEYS
    assert re.fullmatch(r"ac_[0-9a-hjkmnp-tv-z]{13}", customer["id"])
    assert customer["object"] == "customer"
    assert customer["status"] in ("normal", "preferred", "hold_shipment", "hold_all")
    assert customer["edi_status"] in ("enabled", "disabled")
    assert customer["relationship_type"] in ("standalone", "parent", "child")
    assert customer["commission_policy"] in ("commission_applied", "commission_exempt")
    assert TIME.fullmatch(customer["created_at"])
    assert TIME.fullmatch(customer["updated_at"])
    if bare:
        assert [customer[key] for key in NULL_UNLESS_ASKED] == [None] * len(NULL_UNLESS_ASKED)
