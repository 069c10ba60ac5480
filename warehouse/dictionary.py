"""The data dictionary, generated from the schema's own comments: `python -m warehouse.dictionary`."""

from __future__ import annotations

import inspect
from pathlib import Path

from sqlalchemy import Column, Table

from warehouse.marts import VIEWS
from warehouse.schema import DIMENSIONS, LOG, STAR
from warehouse.schema_dims import document_text

TARGET = Path(__file__).resolve().parent.parent / "docs" / "dictionary.md"
COMMAND = "python -m warehouse.dictionary"

INTRODUCTION = f"""# Data dictionary

Generated from the comments of the schema by `{COMMAND}`; do not edit.

- Keys ending in `_key` are 63-bit hashes of the natural key: the same on every machine and in any order of loading.
- Every dimension has the members `-1` (unknown) and `-2` (not applicable); no fact has an empty foreign key.
- Values are in canonical units: percent 0-100, money in yuan, counts as they are. What was written stays beside.
- Spans are half-open, in code points of `document_text.text`.
- *audit* columns say when or by which load; they are no part of the fingerprint.
- Figures that count: join `dim_document` and ask for `is_counted`, or start from `fact_metric_value`.
"""


def render_dictionary() -> str:
    """The whole dictionary in Markdown."""
    facts = [table for table in STAR if table not in DIMENSIONS]
    dimensions = [table for table in DIMENSIONS if table is not document_text]
    parts = [INTRODUCTION]
    for title, tables in (
        ("Facts and bridges", facts),
        ("Dimensions", dimensions),
        ("Texts", [document_text]),
        ("Crawl log and quarantine (not in a release)", list(LOG)),
    ):
        parts.append(f"\n## {title}\n")
        parts.extend(_describe_table(table) for table in tables)
    parts.append("\n## Marts (views; all but `mart_source_health` are in a release)\n")
    for name, make in VIEWS.items():
        columns = ", ".join(f"`{column.name}`" for column in make().selected_columns)
        parts.append(f"\n### {name}\n\n{inspect.getdoc(make)}\n\nColumns: {columns}.\n")
    return "".join(parts)


def _describe_table(table: Table) -> str:
    lines = [
        f"\n### {table.name}\n",
        f"\n{table.comment}\n",
        "\n| column | type | refers to | meaning |\n|---|---|---|---|\n",
    ]
    for column in table.columns:
        refers = ", ".join(sorted(key.target_fullname for key in column.foreign_keys))
        meaning = (column.comment or "").replace("|", "\\|")
        if column.info.get("audit"):
            meaning += " *audit*"
        lines.append(f"| `{column.name}` | {_type_name(column)} | {refers} | {meaning} |\n")
    return "".join(lines)


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
