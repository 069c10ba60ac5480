"""Whether a portal's pages still have the shape that its contract knows: noticed in the night it changes.

The shape comes from the golden articles. A page deviates where what all golden articles had is not there any more: a
body in a container of the family, a date and a source stated by the page, an index number, a date in the list. It
deviates from its own last state, or where it is new from its neighbours', where most names of its elements are others
or the metadata does not stand where it stood (connectors/skeleton.py), unless the source states its body by itself.
The layout has changed when all pages that were read tonight deviate alike, in the body, their names or two other ways,
or when their bodies hold less than half of what stands on the page; a single page must deviate in two. Then nothing
of the night is loaded, and a repair is proposed where a container can be named that holds the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from connectors.base import Page
from connectors.crawled import UNCHANGED, Known
from connectors.engines import get_engine
from connectors.engines.generic import find_main
from connectors.errors import ContractBroken, SourceError
from connectors.selectors import select
from connectors.skeleton import MIN_KEPT, read_skeleton
from extraction.clean import parse_html
from extraction.decode import decode

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.archive import SnapshotRef, StoredPage
    from connectors.base import Engine
    from connectors.crawled import CrawlResult, ReadPage
    from connectors.registry import Source

_BY_PAGE = frozenset(("meta", "label", "url_folder"))
_MIN_HELD = 0.5
_MIN_TEXT = 200
"""Characters of prose from which on the share that a body holds says something."""
_MAX_LOOKED = 5
_NO_CONTAINER = "no container of its family holds the body any more"
_MAX_OTHERS = 2
_MANY_ROWS = 10
_MAX_DISORDER = 0.3
_ENOUGH = 2
"""Aspects that prove a change by themselves; of several pages the body alone does."""

NOTHING: Mapping[str, Known] = MappingProxyType({})
Load = Callable[["SnapshotRef"], "StoredPage"]


@dataclass(frozen=True, slots=True)
class Shape:
    """What all golden articles of a source have."""

    body_in_container: bool
    dated_by_page: bool
    has_source: bool
    has_index: bool
    dated_in_list: bool


@dataclass(frozen=True, slots=True)
class Drift:
    """`evidence`: one line for each aspect; `repair`: lines of YAML, or None where none can be proposed."""

    evidence: tuple[str, ...]
    repair: str | None

    def __str__(self) -> str:
        told = "; ".join(self.evidence)
        return f"layout-changed 版式变更: {told}" + (f"; proposed repair 建议: {self.repair}" if self.repair else "")


def load_shape(folders: Iterable[Path], source_id: str) -> Shape | None:
    """The shape by a source's golden values; None where it has none. Raises ContractBroken for a damaged file."""
    for folder in folders:
        path = folder / "fixtures" / source_id / "golden.json"
        if not path.is_file():
            continue
        try:
            articles = json.loads(path.read_text(encoding="utf-8"))["articles"]
            return _shape_of(articles) if articles else None
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise ContractBroken(f"{path}: no golden values ({cause}): record them with `fazhi new-source`") from None
    return None


def _shape_of(articles: Sequence[dict[str, Any]]) -> Shape:
    return Shape(
        body_in_container=all("body_by_density" not in one.get("notes", ()) and one["body"] for one in articles)
        or all("body_by_density" not in one.get("notes", ()) for one in articles if one["body"]),
        dated_by_page=all(one["published_from"] in _BY_PAGE for one in articles),
        has_source=all(one["content_source"] for one in articles),
        has_index=all(one["index_no"] for one in articles),
        dated_in_list=all(one["listed_date"] for one in articles),
    )


