"""Each route declares what it can refuse with: no answer of a test says more, and no declaration says more than is met.

`tests/fixtures/refusals.py` looks at every answer of the run. Here are the refusals that no other test happens to meet.
"""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from msgspec import structs

from tests.contract.checkers import CUSTOMERS, assert_error
from tests.fixtures.lengths import IS_SOAK, length
from tests.fixtures.refusals import Refusal, Refusals, name_of
from tests.fixtures.samples import Maker
from tradebook.crud.resource import Action
from tradebook.errors import ResourceGone
from tradebook.resources import customers, payment_terms
from tradebook.web.openapi_refusals import errors_of

ROOT = Path(__file__).parents[2]
CARRIERS = "/v1/operations/carriers"
TERMS = "/v1/finance/payment-terms"


@pytest.fixture
def maker(book):
    return Maker(book)


def post_customer(maker, **fields):
    """Send the smallest body of a customer, with these fields."""
    return maker.client.post(CUSTOMERS, json={**maker.required(customers.resource), **fields})


def test_a_new_customer_has_a_type_group_and_pricing_groups(maker):
    wrong = maker.of_prefix("acgr", type="pricing_group")

    assert_error(
        post_customer(maker, customer_type_group_id=wrong), 400, "validation_failed", "customer_type_group_id"
    )


def test_a_new_customers_level_is_its_carriers(maker):
    level = maker.client.post(f"{CARRIERS}/{maker.of_prefix('cr')}/service-levels", json={"name": "L"}).json()

    answer = post_customer(maker, default_service_level_id=level["id"])

    assert_error(answer, 400, "validation_failed", "default_service_level_id")


def test_a_deleted_carrier_is_not_chosen_for_a_customer_that_is_there(maker):
    customer, carrier = maker.of_prefix("ac"), maker.of_prefix("cr")
    maker.client.delete(f"{CARRIERS}/{carrier}")

    answer = maker.client.patch(f"{CUSTOMERS}/{customer}", json={"default_carrier_id": carrier})

    assert_error(answer, 410, "resource_gone", "default_carrier_id")


def test_the_price_groups_of_a_merged_customer_lead_to_its_survivor(maker):
    survivor, merged = maker.of_prefix("ac"), maker.of_prefix("ac")
    maker.client.post(f"{CUSTOMERS}/{survivor}/actions/merge", json={"source_customer_ids": [merged]})

    answer = maker.client.get(f"{CUSTOMERS}/{merged}/price_groups")

    assert_error(answer, 404, "resource_not_found", "id")
    assert answer.headers["location"] == f"{CUSTOMERS}/{survivor}"


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_merged_customer_is_neither_attached_nor_detached(maker, method):
    address, survivor, merged = maker.of_prefix("ad"), maker.of_prefix("ac"), maker.of_prefix("ac")
    maker.client.post(f"{CUSTOMERS}/{survivor}/actions/merge", json={"source_customer_ids": [merged]})

    answer = maker.client.request(method, f"/v1/sales/addresses/{address}/customers/{merged}")

    assert_error(answer, 404, "resource_not_found", "customer_id")


def test_a_new_shipping_term_names_levels_that_are_there(maker):
    answer = maker.client.post(
        "/v1/operations/shipping-terms",
        json={"name": "Free", "free_shipping_service_level_ids": ["crop_0000000000000"]},
    )

    assert_error(answer, 400, "validation_failed", "free_shipping_service_level_ids")


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
def test_the_levels_of_the_system_stay_as_they_are(maker, method):
    fedex = next(c["id"] for c in maker.book.get(CARRIERS)["data"] if c["code"] == "fedex")
    level = maker.book.get(f"{CARRIERS}/{fedex}/service-levels")["data"][0]["id"]

    answer = maker.client.request(method, f"{CARRIERS}/{fedex}/service-levels/{level}")

    assert_error(answer, 403, "insufficient_permissions")


def test_a_level_is_not_renamed_to_a_name_that_its_carrier_has(maker):
    path = f"{CARRIERS}/{maker.of_prefix('cr')}/service-levels"
    maker.client.post(path, json={"name": "a"})
    other = maker.client.post(path, json={"name": "b"}).json()["id"]

    assert_error(maker.client.patch(f"{path}/{other}", json={"name": "a"}), 409, "resource_exists", "name")


