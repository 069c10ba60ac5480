"""The release that is read now: follows the pointer of the releases' folder, and switches when the new one is ready.

A thread of its own looks at the pointer, opens a new release beside the old one and puts it in its place in one step;
readers of the old one finish with it. A release that cannot be opened leaves the old one in place and says so.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer.release import Closed, Opened, Reader, open_release
from warehouse.errors import WarehouseError
from warehouse.release_read import PACKAGE, current_release

LOGGER = logging.getLogger("fazhi.explorer")
EVERY = 2.0
"""Seconds between two looks at the pointer."""


class NotReady(Exception):
    """Nothing to read: `reason` is `none` (no release yet), `preparing` or `unreadable` (`detail` says why)."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason} {detail}".strip())
        self.reason = reason
        self.detail = detail


class Current:
    """Use as a context manager: the thread ends with it."""

    def __init__(self, releases: Path, cache: Path, seconds: float, every: float = EVERY) -> None:
        self.releases = releases
        self.problem = ""
        """Why the newest release is not the one shown; empty where it is."""
        self._cache, self._seconds, self._every = cache, seconds, every
        self._opened: Opened | None = None
        self._name = ""
        self._failed: tuple[str, int] | None = None
        """The release that could not be opened: tried again when its description changes."""
        self._reason = "preparing"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="explorer-follow", daemon=True)

    def __enter__(self) -> Current:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._put(None)

    @contextmanager
    def reading(self) -> Iterator[Reader]:
        """Raises NotReady where there is no release to read."""
        while True:
            opened = self._opened
            if opened is None:
                raise self.not_ready()
            try:
                with opened.reading() as reader:
                    yield reader
                return
            except Closed:
                if opened is self._opened:  # closing down
                    raise NotReady("preparing") from None

    def not_ready(self) -> NotReady:
        """Why there is nothing to read."""
        return NotReady(self._reason, self.problem)

    def look(self) -> None:
        """Look at the pointer once, and follow it."""
        try:
            path = current_release(self.releases)
        except (OSError, UnicodeDecodeError) as error:
            self._reason, self.problem = "unreadable", f"{self.releases}: {error}"
            return
        mark = _mark(path)
        if path is None:
            self._reason, self._name, self.problem = "none", "", ""
            self._put(None)
        elif path.name == self._name:
            self.problem = ""
        elif mark != self._failed:
            try:
                opened = open_release(path, self._cache, self._seconds)
            except (WarehouseError, OSError) as error:
                LOGGER.error("%s", error)
                self._reason, self.problem, self._failed = "unreadable", str(error), mark
                return
            self._name, self.problem = path.name, ""
            self._put(opened)
            LOGGER.info("release %s is shown", path.name)

    def _follow(self) -> None:
        while True:
            self.look()
            if self._stop.wait(self._every):
                return

    def _put(self, opened: Opened | None) -> None:
        old, self._opened = self._opened, opened
        if old is not None:
            old.retire()


def _mark(path: Path | None) -> tuple[str, int] | None:
    """Name of a release, and when its description was written; 0 where it has none."""
    if path is None:
        return None
    try:
        return path.name, (path / PACKAGE).stat().st_mtime_ns
    except OSError:
        return path.name, 0
