"""Batches of a fictional county, small enough to reason about."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from extraction.model import Check, Mention, Observation, Parsed
from warehouse.batch import (
    CatalogueRows,
    DocumentIn,
    FetchRow,
    LoadBatch,
    MetricRow,
    PageState,
    RuleRow,
    SourceCounts,
    SourceRow,
    UnitRow,
)

T0 = datetime(2024, 3, 1, 18, 0, tzinfo=UTC)
HOST = "www.yunshui.example"
SOURCE = SourceRow("990101_yunshui", "云水县人民政府", "Yunshui County", "990101", "trs", (HOST,), True)
CATALOGUE = CatalogueRows(
    version="test",
    units=(UnitRow("case", ("件", "宗")), UnitRow("percent", ("%",))),
    metrics=(
        MetricRow(
            "received", "收到", "received", "disputes", "case", "count", "flow", additive_over=("place", "period")
        ),
        MetricRow(
            "accepted", "受理", "accepted", "disputes", "case", "count", "flow", additive_over=("place", "period")
        ),
        MetricRow("rejected", "不予受理", "rejected", "disputes", "case", "count", "flow", part_of="received"),
        MetricRow("rate", "出庭率", "appearance rate", "disputes", "percent", "rate", "rate"),
        MetricRow("mediators", "调解员", "mediators", "disputes", "case", "count", "stock", additive_over=("place",)),
    ),
    rules=(
        RuleRow("R01", "sum_equal", "received = accepted + rejected"),
        RuleRow("R21", "prior_restatement", "value(t-1) in t = value(t-1) in t-1"),
    ),
)
METRICS = {"收到": "received", "受理": "accepted", "不予受理": "rejected", "出庭率": "rate", "调解员": "mediators"}
FIGURE = re.compile(
    r"(上年)?(计划)?(累计)?(收到|不予受理|受理|出庭率|调解员)([0-9]+(?:\.[0-9]+)?)(件|%)(?:（截至([0-9-]+)）)?"
)


def at(days: float) -> datetime:
    return T0 + timedelta(days=days)


def parse(text: str, year: int | None) -> Parsed:
    """A toy extraction: `收到10件，受理8件，不予受理2件。` with R01 over the first three."""
    mentions, seen = [], []
    for m in FIGURE.finditer(text):
        start, end = m.start(5), m.end(6)
        value = Decimal(m[5])
        mentions.append(Mention(start, end, text[start:end], value, m[6], "arabic", "exact"))
        status = "prior_period" if m[1] else "target" if m[2] else "cumulative" if m[3] else "actual"
        stated = year or 2020
        period = stated - 1 if m[1] else stated + 1 if m[2] else stated
        seen.append(
            Observation(
                metric=METRICS[m[4]], start=start, end=end, text=text[start:end], value=value,
                unit="percent" if m[6] == "%" else "case", unit_zh=m[6], period=str(period), status=status,
                qualifier="exact", quote=m[0], quote_start=m.start(), as_of=m[7], evidence=m[4],
            )
        )  # fmt: skip
    index = {one.metric: i for i, one in reversed(list(enumerate(seen))) if one.status == "actual"}
    checks = []
    if {"received", "accepted", "rejected"} <= set(index):
        parts = (index["received"], index["accepted"], index["rejected"])
        total, first, second = (seen[i].value or Decimal(0) for i in parts)
        checks.append(
            Check(
                "R01", "holds" if total == first + second else "fails", first + second, total, Decimal(0), 3, parts,
                f"{first} + {second} = {total}", period=str(year), message_zh="合计不符", message_en="does not add up",
            )
        )  # fmt: skip
    return Parsed(year, tuple(mentions), tuple(seen), tuple(checks))


def report(
    year: int, text: str, *, name: str | None = None, day: float = 0, published: str | None = None, **more: object
) -> DocumentIn:
    document_id = f"{HOST}/{name or year}.html"
    fields: dict[str, object] = {
        "document_id": document_id,
        "url": f"http://{document_id}",
        "title": f"云水县{year}年法治政府建设情况报告",
        "published_at": published or f"{year + 1}-01-20T09:30:00+08:00",
        "published_from": "meta",
        "fetched_at": at(day),
        "text": text,
        "body": text,
        "is_report": True,
        "report_year": year,
        "publisher": "云水县司法局",
        "bytes_hash": f"b{day}",
        "parsed": parse(text, year),
    }
    return DocumentIn(**{**fields, **more})  # type: ignore[arg-type]


def notice(name: str, text: str, *, day: float = 0, **more: object) -> DocumentIn:
    return report(2020, text, name=name, day=day, **{"is_report": False, "report_year": None, "parsed": None, **more})


def batch(*documents: DocumentIn, run: str = "run-1", day: float = 0, **more: object) -> LoadBatch:
    fields: dict[str, object] = {
        "run_id": run,
        "source": SOURCE,
        "started_at": at(day),
        "finished_at": at(day + 0.01),
        "catalogue": CATALOGUE,
        "extractor_version": "e1",
        "code_version": "0.1.0",
        "documents": documents,
        "pages": tuple(page_of(doc, day) for doc in documents),
        "fetches": tuple(FetchRow(doc.url, 1, at(day), "ok", 200, 1000, 12) for doc in documents),
        "counts": SourceCounts(planned=len(documents), fetched=len(documents)),
    }
    return LoadBatch(**{**fields, **more})  # type: ignore[arg-type]


def page_of(doc: DocumentIn, day: float) -> PageState:
    return PageState(
        doc.url, "page", SOURCE.source_id, doc.document_id, etag=f'"{doc.bytes_hash}"', bytes_hash=doc.bytes_hash,
        last_status=200, first_seen_at=at(day), last_seen_at=at(day),
    )  # fmt: skip
