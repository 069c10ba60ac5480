"""Faults of lists and feeds: without end, in circles, shifting, short, double, damaged."""

from __future__ import annotations

import codecs
import re

from sandbox.chaos_model import Behaviour, Exchange
from sandbox.chaos_portal import (
    COLUMN,
    YEARS,
    feed_items,
    list_path,
    list_row,
    list_rows,
    notice_path,
    render_feed,
    render_list,
    report_path,
    report_title,
)

_RSS = "application/rss+xml; charset=utf-8"


def _number(x: Exchange) -> int:
    found = re.search(r"index_(\d+)\.", x.path)
    return int(found[1]) if found else 0


async def _last_page_again(x: Exchange) -> None:
    number = min(_number(x), 2)
    await x.reply(render_list(list_rows(number), _number(x), pages=900, total=None))


async def _same_rows_new_address(x: Exchange) -> None:
    """Each page has a next page, which is the last page with a new query."""
    if "?" not in x.request.target:
        tail = f'<a href="{x.path}?page=1">下一页</a>'
        rows = [row for number in range(3) for row in list_rows(number)]
    else:
        number = int(x.request.target.rpartition("=")[2])
        tail, rows = f'<a href="{x.path}?page={number + 1}">下一页</a>', list_rows(2)
    await x.reply(render_list(rows, 0, pages=0, total=None, tail=tail))


async def _calendar(x: Exchange) -> None:
    """The last list page leads to a calendar: a month without rows, with a link to the next, for ever."""
    month = _number(x) - 2
    if month < 0:
        await x.behave()
        return
    tail = f'<a href="index_{month + 3}.html">下一页</a>'
    rows = list_rows(2) if month == 0 else []
    await x.reply(render_list(rows, 0, pages=0, total=None, tail=tail))


async def _circle(x: Exchange) -> None:
    number = _number(x) % 3
    tail = f'<a href="{list_path((number + 1) % 3).rpartition("/")[2] or "index.html"}">下一页</a>'
    await x.reply(render_list(list_rows(number), 0, pages=0, total=None, tail=tail))


async def _pushed_down(x: Exchange) -> None:
    """A row came in on top while the list was being paged: each later page begins with its neighbour's last row."""
    before = list_rows(_number(x) - 1)[-1:] if _number(x) else []
    await x.reply(render_list([*before, *list_rows(_number(x))], _number(x)))


async def _pulled_up(x: Exchange) -> None:
    """A row left page one after it was read: the first row of each later page has gone to the page before.

    Whoever asks for the earlier pages again finds it."""
    rows = [row for number in range(3) for row in list_rows(number)]
    if x.path == COLUMN and x.request.number == 1:
        await x.reply(render_list(rows[:3], 0))
        return
    rows.pop(1)
    number = _number(x)
    await x.reply(render_list(rows[3 * number : 3 * number + 3], number))


async def _empty_once(x: Exchange) -> None:
    if x.request.number > 1:
        await x.behave()
    else:
        await x.reply(render_list([], 1))


async def _empty_always(x: Exchange) -> None:
    await x.reply(render_list([], 1))


async def _wrong_total(x: Exchange) -> None:
    await x.reply(render_list(list_rows(_number(x)), _number(x), total=500))


async def _same_row_in_five_spellings(x: Exchange) -> None:
    path, title = report_path(YEARS[2]), report_title(YEARS[2])
    spellings = (
        path,
        f"http://{x.host}{path}",
        f"{path};jsessionid=8A1F",
        f"./../fzzf/{path.removeprefix(COLUMN)}#top",
        path.replace("zwgk", "%7Awgk"),
    )
    await x.reply(render_list([*(list_row(one, title, "2024-02-10") for one in spellings), *list_rows(1)], 1))


async def _same_title_twice(x: Exchange) -> None:
    """Two ids, one title, as editors leave them. Both are documents."""
    rows = list_rows(_number(x))
    if x.path == list_path(2):
        rows[1] = list_row(notice_path(3), report_title(YEARS[4]), f"{YEARS[4] + 1}-02-10")
    await x.reply(render_list(rows, _number(x)))


