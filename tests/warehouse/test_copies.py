"""The same report in several places: linked by shingles, the original by evidence, differences shown."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Engine

from tests.warehouse.builders import batch, report
from tests.warehouse.conftest import load
from warehouse.copies import Text, find_copies, link

SENTENCES = tuple(
    f"第{number}项工作方面，全县共办理事项{number * 37 + 11}件，组织检查{number * 5 + 3}次，各乡镇取得新的成效。"
    for number in range(1, 25)
)
TEXT = "\n".join(SENTENCES)


def text(name: str, body: str = TEXT, **more: object) -> Text:
    one = Text(name, "990101_yunshui", "2024-01-20T09:30:00+08:00", None, 2023, False, body)
    return replace(one, **more)  # type: ignore[arg-type]


def test_a_copy_with_a_paragraph_added_is_linked_and_the_paragraph_shown() -> None:
    forged = TEXT.replace(SENTENCES[10], SENTENCES[10] + "\n热烈祝贺某某平台上线，欢迎广大群众注册。")
    (found,) = link([text("b.example/2", forged, published_at="2024-03-01"), text("a.example/1")])
    assert (found.original_id, found.copy_id) == ("a.example/1", "b.example/2")
    assert not found.is_identical and found.shared > 0.9
    assert any("热烈祝贺" in theirs and not ours for ours, theirs in found.differences)


def test_the_original_is_chosen_by_evidence() -> None:
    home = text("z.example/1", is_home=True, published_at="2024-05-01")
    numbered = text("y.example/1", index_no="1/2024", published_at="2024-04-01")
    early = text("x.example/1", published_at="2024-01-01")
    plain = text("w.example/1")
    told = {(one.original_id[0], one.copy_id[0]): one.evidence for one in link([home, numbered, early, plain])}
    assert told == {
        ("z", "y"): "on the portal of its own place",
        ("z", "x"): "on the portal of its own place",
        ("z", "w"): "on the portal of its own place",
        ("y", "x"): "it has an index number",
        ("y", "w"): "it has an index number",
        ("x", "w"): "published earlier",
    }
    assert link([text("b/1"), text("a/1")])[0].evidence.startswith("none")


def test_other_reports_and_other_years_are_no_copies() -> None:
    other = "\n".join(
        one.replace("全县", "全市").replace("乡镇", "街道").replace("组织检查", "开展巡查") for one in SENTENCES
    )
    assert link([text("a/1"), text("b/1", other)]) == []
    assert link([text("a/1"), text("b/1", year=2022)]) == []
    assert len(link([text("a/1"), text("b/1", year=None)])) == 1


def test_blanks_and_breaks_do_not_matter() -> None:
    (found,) = link([text("a/1"), text("b/1", TEXT.replace("，", "， ").replace("\n", "\n\n"))])
    assert found.is_identical and found.shared == 1.0 and found.differences == ()


def test_copies_in_a_warehouse(engine: Engine) -> None:
    changed = TEXT.replace(SENTENCES[3], "")
    load(engine, batch(report(2023, TEXT, name="one"), report(2023, changed, name="two", index_no="990101/2024-1")))
    (found,) = find_copies(engine)
    assert found.original_id.endswith("two.html") and found.evidence == "it has an index number"
    assert [bool(ours) for ours, _ in found.differences] == [False]
