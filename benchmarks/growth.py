"""How the reading of reports grows: memory over many documents, time over size, and time on hostile input."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any

from benchmarks.contestants import CONTESTANTS, Worker, WorkerFailed
from benchmarks.texts import cut_reports, grow, vary

DOCUMENT_SIZE = 1_500
STEPS = 10
HOSTILE_LIMIT = 60.0
WARM_UP = "受理行政复议案件12件。"

HOSTILE = {
    "digits": "1234567890",
    "一": "一",
    "opening brackets": "（",
    "bracket pairs": "（）",
    "one clause of words": "行政复议案件受理办结",
    "one clause of words and numbers": "受理行政复议案件12件办结",
}
"""What is repeated to fill 1 MB of UTF-8."""


def measure_memory(pool: str, documents: int) -> dict[str, Any]:
    """Resident memory of one process after each tenth of `documents`, all of them different.

    `growth_mb` counts from the first tenth, when caches are filled, to the last. Rows are empty where the system does
    not tell a process's memory.
    """
    rows: list[dict[str, Any]] = []
    step = max(1, documents // STEPS)
    with Worker(CONTESTANTS[0]) as worker:
        for number in range(documents):
            # A stride that is coprime to most lengths: the cuts fall on ever other places.
            at = number * 997 % max(1, len(pool) - DOCUMENT_SIZE)
            answer = worker.ask(vary(pool[at : at + DOCUMENT_SIZE], number))
            if (number + 1) % step == 0 and answer["rss_kb"] is not None:
                rows.append({"documents": number + 1, "rss_mb": answer["rss_kb"] / 1024})
    growth = rows[-1]["rss_mb"] - rows[0]["rss_mb"] if rows else None
    return {"document_size": DOCUMENT_SIZE, "rows": rows, "growth_mb": growth}


def measure_sizes(pool: str, largest: int) -> list[dict[str, Any]]:
    """Processor seconds a text of 1,000, 10,000, ... `largest` characters: the mean over the same 100,000 characters
    cut to that size, so that all sizes read the same sentences."""
    rows: list[dict[str, Any]] = []
    with Worker(CONTESTANTS[0]) as worker:
        worker.ask(grow(pool, 10_000))
        size = 1_000
        while size <= largest:
            texts = cut_reports(grow(pool, max(size, 100_000)), size, most=100)
            seconds = sum(worker.ask(text)["cpu"] for text in texts) / len(texts)
            rows.append({"characters": size, "seconds": seconds, "characters_per_second": size / seconds})
            size *= 10
    return rows


def measure_hostile(largest: int) -> list[dict[str, Any]]:
    """Processor seconds for input made to hurt, `largest` bytes each; `seconds` is None past a minute."""
    rows: list[dict[str, Any]] = []
    worker: Worker | None = None
    with ExitStack() as stack:
        for name, unit in HOSTILE.items():
            text = unit * (largest // len(unit.encode("utf-8")))
            if worker is None:
                worker = stack.enter_context(Worker(CONTESTANTS[0]))
                worker.ask(WARM_UP)
            try:
                seconds: float | None = worker.ask(text, HOSTILE_LIMIT)["cpu"]
            except WorkerFailed:
                seconds = worker = None
            rows.append(
                {"input": name, "characters": len(text), "bytes": len(text.encode("utf-8")), "seconds": seconds}
            )
    return rows
