"""What the requests of a run say of hosts and sources, for the run report. Pure functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from connectors.http.client import Attempt
from connectors.registry import Source, tls_exception
from fazhi.report import HostLine

ANSWERED = frozenset({"ok", "not_modified", "redirect"})
"""Outcomes of an attempt that are no error."""
NOT_ASKED = "robots_denied"
"""Outcome of an attempt for which no request was made."""


def summarize_hosts(attempts: Iterable[Attempt]) -> tuple[HostLine, ...]:
    """One line per host, in order of their names."""
    by_host: dict[str, list[Attempt]] = defaultdict(list)
    for attempt in attempts:
        by_host[attempt.host].append(attempt)
    return tuple(_host_line(host, by_host[host]) for host in sorted(by_host))


def _host_line(host: str, attempts: list[Attempt]) -> HostLine:
    errors = Counter(attempt.outcome for attempt in attempts if attempt.outcome not in ANSWERED)
    answers = sorted(attempt.elapsed_ms for attempt in attempts if attempt.status is not None)
    return HostLine(
        host=host,
        requests=sum(attempt.outcome != NOT_ASKED for attempt in attempts),
        n_bytes=sum(attempt.n_bytes for attempt in attempts),
        not_modified=sum(attempt.outcome == "not_modified" for attempt in attempts),
        errors=dict(sorted(errors.items())),
        mean_ms=round(sum(answers) / len(answers)) if answers else None,
        p95_ms=answers[-(-len(answers) * 95 // 100) - 1] if answers else None,
        waited_s=round(sum(attempt.waited_s for attempt in attempts), 1),
    )


def network_notes(source: Source, attempts: Iterable[Attempt]) -> tuple[str, ...]:
    """The exception from TLS under which the source was asked, and by what each of its blocks was recognised."""
    exception = tls_exception(source)
    notes = [f"TLS exception in force 使用 TLS 例外: {exception}"] if exception is not None else []
    first: dict[tuple[str, str], str] = {}
    counted: Counter[tuple[str, str]] = Counter()
    for attempt in attempts:
        if attempt.evidence:
            first.setdefault((attempt.host, attempt.evidence), attempt.url)
            counted[attempt.host, attempt.evidence] += 1
    for (host, evidence), url in first.items():
        n = counted[host, evidence]
        times = f" ({n} times 次, first 首次)" if n > 1 else ""
        notes.append(f"blocked by {host} 受阻{times}: {url}: {evidence}")
    return tuple(notes)
