"""A fictional county and its pages, as engines are given them."""

from __future__ import annotations

from pathlib import Path

from connectors.base import Article, Listing, Page, PageRef
from connectors.engines import get_engine
from connectors.registry import Source
from extraction.decode import decode

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "tests" / "fixtures" / "engines"
SITE = "https://www.yunling.gov.cn"
CMS = f"{SITE}/cms/html/9/2023/20230105101112123456789/20230105101112123456789_1.html"
HEX = "0123456789abcdef0123456789abcdef"
UUID = "0a1b2c3d-0000-4000-8000-00000000000"


def make_source(engine: str, **more: object) -> Source:
    return Source.model_validate(
        {
            "id": "990101_yunling",
            "name_zh": "云岭县人民政府",
            "name_en": "Yunling County",
            "region_code": "990101",
            "engine": engine,
            "start": [{"url": f"{SITE}/fzzf/"}],
            "assertions": {"min_list_rows": 1, "report_years": [2022]},
            **more,
        }
    )


def make_page(text: str, url: str, kind: str = "html") -> Page:
    return Page(url, decode(text.encode("utf-8", "replace"), "text/html; charset=utf-8"), kind)


def discover(engine: str, text: str, url: str = f"{SITE}/fzzf/index.html", kind: str = "html") -> Listing:
    return get_engine(engine).discover(make_page(text, url, kind), make_source(engine))


def read(engine: str, text: str, url: str, ref: PageRef | None = None, kind: str = "html", **source: object) -> Article:
    return get_engine(engine).read(make_page(text, url, kind), make_source(engine, **source), ref)


def rows(listing: Listing) -> list[tuple[str, str | None, str | None]]:
    return [(ref.url.removeprefix(SITE), ref.title, ref.listed_date) for ref in listing.refs]
