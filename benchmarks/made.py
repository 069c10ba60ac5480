"""Made warehouses of any size: reports as a county's office writes them, all words and figures invented.

A region has one report of its government and nine of its departments a year. A report holds some 56 figures, each in a
sentence of its own of the usual length, beside the number it is written as and every fourth with a rate of growth.
The same seed gives the same rows.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from extraction.model import Check, Mention, Observation, Parsed
from warehouse.batch import DocumentIn, MetricRow

FIRST_YEAR, YEARS = 2013, 12
DEPARTMENTS = (None, "司法局", "公安局", "教育局", "民政局", "财政局", "住建局", "农业局", "卫健局", "市场监管局")
PER_REPORT, PRIOR = 56, 6
"""Figures of a report, and how many of them speak of the year before."""
LEADS = (
    "一年来坚持依法履职、规范用权，", "围绕优化营商环境和便民利企，", "着力提升执法质量与效能，",
    "健全工作机制，压实部门责任，", "聚焦群众反映强烈的突出问题，",
)  # fmt: skip
FETCHED = datetime(2026, 1, 5, 18, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """A region of the national list."""

    code: str
    name: str

    @property
    def host(self) -> str:
        return f"r{self.code}.example"


def number(place: Place, body: int, year: int, metric: str) -> int:
    """What a body reports for a year."""
    return zlib.crc32(f"{place.code}/{body}/{year}/{metric}".encode()) % 90_000 + 1


def make_report(place: Place, department: str | None, year: int, metrics: Sequence[MetricRow]) -> DocumentIn:
    """One report, read. The report names some of them, the same ones every year, and tells
    of the last few what they were in the year before: one in fifty then differs from what that year's report said."""
    body = DEPARTMENTS.index(department)
    first = (int(place.code) + body * 7) % len(metrics)
    text: list[str] = []
    mentions: list[Mention] = []
    seen: list[Observation] = []
    at = 0
    for i in range(PER_REPORT):
        is_prior = i >= PER_REPORT - PRIOR
        metric = metrics[(first + (i - PRIOR if is_prior else i)) % len(metrics)]
        period = year - is_prior
        value = number(place, body, period, metric.code)
        value += is_prior and value % 50 == 0
        lead = f"{LEADS[i % len(LEADS)]}{period}年{place.name}{department or ''}{metric.name_zh}"
        is_rate = metric.unit == "percent"
        value = value % 101 if is_rate else value
        unit = "%" if is_rate else "件"
        figure = f"{value}{unit}"
        grown = f"{value % 40}.{i % 10}"
        tail = f"，同比增长{grown}%" if i % 4 == 0 else ""
        quote = f"{lead}{figure}{tail}。"
        start = at + len(lead)
        worth = Decimal(value)
        mentions.append(Mention(start, start + len(figure), figure, worth, unit, "arabic", "exact"))
        if tail:
            begin = at + len(quote) - len(grown) - 2
            mentions.append(Mention(begin, begin + len(grown) + 1, f"{grown}%", Decimal(grown), "%", "arabic", "exact"))
        seen.append(
            Observation(
                metric.code, start, start + len(figure), figure, worth, metric.unit, unit, str(period),
                "prior_period" if is_prior else "actual", "exact", quote, at,
                yoy_percent=Decimal(grown) if tail else None, yoy_text=tail[1:] or None,
                evidence=f"{metric.name_zh}; count before measure word",
            )
        )  # fmt: skip
        text.append(quote)
        at += len(quote)
    whole = "".join(text)
    name = f"{place.host}/{body}/{year}.html"
    return DocumentIn(
        document_id=name, url=f"http://{name}", title=f"{place.name}{department or ''}{year}年法治政府建设情况报告",
        published_at=f"{year + 1}-02-{1 + body:02d}", fetched_at=FETCHED, text=whole, body=whole, is_report=True,
        report_year=year, region_code=place.code, authority=department, bytes_hash=f"b{body}/{year}",
        parsed=Parsed(year, tuple(mentions), tuple(seen), _checks(seen)),
    )  # fmt: skip


def make_reports(places: Sequence[Place], metrics: Sequence[MetricRow]) -> Iterator[DocumentIn]:
    for place in places:
        for department in DEPARTMENTS:
            for year in range(FIRST_YEAR, FIRST_YEAR + YEARS):
                yield make_report(place, department, year, metrics)


def _checks(seen: Sequence[Observation]) -> tuple[Check, ...]:
    """Eight sums of two parts; the figures are invented, so most of them fail."""
    checks = []
    for i in range(0, 24, 3):
        total, first, second = (one.value or Decimal(0) for one in seen[i : i + 3])
        checks.append(
            Check(
                "R01", "holds" if total == first + second else "fails", first + second, total, Decimal(0), 3,
                (i, i + 1, i + 2), f"{first} + {second} = {total}", period=seen[i].period,
                message_zh="合计不符", message_en="does not add up",
            )
        )  # fmt: skip
    return tuple(checks)
