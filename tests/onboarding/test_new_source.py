"""`new-source` against each family: examined, proposed, and crawled with the proposal as it is."""

from __future__ import annotations

# ruff: noqa: E501 - markup as portals write it
import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
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
from connectors.onboarding.onboard import Findings, NothingFound, onboard
from connectors.onboarding.proposal import Proposal, propose, write_proposal
from connectors.registry import Source, load_source
from fazhi.new_source import find_place
from tests.onboarding.layouts import LAYOUTS
from tests.onboarding.replica import Portal, ReplicaSite, make_docs


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
        got[parts.path + (f"?{parts.query}" if parts.query else "")] = page
    assert set(got) == set(reports)
    for path, doc in reports.items():
        article = got[path].article
        assert article.title == doc.title
        assert (article.published_at or "")[:16] == doc.date.replace(" ", "T")
        assert article.content_source == doc.source
        texts = [found.text for _, found in got[path].attachment_texts] or [article.body.text]
        assert texts == [doc.body]


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


@pytest.mark.parametrize("name", LAYOUTS)
def test_challenges_in_between_cost_nothing_that_asking_once_avoids(name: str, tmp_path: Path) -> None:
    """Each address answers every third request with a challenge: examined and crawled, none is asked for thrice."""
    portal = LAYOUTS[name][0]()
    portal.challenged = set(portal.pages)
    with ReplicaSite(portal) as site:
        proposal = propose_into(examine(site, f"http://{portal.host}/"), tmp_path)
        assert_reports(portal, crawl(site, tmp_path / f"{proposal.source_id}.yaml", tmp_path))
    assert max(site.counts.values()) <= 2


def endless(query: Mapping[str, str]) -> str:
    """A list whose every page has new rows and a next one."""
    number = int(query.get("page", "1"))
    rows = "".join(
        f"<li><a href='/fzzf/2024-01-01/{number * 10 + row}.html'>无尽县第{number * 10 + row}号通知</a><span>2024-01-01</span></li>"
        for row in range(10)
    )
    report = "<li><a href='/fzzf/2024-02-02/7.html'>无尽县2023年法治政府建设情况报告</a><span>2024-02-02</span></li>"
    return f"<ul>{report if number == 1 else ''}{rows}</ul><a href='/fzzf/list.php?page={number + 1}'>下一页</a>"


def test_a_list_that_never_ends_is_cut_and_says_so(tmp_path: Path) -> None:
    portal = Portal("www.wujin.example", "无尽县", make_docs("无尽县"), has_metas=False)
    portal.add_home("/fzzf/list.php")
    portal.pages["/fzzf/list.php"] = endless
    doc = next(doc for doc in portal.docs if doc.title == "无尽县2023年法治政府建设情况报告")
    portal.add_detail(
        "/fzzf/2024-02-02/7.html",
        doc,
        portal.frame(doc.title, f"发布时间：{doc.date} 来源：{doc.source}<div>{doc.html()}</div>"),
    )
    with ReplicaSite(portal) as site:
        found = examine(site, f"http://{portal.host}/", budget=40)
        assert found.trials[0].is_endless
        assert len(found.scout.asked) <= 25
        proposal = propose_into(found, tmp_path)
        result = crawl(site, tmp_path / f"{proposal.source_id}.yaml", tmp_path)
    assert_reports(portal, result)
    assert any("cut after 100 list pages" in note for note in result.notes)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda portal: portal.pages.update({"/robots.txt": "User-agent: *\nDisallow: /zwgk/fzzf/"}), "robots.txt"),
        (
            lambda portal: portal.pages.update(
                {"/zwgk/fzzf/": portal.frame("法治政府建设", "<div id='app'></div>" * 9)}
            ),
            "no family reads a row",
        ),
        (lambda portal: portal.pages.pop("/zwgk/fzzf/"), "there is no such page"),
        (
            lambda portal: portal.pages.update({"/zwgk/": "<script>var nsd='a';nsd=1;location.reload();</script>"}),
            "challenge page",
        ),
    ],
)
def test_a_portal_without_a_readable_column_ends_with_a_statement(
    spoil: Callable[[Portal], object], words: str
) -> None:
    portal = LAYOUTS["empire"][0]()
    spoil(portal)
    with ReplicaSite(portal) as site, pytest.raises(NothingFound) as told:
        examine(site, f"http://{portal.host}/")
    assert words in str(told.value)
    assert "\n" not in str(told.value)


def test_a_feed_leads_to_its_column(tmp_path: Path) -> None:
    portal = LAYOUTS["nfcms"][0]()
    items = "".join(
        f"<item><title>{doc.title}</title><link>http://{portal.host}{path}</link><pubDate>2026-01-01 00:00:00</pubDate></item>"
        for path, doc in portal.expected.items()
        if doc.is_report
    )
    portal.pages["/rss.xml"] = f"<?xml version='1.0'?><rss><channel><title>报告</title>{items}</channel></rss>"
    with ReplicaSite(portal) as site:
        found = examine(site, f"http://{portal.host}/rss.xml")
        proposal = propose_into(found, tmp_path)
        assert_reports(portal, crawl(site, tmp_path / f"{proposal.source_id}.yaml", tmp_path))


