"""Rows of a list page, found by the family's detail address and the date beside it, never by one class name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from connectors.base import PageRef
from connectors.engines.dates import find_day
from connectors.engines.feed import split_cdata
from connectors.engines.meta import tidy
from connectors.errors import Refused
from connectors.urls import canonical, without_session
from extraction.clean import clean_text, is_truncated, parse_html
from extraction.passes import read_values

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml.html import HtmlElement

_QUOTED = re.compile(r"['\"]([^'\"<>\s]{4,500})['\"]")
_DATE_LIKE = re.compile(r"(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?")
_TAIL_DATE = re.compile(r"[\s\[【(（]*(?:19|20)\d{2}\s?[-/.年]\s?\d{1,2}\s?[-/.月]\s?\d{1,2}\s?日?[\s\]】)）]*\Z")
_BULLET = re.compile(r"\A[\s·•◆◇■□▪►▶>»\-]+(?=\S)")
_TRUNCATED = re.compile(r"(?:…|\.{2,3})\Z")
_RELATIVE = re.compile(r"((?:\.\./){0,20})((?:[\w%-][\w%.-]*/)*[\w%-][\w%.-]*/?|)")
_WRAPPERS = frozenset(("body", "html", "main", "form", "center"))
_MAX_ROW = 700
"""Characters of text beyond which an element holds more than one row."""
_REPORT = re.compile(r"(?:19|20)\d{2}\s?年.{0,20}(?:法治政府|依法行政|法治建设).{0,20}(?:报告|总结)")
_MAX_DATE_NOISE = 14
"""Characters a date's text node may hold besides the date: brackets, `发布日期：`, a clock."""


@dataclass(slots=True)
class _Found:
    url: str
    element: HtmlElement
    title: str


def find_rows(root: HtmlElement, base_url: str, is_detail: re.Pattern[str]) -> tuple[PageRef, ...]:
    """One PageRef per detail address, in page order. Links without any date leave when other lists have dates."""
    found = list(_find_links(root, base_url, is_detail))
    owners = _map_owners(found)
    texts = _Texts()
    rows: dict[str, PageRef] = {}
    dated: dict[str, bool] = {}
    for item in found:
        text = _date_text(_find_row(item, owners, texts), item, texts)
        ref = PageRef(item.url, item.title or None, find_day(text) if text else None)
        previous = rows.get(item.url)
        if previous is not None:
            ref = _merge(previous, ref)
        rows[item.url] = ref
        dated[item.url] = dated.get(item.url, False) or text is not None
    if any(dated.values()) and not all(dated.values()):
        clusters = _clusters(found, owners, dated, {url: ref.title for url, ref in rows.items()}, texts)
        rows = {url: ref for url, ref in rows.items() if clusters[url]}
    return tuple(rows.values())


def _merge(one: PageRef, other: PageRef) -> PageRef:
    """The longer title and the known date of two links to one page."""
    title = max((one.title or "", other.title or ""), key=len) or None
    return PageRef(one.url, title, one.listed_date or other.listed_date)


def _find_links(root: HtmlElement, base_url: str, is_detail: re.Pattern[str]) -> Iterator[_Found]:
    for element in root.iter():
        if not isinstance(element.tag, str):
            continue
        href = element.get("href") if element.tag == "a" else None
        candidates = [href] if href else []
        click = element.get("onclick")
        if click:
            candidates += _QUOTED.findall(click[:2000])
        if href and href.lstrip()[:11].lower() == "javascript:":
            candidates += _QUOTED.findall(href[:2000])
        for candidate in candidates:
            url = detail_address(candidate, base_url, is_detail)
            if url:
                yield _Found(url, element, _find_title(element, base_url))
                break


