"""Links of a page, by how likely they lead to the column of annual reports on the rule of law.

The column hangs under navigation (政务公开 → 法定主动公开内容 → 法治政府建设), in a site map, or in
a box of the home page; the words of the link say so, and often the letters of its address.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.engines import FAMILIES
from connectors.engines.anyportal import GenericEngine
from connectors.engines.family import parse_page
from connectors.engines.gkmlpt import list_catalogue
from connectors.engines.meta import tidy
from connectors.errors import Refused
from connectors.urls import canonical, host_of
from extraction.clean import parse_html

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

    from connectors.base import Page

STRONG = 70
"""From this score on a link speaks of the column itself."""
_WORDS: tuple[tuple[re.Pattern[str], int], ...] = (
    (re.compile(r"法治政府(?:建设)?.{0,10}(?:报告|年报|总结)|依法行政.{0,8}(?:报告|年报)"), 100),
    (re.compile(r"法治政府建设|法治政府"), 90),
    (re.compile(r"依法行政|法治建设|依法治[省市区县州旗]"), 75),
    (re.compile(r"法治"), 55),
    (re.compile(r"法定主动公开|主动公开内容|主动公开目录"), 50),
    (re.compile(r"信息公开目录|公开目录|信息公开内容|履职依据|法定公开"), 46),
    (re.compile(r"政府信息公开|政务信息公开"), 44),
    (re.compile(r"政务公开|信息公开|公开专栏|公开平台"), 40),
    (re.compile(r"网站地图|站点地图|网站导航|sitemap", re.I), 30),
    (re.compile(r"司法局|行政执法|重点领域"), 18),
    (re.compile(r"报告|总结|规划|年报"), 14),
    (re.compile(r"rss|订阅", re.I), 8),
)
_LETTERS = re.compile(r"fzzf|fazhizhengfu|yfxz|fzjs|fzzfjs|fzgz", re.I)
_LETTERS_OPEN = re.compile(r"zfxxgk|xxgk|zwgk|fdzdgk|gkml|gknr", re.I)
_AWAY = re.compile(
    r"信息公开.{0,4}(?:年报|年度报告|指南|制度|申请)|依申请|登录|注册|搜索|检索"
    r"|\A[\[【<«]*(?:上一?页|下一?页|前一?页|后一?页|尾页|末页|更多页|next|prev|\d{1,4}|[<>]+)[>»\]】]*\Z"
    r"|english|无障碍|邮箱|返回|首页|旧版|微博|微信",
    re.I,
)
_FILE = re.compile(r"\.(?:pdf|docx?|xlsx?|zip|rar|jpe?g|png|gif|mp4|css|js|ico|wps|ofd)(?:[?#]|$)", re.I)
_HERE = re.compile(r"(?:当前|现在)?(?:的)?位置|您(?:当前|现在)")
_MAX_TEXT = 40
_MAX_LABEL = 14
"""Characters of a label of navigation; longer ones are news."""
_MAX_SCRIPT = 100_000
_FRAME = "框架 frame"
_FRAME_SCORE = 40
_CLICKED = ("li", "div", "span", "td", "p", "dt", "dd", "button", "em", "h3")
_DATA_LINKS = ("data-url", "data-href", "data-link")
"""Where elements that a script listens to keep their address."""
_MENU = "菜单 menu"
"""A script, or data that a script loads, whose name speaks of navigation."""
_MENU_SCORE = 12
_MENU_NAME = re.compile(
    r"(?:nav|menu|tree|head|top|catalog|column|channel|lanmu|daohang|mulu)[\w.-]{0,20}\.(?:js|json|xml)(?:[?#]|\Z)",
    re.I,
)
_LOADED = re.compile(r"['\"]([^'\"\s<>]{3,200}\.(?:js|json|xml))(?:\?[^'\"\s<>]{0,100})?['\"]", re.I)
_MAPPED = "sitemap.xml"
_MAX_MAPPED = 2000
_DETAIL = GenericEngine.detail
_YEAR = re.compile(r"(?:19|20)\d{2}\s?年")
_NAME = r"['\"]?(?:name|title|text|label)['\"]?\s{0,3}:\s{0,3}['\"](?P<name>[^'\"<>{}]{2,30})['\"]"
_URL = r"['\"]?(?:url|href|link|path)['\"]?\s{0,3}:\s{0,3}['\"](?P<url>[^'\"<>{}\s]{2,200})['\"]"
_MENUS = (
    re.compile(_NAME + r"[^{}<>]{0,200}?" + _URL),
    re.compile(_URL + r"[^{}<>]{0,200}?" + _NAME),
    re.compile(
        r"<a\s[^<>]{0,80}href=\\?['\"](?P<url>[^'\"<>\\]{2,200})\\?['\"][^<>]{0,120}>(?P<name>[^<>'\"]{2,30})</a"
    ),
)
"""Menus that scripts hold or write."""
_MAX_CRUMBS = 400


@dataclass(frozen=True, slots=True)
class Link:
    url: str
    text: str
    score: int


def score_words(text: str) -> int:
    """How likely a link, or a page, of these words is, or leads to, the column."""
    plain = "".join(text.split())
    if not plain or _AWAY.search(plain):
        return 0
    return next((points for pattern, points in _WORDS if pattern.search(plain)), 1)


def find_links(page: Page, strength: int = 0) -> list[Link]:
    """Links and frames of a page with what they say, best first; each address once.

    `strength`: how plainly the page is named as the column; its frames are then as good as the page."""
    found: dict[str, Link] = {}
    for address, text in _pairs(page):
        try:
            url = canonical(address, page.url)
        except Refused:
            continue
        if (_FILE.search(url) and text != _MENU) or url == page.url or not host_of(url):
            continue
        score = max(strength, _FRAME_SCORE) if text == _FRAME else _score(url, text)
        if score and (url not in found or found[url].score < score):
            found[url] = Link(url, text, score)
    return sorted(found.values(), key=lambda link: -link.score)


def _score(url: str, text: str) -> int:
    if text == _MENU:
        return _MENU_SCORE
    if text == _MAPPED:  # its address is all that is known of it
        is_article = _DETAIL.search(url) or any(engine.is_telling and engine.detail.search(url) for engine in FAMILIES)
        return 0 if is_article else 68 if _LETTERS.search(urlsplit(url).path) else 2
    if len(text) > _MAX_TEXT:
        return 0
    score = score_words(text)
    path = urlsplit(url).path
    if (score == 1 or _YEAR.search(text)) and (len(text) > _MAX_LABEL or _DETAIL.search(url)):
        return 0
    if len(text) > _MAX_LABEL and any(engine.is_telling and engine.detail.search(url) for engine in FAMILIES):
        return 0  # an article about the matter, not its column
    if score and _LETTERS.search(path):
        score = max(score, 60) + 8
    elif score == 1 and _LETTERS_OPEN.search(path):
        score = 20
    return score


def _pairs(page: Page) -> Iterator[tuple[str, str]]:
    if page.text.lstrip()[:1] != "<":
        yield from _data_pairs(page.text)
    root = parse_page(page)
    for node in root.iter("a", "area"):
        href = (node.get("href") or "").strip()
        if href.lower().startswith("javascript:"):
            href = next(iter(re.findall(r"['\"]([^'\"\s<>]{2,300})['\"]", href)), "")
        if not href or href.startswith("#"):
            href = next((node.get(name) or "" for name in _DATA_LINKS if node.get(name)), "") or _clicked(node)
        if href:
            said = tidy(node.text_content()) or next((tidy(image.get("alt") or "") for image in node.iter("img")), "")
            yield href, said if said and not said.endswith(("…", "...")) else tidy(node.get("title") or "") or said
    for node in root.iter(*_CLICKED):
        address = next((node.get(name) for name in _DATA_LINKS if node.get(name)), None) or _clicked(node)
        if address:
            yield address, tidy(node.text_content()[:_MAX_SCRIPT])
    for node in root.iter("frame", "iframe"):
        if node.get("src"):
            yield node.get("src") or "", _FRAME
    for node in root.iter("option"):
        if "/" in (node.get("value") or ""):
            yield node.get("value") or "", tidy(node.text_content())
    for script in root.iter("script"):
        text = (script.text or "")[:_MAX_SCRIPT]
        yield from _menu_pairs(text)
        loaded = [script.get("src") or "", *_LOADED.findall(text)]
        yield from ((address, _MENU) for address in loaded if _MENU_NAME.search(address))
    yield from ((node.text_content().strip(), _MAPPED) for node in islice(root.iter("loc"), _MAX_MAPPED))
    yield from list_catalogue(page)


def _data_pairs(text: str) -> Iterator[tuple[str, str]]:
    """Links of a script's or a service's answer, which has no markup of its own."""
    if text.lstrip()[:1] in ("{", "["):
        try:
            text = json.dumps(json.loads(text), ensure_ascii=False)
        except (ValueError, RecursionError):
            return
    yield from _menu_pairs(text[:_MAX_SCRIPT])


def _menu_pairs(text: str) -> Iterator[tuple[str, str]]:
    for pattern in _MENUS:
        for match in pattern.finditer(text):
            yield match["url"].replace("\\/", "/"), tidy(match["name"])


def _clicked(node: HtmlElement) -> str:
    match = re.search(r"['\"]([^'\"\s<>]{2,300})['\"]", node.get("onclick") or "")
    return match[1] if match and ("/" in match[1] or "." in match[1]) else ""


def find_crumbs(page: Page) -> list[Link]:
    """The breadcrumb of a page, deepest step first; then the folders above its address."""
    root = parse_html(page.text)
    found: dict[str, Link] = {}
    for node in root.iter():
        text = node.text_content() if isinstance(node.tag, str) and node.tag in ("div", "p", "span", "td", "ul") else ""
        if not text or len(text) > _MAX_CRUMBS or not _HERE.search(text):
            continue
        for number, link in enumerate(node.iter("a")):
            try:
                url = canonical(link.get("href") or "", page.url)
            except Refused:
                continue
            if urlsplit(url).path not in ("", "/", "/index.html"):
                said = tidy(link.text_content())
                found[url] = Link(url, said, max(STRONG, score_words(said)) + min(number, 9))
    crumbs = sorted(found.values(), key=lambda link: -link.score)
    folder = page.url.partition("?")[0]
    for number in range(4):
        folder = folder.rstrip("/").rpartition("/")[0] + "/"
        if folder.count("/") <= 3:
            break
        if folder not in found:
            crumbs.append(Link(folder, "", STRONG - 5 - number))
    return crumbs
