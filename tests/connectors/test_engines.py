"""Feeds, dates, hostile pages of all families; then the real corpus."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.base import Article, Page, PageRef
from connectors.engines import engine_names, get_engine
from connectors.engines.dates import find_date, find_folder_time, find_url_day, parse_moment
from connectors.engines.ending import is_open
from connectors.engines.feed import MAX_ITEMS, parse_feed
from connectors.errors import SourceChanged, SourceError
from connectors.registry import default_ids, load_sources
from connectors.urls import canonical, document_key
from extraction.decode import decode
from tests.connectors.engine_pages import CMS, ROOT, SITE, UUID, discover, make_page, make_source, read, rows


def feed(items: str, head: str = "<pubDate>2019-21-18 04:21:54</pubDate>") -> str:
    channel = f"<channel><title>报告</title>{head}{items}</channel>"
    return f'<?xml version="1.0" encoding="GBK"?>\n<rss version="2.0">{channel}</rss>'


def item(number: int, date: str = "18 Jun 2023 08:19:00 GMT") -> str:
    link = CMS.replace("101112", f"10111{number}")
    return (
        f"<item><title>云岭县第{number}号 A&B&nbsp;报告</title><link>{link}</link>"
        f"<description><![CDATA[<P>办结<B>{number}</B>5件。&nbsp;</P>"
        f"<P>附件：<A href=/f/{number}.docx>报告.docx</A></P>]]></description><pubDate>{date}</pubDate></item>"
    )


def test_feed_items_carry_bodies_and_their_true_time() -> None:
    page = make_page(feed(item(1) + item(2)), f"{SITE}/cms/jsp/rss.jsp?ColumnID=9", "feed")
    source, engine = make_source("cms_html"), get_engine("cms_html")
    listing = engine.discover(page, source)
    assert [ref.title for ref in listing.refs] == ["云岭县第1号 A&B 报告", "云岭县第2号 A&B 报告"]
    assert {ref.listed_date for ref in listing.refs} == {None}, "one date for all items is the build time"
    article = engine.read(page, source, listing.refs[1])
    assert (article.title, article.body.text) == ("云岭县第2号 A&B 报告", "办结25件。")
    assert (article.published_at, article.published_from) == ("2023-01-05T10:11:12+08:00", "url_folder")
    assert [attachment.url for attachment in article.attachments] == [f"{SITE}/f/2.docx"]
    assert article.url == listing.refs[1].url


def test_feed_dates_that_differ_are_believed_in_china_time() -> None:
    text = feed(item(1, "Fri, 06 Jan 2023 20:00:00 GMT") + item(2, "2023-01-08 10:00:00"))
    listing = discover("cms_html", text)
    assert [ref.listed_date for ref in listing.refs] == ["2023-01-07", "2023-01-08"]


def test_atom_and_damaged_feeds() -> None:
    atom = """<feed xmlns="http://www.w3.org/2005/Atom"><title>x</title><entry><title>甲</title><link
      rel="alternate" href="/a/t20230105_1.html"/>
    <updated>2023-01-06T01:00:00Z</updated><summary>摘要</summary></entry><entry><title>乙</title><link
      href="/a/t20230105_2.html"/><updated>2023-01-07T01:00:00Z</updated></entry></feed>"""
    listing = discover("trs", atom)
    assert rows(listing) == [("/a/t20230105_1.html", "甲", "2023-01-06"), ("/a/t20230105_2.html", "乙", "2023-01-07")]
    assert listing.refs[0].inline_html is None, "a plain summary is no body"
    cut = feed(item(1) + item(2))
    assert len(parse_feed(cut[: cut.index("号 A", cut.index("第2号"))]).items) >= 1
    for junk in (
        "",
        "<rss",
        "x",
        "<rss><channel></channel></rss>",
        "<rss><item><link>javascript:x</link></item></rss>",
    ):
        with pytest.raises(SourceChanged, match="no item"):
            discover("trs", junk, kind="feed")


def test_feeds_with_prefixes_that_nobody_declares_and_items_without_addresses() -> None:
    text = feed("<item><dc:title>无</dc:title><x:link/></item>" + item(1).replace("<item>", "<item><dc:creator/>"))
    listing = discover("cms_html", text)
    assert [ref.title for ref in listing.refs] == [parse_feed(feed(item(1))).items[0].title]
    assert listing.stated_total == 1


def test_items_beyond_the_limit_of_a_feed_are_missed_not_forgotten() -> None:
    listing = discover("cms_html", feed(item(1) * (MAX_ITEMS + 7)))
    assert listing.stated_total == len(listing.refs) + 7


WHOLE = "<html><body><div id='frame'><div class='zoom'><p>收到申请7件<p>办结7件</div></div>"


@pytest.mark.parametrize(
    "page", [WHOLE, f"{WHOLE}\n", f"{WHOLE}<script>var a;</script>", f"{WHOLE}</BODY>", "<p>没有框架"]
)
def test_end_tags_that_may_be_left_out_do_not_make_half_a_page(page: str) -> None:
    assert not is_open(page)


@pytest.mark.parametrize("n_left", range(40, len(WHOLE)))
def test_wherever_a_page_breaks_off_it_is_open(n_left: int) -> None:
    assert is_open(WHOLE[:n_left])


def test_the_body_of_an_item_that_is_cut_off_is_none() -> None:
    text = feed(item(1) + item(2))
    end = text.rindex("</item>") - 40
    assert all(found.body for found in parse_feed(text).items)
    assert [found.body is not None for found in parse_feed(text[:end]).items] == [True, False]


def test_feed_entities_and_dtd_are_not_followed() -> None:
    secret = ROOT / "pyproject.toml"
    bomb = f"""<?xml version="1.0"?><!DOCTYPE rss [<!ENTITY a SYSTEM "file://{secret}"><!ENTITY b "{"x" * 50}">
      <!ENTITY c "&b;&b;&b;">]>
    <rss><channel><item><title>甲&a;&c;&#x41;&unknown;</title><link>{CMS}</link></item></channel></rss>"""
    title = parse_feed(bomb).items[0].title
    assert title == "甲&a;&c;A&unknown;"


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("2023-01-06 10:11", "2023-01-06T10:11:00+08:00"),
        ("[2023/1/6]", "2023-01-06"),
        ("2023年1月6日 9:05:07", "2023-01-06T09:05:07+08:00"),
        ("2023.01.06", "2023-01-06"),
        ("2023-01-06T10:11:12Z", "2023-01-06T18:11:12+08:00"),
        ("2023-01-06T23:00:00.123+0800", "2023-01-06T23:00:00+08:00"),
        ("2023-01-06 25:00", "2023-01-06"),
        ("2019-21-18 04:21:54", None),
        ("2023-02-30", None),
        ("1023-01-01", None),
        ("电话2023-0106", None),
    ],
)
def test_dates(text: str, wanted: str | None) -> None:
    assert find_date(text) == wanted


