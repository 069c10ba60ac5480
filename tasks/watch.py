"""Who watches a run beside the person at the terminal: the log, the metrics and the record. None can stop it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.crawled import CrawlResult
from connectors.http.client import Attempt
from connectors.registry import Source
from fazhi.logs import LOGGER, write_log
from fazhi.report import SourceLine
from fazhi.settings import Settings
from tasks.telemetry import RunMetrics, serve_metrics
from warehouse.batch import LoadResult
from warehouse.release_read import current_release
from warehouse.run_records import FORMAT, RunRecord, SourceRun, hold_run, now, write_run

if TYPE_CHECKING:
    from warehouse.release import Release

_fetches, _sources, _runs = (logging.getLogger(f"{LOGGER}.{name}") for name in ("fetch", "source", "run"))


@dataclass(slots=True)
class Watch:
    """Told of each request, source and run. Calls come from the event loop's thread only."""

    run_id: str
    metrics: RunMetrics | None = None
    notes: list[str] = field(default_factory=list)
    """On the run as a whole, for its report."""
    release: Release | None = None
    """Made or kept by the run."""
    done: list[SourceRun] = field(default_factory=list)

    def begin_source(self, result: CrawlResult) -> None:
        if self.metrics is not None:
            self.metrics.begin_source(result)

    def note_attempt(self, source_id: str, attempt: Attempt) -> None:
        if self.metrics is not None:
            self.metrics.note_attempt(attempt)
        level = logging.WARNING if attempt.evidence else logging.INFO
        if _fetches.isEnabledFor(level):
            told = f"{attempt.outcome}: {attempt.message}" if attempt.message else attempt.outcome
            self._log(_fetches, level, told, source_id, _attempt_fields(attempt))

    def end_source(self, source: Source, line: SourceLine, loaded: LoadResult) -> None:
        self.done.append(_source_run(source, line))
        if self.metrics is not None:
            self.metrics.end_source(source.id, line.status, loaded)
        level = logging.INFO if line.status == "ok" else logging.WARNING
        if _sources.isEnabledFor(level):
            cause = f": {line.failures[0]}" if line.failures else ""
            self._log(_sources, level, f"{line.status}{cause}", source.id, _source_fields(source, line))

    def take_line(self, source: Source, line: SourceLine) -> None:
        """A source that a shard of the run crawled, and has told its own log of."""
        self.done.append(_source_run(source, line))

    def note(self, text: str) -> None:
        """Something about the run as a whole that a person should know."""
        self.notes.append(text)
        self._log(_runs, logging.WARNING, text, None, {})

    def end(self, seconds: float, error: BaseException | None = None) -> None:
        level, outcome = (logging.INFO, "done") if error is None else (logging.ERROR, "stopped")
        cause = f" by {type(error).__name__}: {error}" if error is not None else ""
        self._log(_runs, level, f"{outcome}{cause}", None, {"outcome": outcome, "elapsed_ms": round(seconds * 1000)})

    def _log(
        self, logger: logging.Logger, level: int, message: str, source_id: str | None, fields: dict[str, Any]
    ) -> None:
        logger.log(level, "%s", message, extra={"run_id": self.run_id, "source_id": source_id, **fields})


def _attempt_fields(attempt: Attempt) -> dict[str, Any]:
    return {
        "url": attempt.url,
        "host": attempt.host,
        "kind": attempt.kind,
        "outcome": attempt.outcome,
        "status": attempt.status,
        "elapsed_ms": attempt.elapsed_ms,
        "n_bytes": attempt.n_bytes,
        "waited_ms": round(attempt.waited_s * 1000),
        "is_conditional": attempt.is_conditional,
        "robots": attempt.robots,
        "evidence": attempt.evidence,
        "tls": attempt.tls,
    }