def test_the_body_of_a_change_is_read_as_strictly_as_that_of_a_new_object(maker):
    customer = f"{CUSTOMERS}/{maker.of_prefix('ac')}"
    term = f"/v1/operations/shipping-terms/{maker.of_prefix('shtm')}"
    user = f"/v1/identity/account-users/{maker.of_prefix('acus')}"

    for method, path, body, code, param in (
        ("PATCH", customer, {"credit_limit": {}}, "missing_field", "credit_limit.value"),
        ("PATCH", term, {"flat_rate": {}}, "missing_field", "flat_rate.value"),
        ("PATCH", user, {"email": 5}, "invalid_format", "email"),
        ("POST", f"{customer}/actions/merge", {}, "missing_field", "source_customer_ids"),
        ("PUT", f"{CUSTOMERS}/by-number/1", {"name": 5}, "invalid_format", "name"),
    ):
        assert_error(maker.client.request(method, path, json=body), 400, code, param)


# What is declared


def codes_of(method, path):
    route = next(r for r in payment_terms.resource.routes if name_of(r) == f"{method} {path}")
    return {error.code for error in errors_of(route)}


OF_ALL = {
    "parameter_invalid", "parameter_missing", "parameter_unknown", "invalid_credentials", "api_key_expired",
    "api_key_revoked", "insufficient_permissions", "method_not_allowed", "payload_too_large",
    "rate_limit_exceeded", "internal_error", "service_unavailable",
}  # fmt: skip
KEPT = {"idempotency_in_progress", "idempotency_key_reused", "outcome_in_doubt"}


def test_a_payment_term_can_be_refused_for_what_can_happen_to_it_and_nothing_else():
    change = OF_ALL | {"validation_failed", "request_timeout", "unsupported_media_type"}
    create, update = KEPT | {"missing_field", "invalid_format"}, KEPT | {"invalid_format"}
    one = {"resource_not_found", "precondition_failed"}

    assert codes_of("GET", TERMS) == OF_ALL
    assert codes_of("GET", f"{TERMS}/{{id}}") == OF_ALL | {"resource_not_found"}
    assert codes_of("POST", TERMS) == change | create | {"resource_exists"}
    assert codes_of("PATCH", f"{TERMS}/{{id}}") == change | update | one | {"resource_exists"}
    assert codes_of("DELETE", f"{TERMS}/{{id}}") == change | one | {"resource_conflict"}


# What looks at every answer


def answer_of(code):
    """An answer of a server that refuses with this."""
    transport = httpx.MockTransport(lambda request: httpx.Response(400, json={"error": {"code": code}}))
    with httpx.Client(transport=transport, verify=False) as client:
        return client.post(f"http://127.0.0.1{TERMS}")


def test_a_refusal_that_is_not_declared_is_noticed():
    with pytest.raises(AssertionError, match=f"POST {TERMS} answered resource_gone"):
        answer_of("resource_gone")
    with pytest.raises(AssertionError, match="answered made_up"):
        answer_of("made_up")

    assert answer_of("validation_failed").status_code == 400


def test_a_refusal_that_is_declared_and_never_met_is_noticed():
    create = next(r for r in payment_terms.resource.routes if isinstance(r, Action) and r.creates)
    kept = Refusals([structs.replace(create, errors=(ResourceGone,))])
    for code in ("resource_exists", "missing_field", "invalid_format", "validation_failed"):
        kept.meet("POST", TERMS, code)

    assert kept.never_met() == [Refusal(f"POST {TERMS}", "resource_gone")]

    kept.meet("POST", TERMS, "resource_gone")

    assert kept.never_met() == []


MEETING = """
from tests.fixtures.refusals import refusals

def test_some():
    refusals.met |= set(sorted(refusals._own)[::2])
"""


def run(folder, *arguments, pieces):
    """Run a suite of some files, each of which meets every second refusal, or all others."""
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = suite\n")
    (folder / "suite").mkdir(exist_ok=True)
    for number, piece in enumerate(pieces):
        (folder / "suite" / f"test_{number}.py").write_text(MEETING.replace("[::2]", piece))
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "tests.fixtures.refusals", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_whole_run_fails_where_a_refusal_was_never_met(tmp_path):
    done = run(tmp_path, pieces=["[::2]"])

    assert done.returncode == 1, done.stdout
    _, told = done.stdout.split("1 passed")
    assert "FAILED: no test has met resource_exists of POST" in told


@pytest.mark.parametrize("part", length([["-k", "some"]], [["-k", "some"], ["suite/test_0.py"]]))
def test_a_part_of_a_run_does_not_fail_for_it(tmp_path, part):
    assert run(tmp_path, *part, pieces=["[::2]"]).returncode == 0


@pytest.mark.skipif(not IS_SOAK, reason="three processes of pytest, in a long run")
def test_what_several_processes_have_met_counts_together(tmp_path):
    done = run(tmp_path, "-n", "2", "--dist", "loadfile", pieces=["[::2]", "[1::2]"])

    assert done.returncode == 0, done.stdout