def test_moments_and_addresses() -> None:
    assert parse_moment("20230106") == "2023-01-06"
    assert parse_moment("1672970400000") == "2023-01-06T10:00:00+08:00"
    assert parse_moment("Fri, 06 Jan 2023 02:00:00 GMT") == "2023-01-06T10:00:00+08:00"
    assert parse_moment("昨天") is None
    assert find_folder_time("/a/20231340101112123/x") is None
    assert find_url_day("/a/t20230230_1.html") is None
    assert find_url_day("/a/202301/t20230105_1.html") == "2023-01-05"


@pytest.mark.parametrize(
    "evil",
    [
        "<p>来源：" * 8000,
        "<div>来源：" * 250 + "<b>甲</b>" * 8000,
        "<table>" + "<tr><td>文号</td><td></td></tr>" * 2000 + "</table>",
        "<![CDATA[" * 21600,
        "<rss><channel>" + "<item><title><![CDATA[" * 8000,
        "<style>" + "/*" * 36000 + "</style>",
        "<div class=TRS_Editor>甲</div>" * 1600,
        "<li><a href='./202301/t20230105_1.html'>甲</a>2023-01-05</li>" * 1200,
        "<p>年，</p>" * 8000,
        "<script>createPageHTML(" * 8000,
        "共" * 40000 + " " * 20000,
        "<a href='" + "x" * 3000 + "t20230105_1.html'>甲</a>" * 20,
        '{"result":"' + "<![CDATA[" * 24000 + '"}',
        "'" * 40000 + "t20230105_1.html" * 1000,
    ],
)
def test_hostile_pages_cost_linear_time(evil: str) -> None:
    for name in engine_names():
        before = time.process_time()
        for call in (lambda name=name: discover(name, evil), lambda name=name: read(name, evil, f"{SITE}/a.html")):
            with contextlib.suppress(SourceError):
                call()
        assert time.process_time() - before < 3


