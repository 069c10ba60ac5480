"""TRS WCM: `tYYYYMMDD_<id>.html`, static lists `index_1.html`, `createPageHTML(3, 0, "index", "html")` (0-based).

Used by Ningxia, Chongqing and many provinces. Detail pages have no common markup but the meta tags; the editor's
container is. The day in the address is the day of creation, not of publication.
"""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark


class TrsEngine(FamilyEngine):
    name = "trs"
    detail = re.compile(r"(?:^|/)t\d{8}_\d+(?:_\w+)?\.s?html?(?:[?#]|$)")
    bodies = (
        ".TRS_UEDITOR",
        ".TRS_Editor",
        ".trs_editor_view",
        ".zwxl-article",
        "#zoom",
        "#zoomcon",
        ".Custom_UnionStyle",
        ".view",
        ".article-content",
    )
    titles = ("h1", ".zwxl-title .tit", ".article-title", ".title")
    first_page = 0
    marks = (
        mark(r"\bTRS_(?:Editor|UEDITOR)\b|\btrs_editor_view\b", 3, "the editor's class"),
        mark(r"\bcreatePage(?:HTML)?\s*\(\s*\d{1,6}\s*,\s*0\s*,", 3, "a page counter from 0"),
        mark(r"/P0\d{18,24}\.\w{3,4}", 3, "files named P0…"),
        mark(r"\bCustom_UnionStyle\b", 2, "the editor's inner class"),
    )
