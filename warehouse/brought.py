"""What one run brought, fact by fact: for the tables that its report shows."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, func, select

from warehouse.document_diff import Figure, diff_document
from warehouse.engine import reading
from warehouse.schema import dim_document, fact_observation
from warehouse.schema_dims import dim_load

Record = dict[str, Any]
MAX_DOCUMENTS = 500
"""Documents of one run that are compared with their earlier version."""


def changes_of(engine: Engine, run_id: str, limit: int = 200) -> list[Record]:
    """At most `limit` rows in order of source and address. Each has source_id, document_key, url, title, what, metric,
    period, before, after and quote.

    `what` is `new document` (before and after count its figures), `added`, `removed` or `changed`."""
    doc, load = dim_document.c, dim_load.c
    n_figures = (
        select(func.count())
        .select_from(fact_observation)
        .where(fact_observation.c.document_key == doc.document_key)
        .scalar_subquery()
    )
    chosen = (
        select(
            load.source_id, doc.document_key, doc.document_id, doc.url, doc.title, doc.version_no, n_figures.label("n")
        )
        .join(dim_load, load.load_key == doc.load_key)
        .where(load.run_id == run_id, doc.is_report, doc.is_current, doc.document_key >= 0)
        .order_by(load.source_id, doc.document_id)
        .limit(MAX_DOCUMENTS)
    )
    rows: list[Record] = []
    with reading(engine) as conn:
        for found in conn.execute(chosen).mappings().all():
            head = {name: found[name] for name in ("source_id", "document_key", "url", "title")}
            if found["version_no"] == 1:
                rows.append(head | _row("new document", after=str(found["n"])))
            else:
                found_diff = diff_document(conn, found["document_id"])
                rows += [head | _of(one, "added", after=one.text) for one in found_diff.added]
                rows += [head | _of(one, "removed", before=one.text) for one in found_diff.removed]
                rows += [head | _of(new, "changed", old.text, new.text) for old, new in found_diff.changed]
            if len(rows) >= limit:
                break
    return rows[:limit]


def _of(figure: Figure, what: str, before: str = "", after: str = "") -> Record:
    return _row(what, f"{figure.name_zh} {figure.name_en}", figure.period, before, after, figure.quote)


def _row(what: str, metric: str = "", period: str = "", before: str = "", after: str = "", quote: str = "") -> Record:
    return {"what": what, "metric": metric, "period": period, "before": before, "after": after, "quote": quote}
