"""`new-source` against each family: examined, proposed, and crawled with the proposal as it is."""

from __future__ import annotations

import asyncio
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from connectors.archive import Archive
from connectors.contract import check_contract
from connectors.crawl import crawl_source
from connectors.crawled import CrawlResult
from connectors.engines import get_engine
from connectors.http.client import Client, HttpSettings
from connectors.onboarding.columns import probe_source_of
from connectors.onboarding.onboard import Findings, onboard
from connectors.onboarding.proposal import Proposal, propose, write_proposal
from connectors.registry import Source, load_source
from fazhi.new_source import find_place
from tests.onboarding.layouts import LAYOUTS
from tests.onboarding.replica import Portal, ReplicaSite


def settings(site: ReplicaSite) -> HttpSettings:
    return HttpSettings("fazhi-test/1 (+https://fazhi.example/)", replay=site.url, retries=0, backoff=0.0, timeout=5.0)


def examine(site: ReplicaSite, url: str, budget: int = 80) -> Findings:
    async def run() -> Findings:
        async with Client(settings(site)) as client:
            return await onboard(url, client, budget=budget, delay=0.0)

    return asyncio.run(run())


def probe() -> Source:
    return probe_source_of("http://any.example/", ("any.example",), "generic")


def propose_into(found: Findings, folder: Path) -> Proposal:
    proposal = propose(found, find_place(found), frozenset(), date(2026, 11, 26))
    write_proposal(proposal, folder)
    return proposal


def crawl(site: ReplicaSite, path: Path, folder: Path) -> CrawlResult:
    source = load_source(path)
    result = CrawlResult(source)

    async def run() -> None:
        async with Client(settings(site)) as client:
            with Archive(folder / "raw", spool=folder / "raw") as archive:
                await crawl_source(result, get_engine(source.engine), client, archive, {})

    asyncio.run(run())
    return result


def assert_reports(portal: Portal, result: CrawlResult) -> None:
    reports = {path: doc for path, doc in portal.expected.items() if doc.is_report}
    got = {}
    for page in result.pages:
        parts = urlsplit(page.ref.url)
        got[parts.path + (f"?{parts.query}" if parts.query else "")] = page.article
    assert set(got) == set(reports)
    for path, doc in reports.items():
        article = got[path]
        assert article.title == doc.title
        assert (article.published_at or "")[:16] == doc.date.replace(" ", "T")
        assert article.content_source == doc.source
        assert article.body.text == doc.body


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_portal_is_onboarded_from_its_home_page(name: str, tmp_path: Path) -> None:
    layout, engine = LAYOUTS[name]
    portal = layout()
    with ReplicaSite(portal) as site:
        found = examine(site, f"http://{portal.host}/")
        proposal = propose_into(found, tmp_path)
        path = tmp_path / f"{proposal.source_id}.yaml"
        assert load_source(path).engine == engine
        assert check_contract(path) == []
        assert_reports(portal, crawl(site, path, tmp_path))
    assert len(found.scout.asked) <= 40


@pytest.mark.parametrize("name", LAYOUTS)
def test_a_column_and_a_report_do_as_well(name: str, tmp_path: Path) -> None:
    """Given the column itself, or one report: the same column comes out."""
    layout, _ = LAYOUTS[name]
    portal = layout()
    with ReplicaSite(portal) as site:
        home = examine(site, f"http://{portal.host}/")
        start = home.trials[0].column.got.url
        column = examine(site, start)
        assert column.trials[0].column.got.url == start
        assert len(column.scout.asked) <= len(home.scout.asked)
        report = next(path for path, doc in portal.expected.items() if doc.is_report)
        one = examine(site, f"http://{portal.host}{report}")
        assert [ref.url for ref in one.trials[0].reports(probe())] == [
            ref.url for ref in home.trials[0].reports(probe())
        ]
