"""The five portals: complete, the same every time, and different on day 2 in just three documents."""

from __future__ import annotations

import io
import re
from html import unescape
from urllib.parse import urljoin, urlsplit

import docx
import pypdfium2
import pytest
import yaml

from sandbox.model import Day, Portal
from sandbox.portals import FOLDER, build_portals, expected_articles
from sandbox.server import Gateway, find_resource
from tests.sandbox.conftest import get

DAYS: tuple[Day, ...] = (1, 2)
LINK = re.compile(r"""(?:href|src)=["']?([^"'\s>]*)|name2\('([^']*)'""", re.IGNORECASE)
SOURCES = sorted((FOLDER / "sources").glob("*.yaml"))


def decode(body: bytes) -> str:
    return body.decode("gbk" if b"charset=gb2312" in body else "utf-8")


def links(base: str, text: str) -> set[str]:
    """Addresses on the page's own host, without scripts, anchors and data."""
    found = (urljoin(base, unescape(a or b).strip()) for a, b in LINK.findall(text))
    return {url.partition("#")[0] for url in found if urlsplit(url).netloc == urlsplit(base).netloc}


def details(day: Day) -> dict[str, bytes]:
    return {
        article.url: portal.resources[urlsplit(article.url).path].body
        for portal in build_portals(day)
        for article in expected_articles(portal.site)
    }


def walk_lists(gateway: Gateway, source: dict, portal: Portal) -> set[str]:
    """Every address that the start pages and the list pages behind them name."""
    queue = [start["url"] for start in source["start"]]
    seen: set[str] = set()
    found: set[str] = set()
    while queue:
        url = queue.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = get(gateway, url)
        assert answer.status == 200, url
        is_feed = "xml" in answer.headers["content-type"]
        text = answer.body.decode() if is_feed else decode(answer.body)
        here = set(re.findall("<link>(.*?)</link>", text)) if is_feed else links(url, text)
        found |= here
        queue += [link for link in here if re.search(r"column_\d+_\d+\.html", link)]
        if counted := re.search(r"createPage(?:HTML)?\((?:'page_div',)?(\d+), ", text):
            pages = int(counted[1])
            if "page_div" in counted[0]:
                queue += [url.replace("list.shtml", f"list_{k}.shtml") for k in range(2, pages + 1) if "list." in url]
            else:
                queue += [urljoin(url, f"index_{k}.html") for k in range(1, pages)]
        if total := re.search(r"totalRecord:(\d+)", text):
            service = f"{portal.site.origin}/TrueCMS/messageController/getMessage.do?columnId={portal.site.column_id}"
            rest = get(gateway, f"{service}&startrecord=6&endrecord={total[1]}").body.decode().replace('\\"', '"')
            found |= links(url, rest)
    return found


@pytest.mark.parametrize("day", DAYS)
@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_lists_lead_to_every_document(path, day: Day, day_1: Gateway, day_2: Gateway) -> None:
    source = yaml.safe_load(path.read_text(encoding="utf-8"))
    portal = next(p for p in build_portals(day) if p.site.id == path.stem)
    gateway = day_1 if day == 1 else day_2
    found = walk_lists(gateway, source, portal)
    wanted = {article.url for article in expected_articles(portal.site)}
    assert wanted <= found
    assert len(wanted) >= max(10, source["assertions"]["min_list_rows"])
    assert len(portal.site.pages) >= 2
    for url in found:
        assert get(gateway, url).status == 200, url


@pytest.mark.parametrize("day", DAYS)
def test_no_page_has_a_dead_link(day: Day) -> None:
    checked = 0
    for portal in build_portals(day):
        for path, resource in portal.resources.items():
            if not resource.content_type.startswith("text/html"):
                continue
            url = portal.site.origin + path
            for link in links(url, decode(resource.body)):
                parts = urlsplit(link)
                checked += 1
                assert find_resource(portal, parts.path, parts.query), f"{url} -> {link}"
    assert checked > 200


def test_every_source_file_belongs_to_a_site() -> None:
    sites = {portal.site.id: portal.site for portal in build_portals(1)}
    assert sorted(sites) == [path.stem for path in SOURCES]
    for path in SOURCES:
        source = yaml.safe_load(path.read_text(encoding="utf-8"))
        site = sites[path.stem]
        assert source["id"] == path.stem
        assert source["region_code"] == path.stem[:6] and path.stem.startswith("99")
        assert source["is_sandbox"] is True
        assert {urlsplit(start["url"]).netloc for start in source["start"]} == {site.host}
        assert site.host.endswith(".example")
        whole = {doc.report_year for doc in site.docs if doc.report_year and not doc.attachment}
        assert whole == set(source["assertions"]["report_years"])


def test_days_differ_in_one_changed_one_new_one_gone() -> None:
    before, after = details(1), details(2)
    changed = [url for url in before if url in after and before[url] != after[url]]
    new = [url for url in after if url not in before]
    gone = [url for url in before if url not in after]
    assert [len(changed), len(new), len(gone)] == [1, 1, 1]
    assert "lanhe" in changed[0] and "qiluan" in new[0] and "tingzhi" in gone[0]


