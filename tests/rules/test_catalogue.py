"""The catalogue of errors: each class once, by status, and drawn as it is."""

import ast
import inspect
import re

from tradebook import errors
from tradebook.errors import CATALOGUE


def drawn(text):
    """The errors in a drawing of the tree: (name, status)."""
    return re.findall(r"^    [├└]── (\w+) +(\d{3})  \S", text, re.MULTILINE)


AS_IT_IS = [(error.__name__, str(error.status)) for error in CATALOGUE]


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

    assert classes == ["ApiError", *(error.__name__ for error in CATALOGUE)]


def test_no_two_errors_share_a_code_and_each_is_explained():
    assert len({error.code for error in CATALOGUE}) == len(CATALOGUE)
    assert [error for error in CATALOGUE if not error.__doc__] == []
