"""Quarantine: nothing is dropped; what passes later is loaded and resolved, what fails stays with the new reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import HOST, at, batch, notice, parse, report
from tests.warehouse.conftest import check_nothing, load
from tests.warehouse.tables import A, content, everything, rows
from warehouse.batch import DocumentIn, LoadBatch, LoadResult, Reading
from warehouse.checkup import check_warehouse
from warehouse.engine import reading
from warehouse.errors import WarehouseError
from warehouse.fingerprint import fingerprint
from warehouse.keys import hash_text
from warehouse.quarantine import count_rows, list_rows, raw_pages, show_row, waiting_rows
from warehouse.reread import reread, stored_texts
from warehouse.schema import fact_observation, fact_source_run, quarantine
from warehouse.schema_dims import dim_load


def damaged(doc: DocumentIn, **change: Any) -> DocumentIn:
    """The second figure (受理8件) is read wrongly."""
    assert doc.parsed is not None
    first, second, *others = doc.parsed.observations
    wrong = replace(second, **(change or {"unit": "percent"}))
    return replace(doc, parsed=replace(doc.parsed, observations=(first, wrong, *others)))


def waiting(engine: Engine, **how: Any) -> list[dict[str, Any]]:
    with reading(engine) as conn:
        return list_rows(conn, **how)


def read_again(engine: Engine, *docs: DocumentIn, run: str = "retry") -> LoadResult:
    """As `fazhi quarantine retry` does, with the readings of these documents."""
    asked = LoadBatch(
        **{name: getattr(batch(run=run, day=9), name) for name in LoadBatch.__slots__} | {"is_crawl": False}
    )
    readings = [Reading(doc.document_id, hash_text(doc.text), doc.parsed) for doc in docs if doc.parsed]
    return reread(engine, asked, readings, check_nothing)


def test_what_passes_when_read_again_is_loaded_and_resolved(engine: Engine) -> None:
    good = report(2020, A)
    load(engine, batch(damaged(good)))
    assert sorted(row["test"] for row in waiting(engine)) == ["check_observations", "observation_unit"]
    done = read_again(engine, good)
    assert (done.resolved, done.still_failing, done.quarantined) == (2, 0, 0)
    assert waiting(engine) == []
    resolved = waiting(engine, with_resolved=True)
    assert {row["resolved_load_key"] for row in resolved} == {done.load_key}
    assert {row["resolved_run_id"] for row in resolved} == {"retry"}
    assert all(row["tried_at"] is not None and row["resolved_at"] is not None for row in resolved)
    assert [one.test.name for one in check_warehouse(engine) if not one.holds] == []


def test_reading_again_gives_what_a_right_first_reading_would_have_given(make: Any) -> None:
    mended, fresh = make("mended"), make("fresh")
    others = batch(report(2021, A + "上年收到11件。", day=1), run="r2", day=1)
    load(mended, batch(damaged(report(2020, A))))
    load(fresh, batch(report(2020, A)))
    for engine in (mended, fresh):
        load(engine, others)
    read_again(mended, report(2020, A))
    assert fingerprint(mended) == fingerprint(fresh)
    assert content(mended) == content(fresh)
    before = everything(mended)
    assert read_again(mended, report(2020, A), run="once more").is_unchanged
    assert everything(mended) == before


def test_what_is_read_no_more_goes_with_its_chosen_value(engine: Engine) -> None:
    good = report(2020, A)
    load(engine, batch(good))
    assert good.parsed is not None
    fewer = replace(good, parsed=replace(parse("收到10件。", 2020), mentions=good.parsed.mentions[:1]))
    done = read_again(engine, replace(fewer, parsed=replace(fewer.parsed, observations=good.parsed.observations[:1])))
    assert done.deleted > 0
    assert [row["value_text"] for row in rows(engine, fact_observation)] == ["10件"]
    assert [one.test.name for one in check_warehouse(engine) if not one.holds and one.outcome.n_failed] == []


def test_what_fails_stays_with_the_new_reason(engine: Engine) -> None:
    good = report(2020, A)
    load(engine, batch(damaged(good)))
    (before,) = [row for row in waiting(engine) if row["target"] == "fact_observation"]
    done = read_again(engine, damaged(good, status="hoped"))
    assert (done.resolved, done.still_failing, done.quarantined) == (0, 2, 0)
    (after,) = [row for row in waiting(engine) if row["target"] == "fact_observation"]
    assert after["quarantine_key"] == before["quarantine_key"]
    assert (before["test"], after["test"]) == ("observation_unit", "observation_words")
    assert "hoped" in after["reason"] and after["tried_at"] is not None and after["run_id"] == "run-1"
    again = read_again(engine, damaged(good), run="worse")
    assert again.quarantined == 0 and len(waiting(engine)) == 2
    assert read_again(engine, good, run="last").resolved == 2


def test_a_row_that_fails_again_after_it_was_resolved_waits_again(engine: Engine) -> None:
    good = report(2020, A)
    load(engine, batch(damaged(good)))
    read_again(engine, good)
    read_again(engine, damaged(good), run="back")
    assert len(waiting(engine)) == len(waiting(engine, with_resolved=True)) == 2
    assert {row["resolved_run_id"] for row in waiting(engine)} == {"(not applicable)"}


def test_a_document_that_passes_in_a_later_crawl_resolves_its_row(engine: Engine) -> None:
    load(engine, batch(notice("x", "坏\0字")))
    (row,) = waiting(engine)
    assert (row["target"], row["test"]) == ("dim_document", "document_text")
    with reading(engine) as conn:
        assert raw_pages(conn, f"{HOST}/x.html") == []  # this crawl kept no raw page
    later = load(engine, batch(notice("x", "好字", day=1), run="r2", day=1))
    assert later.resolved == 1 and waiting(engine) == []
    assert len(rows(engine, quarantine)) == 1


def test_a_retry_leaves_no_run_of_the_source(engine: Engine) -> None:
    load(engine, batch(damaged(report(2020, A))))
    read_again(engine, report(2020, A))
    load(engine, replace(batch(notice("x", "好", day=3), run="raw", day=3), is_crawl=False, pages=(), fetches=()))
    assert [row["run_id"] for row in rows(engine, fact_source_run)] == ["run-1"]
    assert {row["run_id"] for row in rows(engine, dim_load) if row["load_key"] >= 0} == {"run-1", "retry", "raw"}
    assert [one.test.name for one in check_warehouse(engine) if one.outcome.n_failed] == []


def test_rows_are_listed_counted_and_shown_with_the_text_around(engine: Engine) -> None:
    load(engine, batch(damaged(report(2020, A)), damaged(report(2021, A)), notice("x", "坏\0字")))
    with reading(engine) as conn:
        counts = count_rows(conn)
        assert [(count["test"], count["rows"], count["documents"]) for count in counts] == [
            ("check_observations", 2, 2),
            ("observation_unit", 2, 2),
            ("document_text", 1, 1),
        ]
        assert len(list_rows(conn, test="observation_unit")) == 2
        assert len(list_rows(conn, document="2021.html")) == 2
        assert len(list_rows(conn, source="990101_yunshui", limit=3)) == 3
        assert list_rows(conn, source="elsewhere") == [] and list_rows(conn, document="%") == []
        (row,) = list_rows(conn, test="observation_unit", document="2020")
        shown = show_row(conn, row["quarantine_key"])
        assert shown["around"] == ("全年收到10件，受理", "8件", "，不予受理2件。出庭率95%。计划收到20件。")
        assert shown["payload"]["unit"] == "percent" and shown["way_back"]
        (lost,) = list_rows(conn, test="document_text")
        assert show_row(conn, lost["quarantine_key"])["around"] is None
        with pytest.raises(WarehouseError, match="no row 7 in quarantine"):
            show_row(conn, 7)
        with pytest.raises(WarehouseError, match="no row 7 in quarantine"):
            waiting_rows(conn, [row["quarantine_key"], 7])
        assert len(waiting_rows(conn, None)) == 5


def test_texts_to_read_again_are_those_of_the_rows(engine: Engine) -> None:
    load(engine, batch(damaged(report(2020, A)), notice("n", "通知")))
    place = (f"{HOST}/2020.html", hash_text(A))
    found = stored_texts(engine, {place, (f"{HOST}/n.html", hash_text("通知")), (f"{HOST}/2020.html", "0")})
    assert {key: one.is_parsed for key, one in found.items()} == {
        place: True,
        (f"{HOST}/n.html", hash_text("通知")): False,
    }
    assert (found[place].text, found[place].title) == (A, "云水县2020年法治政府建设情况报告")


def test_the_first_reading_of_a_row_is_kept_when_the_same_comes_again(engine: Engine) -> None:
    one = batch(damaged(report(2020, A)), notice("x", "坏\0字"))
    load(engine, one)
    before = everything(engine)
    load(engine, one)
    assert everything(engine) == before
    load(engine, batch(notice("x", "坏\0字", day=5), run="r2", day=5))
    (kept,) = [row for row in waiting(engine) if row["target"] == "dim_document"]
    assert kept["quarantined_at"] == at(0.01), "one row, however many nights it fails"
