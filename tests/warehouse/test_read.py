"""The reading side: the crawl's memory, articles, findings, health."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import HOST, SOURCE, at, batch, notice, report
from tests.warehouse.conftest import check_nothing, load
from tests.warehouse.tables import A, B, rows
from warehouse.across import check_statements
from warehouse.batch import CatalogueRows, LoadBatch, PageState, RuleRow
from warehouse.fingerprint import fingerprint
from warehouse.load import publish
from warehouse.marts import select_failed_checks
from warehouse.read import (
    articles,
    findings,
    held_attachments,
    load_pages,
    never_applied,
    source_health,
    status,
    totals,
    verdicts,
)
from warehouse.schema import (
    fact_check,
)


def test_the_crawl_gets_its_memory_back(engine: Engine) -> None:
    doc = report(2020, A)
    state = PageState(
        doc.url, "page", SOURCE.source_id, doc.document_id, etag='"1"', first_seen_at=at(0), last_seen_at=at(0)
    )
    load(engine, batch(doc, pages=(state,)))
    load(engine, batch(run="r2", day=2, pages=(replace(state, etag='"2"', first_seen_at=None, last_seen_at=at(2)),)))
    load(engine, batch(run="r1", day=1, pages=(replace(state, etag='"0"', last_seen_at=at(1)),)))
    (found,) = load_pages(engine, SOURCE.source_id).values()
    assert (found.etag, found.first_seen_at, found.last_seen_at) == ('"2"', at(0), at(2))
    assert load_pages(engine, "other") == {}


def test_a_page_whose_document_was_set_aside_is_asked_for_again(engine: Engine) -> None:
    load(engine, batch(notice("x", "坏\0字")))
    (found,) = load_pages(engine, SOURCE.source_id).values()
    assert (found.etag, found.bytes_hash, found.state) == (None, None, "rejected")


def test_articles_give_the_current_text(engine: Engine) -> None:
    held = (("http://x/a.pdf", "附件"),)
    attached = report(2021, B, body="", attachment_text=B, text_origin="attachment", attachments=held)
    load(engine, batch(report(2020, A), attached))
    load(engine, batch(report(2020, B, day=1), run="r2", day=1))
    first, second = articles(engine)
    assert (first["body"], first["attachment_text"], first["attachments"]) == (B, "", [])
    assert (second["body"], second["attachment_text"], second["attachments"]) == ("", B, ["http://x/a.pdf"])
    assert held_attachments(engine, SOURCE.source_id) == {f"{HOST}/2021.html": list(held)}
    assert first["publish_date"] == "2021-01-20T09:30:00+08:00" and first["region_code"] == "990101"


def test_checks_across_reports_are_kept_and_withdrawn(engine: Engine) -> None:
    catalogue = batch().catalogue
    widened: CatalogueRows = replace(
        catalogue, rules=(*catalogue.rules, RuleRow("R20", "yoy", ""), RuleRow("R28", "magnitude", ""))
    )

    def with_rules(*documents: Any, **more: Any) -> LoadBatch:
        return batch(*documents, catalogue=widened, **more)

    publish(engine, with_rules(report(2020, "收到10件。")), check_statements)
    publish(engine, with_rules(report(2021, "收到12件，上年收到11件。"), run="r2"), check_statements)
    across = [c for c in rows(engine, fact_check) if c["subject_kind"] == "region_period"]
    restated = [c for c in across if c["verdict"] in ("fails", "differs")]
    assert [(c["expected"], c["actual"], c["n_checked"]) for c in restated] == [(10, 11, 2)]
    mended = report(2021, "收到12件，上年收到10件。", day=1)
    publish(engine, with_rules(mended, run="r3", day=1), check_statements)
    across = [c for c in rows(engine, fact_check) if c["subject_kind"] == "region_period"]
    assert across and {c["verdict"] for c in across} == {"holds"}
    one = publish(engine, with_rules(mended, run="r4", day=2), check_nothing)
    assert one.is_unchanged


def test_findings_quote_the_sentence_and_vary_the_rules(engine: Engine) -> None:
    load(engine, batch(report(2020, B), report(2021, "收到10件，受理1件，不予受理2件。")))
    first, second = findings(engine)
    assert (first["rule"], first["verdict"], first["formula"]) == ("R01", "fails", "1 + 2 = 10")
    assert (first["quote"], first["url"]) == ("收到10件", f"http://{HOST}/2021.html")
    assert second["formula"] == "7 + 2 = 10"
    assert findings(engine, limit=1) == [first]
    assert findings(engine, regions={"990101"}) == [first, second] and findings(engine, regions=()) == []
    assert findings(engine, run_id="run-1") == [first, second] and findings(engine, run_id="run-2") == []
    assert verdicts(engine) == {"fails": 2}
    assert never_applied(engine) == ["R21"]
    mended = report(2021, "收到11件，受理9件，不予受理2件。", day=1)
    load(engine, batch(report(2020, A, day=1), mended, run="run-2", day=1))
    assert findings(engine) == [] and verdicts(engine) == {"holds": 2}


def test_a_difference_that_a_part_year_explains_comes_last_and_is_marked(engine: Engine) -> None:
    early = report(2020, "收到10件（截至2020-11-30）。")
    late = report(2021, "收到12件，上年收到14件。受理9件。")
    publish(engine, batch(early, late), check_statements)
    (found,) = findings(engine)
    assert (found["verdict"], found["is_explained"]) == ("differs", True)
    assert "2020年报告只统计到2020年11月30日可以解释差异" in found["message_zh"]
    with engine.connect() as conn:
        (row,) = conn.execute(select_failed_checks()).mappings()
    assert row["is_explained"] and row["verdict"] == "differs"
    broken = report(2021, "收到12件，受理1件，不予受理2件，上年收到14件。", day=2)
    publish(engine, batch(broken, run="r2", day=2), check_statements)
    assert [(one["rule"], one["is_explained"]) for one in findings(engine)] == [("R01", False), ("R21", True)]


def test_status_and_totals_count_what_is_there(engine: Engine) -> None:
    load(engine, batch(report(2020, A), report(2020, A, name="copy"), notice("n", "通知")))
    assert totals(engine) == {
        "documents": 3, "reports": 1, "observations": 10, "mentions": 10, "metric_values": 5, "checks": 2,
        "quarantine": 0,
    }  # fmt: skip
    told = status(engine)
    assert told["fingerprint"] == fingerprint(engine) and told["rows"] == totals(engine)
    assert [(one["run_id"], one["n_updated"]) for one in told["last_loads"]] == [("run-1", 0)]
    assert [(one["source_id"], one["n_new"]) for one in told["last_runs"]] == [(SOURCE.source_id, 3)]


@pytest.mark.parametrize(
    ("runs", "now", "health"),
    [
        (["ok"], datetime(2021, 6, 1, tzinfo=UTC), "ok"),
        (["ok"], datetime(2022, 3, 1, tzinfo=UTC), "ok"),
        (["ok"], datetime(2022, 4, 1, tzinfo=UTC), "overdue"),
        (["ok", "failed", "failed"], datetime(2021, 6, 1, tzinfo=UTC), "failing"),
        (["ok", "failed", "ok"], datetime(2021, 6, 1, tzinfo=UTC), "ok"),
        (["empty"], datetime(2021, 6, 1, tzinfo=UTC), "empty"),
    ],
)
def test_health_of_a_source(engine: Engine, runs: list[str], now: datetime, health: str) -> None:
    real = replace(SOURCE, is_sandbox=False)
    for day, kind in enumerate(runs):
        documents = (report(2020, A, day=day),) if kind == "ok" else ()
        more = {"status": "failed"} if kind == "failed" else {}
        load(engine, batch(*documents, run=f"r{day}", day=day, source=real, **more))
    (record,) = source_health(engine, now)
    assert record["health"] == health
    assert record["failing_since"] == (at(1) if health == "failing" else None)
    assert record["documents"] == (0 if health == "empty" else 1)
