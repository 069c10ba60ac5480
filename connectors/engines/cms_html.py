"""The `/cms/html/<column>/<year>/<folder>/<folder>_1.html` CMS of Foshan's districts (before 2020) and its feed.

The folder is `YYYYMMDDHHMMSS` and nine digits: the true publication time, where page and list show only the day.
Pages carry none of the mandated meta tags; the feed `rss.jsp?ColumnID=` carries whole bodies in CDATA, with one
build time as every item's pubDate and a channel date whose month slot holds minutes.
"""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark


class CmsHtmlEngine(FamilyEngine):
    name = "cms_html"
    detail = re.compile(r"/(\d{14}\d{0,9})/\1_\d{1,3}\.s?html?(?:[?#]|$)")
    bodies = ("#ContentBox", "td.content", "#zoom", ".article-content")
    titles = ("#ArticleTitle", "td.title", "h1", ".title")
    first_page = 1
    marks = (
        mark(r"/cms/jsp/rss\.jsp\?ColumnID=", 5, "its feed"),
        mark(r"/cms/html/\d+/(?:column_|\d{4}/)", 5, "columns under /cms/html/"),
    )
