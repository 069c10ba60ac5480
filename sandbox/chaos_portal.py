"""The portal that each fault strikes: nine good documents on three list pages of a fictional county.

Layout TRS. One detail page, one list page, one attachment and the feed stand where a fault can strike them; the
rest is there to be lost, if a crawler lets one fault cost more than itself.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from html import escape

from sandbox.attachments import CONTENT_TYPES, render_attachment
from sandbox.model import Attachment, Resource, at

DOMAIN = "chaos.example"
COLUMN = "/zwgk/fzzf/"
FEED = "/rss/fzzf.xml"
INVENTED = "/fault/"
"""Where a fault's own addresses lie: redirect targets, made-up rows."""
COUNTY = "顽溪县"
YEARS = (2024, 2022, 2023, 2021, 2020, 2019)
"""Years of the reports in the order of the lists: two on each page."""
STRUCK_YEAR = 2022
_NOTICES = {1: "行政执法人员培训动态", 2: "法治政府建设督察公示", 3: "普法宣传活动剪影"}
_MODIFIED = at("2025-03-01 08:00")
_FILLER = "各乡镇、各部门按照年度计划推进法治政府建设，各项任务逐项落实，没有遗漏。"


def host_of(name: str) -> str:
    return f"{name.replace('_', '-')}.{DOMAIN}"


def list_path(number: int) -> str:
    """List pages count from 0; the first is the directory itself."""
    return f"{COLUMN}index_{number}.html" if number else COLUMN


def report_path(year: int) -> str:
    return f"{COLUMN}{year + 1}02/t{year + 1}0210_{year}1.html"


def notice_path(number: int) -> str:
    return f"{COLUMN}202503/t2025030{number}_900{number}.html"


STRUCK_PAGE = report_path(STRUCK_YEAR)
STRUCK_LIST = list_path(1)
STRUCK_FILE = f"{COLUMN}{STRUCK_YEAR + 1}02/P02023021000000001.docx"


def report_title(year: int) -> str:
    return f"{COUNTY}{year}年法治政府建设情况报告"


def report_lines(year: int) -> tuple[str, ...]:
    """Figures that differ from year to year: a page read as another's shows in the warehouse."""
    received = 100 + year % 100 * 7
    return (
        f"{year}年，全县收到行政复议申请{received}件，受理{received - 9}件，不予受理9件。",
        _FILLER,
        f"全年审查行政规范性文件{year % 100 + 3}件，举办法治讲座{year % 100 * 2}场。",
    )


def list_rows(number: int) -> list[str]:
    """The three rows of a list page, newest first."""
    reports = [
        list_row(report_path(year), report_title(year), f"{year + 1}-02-10")
        for year in YEARS[2 * number : 2 * number + 2]
    ]
    notice = list_row(notice_path(number + 1), COUNTY + _NOTICES[number + 1], f"2025-03-0{number + 1}")
    return [reports[0], notice, reports[1]]


def list_row(href: str, title: str, date: str) -> str:
    return f'<li><a href="{escape(href)}" title="{escape(title)}">{escape(title)}</a><span>{date}</span></li>'


def render_list(rows: list[str], number: int, *, pages: int = 3, total: int | None = 9, tail: str = "") -> str:
    stated = f"<span>共 {total} 条</span>" if total is not None else ""
    pager = f'<script>createPageHTML({pages}, {number}, "index", "html");</script>' if pages else ""
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>法治政府建设</title></head><body>{_top()}'
        f'<ul class="list">\n{chr(10).join(rows)}\n</ul><div class="page">{stated}{pager}{tail}</div></body></html>'
    )


def render_page(
    title: str, lines: tuple[str, ...], published: str, *, metas: str = "", before: str = "", after: str = ""
) -> str:
    body = "\n".join(f"<p>{escape(line)}</p>" for line in lines)
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>\n'
        f'<meta name="ArticleTitle" content="{title}"><meta name="PubDate" content="{published} 09:30">'
        f'<meta name="ContentSource" content="{COUNTY}司法局">{metas}</head><body>{_top()}{before}'
        f'<div class="TRS_Editor">\n{body}\n</div>{after}<div class="footer">{COUNTY}人民政府办公室主办</div>'
        "</body></html>"
    )


