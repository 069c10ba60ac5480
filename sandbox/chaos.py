"""The server that misbehaves: one portal per behaviour, each by its host name, on loopback only.

Written on bare streams, because most faults lie below HTTP. A portal is good but for the address that its behaviour
strikes; `calm` heals it, so that the next run shows whether anything was lost for good. Any other host is a portal
without a fault.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

from fazhi.waiting import until_interrupted
from sandbox.chaos_files import docx_bomb, pdf_bomb
from sandbox.chaos_model import Behaviour, Exchange, Request
from sandbox.chaos_portal import build_portal, host_of, source_id, source_yaml
from sandbox.chaos_table import SERVED

_MAX_HEAD = 65_536
_IDLE_SECONDS = 60.0


class ChaosServer:
    """Serves `SERVED` in an event loop of its own. Use `serve_chaos`."""

    def __init__(self) -> None:
        self.url = ""
        self.seen: dict[str, list[str]] = {}
        """Targets asked for, by host, in order."""
        self._by_host: Mapping[str, Behaviour] = {host_of(one.name): one for one in SERVED}
        self._calm: set[str] = set()
        self._counts: Counter[tuple[str, str]] = Counter()
        self._stopping = asyncio.Event()
        self._open: set[asyncio.Task[None]] = set()

    def calm(self, name: str, is_calm: bool = True) -> None:
        """From now on this behaviour's portal answers as it should, or misbehaves again."""
        (self._calm.add if is_calm else self._calm.discard)(host_of(name))

    async def run(self, port: int, ready: threading.Event, stop: asyncio.Event) -> None:
        pdf_bomb(), docx_bomb()  # takes longer to make than a client waits
        try:
            server = await asyncio.start_server(self._serve, "127.0.0.1", port, limit=_MAX_HEAD)
            self.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            ready.set()
        await stop.wait()
        self._stopping.set()
        server.close()
        for task in tuple(self._open):
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._open.add(task)
        try:
            while await self._exchange(reader, writer):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError):
            pass  # the client went away or sent no request: neither is this server's matter
        except asyncio.CancelledError:
            pass  # the server stops
        finally:
            self._open.discard(task)
            writer.close()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One request and its answer. True when the connection is good for another one."""
        raw = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), _IDLE_SECONDS)
        line, *fields = raw.decode("latin-1").rstrip().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
        target = line.split(" ")[1]
        host = headers.get("host", "").partition(":")[0].lower()
        behaviour = self._by_host.get(host)
        if target.startswith("http://"):  # a proxy's absolute form
            host, _, rest = target[7:].partition("/")
            behaviour, target = self._by_host.get(host), f"/{rest}"
        self.seen.setdefault(host, []).append(target)
        self._counts[host, target] += 1
        request = Request(target, headers, self._counts[host, target], len(self.seen[host]))
        portal = build_portal(host, behaviour is not None and behaviour.at == "file")
        exchange = Exchange(request, host, portal, reader, writer, self._stopping)
        if behaviour is None or host in self._calm or not behaviour.strikes(exchange.path):
            await exchange.behave()
        else:
            await behaviour.answer(exchange)
        return exchange.keep_open and not writer.is_closing()


@contextlib.contextmanager
def serve_chaos(port: int = 0) -> Iterator[ChaosServer]:
    """Serve in a thread while the context lasts. Port 0 takes a free one. Raises OSError if the port is taken."""
    server, ready, failure = ChaosServer(), threading.Event(), list[BaseException]()
    stop, loop = asyncio.Event(), asyncio.new_event_loop()

    def work() -> None:
        try:
            loop.run_until_complete(server.run(port, ready, stop))
        except OSError as error:
            failure.append(error)

    thread = threading.Thread(target=work, name="chaos", daemon=True)
    thread.start()
    ready.wait()
    try:
        if server.url:
            yield server
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
    if failure:
        raise failure[0]


def write_sources(folder: Path) -> None:
    """A source file for each portal, for FAZHI_SOURCES."""
    folder.mkdir(parents=True, exist_ok=True)
    for one in SERVED:
        text = source_yaml(one.name, with_feed=one.at == "feed")
        (folder / f"{source_id(one.name)}.yaml").write_text(text, encoding="utf-8")


def run_chaos(port: int = 8765, sources: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM. Prints one ready line. Call it from the main thread.

    Raises OSError if the port is taken or `sources` cannot be written."""
    if sources is not None:
        write_sources(sources)
    with until_interrupted() as stop, serve_chaos(port) as server:
        print(f"ready {server.url} chaos: {len(SERVED)} portals, listed in docs/faults.md", flush=True)
        stop.wait()
