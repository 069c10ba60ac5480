"""The child process: takes its limits, reads one file from standard input, answers in JSON."""

from __future__ import annotations

import json
import resource
import sys

MAX_MEMORY = 256 << 20
"""Bytes of address space. Reports of 100 pages take 55 MiB with the interpreter, a file of 60 MiB its size more."""
MAX_CPU_SECONDS = 20
MAX_ANSWER = 32 << 20
_MAX_FILES = 32


def set_limits() -> None:
    """What the whole process may take from here on. It cannot raise them again, nor write a core file."""
    for limit, value in (
        (resource.RLIMIT_AS, MAX_MEMORY),
        (resource.RLIMIT_CPU, MAX_CPU_SECONDS),
        (resource.RLIMIT_FSIZE, MAX_ANSWER),
        (resource.RLIMIT_NOFILE, _MAX_FILES),
        (resource.RLIMIT_CORE, 0),
    ):
        _soft, hard = resource.getrlimit(limit)
        ceiling = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(limit, (ceiling, ceiling))


def main(name: str) -> None:
    set_limits()
    from connectors.attachments.formats import read_bytes
    from connectors.attachments.result import AttachmentText

    try:
        found = read_bytes(sys.stdin.buffer.read(), name)
    except MemoryError:
        found = AttachmentText("", "too_large", notes=("takes more memory than a report may",))
    answer = {
        "text": found.text,
        "kind": found.kind,
        "n_pages": found.n_pages,
        "notes": found.notes,
        "is_whole": found.is_whole,
        "segments": found.segments,
    }
    json.dump(answer, sys.stdout)
