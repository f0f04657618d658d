"""Bodies of brackets in brackets: refused at one depth on every version of Python, whatever its decoder can take."""

import sys
import threading

import pytest

from tradebook.crud.json_body import parse_object
from tradebook.crud.strict_json import DEPTH_MAX, TooDeep, decode
from tradebook.errors import ValidationFailed

ROOMY_STACK_BYTES = 256 << 20
SHAPES = {
    "lists": ("[", "]"),
    "objects": ('{"a":', "}"),
    "both": ('[{"a":', "}]"),
}


def nested(shape, depth):
    """A body of so many levels, with an escaped letter inside, which has every text looked at."""
    opening, closing = SHAPES[shape]
    levels = (depth - 1) // (opening.count("[") + opening.count("{"))
    return '{"name":' + opening * levels + r'"\u0041"' + closing * levels + "}"


def in_a_thread(limit, work):
    """Do work with as much room on the stack as anybody could have, and this limit of recursion."""
    found = []
    before, size = sys.getrecursionlimit(), threading.stack_size(ROOMY_STACK_BYTES)

    def run():
        try:
            found.append(work())
        except Exception as error:
            found.append(error)

    sys.setrecursionlimit(limit)
    try:
        thread = threading.Thread(target=run)
        thread.start()
        thread.join()
    finally:
        sys.setrecursionlimit(before)
        threading.stack_size(size)
    return found[0]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("depth", [DEPTH_MAX + 2, 2_000, 100_000])
@pytest.mark.parametrize("limit", [60, 1_000, 400_000], ids=["low", "usual", "high"])
def test_what_is_nested_too_deeply_is_refused_whatever_the_decoder_takes(shape, depth, limit):
    body = nested(shape, depth).encode()

    refusal = in_a_thread(limit, lambda: parse_object(body))

    assert isinstance(refusal, ValidationFailed)
    assert f"at most {DEPTH_MAX} levels" in refusal.message


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_is_read(shape):
    assert decode(nested(shape, DEPTH_MAX))
    with pytest.raises(TooDeep):
        decode(nested(shape, DEPTH_MAX + 2))


def test_many_brackets_beside_each_other_are_not_deep():
    assert len(decode(f'{{"a": [{",".join(["[]", "{}"] * 5_000)}]}}')["a"]) == 10_000
