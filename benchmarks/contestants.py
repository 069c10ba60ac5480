"""The contestants of a run and the processes they run in."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from benchmarks.engines import ROOT
from benchmarks.measure_words import unit_pattern

PEERS_PYTHON = ROOT / "benchmarks" / ".venv" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")

NOT_BUILT = "a compiled build"


@dataclass(frozen=True, slots=True)
class Contestant:
    """Who takes part, as the tables name it."""

    engine: str
    label: str
    is_peer: bool = False
    is_compiled: bool = False


CONTESTANTS = (
    Contestant("fazhi-report", "fazhi, whole report"),
    Contestant("fazhi-report-compiled", "fazhi, whole report, compiled", is_compiled=True),
    Contestant("fazhi-mentions", "fazhi, mentions only"),
    Contestant("recognizers", "recognizers-text, with units", is_peer=True),
    Contestant("recognizers-numbers", "recognizers-text, numbers only", is_peer=True),
    Contestant("cn2an", "cn2an in a regular expression", is_peer=True),
)


class WorkerFailed(Exception):
    """A worker ended or took too long; the message is one line."""


def choose_core() -> int | None:
    """The last core this process may use; None where the system knows no pinning."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


class Worker:
    """A worker process; a context manager that ends it. `missing` says what is not installed, or not built.

    `compiled` is the folder that holds the compiled `extraction`; all other contestants read its sources, whatever
    has been built beside them.
    """

    def __init__(self, contestant: Contestant, peers_python: Path = PEERS_PYTHON, compiled: Path | None = None) -> None:
        self.contestant, self.missing, self.is_pinned = contestant, "", False
        self._process: subprocess.Popen[str] | None = None
        python = str(peers_python) if contestant.is_peer else sys.executable
        if contestant.is_peer and not peers_python.exists():
            self.missing = str(peers_python.name)
            return
        if contestant.is_compiled and compiled is None:
            self.missing = NOT_BUILT
            return
        folders = [str(folder) for folder in (compiled if contestant.is_compiled else None, ROOT) if folder]
        # -W ignore: recognizers-text has not been touched since 2019 and warns about itself.
        self._process = subprocess.Popen(
            [python, "-W", "ignore", "-m", "benchmarks.worker", contestant.engine],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=folders[0],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(folders), "PYTHONUTF8": "1"},
        )  # fmt: skip
        answer = self._exchange(
            {"units": unit_pattern(), "core": choose_core(), "compiled": contestant.is_compiled}, 120.0
        )
        self.missing, self.is_pinned = answer.get("missing", ""), answer.get("pinned", False)

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._process is None:
            return
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(BrokenPipeError):  # what was not sent any more is of no use
                    stream.close()

    def ask(self, text: str, limit: float = 120.0) -> dict[str, Any]:
        """Have one text read: `cpu`, `rss_kb`, `spans`. Raises WorkerFailed past `limit` seconds of wall time."""
        return self._exchange({"text": text}, limit)

    def _exchange(self, message: dict[str, Any], limit: float) -> dict[str, Any]:
        if self._process is None or self._process.stdin is None or self._process.stdout is None:
            raise WorkerFailed(f"{self.contestant.label}: not installed")
        timer = threading.Timer(limit, self._process.kill)
        timer.start()
        try:
            self._process.stdin.write(json.dumps(message) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            timer.cancel()
        if not line:
            raise WorkerFailed(f"{self.contestant.label}: ended, or took more than {limit:.0f} s")
        answer: dict[str, Any] = json.loads(line)
        return answer
