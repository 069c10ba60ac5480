"""The body without any selector: by prose, by exclusion, and honestly nowhere."""

from __future__ import annotations

import time

import pytest

from benchmarks.made_pages import KINDS, make_detail
from connectors.engines.generic import find_main
from connectors.engines.rows import find_addresses
from extraction.clean import clean_body, parse_html
from extraction.decode import decode

FRAME = (
    "<title>云岭县公示_云岭县政府</title><div class=header>云岭县政府，欢迎您。</div>"
    "<div class=nav><ul><li><a href=/>首页</a></ul></div>"
    "<div class=main><table class=xxgk><tr><th>索引号<td>990101/2024-1<th>发布机构<td>云岭县司法局</table>"
    "<h1>云岭县公示</h1><div class=info>发布时间：2024-05-06 来源：云岭县司法局</div>{}"
    "<div class=share>分享到：<a href=#>微信</a></div><p>打印本页</p></div>"
    "<div class=footer><p>主办单位：云岭县政府，版权所有。</p></div>"
)


def main_text(body: str) -> str | None:
    found = find_main(parse_html(FRAME.format(body)))
    return None if found is None else clean_body(found, base_url="https://www.yunling.gov.cn/").text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("<div class=x1><p>全年办结12件。</p><p>其余在办，年底结。</p></div>", "全年办结12件。\n其余在办，年底结。"),
        ("<div class=x1><p>全年<b>办结</b><span>1</span>2件。</p></div><p>简讯</p>", "全年办结12件。"),
        ("<div class=x1><table><tr><td>事项<td>数量<tr><td>清理文件<td>7</table></div>", "事项 | 数量\n清理文件 | 7"),
        ("<div class=x1><p>附件：抽查工作计划表</p></div>", "附件：抽查工作计划表"),
        ("<div class=x1><p>（图解内容见下图）</p><p>来源：云岭发布</p></div>", "（图解内容见下图）\n来源：云岭发布"),
    ],
)  # fmt: skip
def test_the_body_is_found_without_a_selector(body: str, text: str) -> None:
    assert main_text(body) == text


@pytest.mark.parametrize("body", ["", "<div><a href=/a.pdf>云岭县公示.pdf</a></div>", "<div><p>12</p></div>"])
def test_where_there_is_no_text_there_is_no_body(body: str) -> None:
    assert main_text(body) is None


def test_a_container_that_holds_the_labels_is_the_page_and_no_body() -> None:
    page = (
        "<div><p>文号：云府发〔2024〕3号</p><p>云岭县公告栏目</p><p>发布时间：2024-05-06</p><p>云岭县人民政府</p></div>"
    )
    assert find_main(parse_html(page)) is None


@pytest.mark.parametrize("number", range(4 * len(KINDS)))
def test_made_pages_are_read_whole_without_selectors(number: int) -> None:
    page = make_detail(number, "www.yunxiu.example")
    found = find_main(parse_html(decode(page.body, page.content_type).text))
    assert found is not None
    assert clean_body(found, base_url=page.url).text == page.text


@pytest.mark.parametrize(
    "evil",
    [
        "<div>" * 100_000,
        "<p>甲，" * 100_000,
        "<tr><td>文号" * 60_000,
        "<span>" * 50_000 + "乙。",
        "<div class=nav>" * 60_000,
    ],
)
def test_hostile_pages_cost_linear_time(evil: str) -> None:
    root = parse_html(evil)
    began = time.process_time()
    find_main(root)
    assert time.process_time() - began < 10


def test_addresses_are_those_of_urljoin() -> None:
    page = (
        "<a href=/a/b.html>1</a><a href=../c.html>2</a><a href='//x.example/d'>3</a><a href='/e/../f'>4</a>"
        "<a href='https://y.example/g'>5</a><a href='#top'>6</a><a href='javascript:void(0)'>7</a>"
        "<a>8</a><a href='?p=2'>9</a>"
    )
    assert find_addresses(parse_html(page), "https://www.yunling.gov.cn/zw/gk/i.html") == [
        "https://www.yunling.gov.cn/a/b.html",
        "https://www.yunling.gov.cn/zw/c.html",
        "https://x.example/d",
        "https://www.yunling.gov.cn/f",
        "https://y.example/g",
        "https://www.yunling.gov.cn/zw/gk/i.html?p=2",
    ]
