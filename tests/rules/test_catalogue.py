"""The catalogue of errors: each class once, by status, and drawn as it is."""

import ast
import inspect
import re

from tradebook import errors
from tradebook.errors import CATALOGUE

PUBLISHED = {
    ("invalid_credentials", 401), ("api_key_expired", 401), ("api_key_revoked", 401),
    ("insufficient_permissions", 403), ("validation_failed", 400), ("missing_field", 400),
    ("invalid_format", 400), ("parameter_invalid", 400), ("parameter_unknown", 400),
    ("parameter_missing", 400), ("resource_not_found", 404), ("method_not_allowed", 405),
    ("resource_exists", 409), ("resource_conflict", 409), ("resource_gone", 410),
    ("precondition_failed", 412), ("payload_too_large", 413), ("unsupported_media_type", 415),
    ("idempotency_in_progress", 409), ("idempotency_key_reused", 422), ("rate_limit_exceeded", 429),
    ("request_timeout", 408), ("internal_error", 500), ("service_unavailable", 503),
    ("outcome_in_doubt", 503),
}  # fmt: skip


def drawn(text):
    """The errors in a drawing of the tree: (name, status)."""
    return re.findall(r"^    (?:│   )?[├└]── (\w+) +(\d{3})  \S", text, re.MULTILINE)


WITH_THOSE_BELOW = [each for error in CATALOGUE for each in (error, *error.__subclasses__())]
AS_IT_IS = [(error.__name__, str(error.status)) for error in WITH_THOSE_BELOW]


def test_the_tree_is_drawn_as_it_is():
    assert drawn(errors.__doc__) == AS_IT_IS


def test_a_tree_that_is_drawn_otherwise_is_noticed():
    lines = errors.__doc__.splitlines(keepends=True)
    first = next(number for number, line in enumerate(lines) if "├──" in line)

    swapped = [*lines[:first], lines[first + 1], lines[first], *lines[first + 2 :]]
    shortened = lines[:first] + lines[first + 1 :]

    assert drawn("".join(lines)) == AS_IT_IS
    for wrong in ("".join(swapped), "".join(shortened), errors.__doc__.replace(" 409 ", " 410 ", 1)):
        assert drawn(wrong) != AS_IT_IS


def test_every_class_is_in_the_catalogue_in_the_order_of_the_file():
    tree = ast.parse(inspect.getsource(errors))
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]

    assert classes == ["ApiError", *(error.__name__ for error in WITH_THOSE_BELOW)]


def test_no_two_errors_share_a_code_and_each_is_explained():
    assert len({error.code for error in CATALOGUE}) == len(CATALOGUE)
    assert [error for error in WITH_THOSE_BELOW if not error.__doc__] == []


def test_a_class_below_another_is_answered_alike_and_carries_more():
    below = [(error, each) for error in CATALOGUE for each in error.__subclasses__()]

    assert below
    for error, each in below:
        assert (each.code, each.status, each.type, each.is_transient) == (
            error.code, error.status, error.type, error.is_transient,
        )  # fmt: skip
        assert each.points_on
        assert not each.__subclasses__()


def test_the_codes_are_the_published_words():
    assert {(error.code, error.status) for error in CATALOGUE} == PUBLISHED
    assert {error.code for error in CATALOGUE if error.type == "idempotency_error"} == {
        "idempotency_in_progress",
        "idempotency_key_reused",
    }