def find_drift(
    source: Source, shape: Shape | None, pages: Sequence[ReadPage], load: Load, known: Mapping[str, Known] = NOTHING
) -> Drift | None:
    """What tells that the layout has changed, or None. `pages` are those that were read tonight, `known` is what
    earlier nights hold of the source."""
    if not pages:
        return None
    changes = find_changes(source, pages, load, known)
    evidence = [*changes, *(_missing(shape, pages) if shape is not None else ())]
    n_fields = len(evidence)
    looked = [page for page in pages if len(page.article.body.text) or not page.article.attachments][:_MAX_LOOKED]
    mains = [(page, _main_of(page, load)) for page in looked] if evidence or (looked and shape is not None) else []
    shares = [_share(page, main) for page, main in mains if main is not None and _length(main) >= _MIN_TEXT]
    if shares and max(shares) < _MIN_HELD:
        evidence.append(f"the bodies hold at most {max(shares):.0%} of the text on their pages")
    is_plain = any(words in (_NO_CONTAINER, *changes, *evidence[n_fields:]) for words in evidence)
    if len(evidence) < _ENOUGH and not (is_plain and len(pages) > 1):
        return None
    told = tuple(f"{words} ({len(pages)} read, e.g. {pages[0].ref.url})" for words in evidence)
    return Drift(told, _propose(main for _, main in mains if main is not None))


def _missing(shape: Shape, pages: Sequence[ReadPage]) -> list[str]:
    """What all golden articles have and no page of tonight."""
    return [
        words
        for is_expected, is_there, words in (
            (shape.body_in_container, _in_container, _NO_CONTAINER),
            (shape.dated_by_page, lambda page: page.article.published_from in _BY_PAGE, "no page states its date"),
            (shape.has_source, lambda page: page.article.content_source is not None, "no page states its source"),
            (shape.has_index, lambda page: page.article.index_no is not None, "no page has an index number"),
            (shape.dated_in_list, lambda page: page.ref.listed_date is not None, "no row of the list has a date"),
        )
        if is_expected and not any(is_there(page) for page in pages)
    ]


def find_changes(source: Source, pages: Sequence[ReadPage], load: Load, known: Mapping[str, Known]) -> list[str]:
    """How tonight's pages differ in build from what is held of them, or, where all are new, from what is held of the
    source's others. Empty where the source states its body by itself: a person has looked at the layout then."""
    held = {url: entry for url, entry in known.items() if entry.kind == "page" and entry.snapshot and not entry.is_gone}
    if source.selectors.body or not held:
        return []
    changed = [page for page in pages if page.seen.url in held]
    engine = get_engine(source.engine)
    others = [held[url] for url in sorted(held)[:_MAX_OTHERS]]
    kept, moved = [], []
    for page in (changed or pages)[:_MAX_LOOKED]:
        now = read_skeleton(_text_of(page.seen.snapshot, load), engine)
        own = held.get(page.seen.url)
        formers = [_former_text(one, load) for one in ([own] if own else others)]
        before = [read_skeleton(text, engine) for text in formers if text is not None]
        if not before:
            continue
        kept.append(max(one.kept_by(now) for one in before))
        moved.append(all(one.has_moved(now) for one in before))
    found = []
    if kept and max(kept) < MIN_KEPT:
        found.append(f"the elements of its pages have other names: {max(kept):.0%} of the former are left")
    if moved and all(moved):
        found.append("the metadata does not stand where it stood beside the body")
    return found


def find_list_changes(source: Source, result: CrawlResult, load: Load, known: Mapping[str, Known]) -> list[str]:
    """What changed of the lists, though they could be read: findings for a person, no reason to load nothing."""
    notes = []
    engine = get_engine(source.engine)
    starts = {start.url for start in source.start}
    n_known = sum(one.found_on in starts and one.kind == "page" and not one.is_gone for one in known.values())
    if n_known >= _MANY_ROWS and result.listed < n_known * _MIN_HELD and not result.failures:
        notes.append(
            f"list shrank 列表缩短: {result.listed} rows, {n_known} were known, and nothing else tells why: look at it"
        )
    for seen in result.seen:
        before = known.get(seen.url)
        if seen.kind == "page" or seen.outcome in UNCHANGED or seen.url not in starts:
            continue
        former = _former_text(before, load) if before is not None and seen.kind == "list" else None
        if former is not None:
            was = read_skeleton(former, engine)
            left = was.kept_by(read_skeleton(_text_of(seen.snapshot, load), engine))
            if left < MIN_KEPT:
                notes.append(
                    f"layout-changed 版式变更: the elements of the list {seen.url} have other names, {left:.0%} of the "
                    "former are left; its rows are read all the same"
                )
        days = result.listed_days.get(seen.url, [])
        if len(days) >= _MANY_ROWS and _disorder(days) > _MAX_DISORDER:
            notes.append(f"the days of the list {seen.url} stand in no order: they may be read from the wrong column")
    return notes


