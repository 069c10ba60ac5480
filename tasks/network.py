"""What the requests of a run say of hosts and sources, for the run report. Pure functions."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from connectors.http.client import Attempt
from connectors.registry import Source, tls_exception
from fazhi.report import HostLine

ANSWERED = frozenset({"ok", "not_modified", "redirect"})
"""Outcomes of an attempt that are no error."""
NOT_ASKED = frozenset({"robots_denied", "refused"})
"""Outcomes of attempts for which no request was made."""


@dataclass(slots=True)
class HostTally:
    """What a host was asked, in a form that adds up over the processes of one run."""

    outcomes: dict[str, int] = field(default_factory=dict)
    n_bytes: int = 0
    answered_ms: list[int] = field(default_factory=list)
    """Of each answer, whatever its status."""
    waited_s: float = 0.0

    def add(self, other: HostTally) -> None:
        for outcome, count in other.outcomes.items():
            self.outcomes[outcome] = self.outcomes.get(outcome, 0) + count
        self.n_bytes += other.n_bytes
        self.answered_ms += other.answered_ms
        self.waited_s += other.waited_s


def tally_hosts(attempts: Iterable[Attempt]) -> dict[str, HostTally]:
    by_host: dict[str, HostTally] = defaultdict(HostTally)
    for attempt in attempts:
        answered = [attempt.elapsed_ms] if attempt.status is not None else []
        by_host[attempt.host].add(HostTally({attempt.outcome: 1}, attempt.n_bytes, answered, attempt.waited_s))
    return dict(by_host)


def summarize_hosts(
    attempts: Iterable[Attempt], shards: Iterable[Mapping[str, HostTally]] = ()
) -> tuple[HostLine, ...]:
    """One line per host, in order of their names; `shards`: what other processes of the run asked."""
    by_host: dict[str, HostTally] = defaultdict(HostTally)
    for tally in (tally_hosts(attempts), *shards):
        for host, part in tally.items():
            by_host[host].add(part)
    return tuple(_host_line(host, by_host[host]) for host in sorted(by_host))


def _host_line(host: str, tally: HostTally) -> HostLine:
    answers = sorted(tally.answered_ms)
    return HostLine(
        host=host,
        requests=sum(count for outcome, count in tally.outcomes.items() if outcome not in NOT_ASKED),
        n_bytes=tally.n_bytes,
        not_modified=tally.outcomes.get("not_modified", 0),
        errors={outcome: count for outcome, count in sorted(tally.outcomes.items()) if outcome not in ANSWERED},
        mean_ms=round(sum(answers) / len(answers)) if answers else None,
        p95_ms=answers[-(-len(answers) * 95 // 100) - 1] if answers else None,
        waited_s=round(tally.waited_s, 1),
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
