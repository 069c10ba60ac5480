"""The contract of a source: its file is valid, its recorded pages are read as its golden values say.

Beside `<id>.yaml` lies `fixtures/<id>/`: `pages.jsonl` names the recorded pages (url, file, kind, content type),
`golden.json` what they hold. A source without fixture or golden breaks its contract, and so does one of zero rows or
zero articles.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.base import Page, PageRef
from connectors.engines import get_engine
from connectors.errors import ContractBroken, SourceError
from connectors.registry import load_source
from extraction.clean import parse_html
from extraction.decode import decode

if TYPE_CHECKING:
    from connectors.base import Article, Engine
    from connectors.registry import Source

MIN_SHARE, MAX_SHARE = 0.02, 0.995
"""Bounds of the share of a page's visible text that a body holds: less is a caption, more is the page itself."""
_FURNITURE = re.compile(
    r"您(?:当前|现在)?的?位置|网站标识码|ICP备|公网安备|上一篇|下一篇|打印本页|关闭窗口|扫一扫在手机"
)
_FIELDS = ("title", "published_at", "published_from", "content_source", "publisher", "index_no", "document_no")


def check_contract(path: Path) -> list[str]:
    """What is broken of a source's contract, one line each; empty when it holds."""
    try:
        source = load_source(path)
    except ContractBroken as error:
        return [str(error)]
    folder = path.parent / "fixtures" / source.id
    try:
        pages = [json.loads(line) for line in (folder / "pages.jsonl").read_text(encoding="utf-8").splitlines() if line]
        golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        return [f"{source.id}: no readable fixture in {folder} ({error}): record it with `fazhi new-source`"]
    by_url = {page["url"]: page for page in pages}
    problems = _check_lists(source, folder, by_url, golden.get("lists") or [])
    return problems + _check_articles(source, folder, by_url, golden.get("articles") or [])


def _check_lists(source: Source, folder: Path, pages: dict[str, Any], golden: list[Any]) -> list[str]:
    problems = []
    starts = {start.url for start in source.start}
    if not starts & {entry["url"] for entry in golden}:
        problems.append(f"{source.id}: none of its start pages is recorded with its golden rows")
    engine = get_engine(source.engine)
    n_rows, addresses = 0, set()
    for want in golden:
        page = _load(folder, pages.get(want["url"]))
        if page is None:
            problems.append(f"{source.id}: the fixture of {want['url']} is missing")
            continue
        try:
            listing = engine.discover(page, source)
        except SourceError as error:
            problems.append(str(error))
            continue
        rows = [[ref.url, ref.title, ref.listed_date] for ref in listing.refs]
        n_rows += len(rows)
        addresses |= {ref.url for ref in listing.refs}
        if len(rows) != want["rows"] or rows[: len(want["first"])] != want["first"]:
            problems.append(f"{source.id}: {want['url']} reads as {len(rows)} rows {rows[:1]}, golden: {want['rows']}")
        if len(listing.more) != want["more"]:
            problems.append(f"{source.id}: {want['url']} names {len(listing.more)} pages, golden: {want['more']}")
    if not n_rows or len(addresses) < min(n_rows, source.assertions.min_list_rows) // 2:
        problems.append(f"{source.id}: {len(addresses)} addresses on its recorded lists are too few")
    return problems


def _check_articles(source: Source, folder: Path, pages: dict[str, Any], golden: list[Any]) -> list[str]:
    if not golden:
        return [f"{source.id}: no golden article: record one with `fazhi new-source`"]
    problems = []
    engine = get_engine(source.engine)
    for want in golden:
        entry = pages.get(want["url"])
        page = _load(folder, entry)
        if page is None:
            problems.append(f"{source.id}: the fixture of {want['url']} is missing")
            continue
        problems += _check_article(source, engine, page, want)
    return problems


def _check_article(source: Source, engine: Engine, page: Page, want: dict[str, Any]) -> list[str]:
    ref = PageRef(want["url"], want.get("listed_title"), want.get("listed_date"))
    try:
        article = engine.read(page, source, ref)
    except SourceError as error:
        return [str(error)]
    wrong = [
        f"{source.id}: {want['url']}: {name} is {getattr(article, name)!r}, golden: {want.get(name)!r}"
        for name in _FIELDS
        if getattr(article, name) != want.get(name)
    ]
    if article.body.text != want["body"]:
        wrong.append(f"{source.id}: {want['url']}: the body differs from the golden one")
    if [one.url for one in article.attachments] != want["attachments"]:
        wrong.append(f"{source.id}: {want['url']}: the attachments differ from the golden ones")
    return wrong + _check_body(source, page, article)


def _check_body(source: Source, page: Page, article: Article) -> list[str]:
    body = "".join(article.body.text.split())
    leak = _FURNITURE.search(article.body.text)
    problems = [f"{source.id}: {page.url}: the frame leaks into the body ({leak[0]})"] if leak else []
    whole = measure_text(page.text)
    share = len(body) / whole if whole else 0.0
    is_inline = "_CONFIG" in page.text  # the body is data of a script, no part of the visible text
    if not article.attachments and not is_inline and not MIN_SHARE <= share <= MAX_SHARE:
        problems.append(f"{source.id}: {page.url}: the body holds {share:.1%} of the page's text")
    return problems


def measure_text(text: str) -> int:
    """Characters that a reader sees of a page, without blanks."""
    root = parse_html(text)
    return sum(
        len("".join((node.text or "").split())) * (node.tag not in ("script", "style", "title"))
        + len("".join((node.tail or "").split()))
        for node in root.iter()
        if isinstance(node.tag, str)
    )


def _load(folder: Path, entry: dict[str, Any] | None) -> Page | None:
    if entry is None:
        return None
    try:
        body = (folder / entry["file"]).read_bytes()
    except OSError:
        return None
    return Page(entry["url"], decode(body, entry.get("content_type")), "feed" if entry["kind"] == "feed" else "html")
