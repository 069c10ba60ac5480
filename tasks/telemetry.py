"""Metrics of the running crawl in Prometheus' text format: off unless FAZHI_METRICS_PORT is set.

Counters grow with each request and each load; what is a state (pages, lanes) is read when somebody asks. Labels have
few values: hosts are those of the run's sources (whatever else is `other`), outcomes are the codes of
connectors/errors.py. No address is ever a label.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from threading import Lock

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    start_http_server,
)
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from connectors.crawled import CrawlResult
from connectors.http.client import Attempt
from connectors.http.lanes import count_lanes
from connectors.registry import Source
from tasks.network import NOT_ASKED
from warehouse.batch import LoadResult

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30)
"""Upper bounds of the response times counted together; FAZHI_TIMEOUT cuts off at 30 by default."""
OTHER = "other"


class RunMetrics:
    """The metrics of one run. Calls come from the event loop's thread; whoever scrapes has a thread of his own."""

    def __init__(self, sources: Iterable[Source]) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a gauge beside each counter that says when it began: nobody reads it
        self.registry = CollectorRegistry()
        self._hosts = frozenset(host for source in sources for host in source.hosts)
        self._state = _State()
        self.registry.register(self._state)
        ProcessCollector(registry=self.registry)
        self._requests = self._count("fazhi_requests", "Requests, by host and outcome.", "host", "outcome")
        self._bytes = self._count("fazhi_response_bytes", "Bytes of bodies read, decompressed.", "host")
        self._seconds = Histogram(
            "fazhi_response_seconds", "From request to the end of its answer.", ("host",),
            buckets=SECONDS, registry=self.registry,
        )  # fmt: skip
        self._sources = self._count("fazhi_sources", "Sources done, by status.", "status")
        self._documents = self._count("fazhi_documents_loaded", "Documents published, by what they are.", "change")
        self._rows = self._count("fazhi_rows_loaded", "Rows published of new and changed documents.", "kind")
        self._quarantined = self._count("fazhi_rows_quarantined", "Rows that the data tests set aside.")
        for change in ("new", "changed", "updated", "gone"):
            self._documents.labels(change)

    def _count(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.registry)

    def note_attempt(self, attempt: Attempt) -> None:
        host = attempt.host if attempt.host in self._hosts else OTHER
        self._requests.labels(host, attempt.outcome).inc()
        if attempt.outcome not in NOT_ASKED:
            self._bytes.labels(host).inc(attempt.n_bytes)
        if attempt.status is not None:
            self._seconds.labels(host).observe(attempt.elapsed_ms / 1000)

    def begin_source(self, result: CrawlResult) -> None:
        """From now on its pages count."""
        self._state.begin(result)

    def end_source(self, source_id: str, status: str, loaded: LoadResult) -> None:
        self._state.end(source_id)
        self._sources.labels(status).inc()
        for change in ("new", "changed", "updated", "gone"):
            self._documents.labels(change).inc(getattr(loaded, f"documents_{change}"))
        for kind in ("observations", "mentions", "checks"):
            self._rows.labels(kind).inc(getattr(loaded, kind))
        self._quarantined.inc(loaded.quarantined)


class _State(Collector):
    """Read at each scrape. Of a source that is done the counts are kept, not its pages."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._running: dict[str, CrawlResult] = {}
        self._done: Tally[str] = Tally()

    def begin(self, result: CrawlResult) -> None:
        with self._mutex:
            self._running[result.source.id] = result

    def end(self, source_id: str) -> None:
        with self._mutex:
            self._done.update(_count_pages(self._running.pop(source_id)))

    def collect(self) -> Iterator[Metric]:
        with self._mutex:
            counts = Tally(self._done)
            for result in self._running.values():
                counts.update(_count_pages(result))
        planned = GaugeMetricFamily("fazhi_run_pages_planned", "Lists, pages and files of this run to ask for.")
        planned.add_metric([], counts.pop("planned", 0))
        yield planned
        told = "What became of them so far; in the end they add up to those planned."
        yield _gauge("fazhi_run_pages", told, "outcome", counts)
        told = "Lanes: `asking`, `waiting` (pace, a pause, another process); `queued`: requests behind them."
        yield _gauge("fazhi_lanes", told, "state", count_lanes())


def _gauge(name: str, meaning: str, label: str, values: Mapping[str, int]) -> Metric:
    gauge = GaugeMetricFamily(name, meaning, labels=[label])
    for value, number in values.items():
        gauge.add_metric([value], number)
    return gauge


def _count_pages(result: CrawlResult) -> dict[str, int]:
    return {
        "planned": result.planned,
        "new_or_changed": result.fetched - result.same_text - result.rejected,
        "same_text": result.same_text,
        "same_bytes": result.same_bytes,
        "not_modified": result.not_modified,
        "rejected": result.rejected,
        "gone": len(result.gone),
        "already_gone": result.already_gone,
        "blocked": result.blocked,
        "failed": result.failed,
        "deferred": result.deferred,
    }


@contextmanager
def serve_metrics(metrics: RunMetrics, host: str, port: int) -> Iterator[None]:
    """Answer on http://host:port/metrics while this lasts. Raises OSError when the address cannot be used."""
    server, thread = start_http_server(port, host, metrics.registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
