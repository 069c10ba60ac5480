"""帝国 EmpireCMS: `/YYYY-MM-DD/<id>.html`, lists `index_2.html` (1-based), files under `/d/file/`, no metas."""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark


class EmpireEngine(FamilyEngine):
    name = "empire"
    detail = re.compile(r"(?:^|/)(?:19|20)\d{2}[-/]?[01]\d[-/]?[0-3]\d/\d+\.s?html?(?:[?#]|$)")
    bodies = ("#zoomcon", ".content_article", ".article-content", "#zoom", "#text", ".content")
    titles = ("h1.content_title", "h1", ".title")
    first_page = 1
    marks = (
        mark(r"/e/(?:public/ViewClick|search/|member/|tool/)", 6, "scripts of EmpireCMS"),
        mark(r"title=[\"']?Total record", 5, "its page counter"),
        mark(r"/d/file/", 4, "files under /d/file/"),
        mark(r"EmpireCMS|帝国网站管理系统", 5, "the maker's name"),
    )
