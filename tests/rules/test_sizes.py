"""What the style guide counts: functions of at most 70 lines, modules of at most 600."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 600


def long_functions(source: str) -> list[str]:
    """Name the functions that are too long, migrations apart: those are lists of tables."""
    functions = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef))
    return [f.name for f in functions if f.end_lineno - f.lineno + 1 > FUNCTION_LINES_MAX]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_modules_are_short(path):
    source = path.read_text()

    assert len(source.splitlines()) <= MODULE_LINES_MAX
    assert "migrations/versions" in str(path) or long_functions(source) == []


def test_a_long_function_is_noticed():
    assert long_functions("def f():\n" + "    pass\n" * 70) == ["f"]
    assert long_functions("def f():\n" + "    pass\n" * 69) == []
