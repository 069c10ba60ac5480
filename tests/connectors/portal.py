"""A fictional county's portal in TRS pages for tests of the crawl: lists of any length, pages with validators."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from connectors.registry import Source
from tests.servers import Site

HOST = "www.wuyou.example"
FOLDER = "/zwgk/fzzf/"
BASE = f"https://{HOST}{FOLDER}"


@dataclass(frozen=True)
class Item:
    """One listed page."""

    path: str
    title: str
    date: str
    body: str

    @property
    def target(self) -> str:
        return f"{FOLDER}{self.path}"

    @property
    def row(self) -> str:
        return f'<li><a href="./{self.path}" title="{self.title}">{self.title}</a><span>{self.date}</span></li>'

    @property
    def page(self) -> str:
        return (
            f'<html><head><meta charset="utf-8"><meta name="ArticleTitle" content="{self.title}">'
            f'<meta name="PubDate" content="{self.date} 09:30"></head><body><div class="TRS_Editor"><p>{self.body}</p>'
            "</div></body></html>"
        )


def item(number: int, title: str | None = None) -> Item:
    """A report of the year 2000 + number."""
    year = 2000 + number
    date = f"{year + 1}-02-11"
    return Item(
        f"{date[:7].replace('-', '')}/t{date.replace('-', '')}_{1000 + number}.html",
        title or f"乌有县{year}年法治政府建设情况报告",
        date,
        f"{year}年，全县收到行政复议申请{100 + number}件，受理{90 + number}件。各项工作按计划推进，没有遗漏。",
    )


def list_page(rows: Sequence[Item], pages: int, here: int, total: int | None = None) -> str:
    stated = f"<p>共 {total} 条</p>" if total is not None else ""
    return (
        f'<html><head><meta charset="utf-8"></head><body><ul class="list">{"".join(one.row for one in rows)}</ul>'
        f'{stated}<script>createPageHTML({pages}, {here}, "index", "html");</script></body></html>'
    )


def list_target(number: int) -> str:
    return FOLDER if number == 0 else f"{FOLDER}index_{number}.html"


def put_lists(site: Site, pages: Sequence[Sequence[Item]], *, total: int | None = None, etags: bool = True) -> None:
    """The lists' pages; what they answered before is forgotten."""
    for number, rows in enumerate(pages):
        body = list_page(rows, len(pages), number, total)
        headers = {"ETag": f'"{hash(body)}"'} if etags else {}
        site.forget(list_target(number))
        site.on(list_target(number), body, headers=headers)


def put_pages(site: Site, items: Sequence[Item], *, etags: bool = True) -> None:
    for one in items:
        site.forget(one.target)
        site.on(one.target, one.page, headers={"ETag": f'"{hash(one.page)}"'} if etags else {})


def put(site: Site, pages: Sequence[Sequence[Item]], *, total: int | None = None) -> None:
    """A whole portal."""
    site.forget("/robots.txt")
    site.on("/robots.txt", "User-agent: *\nDisallow: /secret/\n")
    put_lists(site, pages, total=total)
    put_pages(site, [one for rows in pages for one in rows])


def source(**changes: object) -> Source:
    return Source.model_validate(
        {
            "id": "990901_wuyou",
            "name_zh": "乌有县人民政府",
            "name_en": "Wuyou County",
            "region_code": "990901",
            "engine": "trs",
            "start": [{"url": BASE}],
            "assertions": {"min_list_rows": 3, "report_years": [2001]},
        }
        | changes
    )
