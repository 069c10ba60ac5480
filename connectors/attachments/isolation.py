"""Each attachment is read in a process of its own, which may take little and knows nothing.

PDFium and libxml2 are C code that reads what strangers wrote: a crash, an endless loop or a bomb there must cost one
file, not the night. The child gets the bytes as standard input and an empty environment; the limits are its own
(`worker.set_limits`), and it is killed when the clock runs out. Its answer goes to a file, whose size the kernel
limits, so that a child that has gone bad cannot fill our memory either.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from threading import BoundedSemaphore
from typing import IO

from connectors.attachments.result import AttachmentText

MAX_SECONDS = 60.0
"""Clock time for one file: a backstop for a child that sleeps; the limit that counts is that of CPU seconds."""
_AT_ONCE = BoundedSemaphore(2)
"""Children at a time, whatever the number of threads: their memory adds up."""
_ROOT = Path(__file__).resolve().parents[2]
_CODE = "import sys; sys.path[:] = sys.argv[2:]; from connectors.attachments.worker import main; main(sys.argv[1])"
_SIGNALS = {-signal.SIGXCPU: "computing time", -signal.SIGKILL: "computing time", -signal.SIGABRT: "memory"}
"""SIGKILL comes after SIGXCPU, at the hard limit; PDFium aborts where it is given no memory."""


def read_attachment(body: bytes, name: str) -> AttachmentText:
    """The text of a file. Never raises for what is in it; `name` is only compared with what the file is.

    Blocks for 0.1 s and more: call it from a thread (`asyncio.to_thread`) where others wait. Raises OSError when no
    process can be started or no temporary file be written."""
    return run_worker(body, name, MAX_SECONDS)


def run_worker(body: bytes, name: str, max_seconds: float) -> AttachmentText:
    """`read_attachment`, with the time as a parameter."""
    command = [sys.executable, "-I", "-S", "-c", _CODE, name, str(_ROOT), *filter(None, sys.path)]
    with _AT_ONCE, tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(body)
        given.seek(0)
        child = subprocess.Popen(command, stdin=given, stdout=out, stderr=err, env={"PYTHONUTF8": "1"}, cwd="/")
        try:
            code = child.wait(max_seconds)
        except subprocess.TimeoutExpired:
            return AttachmentText("", "too_large", notes=(f"not read within {max_seconds:g} seconds",))
        finally:
            child.kill()  # also when this thread is interrupted; for one that has ended it does nothing
            child.wait()
        if code == 0:
            return _take_answer(out)
        if code in _SIGNALS:
            return AttachmentText("", "too_large", notes=(f"takes more {_SIGNALS[code]} than a report may",))
        return AttachmentText("", "damaged", notes=(f"its reader broke down: {_last_words(err, code)}",))


def _take_answer(out: IO[bytes]) -> AttachmentText:
    out.seek(0)
    answer = json.load(out)
    return AttachmentText(
        answer["text"],
        answer["kind"],
        answer["n_pages"],
        tuple(answer["notes"]),
        answer["is_whole"],
        tuple((start, end, place, offset) for start, end, place, offset in answer["segments"]),
    )


def _last_words(err: IO[bytes], code: int) -> str:
    if code < 0:
        return f"signal {-code}"
    size = err.seek(0, 2)
    err.seek(max(0, size - 2000))
    lines = err.read().decode("utf-8", "replace").strip().splitlines()
    return lines[-1][:300] if lines else f"exit code {code}"
