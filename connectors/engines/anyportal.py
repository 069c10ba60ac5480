"""Any portal: no family's shapes, but what all portals share.

Rows are links with a number in the last step of their address, in lists that print dates; the article is read by the
mandated meta tags, labelled fields and the containers that editors of several families write, else by density.
"""

from __future__ import annotations

import re

from connectors.engines.family import FamilyEngine


class GenericEngine(FamilyEngine):
    name = "generic"
    is_telling = False
    detail = re.compile(
        r"(?:^|/)(?!(?:index|list|default|column|more|node|col)[_-]?\d{0,6}\.)[^/?#]{0,120}?(?:\d{3}|[0-9a-f]{8}-)"
        r"[^/?#]{0,120}\.(?:s?html?|jspx?|aspx?|php|do)(?:[?#]|$)"
        r"|(?:^|/)(?:content|detail|info|article|show|view)/(?:[\w-]{1,60}/){0,3}[\w-]{0,60}\d[\w-]{0,60}"
        r"(?:\.s?html?)?(?:[?#]|$)"
        r"|[?&](?:id|infoid|aid|articleid|article_id|docid|newsid|contentid|uuid|wbnewsid)=[\w-]{2,64}(?:[&#]|$)",
        re.I,
    )
    bodies = ()
    titles = ("h1", "h2", ".article-title", ".title", "h3")


class FeedEngine(GenericEngine):
    """RSS or Atom, whatever writes it: the items are the rows, their pages are read as any portal's."""

    name = "feed"
