"""How much of a source's current figures a batch would take away or alter, found before it is loaded."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection, Engine, func, select

from warehouse.among import among_given
from warehouse.batch import DocumentIn, LoadBatch
from warehouse.data_tests import Tester
from warehouse.difference import figure_of
from warehouse.document_diff import Figure, diff_figures, read_figures
from warehouse.engine import reading
from warehouse.raw import ask
from warehouse.schema import dim_document, fact_observation
from warehouse.schema_dims import dim_source
from warehouse.upsert import CHUNK


@dataclass(slots=True)
class Altered:
    """What a run's batches of one source do to the figures that were there."""

    counts: Counter[str] = field(default_factory=Counter)
    """`removed` and `changed`, of all batches so far."""
    n_figures: int = 0
    """Current ones of the source."""


def count_altered(engine: Engine, batch: LoadBatch, altered: Altered) -> bool:
    """Add what the batch would do; whether it does anything. New documents take nothing away, and cost one look."""
    counts: Counter[str] = Counter()
    with reading(engine) as conn:
        held = _held(conn, [doc.document_id for doc in batch.documents])
        if held:
            _compare(conn, batch, held, counts)
        if counts.total():
            altered.n_figures = _count_figures(conn, batch.source.source_id)
    altered.counts += counts
    return counts.total() > 0


def _held(conn: Connection, ids: Sequence[str]) -> dict[str, int]:
    """Keys of the current versions that figures were read from, by document_id."""
    found: dict[str, int] = {}
    for start in range(0, len(ids), CHUNK):
        found |= dict(ask(conn, _HELD, {"keys": list(ids[start : start + CHUNK])}))
    return found


_HELD = select(dim_document.c.document_id, dim_document.c.document_key).where(
    among_given(dim_document.c.document_id), dim_document.c.is_current, dim_document.c.is_parsed
)


def _compare(conn: Connection, batch: LoadBatch, held: dict[str, int], counts: Counter[str]) -> None:
    tester, metrics = Tester(batch.catalogue), {metric.code: metric for metric in batch.catalogue.metrics}

    def figures(doc: DocumentIn) -> list[Figure]:
        if doc.parsed is None:
            return []
        accepted = tester.accept_figures(doc, doc.parsed).observations.values()
        return [figure_of(one, metrics[one.metric]) for one in accepted if not one.is_derived]

    for doc in tester.accept_documents(tuple(one for one in batch.documents if one.document_id in held)):
        before = read_figures(conn, held[doc.document_id])
        _, removed, changed, _ = diff_figures(before, figures(doc))
        counts.update(removed=len(removed), changed=len(changed))


def _count_figures(conn: Connection, source_id: str) -> int:
    doc, seen = dim_document.c, fact_observation.c
    joined = fact_observation.join(dim_document, doc.document_key == seen.document_key).join(
        dim_source, dim_source.c.source_key == doc.source_key
    )
    chosen = select(func.count()).select_from(joined)
    chosen = chosen.where(dim_source.c.source_id == source_id, doc.is_current, ~seen.is_derived)
    return int(conn.execute(chosen).scalar_one())
