"""gkmlpt, the openness platform of Guangdong: a catalogue tree in `_CONFIG`, JSON lists, bodies in `_CONFIG.DETAIL`.

`/gkmlpt/index` holds `SID` and `TREE`; `/gkmlpt/api/all/<category>?page=N&sid=<SID>` answers the rows; a detail page
`/gkmlpt/content/<a>/<b>/post_<id>.html` carries its fields and its markup as JSON. A start page may be the index (its
nodes on rule-of-law reports are followed) or the list service itself.
"""

from __future__ import annotations

import json
import re
from itertools import islice
from typing import TYPE_CHECKING, Any

from connectors.base import Article, AttachmentRef, Listing, PageRef, always
from connectors.engines import paging
from connectors.engines.body import Body
from connectors.engines.dates import parse_moment
from connectors.engines.family import FamilyEngine, choose_moment, keep_own, note_body
from connectors.engines.files import find_attachments
from connectors.engines.labels import is_nothing, read_labels
from connectors.engines.marks import mark
from connectors.engines.meta import read_meta, tidy
from connectors.errors import Refused, SourceChanged
from connectors.urls import canonical
from extraction.clean import clean_body, parse_html
from extraction.passes import find_parts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lxml.html import HtmlElement

    from connectors.base import Page
    from connectors.registry import Source

_SID = re.compile(r"\bSID['\"]?\s*[:=]\s*['\"]?(\d{1,12})")
_TREE = re.compile(r"\bTREE['\"]?\s*[:=]\s*")
_DETAIL = re.compile(r"\bDETAIL['\"]?\s*[:=]\s*(?=\{)")
_NODE = re.compile(r"\{([^{}]{1,2000})")
_NODE_ID = re.compile(r"(?<!\w)['\"]?(?:id|cat_id|category_id)['\"]?\s*:\s*['\"]?(\d{1,10})\b")
_NODE_NAME = re.compile(r"(?<!\w)['\"]?(?:name|title|text|label)['\"]?\s*:\s*(\"(?:[^\"\\]|\\.)*\"|'[^']*')")
_ROOT = re.compile(r"\A(.{0,400}?/gkmlpt)(?:/|\Z)")
_WANTED = re.compile(r"法治政府|依法行政|法治建设|依法治")
_PAGE_KEY = re.compile(r"([?&]page=)(\d{1,6})(?=&|$)")
_DATES = ("display_publish_time", "publish_time", "first_publish_time", "date", "created_at", "create_time")
_SOURCES = ("source", "content_source", "publisher")
_MAX_NODES = 3000


class GkmlptEngine(FamilyEngine):
    name = "gkmlpt"
    detail = re.compile(r"/gkmlpt/content/(?:\d+/){1,4}m?post_\d+\.s?html?(?:[?#]|$)")
    bodies = (".article-content", ".content", "#zoom")
    titles = ("h1", ".title")
    first_page = 1
    marks = (
        mark(r"/gkmlpt/(?:index|api|content|mindex|guide|policy|annual)", 6, "addresses of gkmlpt"),
        mark(r"window\._CONFIG\s*=|\b_CONFIG\.DETAIL\b", 5, "its _CONFIG"),
    )

    def discover(self, page: Page, source: Source) -> Listing:
        if page.text.lstrip()[:1] == "{":
            return self._discover_service(page, source)
        calls = tuple(url for url, name in list_catalogue(page) if _WANTED.search(name))
        if not calls:
            return super().discover(page, source)
        return Listing((), calls)

    def _discover_service(self, page: Page, source: Source) -> Listing:
        try:
            data = json.loads(page.text)
        except (ValueError, RecursionError):
            data = None
        items = data.get("articles") if isinstance(data, dict) else None
        if not isinstance(data, dict) or not isinstance(items, list):
            raise SourceChanged(f"{source.id}: {page.url} is no answer of the list service: look at it", url=page.url)
        refs: dict[str, PageRef] = {}
        for item in items:
            ref = _read_row(item, page.url)
            if ref is not None:
                refs.setdefault(ref.url, ref)
        classify = data.get("classify")
        counts = (classify.get("post_count") if isinstance(classify, dict) else None, data.get("total"))
        total = next((count for count in counts if isinstance(count, int) and not isinstance(count, bool)), None)
        return keep_own(Listing(tuple(refs.values()), _service_pages(page.url, total, len(items)), total), source)

    def read_tree(
        self,
        root: HtmlElement,
        page: Page,
        source: Source,
        ref: PageRef | None = None,
        *,
        is_mapped: Callable[[str], bool] = always,
    ) -> Article:
        fields = _read_detail(page.text)
        markup = fields.get("content")
        if source.selectors.body or not isinstance(markup, str):
            return super().read_tree(root, page, source, ref, is_mapped=is_mapped)
        inner = parse_html(markup)
        body = inner.body if inner.body is not None else inner
        parts = find_parts(root)
        meta, labels = read_meta(parts), read_labels(root, None, parts)
        title = _text(fields, "title") or meta.get("articletitle") or (ref.title if ref else None)
        clean = clean_body(body, base_url=page.url, has_map=is_mapped(title or ""))
        moments = [(parse_moment(meta.get("pubdate", "")), "meta")]
        moments += [(parse_moment(str(fields[name])), "label") for name in _DATES if fields.get(name)]
        moments.append((ref.listed_date if ref else None, "list"))
        published_at, published_from = choose_moment(moments)
        source_name = meta.get("contentsource") or next(filter(None, (_text(fields, name) for name in _SOURCES)), None)
        return Article(
            url=page.url,
            title=title,
            published_at=published_at,
            published_from=published_from,
            content_source=source_name,
            publisher=_text(fields, "publisher") or labels.get("publisher"),
            index_no=_text(fields, "identifier") or labels.get("index_no"),
            document_no=_text(fields, "document_number") or labels.get("document_no"),
            site_id_code=meta.get("siteidcode"),
            body=clean,
            attachments=_attachments(fields, inner, root, page.url),
            notes=note_body(clean, Body(body, "selector")),
        )


