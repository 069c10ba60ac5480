"""Which further list pages a list page proves: page counters in scripts, 第1/3页, next and last links."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from connectors.errors import Refused
from connectors.urls import canonical, host_of
from extraction.passes import find_links

if TYPE_CHECKING:
    from lxml.html import HtmlElement

MAX_PAGES = 1000
"""Pages of one list that a counter may claim; a larger claim is cut."""

_CALL = re.compile(r"[cC](?<!\w.)(?i:reatePage(?:HTML)?)\s*\(([^()]{3,300})\)")
"""A pattern that begins with a few characters is searched for them alone: many times as fast as one of either case."""
_COUNT = re.compile(r"\bcountPage\s*=\s*(\d{1,6})\b")
_PAGES = re.compile(r"第\s*\d{1,6}\s*/\s*(\d{1,6})\s*页|共\s*(\d{1,6})\s*页|\d{1,6}\s*/\s*(\d{1,6})\s*页")
_TOTAL = re.compile(r"共(?:有)?\s*(?:<[^<>]{1,80}>\s*){0,2}(\d{1,8})\s*(?:</?[^<>]{1,80}>\s*){0,2}(?:条|篇|个?记录)")
_RECORDS = re.compile(r"[tT](?i:otal[_-]?records?)['\"]?\s*[:=>]\s*['\"]?(\d{1,8})")
_NUMBERED = re.compile(r"_(\d{1,6})(\.\w{2,6})\Z")
_NEXT = re.compile(r"[\[【<«]*\s*(?:下一?页|后一?页|尾页|末页|最后一?页|next|last|\d{1,4}|>{1,2}|»)\s*[\]】>»]*", re.I)
_NEXT_ONLY = re.compile(r"[\[【<«]*(?:下一?页|后一?页|nextpage|next)[>»\]】]*", re.I)
_REDIRECT = re.compile(
    r"\blocation(?:\.href)?\s*=\s*['\"]([^'\"\s]{1,500})['\"]|location\.replace\(\s*['\"]([^'\"\s]{1,500})['\"]"
)
_PHONE = re.compile(r"//(?:m|wap|3g|mobile)\.|/(?:m|wap|3g|mobile|phone)(?:[/.?]|\Z)", re.I)
_MAX_TARGETS = 5
_YEAR = re.compile(r"[·\[【]?(?:19|20)\d{2}年?度?[\]】]?")
_YEAR_STEP = re.compile(r"/\w{0,10}(?:19|20)\d{2}\w{0,4}/\Z")
_MAX_YEARS = 40


@dataclass(frozen=True, slots=True)
class Counter:
    """`createPageHTML(3, 0, "index", "html")` and its kin: pages, current, stem, suffix, records."""

    pages: int
    current: int
    stem: str
    suffix: str
    records: int | None


def find_counter(text: str) -> Counter | None:
    """The first call with numbers in it; the function's own definition has none."""
    for match in _CALL.finditer(text):
        arguments = [argument.strip() for argument in match[1].split(",")]
        if arguments and not arguments[0].isdigit():
            arguments = arguments[1:]
        if len(arguments) < 4 or not all(re.fullmatch(r"\d{1,8}", number) for number in arguments[:2]):
            continue
        stem, suffix = (part.strip("'\" ") for part in arguments[2:4])
        if re.fullmatch(r"[\w-]{1,80}", stem) and re.fullmatch(r"\w{2,6}", suffix):
            records = arguments[4].strip("'\" ") if len(arguments) > 4 else ""
            total = int(records) if re.fullmatch(r"\d{1,8}", records) else None
            return Counter(int(arguments[0]), int(arguments[1]), stem, suffix, total)
    return None


def page_number(url: str) -> int | None:
    """The number in `…_3.html`, or None."""
    match = _NUMBERED.search(urlsplit(url).path)
    return int(match[1]) if match else None


def is_continuation(url: str, first: int) -> bool:
    """Whether an address is a later page of its list. `first` is the number that page one goes by."""
    number = page_number(url)
    return number is not None and number > first


def count_pages(counter: Counter, url: str, first: int) -> tuple[str, ...]:
    """Addresses of the pages after this one. Page one is `stem.suffix`; the next is `stem_<first + 1>`.

    Where page one itself counts from the other end (0 or 1), the page is believed."""
    here = page_number(url)
    if here is None and counter.current in (0, 1):
        first = counter.current
    last = min(counter.pages - 1 + first, MAX_PAGES)
    start = (first if here is None else max(here, first)) + 1
    return resolve([f"{counter.stem}_{number}.{counter.suffix}" for number in range(start, last + 1)], url)


