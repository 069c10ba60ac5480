"""The run report: what a nightly did, as data, as Markdown (the Prefect artifact) and as table rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COUNTS = ("planned", "fetched", "unchanged", "new", "changed", "gone", "blocked", "failed", "deferred", "rejected")
"""Per source, in the order shown. Pages: planned to deferred; documents: new, changed, gone; rows: rejected."""
ANSWERS = {
    "not_modified": "not modified by validator 服务器答复未修改",
    "same_bytes": "same bytes 字节相同",
    "same_text": "other bytes, same text 字节不同而正文相同",
    "resumed": "taken from the archive, where another run put it 取自归档，由其他运行取得",
}
"""Of the pages fetched and unchanged: how it was known that nothing changed, and what cost no request."""


@dataclass(frozen=True, slots=True)
class SourceLine:
    """One source in one run."""

    source_id: str
    name_zh: str
    name_en: str
    status: str
    """`ok`, or `failed`: then `failures` says why and nothing of it was loaded unless it says so."""
    counts: Mapping[str, int]
    observations: int = 0
    mentions: int = 0
    removed_links: int = 0
    seconds: float = 0.0
    failures: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostLine:
    """One host in one run: what it was asked, and how it answered."""

    host: str
    requests: int
    """Redirects, retries and robots.txt included."""
    n_bytes: int
    not_modified: int
    errors: Mapping[str, int]
    """By issue code; `robots_denied` are requests that were not made."""
    mean_ms: int | None
    """Of the answers, whatever their status; None: there was none."""
    p95_ms: int | None
    """95 of 100 answers took no longer."""
    waited_s: float
    """For the pace, in sum."""

    def row(self) -> dict[str, str]:
        """As shown to a person, by column."""
        return {
            "host": self.host,
            "requests": f"{self.requests:,}",
            "bytes": f"{self.n_bytes:,}",
            "304": f"{self.not_modified:,}",
            "mean ms": "-" if self.mean_ms is None else f"{self.mean_ms:,}",
            "p95 ms": "-" if self.p95_ms is None else f"{self.p95_ms:,}",
            "waited s": f"{self.waited_s:,.1f}",
            "errors": ", ".join(f"{code} {count}" for code, count in self.errors.items()) or "-",
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """A check that did not hold, with the sentence it is about."""

    rule: str
    name_zh: str
    name_en: str
    verdict: str
    formula: str
    message_zh: str
    message_en: str
    quote: str
    title: str
    url: str
    is_explained: bool = False
    """Differs, because one of the figures covers only part of its year."""


@dataclass(frozen=True, slots=True)
class RunReport:
    run_id: str
    started_at: str
    seconds: float
    sources: tuple[SourceLine, ...]
    totals: Mapping[str, int]
    """Rows in the warehouse now: documents, reports, observations, mentions, metric_values, checks, quarantine."""
    verdicts: Mapping[str, int]
    """Checks on current documents, by verdict."""
    findings: tuple[Finding, ...]
    fingerprint_before: str
    fingerprint_after: str
    """Of the release, whose folder's name ends with it; of the warehouse where nothing could be released."""
    warehouse: str
    release: str | None
    """Folder of the current release, or None when it could not be written."""
    never_applied: tuple[str, ...] = field(default=())
    """Rules that found nothing to check in this warehouse."""
    hosts: tuple[HostLine, ...] = ()
    notes: tuple[str, ...] = ()
    """On the run as a whole."""

    @property
    def failed_sources(self) -> tuple[SourceLine, ...]:
        return tuple(line for line in self.sources if line.status != "ok")

    @property
    def is_unchanged(self) -> bool:
        return self.fingerprint_before == self.fingerprint_after

    def total(self, name: str) -> int:
        return sum(line.counts.get(name, 0) for line in self.sources)

    def loaded(self, name: str) -> int:
        return sum(getattr(line, name) for line in self.sources)

    def failure_line(self) -> str:
        """One line that names the sources that failed and the first cause of each."""
        failed = self.failed_sources
        causes: dict[str, list[str]] = {}
        for line in failed:
            causes.setdefault(line.failures[0] if line.failures else "no cause recorded", []).append(line.source_id)
        told = "; ".join(f"{', '.join(ids)}: {cause}" for cause, ids in list(causes.items())[:3])
        more = f"; and {len(causes) - 3} more causes" if len(causes) > 3 else ""
        return f"{len(failed)} of {len(self.sources)} sources failed: {told}{more}"

    def rows(self) -> list[dict[str, Any]]:
        """One row a source, for the Prefect table artifact."""
        return [
            {"source": line.source_id, "name": f"{line.name_zh} {line.name_en}", "status": line.status}
            | {name: line.counts.get(name, 0) for name in COUNTS}
            | {
                "observations": line.observations,
                "mentions": line.mentions,
                "seconds": round(line.seconds, 1),
            }
            for line in self.sources
        ]

    def headline(self) -> str:
        """What changed, in one sentence."""
        sums = ", ".join(f"{name} {self.total(name)}" for name in ("new", "changed", "gone"))
        state = "warehouse unchanged" if self.is_unchanged else "warehouse changed"
        whose = "release's fingerprint" if self.release else "fingerprint"  # `fazhi status` tells the warehouse's
        return (
            f"documents: {sums}; loaded {self.loaded('observations')} observations and "
            f"{self.loaded('mentions')} mentions; {state} ({whose} {self.fingerprint_after[:12]})"
        )

    def markdown(self) -> str:
        """The report as a Prefect Markdown artifact."""
        head = ["source", "status", *COUNTS, "observations", "mentions"]
        lines = [f"# Report 报告 `{self.run_id}`", "", self.headline(), "", _row(head), _row(["---"] * len(head))]
        for row in self.rows():
            lines.append(_row([str(row[name]) for name in head]))
        answers = "; ".join(f"{told}: {self.total(name)}" for name, told in ANSWERS.items())
        lines += ["", f"Answers 应答: {answers}", ""]
        for line in self.sources:
            lines += [f"- **{line.source_id}**: {_escape(cause)}" for cause in (*line.failures, *line.notes)]
        lines += [f"- {_escape(note)}" for note in self.notes]
        lines += self._host_table()
        verdicts = ", ".join(f"{name} {count}" for name, count in sorted(self.verdicts.items()))
        lines += ["", "## Checks 检查", "", verdicts or "no check applied", ""]
        if self.never_applied:
            lines += [f"Rules that never applied 未能适用的规则: {', '.join(self.never_applied)}", ""]
        for finding in self.findings:
            lines += [
                f"- **{finding.rule} {finding.name_zh} ({finding.name_en}): {finding.verdict}** `{finding.formula}`  ",
                f"  {_escape(finding.message_zh)} {_escape(finding.message_en)}  ",
                f"  > {_escape(finding.quote)}",
                f"  > — {_escape(finding.title)}, <{finding.url}>",
            ]
        lines += ["", f"Warehouse: `{self.warehouse}`  ", f"Release: `{self.release or 'none'}`"]
        return "\n".join(lines) + "\n"

    def _host_table(self) -> list[str]:
        if not self.hosts:
            return []
        rows = [host.row() for host in self.hosts]
        head = [_row(list(rows[0])), _row(["---"] * len(rows[0]))]
        return ["", "## Hosts 主机", "", *head, *(_row([_escape(cell) for cell in row.values()]) for row in rows)]


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _escape(text: str) -> str:
    """Page text is hostile: no Markdown, no HTML of its own in the report."""
    flat = " ".join(text.split())
    for mark in "\\`*_[]<>|#":
        flat = flat.replace(mark, "\\" + mark)
    return flat
