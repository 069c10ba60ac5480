"""What a reader of the page does not see, and what somebody else put there.

Portals are broken into to plant links (暗链): hidden by style, or in plain sight inside a sentence. Hidden is what
the markup hides by itself: `hidden`, an inline style, or a class or id that the page's own `<style>` or a one-line
script hides (extraction/sheets.py); what it strikes out is no more said than that. External style sheets are not read,
scripts are not run.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

from extraction.yaml_file import read_yaml

if TYPE_CHECKING:
    from lxml.html import HtmlElement

LOOKUPS = Path(__file__).resolve().parent.parent / "catalog" / "lookups"
_ABSOLUTE = re.compile(r"https?://[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){0,8}(?:/|\Z)")
"""Addresses that say their host in plain letters, as most that lead away do."""
_FAR = 500
"""Pixels beyond which an offset means off the screen; Word's hanging indents stay far below."""
_FAR_MARGIN = 2000
"""The same for margins, which also centre wide boxes."""

_HIDDEN = re.compile(
    r"(?:^|;)\s*(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)|opacity\s*:\s*0?(?:\.0+|0)(?![\d.])%?"
    r"|filter\s*:\s*alpha\(opacity\s*=\s*0\)|zoom\s*:\s*0(?![\d.])|transform\s*:\s*scale\(0\)"
    r"|clip\s*:\s*rect\(\s*0[^)]{0,40}\)|text-decoration(?:-line)?\s*:[^;]{0,40}line-through)"
)
_STRUCK = frozenset(("del", "s", "strike"))
_OFFSET = re.compile(
    r"(?:^|;)\s*(left|right|top|bottom|margin|margin-left|margin-top|text-indent)\s*:\s*-(\d{1,9})(?:\.\d+)?(px|pt|em|rem|%)?"
)
_TINY = re.compile(r"(?:^|;)\s*(max-)?(width|height)\s*:\s*(?:0|1)(?:px|pt)?\s*(?:!important\s*)?(?=;|$)")
_FONT_SIZE = re.compile(r"(?:^|;)\s*font(?:-size)?\s*:\s*([^;]{1,80})")
_DISPLAY = re.compile(r"(?:^|;)\s*display\s*:\s*(block|inline|flex|table|list-item)(?![-\w])")


@dataclass(frozen=True, slots=True)
class Style:
    """What one inline style means for text."""

    is_hidden: bool = False
    font: str = ""
    """`zero` hides text until a descendant sets a size again (`set`)."""
    display: str = ""
    """`block` or `inline` where the style says so."""


PLAIN = Style()
MAX_INLINE_STYLE = 2000
"""Characters of one inline style that are read."""


@lru_cache(maxsize=4096)
def read_style(style: str) -> Style:
    """Interpret an inline style, cut by the caller. Word repeats a few styles thousands of times, hence the cache."""
    css = style.lower()
    hidden = _HIDDEN.search(css) is not None or _is_off_screen(css) or _is_tiny(css)
    font = ""
    size = _FONT_SIZE.search(css)
    if size:
        font = "zero" if size[1].strip() and _is_zero_size(size[1].strip()) else "set"
    display = _DISPLAY.search(css)
    shown = "" if display is None else "inline" if display[1] == "inline" else "block"
    return Style(hidden, font, shown) if hidden or font or shown else PLAIN


def _is_zero_size(value: str) -> bool:
    number = re.match(r"(\d{0,6}(?:\.\d{1,6})?)(px|pt|em|rem|%)?(?![\w.])", value)
    if number is None or not number[1] or number[1] == ".":
        return False
    size = float(number[1])
    return size == 0 or (size <= 1 and number[2] in ("px", "pt"))


def _is_off_screen(css: str) -> bool:
    for match in _OFFSET.finditer(css):
        pixels = int(match[2]) * (16 if match[3] in ("em", "rem") else 1)
        if match[1].startswith("margin"):
            is_far = pixels >= _FAR_MARGIN
        else:
            is_far = pixels >= _FAR and (match[1] == "text-indent" or "position" in css)
        if is_far:
            return True
    return False


def _is_tiny(css: str) -> bool:
    if "overflow" not in css or "hidden" not in css:
        return False
    return _TINY.search(css) is not None


def find_hidden_reason(element: HtmlElement, style: Style, hidden_names: frozenset[str]) -> str | None:
    """Why the element is not shown, or None."""
    if style.is_hidden:
        return "style"
    if element.tag in _STRUCK:
        return "struck out"
    if element.get("hidden") is not None:
        return "attribute"
    if element.tag == "marquee" and ({element.get("width"), element.get("height")} & {"0", "1", "0px", "1px"}):
        return "size"
    if hidden_names:
        element_id = element.get("id")
        if element_id and f"#{element_id}" in hidden_names:
            return "style sheet"
        names = element.get("class")
        if names and any(f".{name}" in hidden_names for name in names.split()):
            return "style sheet"
    return None


@lru_cache(maxsize=1)
def _spam_words() -> tuple[re.Pattern[str], tuple[str, ...]]:
    data = read_yaml(LOOKUPS / "spam.yml")
    return re.compile("|".join(map(re.escape, data["words"]))), tuple(data["hosts"])


def has_spam_word(text: str) -> bool:
    folded = "".join(unicodedata.normalize("NFKC", text).lower().split())
    return _spam_words()[0].search(folded) is not None


def is_foreign(href: str, base_url: str) -> bool:
    """Whether a link leaves the page's own domain and gov.cn. A link that names no host does not."""
    address = href.strip()
    if "//" not in "".join(address.split()):
        return False
    try:
        host = _host_of(address if _ABSOLUTE.match(address) else urljoin(base_url, address))
        own = _host_of(base_url)
    except ValueError:
        return True
    if not host or host == own or host == "gov.cn" or host.endswith(".gov.cn"):
        return False
    return _registered_domain(host) != _registered_domain(own)


@lru_cache(maxsize=1024)
def _host_of(address: str) -> str:
    return (urlsplit(address).hostname or "").rstrip(".")


def is_spam_link(text: str, href: str, base_url: str) -> bool:
    """An injected link: it leaves the site and its words, or its host name, are those of the trade."""
    if not is_foreign(href, base_url):
        return False
    host = href.lower().partition("//")[2].partition("/")[0]
    return has_spam_word(text) or any(word in host for word in _spam_words()[1])


def _registered_domain(host: str) -> str:
    """The part a registrar sells: two labels, three under .com.cn and its like."""
    labels = host.split(".")
    is_second_level = len(labels) > 2 and labels[-1] == "cn" and labels[-2] in ("com", "net", "org", "edu", "ac")
    return ".".join(labels[-3:] if is_second_level else labels[-2:])
