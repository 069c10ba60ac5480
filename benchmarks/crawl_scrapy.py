"""The peer of the crawl: Scrapy with parsel, as its documentation shows, in the peers' environment.

`python -m benchmarks.crawl_scrapy START.json OUT.jsonl`: follows the lists, reads title, date, body text and all links
of every page, writes one line a page, and prints its own processor time. Everything that costs Scrapy time and is not
crawling or parsing is off: cookies, retries, telnet, statistics dumps, logging.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import scrapy
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response

from benchmarks.usage import own_peak

SETTINGS = {
    "ROBOTSTXT_OBEY": True,
    "COOKIES_ENABLED": False,
    "RETRY_ENABLED": False,
    "TELNETCONSOLE_ENABLED": False,
    "LOG_LEVEL": "ERROR",
    "REFERER_ENABLED": False,
    "DOWNLOAD_DELAY": 0,
    "USER_AGENT": "bench/1",
}


class Portals(scrapy.Spider):  # type: ignore[misc]  # the peers are not installed where types are checked
    name = "portals"

    def __init__(self, plan: dict[str, Any], out: Path) -> None:
        super().__init__()
        self.plan, self.lines = plan, out.open("w", encoding="utf-8")

    async def start(self) -> Any:
        for url, selector in self.plan["starts"]:
            yield scrapy.Request(url, self.parse, cb_kwargs={"selector": selector})

    def parse(self, response: Response, selector: str) -> Iterator[scrapy.Request]:
        links = [response.urljoin(href) for href in response.css("a::attr(href)").getall()]
        self.lines.write(json.dumps({"url": response.url, "links": len(links)}) + "\n")
        for href in response.css("ul.news_list li a::attr(href)").getall():
            yield response.follow(href, self.read, cb_kwargs={"selector": selector})
        if response.url.endswith("index.html"):
            pages = int(response.css("script::text").re_first(r"createPageHTML\((\d+)", "1"))
            first = self.plan["first"][selector]
            for number in range(1 + first, pages + first):
                yield response.follow(f"index_{number}.html", self.parse, cb_kwargs={"selector": selector})

    def read(self, response: Response, selector: str) -> None:
        pieces = response.css(f"{selector} ::text").getall()
        links = [response.urljoin(href) for href in response.css("a::attr(href)").getall()]
        page = {
            "url": response.url,
            "title": response.css('meta[name="ArticleTitle"]::attr(content)').get(),
            "date": response.css('meta[name="PubDate"]::attr(content)').get(),
            "body": "".join(pieces).strip(),
            "links": len(links),
        }
        self.lines.write(json.dumps(page, ensure_ascii=False) + "\n")

    def closed(self, reason: str) -> None:
        self.lines.close()


def main(plan_path: str, out: str) -> None:
    plan = json.loads(Path(plan_path).read_text(encoding="utf-8"))
    n = plan["concurrency"]
    settings = {**SETTINGS, "CONCURRENT_REQUESTS": n, "CONCURRENT_REQUESTS_PER_DOMAIN": n}
    process = CrawlerProcess(settings, install_root_handler=True)
    process.crawl(Portals, plan=plan, out=Path(out))
    spent, clock = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    process.start()
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - spent.ru_utime - spent.ru_stime
    told = {"cpu": cpu, "whole_cpu": after.ru_utime + after.ru_stime, "rss_mb": own_peak()}
    print(json.dumps({**told, "wall": time.perf_counter() - clock}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
