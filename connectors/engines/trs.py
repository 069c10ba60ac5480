"""TRS WCM: `tYYYYMMDD_<id>.html`, static lists `index_1.html`, `createPageHTML(3, 0, "index", "html")` (0-based).

Used by Ningxia, Chongqing and many provinces. Detail pages have no common markup but the meta tags; the editor's
container is. The day in the address is the day of creation, not of publication.
"""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine


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
