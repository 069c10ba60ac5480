"""Names of processes that hold something in the database, and whether such a process may still live."""

from __future__ import annotations

import os
import socket
import uuid
from pathlib import Path

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_PROCESSES = Path("/proc/self/ns/pid")


def name_of_this_process() -> str:
    """Machine, process and a mark of its own: process ids come again, and a machine's name may be a container's."""
    return f"{_machine()}/{os.getpid()}/{_started(os.getpid())}/{uuid.uuid4().hex[:8]}"


def is_alive(holder: str) -> bool:
    """Whether the process may still live: one of another machine may, one of this machine is looked for."""
    machine, pid, started, _mark = holder.split("/")
    if machine != _machine():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return _started(int(pid)) == started and not _is_zombie(int(pid))


def _machine() -> str:
    """Where process ids mean the same: many machines are called `localhost`, and a container counts its own."""
    name = socket.gethostname().replace("/", "-")
    try:
        return f"{name} {_BOOT.read_text(encoding='ascii').strip()} {_PROCESSES.readlink()}"
    except OSError:
        return name  # a system without /proc


def _stat(pid: int) -> list[str]:
    """What the kernel says of a process after its name; nothing where it does not say so."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return []
    return told.rpartition(")")[2].split()


def _started(pid: int) -> str:
    """When a process began, in the kernel's ticks."""
    fields = _stat(pid)
    return fields[19] if len(fields) > 19 else ""


def _is_zombie(pid: int) -> bool:
    """It has ended, and its parent has not looked yet."""
    return _stat(pid)[:1] == ["Z"]
