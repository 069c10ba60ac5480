"""What all families share: rows by detail address, pages by counters, articles by meta tags, labels and body.

A family is this engine with its own shapes; it overrides what it does otherwise.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urljoin

from connectors.base import Article, Listing, always
from connectors.engines import paging
from connectors.engines.body import Body, find_body
from connectors.engines.dates import find_folder_time, find_url_day, parse_moment
from connectors.engines.ending import is_last, is_open, iter_behind
from connectors.engines.feed import discover_feed, is_feed
from connectors.engines.files import find_attachments, find_embedded
from connectors.engines.labels import is_nothing, read_labels
from connectors.engines.meta import find_generated, read_meta, tidy
from connectors.engines.rows import find_rows, find_script_rows
from connectors.engines.turning import find_turned
from connectors.errors import Refused, SourceChanged
from connectors.selectors import select
from connectors.urls import canonical, named_host
from extraction.clean import CleanText, clean_body, is_truncated, parse_html
from extraction.passes import find_parts
from extraction.sheets import find_hidden_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lxml.html import HtmlElement

    from connectors.base import Page, PageRef
    from connectors.engines.marks import Mark
    from connectors.registry import Source

SHORT_BODY = 20
"""Characters of body below which the content is probably in the attachments."""
_FEW_WORDS = 300
"""Characters of a body below which its files may be shown inside it."""
EDITORS = (
    ".TRS_UEDITOR",
    ".TRS_Editor",
    ".trs_editor_view",
    "ucapcontent",
    "#UCAP-CONTENT",
    ".v_news_content",
    "#vsb_content",
    ".j-fontContent",
    "#conN",
    "#zoomcon",
    "#zoom",
    ".artile_zw",
    ".ewb-article-info",
    "#info_content",
    ".article-content",
    ".article_content",
    ".news_content",
    ".xxgkml-content",
)
"""Containers that only an editor of some family writes around a body. They serve wherever a family's own are not
there: templates are mixed, and portals change their CMS while old pages stay."""
_ROW_ELEMENTS = 8
"""Elements that a row may hold behind its link, with the beginning of the next one."""
_SHOWING = ("img", "iframe", "embed", "object", "canvas", "video")


class FamilyEngine:
    """An engine made of a family's shapes. Pure: no I/O, no clock."""

    name: str = ""
    detail: ClassVar[re.Pattern[str]]
    """What the address of a detail page looks like."""
    bodies: ClassVar[tuple[str, ...]]
    """Body containers, most telling first."""
    titles: ClassVar[tuple[str, ...]] = ("h1",)
    first_page: ClassVar[int] = 1
    """The number that page one of a list goes by."""
    marks: ClassVar[tuple[Mark, ...]] = ()
    """Signs of the family in a page (connectors/engines/marks.py)."""
    is_telling: ClassVar[bool] = True
    """Whether an address of the shape of `detail` tells the family."""

    def discover(self, page: Page, source: Source) -> Listing:
        if is_feed(page):
            return keep_own(discover_feed(page), source)
        root = parse_page(page)
        refs = find_rows(root, page.url, self.detail) or find_script_rows(page.text, page.url, self.detail)
        more = self.find_more(page, root, len(refs))
        if not refs and not more and not paging.is_continuation(page.url, self.first_page):
            more = paging.find_redirects(page.text, page.url)[:1]
            if not more:
                raise SourceChanged(
                    f"{source.id}: no row of the {self.name} family on {page.url}: look at the page, "
                    "then correct engine or start",
                    url=page.url,
                )
        is_cut = is_truncated(root) or self._ends_in_rows(root, page.text)
        return keep_own(Listing(refs, more, paging.find_total(page.text), is_cut=is_cut), source)

    def _ends_in_rows(self, root: HtmlElement, text: str) -> bool:
        """Whether a list page breaks off in one of its rows, or right behind."""
        if not is_open(text):
            return False
        links = list(root.iter("a"))
        if not links or not self.detail.search(links[-1].get("href") or ""):
            return False
        behind = islice(iter_behind(links[-1]), _ROW_ELEMENTS + 1)
        return sum(1 for _ in behind) <= _ROW_ELEMENTS

    def find_more(self, page: Page, root: HtmlElement, rows: int) -> tuple[str, ...]:
        """Further pages of the list, however they are turned, and the lists of single years that it is divided into."""
        more = paging.find_pages(root, page.text, page.url, self.first_page)
        more = more or find_turned(root, page.text, page.url)
        years = paging.find_sub_columns(root, page.url)
        return tuple(dict.fromkeys((*more, *years)))

    def read(
        self, page: Page, source: Source, ref: PageRef | None = None, *, is_mapped: Callable[[str], bool] = always
    ) -> Article:
        """Read a detail page, or with `page.kind == "feed"` the item `ref` whose body the feed carries.

        A page without a body that links document files is an article in its attachments (`no_body`)."""
        if page.kind == "feed" and ref is not None and ref.inline_html is not None:
            return self._read_item(ref)
        return self.read_tree(parse_page(page), page, source, ref, is_mapped=is_mapped)

    def find_node(self, root: HtmlElement, own: str | None, hidden_names: frozenset[str] = frozenset()) -> Body | None:
        """The body's container. A selector that the source states is final. `hidden_names` as in `clean_body`."""
        return find_body(root, (*self.bodies, *EDITORS), own=own, hidden_names=hidden_names)

    def read_tree(
        self,
        root: HtmlElement,
        page: Page,
        source: Source,
        ref: PageRef | None = None,
        *,
        is_mapped: Callable[[str], bool] = always,
    ) -> Article:
        """The same for a page that is parsed already."""
        parts = find_parts(root)
        hidden = find_hidden_names(parts)
        body = self.find_node(root, source.selectors.body, hidden)
        node = None if body is None else body.node
        attachments = find_attachments(parts, node, page.url)
        if node is None and not attachments:
            attachments = find_embedded(root, None, page.url)
        meta = read_meta(parts)
        labels = read_labels(root, node, parts)
        is_sure = body is not None and body.found_by != "density"
        may_be = bool(body or attachments) and not source.selectors.body
        if not is_sure and not (may_be and _is_article(root, meta, labels, ref)):
            raise SourceChanged(
                f"{source.id}: no body of the {self.name} family on {page.url}: look at the page, "
                "then state selectors.body in the source",
                url=page.url,
            )
        title = self._find_title(root, meta, labels, source, ref)
        has_map = is_mapped(title or (ref.title if ref else None) or "")
        clean = CleanText("")
        if node is not None:
            clean = clean_body(node, base_url=page.url, hidden_names=hidden, has_map=has_map)
        if node is not None and not attachments and len(clean.text) < _FEW_WORDS:
            attachments = find_embedded(root, node, page.url)
        published_at, published_from = self.find_date(page.url, meta, labels, ref)
        return Article(
            url=page.url,
            title=title,
            published_at=published_at,
            published_from=published_from,
            content_source=_or_none(meta.get("contentsource")) or labels.get("content_source"),
            publisher=labels.get("publisher"),
            index_no=labels.get("index_no"),
            document_no=labels.get("document_no"),
            site_id_code=_or_none(meta.get("siteidcode")),
            body=clean,
            attachments=attachments,
            notes=(*note_body(clean, body), *(("cut_off",) if _breaks_off(page, node) else ())),
        )

    def _read_item(self, ref: PageRef) -> Article:
        root = parse_html(ref.inline_html or "")
        body = root.body if root.body is not None else root
        clean = clean_body(body, base_url=ref.url)
        published_at, published_from = self.find_date(ref.url, {}, {}, ref)
        return Article(
            url=ref.url,
            title=ref.title,
            published_at=published_at,
            published_from=published_from,
            content_source=None,
            publisher=None,
            index_no=None,
            document_no=None,
            site_id_code=None,
            body=clean,
            attachments=find_attachments(find_parts(root), body, ref.url),
            notes=note_body(clean, Body(body, "selector")),
        )

    def find_date(
        self, url: str, meta: dict[str, str], labels: dict[str, str], ref: PageRef | None
    ) -> tuple[str | None, str | None]:
        """Publication time and where it comes from: meta, label, list row, address, in that order.

        A generation time is no publication time: a PubDate equal to it yields to a label that differs. A bare day
        yields to a later kind that knows the time of the same day (a folder YYYYMMDDHHMMSS, an info line)."""
        by_meta = parse_moment(meta.get("pubdate", ""))
        by_label = labels.get("published") or labels.get("issued")
        if by_meta and by_label and len(by_label) > 10 and by_label != by_meta:
            generated = [parse_moment(text) for text in find_generated(meta)]
            if by_meta in generated:
                by_meta = None
        found = [
            (by_meta, "meta"),
            (by_label, "label"),
            (ref.listed_date if ref else None, "list"),
            (labels.get("written"), "label"),
            (find_folder_time(url), "url_folder"),
            (find_url_day(url), "url"),
        ]
        return choose_moment(found)

    def _find_title(
        self,
        root: HtmlElement,
        meta: dict[str, str],
        labels: dict[str, str],
        source: Source,
        ref: PageRef | None,
    ) -> str | None:
        if source.selectors.title:
            for node in select(root, source.selectors.title):
                if text := tidy(node.text_content()):
                    return text
        known = _or_none(meta.get("articletitle")) or labels.get("title")
        if known:
            return known
        headline = _first_text(root, self.titles)
        listed = ref.title if ref else None
        if listed and not listed.endswith(("…", "...")) and headline != listed:
            return listed
        return headline or listed or _document_title(root)


