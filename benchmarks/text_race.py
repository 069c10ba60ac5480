"""Clean text beside the usual readers: how much of it, how pure, how fast; on made pages and on the corpus's."""

from __future__ import annotations

import base64
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.contestants import PEERS_PYTHON
from benchmarks.engines import ROOT
from benchmarks.made_pages import KINDS, make_detail
from benchmarks.text_scoring import f1
from extraction.decode import decode
from extraction.passes import IS_COMPILED

_BUILD = ", compiled" if IS_COMPILED else ""
READERS = {
    "fazhi": f"fazhi{_BUILD}",
    "fazhi-generic": f"fazhi{_BUILD}, its selectors removed",
    "trafilatura": "trafilatura",
    "readability": "readability-lxml",
    "gne": "GNE",
    "resiliparse": "resiliparse",
}
_ENGINES = {
    "www.tongxin.gov.cn": "trs",
    "www.qianjiang.gov.cn": "trs",
    "xjq.nc.gov.cn": "ucap",
    "www.nanhai.gov.cn": "cms_html",
    "www.lyghz.gov.cn": "truecms",
}
"""The engine of each portal of the corpus."""


@dataclass(frozen=True, slots=True)
class Sample:
    group: str
    url: str
    engine: str
    page: bytes
    content_type: str
    text: str
    """What a reader should get."""


def made_samples(count: int) -> list[Sample]:
    """Made pages of all kinds in equal parts."""
    pages = (make_detail(number, "www.yunxiu.example") for number in range(count))
    return [Sample(f"made: {p.kind}", p.url, p.layout.engine, p.body, p.content_type, p.text) for p in pages]


def corpus_samples(folder: Path) -> list[Sample]:
    """The detail pages of the replica portals with their expected bodies; none where the corpus is absent."""
    if not (folder / "expected.jsonl").exists():
        return []
    files = {entry["url"]: entry for entry in _read_lines(folder / "manifest.jsonl")}
    return [
        Sample(
            "corpus",
            want["url"],
            _ENGINES[urlsplit(want["url"]).netloc],
            (folder / files[want["url"]]["file"]).read_bytes(),
            files[want["url"]]["headers"].get("Content-Type", "text/html"),
            want["body"],
        )
        for want in _read_lines(folder / "expected.jsonl")
        if not want.get("feed_item")
    ]


def _read_lines(path: Path) -> Iterable[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _read_all(name: str, requests: list[str]) -> list[dict[str, Any]] | str:
    """A reader's answers, or the name of the module that is missing."""
    is_own = name.startswith("fazhi")
    python = sys.executable if is_own else str(PEERS_PYTHON)
    if not Path(python).exists():
        return "benchmarks/.venv"
    done = subprocess.run(
        [python, "-W", "ignore", "-m", "benchmarks.text_worker", name],
        input="\n".join(requests), capture_output=True, text=True, cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUTF8": "1"},
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if lines and "missing" in lines[0]:
        return str(lines[0]["missing"])
    if done.returncode or len(lines) != len(requests) + 1:
        raise ValueError(f"{READERS[name]} failed: {done.stderr.strip().splitlines()[-1:]}")
    return lines[1:]


def measure_texts(samples: list[Sample], repeat: int) -> list[dict[str, Any]]:
    """One row a reader: F1 of each group, ms of processor time a page (the median repetition, all pages)."""
    requests = [
        json.dumps({
            "url": sample.url, "engine": sample.engine, "content_type": sample.content_type,
            "encoding": decode(sample.page, sample.content_type).encoding,
            "page": base64.b64encode(sample.page).decode("ascii"),
        })
        for sample in samples
    ]  # fmt: skip
    rows: list[dict[str, Any]] = []
    seconds: dict[str, list[float]] = {name: [] for name in READERS}
    answers: dict[str, list[dict[str, Any]] | str] = {}
    for _ in range(repeat):
        for name in READERS:
            answers[name] = got = _read_all(name, requests)
            if not isinstance(got, str):
                seconds[name].append(sum(answer["cpu"] for answer in got))
    for name, label in READERS.items():
        got = answers[name]
        if isinstance(got, str):
            rows.append({"label": label, "missing": got})
            continue
        scores: dict[str, list[float]] = {}
        for sample, answer in zip(samples, got, strict=True):
            scores.setdefault(sample.group, []).append(f1(sample.text, answer["text"]))
        rows.append(
            {
                "label": label,
                "f1": {group: statistics.fmean(values) for group, values in scores.items()},
                "all": statistics.fmean(score for values in scores.values() for score in values),
                "ms_per_page": 1000 * statistics.median(seconds[name]) / len(samples),
            }
        )
    return rows


GROUPS = ("corpus", *(f"made: {kind}" for kind in KINDS))
