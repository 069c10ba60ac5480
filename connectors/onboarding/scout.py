"""Pages of a portal under examination: each asked for once, within a budget, on the portal's own hosts only."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.base import Page
from connectors.engines import paging
from connectors.engines.feed import is_feed
from connectors.errors import Blocked, Deferred, Refused, SourceError
from connectors.http.client import Client, GatewayUnreachable
from connectors.urls import canonical, document_key, host_of, named_host
from extraction.decode import decode

_MAX_HOPS = 3


@dataclass(frozen=True, slots=True)
class Got:
    """A page as it was had. `url` is where it was in the end."""

    url: str
    page: Page
    body: bytes
    content_type: str | None


@dataclass(slots=True)
class Scout:
    """`base` is the portal's name without `www.`; hosts below it are its own."""

    client: Client
    base: str
    budget: int
    delay: float
    asked: list[str] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    closed: str = ""
    """Why nothing more is asked; empty while there is no reason."""
    _pages: dict[str, Got | None] = field(default_factory=dict)
    _hosts: set[str] = field(default_factory=set)

    def is_own(self, url: str) -> bool:
        host = host_of(url)
        return host == self.base or host.endswith(f".{self.base}")

    def left(self) -> int:
        return 0 if self.closed else self.budget - len(self.asked)

    def forget(self, url: str) -> None:
        """Let an address be asked once more."""
        self._pages.pop(document_key(url), None)

    async def get(self, url: str, kind: str = "list") -> Got | None:
        """The page, from memory where it was asked before; None where it cannot be had, with the reason kept.

        A stub whose script leads elsewhere on the portal is followed, as a reader's browser would."""
        got = await self._get_once(url, kind)
        for _ in range(_MAX_HOPS):
            targets = [] if got is None else [target for target in _stub_targets(got) if self.is_own(target)]
            if not targets:
                return got
            for target in targets:
                got = await self._get_once(target, kind)
                if got is not None:
                    break
        return None

    async def _get_once(self, url: str, kind: str) -> Got | None:
        key = document_key(url)
        if key in self._pages:
            return self._pages[key]
        if self.left() <= 0:
            self.closed = self.closed or f"the budget of {self.budget} requests is used up"
            return None
        self.asked.append(url)
        got = self._pages[key] = await self._fetch(url, kind)
        if got is not None:
            self._pages.setdefault(document_key(got.url), got)
        return got

    async def _fetch(self, url: str, kind: str) -> Got | None:
        hosts = {named_host(url), self.base, f"www.{self.base}", *self._hosts}
        self._hosts.add(named_host(url))
        try:
            fetch = await self.client.fetch(url, hosts=frozenset(hosts), kind=kind, delay=self.delay)
        except GatewayUnreachable:
            raise
        except (Blocked, Deferred) as error:
            self.closed = str(error)
            self.troubles.append(str(error))
            return None
        except SourceError as error:
            self.troubles.append(str(error))
            return None
        decoded = decode(fetch.body, fetch.content_type)
        where = canonical(fetch.final_url)
        page = Page(where, decoded)
        if is_feed(page):
            page = Page(where, decoded, "feed")
        return Got(where, page, fetch.body, fetch.content_type)


def _stub_targets(got: Got) -> tuple[str, ...]:
    """Where a page that holds no link and next to no text sends its reader by script."""
    text = got.page.text
    if len(text) > 5000 or got.page.kind == "feed" or text.lstrip()[:1] == "{" or "<a " in text.lower():
        return ()
    return paging.find_redirects(text, got.url)


def base_of(url: str) -> str:
    """The portal's name: its host without `www.`. Raises Refused for what is no address."""
    host = host_of(canonical(url))
    if not host:
        raise Refused(f"no host in {url!r}: give the address of a portal", url=url)
    return host.removeprefix("www.")
