"""What tables, columns and codes mean, in English and Chinese.

English comes from the comments of the schema (and the docstrings of the marts), Chinese from `catalog/columns_zh.yml`,
codes in both from `catalog/codes.yml`. A test says what lacks its words.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Table

from extraction.rules import read_catalogue
from extraction.yaml_file import read_yaml
from warehouse.marts import VIEWS
from warehouse.regions import CATALOG
from warehouse.release_marts import REGION_YEAR, WIDE
from warehouse.schema import LOG, STAR


class Said(NamedTuple):
    en: str
    zh: str


TABLES: Mapping[str, Table] = {table.name: table for table in (*STAR, *LOG)}


def describe_table(name: str) -> Said:
    """A table, a mart or a wide table of a release."""
    told = _chinese()
    if name in TABLES:
        return Said(TABLES[name].comment or "", told["tables"].get(name, {}).get("about", ""))
    if name in VIEWS:
        return Said(inspect.getdoc(VIEWS[name]) or "", told["marts"].get(name, ""))
    if name.startswith(f"{REGION_YEAR}_"):
        return Said(WIDE, told["marts"]["wide"])
    return Said("", "")


def describe_column(table: str, column: str) -> Said:
    """A column: of its table, or of a mart, whose columns mean what they mean in the star if not said else."""
    told = _chinese()
    own = told["tables"].get(table, {}).get("columns", {})
    if table in TABLES and column in TABLES[table].columns:
        en = TABLES[table].columns[column].comment or ""
        return Said(en, own.get(column) or told["common"].get(column, ""))
    if column in told["mart_columns"]:
        said = told["mart_columns"][column]
        return Said(said["en"], said["zh"])
    for name in _ORIGINS:
        if column in TABLES[name].columns:
            return describe_column(name, column)
    return _describe_metric(column)


_ORIGINS = (
    "fact_metric_value", "fact_observation", "dim_document", "fact_check", "dim_rule", "dim_metric", "dim_region",
    "dim_period", "dim_unit", "dim_source", "fact_source_run",
)  # fmt: skip
"""Where a mart's column of the same name is looked for, in this order."""


def _describe_metric(code: str) -> Said:
    """Columns of wide tables are metrics."""
    metric = read_catalogue(CATALOG)[0].metrics.get(code)
    return (
        Said(f"{metric.name_en} ({metric.unit}).", f"{metric.name_zh}（{metric.unit}）。") if metric else Said("", "")
    )


@cache
def _chinese() -> dict[str, Any]:
    told: dict[str, Any] = read_yaml(CATALOG / "columns_zh.yml")
    return told


@cache
def load_codes() -> dict[str, dict[str, Said]]:
    """Groups of codes, each code with its meaning."""
    told = read_yaml(CATALOG / "codes.yml")
    return {
        group: {code: Said(said["en"], said["zh"]) for code, said in codes.items()} for group, codes in told.items()
    }