def behind_news(portal: Portal) -> None:
    """The reports stand on the second page of the column, and one of them in a box of the home page."""
    report = next(path for path, doc in portal.expected.items() if doc.is_report)
    title = portal.expected[report].title
    portal.pages["/main.html"] = str(portal.pages["/main.html"]).replace(
        "<ul>", f"<ul><li><a href='{report}'>{title}</a></li>", 1
    )
    reports = {path: doc for path, doc in portal.expected.items() if doc.is_report}
    rows = "".join(
        f"<li><a href='{path}'>{doc.title}</a><span class='time'>{doc.day}</span></li>" for path, doc in reports.items()
    )
    strip = "".join(
        f"<li><a href='{path}'>{doc.title}</a><span class='time'>{doc.day}</span></li>"
        for path, doc in portal.expected.items()
        if not doc.is_report
    )
    pager = "<a href='/zwgk/fzzf/index_2.html'>2</a>"
    portal.pages["/zwgk/fzzf/"] = portal.frame("法治政府建设", f"<div class='news_list'><ul>{strip}</ul>{pager}</div>")
    portal.pages["/zwgk/fzzf/index_2.html"] = portal.frame(
        "法治政府建设", f"<div class='news_list'><ul>{rows}</ul></div>"
    )
    portal.pages.pop("/zwgk/fzzf/index_3.html", None)


def in_a_frame(portal: Portal) -> None:
    """The column page holds its list in an iframe."""
    for name in list(portal.pages):
        if name.startswith("/zwgk/fzzf/") and not name[len("/zwgk/fzzf/") :].startswith("2018"):
            portal.pages[name.replace("/zwgk/fzzf/", "/lists/fz/")] = str(portal.pages[name]).replace(
                "/zwgk/fzzf/index", "/lists/fz/index"
            )
    portal.pages["/zwgk/fzzf/"] = portal.frame(
        "法治政府建设", "<iframe src='/lists/fz/' width='100%'></iframe><p>以下为本栏目列表。</p>"
    )


def in_a_menu(portal: Portal) -> None:
    """Only a script knows the menu."""
    portal.pages["/zwgk/fdzdgk.html"] = portal.frame(
        "法定主动公开内容", '<div id="tree"></div><script>var menu=[{"id":3,"name":"规划计划","url":"\\/zwgk\\/gh\\/"},'
        '{"id":4,"name":"法治政府建设","children":null,"url":"\\/zwgk\\/fzzf\\/"}];</script>'
    )  # fmt: skip


def by_picture(portal: Portal) -> None:
    """The link to the column is a picture."""
    portal.pages["/zwgk/fdzdgk.html"] = portal.frame(
        "法定主动公开内容", "<a href='/zwgk/fzzf/'><img src='/i/1.png' alt='法治政府建设'></a>"
    )


def in_a_headline(portal: Portal) -> None:
    """A report is the headline of the home page."""
    report = next(path for path, doc in portal.expected.items() if doc.is_report)
    title = portal.expected[report].title
    portal.pages["/main.html"] = str(portal.pages["/main.html"]).replace(
        "<ul>", f"<h2><a href='{report}'>{title}</a></h2><ul>", 1
    )


@pytest.mark.parametrize("hide", [behind_news, in_a_frame, in_a_menu, by_picture, in_a_headline])
def test_a_column_that_is_hard_to_find_is_found(hide: Callable[[Portal], None], tmp_path: Path) -> None:
    portal = LAYOUTS["empire"][0]()
    hide(portal)
    with ReplicaSite(portal) as site:
        found = examine(site, f"http://{portal.host}/")
        proposal = propose_into(found, tmp_path)
        assert_reports(portal, crawl(site, tmp_path / f"{proposal.source_id}.yaml", tmp_path))


def test_titles_that_a_list_cuts_short_are_followed(tmp_path: Path) -> None:
    """No title attribute gives the rest: the pattern for it is proposed, and the page's own title decides."""
    portal = LAYOUTS["hanweb_store"][0]()
    for path, page in list(portal.pages.items()):
        if callable(page):
            portal.pages[path] = lambda query, page=page: re.sub(r' title="[^"]*"', "", str(page(query)))
        elif path.startswith("/col/"):
            portal.pages[path] = re.sub(r' title="[^"]*"', "", str(page))
    with ReplicaSite(portal) as site:
        found = examine(site, f"http://{portal.host}/")
        proposal = propose_into(found, tmp_path)
        assert "wanted:" in proposal.yaml
        result = crawl(site, tmp_path / f"{proposal.source_id}.yaml", tmp_path)
    reports = {path for path, doc in portal.expected.items() if doc.is_report}
    assert reports <= {urlsplit(page.ref.url).path for page in result.pages}
    assert {urlsplit(page.ref.url).path for page in result.pages if page.is_report} == reports


def test_titles_without_a_year_count_by_their_day(tmp_path: Path) -> None:
    portal = LAYOUTS["empire"][0]()
    for path, page in list(portal.pages.items()):
        portal.pages[path] = re.sub(r"荻秋县\d{4}年法治政府建设情况报告", "荻秋县法治政府建设情况报告", str(page))
    portal.expected = {
        path: replace(doc, title="荻秋县法治政府建设情况报告") if doc.is_report else doc
        for path, doc in portal.expected.items()
    }
    with ReplicaSite(portal) as site:
        proposal = propose_into(examine(site, f"http://{portal.host}/"), tmp_path)
        assert_reports(portal, crawl(site, tmp_path / f"{proposal.source_id}.yaml", tmp_path))
