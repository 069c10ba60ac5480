"""The data dictionary in both languages, generated from schema and catalogue: `python -m warehouse.dictionary`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from sqlalchemy import Column, Table

from extraction.catalogue import Catalogue, Metric
from extraction.rules import Rules, read_catalogue
from warehouse.catalogue import catalogue_rows
from warehouse.marts import VIEWS
from warehouse.regions import CATALOG
from warehouse.schema import DIMENSIONS, LOG, STAR
from warehouse.schema_dims import document_text
from warehouse.state_tests import TESTS
from warehouse.wording import Said, describe_column, describe_table, load_codes

TARGET = Path(__file__).resolve().parent.parent / "docs" / "dictionary.md"
COMMAND = "python -m warehouse.dictionary"

INTRODUCTION = f"""# Data dictionary · 数据字典

Generated from the schema and the catalogue by `{COMMAND}`; do not edit.
由数据库结构与指标目录生成，请勿手改。

[Tables · 表](#facts-and-bridges--事实表与桥表) · [Marts · 集市](#marts--集市) · [Codes · 代码](#codes--代码) ·
[Units · 单位](#units--单位) · [Rules · 规则](#rules--规则) · [Metrics · 指标](#metrics--指标)

- Keys ending in `_key` are 63-bit hashes of the natural key: the same on every machine and in any order of loading.
  以 `_key` 结尾的键是自然键的 63 位哈希：在任何机器、任何入库次序下都相同。
- Every dimension has the members `-1` (unknown) and `-2` (not applicable); no fact has an empty foreign key.
  每个维度都有 `-1`（不明）与 `-2`（不适用）；事实表没有空的外键。
- Values are in canonical units: percent 0-100, money in yuan, counts as they are. What was written stays beside.
  数值用规范单位：百分比 0 至 100，金额为元，计数为个数；原文写法并存。
- Spans are half-open, in code points of `document_text.text`.
  位置为左闭右开，按 `document_text.text` 的码点计。
- *audit* columns say when or by which load; they are no part of the fingerprint.
  标 *audit* 的列记录何时、由哪个批次入库，不计入指纹。
- Figures that count: join `dim_document` and ask for `is_counted`, or start from `fact_metric_value`.
  计入的数字：关联 `dim_document` 取 `is_counted`，或从 `fact_metric_value` 出发。
"""

GROUPS = {
    "verdict": Said("Verdicts of checks (`fact_check.verdict`)", "检查结论"),
    "status": Said("Status of a statement (`status`)", "陈述的状态"),
    "qualifier": Said("Qualifiers (`qualifier`)", "限定"),
    "chosen_by": Said("What won the choice (`fact_metric_value.chosen_by`)", "选定依据"),
    "basis": Said("Basis of a value (`fact_metric_value.basis`)", "口径"),
    "fetch_outcome": Said("Outcomes of a fetch: issue codes (`fact_fetch.outcome`)", "抓取结果与问题代码"),
    "robots": Said("robots.txt (`fact_fetch.robots`)", "robots.txt 的答复"),
    "document_note": Said("Notes on a document (`dim_document.notes`)", "文件上的问题代码"),
    "quarantine_test": Said("Data tests on a row; one that fails goes to `quarantine`", "逐行数据测试，未通过者隔离"),
}


@cache
def render_dictionary() -> str:
    """The whole dictionary in Markdown, written once a process."""
    catalogue, rules = read_catalogue(CATALOG)
    facts = [table for table in STAR if table not in DIMENSIONS]
    dimensions = [table for table in DIMENSIONS if table is not document_text]
    parts = [INTRODUCTION]
    for title, tables in (
        ("Facts and bridges · 事实表与桥表", facts),
        ("Dimensions · 维度表", dimensions),
        ("Texts · 正文", [document_text]),
        ("Crawl log and quarantine (not in a release) · 抓取日志与隔离区（不在发布中）", list(LOG)),
    ):
        parts.append(f"\n## {title}\n")
        parts.extend(_describe_table(table) for table in tables)
    parts.append("\n## Marts · 集市\n\nViews; all but `mart_source_health` are in a release. ")
    parts.append("均为视图；除 `mart_source_health` 外都在发布中。\n")
    parts.extend(_describe_mart(name) for name in VIEWS)
    wide = describe_table("mart_region_year_<section>")
    parts.append(f"\n### mart_region_year_*section* (releases only · 仅在发布中)\n\n{wide.en}\n{wide.zh}\n")
    parts.extend(_describe_codes(catalogue, rules))
    parts.extend(_describe_metrics(catalogue))
    return "".join(parts)


def _describe_table(table: Table) -> str:
    said = describe_table(table.name)
    rows = []
    for column in table.columns:
        refers = ", ".join(sorted(key.target_fullname for key in column.foreign_keys))
        meaning = describe_column(table.name, column.name)
        audit = " *audit*" if column.info.get("audit") else ""
        rows.append((f"`{column.name}`", _type_name(column), refers, meaning.zh, meaning.en + audit))
    head = ("column · 列", "type · 类型", "refers to · 指向", "含义", "meaning")
    return f"\n### {table.name}\n\n{said.en}\n{said.zh}\n\n" + _grid(head, rows)


def _describe_mart(name: str) -> str:
    said = describe_table(name)
    rows = []
    for column in VIEWS[name]().selected_columns:
        meaning = describe_column(name, column.name)
        rows.append((f"`{column.name}`", meaning.zh, meaning.en))
    return f"\n### {name}\n\n{said.en}\n{said.zh}\n\n" + _grid(("column · 列", "含义", "meaning"), rows)


def _describe_codes(catalogue: Catalogue, rules: Rules) -> Iterator[str]:
    codes = load_codes()
    yield "\n## Codes · 代码\n"
    for group, title in GROUPS.items():
        rows = [(f"`{code}`", said.zh, said.en) for code, said in codes[group].items()]
        yield f"\n### {title.en} · {title.zh}\n\n" + _grid(("code · 代码", "含义", "meaning"), rows)
    tests = [(f"`{test.name}`", test.zh, test.en) for test in TESTS]
    yield "\n### Data tests on the warehouse (`fazhi check`) · 整库数据测试\n\n"
    yield _grid(("test · 测试", "含义", "meaning"), tests)
    units = [
        (f"`{unit.code}`", "、".join(unit.zh), codes["unit"][unit.code].zh, unit.meaning)
        for unit in catalogue.units.values()
    ]
    yield "\n## Units · 单位\n\n" + _grid(("unit · 单位", "written · 量词", "含义", "meaning"), units)
    formulas = {row.rule_id: row.formula for row in catalogue_rows(catalogue, rules).rules}
    told = [
        (rule.id, rule.name_zh, rule.name_en, f"`{rule.type}`", f"`{formulas[rule.id]}`" if formulas[rule.id] else "")
        for rule in rules.rules
    ]
    yield "\n## Rules · 规则\n\n" + _grid(("rule · 规则", "名称", "name", "kind · 种类", "formula · 公式"), told)
    kinds = [(f"`{code}`", said.zh, said.en) for code, said in codes["rule_kind"].items()]
    yield "\n### Kinds of rules · 规则种类\n\n" + _grid(("kind · 种类", "含义", "meaning"), kinds)


def _describe_metrics(catalogue: Catalogue) -> Iterator[str]:
    yield "\n## Metrics · 指标\n"
    sections = load_codes()["section"]
    for section in catalogue.sections:
        said = sections[section]
        yield f"\n### {said.en} · {said.zh} (`{section}`)\n"
        for metric in catalogue.metrics.values():
            if metric.section == section:
                yield _describe_metric(metric)


def _describe_metric(metric: Metric) -> str:
    facts = [
        f"unit · 单位 `{metric.unit}`", f"`{metric.kind}`, `{metric.measure}`, `{metric.tier}`",
        f"may be added over · 可加于 {', '.join(metric.additive_over) or 'nothing · 不可加'}",
    ]  # fmt: skip
    if metric.part_of:
        facts.append(f"part of · 属于 `{metric.part_of}`")
    lines = [
        f"\n#### {metric.name_zh} · {metric.name_en}\n\n`{metric.code}` — {metric.definition}\n",
        f"{'; '.join(facts)}.\n",
    ]
    if metric.synonyms_zh:
        lines.append(f"又称 · also called: {'、'.join(metric.synonyms_zh)}\n")
    example = next((one for one in metric.examples if one.value is not None), None)
    if example is not None:
        value = f"{example.value.normalize():f}" if example.value is not None else ""
        status = "" if example.status == "actual" else f", {example.status}"
        lines.append(f"例 · example: 「{example.text}」 → {value}{status}\n")
    return "\n".join(lines)


def _grid(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)


def _type_name(column: Column[object]) -> str:
    names = {
        "BigInteger": "key", "Integer": "integer", "String": "text", "Text": "text", "Boolean": "boolean",
        "Quantity": "decimal", "UtcDateTime": "time (UTC)", "Date": "date", "LargeBinary": "bytes",
    }  # fmt: skip
    name = names[type(column.type).__name__]
    return name + (", may be empty" if column.nullable else "")


def main() -> None:
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_text(render_dictionary(), encoding="utf-8")


if __name__ == "__main__":
    main()