def find_addresses(root: HtmlElement, base_url: str) -> list[str]:
    """Where the links of a page lead, absolute, in page order: as they are written, not canonical, not checked. What
    cannot be an address leads nowhere, and is left out."""
    path = base_url.partition("?")[0].partition("#")[0]
    end = path.rfind("/", len("https://")) + 1
    origin, steps = _split_folder(path[:end] if end else f"{path}/")

    def resolve(href: str) -> str:
        if href.startswith("http"):
            return href
        match = _RELATIVE.fullmatch(href)
        if match is None:
            try:
                return urljoin(base_url, href)
            except ValueError:
                return ""
        above = steps[: max(0, len(steps) - len(match[1]) // 3)]
        return "/".join([origin, *above, match[2]])

    found = [  # most links of a portal begin at its root: nothing to parse
        origin + href if href[0] == "/" and href[1:2] != "/" and "/." not in href else resolve(href)
        for href in read_values(root, "a", "href")
        if href and href[0] != "#" and not href.startswith("javascript:")
    ]
    return [address for address in found if address]


@lru_cache(maxsize=256)
def _split_folder(folder: str) -> tuple[str, list[str]]:
    """Scheme and host of an address that ends at its last slash, and the steps of its path."""
    scheme, _, rest = folder.partition("://")
    return f"{scheme}://{rest.partition('/')[0]}", urljoin(folder, ".").partition("://")[2].split("/")[1:-1]


def detail_address(candidate: str, base_url: str, is_detail: re.Pattern[str]) -> str | None:
    """The canonical address where it has the family's detail shape, else None."""
    if ";" in candidate:
        candidate = without_session(candidate)
    if not is_detail.search(candidate):
        return None
    if candidate[:1] == "/" and candidate[1:2].isalnum():  # most rows: an address as it may stand, once it has its host
        candidate = "/".join(base_url.split("/", 3)[:3]) + candidate
    try:
        url = canonical(candidate, base_url)
    except Refused:
        return None
    return url if is_detail.search(url) else None


def _find_title(element: HtmlElement, base_url: str) -> str:
    """The longest line of the text without its date, or the title attribute's fuller wording of it."""
    lines = clean_text(element, base_url=base_url, hidden_names=frozenset()).split("\n")
    text = _BULLET.sub("", max((tidy(_TAIL_DATE.sub("", line)) for line in lines), key=len))
    return _prefer_attribute(text, element.get("title") or "")


def _prefer_attribute(text: str, attribute: str) -> str:
    """The line of a title attribute that goes on from the text (`标题：…` before it is cut), else the text.

    An attribute inside the text (after `[通知]`) is the title as well, unless it is a mere piece of it."""
    stem = _TRUNCATED.sub("", text).strip()
    for line in map(tidy, attribute.splitlines()):
        if not stem:
            return line
        position = line.find(stem)
        if position >= 0:
            return line[position:]
        if line and line in text and 2 * len(line) > len(text):
            return line
    return text


def _map_owners(found: list[_Found]) -> dict[HtmlElement, str | None]:
    """For each element above a link: the one detail address below it, or None where there are several."""
    owners: dict[HtmlElement, str | None] = {}
    for item in found:
        element: HtmlElement | None = item.element
        while element is not None:
            if element in owners and owners[element] != item.url:
                owners[element] = None
            else:
                owners[element] = item.url
            element = element.getparent()
    return owners


class _Texts:
    """What is asked of an element's text, once: many links may stand in one row."""

    def __init__(self) -> None:
        self._short: dict[HtmlElement, bool] = {}
        self._dates: dict[HtmlElement, list[str]] = {}
        self._linked: dict[HtmlElement, bool] = {}

    def is_short(self, element: HtmlElement) -> bool:
        """Whether it may be that of one row."""
        if element not in self._short:
            self._short[element] = len("".join(element.text_content().split())) <= _MAX_ROW
        return self._short[element]

    def find_dates(self, element: HtmlElement) -> list[str]:
        if element not in self._dates:
            self._dates[element] = [text for text in element.itertext() if _is_date_text(text)]
        return self._dates[element]

    def has_link(self, element: HtmlElement) -> bool:
        if element not in self._linked:
            self._linked[element] = next(element.iter("a"), None) is not None
        return self._linked[element]


def _find_row(item: _Found, owners: dict[HtmlElement, str | None], texts: _Texts) -> HtmlElement:
    """The largest element that holds this link, no other row, and little enough to be a row."""
    row = item.element
    parent = row.getparent()
    while parent is not None and owners.get(parent) == item.url and parent.tag not in _WRAPPERS:
        if not texts.is_short(parent):
            break
        row, parent = parent, parent.getparent()
    return row


def _date_text(row: HtmlElement, item: _Found, known: _Texts) -> str | None:
    """The text of a row that holds its date: a publication date first, else the first. None without any."""
    texts = known.find_dates(row)
    if not texts:
        following = row.getnext()
        tail = row.tail or ""
        if _is_date_text(tail):
            texts = [tail]
        elif following is not None and isinstance(following.tag, str) and not known.has_link(following):
            texts = known.find_dates(following)
    if not texts:
        match = _TAIL_DATE.search("".join(item.element.text_content().split())[-40:])
        return match[0] if match else None
    return next((text for text in texts if "发布" in text), texts[0])


def _is_date_text(text: str) -> bool:
    if len(text) > 200:
        return False
    match = _DATE_LIKE.search(text)
    return match is not None and len("".join(text.split())) - len("".join(match[0].split())) <= _MAX_DATE_NOISE


def _clusters(
    found: list[_Found],
    owners: dict[HtmlElement, str | None],
    dated: dict[str, bool],
    titles: dict[str, str | None],
    texts: _Texts,
) -> dict[str, bool]:
    """Whether the list around each row has any date, or a report in it: a box of other links is not the list."""
    lists: dict[HtmlElement, list[str]] = {}
    for item in found:
        parent = _find_row(item, owners, texts).getparent()
        if parent is not None:
            lists.setdefault(parent, []).append(item.url)
    kept: dict[str, bool] = dict.fromkeys(dated, False)
    for urls in lists.values():
        if any(dated[url] or _REPORT.search(titles[url] or "") for url in urls):
            kept.update(dict.fromkeys(urls, True))
    return kept


def find_script_rows(text: str, base_url: str, is_detail: re.Pattern[str]) -> tuple[PageRef, ...]:
    """Rows that a script writes: between one quoted detail address and the next stand its title and date."""
    hits: list[tuple[int, int, str]] = []
    for match in re.finditer(r"['\"]\\?([^'\"<>\s\\]{4,500})\\?['\"]", text):
        url = detail_address(match[1], base_url, is_detail)
        if url:
            hits.append((match.start(), match.end(), url))
    rows: dict[str, PageRef] = {}
    for index, (_, end, url) in enumerate(hits):
        stop = hits[index + 1][0] if index + 1 < len(hits) else len(text)
        script_end = text.find("</script", end, min(stop, end + 3000))
        chunk = text[end : script_end if script_end >= 0 else min(stop, end + 3000)]
        ref = PageRef(url, _script_title(chunk), find_day(chunk))
        rows[url] = _merge(rows[url], ref) if url in rows else ref
    return tuple(rows.values())


def _script_title(chunk: str) -> str | None:
    """The longest text between quotes or tags that is not an address or a date."""
    candidates = re.findall(r"[>'\"]([^<>'\"\n]{4,200})(?=[<'\"\\])", chunk)
    texts = [tidy(text) for text in candidates if re.search(r"[\u4e00-\u9fff]", text)]
    return max(texts, key=len, default=None)


def parse_records(text: str, base_url: str, is_detail: re.Pattern[str]) -> tuple[tuple[PageRef, ...], bool]:
    """Rows of a list service's `<record><![CDATA[<li>…]]></record>` answer, or of bare markup; and whether the answer
    is longer, or deeper, than is read, or breaks off in a record."""
    pieces = list(split_cdata(text))
    records = [piece for is_cdata, piece in pieces if is_cdata]
    root = parse_html("\n".join(records) if records else text)
    breaks_off = "<![CDATA[" in pieces[-1][1] or text.rfind("<record>") > text.rfind("</record>")
    return find_rows(root, base_url, is_detail), breaks_off or is_truncated(root)
