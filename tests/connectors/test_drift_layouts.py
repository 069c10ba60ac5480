"""Drift over every recorded portal: what was held of a page against the same page in another layout."""

# ruff: noqa: E501 - markup as portals write it

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.archive import SnapshotRef, StoredPage
from connectors.base import Page, PageRef
from connectors.crawled import CrawlResult, Known, ReadPage, Seen
from connectors.drift import Drift, explain_failure, find_drift, find_list_changes, load_shape
from connectors.engines import get_engine
from connectors.errors import ContractBroken, SourceChanged, SourceError
from connectors.registry import Source, default_ids, load_sources
from extraction.decode import decode

FOLDER = Path(__file__).resolve().parents[2] / "connectors" / "sources"
SOURCES = load_sources([FOLDER])
NOW = datetime.now(UTC)
Change = Callable[[str], str]


def other_names(text: str) -> str:
    """As a rebuilt template has them: also where no quotes stand around them."""
    text = re.sub(r"""\b(class|id)\s*=\s*(["'])[^"']*\2""", r"\1=\2neu\2", text)
    return re.sub(r"\b(class|id)=[\w-]+", r"\1=neu", text)


def move_metadata(text: str) -> str:
    """The labels that stood before the body stand in a box behind it."""
    found = re.search(r"<table(?:(?!</table>).)*?(?:索\s*引\s*号|发布机构)(?:(?!</table>).)*?</table>", text, re.S)
    found = found or re.search(r"<div class=\"xxgkml-content.*?(?=<div class=\"article-content)", text, re.S)
    if found is None:
        return text
    return text.replace(found[0], "").replace("</body>", f"<div>{found[0]}</div></body>")


def no_labels(text: str) -> str:
    for word in ("发文日期", "发文时间", "发布日期", "发布时间", "生成日期", "日期：", "来源", "索引号", "索 引 号"):
        text = text.replace(word, "某项")
    return re.sub(r"<meta[^>]*(?:PubDate|ContentSource)[^>]*>", "", text, flags=re.I)


def edited(text: str) -> str:
    """No other layout: an editor changed the text."""
    return text.replace("。", "。经核实，有关数字已更正。", 1)


def by_script(text: str) -> str:
    """Rows and pages come from a script that nobody runs."""
    text = re.sub(r"<datastore.*?</datastore>|<(li|tr)\b.*?</\1>", "", text, flags=re.S | re.I)
    return re.sub(r"<a\s[^>]*>.*?</a>", "", text, flags=re.S | re.I)


class Held:
    """A source's recorded pages as an earlier night's, and as tonight's."""

    def __init__(self, source_id: str) -> None:
        self.source: Source = SOURCES[source_id]
        folder = FOLDER / "fixtures" / source_id
        self.golden = json.loads((folder / "golden.json").read_text(encoding="utf-8"))
        entries = [json.loads(line) for line in (folder / "pages.jsonl").read_text(encoding="utf-8").splitlines()]
        self.entries: dict[str, dict[str, Any]] = {entry["url"]: entry for entry in entries}
        self.bodies = {
            url: decode((folder / entry["file"]).read_bytes(), entry.get("content_type")).text
            for url, entry in self.entries.items()
        }
        self.engine = get_engine(self.source.engine)
        self.stored: dict[str, str] = {}

    def keep(self, text: str) -> SnapshotRef:
        name = str(len(self.stored))
        self.stored[name] = text
        return SnapshotRef(name, 0, 1, "0" * 64)

    def load(self, ref: SnapshotRef) -> StoredPage:
        return StoredPage(self.stored[ref.file].encode(), "text/html; charset=utf-8", "http://x.example/", NOW, 200)

    def known(self) -> dict[str, Known]:
        start = self.source.start[0].url
        kinds = {one["url"]: "list" for one in self.golden["lists"]}
        return {
            url: Known(url, kinds.get(url, "page"), snapshot=self.keep(text), found_on=start, title="x")
            for url, text in self.bodies.items()
        }

    def night(self, change: Change) -> Drift | None:
        known = self.known()
        return find_drift(self.source, load_shape([FOLDER], self.source.id), self.pages(change), self.load, known)

    def pages(self, change: Change) -> list[ReadPage]:
        pages = []
        for one in self.golden["articles"]:
            url = one["url"]
            text = change(self.bodies[url])
            ref = PageRef(url, one.get("listed_title"), one.get("listed_date"))
            article = self.engine.read(Page(url, decode(text.encode(), "text/html; charset=utf-8")), self.source, ref)
            seen = Seen(url, "page", None, None, self.keep(text), 200, "changed", NOW)
            pages.append(ReadPage(seen, ref, article, True, 2024))
        return pages

    def lists(self, change: Change, listed: int = 45) -> CrawlResult:
        result = CrawlResult(self.source, listed=listed)
        for one in self.golden["lists"]:
            url = one["url"]
            text = change(self.bodies[url])
            result.seen.append(Seen(url, "list", None, None, self.keep(text), 200, "changed", NOW))
            page = Page(url, decode(text.encode(), "text/html; charset=utf-8"))
            with suppress(SourceError):
                rows = self.engine.discover(page, self.source).refs
                result.listed_days[url] = [ref.listed_date for ref in rows if ref.listed_date]
        return result


