"""Entity tags as RFC 9110 has them: strict where an update could be lost, lenient where nothing can."""

import pytest

from tests.contract.checks import check_envelope
from tests.fixtures.samples import Maker

TERMS = "/v1/finance/payment-terms"


@pytest.fixture(scope="module")
def term(module_book):
    """A payment term that no test changes: its path and its tag."""
    path = f"{TERMS}/{Maker(module_book).of_prefix('pytm')}"
    return path, module_book.client.get(path).headers["etag"]


def change(book, path, if_match, method="PATCH"):
    content = None if method == "DELETE" else b"{}"
    return book.client.request(method, path, content=content, headers={"If-Match": if_match})


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    "form",
    [
        "", ",", ", ,", "{bare}", '"{bare}', '{bare}"', '"{bare}, "a"', "{tag} {tag}", "{tag}x", "x{tag}", "w/{tag}",
        "W/{bare}", "W/ {tag}", "W/", '"a", {bare}', "*, {tag}", "{tag}, *", "**", '"*', "'{bare}'", '"a b"', '"', '"""',
        '"a"b"', "{tag};",
    ],
)  # fmt: skip
def test_an_if_match_that_is_no_list_of_tags_is_refused(module_book, term, form, method):
    path, tag = term

    answer = change(module_book, path, form.format(tag=tag, bare=tag.strip('"')), method)

    check_envelope(answer, 400, "If-Match", "parameter_invalid")
    assert module_book.client.get(path).headers["etag"] == tag


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize(
    "form",
    ["W/{tag}", 'W/{tag}, W/"a"', 'W/{tag}, "a-b"', '""', '"a"', '"{version}"', '"{version}x-0"', '"a,{bare}"'],
)  # fmt: skip
def test_a_tag_that_is_weak_or_of_something_else_does_not_match(module_book, term, form, method):
    path, tag = term
    bare = tag.strip('"')
    header = form.format(tag=tag, bare=bare, version=bare.partition("-")[0])

    answer = change(module_book, path, header, method)

    check_envelope(answer, 412, None, "precondition_failed")
    assert module_book.client.get(path).headers["etag"] == tag


@pytest.mark.parametrize(
    "form",
    ["{tag}", "*", '"a-b", {tag}', '{tag},"a"', ",, {tag},,", '"a,b",{tag}', 'W/"a", {tag}', '"{version}-else"'],
)  # fmt: skip
def test_a_list_with_the_object_s_tag_lets_it_be_changed(book, form):
    path = f"{TERMS}/{Maker(book).of_prefix('pytm')}"
    tag = book.client.get(path).headers["etag"]

    answer = change(book, path, form.format(tag=tag, version=tag[1:].partition("-")[0]))

    assert answer.status_code == 200, answer.text


def test_what_adds_to_an_object_does_not_look_at_its_tag(book):
    levels = f"/v1/operations/carriers/{Maker(book).of_prefix('cr')}/service-levels"

    answer = book.client.post(levels, json={"name": "Slow"}, headers={"If-Match": "nonsense"})

    assert answer.status_code == 201


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("{tag}", 304), ("W/{tag}", 304), ('"a", W/{tag}', 304), ("*", 304), ('"a,b",{tag}', 304), ("x, {tag}", 304),
        ("{bare}", 200), ('"{bare}', 200), ("", 200), ('"a"', 200), ('"a,{bare}"', 200), ('"', 200),
    ],
)  # fmt: skip
def test_if_none_match_is_compared_weakly_and_passes_over_what_is_no_tag(module_book, term, form, status):
    path, tag = term

    header = form.format(tag=tag, bare=tag.strip('"'))

    assert module_book.client.get(path, headers={"If-None-Match": header}).status_code == status
