"""Versions of documents: new texts, other titles, vanished pages, one text at two addresses."""

from __future__ import annotations

from sqlalchemy import Engine

from tests.warehouse.builders import HOST, at, batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B, check_validity, rows, versions
from warehouse.batch import SnapshotRef
from warehouse.schema import (
    fact_metric_value,
    fact_observation,
)


def test_text_a_then_b_then_a_gives_three_versions(engine: Engine) -> None:
    for i, text in enumerate((A, B, A)):
        result = load(engine, batch(report(2020, text, day=i), run=f"r{i}", day=i))
        assert (result.documents_new, result.documents_changed) == ((1, 0) if i == 0 else (0, 1))
    found = versions(engine, f"{HOST}/2020.html")
    assert [(r["version_no"], r["occurrence"]) for r in found] == [(1, 1), (2, 1), (3, 2)]
    assert found[0]["valid_from"].isoformat() == "2021-01-20T01:30:00+00:00"
    assert (found[1]["valid_from"], found[2]["valid_from"]) == (at(1), at(2))
    per_version = [
        len([o for o in rows(engine, fact_observation) if o["document_key"] == r["document_key"]]) for r in found
    ]
    assert per_version == [5, 3, 5]
    values = {v["observation_key"] for v in rows(engine, fact_metric_value)}
    current = {
        o["observation_key"] for o in rows(engine, fact_observation) if o["document_key"] == found[2]["document_key"]
    }
    assert values == current
    check_validity(engine)


def test_other_title_and_date_update_in_place(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    changed = report(2020, A, day=1, title="更正后的标题", published="2021-02-03", region_code="990102")
    result = load(engine, batch(changed, run="r2", day=1))
    assert (result.documents_updated, result.documents_changed, result.observations) == (1, 0, 0)
    (version,) = versions(engine, f"{HOST}/2020.html")
    assert (version["title"], version["published_date_key"]) == ("更正后的标题", 20210203)
    facts = rows(engine, fact_observation)
    assert {f["published_date_key"] for f in facts} == {20210203}
    assert {f["region_key"] for f in facts} == {version["region_key"]}
    assert {v["region_key"] for v in rows(engine, fact_metric_value)} == {version["region_key"]}


def test_bytes_that_were_lost_and_kept_anew_are_found_where_they_are_now(engine: Engine) -> None:
    def seen(day: float, file: str, bytes_hash: str) -> None:
        ref = SnapshotRef(file, 10, 20, bytes_hash)
        load(engine, batch(report(2020, A, day=day, snapshot=ref, bytes_hash=bytes_hash), run=f"r{day}", day=day))

    def place() -> tuple[str, str]:
        (version,) = versions(engine, f"{HOST}/2020.html")
        return version["snapshot_file"], version["bytes_hash"]

    seen(0, "first.warc.gz", "b")
    seen(1, "again.warc.gz", "b")
    assert place() == ("again.warc.gz", "b")
    seen(2, "other.warc.gz", "c")
    assert place() == ("again.warc.gz", "b"), "other bytes of the same text: those it was first met in stay"


def test_an_older_reading_does_not_overwrite_a_newer_title(engine: Engine) -> None:
    load(engine, batch(report(2020, A, day=3, title="新"), run="r3", day=3))
    assert load(engine, batch(report(2020, A, day=1, title="旧"), run="r1", day=1)).is_unchanged
    assert versions(engine, f"{HOST}/2020.html")[0]["title"] == "新"


def test_a_page_that_vanishes_is_gone_and_its_facts_stay(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    values = rows(engine, fact_metric_value)
    result = load(engine, batch(run="r2", day=1, gone=(f"{HOST}/2020.html", f"{HOST}/never-seen.html")))
    assert result.documents_gone == 1 and versions(engine, f"{HOST}/2020.html")[0]["is_gone"]
    assert rows(engine, fact_metric_value) == values
    again = load(engine, batch(run="r3", day=2, gone=(f"{HOST}/2020.html",)))
    assert again.is_unchanged and again.documents_gone == 0
    back = load(engine, batch(report(2020, A, day=3), run="r4", day=3))
    assert not versions(engine, f"{HOST}/2020.html")[0]["is_gone"] and back.documents_changed == 0


def test_one_text_at_two_addresses_counts_once(engine: Engine) -> None:
    load(engine, batch(report(2020, A, name="b")))
    load(engine, batch(report(2020, A, name="a"), run="r2"))
    first, second = versions(engine, f"{HOST}/a.html")[0], versions(engine, f"{HOST}/b.html")[0]
    assert (first["is_counted"], second["is_counted"]) == (True, False)
    assert (first["same_text_as"], second["same_text_as"]) == (None, f"{HOST}/a.html")
    assert {v["document_key"] for v in rows(engine, fact_metric_value)} == {first["document_key"]}
    assert {v["n_statements"] for v in rows(engine, fact_metric_value)} == {1}
    load(engine, batch(report(2020, B, name="a", day=1), run="r3", day=1))
    assert versions(engine, f"{HOST}/b.html")[0]["is_counted"]


def test_a_notice_that_turns_out_to_be_a_report_gets_its_figures(engine: Engine) -> None:
    load(engine, batch(notice("2020", A)))
    assert rows(engine, fact_observation) == []
    result = load(engine, batch(report(2020, A, day=1), run="r2", day=1))
    assert result.observations == 5 and result.documents_changed == 0


def test_a_report_that_turns_into_a_notice_keeps_its_figures_and_they_count_no_more(engine: Engine) -> None:
    """The same text, but its title says no more that it is the yearly report: nothing is chosen from it."""
    load(engine, batch(report(2020, A)))
    values = rows(engine, fact_metric_value)
    result = load(engine, batch(notice("2020", A, day=1, title="一则通知"), run="r2", day=1))
    (version,) = versions(engine, f"{HOST}/2020.html")
    assert (version["is_report"], version["is_parsed"], version["is_counted"]) == (False, True, False)
    assert len(rows(engine, fact_observation)) == 5 and rows(engine, fact_metric_value) == []
    assert result.documents_updated == 1 and result.values_changed == len(values) == 5
    load(engine, batch(report(2020, A, day=2), run="r3", day=2))
    assert rows(engine, fact_metric_value) == values


def test_a_report_counts_before_a_notice_with_the_same_text(engine: Engine) -> None:
    load(engine, batch(report(2020, A, name="b"), notice("a", A)))
    first, second = versions(engine, f"{HOST}/b.html")[0], versions(engine, f"{HOST}/a.html")[0]
    assert (first["is_counted"], second["is_counted"]) == (True, False)
    assert second["same_text_as"] == f"{HOST}/b.html"
    assert {v["document_key"] for v in rows(engine, fact_metric_value)} == {first["document_key"]}


def test_a_report_whose_new_text_is_a_notice_has_no_current_figures(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    load(engine, batch(notice("2020", "页面维护中。", day=1), run="r2", day=1))
    old, new = versions(engine, f"{HOST}/2020.html")
    assert (old["is_current"], new["is_current"]) == (False, True)
    assert {o["document_key"] for o in rows(engine, fact_observation)} == {old["document_key"]}
    assert rows(engine, fact_metric_value) == []
