"""What a reparse tells: a text, a table, and the record for the explorer's page of runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from connectors.registry import Source
from fazhi.settings import Settings
from tasks.reparse import ReparseResult, SourceResult
from warehouse.difference import Change
from warehouse.release_read import current_release
from warehouse.run_records import FORMAT, RunRecord, SourceRun, write_run

ROWS = 500
"""Of the table by source and metric; beyond, only those with the most changes."""
KINDS = ("added", "removed", "changed")
WORDS = {"added": "added 新增", "removed": "removed 消失", "changed": "changed 改变"}


def headline(result: ReparseResult) -> str:
    """One line for a person."""
    counts = result.counts
    figures = ", ".join(f"{counts[kind]:,} {WORDS[kind]}" for kind in KINDS)
    done = f"{result.total('n_documents'):,} documents read 读取, {result.total('n_unchanged'):,} unchanged 未变"
    published = (
        "nothing written: dry run 试运行" if result.dry_run else f"{result.total('n_published'):,} published 入库"
    )
    return f"{done}, {result.total('n_differing'):,} differing 有变, {published}; figures 数字: {figures}"


def markdown(result: ReparseResult) -> str:
    """The report: counts by source, findings, the first changes with their sentences."""
    lines = [f"# Reparse 由归档重读 `{result.run_id}`", "", f"{headline(result)}. {result.seconds:,.1f} s."]
    if result.stopped:
        lines += ["", f"**Nothing was published 未入库**: {result.stopped}. Way out: look at the changes below; run "
                  "again with `accept_mass_change` and the reason, or mend the extraction."]  # fmt: skip
    if result.accepted:
        lines += ["", f"Beyond the thresholds, accepted 超过阈值但予以接受: {_cell(result.accepted)}"]
    names = ("source", "read", "passed over", "unchanged", "differing", "published", "not read", *WORDS.values())
    lines += ["", f"| {' | '.join(names)} |", "|---" * len(names) + "|"]
    lines += [f"| {' | '.join(_cell(value) for value in _source_row(one))} |" for one in result.sources.values()]
    if result.n_findings:
        lines += ["", f"## Findings 发现 ({result.n_findings:,})", ""]
        lines += [f"- {' '.join(told.split())}" for told in result.findings]
    if result.changes:
        lines += ["", f"## The first {len(result.changes)} changes 变化", ""]
        lines += [_sentence(source_id, change) for source_id, change in result.changes]
    return "\n".join(lines) + "\n"


def _source_row(one: SourceResult) -> tuple[object, ...]:
    counts = one.counts
    return (
        one.source_id + (" (stopped 已拦截)" if one.stopped else ""), one.n_documents, one.n_passed_over,
        one.n_unchanged, one.n_differing, one.n_published, one.n_unread, *(counts[kind] for kind in KINDS),
    )  # fmt: skip


def _sentence(source_id: str, change: Change) -> str:
    figure = change.figure
    about = " ".join(part for part in (figure.period, figure.scope, figure.dimension) if part)
    values = " → ".join(f"{one.value:f}" if one and one.value is not None else "—" for one in (change.old, change.new))
    what = f"{figure.name_zh} {figure.name_en} (`{figure.metric}`, {about}): {values} {figure.unit}"
    return f"- {WORDS[change.kind]}: {what}. {_cell(figure.quote)} — {source_id}, {_cell(change.document_id)}"


def _cell(value: object) -> str:
    return " ".join(str(value).split()).replace("|", "\\|")


def table(result: ReparseResult) -> list[dict[str, Any]]:
    """A row for each source and metric with changes."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    for one in result.sources.values():
        for (metric, kind), n in one.by_metric.items():
            found.setdefault((one.source_id, metric), dict.fromkeys(KINDS, 0))[kind] += n
    most = sorted(found, key=lambda place: (-sum(found[place].values()), place))[:ROWS]
    return [{"source": place[0], "metric": place[1], **found[place]} for place in sorted(most)]


def write_record(
    settings: Settings, result: ReparseResult, sources: Mapping[str, Source], started_at: datetime,
    flow_run_id: str | None, problem: str,
) -> None:  # fmt: skip
    """For the explorer. Raises OSError."""
    release = current_release(settings.releases)
    name = release.name if release is not None else None
    record = RunRecord(
        format=FORMAT,
        run_id=result.run_id,
        flow_run_id=flow_run_id,
        kind="reparse",
        started_at=started_at,
        seconds=round(result.seconds, 3),
        status="stopped" if problem else "done",
        problem=problem,
        asked=tuple(result.sources),
        release_before=name,
        release=name,
        sources=tuple(_source_run(one, sources.get(one.source_id), result.stopped) for one in result.sources.values()),
        notes=(headline(result), *result.findings),
    )
    write_run(settings.runs, record, settings.keep_runs)


def _source_run(one: SourceResult, source: Source | None, stopped: str) -> SourceRun:
    """Documents under the names of a crawl's pages: `fetched` are those read, `changed` those published."""
    counts = one.counts
    why = one.stopped or (stopped if one.n_differing else "")
    return SourceRun(
        source_id=one.source_id,
        region_code=source.region_code if source is not None else one.source_id[:6],
        name_zh=source.name_zh if source is not None else "",
        name_en=source.name_en if source is not None else "",
        status="failed" if why else "ok",
        counts={
            "planned": one.n_documents,
            "fetched": one.n_documents - one.n_unread,
            "unchanged": one.n_unchanged + one.n_passed_over,
            "changed": one.n_published,
            "failed": one.n_unread,
            **{f"figures_{kind}": counts[kind] for kind in KINDS},
        },
        observations=counts["added"] + counts["changed"],
        mentions=0,
        removed_links=0,
        seconds=0.0,
        failures=(why,) if why else (),
        notes=(),
    )
