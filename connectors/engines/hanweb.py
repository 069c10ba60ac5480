"""大汉 Hanweb (JCMS): `/art/…/art_<column>_<id>.html`, columns `/col/colN/index.html`; the newer jpaas.

Rows come in three dialects: a datastore inside the page, with the next group's address; ranges of
`jpage/dataproxy.jsp`, XML; `build/unit` of jpaas, JSON with markup. All three count by what the page says of itself.
`Maketime` is a generation time. The body is `#zoom`, or what stands between the marks of the editor.
"""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from connectors.base import Listing
from connectors.engines import paging
from connectors.engines.body import Body
from connectors.engines.family import FamilyEngine, keep_own
from connectors.engines.feed import is_feed, split_cdata
from connectors.engines.generic import CONTAINERS
from connectors.engines.marks import mark
from connectors.engines.rows import find_rows, parse_records
from connectors.errors import Refused, SourceChanged
from connectors.urls import canonical, host_of
from extraction.clean import is_truncated, parse_html

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.base import Page, PageRef
    from connectors.registry import Source

_STORE = re.compile(r"<datastore\b", re.I)
_NEXT = re.compile(r"href\s*=\s*[\"']([^\"'<>]{5,600})[\"']", re.I)
_PAGE = re.compile(r"([?&]page=)(\d{1,6})(?=&|$)")
_RANGE = re.compile(r"([?&]startrecord=)(\d{1,8})")
_COLUMN = re.compile(r"/col/col(\d+)/")
_PROXY = re.compile(r"[\"']([^\"'\s<>]{0,200}/(?:web/)?jpage/dataproxy\.jsp)")
_UNIT = re.compile(r"[\"']([^\"'\s<>]{0,200}/front/page/build/unit)(?:\?[^\"'\s<>]{0,600})?[\"']")
_QUERY = re.compile(r"queryData\s*=\s*(?:\"([^\"<>]{2,1500})\"|'([^'<>]{2,1500})')", re.I)
_PAIR = re.compile(r"['\"](\w{1,40})['\"]\s*:\s*['\"]([^'\"<>]{0,200})['\"]")
_PAGE_NO = re.compile(r"%22pageNo%22:(?:%22)?(\d{1,6})")
_PARAMETERS = ("col", "appid", "webid", "path", "columnid", "sourceContentType", "unitid", "webname", "permissiontype")
_BEGIN = re.compile(r"\s*(?:ZJEG_RSS\.content\.begin|<?\$\[信息内容\]>?\s*begin)\s*")
_END = re.compile(r"\s*(?:ZJEG_RSS\.content\.end|<?\$\[信息内容\]>?\s*end)\s*")
_GROUP = 3
"""Pages that one call of the range service brings, as the page's own script asks."""


