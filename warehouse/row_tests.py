"""Data tests of what each row says in itself, asked of the database as an auditor would (see `warehouse.checkup`)."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, and_, func, literal, or_, select

from warehouse.checkup import EXAMPLES, Outcome, look
from warehouse.fingerprint import stream
from warehouse.keys import NOT_APPLICABLE, UNKNOWN, hash_text
from warehouse.schema import dim_document as doc
from warehouse.schema import document_text, fact_mention, fact_observation
from warehouse.schema_dims import dim_metric, dim_unit

DOCUMENTS_AT_ONCE = 200
"""Texts held in memory together."""


def check_spans(conn: Connection) -> Outcome:
    """text[start:end] is what the row says, code point by code point, for observations, their quotes and mentions."""
    outcome = Outcome()
    keys = list(conn.execute(select(doc.c.document_key).where(doc.c.document_key >= 0)).scalars())
    for start in range(0, len(keys), DOCUMENTS_AT_ONCE):
        some = keys[start : start + DOCUMENTS_AT_ONCE]
        outcome.add(_check_spans_of(conn, some))
    return outcome


def _check_spans_of(conn: Connection, keys: Sequence[int]) -> Outcome:
    chosen = select(doc.c.document_key, document_text.c.text).join(
        document_text, document_text.c.text_key == doc.c.text_key
    )
    texts = {key: text for key, text in conn.execute(chosen.where(doc.c.document_key.in_(keys)))}  # noqa: C416
    seen, mention = fact_observation.c, fact_mention.c
    end_of_quote = (seen.quote_start + func.length(seen.quote)).label("end")
    n_checked, bad = 0, list[str]()
    for what, document_key, start, end, said in (
        ("observation", seen.document_key, seen.span_start, seen.span_end, seen.value_text),
        ("quote", seen.document_key, seen.quote_start, end_of_quote, seen.quote),
        ("mention", mention.document_key, mention.span_start, mention.span_end, mention.value_text),
    ):
        rows = conn.execute(select(document_key, start, end, said).where(document_key.in_(keys)))
        for key, first, last, words in rows:
            n_checked += 1
            if not 0 <= first < last or texts.get(key, "")[first:last] != words:
                bad.append(f"{what} of document {key} at {first}:{last}: {words[:40]!r}")
    return Outcome(n_checked, len(bad), tuple(sorted(bad)[:EXAMPLES]))


def check_texts(conn: Connection) -> Outcome:
    t = document_text.c
    outcome = Outcome()
    chosen = select(t.document_id, t.text_hash, t.text).where(t.text_key >= 0).order_by(t.text_key)
    for document_id, text_hash, text in stream(conn, chosen, 200):
        outcome.add(Outcome(1, 0) if hash_text(text) == text_hash else Outcome(1, 1, (document_id,)))
    return outcome


def check_units(conn: Connection) -> Outcome:
    seen = fact_observation
    rows = seen.join(dim_metric, dim_metric.c.metric_key == seen.c.metric_key)
    good = seen.c.unit_key == dim_metric.c.unit_key
    return look(conn, rows, good, seen.c.document_key >= 0, dim_metric.c.metric_code, seen.c.observation_key)


def check_rates(conn: Connection) -> Outcome:
    seen = fact_observation
    rows = seen.join(dim_metric, dim_metric.c.metric_key == seen.c.metric_key).join(
        dim_unit, dim_unit.c.unit_key == seen.c.unit_key
    )
    is_rate = or_(dim_metric.c.measure == "rate", dim_unit.c.unit_code == "percent")
    good = or_(seen.c.value_num.is_(None), seen.c.value_num.between(0, 100), seen.c.is_damaged)
    where = and_(is_rate, seen.c.document_key >= 0)
    return look(conn, rows, good, where, dim_metric.c.metric_code, seen.c.value_num, seen.c.observation_key)


def check_breakdowns(conn: Connection) -> Outcome:
    part, whole = fact_observation, fact_observation.alias("whole")
    there = (
        select(literal(1))
        .where(whole.c.observation_key == part.c.breakdown_of_key, whole.c.document_key == part.c.document_key)
        .correlate(part)
        .exists()
    )
    good = or_(part.c.breakdown_of_key == UNKNOWN, there)
    where = and_(part.c.breakdown_of_key != NOT_APPLICABLE, part.c.document_key >= 0)
    return look(conn, part, good, where, part.c.observation_key)
