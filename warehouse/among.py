"""`column IN (keys)` with the keys as one bound value: for thousands of keys, and one statement however many there are.

SQLAlchemy's own `in_` binds each key, which costs more than the engine's search for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Dialect, bindparam, types
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class _Keys(types.TypeDecorator[list[Any]]):
    """Keys as one value: an array on PostgreSQL, JSON on SQLite."""

    impl = types.NullType
    cache_ok = True

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        return json.dumps(value) if dialect.name == "sqlite" else value


class _Numbers(FunctionElement[Any]):
    inherit_cache = True
    array = "bigint[]"


class _Texts(FunctionElement[Any]):
    inherit_cache = True
    array = "text[]"


@compiles(_Numbers, "sqlite")
@compiles(_Texts, "sqlite")
def _of_json(element: _Numbers | _Texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(_Numbers, "postgresql")
@compiles(_Texts, "postgresql")
def _of_array(element: _Numbers | _Texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest(CAST({compiler.process(element.clauses, **options)} AS {element.array})))"


def among(column: ColumnElement[Any], keys: Iterable[int] | Iterable[str]) -> ColumnElement[bool]:
    """Rows whose column is one of the keys. An operator and no function of SQLAlchemy's: of a function's truth it asks
    `= 1`, and SQLite looks for that without an index."""
    kind = _Texts if isinstance(column.type, types.String) else _Numbers
    return column.bool_op("IN")(kind(bindparam(None, list(keys), _Keys())))