class HanwebEngine(FamilyEngine):
    name = "hanweb"
    detail = re.compile(r"(?:^|/)art_[\w-]+\.s?html?(?:[?#]|$)")
    bodies = ("#zoom", ".artile_zw", ".article_zw", ".article-content", "#article_content", ".bt_content")
    titles = ("h1", ".title", ".article_title", ".tit")
    first_page = 1
    marks = (
        mark(r"<datastore\b|jpage/dataproxy\.jsp", 5, "a datastore of jpage"),
        mark(r"jpaas-publish-server|/front/page/build/unit", 6, "the unit service of jpaas"),
        mark(r"/col/col\d+/", 4, "columns /col/colN/"),
        mark(r"name=[\"']?(?:Maketime|WebId)\b", 3, "metas of Hanweb"),
        mark(r"ZJEG_RSS\.|hanweb\.css|/module/visitcount/|信息内容\]>begin", 4, "marks of Hanweb"),
    )

    def discover(self, page: Page, source: Source) -> Listing:
        start = page.text.lstrip()[:1]
        if start == "{":
            return self._discover_unit(page, source)
        if not _STORE.search(page.text) or is_feed(page):
            return super().discover(page, source)
        refs, next_url, pages, total, is_cut = self._read_store(page)
        root = parse_html(page.text)
        if not refs:  # the service may be out of order while the page holds its rows
            refs = find_rows(root, page.url, self.detail)
        more = self._count(page, refs, next_url, pages, total)
        is_answer = "dataproxy" in page.url or not refs
        if not more and not is_answer:
            more = super().find_more(page, root, len(refs))
        return keep_own(Listing(refs, more, total, is_cut=is_cut), source)

    def _read_store(self, page: Page) -> tuple[tuple[PageRef, ...], str | None, int | None, int | None, bool]:
        """Rows, address of the next group, pages and records as stated, and whether rows may be missing."""
        match = _STORE.search(page.text)
        begin = match.start() if match else 0
        end = page.text.lower().find("</datastore>", begin)
        store = page.text[begin : end if end >= 0 else len(page.text)]
        group = store.find("<nextgroup")
        next_url = None
        if group >= 0:
            after = store.find("</nextgroup>", group)
            part = store[group : after if after >= 0 else group + 2000]
            link = _NEXT.search(html.unescape("".join(piece for is_cdata, piece in split_cdata(part) if is_cdata)))
            next_url = _own(link[1], page.url) if link else None
            store = store[:group] + store[after if after >= 0 else group + 2000 :]
        refs, is_cut = parse_records(store, page.url, self.detail)
        return refs, next_url, _stated(store, "totalpage"), _stated(page.text, "totalrecord"), is_cut or end < 0

    def _count(
        self, page: Page, refs: tuple[PageRef, ...], next_url: str | None, pages: int | None, total: int | None
    ) -> tuple[str, ...]:
        """Calls after this one. A service that names a next group for ever is believed only within its own total."""
        if next_url is not None and (number := _PAGE.search(next_url)):
            size = _number(page.text, "perpage") or len(refs)
            last = pages or (-(-total // size) if total and size else int(number[2]))
            numbers = range(int(number[2]), min(last, paging.MAX_PAGES) + 1) if refs else ()
            return tuple(_PAGE.sub(rf"\g<1>{one}", next_url, count=1) for one in numbers)
        if _RANGE.search(page.url) or total is None or len(refs) >= total:
            return ()
        return self._ranges(page, len(refs), total)

    def _ranges(self, page: Page, rows: int, total: int) -> tuple[str, ...]:
        proxy = _PROXY.search(page.text)
        service = _own(proxy[1] if proxy else "/module/web/jpage/dataproxy.jsp", page.url)
        settings = {name: value for name in _PARAMETERS if (value := _setting(page.text, name)) is not None}
        column = _COLUMN.search(page.url)
        if column:
            settings.setdefault("columnid", column[1])
        if service is None or "unitid" not in settings:
            return ()
        query = "&".join(f"{name}={quote(value, safe='/')}" for name, value in settings.items())
        size = _number(page.text, "perpage") or 15
        step = _GROUP * size
        return tuple(
            canonical(f"{service}?startrecord={first}&endrecord={min(first + step - 1, total)}&perpage={size}&{query}")
            for first in range(rows + 1, min(total, paging.MAX_PAGES * step) + 1, step)
        )

    def find_more(self, page: Page, root: HtmlElement, rows: int) -> tuple[str, ...]:
        more = super().find_more(page, root, rows)
        if more:
            return more
        total = _stated(page.text, "totalrecord")
        if total is not None and total > rows and "dataproxy" in page.text:
            return self._ranges(page, rows, total)
        unit, query = _UNIT.search(page.text), _QUERY.search(page.text)
        service = _own(unit[1], page.url) if unit else None
        if service is None or query is None:
            return ()
        pairs = _PAIR.findall(html.unescape(query[1] or query[2]))
        if not pairs:
            return ()
        words = "&".join(f"{name}={quote(value)}" for name, value in pairs if name != "paramJson")
        return (_unit_page(f"{service}?{words}", 2 if rows else 1, rows or 15),)

    def _discover_unit(self, page: Page, source: Source) -> Listing:
        """An answer of jpaas: each page with rows leads to the next; the one that repeats or is empty ends the list."""
        try:
            data = json.loads(page.text)
        except (ValueError, RecursionError):
            data = None
        inner = data.get("data") if isinstance(data, dict) else None
        markup = inner.get("html") if isinstance(inner, dict) else None
        if not isinstance(markup, str):
            raise SourceChanged(f"{source.id}: {page.url} is no answer of the unit service: look at it", url=page.url)
        root = parse_html(markup)
        refs = find_rows(root, page.url, self.detail)
        number = _PAGE_NO.search(page.url)
        more: tuple[str, ...] = ()
        if refs and number:
            more = (_PAGE_NO.sub(f"%22pageNo%22:{int(number[1]) + 1}", page.url, count=1),)
        return keep_own(Listing(refs, more, paging.find_total(markup), is_cut=is_truncated(root)), source)

    def find_node(self, root: HtmlElement, own: str | None, hidden_names: frozenset[str] = frozenset()) -> Body | None:
        marked = None if own else _find_marked(root)
        found = super().find_node(root, own, hidden_names) if marked is None else None
        return Body(marked, "mark") if marked is not None else found


def _find_marked(root: HtmlElement) -> HtmlElement | None:
    """What stands between `<meta name="ContentStart">` and `ContentEnd`, or between the comments of the editor.

    One container between them is the body, else the element that holds both; not where that is the whole page."""
    endless: set[HtmlElement | None] = set()
    for node in root.iter():
        is_meta = node.tag == "meta" and (node.get("name") or "").lower() == "contentstart"
        if not is_meta and (isinstance(node.tag, str) or not _BEGIN.fullmatch(node.text or "")):
            continue
        if node.getparent() in endless:
            continue
        between: list[HtmlElement] = []
        for sibling in node.itersiblings():
            if isinstance(sibling.tag, str):
                if sibling.tag == "meta":
                    if (sibling.get("name") or "").lower() == "contentend":
                        return _between(node, between)
                    continue
                between.append(sibling)
            elif _END.fullmatch(sibling.text or ""):
                return _between(node, between)
        endless.add(node.getparent())  # what has no end after its first beginning has none after the next
    return None


def _between(begin: HtmlElement, between: list[HtmlElement]) -> HtmlElement | None:
    if len(between) == 1 and between[0].tag in CONTAINERS:
        return between[0]
    parent = begin.getparent()
    if parent is None or parent.tag not in CONTAINERS:
        return None
    before = [node for node in begin.itersiblings(preceding=True) if isinstance(node.tag, str)]
    is_shared = any(node.text_content().strip() or (node.tail or "").strip() for node in before)
    return None if is_shared else parent  # a title or an info line stands there as well


def _unit_page(url: str, number: int, size: int) -> str:
    return canonical(f"{url}&paramJson=%7B%22pageNo%22:{number},%22pageSize%22:{size}%7D")


def _stated(text: str, name: str) -> int | None:
    match = re.search(rf"\b{name}['\"]?\s{{0,4}}[>:=]\s{{0,4}}['\"]?(\d{{1,8}})\b", text, re.I)
    return int(match[1]) if match else None


def _number(text: str, name: str) -> int | None:
    match = re.search(rf"\b{name}['\"]?\s{{0,4}}[:=]\s{{0,4}}['\"]?(\d{{1,4}})\b", text, re.I)
    return int(match[1]) if match and int(match[1]) else None


def _setting(text: str, name: str) -> str | None:
    match = re.search(
        rf"(?<![\w-]){name}['\"]?\s{{0,4}}[:=]\s{{0,4}}(?:['\"]([^'\"<>&\s]{{1,120}})['\"]|(\w{{1,64}}))", text
    )
    return (match[1] or match[2]) if match else None


def _own(address: str, base_url: str) -> str | None:
    try:
        url = canonical(address, base_url)
    except Refused:
        return None
    return url if host_of(url) == host_of(base_url) and urlsplit(url).path else None
