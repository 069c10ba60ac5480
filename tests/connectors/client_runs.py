"""What the tests of the client share: one host, one page, and a run that keeps its attempts."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from connectors.http.client import Attempt, Client, Fetch, HttpSettings
from tests.servers import Site

HOST = "www.yunxi.example"
HOSTS = frozenset({HOST})
PAGE = f"http://{HOST}/page.html"
HTML = "<html><body><p>" + "云溪区人民政府全年办理行政复议案件一百二十件。" * 8 + "</p></body></html>"


def settings(site: Site, **changes: Any) -> HttpSettings:
    base = HttpSettings(
        user_agent="fazhi-test/1 (+https://contact.example/)",
        replay=site.url,
        timeout=2,
        retries=2,
        backoff=0.01,
        delay=0,
    )
    return replace(base, **changes)


class Run:
    """One client, its answers or errors, and its attempt log."""

    def __init__(self, site: Site, **changes: Any) -> None:
        self.log: list[Attempt] = []
        self.settings = settings(site, **changes)

    def fetch(self, url: str = PAGE, *, kind: str = "page", hosts: frozenset[str] = HOSTS, **more: Any) -> Fetch:
        async def go() -> Fetch:
            async with Client(self.settings, self.log.append) as client:
                return await client.fetch(url, kind=kind, hosts=hosts, **more)

        return asyncio.run(asyncio.wait_for(go(), 60))

    def fetch_all(self, *urls: str, pause: float = 0.0) -> list[Fetch | BaseException]:
        """One after the other, with one client."""

        async def go() -> list[Fetch | BaseException]:
            got: list[Fetch | BaseException] = []
            async with Client(self.settings, self.log.append) as client:
                for url in urls:
                    got += await asyncio.gather(client.fetch(url, kind="page", hosts=HOSTS), return_exceptions=True)
                    await asyncio.sleep(pause)
            return got

        return asyncio.run(asyncio.wait_for(go(), 60))

    def outcomes(self) -> list[tuple[str, int | None]]:
        return [(a.outcome, a.status) for a in self.log if not a.url.endswith("/robots.txt")]
