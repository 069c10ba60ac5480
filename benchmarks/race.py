"""The contestants on the same texts: speed in turns, and quality against the gold."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from benchmarks.contestants import Worker
from benchmarks.engines import Span
from benchmarks.scoring import Score, complete, score_exact, score_lenient
from benchmarks.texts import GoldDocument


@dataclass(slots=True)
class Pace:
    """Processor seconds for all texts, one figure a repetition, and how many quantities were found in them."""

    seconds: list[float] = field(default_factory=list)
    found: int = 0

    def row(self, reports: int) -> dict[str, float]:
        """Reports per second of processor time: the median repetition, the slowest, the fastest."""
        return {
            "reports_per_second": reports / statistics.median(self.seconds),
            "slowest": reports / max(self.seconds),
            "fastest": reports / min(self.seconds),
            "milliseconds_per_report": 1000 * statistics.median(self.seconds) / reports,
            "found_per_report": self.found / reports,
        }


def measure_speed(workers: Sequence[Worker], reports: Sequence[str], repeat: int) -> list[dict[str, Any]]:
    """One row a worker, in their order.

    The first reading of every text warms up and is not counted; then they take turns, each repetition beginning with
    another one, so that what else the machine does falls on all of them alike.
    """
    running = [worker for worker in workers if not worker.missing]
    paces: dict[str, Pace] = {worker.contestant.engine: Pace() for worker in running}
    for turn in range(-1, repeat):
        at = max(turn, 0) % len(running)
        for worker in running[at:] + running[:at]:
            answers = [worker.ask(text) for text in reports]
            pace = paces[worker.contestant.engine]
            pace.found = sum(len(answer["spans"]) for answer in answers)
            if turn >= 0:
                pace.seconds.append(sum(answer["cpu"] for answer in answers))
    return [
        {"engine": worker.contestant.engine, "label": worker.contestant.label}
        | ({"missing": worker.missing} if worker.missing else paces[worker.contestant.engine].row(len(reports)))
        for worker in workers
    ]


def _score(documents: Sequence[GoldDocument], answers: Sequence[Sequence[Span]]) -> dict[str, Any]:
    exact = valued = lenient = Score()
    for document, found in zip(documents, answers, strict=True):
        exact += score_exact(document.firm, document.soft, found)
        valued += score_exact(document.firm, document.soft, found, with_value=True)
        lenient += score_lenient(document.firm, document.soft, found)
    return {
        name: {"precision": score.precision, "recall": score.recall, "f1": score.f1}
        for name, score in (("exact", exact), ("exact_value", valued), ("lenient", lenient))
    }


def measure_quality(workers: Sequence[Worker], sets: Mapping[str, Sequence[GoldDocument]]) -> list[dict[str, Any]]:
    """Rows of a gold set and an engine; a peer has two: as it answers, and completed to our convention.

    `exact` is the span, `exact_value` span and value, `lenient` an overlap with the same value.
    """
    rows: list[dict[str, Any]] = []
    for name, documents in sets.items():
        for worker in workers:
            # The whole report finds the same mentions: one row of the project's is enough.
            if worker.contestant.engine.startswith("fazhi-report"):
                continue
            row = {"gold": name, "engine": worker.contestant.engine, "label": worker.contestant.label}
            if worker.missing:
                rows.append(row | {"missing": worker.missing})
                continue
            answers: list[list[Span]] = [
                [(start, end, value) for start, end, value in worker.ask(document.text)["spans"]]
                for document in documents
            ]
            rows.append(row | {"mapped": False} | _score(documents, answers))
            if worker.contestant.is_peer:
                mapped = [complete(d.text, found) for d, found in zip(documents, answers, strict=True)]
                rows.append(row | {"mapped": True} | _score(documents, mapped))
    return rows
