"""Quirks of the families that their replicas in tests/onboarding do not show."""

# ruff: noqa: E501 - markup as portals write it

from __future__ import annotations

import json

from connectors.base import PageRef
from tests.connectors.engine_pages import HEX, SITE, discover, read, rows

PROSE = "全县法治政府建设取得新进展，执法更加规范，服务更加便民，各项任务如期完成。"
ARTICLE = f"<p>{PROSE}</p><p>下一步，将继续压实责任，推动各项工作走深走实。</p>"
TEXT = f"{PROSE}\n下一步，将继续压实责任，推动各项工作走深走实。"


def test_hanweb_body_between_marks_alone_and_beside_a_title() -> None:
    url = f"{SITE}/art/2024/1/9/art_7_1.html"
    marks = "<meta name='ContentStart'>{}<meta name='ContentEnd'>"
    own = f"<meta name='PubDate' content='2024-01-09 08:30'><table><tr><td class='q1'>{marks.format(ARTICLE)}</td></tr></table>"
    assert read("hanweb", own, url).body.text == TEXT
    shared = f"<meta name='PubDate' content='2024-01-09 08:30'><div class='q2'><h2>某报告</h2><div class='q3'>{ARTICLE}</div></div>"
    assert read("hanweb", shared, url).body.text == TEXT
    single = f"<td><!--<$[信息内容]>begin--><div class='q4'>{ARTICLE}</div><!--<$[信息内容]>end--><p>分享到：</p></td>"
    assert read("hanweb", f"<table><tr>{single}</tr></table>", url).body.text == TEXT


def test_hanweb_generation_time_is_no_publication_time() -> None:
    page = (
        "<meta name='PubDate' content='2024-05-05 01:01:01'><meta name='Maketime' content='2024-05-05 01:01:01'>"
        f"<div>发布时间：2024-01-09 08:30</div><div id='zoom'>{ARTICLE}</div>"
    )
    got = read("hanweb", page, f"{SITE}/art/2024/1/9/art_7_1.html")
    assert (got.published_at, got.published_from) == ("2024-01-09T08:30:00+08:00", "label")


def test_hanweb_encrypted_groups_end_the_list() -> None:
    """A next group that holds nothing: 54 bytes, no row, no further call."""
    url = f"{SITE}/module/web/jpage/dataproxy.jsp?page=2&webid=1"
    listing = discover("hanweb", "<datastore><nextgroup></nextgroup></datastore>", url)
    assert (listing.refs, listing.more) == ((), ())


def test_hanweb_rows_stand_in_the_page_where_the_service_is_empty() -> None:
    page = (
        "<script type='text/xml'><datastore><recordset></recordset><totalrecord>1</totalrecord></datastore></script>"
        f"<ul><li><a href='/art/2024/art_{HEX}.html'>某县法治政府建设报告</a><span>2024-01-09</span></li></ul>"
    )
    listing = discover("hanweb", page, f"{SITE}/col/col7/index.html")
    assert rows(listing) == [(f"/art/2024/art_{HEX}.html", "某县法治政府建设报告", "2024-01-09")]


def test_gkmlpt_detail_that_is_no_json_and_one_without_body() -> None:
    url = f"{SITE}/gkmlpt/content/1/2/post_3.html"
    literal = "{title: '', 'title': \"某区年度报告\", \"content\": " + json.dumps(ARTICLE) + ", date: 1704760200,}"
    got = read("gkmlpt", f"<script>window._CONFIG = {{DETAIL: {literal} }}</script>", url)
    assert (got.title, got.published_at, got.body.text) == ("某区年度报告", "2024-01-09T08:30:00+08:00", TEXT)
    fields = {
        "title": "某区年度报告",
        "content": "",
        "attachment": [{"name": "报告.pdf", "url": "/attachment/0/1/a.pdf"}],
    }
    page = f"<script>_CONFIG.DETAIL = {json.dumps(fields)};</script>"
    got = read("gkmlpt", page, url, PageRef(url, "某区年度报告", "2024-01-09"))
    assert (got.published_at, got.published_from) == ("2024-01-09", "list")
    assert [(one.url, one.name) for one in got.attachments] == [(f"{SITE}/attachment/0/1/a.pdf", "报告.pdf")]
    assert "short_body" in got.notes


def test_gkmlpt_index_leads_to_the_lists_of_its_nodes() -> None:
    tree = "[{id: 1, name: '机构', children: [{id: 22, name: '法治政府建设', children: []}]}]"
    page = f"<script>window._CONFIG = {{SID: '7', TREE: {tree} }};</script>"
    listing = discover("gkmlpt", page, f"{SITE}/x/gkmlpt/index")
    assert listing.more == (f"{SITE}/x/gkmlpt/api/all/22?page=1&sid=7",)


def test_epoint_service_answer() -> None:
    data = [
        {
            "title": "某报告",
            "infourl": "/zwgk/20240109/0a1b2c3d-0000-4000-8000-000000000001.html",
            "infodate": "2024-01-09",
        }
    ]
    listing = discover("epoint", json.dumps({"custom": {"total": 1, "data": data}}), f"{SITE}/EWB-FRONT/rest/x")
    assert [(ref.title, ref.listed_date) for ref in listing.refs] == [("某报告", "2024-01-09")]
    assert listing.stated_total == 1


def test_a_page_one_link_is_no_further_page() -> None:
    page = (
        "<ul><li><a href='/info/1/100.htm'>某县法治政府建设报告</a><span>2024-01-09</span></li></ul>"
        "<a href='/list.jsp?c=1&p=1'>1</a><a href='/list.jsp?c=1&p=2'>2</a>"
    )
    assert discover("vsb", page, f"{SITE}/list.jsp?c=1").more == (f"{SITE}/list.jsp?c=1&p=2",)
