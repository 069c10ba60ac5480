"""TrueCMS: `/<site>/<column>/content/<uuid>.html`; the first rows in `#initData`, more by a message service.

The list page states `columnId`, `perpage` and `totalRecord`; `messageController/getMessage.do` answers a range of
rows as JSON or JSONP with `<record><![CDATA[<li>…]]></record>` inside. The service may answer an empty range that is
not empty: such a range is asked for again in halves.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from connectors.base import Listing
from connectors.engines import paging
from connectors.engines.family import FamilyEngine, keep_own
from connectors.engines.marks import mark
from connectors.engines.rows import parse_records
from connectors.errors import Refused, SourceChanged
from connectors.urls import canonical, host_of

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.base import Page, PageRef
    from connectors.registry import Source

_SERVICE = "/TrueCMS/messageController/getMessage.do"
_SERVICE_URL = re.compile(r"['\"]([^'\"\s<>]{0,200}/messageController/getMessage\.do)[^'\"]{0,300}['\"]", re.I)
_JSONP = re.compile(r"\A\s*(?:/\*\*/)?\s*[\w$.]{1,80}\s*\(")
_DEFAULT_PER_PAGE = 15


class TrueCmsEngine(FamilyEngine):
    name = "truecms"
    detail = re.compile(r"/content/[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\.s?html?(?:[?#]|$)")
    bodies = ("div.content#zoom", "#zoom", "div.content", ".article-content", "#zoomcon")
    titles = ("h1", ".title")
    first_page = 1
    marks = (
        mark(r"messageController/getMessage\.do", 8, "its message service"),
        mark(r"id=[\"']?initData\b", 5, "rows in #initData"),
        mark(r"/TrueCMS/", 5, "the maker's name"),
    )

    def discover(self, page: Page, source: Source) -> Listing:
        start = page.text.lstrip()[:1]
        if page.kind == "data" or start == "{" or _JSONP.match(page.text[:200]):
            return self._discover_service(page, source)
        return super().discover(page, source)

    def find_more(self, page: Page, root: HtmlElement, rows: int) -> tuple[str, ...]:
        """Calls for the ranges that the page does not show, else ordinary list pages."""
        text = page.text
        column = _setting(text, "columnId", r"[\w-]{1,64}")
        total = _number(text, "totalRecords?")
        if column is None or total is None:
            return super().find_more(page, root, rows)
        per_page = _number(text, "perpage") or _DEFAULT_PER_PAGE
        template = _setting(text, "contentTemplate", r"[\w.-]{0,80}") or ""
        match = _SERVICE_URL.search(text)
        service = _own(match[1] if match else _SERVICE, page.url) or _own(_SERVICE, page.url)
        first = rows // per_page * per_page + 1
        calls = [
            f"{service}?columnId={column}&startrecord={start}&endrecord={start + per_page - 1}"
            f"&perpage={per_page}&contentTemplate={template}"
            for start in range(first, min(total, paging.MAX_PAGES * per_page) + 1, per_page)
        ]
        return tuple(calls) if rows < total else ()

    def _discover_service(self, page: Page, source: Source) -> Listing:
        answer = _read_answer(page.text)
        if answer is None:
            raise SourceChanged(
                f"{source.id}: {page.url} is no answer of the message service: look at it", url=page.url
            )
        refs, is_cut = parse_records(answer, page.url, self.detail)
        match = re.search(r"<totalrecord>\s*(\d{1,8})\s*</totalrecord>", answer, re.I)
        total = int(match[1]) if match else None
        return keep_own(Listing(refs, _further_ranges(page.url, refs, total), total, is_cut=is_cut), source)


def _read_answer(text: str) -> str | None:
    """The markup inside `{"result": "…"}` or `callback({…})`; None where it is neither."""
    jsonp = _JSONP.match(text[:200])
    payload = text[jsonp.end() :].rstrip().rstrip(";").rstrip().removesuffix(")") if jsonp else text
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError):
        return text if "<record" in text or "<datastore" in text else None
    if not isinstance(data, dict):
        return None
    result = data.get("result", data.get("rows"))
    if isinstance(result, list):
        return "\n".join(item for item in result if isinstance(item, str))
    return result if isinstance(result, str) else None


def _further_ranges(url: str, refs: tuple[PageRef, ...], total: int | None) -> tuple[str, ...]:
    """After an empty answer within the total: the range in halves. Else nothing: the list page names the ranges."""
    query = parse_qs(urlsplit(url).query)
    try:
        start, end = int(query["startrecord"][0]), int(query["endrecord"][0])
    except (KeyError, ValueError):
        return ()
    if refs or total is None or start > total or end <= start:
        return ()
    middle = (start + end) // 2
    return tuple(
        re.sub(r"(endrecord=)\d+", rf"\g<1>{last}", re.sub(r"(startrecord=)\d+", rf"\g<1>{first}", url))
        for first, last in ((start, middle), (middle + 1, end))
    )


def _setting(text: str, name: str, value: str) -> str | None:
    match = re.search(rf"\b{name}['\"]?\s{{0,4}}[:=]\s{{0,4}}['\"]({value})['\"]", text)
    return match[1] if match else None


def _number(text: str, name: str) -> int | None:
    match = re.search(rf"\b{name}['\"]?\s{{0,4}}[:=]\s{{0,4}}['\"]?(\d{{1,8}})\b", text)
    return int(match[1]) if match else None


def _own(address: str, base_url: str) -> str | None:
    try:
        url = canonical(address, base_url)
    except Refused:
        return None
    return url if host_of(url) == host_of(base_url) else None