def parse_page(page: Page) -> HtmlElement:
    """A page's tree; where it states `<base href>`, its links are absolute, for they count from there."""
    root = parse_html(page.text, page.decoded.markup)
    stated = next((node.get("href") for node in root.iter("base") if node.get("href")), None)
    if stated is None:
        return root
    try:
        base = canonical(stated, page.url)
    except Refused:
        return root
    for node in root.iter("a", "area", "frame", "iframe", "img"):
        name = "href" if node.get("href") else "src"
        address = (node.get(name) or "").strip()
        if address and not address.startswith("#") and not re.match(r"[a-z]{1,20}:", address, re.I):
            node.set(name, urljoin(base, address))
    return root


def choose_moment(found: Sequence[tuple[str | None, str]]) -> tuple[str | None, str | None]:
    """The first known moment; a bare day yields to a later kind that knows the time of the same day."""
    known = [(moment, origin) for moment, origin in found if moment]
    if not known:
        return None, None
    day = known[0][0][:10]
    return next(((m, origin) for m, origin in known if len(m) > 10 and m[:10] == day), known[0])


def keep_own(listing: Listing, source: Source) -> Listing:
    """A listing without rows on other hosts: a document counts only from the host that is registered for it."""
    hosts = source.hosts
    is_own = [named_host(ref.url) in hosts for ref in listing.refs]
    refs = tuple(ref for ref, own in zip(listing.refs, is_own, strict=True) if own)
    foreign = tuple(ref.url for ref, own in zip(listing.refs, is_own, strict=True) if not own)
    return replace(listing, refs=refs, foreign=foreign)


