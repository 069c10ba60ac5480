"""Whether a portal's pages still have the shape that its contract knows: noticed in the night it changes.

The shape comes from the golden articles. A page deviates where what all golden articles had is not there any more: a
body in a container of the family, a date and a source stated by the page, an index number, a date in the list. The
layout has changed when all pages that were read tonight deviate alike, in the body or in two other ways, or when their
bodies hold less than half of what stands on the page; a single page must deviate in two. Then nothing of the night is
loaded, and a repair is proposed where a container can be named that holds the text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.engines.generic import find_main
from connectors.errors import ContractBroken
from connectors.selectors import select
from extraction.clean import parse_html
from extraction.decode import decode

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from connectors.archive import SnapshotRef, StoredPage
    from connectors.crawled import ReadPage
    from connectors.registry import Source

_BY_PAGE = frozenset(("meta", "label", "url_folder"))
_MIN_HELD = 0.5
_MIN_TEXT = 200
"""Characters of prose from which on the share that a body holds says something."""
_MAX_LOOKED = 5
_NO_CONTAINER = "no container of its family holds the body any more"
_ENOUGH = 2
"""Aspects that prove a change by themselves; of several pages the body alone does."""

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


def find_drift(source: Source, shape: Shape | None, pages: Sequence[ReadPage], load: Load) -> Drift | None:
    """What tells that the layout has changed, or None. `pages` are those that were read tonight."""
    if shape is None or not pages:
        return None
    evidence = [
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
    n_fields = len(evidence)
    looked = [page for page in pages if len(page.article.body.text) or not page.article.attachments][:_MAX_LOOKED]
    mains = [(page, _main_of(page, load)) for page in looked] if evidence or looked else []
    shares = [_share(page, main) for page, main in mains if main is not None and _length(main) >= _MIN_TEXT]
    if shares and max(shares) < _MIN_HELD:
        evidence.append(f"the bodies hold at most {max(shares):.0%} of the text on their pages")
    is_body = any(words in (_NO_CONTAINER, *evidence[n_fields:]) for words in evidence)
    if len(evidence) < _ENOUGH and not (is_body and len(pages) > 1):
        return None
    told = tuple(f"{words} ({len(pages)} read, e.g. {pages[0].ref.url})" for words in evidence)
    return Drift(told, _propose(main for _, main in mains if main is not None))


def _in_container(page: ReadPage) -> bool:
    """A page whose content is in its files has no body to find."""
    if not page.article.body.text and page.article.attachments:
        return "body_by_density" not in page.article.notes and "no_body" not in page.article.notes
    return not {"body_by_density", "no_body"} & set(page.article.notes)


def _main_of(page: ReadPage, load: Load) -> HtmlElement | None:
    stored = load(page.seen.snapshot)
    return find_main(parse_html(decode(stored.body, stored.content_type).text))


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
