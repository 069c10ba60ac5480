"""Drift: a layout that changed is noticed by what its pages lost; an odd page is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from connectors.archive import SnapshotRef, StoredPage
from connectors.base import Page, PageRef
from connectors.crawled import ReadPage, Seen
from connectors.drift import Drift, find_drift, load_shape
from connectors.engines import get_engine
from connectors.errors import ContractBroken
from connectors.registry import load_source
from extraction.decode import decode

FOLDER = Path(__file__).resolve().parents[2] / "connectors" / "sources"
SOURCE = load_source(FOLDER / "640324_tongxin.yaml")
FIXTURES = FOLDER / "fixtures" / SOURCE.id
SNAPSHOT = SnapshotRef("x.warc.gz", 0, 1, "0" * 64)


def night(change: Callable[[str], str], *, n_pages: int = 2, listed: str | None = "2025-01-01") -> Drift | None:
    """What is found of a night in which the recorded report came back, changed."""
    text = change(next(FIXTURES.glob("*-page.html")).read_text(encoding="utf-8"))
    url = f"{SOURCE.start[0].url}202501/t20250101_1.html"
    decoded = decode(text.encode(), "text/html; charset=utf-8")
    ref = PageRef(url, "岚禾县2024年法治政府建设情况报告", listed)
    article = get_engine(SOURCE.engine).read(Page(url, decoded), SOURCE, ref)
    now = datetime.now(UTC)
    seen = Seen(url, "page", None, None, SNAPSHOT, 200, "new", now)
    pages = [ReadPage(seen, ref, article, True, 2024)] * n_pages
    stored = StoredPage(text.encode(), "text/html; charset=utf-8", url, now, 200)
    return find_drift(SOURCE, load_shape([FOLDER], SOURCE.id), pages, lambda ref: stored)


def rename(text: str) -> str:
    for name in (
        "TRS_UEDITOR",
        "TRS_Editor",
        "trs_editor_view",
        "zwxl-article",
        "article-content",
        "Custom_UnionStyle",
        "view",
    ):
        text = text.replace(name, f"n{len(name)}")
    return text.replace('id="zoom"', 'id="z1"')


def drop_metas(text: str) -> str:
    return (
        text.replace("PubDate", "x")
        .replace("ContentSource", "y")
        .replace("发文时间", "甲")
        .replace("发布时间", "乙")
        .replace("来源", "丙")
    )


def test_the_recorded_layout_is_no_drift() -> None:
    assert night(lambda text: text) is None
    assert night(lambda text: text, n_pages=1) is None


def test_renamed_classes_are_noticed_with_a_repair() -> None:
    found = night(rename)
    assert found is not None
    assert "no container of its family" in str(found)
    assert found.repair is not None and found.repair.startswith("selectors: {body:")


def test_metas_and_labels_that_are_gone_are_noticed() -> None:
    found = night(drop_metas)
    assert found is not None
    assert "no page states its date" in str(found) and "no page states its source" in str(found)


def test_one_odd_page_proves_nothing() -> None:
    assert night(rename, n_pages=1) is None
    assert night(lambda text: text.replace("ContentSource", "y").replace("来源", "丙")) is None
    assert night(lambda text: drop_metas(rename(text)), n_pages=1) is not None


def test_a_source_without_golden_values_has_no_shape(tmp_path: Path) -> None:
    assert load_shape([tmp_path], SOURCE.id) is None
    folder = tmp_path / "fixtures" / SOURCE.id
    folder.mkdir(parents=True)
    (folder / "golden.json").write_text("{}", encoding="utf-8")
    with pytest.raises(ContractBroken, match=r"golden\.json"):
        load_shape([tmp_path], SOURCE.id)
