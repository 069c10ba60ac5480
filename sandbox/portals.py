"""Builds the five portals from `content/*.yaml` and `texts/*.txt`, as they are on day 1 or day 2."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from sandbox import layout_cms_html, layout_trs, layout_trs_cq, layout_truecms, layout_ucap
from sandbox.attachments import CONTENT_TYPES, render_attachment
from sandbox.markup import common_resources
from sandbox.model import Attachment, Day, Doc, Portal, Resource, Site, at

FOLDER = Path(__file__).resolve().parent
_LAYOUTS: Mapping[str, ModuleType] = {
    "trs": layout_trs,
    "trs_cq": layout_trs_cq,
    "ucap": layout_ucap,
    "cms_html": layout_cms_html,
    "truecms": layout_truecms,
}
_DAY_2 = at("2025-07-01 08:00")
"""Last-Modified of whatever changes between the days."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a perfect connector reads from one detail page."""

    url: str
    title: str
    published_at: str
    """A bare date never occurs here: each layout gives a time in its meta tags or its address."""
    listed_date: str
    source: str
    index_no: str | None
    document_no: str | None
    body: str
    attachment_urls: tuple[str, ...]
    attachment_text: str | None
    report_year: int | None


@cache
def build_portals(day: Day = 1) -> tuple[Portal, ...]:
    sites = (load_site(path, day) for path in _site_files())
    return tuple(_build_portal(site) for site in sorted(sites, key=lambda site: site.id))


def expected_articles(site: Site) -> tuple[Expected, ...]:
    """Newest first, one for each detail page of the site's column."""
    layout = _LAYOUTS[site.layout]
    return tuple(
        Expected(
            url=site.origin + layout.detail_path(site, doc),
            title=doc.title,
            published_at=doc.published_at,
            listed_date=doc.date,
            source=doc.source,
            index_no=doc.index_no,
            document_no=doc.document_no,
            body=doc.clean_body,
            attachment_urls=(site.origin + layout.attachment_path(site, doc),) if doc.attachment else (),
            attachment_text=doc.attachment.text if doc.attachment else None,
            report_year=doc.report_year,
        )
        for doc in site.docs
    )


def load_site(path: Path, day: Day) -> Site:
    data = _read_yaml(path)
    rows = data.pop("docs")
    prefix = data.pop("index_prefix", None)
    notices = _read_notices()
    docs = [_load_doc(row, data, prefix, notices, day) for row in rows if day in row.get("days", (1, 2))]
    docs.sort(key=lambda doc: doc.published, reverse=True)
    list_changes = day == 2 and any("days" in row for row in rows)
    modified = _DAY_2 if list_changes else max(at(doc.published) for doc in docs)
    return Site(docs=tuple(docs), lists_modified=modified, **data)


def _load_doc(
    row: Mapping[str, Any], site: Mapping[str, Any], prefix: str | None, notices: Mapping[str, Any], day: Day
) -> Doc:
    values = {"place": site["place"], "government": site["government"], "year": row["published"][:4]}
    values |= row.get("values", {})
    template = notices[row["notice"]] if "notice" in row else {}
    body = _read_text(row["text"]) if "text" in row else template.get("body", "").format(**values)
    modified = at(row["published"])
    if day == 2 and "corrected" in row:
        wrong, right = row["corrected"]
        if body.count(wrong) != 1:
            raise ValueError(f"{row['key']}: {wrong!r} must occur once in the text to be corrected")
        body, modified = body.replace(wrong, right), _DAY_2
    doc = Doc(
        key=row["key"],
        title=row.get("title", template.get("title", "")).format(**values),
        published=row["published"],
        source=row.get("source", template.get("source", "")).format(**values),
        body=body.strip(),
        modified=modified,
        created=row.get("created"),
        report_year=row.get("report_year"),
        document_no=row.get("document_no"),
        attachment=_load_attachment(row),
        on_both_days="days" not in row,
    )
    return replace(doc, index_no=f"{prefix}/{doc.published[:4]}-{doc.number(5)}") if prefix else doc


def _load_attachment(row: Mapping[str, Any]) -> Attachment | None:
    data = row.get("attachment")
    return Attachment(data["name"], data["kind"], _read_text(data["text"])) if data else None


def _build_portal(site: Site) -> Portal:
    layout = _LAYOUTS[site.layout]
    pages, services = layout.build_pages(site)
    resources: dict[str, Resource] = common_resources(site) | pages
    for doc in site.docs:
        if doc.attachment:
            content_type = CONTENT_TYPES[doc.attachment.kind]
            file = Resource(render_attachment(doc.attachment), content_type, doc.modified)
            resources[layout.attachment_path(site, doc)] = file
    return Portal(site, resources, services)


def _site_files() -> list[Path]:
    return [path for path in (FOLDER / "content").glob("*.yaml") if path.stem != "notices"]


@cache
def _read_notices() -> Mapping[str, Any]:
    return _read_yaml(FOLDER / "content" / "notices.yaml")


def _read_yaml(path: Path) -> dict[str, Any]:
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(data, dict)
    return data


def _read_text(name: str) -> str:
    return (FOLDER / "texts" / f"{name}.txt").read_text(encoding="utf-8").strip()
