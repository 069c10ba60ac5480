"""What an export holds: its tables, their columns in both languages, and the SQL that fills them from a release."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pyarrow as pa

from warehouse.columns import PLACES
from warehouse.parquet import arrow_type
from warehouse.schema import (
    dim_document,
    fact_metric_value,
    fact_observation,
)
from warehouse.schema_dims import dim_metric, dim_region

Kind = Literal["text", "number", "integer", "date", "boolean"]
ARROW: dict[Kind, pa.DataType] = {
    "text": pa.string(),
    "number": pa.decimal128(24, PLACES),
    "integer": pa.int64(),
    "date": pa.date32(),
    "boolean": pa.bool_(),
}
assert all(arrow_type(table.columns[0].type) == pa.int64() for table in (fact_metric_value, dim_region, dim_metric))


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    kind: Kind
    zh: str
    en: str
    sql: str
    origin: str
    """Table (or mart) whose column of this name, or of the name after a dot, says what it means."""
    width: int = 14
    """In characters, for Excel."""


@dataclass(frozen=True, slots=True)
class ExportTable:
    name: str
    zh: str
    en: str
    columns: Sequence[Column]
    source: str
    """FROM … of the select."""
    order: str

    @property
    def sql(self) -> str:
        cells = ", ".join(f'{column.sql} AS "{column.name}"' for column in self.columns)
        return f"SELECT {cells} FROM {self.source} ORDER BY {self.order}"

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(column.name, ARROW[column.kind]) for column in self.columns])


_R, _O, _V, _D, _M = (
    table.name for table in (dim_region, fact_observation, fact_metric_value, dim_document, dim_metric)
)
_MART = "mart_region_year"
_PLACE = (
    Column("region_code", "text", "区划代码", "Region code", "r.region_code", _R, 10),
    Column("province_zh", "text", "省", "Province", "r.province_zh", _R, 12),
    Column("city_zh", "text", "市", "City", "r.city_zh", _R, 12),
    Column("region_zh", "text", "地区", "Region", "r.name_zh", _MART, 14),
    Column("region_en", "text", "地区英文名", "Region in English", "r.name_en", f"{_R}.name_en", 16),
    Column("agency_zh", "text", "报告机构", "Agency", "CASE WHEN a.agency_key <> -2 THEN a.name_zh END", _MART, 16),
)
_WHAT = (
    Column("section", "text", "部分", "Section", "m.section", _M, 16),
    Column("metric_code", "text", "指标代码", "Metric code", "m.metric_code", _M, 28),
    Column("metric_zh", "text", "指标", "Metric", "m.name_zh", _MART, 24),
    Column("metric_en", "text", "指标英文名", "Metric in English", "m.name_en", _MART, 28),
    Column("year", "integer", "年份", "Year", "p.year", "dim_period", 8),
    Column("period_id", "text", "时段", "Period", "p.period_id", "dim_period", 12),
)
_FIGURE = (
    Column("value_num", "number", "数值", "Value", "{x}.value_num", _V, 14),
    Column("value_low", "number", "下限", "Lower bound", "{x}.value_low", _V, 12),
    Column("value_high", "number", "上限", "Upper bound", "{x}.value_high", _V, 12),
    Column("unit_code", "text", "单位", "Unit", "u.unit_code", "dim_unit", 12),
    Column("qualifier", "text", "限定", "Qualifier", "{x}.qualifier", _O, 12),
    Column("status", "text", "状态", "Status", "{x}.status", _O, 13),
)
_TOLD = (
    Column("value_text", "text", "原文写法", "As written", "o.value_text", _O, 12),
    Column("quote", "text", "原句", "Sentence", "o.quote", _O, 60),
    Column("title", "text", "文件标题", "Title", "d.title", _D, 40),
    Column("url", "text", "网址", "Address", "d.url", _D, 40),
    Column("published_at", "text", "发布时间", "Published at", "d.published_at", _D, 20),
)
_AS_OF = Column("as_of_day", "date", "截止日", "Cut-off", "cut_off.date", _MART, 12)
_VALUE_ID = Column("value_id", "text", "选定值编号", "Value id", "'v' || v.value_key", f"{_V}.value_key", 22)
_STATEMENT_ID = Column(
    "statement_id", "text", "陈述编号", "Statement id", "'s' || o.observation_key", f"{_O}.observation_key", 22
)
_NAMES = (
    "JOIN dim_region r ON r.region_key = v.region_key JOIN dim_agency a ON a.agency_key = v.agency_key "
    "JOIN dim_metric m ON m.metric_key = v.metric_key JOIN dim_period p ON p.period_key = v.period_key "
)


def _said_by(alias: str) -> tuple[Column, ...]:
    return tuple(Column(c.name, c.kind, c.zh, c.en, c.sql.format(x=alias), c.origin, c.width) for c in _FIGURE)


VALUES = ExportTable(
    "values", "选定值", "Chosen values",
    (
        *_PLACE, *_WHAT,
        Column("basis", "text", "口径", "Basis", "v.basis", _V, 11),
        Column("scope", "text", "范围", "Scope", "v.scope", _V, 14),
        Column("dimension", "text", "类别", "Kind", "v.dimension", _V, 14),
        *_said_by("v"),
        Column("chosen_by", "text", "选定依据", "Chosen by", "v.chosen_by", _V, 13),
        Column("is_disputed", "boolean", "有争议", "Disputed", "v.is_disputed", _V, 9),
        Column("n_statements", "integer", "陈述数", "Statements", "v.n_statements", _V, 9),
        Column("n_documents", "integer", "文件数", "Documents", "v.n_documents", _V, 9),
        Column("n_values", "integer", "不同数值数", "Different values", "v.n_values", _V, 9),
        _AS_OF, *_TOLD, _VALUE_ID, _STATEMENT_ID,
    ),
    "chosen v " + _NAMES + "JOIN dim_unit u ON u.unit_key = v.unit_key "
    "JOIN fact_observation o ON o.observation_key = v.observation_key "
    "JOIN dim_document d ON d.document_key = v.document_key "
    "JOIN dim_date cut_off ON cut_off.date_key = v.as_of_date_key",
    "r.region_code, a.agency_key, m.metric_code, p.period_id, v.basis, v.scope, v.dimension, v.value_key",
)  # fmt: skip

STATEMENTS = ExportTable(
    "statements", "陈述", "Statements behind the values",
    (
        _VALUE_ID, _STATEMENT_ID,
        Column("is_chosen", "boolean", "被选中", "Chosen", "o.observation_key = v.observation_key",
               "mart_restatements", 9),
        Column("region_code", "text", "区划代码", "Region code", "r.region_code", _R, 10),
        Column("region_zh", "text", "地区", "Region", "r.name_zh", _MART, 14),
        _PLACE[-1],
        *(column for column in _WHAT if column.name in ("metric_code", "metric_zh", "year", "period_id")),
        Column("scope", "text", "范围（原文）", "Scope as stated", "o.scope", _O, 14),
        Column("dimension", "text", "类别", "Kind", "o.dimension", _O, 14),
        *_said_by("o"),
        _AS_OF,
        Column("is_damaged", "boolean", "有损", "Damaged", "o.is_damaged", _O, 9),
        Column("report_year", "integer", "报告年度", "Report year", "d.report_year", _D, 9),
        *_TOLD,
        Column("span_start", "integer", "起始位置", "Span start", "o.span_start", _O, 9),
        Column("span_end", "integer", "结束位置", "Span end", "o.span_end", _O, 9),
        Column("document_id", "text", "文件标识", "Document id", "d.document_id", _D, 40),
    ),
    "stated s JOIN chosen v ON v.value_key = s.value_key "
    "JOIN fact_observation o ON o.observation_key = s.observation_key " + _NAMES +
    "JOIN dim_unit u ON u.unit_key = o.unit_key JOIN dim_document d ON d.document_key = o.document_key "
    "JOIN dim_date cut_off ON cut_off.date_key = o.as_of_date_key",
    "r.region_code, a.agency_key, m.metric_code, p.period_id, v.value_key, d.document_id, o.span_start, "
    "o.observation_key",
)  # fmt: skip

DOCUMENTS = ExportTable(
    "documents", "文件", "Documents",
    (
        Column("document_id", "text", "文件标识", "Document id", "d.document_id", _D, 40),
        Column("title", "text", "文件标题", "Title", "d.title", _D, 50),
        Column("url", "text", "网址", "Address", "d.url", _D, 50),
        Column("report_year", "integer", "报告年度", "Report year", "d.report_year", _D, 9),
        Column("published_at", "text", "发布时间", "Published at", "d.published_at", _D, 20),
        Column("published_day", "date", "发布日", "Day of publication", "dd.date", _MART, 12),
        Column("publisher", "text", "发布机构", "Publisher", "d.publisher", _D, 24),
        Column("index_no", "text", "索引号", "Index number", "d.index_no", _D, 24),
        Column("document_no", "text", "文号", "Document number", "d.document_no", _D, 20),
        Column("region_code", "text", "区划代码", "Region code", "r.region_code", _R, 10),
        Column("region_zh", "text", "地区", "Region", "r.name_zh", _MART, 14),
        Column("is_gone", "boolean", "已消失", "Gone", "d.is_gone", _D, 9),
        Column("text_hash", "text", "正文哈希", "Hash of the text", "d.text_hash", _D, 20),
    ),
    "dim_document d JOIN dim_region r ON r.region_key = d.region_key "
    "JOIN dim_date dd ON dd.date_key = d.published_date_key WHERE d.document_key IN "
    "(SELECT o.document_key FROM stated s JOIN fact_observation o ON o.observation_key = s.observation_key)",
    "d.document_id, d.document_key",
)  # fmt: skip

METRICS = ExportTable(
    "metrics", "指标", "Metrics",
    (
        Column("metric_code", "text", "指标代码", "Metric code", "m.metric_code", _M, 32),
        Column("metric_zh", "text", "指标", "Metric", "m.name_zh", _MART, 28),
        Column("metric_en", "text", "指标英文名", "Metric in English", "m.name_en", _MART, 36),
        Column("section", "text", "部分", "Section", "m.section", _M, 18),
        Column("tier", "text", "层次", "Tier", "m.tier", _M, 10),
        Column("unit_code", "text", "单位", "Unit", "u.unit_code", "dim_unit", 12),
        Column("unit_meaning", "text", "单位含义", "Unit means", "u.meaning", "dim_unit.meaning", 30),
        Column("kind", "text", "种类", "Kind", "m.kind", _M, 10),
        Column("measure", "text", "量", "Measure", "m.measure", _M, 10),
        Column("additivity", "text", "可加性", "May be added over", "m.additivity", _M, 16),
        Column("part_of", "text", "属于", "Part of", "m.part_of", _M, 28),
        Column("definition", "text", "定义", "Definition", "m.definition", _M, 80),
    ),
    "dim_metric m JOIN dim_unit u ON u.unit_key = m.unit_key WHERE m.metric_key IN (SELECT metric_key FROM chosen)",
    "m.metric_code",
)  # fmt: skip

COLUMNS = (
    Column("table", "text", "表", "Table", "", "", 14),
    Column("column", "text", "列", "Column", "", "", 18),
    Column("type", "text", "类型", "Type", "", "", 10),
    Column("zh", "text", "中文名", "Chinese name", "", "", 16),
    Column("en", "text", "英文名", "English name", "", "", 22),
    Column("meaning_zh", "text", "含义", "Meaning (Chinese)", "", "", 50),
    Column("meaning_en", "text", "含义（英文）", "Meaning", "", "", 60),
)
"""The data dictionary that goes with every export."""

EXPORTED = (VALUES, STATEMENTS, DOCUMENTS, METRICS)
DICTIONARY = ExportTable("dictionary", "数据字典", "Data dictionary", COLUMNS, "", "")
