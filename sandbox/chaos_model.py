"""What a fault is made of: a behaviour with its place and expected outcome, and the exchange that it may spoil."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from email.utils import format_datetime, parsedate_to_datetime
from typing import Literal

from sandbox.chaos_portal import COLUMN, FEED, INVENTED, STRUCK_FILE, STRUCK_LIST, STRUCK_PAGE
from sandbox.model import Resource

Place = Literal["page", "list", "lists", "file", "feed", "robots", "site"]
Others = Literal["read", "next run", "none"]
Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Behaviour:
    """One way to misbehave. `outcome` and `others` say what is right, not what a crawler happens to do."""

    name: str
    does: str
    """What the server does, as a predicate."""
    at: Place
    """Which address is struck: the third page of the list, the middle list page, all lists, the attachment that
    holds a report's text, the feed, robots.txt, or every address."""
    outcome: str
    """`read`: what was struck is had all the same, in the same run. `finding`: it is not, and the run's notes say so
    (`note`). Else the issue code that is recorded, or what kind of file an attachment turned out to be."""
    answer: Answer
    others: Others = "read"
    """The other pages of the portal: read in the same run, left for the next run (the lane has ended), or not asked
    for at all."""
    night: Literal[1, 2] = 1
    """The run that meets the fault. 2: the pages are known already and are asked for with validators."""
    note: str = ""
    """A word of the finding that must be in the run's notes beside the outcome."""
    setting: Literal["replay", "live"] = "replay"
    """`live`: not to be met behind a replay gateway, which stands for the network: name look-up and TLS."""

    def strikes(self, path: str) -> bool:
        return path.startswith(INVENTED) or _STRIKES[self.at](path)


_STRIKES: Mapping[Place, Callable[[str], bool]] = {
    "page": lambda path: path == STRUCK_PAGE,
    "list": lambda path: path == STRUCK_LIST,
    "lists": lambda path: path == COLUMN or path.startswith(f"{COLUMN}index"),
    "file": lambda path: path == STRUCK_FILE,
    "feed": lambda path: path == FEED,
    "robots": lambda path: path == "/robots.txt",
    "site": lambda path: True,
}


@dataclass(frozen=True, slots=True)
class Request:
    target: str
    """Path and query as sent."""
    headers: Mapping[str, str]
    """Lower-case names."""
    number: int
    """1 for the first request for this target on this host, and so on."""
    total: int
    """The same over all targets of the host."""

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]


@dataclass(slots=True)
class Exchange:
    """One request and the connection that it came on. `reply` behaves; `send` sends what it is told."""

    request: Request
    host: str
    portal: Mapping[str, Resource]
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    stopping: asyncio.Event
    keep_open: bool = field(default=False)

    @property
    def path(self) -> str:
        return self.request.path

    @property
    def good(self) -> Resource:
        """The answer that this address should get."""
        return self.portal[self.path]

    @property
    def origin(self) -> str:
        return f"https://{self.host}"

    async def send(self, *parts: bytes) -> None:
        """As it is. The connection is closed after the answer."""
        for part in parts:
            self.writer.write(part)
            await self.writer.drain()

    async def pause(self, seconds: float) -> None:
        """Returns early when the server stops."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.stopping.wait(), seconds)

    async def until_left(self) -> None:
        """Until the client hangs up or the server stops."""
        left = asyncio.ensure_future(self.reader.read())
        stopped = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({left, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (left, stopped):
                task.cancel()
            await asyncio.gather(left, stopped, return_exceptions=True)

    def reset(self) -> None:
        """Close with RST instead of FIN."""
        raw: socket.socket = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def reply(
        self,
        body: bytes | str = b"",
        *,
        status: int | str = 200,
        content_type: str | None = "text/html; charset=utf-8",
        headers: Headers = (),
        length: str | None = "",
    ) -> None:
        """A well-formed answer; `length` overrides Content-Length, None leaves it out."""
        data = body.encode() if isinstance(body, str) else body
        fields = [("Content-Type", content_type)] if content_type else []
        if length is not None:
            fields.append(("Content-Length", length or str(len(data))))
        await self.send(head(status, [*fields, *headers]), data)
        self.keep_open = length == ""

    async def behave(self) -> None:
        """The good answer, with validators that are honoured (RFC 9110, 13.1), or 404."""
        good = self.portal.get(self.request.target) or self.portal.get(self.path)
        if good is None:
            await self.reply("<html><body>没有这个页面</body></html>", status=404)
            return
        if self.is_fresh(good):
            await self.send(head(304, validators(good)))
            self.keep_open = True
        else:
            await self.reply(good.body, content_type=good.content_type, headers=validators(good))

    @property
    def is_conditional(self) -> bool:
        return bool({"if-none-match", "if-modified-since"} & self.request.headers.keys())

    def is_fresh(self, good: Resource) -> bool:
        tag, since = self.request.headers.get("if-none-match"), self.request.headers.get("if-modified-since")
        if tag is not None:
            return good.etag in tag
        try:
            return since is not None and parsedate_to_datetime(since) >= good.modified
        except (ValueError, TypeError):  # no date, or one without a zone: as if it were not sent
            return False


Answer = Callable[[Exchange], Awaitable[None]]

_REASONS = {200: "OK", 302: "Found", 304: "Not Modified", 404: "Not Found"}


def head(status: int | str = 200, headers: Headers = ()) -> bytes:
    """Status line and headers. Values go out as they are, whatever they hold."""
    line = f"{status} {_REASONS.get(status, 'Status')}" if isinstance(status, int) else status
    fields = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"HTTP/1.1 {line}\r\n{fields}\r\n".encode("latin-1")


def validators(good: Resource) -> list[tuple[str, str]]:
    return [("ETag", good.etag), ("Last-Modified", format_datetime(good.modified, usegmt=True))]
