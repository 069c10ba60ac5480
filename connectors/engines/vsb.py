"""博达 VSB: `/info/<column>/<id>.htm`; list `tzgg.htm` with its further pages in a folder, counted downwards."""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine
from connectors.engines.marks import mark


class VsbEngine(FamilyEngine):
    name = "vsb"
    detail = re.compile(r"(?:^|/)info/\d+/\d+\.s?html?(?:[?#]|$)|content\.jsp\?[^#]{0,200}wbnewsid=\d+")
    bodies = (
        ".v_news_content",
        "#vsb_content",
        "#vsb_content_2",
        "#vsb_content_4",
        "#vsb_content_500",
        "#vsb_content_501",
    )
    titles = ("h1", ".arti_title", ".title", "h2", "h3")
    first_page = 1
    marks = (
        mark(r"\bv_news_content\b", 6, "the body class of VSB"),
        mark(r"\bvsb_content", 5, "the body id of VSB"),
        mark(r"/_sitegray/|/system/resource/|_vsb_\b|_jsq_\(", 4, "scripts of VSB"),
    )