@pytest.fixture(params=default_ids(SOURCES))
def held(request: pytest.FixtureRequest) -> Held:
    return Held(request.param)


def test_an_edited_text_is_no_drift(held: Held) -> None:
    assert held.night(lambda text: text) is None
    assert held.night(edited) is None


def test_other_names_are_noticed_though_all_may_be_read(held: Held) -> None:
    found = held.night(other_names)
    assert found is not None
    assert any("other names" in words for words in found.evidence)


def test_a_person_who_states_the_body_has_seen_the_layout(held: Held) -> None:
    selectors = held.source.selectors.model_copy(update={"body": "body"})
    held.source = held.source.model_copy(update={"selectors": selectors})
    found = held.night(other_names)
    assert found is None or not any("other names" in words for words in found.evidence)


def test_metadata_that_moved_is_noticed(held: Held) -> None:
    sample = held.bodies[held.golden["articles"][0]["url"]]
    found = held.night(move_metadata)
    if move_metadata(sample) == sample:
        assert found is None, "this portal has no metadata table to move"
    else:
        assert found is not None and any("does not stand where" in words for words in found.evidence)


@pytest.mark.parametrize("source_id", ["320706_haizhou", "360112_xinjian", "640324_tongxin"])
def test_fields_that_are_gone_are_noticed(source_id: str) -> None:
    """Of the others, one states its time in the address, and one its date in words that are no label."""
    found = Held(source_id).night(no_labels)
    assert found is not None and any("no page states its" in words for words in found.evidence)


def test_raw_pages_of_earlier_nights_that_are_lost_say_nothing_of_the_layout(held: Held) -> None:
    """Else a source whose archive lost a list would fail every night: what failed is not recorded as had anew."""

    def lost(ref: SnapshotRef) -> StoredPage:
        if ref.file == "lost":
            raise ContractBroken("raw page cannot be read")
        return held.load(ref)

    known = {url: replace(one, snapshot=SnapshotRef("lost", 0, 1, "0" * 64)) for url, one in held.known().items()}
    assert find_list_changes(held.source, held.lists(other_names), lost, known) == []
    pages = held.pages(lambda text: text)
    assert find_drift(held.source, load_shape([FOLDER], held.source.id), pages, lost, known) is None


def test_a_list_with_other_names_is_told_and_still_read(held: Held) -> None:
    known = held.known()
    assert find_list_changes(held.source, held.lists(lambda text: text), held.load, known) == []
    (told,) = find_list_changes(held.source, held.lists(other_names), held.load, known)
    assert "layout-changed" in told and "read all the same" in told


def test_a_list_that_shrinks_without_a_reason_is_told(held: Held) -> None:
    known = held.known() | {
        f"http://x.example/{number}": Known(
            f"http://x.example/{number}", "page", title="x", found_on=held.source.start[0].url
        )
        for number in range(60)
    }
    (told,) = find_list_changes(held.source, held.lists(lambda text: text, listed=20), held.load, known)
    assert "list shrank" in told
    result = held.lists(lambda text: text, listed=20)
    result.fail("http://x.example/list_2.html", SourceChanged("a list page was not had"))
    assert find_list_changes(held.source, result, held.load, known) == [], "a page that was not had explains it"


def test_a_list_without_rows_is_a_change_of_layout(held: Held) -> None:
    told = explain_failure(held.source, held.lists(by_script, 0), held.load, held.known())
    assert told is not None and "no row any more" in str(told)
    assert explain_failure(held.source, held.lists(lambda text: text), held.load, held.known()) is None


def test_rows_that_only_the_generic_engine_reads_lead_to_a_repair(held: Held) -> None:
    """The portal moved to a CMS of another family: its lists are there, at other addresses."""
    host = held.source.hosts[0]
    rows = "".join(
        f"<li><a href='http://{host}/xxgk/detail/{number}.html'>某县第{number}号通知</a><span>2025-01-{number % 28 + 1:02d}</span></li>"
        for number in range(100, 160)
    )
    told = explain_failure(held.source, held.lists(lambda text: f"<ul>{rows}</ul>", 0), held.load, held.known())
    assert told is not None and told.repair == "engine: generic"


def test_bodies_that_nobody_can_read_lead_to_a_repair() -> None:
    held = Held("640324_tongxin")
    result = held.lists(lambda text: text)
    for one in held.golden["articles"]:
        text = other_names(held.bodies[one["url"]]).replace("<body", "<body><div class='hauptteil'", 1)
        result.unreadable.append(Seen(one["url"], "page", None, None, held.keep(text), 200, "changed", NOW))
    told = explain_failure(held.source, result, held.load, held.known())
    assert told is not None and "hold no body" in str(told)


def test_days_in_no_order_are_told() -> None:
    held = Held("640324_tongxin")
    rows = "".join(
        f"<li><a href='./202501/t20250101_{number}.html'>某县第{number}号通知</a><span>2025-{number * 7 % 12 + 1:02d}-{number * 11 % 28 + 1:02d}</span></li>"
        for number in range(100, 130)
    )
    notes = find_list_changes(held.source, held.lists(lambda text: f"<ul>{rows}</ul>"), held.load, {})
    assert notes and "no order" in notes[0]
