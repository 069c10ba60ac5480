"""Every sandbox source, through its engine and over real HTTP: discovered whole and read right."""

from __future__ import annotations

import pytest

from connectors.base import Listing, Page, PageRef
from connectors.engines import get_engine
from connectors.registry import Source, is_report_title, load_source, report_year
from extraction.decode import decode
from sandbox.portals import FOLDER, Expected, build_portals, expected_articles
from sandbox.server import Gateway
from tests.sandbox.conftest import get

SOURCES = [load_source(path) for path in sorted((FOLDER / "sources").glob("*.yaml"))]
of_each_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.id)


def expected_of(source: Source) -> dict[str, Expected]:
    (site,) = [portal.site for portal in build_portals(1) if portal.site.id == source.id]
    return {article.url: article for article in expected_articles(site)}


def fetch(gateway: Gateway, url: str, kind: str = "html") -> Page:
    answer = get(gateway, url)
    assert answer.status == 200, url
    content_type = answer.headers["content-type"]
    kind = "data" if "json" in content_type else kind
    return Page(url, decode(answer.body, content_type), kind)


def discover_all(gateway: Gateway, source: Source, kind: str) -> list[tuple[Page, Listing]]:
    queue = [start.url for start in source.start if start.kind == kind]
    found: list[tuple[Page, Listing]] = []
    seen: set[str] = set()
    while queue:
        url = queue.pop(0)
        if url not in seen:
            seen.add(url)
            page = fetch(gateway, url, "feed" if kind == "feed" else "html")
            listing = get_engine(source.engine).discover(page, source)
            found.append((page, listing))
            queue += listing.more
    return found


@of_each_source
def test_lists_are_discovered_to_their_end(source: Source, day_1: Gateway) -> None:
    expected = expected_of(source)
    refs = {ref.url: ref for _, listing in discover_all(day_1, source, "list") for ref in listing.refs}
    assert set(refs) == set(expected)
    for url, ref in refs.items():
        assert (ref.title, ref.listed_date) == (expected[url].title, expected[url].listed_date)


@of_each_source
def test_reports_are_told_from_notices(source: Source) -> None:
    for article in expected_of(source).values():
        assert is_report_title(source, article.title) is (article.report_year is not None), article.title
        if article.report_year:
            assert report_year(article.title) == article.report_year


@of_each_source
def test_pages_are_read_right(source: Source, day_1: Gateway) -> None:
    for url, want in expected_of(source).items():
        got = get_engine(source.engine).read(fetch(day_1, url), source, PageRef(url, want.title, want.listed_date))
        assert got.body.text == want.body
        assert got.title == want.title
        assert got.published_at == want.published_at
        assert got.content_source == want.source
        assert (got.index_no, got.document_no) == (want.index_no, want.document_no)
        assert tuple(attachment.url for attachment in got.attachments) == want.attachment_urls
        assert ("spam_removed" in got.notes) is (want.source == "霁川区司法局" and want.report_year == 2024)


def test_feed_items_are_read_like_their_pages(day_1: Gateway) -> None:
    (source,) = [source for source in SOURCES if any(start.kind == "feed" for start in source.start)]
    expected = expected_of(source)
    engine = get_engine(source.engine)
    ((page, listing),) = discover_all(day_1, source, "feed")
    assert len(listing.refs) == 8
    for ref in listing.refs:
        want = expected[ref.url]
        item = engine.read(page, source, ref)
        assert (item.title, item.published_at) == (want.title, want.published_at)
        assert item.body.text == want.body
