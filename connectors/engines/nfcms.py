"""NFCMS of Guangdong: `…/content/post_<id>.html`, static lists `index.html`, `index_2.html` (1-based)."""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark


class NfcmsEngine(FamilyEngine):
    name = "nfcms"
    detail = re.compile(r"(?:^|/)m?post_\d+(?:_\d+)?\.s?html?(?:[?#]|$)")
    bodies = (".news_cont_d_wrap", ".article-content", ".xl-nr", ".m-con", ".TRS_Editor", "#zoomcon", "#zoom")
    titles = ("h1", ".article-title", ".title")
    first_page = 1
    marks = (
        mark(r"\bNFCMS_(?:SITE|POST|CAT)_ID\b", 8, "script variables of NFCMS"),
        mark(r"\bnfw-cms-\w", 4, "classes of NFCMS"),
        mark(r"statistics\.gd\.gov\.cn", 3, "the counter of Guangdong's portals"),
    )
