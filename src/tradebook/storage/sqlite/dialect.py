"""The words of SQLite for what the declared statements say."""

from typing import Any

from sqlalchemy.dialects import sqlite
from sqlalchemy.ext.compiler import compiles

from tradebook.storage.schema import any_of, each_of, utf8

DIALECT = sqlite.dialect(paramstyle="named")


@compiles(any_of, "sqlite")
def _any_of(element: Any, compiler: Any, **options: Any) -> str:
    column, values = (compiler.process(clause, **options) for clause in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({values}))"


@compiles(each_of, "sqlite")
def _each_of(element: Any, compiler: Any, **options: Any) -> str:
    return f"json_each({compiler.process(element.clauses.clauses[0], **options)})"


@compiles(utf8, "sqlite")
def _utf8(element: Any, compiler: Any, **options: Any) -> str:
    return f"CAST({compiler.process(element.clauses.clauses[0], **options)} AS BLOB)"