def test_everything_else_is_the_same_on_day_2_with_the_same_validators() -> None:
    for first, second in zip(build_portals(1), build_portals(2), strict=True):
        moved = {
            path
            for path in first.resources.keys() | second.resources.keys()
            if first.resources.get(path) != second.resources.get(path)
        }
        documents = {urlsplit(a.url).path for p in (first, second) for a in expected_articles(p.site)}
        assert len(moved & documents) == (1 if first.site.place in ("岚禾县", "栖峦区", "汀芷县") else 0)
        lists = moved - documents
        has_list_change = first.site.place in ("栖峦区", "汀芷县")
        assert bool(lists) is has_list_change
        assert all("index" in p or p.endswith(("/qzf/", "fzzfjs.html")) for p in lists)


def test_gone_page_answers_404_and_new_page_is_on_top(day_1: Gateway, day_2: Gateway) -> None:
    (gone,) = [url for url in details(1) if url not in details(2)]
    (new,) = [url for url in details(2) if url not in details(1)]
    assert (get(day_1, gone).status, get(day_2, gone).status) == (200, 404)
    assert (get(day_1, new).status, get(day_2, new).status) == (404, 200)
    top = get(day_2, "https://www.qiluan.example/zwgk_318/zfxxgkml/fzzfjsnb/qzf/").body.decode()
    assert re.search(r'<li class="clearfix"><a href="\.([^"]*)"', top)[1] in new  # type: ignore[index]


def test_a_changed_page_has_new_validators(day_1: Gateway, day_2: Gateway) -> None:
    first, second = details(1), details(2)
    (changed,) = [url for url in first if url in second and first[url] != second[url]]
    old = get(day_1, changed).headers
    for name, value in (("If_None_Match", old["etag"]), ("If_Modified_Since", old["last-modified"])):
        assert get(day_1, changed, **{name: value}).status == 304
        assert get(day_2, changed, **{name: value}).status == 200


def test_builds_the_same_bytes_every_time() -> None:
    first = build_portals(1)
    build_portals.cache_clear()
    again = build_portals(1)
    assert [p.resources for p in first] == [p.resources for p in again]


def test_layouts_keep_their_traps() -> None:
    portals = {portal.site.layout: portal for portal in build_portals(1)}
    old = portals["cms_html"]
    page = old.resources[old.site.column_path]
    assert page.content_type == "text/html" and b"charset=gb2312" in page.body
    with pytest.raises(UnicodeDecodeError):
        page.body.decode("utf-8")
    feed = old.resources["/cms/jsp/rss.jsp?ColumnID=5120"].body.decode()
    assert "<pubDate>2020-37-18 02:37:05</pubDate>" in feed
    items = re.findall("<item>.*?<pubDate>(.*?)</pubDate>", feed, re.DOTALL)
    assert len(items) == 8 and len(set(items)) == 1
    assert feed.count("<![CDATA[<P") == 8
    true = portals["truecms"]
    page = true.resources[true.site.column_path]
    assert "ISO-8859-1" in page.content_type and "汀芷县" in page.body.decode("utf-8")
    assert (
        b"name2(" in page.body
        or b"name2("
        in true.services["/TrueCMS/messageController/getMessage.do"](
            {"columnId": true.site.column_id, "endrecord": "99"}
        ).body
    )
    for layout, mark in (("trs_cq", "document.write"), ("ucap", "channelid"), ("trs", "索 引 号")):
        assert all(
            mark in portals[layout].resources[urlsplit(article.url).path].body.decode()
            for article in expected_articles(portals[layout].site)
        )
    moved = [a for a in expected_articles(portals["trs"].site) if f"t{a.listed_date.replace('-', '')}_" not in a.url]
    assert len(moved) >= 3, "some addresses must name another day than that of publication"


def test_robots_of_each_host() -> None:
    rules = {portal.site.host: portal.site.robots for portal in build_portals(1)}
    assert any("Crawl-delay: 2" in text for text in rules.values())
    assert any("Disallow: /" in text for text in rules.values())
    assert all(text.startswith("User-agent: *\n") for text in rules.values())


def test_attachments_hold_their_text() -> None:
    kinds = set()
    for portal in build_portals(1):
        for article in expected_articles(portal.site):
            for url in article.attachment_urls:
                data = portal.resources[urlsplit(url).path].body
                kinds.add(url.rsplit(".", 1)[1])
                if url.endswith(".docx"):
                    text = "\n".join(p.text for p in docx.Document(io.BytesIO(data)).paragraphs)
                else:
                    document = pypdfium2.PdfDocument(data)
                    text = "".join(page.get_textpage().get_text_range() for page in document)
                    document.close()
                squeezed = re.sub(r"\s", "", text)
                assert squeezed == re.sub(r"\s", "", article.attachment_text or ""), url
                if article.report_year:
                    assert article.body == ""
    assert kinds == {"docx", "pdf"}