async def _strangers(x: Exchange) -> None:
    rows = [
        list_row(
            "https://www.yuanfang.example/zwgk/202403/t20240301_77.html",
            "远方市2023年法治政府建设情况报告",
            "2024-03-01",
        ),
        list_row("http://127.0.0.1/zwgk/202403/t20240301_78.html", "本机2023年法治政府建设情况报告", "2024-03-01"),
        list_row("javascript:void(0)", "脚本打开的页面", "2024-03-01"),
        list_row("data:text/html,t20240301_80.html", "内嵌的页面", "2024-03-01"),
        list_row("http://[/t20240301_81.html", "写错的地址", "2024-03-01"),
    ]
    await x.reply(render_list([*rows, *list_rows(1)], 1))


async def _first_by_script(x: Exchange) -> None:
    if x.path == COLUMN:
        await x.reply('<html><head><script>location.href="index.html";</script></head><body></body></html>')
    else:
        await x.behave()


async def _impossible_dates(x: Exchange) -> None:
    dates = iter(("2025-02-31", "0000-00-00", "2019-21-18"))
    rows = [re.sub(r"<span>[\d-]+", lambda _: f"<span>{next(dates)}", row) for row in list_rows(1)]
    await x.reply(render_list(rows, 1))


async def _many_rows(x: Exchange) -> None:
    await x.reply(render_list(list_rows(1) * 500, 1))


async def _no_list(x: Exchange) -> None:
    await x.reply("<html><body><h1>栏目调整</h1><p>本栏目内容已迁移至政务公开平台，请从首页进入。</p></body></html>")


async def _no_rows(x: Exchange) -> None:
    await x.reply(render_list([], _number(x), pages=1, total=0))


async def _month_21(x: Exchange) -> None:
    items = tuple((link, title, f"{date[:4]}-21-18 04:21:54") for link, title, date in feed_items(x.host))
    await x.reply(
        render_feed(items).replace("<item>", "<pubDate>2019-21-18 04:21:54</pubDate><item>", 1), content_type=_RSS
    )


