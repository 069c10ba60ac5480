"""新点 epoint: `ewb-*` classes, numeric categories `003001003`, articles `/YYYYMMDD/<uuid>.html`.

Lists are read as the portal serves them, page by page. The list service `getgovinfolist` answers only POST, which the
client does not send: a column that is filled by it alone is reported as empty.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from connectors.base import Listing, PageRef
from connectors.engines.dates import find_day
from connectors.engines.family import FamilyEngine, keep_own
from connectors.engines.marks import mark
from connectors.engines.meta import tidy
from connectors.errors import Refused, SourceChanged
from connectors.urls import canonical

if TYPE_CHECKING:
    from connectors.base import Page
    from connectors.registry import Source


class EpointEngine(FamilyEngine):
    name = "epoint"
    detail = re.compile(r"(?:^|/)\d{8}/[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\.s?html?(?:[?#]|$)")
    bodies = (".ewb-article-info", ".ewb-info-content", ".ewb-article-content", ".ewb-con", "#zoom", ".article-content")
    titles = (".ewb-article h3", ".ewb-article-tt", "h1", "h3", ".title")
    first_page = 1
    marks = (
        mark(r"class=[\"']?[^\"'<>]{0,80}\bewb-\w", 8, "ewb- classes"),
        mark(r"EWB-FRONT|getgovinfolist|lightfrontaction", 6, "the list service of epoint"),
        mark(r"epoint", 4, "the maker's name"),
        mark(r"/\d{6}/\d{9}/", 2, "nested numeric categories"),
    )

    def discover(self, page: Page, source: Source) -> Listing:
        if page.text.lstrip()[:1] != "{":
            return super().discover(page, source)
        try:
            data = json.loads(page.text)
        except (ValueError, RecursionError):
            data = None
        custom = data.get("custom") if isinstance(data, dict) else None
        items = custom.get("data") if isinstance(custom, dict) else None
        if not isinstance(items, list):
            raise SourceChanged(f"{source.id}: {page.url} is no answer of the list service: look at it", url=page.url)
        refs: dict[str, PageRef] = {}
        for item in items:
            if not isinstance(item, dict):
                continue
            address = item.get("visiturl") or item.get("infourl")
            try:
                url = canonical(str(address or ""), page.url)
            except Refused:
                continue
            refs.setdefault(
                url, PageRef(url, tidy(str(item.get("title") or "")) or None, find_day(str(item.get("infodate"))))
            )
        total = custom.get("total") if isinstance(custom, dict) else None
        return keep_own(Listing(tuple(refs.values()), (), total if isinstance(total, int) else None), source)