PIECES = [
    "<li>", "</a>", "甲", "2019-21-18", "2023-01-06", "<a href='./202301/t20230105_1.html'>", "<td>", "文号",
    "索引号：", f"<a href='/a/content/{UUID}1.html'>", "<script>createPageHTML(9999999,0,'index','html')",
    "</script>", "来源：",
    "<meta name=PubDate content=", "'x'>", "totalRecord:99999999", "columnId:'a'", "perpage:0", "<rss><item>",
    "<![CDATA[", "]]>", "{", '"data":', "[", "cb(", "\x00",
]  # fmt: skip
JUNK = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(PIECES), max_size=30).map("".join))


@settings(max_examples=120, deadline=None)
@given(JUNK, st.sampled_from(["html", "feed", "data"]), st.sampled_from(["cms_html", "trs", "truecms", "ucap"]))
def test_no_input_raises_anything_but_source_errors(text: str, kind: str, name: str) -> None:
    engine, source = get_engine(name), make_source(name)
    page = make_page(text, f"{SITE}/fzzf/index.html", kind)
    try:
        listing = engine.discover(page, source)
        assert len(listing.more) <= 1000
        assert all(canonical(ref.url) == ref.url for ref in listing.refs)
    except SourceError:
        pass
    with contextlib.suppress(SourceError):
        assert engine.read(page, source, PageRef(page.url, "甲", "2023-01-06", text)).published_at


# The real corpus: lists, then every page they lead to, straight from the files.


def bare(text: str | None) -> str:
    return "".join((text or "").split())


@pytest.fixture(scope="module")
def crawled(corpus: Path) -> dict[str, tuple[Article, list[Article]]]:
    """Document key to the article by page and by feed, found from the start pages alone."""
    folder = corpus / "portals"
    lines = (folder / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    files = {canonical(entry["url"]): entry for entry in map(json.loads, lines)}

    def get(url: str, kind: str = "html") -> Page:
        entry = files[url]
        return Page(url, decode((folder / entry["file"]).read_bytes(), entry["headers"].get("Content-Type")), kind)

    found: dict[str, tuple[Article, list[Article]]] = {}
    sources = load_sources([ROOT / "connectors" / "sources"])
    for source in (sources[source_id] for source_id in default_ids(sources)):
        engine = get_engine(source.engine)
        queue = [(start.url, start.kind) for start in source.start]
        refs: dict[str, PageRef] = {}
        by_feed: dict[str, list[Article]] = {}
        for url, kind in queue:
            page = get(url, "feed" if kind == "feed" else "html")
            listing = engine.discover(page, source)
            queue.extend((more, "list") for more in listing.more if (more, "list") not in queue)
            for ref in listing.refs:
                refs.setdefault(document_key(ref.url), ref)
                if ref.inline_html:
                    by_feed.setdefault(document_key(ref.url), []).append(engine.read(page, source, ref))
        assert len(refs) >= source.assertions.min_list_rows
        for key, ref in refs.items():
            found[key] = engine.read(get(ref.url), source, ref), by_feed.get(key, [])
    return found


@pytest.mark.corpus
def test_corpus_pages_are_found_and_read_exactly(
    corpus: Path, crawled: dict[str, tuple[Article, list[Article]]]
) -> None:
    lines = (corpus / "portals" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    assert {document_key(want["url"]) for want in expected} == set(crawled)
    for want in expected:
        article, by_feed = crawled[document_key(want["url"])]
        if want.get("feed_item"):
            article = by_feed[0]
        assert article.body.text == want["body"], want["url"]
        assert article.title == want["title"]
        invented = want.get("invented") or []
        got = {
            "publish_date": article.published_at, "index_no": article.index_no, "document_no": article.document_no,
            "publisher": article.publisher, "content_source": article.content_source,
        }  # fmt: skip
        for name, value in got.items():
            if name not in invented and not want.get("feed_item"):
                assert bare(value) == bare(want[name]), (want["url"], name)
        if not want.get("feed_item"):
            assert [attachment.url for attachment in article.attachments] == want["attachments"]
            assert bool(want.get("spam_hits")) is ("spam_removed" in article.notes)


@pytest.mark.corpus
def test_corpus_feed_dates_come_from_the_folder(crawled: dict[str, tuple[Article, list[Article]]]) -> None:
    times = {article.published_at for _, by_feed in crawled.values() for article in by_feed}
    assert times == {"2019-01-10T16:19:51+08:00", "2017-12-20T14:59:52+08:00", "2017-04-14T16:23:54+08:00"}
    for article, by_feed in crawled.values():
        for other in by_feed:
            assert (other.published_at, other.body.text) == (article.published_at, article.body.text)