def list_catalogue(page: Page) -> Iterator[tuple[str, str]]:
    """(address of its list, name) of each node of the catalogue tree that a page of the platform holds."""
    sid, tree, where = _SID.search(page.text), _TREE.search(page.text), _ROOT.match(page.url)
    if sid is None or tree is None or where is None:
        return
    for key, name in islice(_nodes(page.text, tree.end()), _MAX_NODES):
        yield canonical(f"{where[1]}/api/all/{key}?page=1&sid={sid[1]}"), name


def _nodes(text: str, start: int) -> Iterator[tuple[str, str]]:
    """(id, name) of the nodes of a tree: JSON, or a JavaScript literal, whose nodes are found one by one."""
    try:
        tree, _ = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        for node in _NODE.finditer(text, start):
            key, name = _NODE_ID.search(node[1]), _NODE_NAME.search(node[1])
            if key and name:
                yield key[1], _unquote(name[1])
        return
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, list):
            stack += reversed(node)
        elif isinstance(node, dict):
            key = next((node[one] for one in ("id", "cat_id", "category_id") if one in node), None)
            label = next((node[one] for one in ("name", "title", "text", "label") if one in node), None)
            if isinstance(key, (int, str)) and str(key).isdigit() and isinstance(label, str):
                yield str(key), tidy(label)
            stack += [value for value in node.values() if isinstance(value, (list, dict))]


def _unquote(literal: str) -> str:
    if literal[0] == '"':
        try:
            return tidy(str(json.loads(literal)))
        except ValueError:
            pass  # a JavaScript literal that is no JSON: taken as it is written
    return tidy(literal[1:-1])


def _read_row(item: Any, base_url: str) -> PageRef | None:
    if not isinstance(item, dict):
        return None
    address = next((item[name] for name in ("url", "post_url") if isinstance(item.get(name), str) and item[name]), "")
    try:
        url = canonical(address, base_url)
    except Refused:
        return None
    moment, _ = choose_moment([(parse_moment(str(item[name])), "list") for name in _DATES if item.get(name)])
    title = item.get("title")
    return PageRef(url, tidy(title) or None if isinstance(title, str) else None, moment[:10] if moment else None)


def _service_pages(url: str, total: int | None, rows: int) -> tuple[str, ...]:
    """The calls after the first one, by the total; without a total each page with rows leads to the next."""
    match = _PAGE_KEY.search(url)
    if match is None or not rows:
        return ()
    here = int(match[2])
    if total is None:
        last = here + 1
    elif here > 1:
        return ()
    else:
        last = min(-(-total // rows), paging.MAX_PAGES)
    return tuple(_PAGE_KEY.sub(rf"\g<1>{number}", url, count=1) for number in range(here + 1, last + 1))


def _read_detail(text: str) -> dict[str, Any]:
    """The fields of `_CONFIG.DETAIL`; of a literal that is no JSON, those that can be read one by one."""
    start = _DETAIL.search(text)
    if start is None:
        return {}
    try:
        found, _ = json.JSONDecoder().raw_decode(text, start.end())
    except (ValueError, RecursionError):
        found = {}
        for name in ("title", "content", "identifier", "document_number", *_SOURCES, *_DATES):
            match = re.compile(rf"['\"]?\b{name}['\"]?\s*:\s*(\"(?:[^\"\\]|\\.)*\"|\d+)").search(text, start.end())
            if match:
                try:
                    found[name] = json.loads(match[1], strict=False)
                except ValueError:
                    continue  # one field that cannot be read is not known
    if isinstance(found, dict) and isinstance(found.get("data"), dict) and "content" not in found:
        found = found["data"]
    return found if isinstance(found, dict) else {}


def _text(fields: dict[str, Any], name: str) -> str | None:
    value = fields.get(name)
    text = tidy(value) if isinstance(value, str) else ""
    return None if is_nothing(text) else text


def _attachments(
    fields: dict[str, Any], inner: HtmlElement, root: HtmlElement, base_url: str
) -> tuple[AttachmentRef, ...]:
    """Files that the content, the page or the fields name."""
    found: dict[str, AttachmentRef] = {}
    for one in (
        *find_attachments(find_parts(inner), inner, base_url),
        *find_attachments(find_parts(root), None, base_url),
    ):
        found.setdefault(one.url, one)
    listed = fields.get("attachment") or fields.get("attachments")
    for item in listed if isinstance(listed, list) else ():
        if not isinstance(item, dict):
            continue
        address = next((item[name] for name in ("url", "path", "link") if isinstance(item.get(name), str)), "")
        try:
            url = canonical(address, base_url)
        except Refused:
            continue
        label = next(
            (tidy(item[name]) for name in ("name", "title", "filename") if isinstance(item.get(name), str)), ""
        )
        found.setdefault(url, AttachmentRef(url, label or url.rpartition("/")[2]))
    return tuple(found.values())
