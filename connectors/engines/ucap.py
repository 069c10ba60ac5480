"""开普云 UCAP: `/YYYYMM/<32 hex>.shtml`, lists `xxgk_list.shtml` (1-based), and a JSON list service.

`/common/search/<channelid>?page=…&_isJson=true` answers the rows of a channel; the page states its channel in a
meta tag. The service's `content` has lost its paragraphs, so bodies are always read from the page.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.base import Listing, PageRef
from connectors.engines import paging
from connectors.engines.dates import parse_moment
from connectors.engines.family import FamilyEngine, keep_own
from connectors.engines.marks import mark
from connectors.engines.meta import read_meta, tidy
from connectors.errors import Refused, SourceChanged
from connectors.urls import canonical
from extraction.passes import find_parts

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.base import Page
    from connectors.registry import Source

_PAGE_KEY = re.compile(r"([?&]page=)(\d{1,6})(?=&|$)")
_LIST_NAME = re.compile(r"list[^/]*\.s?html?$", re.I)


class UcapEngine(FamilyEngine):
    name = "ucap"
    detail = re.compile(r"/\d{6,8}/[0-9a-f]{32}\.s?html?(?:[?#]|$)|/c\d{4,8}/c?\d+/content\.s?html?(?:[?#]|$)")
    bodies = (
        "ucapcontent",
        "#UCAP-CONTENT",
        "#zoomcon",
        ".article-content",
        "#zoom",
        ".TRS_Editor",
    )
    titles = ("ucaptitle", "h1", ".article-title", ".title")
    first_page = 1
    marks = (
        mark(r"<(?:ucaptitle|ucapcontent|publishtime)\b|UCAP-CONTENT", 8, "tags of UCAP"),
        mark(r"name=[\"']?channelid\b", 4, "a channel id in the metas"),
        mark(r"name=[\"']?others[\"']?\s*content=[\"']?页面生成时间", 4, "a generation time in `others`"),
        mark(r"\b(?:xxgk|zfxxgk|common)_list\b", 3, "names of its lists"),
        mark(r"/xhtml/", 2, "assets under /xhtml/"),
    )

    def discover(self, page: Page, source: Source) -> Listing:
        if page.text.lstrip()[:1] in ("{", "["):
            return self._discover_service(page, source)
        return super().discover(page, source)

    def find_more(self, page: Page, root: HtmlElement, rows: int) -> tuple[str, ...]:
        """The list's pages; for an empty shell its sub-columns, else the channel's list service."""
        more = super().find_more(page, root, rows)
        if more or rows or paging.is_continuation(page.url, self.first_page):
            return more
        below = self._sub_columns(page, root)
        if below:
            return below
        channel = read_meta(find_parts(root)).get("channelid", "")
        if re.fullmatch(r"[0-9a-f]{32}", channel):
            query = "page=1&_pageSize=15&_isAgg=true&_isJson=true&_template=index"
            return (canonical(f"/common/search/{channel}?{query}", page.url),)
        return ()

    def _sub_columns(self, page: Page, root: HtmlElement) -> tuple[str, ...]:
        """`xxgk_lists.shtml` holds no rows but links to the lists in folders below its own."""
        folder = page.url.rpartition("/")[0] + "/"
        found: dict[str, None] = {}
        for link in root.iter("a"):
            try:
                target = canonical(link.get("href") or "", page.url)
            except Refused:
                continue
            is_below = target.startswith(folder) and target.rpartition("/")[0] + "/" != folder
            if is_below and _LIST_NAME.search(urlsplit(target).path):
                found[target] = None
            if len(found) == paging.MAX_PAGES:
                break
        return tuple(found)

    def _discover_service(self, page: Page, source: Source) -> Listing:
        try:
            data = json.loads(page.text)
        except (ValueError, RecursionError):
            data = None
        answer = data.get("data", data) if isinstance(data, dict) else None
        results = answer.get("results", answer.get("rows")) if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(results, list):
            raise SourceChanged(f"{source.id}: {page.url} is no answer of the list service: look at it", url=page.url)
        refs: dict[str, PageRef] = {}
        for item in results:
            ref = _read_result(item, page.url)
            if ref is not None:
                refs.setdefault(ref.url, ref)
        total = _whole(answer.get("total"))
        more = _service_pages(page.url, total, len(results))
        return keep_own(Listing(tuple(refs.values()), more, total), source)


def _read_result(item: Any, base_url: str) -> PageRef | None:
    if not isinstance(item, dict) or not isinstance(item.get("url"), str):
        return None
    try:
        url = canonical(item["url"], base_url)
    except Refused:
        return None
    dates = (item.get(key) for key in ("publishedTimeStr", "publishedTime", "pubdate", "publishTime"))
    moments = (parse_moment(str(value)) for value in dates if isinstance(value, (str, int)))
    moment = next(filter(None, moments), None)
    title = item.get("title")
    return PageRef(url, tidy(title) or None if isinstance(title, str) else None, moment[:10] if moment else None)


def _service_pages(url: str, total: int | None, rows: int) -> tuple[str, ...]:
    """The calls after this one: the page number counts up to what the total needs."""
    match = _PAGE_KEY.search(url)
    size = re.search(r"[?&]_?pageSize=(\d{1,4})(?=&|$)", url)
    per_page = int(size[1]) if size else rows
    if match is None or not total or not per_page or not rows:
        return ()
    last = min(-(-total // per_page), paging.MAX_PAGES)
    return tuple(_PAGE_KEY.sub(rf"\g<1>{number}", url, count=1) for number in range(int(match[2]) + 1, last + 1))


def _whole(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
