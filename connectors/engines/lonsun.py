"""龙讯 Lonsun (Anhui and others): `/public/column/<org>?…catId=`, articles `/<column>/<id>.html`.

Lists are counted by links or by a script; where only a script counts, page k is the list with `pageIndex=k`: a server
that does not know it answers the same rows again, which ends the walk.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark
from connectors.engines.paging import MAX_PAGES
from connectors.urls import canonical

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.base import Page

_COUNT = re.compile(r"\b(?:pageCount|totalPage|pageSize)['\"]?\s{0,4}[:=]\s{0,4}['\"]?(\d{1,4})\b", re.I)
_COLUMN = re.compile(r"/column/\w+", re.I)
_INDEX = re.compile(r"([?&]pageIndex=)(\d{1,6})(?=&|$)", re.I)


class LonsunEngine(FamilyEngine):
    name = "lonsun"
    detail = re.compile(r"(?:^|/)(?:[\w-]+/)?\d{5,12}\.s?html?(?:[?#]|$)")
    bodies = (".j-fontContent", ".newscontnet", ".wzcon", ".news-content", "#zoom")
    titles = ("h1.newstitle", "h1.wztit", ".newstitle", ".wztit", "h1", ".title")
    first_page = 1
    marks = (
        mark(r"StartLabelHtml_", 6, "comments of Lonsun's labels"),
        mark(r"data-setting\s*=\s*[\"']?\{\s*infoId", 5, "data-setting with an infoId"),
        mark(r"lonsun", 5, "the maker's name"),
        mark(r"\bj-fontContent\b|\bnewscontnet\b", 4, "body classes of Lonsun"),
        mark(r"/public/column/\d+\?[^\"'\s]{0,200}catId=", 4, "columns by catId"),
        mark(r"HtmlGenerateTime", 2, "a generation time in the metas"),
    )

    def find_more(self, page: Page, root: HtmlElement, rows: int) -> tuple[str, ...]:
        more = super().find_more(page, root, rows)
        count = _COUNT.search(page.text)
        if more or not rows or count is None or not _COLUMN.search(urlsplit(page.url).path):
            return more
        here = _INDEX.search(page.url)
        first = int(here[2]) if here else 1
        last = min(int(count[1]), MAX_PAGES)
        return tuple(_at(page.url, number) for number in range(first + 1, last + 1))


def _at(url: str, number: int) -> str:
    if _INDEX.search(url):
        return _INDEX.sub(rf"\g<1>{number}", url, count=1)
    return canonical(f"{url}{'&' if '?' in url else '?'}pageIndex={number}")
