"""The contract of every source: one test walks them all. A contract that is broken says where."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.contract import check_contract
from connectors.registry import default_ids, load_source, load_sources

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "connectors" / "sources"
SOURCES = load_sources([FOLDER])


@pytest.mark.parametrize("source_id", default_ids(SOURCES))
def test_the_contract_of_each_verified_source_holds(source_id: str) -> None:
    assert check_contract(FOLDER / f"{source_id}.yaml") == []


def test_at_least_thirty_more_portals_wait_for_a_crawl_to_confirm_them() -> None:
    waiting = [source for source in SOURCES.values() if not source.verified]
    assert len(waiting) >= 30
    assert len({source.engine for source in waiting}) >= 9
    for source in waiting:
        text = (FOLDER / f"{source.id}.yaml").read_text(encoding="utf-8")
        assert text.count("\n# ") >= 1, f"{source.id} states no fact of its portal"


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """The contract of one source in a folder of its own."""
    shutil.copy(FOLDER / "640324_tongxin.yaml", tmp_path)
    shutil.copytree(FOLDER / "fixtures" / "640324_tongxin", tmp_path / "fixtures" / "640324_tongxin")
    assert check_contract(tmp_path / "640324_tongxin.yaml") == []
    return tmp_path


def change_golden(folder: Path, change: Callable[[dict[str, list[dict[str, object]]]], object]) -> None:
    path = folder / "fixtures" / "640324_tongxin" / "golden.json"
    golden = json.loads(path.read_text(encoding="utf-8"))
    change(golden)
    path.write_text(json.dumps(golden), encoding="utf-8")


def edit_page(folder: Path, number: str, old: str, new: str) -> None:
    path = next((folder / "fixtures" / "640324_tongxin").glob(f"{number}-*"))
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: shutil.rmtree(folder / "fixtures"), "no readable fixture"),
        (lambda folder: change_golden(folder, lambda golden: golden["articles"].clear()), "no golden article"),
        (lambda folder: change_golden(folder, lambda golden: golden["lists"].clear()), "none of its start pages"),
        (lambda folder: change_golden(folder, lambda golden: golden["articles"][0].update(title="x")), "title is"),
        (
            lambda folder: change_golden(folder, lambda golden: golden["articles"][0].update(body="x")),
            "the body differs",
        ),
        (lambda folder: change_golden(folder, lambda golden: golden["lists"][0].update(rows=1)), "golden: 1"),
        (lambda folder: change_golden(folder, lambda golden: golden["lists"][0].update(more=9)), "names 1 pages"),
        (lambda folder: edit_page(folder, "00", "岚禾县", "岚和县"), "reads as 6 rows"),
        (lambda folder: edit_page(folder, "02", "PubDate", "PubDay"), "published_at is"),
    ],
)
def test_a_broken_contract_says_where(copied: Path, spoil: Callable[[Path], object], words: str) -> None:
    spoil(copied)
    problems = check_contract(copied / "640324_tongxin.yaml")
    assert any(words in problem for problem in problems), problems


def test_a_frame_in_the_body_is_a_leak(copied: Path) -> None:
    source = load_source(copied / "640324_tongxin.yaml")
    text = (copied / "640324_tongxin.yaml").read_text(encoding="utf-8")
    (copied / "640324_tongxin.yaml").write_text(text + "selectors: {body: body}\n", encoding="utf-8")
    problems = check_contract(copied / f"{source.id}.yaml")
    assert any("leaks into the body" in problem for problem in problems), problems
