"""Every file of a resource has one order and one set of names, so that who knows one can skim all."""

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tradebook.resources import ALL
from tradebook.resources.api_keys import ALL_PERMISSIONS

FOLDER = Path(__file__).parents[2] / "src" / "tradebook" / "resources"
FILES = sorted(FOLDER.rglob("*.py"))
LITERAL = re.compile(r"\bLiteral\[[^\[\]]*\]")
ORDER = (
    "enumerations",
    "objects",
    "table",
    "ID_PREFIX, PATH",
    "INDEX",
    "fragments, load",
    "records",
    "FIELDS",
    "CREATE, UPDATE",
    "acts",
    "resource",
)
NAMES = {
    "INDEX": "INDEX",
    "ID_PREFIX": "ID_PREFIX, PATH",
    "PATH": "ID_PREFIX, PATH",
    "records": "records",
    "FIELDS": "FIELDS",
    "CREATE": "CREATE, UPDATE",
    "UPDATE": "CREATE, UPDATE",
    "acts": "acts",
    "create": "acts",
    "update": "acts",
    "delete": "acts",
    "resource": "resource",
}
MADE_BY = {
    "ListIndex": ("INDEX",),
    "Records": ("records",),
    "bodies": ("CREATE", "UPDATE"),
    "ColumnActs": ("acts",),
    "Resource": ("resource",),
}
"""What the results of these calls are called."""
ROUTES = {
    "path": ("PATH",),
    "load": ("load", "load_found"),
    "bodies": ("(CREATE, UPDATE)",),
    "create": ("create",),
    "update": ("update",),
    "delete": ("delete",),
}
"""What the arguments of `FiveRoutes` are called, but for the module or the acts that they are of."""


def names_of(statement: ast.stmt) -> list[str]:
    """Name what a statement of a module defines."""
    if isinstance(statement, (ast.FunctionDef, ast.ClassDef)):
        return [statement.name]
    targets = statement.targets if isinstance(statement, ast.Assign) else [getattr(statement, "target", None)]
    return [
        node.id for target in targets if target for node in ast.walk(target) if isinstance(node, ast.Name)
    ]


def calls(node: ast.AST) -> Iterator[ast.Call]:
    """Find the calls of plain names in a piece of code."""
    return (n for n in ast.walk(node) if isinstance(n, ast.Call) and isinstance(n.func, ast.Name))


def part_of(statement: ast.stmt, shapes: set[str]) -> str | None:
    """Tell which part of the order a statement belongs to; None where it may stand anywhere."""
    name = next(iter(names_of(statement)), "")
    if isinstance(statement, ast.ClassDef):
        return "objects" if name in shapes and not name.startswith("_") else None
    if isinstance(statement, ast.FunctionDef):
        return "fragments, load" if name.startswith("load") else NAMES.get(name)
    if isinstance(statement, ast.AnnAssign) and ast.unparse(statement.annotation) == "sa.Table":
        return "table"
    value = ast.unparse(statement.value) if getattr(statement, "value", None) else ""
    if name == "FIELDS" and "own(" in value:
        # Lines that the table is made of stand where the table does.
        return "table"
    if value.startswith(("Literal[", "get_args(")):
        return "enumerations"
    return "fragments, load" if name.startswith("fragments") else NAMES.get(name)


def faults_of(source: str) -> list[str]:
    """Say what a file has out of order, or calls otherwise than the other files do."""
    faults, last, shapes = [], ORDER[0], {"msgspec.Struct"}
    for statement in ast.parse(source).body:
        if isinstance(statement, ast.ClassDef) and shapes & {ast.unparse(base) for base in statement.bases}:
            shapes.add(statement.name)
        part = part_of(statement, shapes)
        if part is not None:
            if ORDER.index(part) < ORDER.index(last):
                faults.append(f"line {statement.lineno}: {part} after {last}")
            last = part
        made = statement.value.func.id if _is_call(statement) else None
        if made in MADE_BY and tuple(names_of(statement)) != MADE_BY[made]:
            faults.append(f"line {statement.lineno}: {made} makes {', '.join(names_of(statement))}")
        for call in calls(statement):
            if call.func.id == "FiveRoutes":
                faults += [
                    f"line {argument.value.lineno}: {argument.arg}={ast.unparse(argument.value)}"
                    for argument in call.keywords
                    if argument.arg in ROUTES
                    and ast.unparse(argument.value).rpartition(".")[2] not in ROUTES[argument.arg]
                ]
    return faults


