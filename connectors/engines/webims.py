"""WebIMS (Hebei): `/columns/<uuid>/index.html`, articles `/columns/<uuid>/YYYYMM/DD/<uuid>.html`.

The rows of a column come in blocks, `/columns/<u>/templates/<u>/blocks/<u>?page=N`, which the page names; each block
with rows leads to the next one, and the one that repeats or is empty ends the list.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from connectors.base import Listing
from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark
from connectors.engines.rows import find_rows
from connectors.errors import Refused
from connectors.urls import canonical, host_of
from extraction.clean import parse_html

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.base import Page
    from connectors.registry import Source

_UUID = r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
_BLOCK = re.compile(rf"[\w:/.-]{{0,200}}/columns/{_UUID}/templates/{_UUID}/blocks/{_UUID}")
_MAX_BLOCKS = 3
_PAGE = re.compile(r"([?&]page=)(\d{1,6})(?=&|$)")


class WebImsEngine(FamilyEngine):
    name = "webims"
    detail = re.compile(rf"(?:^|/)\d{{6}}/\d{{1,2}}/{_UUID}\.s?html?(?:[?#]|$)")
    bodies = ("#conN", "#zoom", ".article-content")
    titles = ("#biaoti", "h1", ".title")
    first_page = 1
    marks = (
        mark(rf"/columns/{_UUID}/", 6, "columns by uuid"),
        mark(rf"/templates/{_UUID}/blocks/", 4, "list blocks"),
        mark(r"id=[\"']?(?:conN|titN|biaoti)\b", 4, "ids of WebIMS' article"),
        mark(r"<!--[^<>]{0,200}WebIMS", 5, "the maker's comment"),
    )

    def discover(self, page: Page, source: Source) -> Listing:
        """A block without rows is the end of its list."""
        if "/blocks/" in page.url and not find_rows(parse_html(page.text), page.url, self.detail):
            return Listing(())
        return super().discover(page, source)

    def find_more(self, page: Page, root: HtmlElement, rows: int) -> tuple[str, ...]:
        more = super().find_more(page, root, rows)
        if more:
            return more
        here = _PAGE.search(page.url)
        if here and "/blocks/" in page.url:
            return (_PAGE.sub(rf"\g<1>{int(here[2]) + 1}", page.url, count=1),) if rows else ()
        blocks: dict[str, None] = {}
        for match in _BLOCK.finditer(page.text[:400_000]):
            try:
                url = canonical(f"{match[0]}?page={2 if rows else 1}", page.url)
            except Refused:
                continue
            if host_of(url) == host_of(page.url):
                blocks[url] = None
            if len(blocks) == _MAX_BLOCKS:
                break
        return tuple(blocks)
