"""Files that a page names: linked, shown inside it, or handed out by a service under no name of their own."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote

from connectors.base import AttachmentRef
from connectors.engines.ancestry import Ancestry
from connectors.engines.meta import tidy
from connectors.errors import Refused
from connectors.urls import canonical
from extraction.files import is_file_link

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from extraction.nodes import Parts

_MAX_FILES = 1000
"""Of one page: no crawl asks for so many."""
_IMAGE = re.compile(r"\.(?:jpe?g|png|gif|bmp|tiff?|webp)(?:[?#]|$)", re.I)
_TOOL = re.compile(r"阅读器|浏览器|客户端|插件|控件|输入法|使用说明|操作手册|帮助")
_FRAME = re.compile(r"(?<![a-z])(?:foot(?:er)?|nav|header|links?|friend\w*|copyright)(?![a-z])")
_VIEWER = re.compile(r"(?:/|\A)(?:viewer|pdf_?view(?:er)?|preview|onlineview)[\w-]{0,20}\.\w{2,5}\?", re.I)
"""A page that shows a file in a browser: the file is named in its query."""
_SHOWN = re.compile(r"[?&](?:file|url|src|path|pdf)=([^&#]{4,1000})", re.I)
_SERVICE = re.compile(
    r"/(?:down(?:load|file)?s?|file(?:down|download)|get_?file|attach(?:ment)?s?)[\w-]{0,20}(?:\.\w{2,5})?(?:\?|/)\w"
    r"|[?&](?:file_?id|attach(?:ment)?_?id|fileguid)=",
    re.I,
)
_CALLED = re.compile(r"\A(?:附件|下载)|附件\d{0,2}[:：]|报告|全文|正文|点击(?:下载|查看)")
"""What a link to a file without a name is called."""


def find_attachments(parts: Parts, body: HtmlElement | None, base_url: str) -> tuple[AttachmentRef, ...]:
    """Links to document files anywhere but in the page's frame; images only where they are linked in the body."""
    found: dict[str, AttachmentRef] = {}
    inside, frames = Ancestry(lambda element: element is body), Ancestry(_is_frame)
    for link, href, label in parts.links:
        label = tidy(label) or tidy(link.get("title") or "")
        if not is_file_link(href, label) or _TOOL.search(label):
            continue
        if inside.find(link) is None and (_IMAGE.search(href) or frames.find(link.getparent()) is not None):
            continue
        _add(found, _behind_viewer(href), label, base_url)
        if len(found) >= _MAX_FILES:
            break
    return tuple(found.values())


def find_embedded(root: HtmlElement, body: HtmlElement | None, base_url: str) -> tuple[AttachmentRef, ...]:
    """Files that the page shows inside itself, and links of its body to a service that hands out files: looked for
    where a page says next to nothing and links no file."""
    found: dict[str, AttachmentRef] = {}
    for address in _read_frames(root):
        shown = _behind_viewer(address)
        if is_file_link(shown) and not _IMAGE.search(shown):
            _add(found, shown, "", base_url)
    for link in body.iter("a") if body is not None else ():
        href, label = link.get("href") or "", tidy(link.text_content())
        if _SERVICE.search(href) and _CALLED.search(label) and not _TOOL.search(label):
            _add(found, href, label, base_url)
    return tuple(found.values())


def _read_frames(root: HtmlElement) -> Iterator[str]:
    frames = Ancestry(_is_frame)
    for node in root.iter("iframe", "embed", "object"):
        address = node.get("data") if node.tag == "object" else node.get("src")
        if address and frames.find(node.getparent()) is None:
            yield address


def _behind_viewer(address: str) -> str:
    shown = _SHOWN.search(address) if _VIEWER.search(address) else None
    return unquote(shown[1]) if shown is not None else address


def _add(found: dict[str, AttachmentRef], address: str, label: str, base_url: str) -> None:
    try:
        url = canonical(address, base_url)
    except Refused:
        return  # mailto: and its like
    found.setdefault(url, AttachmentRef(url, label or url.rpartition("/")[2]))


def _is_frame(element: HtmlElement) -> bool:
    """Whether an element is a header, a navigation or a footer."""
    if element.tag in ("nav", "header", "footer"):
        return True
    return _FRAME.search(f"{element.get('class') or ''} {element.get('id') or ''}".lower()) is not None
