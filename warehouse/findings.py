"""Checks as a person reads them: what did not hold, in which sentence, and which rules found nothing to do."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Engine, Select, case, func, or_, select

from warehouse.engine import reading
from warehouse.keys import NOT_APPLICABLE
from warehouse.schema import bridge_check_observation, dim_document, fact_check, fact_observation
from warehouse.schema_dims import dim_load, dim_region, dim_rule

Record = dict[str, Any]
FAILED = ("fails", "differs", "truncated")
"""Verdicts worth a person's look, the gravest first."""

COUNTS = or_(dim_document.c.is_counted, fact_check.c.document_key == NOT_APPLICABLE)
"""Checks of current documents, each text once, and those across documents."""


def findings(
    engine: Engine, *, run_id: str | None = None, limit: int | None = None, regions: Collection[str] | None = None
) -> list[Record]:
    """Checks that did not hold: the gravest first, then the largest miss; of each rule one before a second.

    Differences that a part-year explains come after all others, marked `is_explained`.

    `run_id`: only those that this run brought; `regions`: only those of these region codes. Each record has rule,
    name_zh, name_en, verdict, is_explained, formula, message_zh, message_en, and the quote, title and url of its
    first figure.
    """
    query = _failed_checks()
    if run_id is not None:
        query = query.join(dim_load, dim_load.c.load_key == fact_check.c.load_key).where(dim_load.c.run_id == run_id)
    if regions is not None:
        query = query.where(dim_region.c.region_code.in_(sorted(regions)))
    with reading(engine) as conn:
        found = conn.execute(query).mappings().all()
        chosen = _vary(found)[:limit]
        figures = {row["check_key"]: conn.execute(_first_figure(row["check_key"])).mappings().first() for row in chosen}
    return [_record(row, figures[row["check_key"]]) for row in chosen]


def brought_by(engine: Engine, run_id: str) -> list[Record]:
    """Checks that do not hold and that this run's loads brought, one record per source and rule: source_id, rule,
    kind, name_zh, name_en, n, and message_zh, message_en of the gravest. What a part-year explains is left out."""
    query = (
        _failed_checks()
        .add_columns(dim_rule.c.kind, dim_load.c.source_id)
        .join(dim_load, dim_load.c.load_key == fact_check.c.load_key)
        .where(dim_load.c.run_id == run_id, fact_check.c.is_explained.is_(False))
    )
    found: dict[tuple[str, str], Record] = {}
    with reading(engine) as conn:
        for row in conn.execute(query).mappings():
            names = ("source_id", "kind", "name_zh", "name_en", "message_zh", "message_en")
            first = {name: row[name] for name in names} | {"rule": row["rule_id"], "n": 0}
            found.setdefault((row["source_id"], row["rule_id"]), first)["n"] += 1
    return [found[key] for key in sorted(found)]


def verdicts(engine: Engine) -> dict[str, int]:
    """Checks that count, by verdict."""
    chosen = (
        select(fact_check.c.verdict, func.count())
        .join(dim_document, dim_document.c.document_key == fact_check.c.document_key)
        .where(COUNTS)
        .group_by(fact_check.c.verdict)
        .order_by(fact_check.c.verdict)
    )
    with reading(engine) as conn:
        return {verdict: n for verdict, n in conn.execute(chosen)}  # noqa: C416 - a Row is no pair to dict()


def never_applied(engine: Engine) -> list[str]:
    """Rules of the catalogue that found nothing to check in the warehouse: zero is a failure, or a gap to know."""
    applied = select(fact_check.c.rule_key).where(fact_check.c.verdict != "not_applicable")
    chosen = (
        select(dim_rule.c.rule_id)
        .where(dim_rule.c.rule_key >= 0, dim_rule.c.rule_key.not_in(applied))
        .order_by(dim_rule.c.rule_id)
    )
    with reading(engine) as conn:
        return list(conn.execute(chosen).scalars())


def _failed_checks() -> Select[Any]:
    check = fact_check.c
    gravity = case({verdict: i for i, verdict in enumerate(FAILED)}, value=check.verdict, else_=len(FAILED))
    size = func.abs(check.expected)
    miss = func.abs(check.actual - check.expected) / case((size > 1, size), else_=1)
    return (
        select(fact_check, dim_rule.c.rule_id, dim_rule.c.name_zh, dim_rule.c.name_en)
        .join(dim_rule, dim_rule.c.rule_key == check.rule_key)
        .join(dim_region, dim_region.c.region_key == check.region_key)
        .join(dim_document, dim_document.c.document_key == check.document_key)
        .where(check.verdict.in_(FAILED), COUNTS)
        .order_by(check.is_explained, gravity, func.coalesce(miss, 0).desc(), check.check_key)
    )


def _vary(found: Any) -> list[Any]:
    """The same rows in rounds: the first of each rule, then the second of each; what is explained comes last."""
    rounds: dict[tuple[bool, str], int] = {}
    ranked = []
    for i, row in enumerate(found):
        lane = (row["is_explained"], row["rule_id"])
        turn = rounds.get(lane, 0)
        rounds[lane] = turn + 1
        ranked.append((row["is_explained"], turn, i, row))
    return [row for *_, row in sorted(ranked, key=lambda one: one[:3])]


def _first_figure(check_key: int) -> Select[Any]:
    link, seen, doc = bridge_check_observation.c, fact_observation.c, dim_document.c
    return (
        select(seen.quote, doc.title, doc.url)
        .select_from(bridge_check_observation)
        .join(fact_observation, seen.observation_key == link.observation_key)
        .join(dim_document, doc.document_key == seen.document_key)
        .where(link.check_key == check_key)
        .order_by(link.position)
        .limit(1)
    )


def _record(row: Any, figure: Any) -> Record:
    return {
        "rule": row["rule_id"],
        "name_zh": row["name_zh"] or row["rule_id"],
        "name_en": row["name_en"] or row["rule_id"],
        "verdict": row["verdict"],
        "is_explained": row["is_explained"],
        "formula": row["formula"],
        "message_zh": row["message_zh"],
        "message_en": row["message_en"],
        "quote": figure["quote"] if figure else "",
        "title": (figure["title"] if figure else None) or "",
        "url": figure["url"] if figure else "",
    }
