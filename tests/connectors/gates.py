"""Runs that are stopped at a page for as long as a test wants, to be killed there or to go on."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from multiprocessing.process import BaseProcess
from pathlib import Path

from sqlalchemy import select

from tests.connectors.killed import run_looking
from tests.connectors.portal import HOST
from tests.forked import start
from tests.servers import Site
from warehouse.engine import open_warehouse
from warehouse.schema import fact_fetch


class Gate:
    """A page whose first answer waits until somebody opens; so many before it say that the server is busy."""

    def __init__(self, site: Site, target: str, page: str, *, busy: int = 0) -> None:
        self.open = threading.Event()
        self.is_reached = threading.Event()
        site.forget(target)
        for _ in range(busy):
            site.on(target, "busy", status=503)
        site.on(target, raw=self._answer(page.encode()))
        site.on(target, page, headers={"ETag": f'"{hash(page)}"'})

    def _answer(self, body: bytes) -> Callable[[BaseHTTPRequestHandler, threading.Event], None]:
        def raw(handler: BaseHTTPRequestHandler, stopping: threading.Event) -> None:
            self.is_reached.set()
            self.open.wait(60)
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n")
            handler.wfile.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n" % len(body) + body)

        return raw


@contextmanager
def running(site: Site, home: Path, gate: Gate) -> Iterator[BaseProcess]:
    """A run that has come to the gate."""
    process = start(run_looking, site.url, home)
    try:
        assert gate.is_reached.wait(60)
        yield process
    finally:
        process.kill()
        process.join(60)


def end(process: BaseProcess) -> None:
    process.join(60)
    assert process.exitcode == 0


def kill(process: BaseProcess) -> None:
    process.kill()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL


def asked(site: Site) -> Counter[str]:
    """Requests by path, robots.txt excepted."""
    return Counter(seen.target for seen in site.seen if seen.target != "/robots.txt")


def logged(home: Path) -> list[tuple[str, str, str]]:
    """Path, outcome and run of each row of the fetch log, robots.txt excepted."""
    engine = open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")
    chosen = select(fact_fetch.c.url, fact_fetch.c.outcome, fact_fetch.c.run_id).where(fact_fetch.c.kind != "robots")
    with engine.connect() as conn:
        rows = conn.execute(chosen.order_by(fact_fetch.c.started_at)).all()
    engine.dispose()
    return [(row.url.removeprefix(f"https://{HOST}"), row.outcome, row.run_id) for row in rows]