def _top() -> str:
    return (
        f'<div class="header"><a href="/">{COUNTY}人民政府</a></div>'
        f'<div class="nav"><a href="{COLUMN}">法治政府</a></div>'
    )


def _home() -> str:
    links = "".join(f'<li><a href="{COLUMN}?c={number}">栏目{number}</a></li>' for number in range(40))
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{COUNTY}人民政府</title></head>'
        f"<body>{_top()}<ul>{links}</ul></body></html>"
    )


def render_report(year: int, *, metas: str = "", before: str = "", after: str = "") -> str:
    published = f"{year + 1}-02-10"
    return render_page(report_title(year), report_lines(year), published, metas=metas, before=before, after=after)


def render_feed(items: tuple[tuple[str, str, str], ...], *, head: str = "") -> str:
    """`items`: address, title, pubDate as written."""
    rows = "".join(
        f"<item><title>{title}</title><link>{link}</link><pubDate>{date}</pubDate></item>\n"
        for link, title, date in items
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n{head}<rss version="2.0"><channel><title>法治政府建设</title>\n'
        f"{rows}</channel></rss>"
    )


def feed_items(host: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (f"https://{host}{report_path(year)}", report_title(year), f"{year + 1}-02-10 09:30:00") for year in YEARS
    )


def resource(text: str | bytes, content_type: str = "text/html; charset=utf-8") -> Resource:
    return Resource(text if isinstance(text, bytes) else text.encode(), content_type, _MODIFIED)


@cache
def build_portal(host: str, in_file: bool = False) -> Mapping[str, Resource]:
    """All good answers by path. `in_file`: the struck report's text is in its attachment, not on its page."""
    found = {
        "/robots.txt": resource("User-agent: *\nDisallow: /secret/\n", "text/plain"),
        "/": resource(_home()),
        FEED: resource(render_feed(feed_items(host)), "application/rss+xml"),
    }
    for number in range(3):
        page = resource(render_list(list_rows(number), number))
        found[list_path(number)] = page
        found[notice_path(number + 1)] = resource(
            render_page(COUNTY + _NOTICES[number + 1], (_FILLER, _FILLER), f"2025-03-0{number + 1}")
        )
    found[f"{COLUMN}index.html"] = found[COLUMN]
    for year in YEARS:
        found[report_path(year)] = resource(render_report(year))
    if in_file:
        title, name = report_title(STRUCK_YEAR), STRUCK_FILE.rpartition("/")[2]
        link = f'<div class="fj">附件：<a href="./{name}">{title}.docx</a></div>'
        found[STRUCK_PAGE] = resource(render_page(title, (), f"{STRUCK_YEAR + 1}-02-10", after=link))
        found[STRUCK_FILE] = resource(struck_docx(), CONTENT_TYPES["docx"])
    return found


@cache
def struck_docx() -> bytes:
    return render_attachment(Attachment("报告.docx", "docx", "\n".join(report_lines(STRUCK_YEAR))))


def source_id(name: str) -> str:
    """Of the behaviour's portal: sandbox regions lie under 99."""
    return f"{region_code(name)}_{name.replace('_', '')}"


def region_code(name: str) -> str:
    return f"99{int(hashlib.sha256(name.encode()).hexdigest(), 16) % 9000 + 1000}"


def source_yaml(name: str, *, with_feed: bool) -> str:
    """The source file of a behaviour's portal, to be saved as `<source id>.yaml`."""
    origin = f"https://{host_of(name)}"
    feed = f"\n  - url: {origin}{FEED}\n    kind: feed" if with_feed else ""
    return f"""id: {source_id(name)}
name_zh: {COUNTY}人民政府
name_en: Wanxi County ({name})
region_code: "{region_code(name)}"
engine: trs
is_sandbox: true
start:
  - url: {origin}{COLUMN}
    kind: list{feed}
wanted:
  other_pages: true
politeness:
  delay_seconds: 0
assertions:
  min_list_rows: 3
  report_years: [2024]
"""
