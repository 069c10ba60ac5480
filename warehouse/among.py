"""`column IN (keys)` with the keys as one bound value: for thousands of keys, and one statement however many there are.

SQLAlchemy's own `in_` binds each key, which costs more than the engine's search for it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from sqlalchemy import Column, ColumnElement, Dialect, Select, Table, bindparam, select, tuple_, types
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


class _Pairs(FunctionElement[Any]):
    inherit_cache = True


@compiles(_Numbers, "sqlite")
@compiles(_Texts, "sqlite")
def _of_json(element: _Numbers | _Texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"


@compiles(_Numbers, "postgresql")
@compiles(_Texts, "postgresql")
def _of_array(element: _Numbers | _Texts, compiler: SQLCompiler, **options: Any) -> str:
    return f"(SELECT unnest(CAST({compiler.process(element.clauses, **options)} AS {element.array})))"


@compiles(_Pairs, "sqlite")
def _of_json_pairs(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    pairs = compiler.process(element.clauses, **options)
    return f"(SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each({pairs}))"


@compiles(_Pairs, "postgresql")
def _of_array_pairs(element: _Pairs, compiler: SQLCompiler, **options: Any) -> str:
    pairs = compiler.process(element.clauses, **options)
    return (
        f"(SELECT p[1], p[2] FROM (SELECT string_to_array(unnest(CAST({pairs} AS text[])), ',')::bigint[] AS p) AS q)"
    )


class _PairKeys(types.TypeDecorator[list[Any]]):
    """Pairs of keys as one value."""

    impl = types.NullType
    cache_ok = True

    def process_bind_param(self, value: list[Any] | None, dialect: Dialect) -> Any:
        assert value is not None
        return json.dumps(value) if dialect.name == "sqlite" else [f"{first},{second}" for first, second in value]


def among(column: ColumnElement[Any], keys: Iterable[int] | Iterable[str]) -> ColumnElement[bool]:
    """Rows whose column is one of the keys. An operator and no function of SQLAlchemy's: of a function's truth it asks
    `= 1`, and SQLite looks for that without an index."""
    return _among(column, bindparam(None, list(keys), _Keys()))


def among_given(column: ColumnElement[Any], name: str = "keys") -> ColumnElement[bool]:
    """The same with the keys told on execution under this name: such a statement is made once and asked often. To make
    it anew each time took SQLAlchemy longer than the engine took to answer."""
    return _among(column, bindparam(name, type_=_Keys()))


def _among(column: ColumnElement[Any], keys: Any) -> ColumnElement[bool]:
    kind = _Texts if isinstance(column.type, types.String) else _Numbers
    return column.bool_op("IN")(kind(keys))


def pairs_given(first: ColumnElement[Any], second: ColumnElement[Any], name: str = "pairs") -> ColumnElement[bool]:
    """Rows whose two columns are one of the pairs of keys told on execution under this name."""
    return tuple_(first, second).bool_op("IN")(_Pairs(bindparam(name, type_=_PairKeys())))


@lru_cache(maxsize=200)
def rows_by(column: Column[Any]) -> Select[Any]:
    """Whole rows of a table whose column is one of the `keys`."""
    table = column.table
    assert isinstance(table, Table)
    return select(table).where(among_given(column))