def find_pages(root: HtmlElement, text: str, url: str, first: int) -> tuple[str, ...]:
    """Addresses of further pages: by counter, by `第1/3页` and the numbered name, by next and last links."""
    counter = find_counter(text)
    if counter:
        return count_pages(counter, url, first)
    simple = _COUNT.search(text)
    if simple and page_number(url) is None:
        suffix = re.search(r"\.(\w{2,6})\Z", urlsplit(url).path)
        return count_pages(Counter(int(simple[1]), first, "index", suffix[1] if suffix else "html", None), url, first)
    links = _next_links(root, url)
    numbered = [link for link in (url, *links) if page_number(link) is not None]
    if not numbered:
        return tuple(link for link in links if link != url) or _find_next(root, url)
    stated = max((int(next(filter(None, match))) for match in _PAGES.findall(text)), default=0)
    last = max([stated + first - 1 if stated else 0, *(page_number(link) or 0 for link in links)])
    here = page_number(url)
    start = (first if here is None else here) + 1
    pattern = numbered[-1]
    return tuple(
        _NUMBERED.sub(lambda match, number=number: f"_{number}{match[2]}", pattern)  # type: ignore[misc]
        for number in range(start, min(last, MAX_PAGES) + 1)
    )


def find_total(text: str) -> int | None:
    """Rows of the whole list where the page states them: a counter's last argument, 共N条, totalRecord."""
    counter = find_counter(text)
    if counter and counter.records is not None:
        return counter.records
    match = _TOTAL.search(text) or _RECORDS.search(text)
    return int(match[1]) if match else None


def find_redirects(text: str, url: str) -> tuple[str, ...]:
    """Where a page without rows sends the reader by script, on its own host; what is for phones comes last."""
    if len(text) > 20_000:
        return ()
    named = [match[1] or match[2] for match in islice(_REDIRECT.finditer(text), _MAX_TARGETS)]
    targets = [target for target in resolve(named, url) if target != url]
    return tuple(sorted(targets, key=lambda target: _PHONE.search(target) is not None))


def find_sub_columns(root: HtmlElement, url: str) -> tuple[str, ...]:
    """Lists of single years in folders beside or below a list: `2024年`, `2023年` …"""
    folder = url.partition("?")[0].rpartition("/")[0] + "/"
    found: dict[str, None] = {}
    asked: set[str] = set()
    for _, href, label in find_links(root, ""):
        if href in asked or len(href) > 500 or not _YEAR.fullmatch("".join(label.split())[:12]):
            continue
        asked.add(href)
        found.update((target, None) for target in resolve([href], url) if target != url and _is_beside(target, folder))
        if len(found) >= _MAX_YEARS:
            break
    return tuple(found)[:_MAX_YEARS]


def _is_beside(target: str, folder: str) -> bool:
    """Below the list's folder, or, where that is itself one of a year, below the folder above."""
    if not _YEAR_STEP.search(folder):
        return target.startswith(folder)
    return target.startswith(folder.rstrip("/").rpartition("/")[0] + "/")


def _next_links(root: HtmlElement, url: str) -> list[str]:
    """Links called next, last or by a number that lead to the same list: same folder, or same path and a query."""
    folder, path = url.rpartition("/")[0], urlsplit(url).path
    links: dict[str, None] = {}
    asked: set[str] = set()
    for _, href, text in find_links(root, ""):
        label = "".join(text.split())[:20]
        if href in asked or len(href) > 500 or not _NEXT.fullmatch(label) or label.strip("[]【】") == "1":
            continue  # page one under another address repeats the page that the walk began with
        asked.add(href)
        for target in resolve([href], url):
            same_name = page_number(target) is not None and target.rpartition("/")[0] == folder
            same_path = urlsplit(target).path == path and urlsplit(target).query
            if (same_name or same_path) and _is_same_list(target, url):
                links[target] = None
        if len(links) >= MAX_PAGES:
            break
    return list(links)


def _find_next(root: HtmlElement, url: str) -> tuple[str, ...]:
    """Where a link in so many words leads to the next page, whatever its address looks like: VSB counts downwards in
    a folder of its own, others number the bare file."""
    for _, href, label in find_links(root, ""):
        if len(href) > 500 or not _NEXT_ONLY.fullmatch("".join(label.split())[:20]):
            continue
        return tuple(target for target in resolve([href], url) if target.partition("#")[0] != url)
    return ()


def _is_same_list(target: str, url: str) -> bool:
    """`a_2.html` belongs to `a.html` and `a_1.html`; a directory's or index page's list is `index_2.html`."""
    stem = _NUMBERED.sub("", urlsplit(target).path)
    own = re.sub(r"(?:_\d{1,6})?\.\w{2,6}\Z", "", urlsplit(url).path)
    return "?" in target or stem == own or own.endswith("/")


def resolve(names: list[str], url: str) -> tuple[str, ...]:
    """Absolute addresses on the list's own host, in order, without the list itself."""
    found: dict[str, None] = {}
    for name in names:
        try:
            target = canonical(name, url)
        except Refused:
            continue
        if host_of(target) == host_of(url):
            found[target] = None
    return tuple(found)