def _is_call(statement: ast.stmt) -> bool:
    value = getattr(statement, "value", None)
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(FOLDER)))
def test_a_file_has_the_order_and_the_names_of_all(path):
    assert faults_of(path.read_text()) == []


def test_every_resource_is_looked_at():
    sources = [path.read_text() for path in FILES]

    assert sum("\nresource = Resource(" in source for source in sources) == len(ALL)


GOOD = (FOLDER / "payment_terms.py").read_text()


def moved(name: str, before: str) -> str:
    """The good file with one statement in front of another."""
    statements = ast.parse(GOOD).body
    index = {n: place for place, statement in enumerate(statements) for n in names_of(statement)}
    statement = statements.pop(index[name])
    statements.insert(index[before], statement)
    return "\n".join(ast.unparse(each) for each in statements)


@pytest.mark.parametrize(
    ("name", "before"),
    [
        ("payment_terms", "Status"), ("PaymentTerm", "Status"), ("ID_PREFIX", "PaymentTerm"), ("PATH", "payment_terms"),
        ("fragments", "PATH"), ("records", "fragments"), ("FIELDS", "records"), ("CREATE", "FIELDS"), ("acts", "CREATE"),
        ("resource", "acts"),
    ],
)  # fmt: skip
def test_a_statement_out_of_order_is_noticed(name, before):
    assert len(faults_of(moved(name, before))) == 1


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("records = Records", "rows = Records"), ("CREATE, UPDATE = bodies", "_create, _update = bodies"),
        ("acts = ColumnActs", "_plain = ColumnActs"), ("resource = Resource", "term_resource = Resource"),
        ("path=PATH", 'path="/v1/finance/payment-terms"'), ("create=acts.create", "create=acts.add"),
        ("update=acts.update", "update=change"), ("bodies=(CREATE, UPDATE)", "bodies=BODIES"),
        ("load=fragments.load_found", "load=_load"),
    ],
)  # fmt: skip
def test_another_name_is_noticed(name, other):
    assert GOOD.count(name) == 1
    assert len(faults_of(GOOD.replace(name, other))) == 1


def test_a_key_can_be_given_every_permission_that_a_route_asks_for():
    asked = {permission for resource in ALL for route in resource.routes for permission in route.permissions}

    assert asked <= set(ALL_PERMISSIONS)
    assert {p.partition(":")[0] for p in asked} == {p.partition(":")[0] for p in ALL_PERMISSIONS}


def enumerations(source: str) -> Iterator[tuple[str, ...]]:
    """Find what a file enumerates: two words or more, as a `Literal` or listed in a tuple, a list or a set."""
    for node in ast.walk(ast.parse(source)):
        words = getattr(node, "elts", [])
        if len(words) > 1 and all(isinstance(w, ast.Constant) and isinstance(w.value, str) for w in words):
            yield tuple(sorted(word.value for word in words))


def written_twice(sources: list[str]) -> list[tuple[str, ...]]:
    """Name the enumerations that are written more than once, of those that some `Literal` writes."""
    found = Counter(words for source in sources for words in enumerations(source))
    literals = set().union(*(LITERAL.findall(source) for source in sources))
    declared = {words for literal in literals for words in enumerations(literal)}
    return [words for words in declared if found[words] > 1]


def test_no_enumeration_is_written_twice():
    assert written_twice([path.read_text() for path in FILES]) == []


@pytest.mark.parametrize(
    "second", ['Literal["inactive", "active"]', '("active", "inactive")', '{"active", "inactive"}']
)
def test_an_enumeration_that_is_written_twice_is_noticed(second):
    assert written_twice([GOOD, f"STATUSES = {second}"]) == [("active", "inactive")]