async def _feed_cut(x: Exchange) -> None:
    await x.reply(x.good.body[: len(x.good.body) * 2 // 3], content_type=_RSS)


async def _feed_bomb(x: Exchange) -> None:
    lines = ['<!DOCTYPE rss [<!ENTITY a0 "法治政府建设情况报告">']
    lines += [f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10)]
    text = render_feed(feed_items(x.host), head="\n".join(lines) + "]>\n")
    await x.reply(text.replace("</title><link>", "&a9;</title><link>"), content_type=_RSS)


async def _feed_file(x: Exchange) -> None:
    head = '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname"><!ENTITY % y SYSTEM "http://127.0.0.1/"> %y;]>'
    text = render_feed(feed_items(x.host), head=head)
    await x.reply(text.replace("</title><link>", "&x;</title><link>"), content_type=_RSS)


async def _feed_is_page(x: Exchange) -> None:
    await x.reply("<html><body><h1>RSS订阅</h1><p>订阅服务已停止，请直接访问网站栏目。</p></body></html>")


async def _feed_dirt(x: Exchange) -> None:
    text = x.good.body.decode().replace("</title>", "\x0b\x1f&nbsp;A&B</title>").replace("<rss", "\n<rss", 1)
    await x.reply(codecs.BOM_UTF8 + b"\n" + text.encode(), content_type=_RSS)


async def _feed_strangers(x: Exchange) -> None:
    items = tuple(
        (link.replace(x.host, "www.yuanfang.example"), title, date) for link, title, date in feed_items(x.host)
    )
    await x.reply(render_feed((*items[:3], *feed_items(x.host)[3:])), content_type=_RSS)


async def _feed_twice(x: Exchange) -> None:
    await x.reply(render_feed(feed_items(x.host) * 100), content_type=_RSS)


async def _feed_prefix(x: Exchange) -> None:
    text = x.good.body.decode().replace("<item>", "<item><dc:creator>县司法局</dc:creator><content:encoded/>")
    await x.reply(text, content_type=_RSS)


async def _feed_no_addresses(x: Exchange) -> None:
    text = x.good.body.decode().replace("<item>", "<item><title>通知</title></item><item>", 1)
    await x.reply(text, content_type=_RSS)


async def _feed_many(x: Exchange) -> None:
    items = "".join(f"<item><title>{number}</title></item>" for number in range(5000))
    await x.reply(x.good.body.decode().replace("</channel>", f"{items}</channel>"), content_type=_RSS)


async def _deep_list(x: Exchange) -> None:
    await x.reply(x.good.body.decode().replace('<ul class="list">', "<div>" * 600 + '<ul class="list">'))


async def _sessions(x: Exchange) -> None:
    session = f".html;jsessionid={x.request.total:032X}?utm_source=list"
    await x.reply(x.good.body.decode().replace(".html", session))


async def _list_cut(x: Exchange) -> None:
    await x.reply(x.good.body[: x.good.body.rindex(b"<li>") + 40])


LISTS = (
    Behaviour(
        "list_by_script", "begins its list with a stub whose script leads to it", "lists", "read", _first_by_script
    ),
    Behaviour("list_endless", "gives its last page again for each further number", "lists", "read", _last_page_again),
    Behaviour("list_new_addresses", "leads on by new addresses with old rows", "lists", "read", _same_rows_new_address),
    Behaviour("list_calendar", "leads to empty months without end", "lists", "read", _calendar),
    Behaviour("list_circle", "leads from its last page to its first", "lists", "read", _circle),
    Behaviour("list_pushed_down", "gets a new row on top while it is paged", "lists", "read", _pushed_down),
    Behaviour(
        "list_pulled_up",
        "loses a row while it is paged, so that others move up",
        "lists",
        "finding",
        _pulled_up,
        note="shortfall",
    ),
    Behaviour("list_empty_once", "sends an empty page in mid-list, once", "list", "read", _empty_once),
    Behaviour(
        "list_empty_always", "sends an empty page in mid-list", "list", "finding", _empty_always, note="shortfall"
    ),
    Behaviour("list_wrong_total", "states 500 rows and has nine", "lists", "read", _wrong_total, note="shortfall"),
    Behaviour(
        "list_five_spellings", "lists one page under five spellings", "list", "read", _same_row_in_five_spellings
    ),
    Behaviour("list_same_title", "lists one title and day under two ids", "lists", "read", _same_title_twice),
    Behaviour(
        "list_strangers", "lists pages of other hosts, scripts and data", "list", "read", _strangers, note="hosts"
    ),
    Behaviour("list_impossible_dates", "prints dates that cannot be", "list", "read", _impossible_dates),
    Behaviour("list_repeats", "lists the same three rows five hundred times", "list", "read", _many_rows),
    Behaviour("list_moved", "says that the column has moved", "list", "finding", _no_list, note="shortfall"),
    Behaviour("lists_emptied", "sends its lists without a row", "lists", "source_changed", _no_rows, night=2),
    Behaviour("list_deep", "nests its rows in 600 elements", "list", "finding", _deep_list, note="list page cut"),
    Behaviour(
        "list_cut", "breaks off in a row, at its stated length", "list", "finding", _list_cut, note="list page cut"
    ),
    Behaviour("list_sessions", "writes a session id into each address of its rows", "list", "read", _sessions),
    Behaviour("feed_undeclared", "uses prefixes of names that it does not declare", "feed", "read", _feed_prefix),
    Behaviour("feed_no_addresses", "has items without an address", "feed", "read", _feed_no_addresses),
    Behaviour("feed_many", "has 5,000 items", "feed", "read", _feed_many, note="shortfall"),
    Behaviour("feed_month_21", "dates its items in month 21", "feed", "read", _month_21),
    Behaviour("feed_cut", "cuts the feed in the middle of an item", "feed", "read", _feed_cut, note="list page cut"),
    Behaviour("feed_entity_bomb", "defines entities that grow to 10^9 copies", "feed", "read", _feed_bomb),
    Behaviour("feed_external_entity", "asks for a local file as an entity", "feed", "read", _feed_file),
    Behaviour("feed_is_page", "sends a web page for the feed", "feed", "source_changed", _feed_is_page),
    Behaviour(
        "feed_dirt", "puts control characters, marks and bare ampersands into the feed", "feed", "read", _feed_dirt
    ),
    Behaviour(
        "feed_strangers", "lists pages of another host in the feed", "feed", "read", _feed_strangers, note="hosts"
    ),
    Behaviour("feed_repeats", "lists each item a hundred times", "feed", "read", _feed_twice),
)