def _first_text(root: HtmlElement, selectors: Sequence[str]) -> str | None:
    for selector in selectors:
        for node in select(root, selector):
            text = tidy(node.text_content())
            if 4 <= len(text) <= 200:
                return text
    return None


def _document_title(root: HtmlElement) -> str | None:
    """`<title>` without the site's name behind it. Markup inside counts as text there, so it is cut."""
    for node in root.iter("title"):
        text = tidy(node.text_content())
        return re.split(r"[_|]|\s[-–—]\s", text)[0].strip() or None
    return None


def _or_none(value: str | None) -> str | None:
    return None if value is None or is_nothing(value) else value


def _is_article(root: HtmlElement, meta: dict[str, str], labels: dict[str, str], ref: PageRef | None) -> bool:
    """Whether a page without a known body speaks as an article does: by metas, labels, or the listed title.

    An error page that is served as 200 has prose too."""
    if meta.keys() & {"articletitle", "pubdate"} or labels.keys() & {"published", "issued", "index_no", "document_no"}:
        return True
    listed = "".join((ref.title or "").rstrip("….").split()) if ref else ""
    return len(listed) >= 6 and listed in "".join(root.text_content().split())


def _breaks_off(page: Page, body: HtmlElement | None) -> bool:
    """Whether the page ends in the midst of its body."""
    return body is not None and is_open(page.text) and is_last(body)


def note_body(clean: CleanText, body: Body | None) -> tuple[str, ...]:
    notes = list(clean.notes)
    if body is None:
        notes.append("no_body")
    elif body.found_by == "density":
        notes.append("body_by_density")
    if len(clean.text) < SHORT_BODY:
        notes.append("short_body")
    if body is not None and not clean.text:
        shows = next((str(node.tag) for node in body.node.iter(*_SHOWING)), None)
        notes.append("no_text" if shows is None else "needs_ocr" if shows == "img" else "embedded")
    return tuple(notes)