def _source_fields(source: Source, line: SourceLine) -> dict[str, Any]:
    return {
        "url": source.start[0].url,
        "outcome": line.status,
        "elapsed_ms": round(line.seconds * 1000),
        **{f"n_{name}": count for name, count in line.counts.items()},
        "failures": list(line.failures),
        "notes": list(line.notes),
    }


@contextmanager
def watch_run(settings: Settings, run_id: str, sources: Sequence[Source], kind: str = "nightly") -> Iterator[Watch]:
    """Log and metrics, as the settings want them, while a run lasts; `kind`: the flow's name."""
    began = time.monotonic()
    with ExitStack() as stack:
        stack.enter_context(write_log(settings.log))
        watch = Watch(run_id)
        keep = _keeper(stack, settings, watch, sources, kind)
        if settings.metrics_port is not None:
            _start_metrics(stack, watch, settings.metrics_host, settings.metrics_port, sources)
        try:
            yield watch
        except BaseException as error:
            keep(time.monotonic() - began, error)
            watch.end(time.monotonic() - began, error)
            raise
        keep(time.monotonic() - began, None)
        watch.end(time.monotonic() - began)


def _keeper(
    stack: ExitStack, settings: Settings, watch: Watch, sources: Sequence[Source], kind: str
) -> Callable[[float, BaseException | None], None]:
    """The record of a run that begins now: written at once, and by what this gives when it has ended. A full disk costs
    the record, not the night."""
    before = _current_name(settings.releases)
    first = RunRecord(
        format=FORMAT,
        run_id=watch.run_id,
        flow_run_id=watch.run_id,  # runs take their ids from Prefect
        kind=kind,
        started_at=now(),
        seconds=0.0,
        status="running",
        problem="",
        asked=tuple(source.id for source in sources),
        release_before=before,
        release=before,
        sources=(),
        notes=(),
    )

    def unwritten(failed: OSError) -> str:
        return f"no record of this run in {settings.runs}: {failed.strerror or failed}"

    try:
        stack.enter_context(hold_run(settings.runs, first, settings.keep_runs))
    except OSError as failed:
        watch.note(unwritten(failed))

    def keep(seconds: float, error: BaseException | None) -> None:
        record = replace(
            first,
            seconds=round(seconds, 3),
            status="done" if error is None else "stopped",
            problem="" if error is None else " ".join(f"{type(error).__name__}: {error}".split()).rstrip(": "),
            release=watch.release.name if watch.release is not None else before,
            sources=tuple(sorted(watch.done, key=lambda one: one.source_id)),
            notes=tuple(watch.notes),
        )
        try:
            write_run(settings.runs, record, settings.keep_runs)
        except OSError as failed:
            if unwritten(failed) not in watch.notes:
                watch.note(unwritten(failed))

    return keep


def _current_name(releases: Path) -> str | None:
    try:
        current = current_release(releases)
    except (OSError, UnicodeDecodeError):
        return None  # whoever makes the next release says so
    return current.name if current is not None else None


def _source_run(source: Source, line: SourceLine) -> SourceRun:
    return SourceRun(
        source_id=source.id,
        region_code=source.region_code,
        name_zh=line.name_zh,
        name_en=line.name_en,
        status=line.status,
        counts=dict(line.counts),
        observations=line.observations,
        mentions=line.mentions,
        removed_links=line.removed_links,
        seconds=round(line.seconds, 3),
        failures=line.failures,
        notes=line.notes,
    )


def _start_metrics(stack: ExitStack, watch: Watch, host: str, port: int, sources: Sequence[Source]) -> None:
    """A port that is taken, perhaps by another run just now, costs the metrics and not the night."""
    metrics = RunMetrics(sources)
    try:
        stack.enter_context(serve_metrics(metrics, host, port))
    except OSError as error:
        watch.note(
            f"no metrics of this run: FAZHI_METRICS_PORT {port} on {host} cannot be used ({error.strerror or error})"
        )
    else:
        watch.metrics = metrics
