"""What the style guide counts: functions of at most 70 lines, modules of at most 600 that somebody has written."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GENERATED = "run `make docs`"
SOURCES = sorted(
    path
    for folder in ("src", "client/src", "tools")
    for path in (ROOT / folder).rglob("*.py")
    if GENERATED not in path.read_text().partition('"""\n')[0]
)
FUNCTION_LINES_MAX = 70
MODULE_LINES_MAX = 600


def long_functions(source: str) -> list[str]:
    """Name the functions that are too long, migrations apart: those are lists of tables."""
    functions = (
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return [f.name for f in functions if f.end_lineno - f.lineno + 1 > FUNCTION_LINES_MAX]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_functions_and_modules_are_short(path):
    source = path.read_text()

    assert len(source.splitlines()) <= MODULE_LINES_MAX
    assert "migrations/versions" in str(path) or long_functions(source) == []


def test_a_long_function_is_noticed():
    assert long_functions("def f():\n" + "    pass\n" * 70) == ["f"]
    assert long_functions("def f():\n" + "    pass\n" * 69) == []