def _disorder(days: Sequence[str]) -> float:
    """Share of neighbours that stand against the order that most of them have: 0 for a list by day, newest or oldest
    first, about a half for none."""
    pairs = [(one, other) for one, other in pairwise(days) if one != other]
    falling = sum(one > other for one, other in pairs)
    return min(falling, len(pairs) - falling) / len(pairs) if pairs else 0.0


def explain_failure(source: Source, result: CrawlResult, load: Load, known: Mapping[str, Known]) -> Drift | None:
    """Where a source failed for its pages could not be read: what the generic engine makes of them, with the repair
    that follows. None where it reads no more, or the source did not change under our eyes."""
    starts = {start.url for start in source.start}
    was_listed = any(one.found_on in starts for one in known.values())
    generic, engine = get_engine("generic"), get_engine(source.engine)
    evidence: list[str] = []
    repair = None
    for seen in result.seen:
        if seen.url not in starts:
            continue
        page = Page(seen.url, decode(*_bytes_of(seen.snapshot, load)), "feed" if seen.kind == "feed" else "html")
        mine, others = _count_rows(engine, page, source), _count_rows(generic, page, source)
        if others >= source.assertions.min_list_rows > mine and engine.name != "generic":
            evidence.append(f"{engine.name} reads {mine} rows of {seen.url}, the generic engine {others}")
            repair = "engine: generic"
        elif mine == 0 and was_listed:
            evidence.append(f"{seen.url} has no row any more that a page names")
    if result.unreadable:
        mains = [find_main(parse_html(_text_of(seen.snapshot, load))) for seen in result.unreadable[:_MAX_LOOKED]]
        evidence.append(f"{len(result.unreadable)} pages hold no body of the {engine.name} family any more")
        repair = repair or _propose(main for main in mains if main is not None)
    return Drift(tuple(evidence), repair) if evidence else None


def _count_rows(engine: Engine, page: Page, source: Source) -> int:
    try:
        return len(engine.discover(page, source).refs)
    except SourceError:
        return 0


def _bytes_of(ref: SnapshotRef, load: Load) -> tuple[bytes, str | None]:
    stored = load(ref)
    return stored.body, stored.content_type


def _text_of(ref: SnapshotRef, load: Load) -> str:
    return decode(*_bytes_of(ref, load)).text


def _former_text(known: Known, load: Load) -> str | None:
    """What an earlier night holds of an address. None where it holds nothing or its raw page is lost: the crawl has
    asked for that anew and told of it, and a loss of ours says nothing of the portal."""
    if known.snapshot is None:
        return None
    try:
        return _text_of(known.snapshot, load)
    except ContractBroken:
        return None


def _in_container(page: ReadPage) -> bool:
    """A page whose content is in its files has no body to find."""
    if not page.article.body.text and page.article.attachments:
        return "body_by_density" not in page.article.notes and "no_body" not in page.article.notes
    return not {"body_by_density", "no_body"} & set(page.article.notes)


def _main_of(page: ReadPage, load: Load) -> HtmlElement | None:
    return find_main(parse_html(_text_of(page.seen.snapshot, load)))


def _length(node: HtmlElement) -> int:
    return len("".join(node.text_content().split()))


def _share(page: ReadPage, main: HtmlElement) -> float:
    return len("".join(page.article.body.text.split())) / max(1, _length(main))


def _propose(mains: Iterable[HtmlElement]) -> str | None:
    """A selector of the containers that hold the text, where they agree on one that is alone on its page."""
    found: set[str] = set()
    for main in mains:
        name = _name(main)
        if name is None:
            return None
        found.add(name)
    return f"selectors: {{body: '{found.pop()}'}}" if len(found) == 1 else None


def _name(main: HtmlElement) -> str | None:
    root = main.getroottree().getroot()
    for node in (main, *main.iterancestors()):
        if node.tag == "body":
            return None
        names = [f"#{node.get('id')}"] if node.get("id") else []
        names += [f"{node.tag}.{one}" for one in (node.get("class") or "").split()]
        for name in names:
            try:
                if len(select(root, name)) == 1:
                    return name
            except ValueError:
                continue  # a name that no selector can spell
    return None
