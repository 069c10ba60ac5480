"""Loading: idempotent, independent of order, all or nothing."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, Table, select

from extraction.model import Check
from tests.warehouse.builders import HOST, SOURCE, at, batch, notice, parse, report
from tests.warehouse.conftest import check_nothing, load
from warehouse.across import check_statements
from warehouse.batch import CatalogueRows, LoadBatch, PageState, RuleRow
from warehouse.choosing import Statement
from warehouse.errors import WarehouseError
from warehouse.fingerprint import HASHED, fingerprint
from warehouse.load import publish
from warehouse.read import articles, load_pages, quarantine_rows, totals
from warehouse.schema import (
    CONTENT,
    dim_document,
    fact_check,
    fact_document_progress,
    fact_fetch,
    fact_mention,
    fact_metric_value,
    fact_observation,
    fact_source_run,
    metadata,
    page,
)
from warehouse.schema_dims import dim_date, dim_load

A = "全年收到10件，受理8件，不予受理2件。出庭率95%。计划收到20件。"
B = "全年收到10件，受理7件，不予受理2件。"


def rows(engine: Engine, table: Table, *, with_audit: bool = False) -> list[dict[str, Any]]:
    names = [c for c in table.columns if with_audit or not c.info.get("audit")]
    with engine.connect() as conn:
        return [dict(r) for r in conn.execute(select(*names).order_by(*table.primary_key)).mappings()]


def content(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    """Everything but the audit columns and the loads."""
    return {table.name: rows(engine, table) for table in (*HASHED, dim_date)}


def everything(engine: Engine) -> dict[str, list[dict[str, Any]]]:
    return {table.name: rows(engine, table, with_audit=True) for table in metadata.tables.values() if table.primary_key}


def versions(engine: Engine, document_id: str) -> list[dict[str, Any]]:
    found = [r for r in rows(engine, dim_document, with_audit=True) if r["document_id"] == document_id]
    return sorted(found, key=lambda r: r["version_no"])


def test_first_load_counts_what_it_brings(engine: Engine) -> None:
    result = load(engine, batch(report(2020, A), notice("n1", "一则通知")))
    assert (result.documents_new, result.observations, result.mentions, result.checks) == (2, 5, 5, 1)
    assert result.quarantined == 0 and result.values_changed == 5 and not result.is_unchanged
    for table, n in ((fact_observation, 5), (fact_mention, 5), (fact_check, 1), (fact_document_progress, 2)):
        assert len(rows(engine, table)) == n
    for seen in rows(engine, fact_observation):
        assert A[seen["span_start"] : seen["span_end"]] == seen["value_text"]
    assert all(n > 0 for n in result.checked.values())
    (run,) = rows(engine, fact_source_run)
    assert (run["n_new"], run["n_observations"], run["n_planned"], run["load_key"]) == (2, 5, 2, result.load_key)


def test_same_batch_again_changes_nothing_at_all(engine: Engine) -> None:
    one = batch(report(2020, A), report(2021, B), notice("n1", "通知"))
    load(engine, one)
    before = everything(engine)
    again = load(engine, one)
    assert again.is_unchanged and again.load_key is None
    assert everything(engine) == before


def test_a_later_run_without_news_leaves_only_its_log(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before, mark = content(engine), fingerprint(engine)
    later = load(engine, batch(report(2020, A, day=1), run="run-2", day=1))
    assert later.is_unchanged and later.load_key is None
    assert content(engine) == before and fingerprint(engine) == mark
    assert len([r for r in rows(engine, dim_load) if r["load_key"] >= 0]) == 1
    assert len(rows(engine, fact_source_run)) == 2 and len(rows(engine, fact_fetch)) == 2


HISTORY = (
    batch(report(2020, A), notice("n1", "通知"), run="r1", day=1),
    batch(report(2020, B, day=2), report(2021, B + "上年收到11件。", day=2), run="r2", day=2),
    batch(report(2020, A, day=3, title="改过的标题"), notice("n2", A, day=3), run="r3", day=3),
    batch(report(2019, "收到9件（截至2019-11-30）。", day=4), run="r4", day=4, gone=(f"{HOST}/n1.html",)),
    batch(report(2021, B + "上年收到11件。", day=5, published="2022-02-01"), run="r5", day=5),
    batch(report(2020, A, name="copy", day=6), run="r6", day=6),
    batch(notice("n1", "通知", day=7), run="r7", day=7, gone=(f"{HOST}/2020.html",)),
)


@pytest.fixture(scope="module")
def in_order(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    from warehouse.engine import open_warehouse

    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('order') / 'w.sqlite'}")
    for one in HISTORY:
        load(engine, one)
    result = content(engine)
    validity = {
        r["document_key"]: (r["valid_from"], r["valid_to"]) for r in rows(engine, dim_document, with_audit=True)
    }
    engine.dispose()
    return {**result, "validity": [validity]}


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_batches_gives_the_same_tables(
    make: Callable[[str], Engine], in_order: dict[str, list[dict[str, Any]]], seed: int
) -> None:
    engine = make("w")
    shuffled = list(HISTORY)
    random.Random(seed).shuffle(shuffled)
    for one in shuffled:
        load(engine, one)
    validity = {
        r["document_key"]: (r["valid_from"], r["valid_to"]) for r in rows(engine, dim_document, with_audit=True)
    }
    found = {**content(engine), "validity": [validity]}
    for name, wanted in in_order.items():
        assert found[name] == wanted, name
    for one in shuffled:
        assert load(engine, one).is_unchanged


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from("xyz")), min_size=1, max_size=5), st.randoms())
def test_any_history_is_independent_of_order(
    make: Callable[[str], Engine], history: list[tuple[str, str]], rng: random.Random
) -> None:
    texts = {"A": A, "B": B, "C": "收到3件。"}
    batches = [
        batch(report(2020, texts[text], name=name, day=i), run=f"r{i}", day=i) for i, (text, name) in enumerate(history)
    ]
    shuffled = list(batches)
    rng.shuffle(shuffled)
    one, other = make("one"), make("other")
    for a, b in zip(batches, shuffled, strict=True):
        load(one, a)
        load(other, b)
    assert fingerprint(one) == fingerprint(other)
    assert content(one) == content(other)
    _check_validity(one)


def _check_validity(engine: Engine) -> None:
    """Half-open, no gap, no overlap, one current version, one that counts per text."""
    real = [r for r in rows(engine, dim_document, with_audit=True) if r["document_key"] >= 0]
    for document_id in {r["document_id"] for r in real}:
        found = versions(engine, document_id)
        assert [r["version_no"] for r in found] == list(range(1, len(found) + 1))
        assert [r["is_current"] for r in found] == [False] * (len(found) - 1) + [True]
        for earlier, later in zip(found, found[1:], strict=False):
            assert earlier["valid_from"] < earlier["valid_to"] == later["valid_from"]
        assert found[-1]["valid_to"] is None
    current = [r for r in real if r["is_current"]]
    for text_hash in {r["text_hash"] for r in current}:
        group = [r for r in current if r["text_hash"] == text_hash]
        counted = [r for r in group if r["is_counted"]]
        assert [r["document_id"] for r in counted] == [min(r["document_id"] for r in group)]
    assert not any(r["is_counted"] for r in real if not r["is_current"])


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
    _check_validity(engine)


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


def test_a_failed_source_leaves_its_log_and_changes_no_content(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before = content(engine)
    other = replace(SOURCE, source_id="990199_nowhere", region_code="990199")
    failed = batch(report(2021, A), run="r2", status="failed", source=other, failures=("gateway: 500",))
    result = load(engine, failed)
    assert result.is_unchanged and result.load_key is None
    after = content(engine)
    assert [r["source_id"] for r in after.pop("dim_source")] == sorted(
        [*(r["source_id"] for r in before.pop("dim_source")), "990199_nowhere"],
        key=lambda i: [r["source_id"] for r in rows(engine, _dim_source())].index(i),
    )
    assert after == before
    assert [r["status"] for r in rows(engine, fact_source_run) if r["run_id"] == "r2"] == ["failed"]
    assert load_pages(engine, "990199_nowhere") == {}
    retried = load(engine, replace(failed, status="ok", failures=()))
    assert retried.documents_new == 1
    assert [r["status"] for r in rows(engine, fact_source_run) if r["run_id"] == "r2"] == ["ok"]


def _dim_source() -> Table:
    return metadata.tables["dim_source"]


def test_a_load_that_breaks_a_constraint_changes_nothing(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before = everything(engine)

    def break_it(_statements: Sequence[Statement]) -> Sequence[Check]:
        return (Check("NO_SUCH_RULE", "fails", None, None, None, 1, (0,), "1 = 2"),)

    with pytest.raises(WarehouseError, match=r"w\.sqlite.*nothing was changed"):
        publish(engine, batch(report(2021, B, day=1), run="r2", day=1), break_it)
    assert everything(engine) == before


def test_a_defect_in_the_middle_of_a_load_changes_nothing(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    before = everything(engine)

    def die(_statements: Sequence[Statement]) -> Sequence[Check]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        publish(engine, batch(report(2021, B, day=1), run="r2", day=1), die)
    assert everything(engine) == before
    assert load(engine, batch(report(2021, B, day=1), run="r2", day=1)).documents_new == 1


def test_rows_that_fail_a_data_test_go_to_quarantine(engine: Engine) -> None:
    good = report(2020, A)
    parsed = parse(A, 2020)
    first, second, *rest = parsed.observations
    bad = replace(
        parsed,
        observations=(replace(first, start=first.start + 1), replace(second, unit="percent"), *rest, rest[0]),
        mentions=(replace(parsed.mentions[0], text="11件"), *parsed.mentions[1:]),
    )
    result = load(engine, batch(replace(good, parsed=bad), notice("x", "坏\0字"), notice("http://y", "好")))
    assert (result.quarantined, result.observations, result.mentions, result.checks) == (7, 3, 4, 0)
    tests = {row["test"] for row in quarantine_rows(engine)}
    assert tests == {
        "observation_span", "observation_unit", "observation_grain", "mention_span", "check_observations",
        "document_text", "document_identity",
    } - ({"document_identity"} if not any("://" in r["document_id"] for r in quarantine_rows(engine)) else set())  # fmt: skip
    for row in quarantine_rows(engine):
        assert row["reason"] and row["way_back"] and row["payload"] and row["source_id"] == SOURCE.source_id
    again = load(engine, batch(replace(good, parsed=bad), notice("x", "坏\0字"), run="r2"))
    assert again.quarantined == 0 and totals(engine)["quarantine"] == 7


@pytest.mark.parametrize(
    ("change", "test"),
    [
        ({"period": "2020-13/2021-01"}, "observation_period"),
        ({"period": "20200"}, "observation_period"),
        ({"metric": "no_such"}, "observation_metric"),
        ({"status": "hoped"}, "observation_words"),
        ({"as_of": "2020-02-31"}, "observation_as_of"),
        ({"quote": "别的话"}, "observation_quote"),
        ({"value": __import__("decimal").Decimal("NaN")}, "observation_value"),
        ({"value": __import__("decimal").Decimal("0.12345678")}, "observation_value"),
        ({"breakdown_of": 0}, "observation_breakdown"),
        ({"breakdown_of": 99}, "observation_breakdown"),
    ],
)
def test_each_data_test_can_fail(engine: Engine, change: dict[str, Any], test: str) -> None:
    doc = report(2020, "收到10件。")
    assert doc.parsed is not None
    bad = replace(doc.parsed, observations=(replace(doc.parsed.observations[0], **change),))
    result = load(engine, batch(replace(doc, parsed=bad)))
    assert result.observations == 0 and [row["test"] for row in quarantine_rows(engine)] == [test]


def test_a_rate_above_100_is_set_aside_unless_it_is_marked_damaged(engine: Engine) -> None:
    doc = report(2020, "出庭率950%。")
    assert load(engine, batch(doc)).quarantined == 1
    assert doc.parsed is not None
    damaged = replace(doc.parsed.observations[0], damaged=True)
    other = report(2021, "出庭率950%。", parsed=replace(doc.parsed, observations=(damaged,)))
    assert load(engine, batch(other, run="r2")).observations == 1


def test_no_foreign_key_is_empty_and_all_hold(engine: Engine) -> None:
    for one in HISTORY:
        load(engine, one)
    with engine.connect() as conn:
        assert conn.exec_driver_sql("PRAGMA foreign_key_check").all() == []
    for table in metadata.tables.values():
        for column in table.columns:
            if column.foreign_keys:
                assert not column.nullable, column
    parts = {r["breakdown_of_key"] for r in rows(engine, fact_observation)}
    assert parts <= {-2} | {r["observation_key"] for r in rows(engine, fact_observation)}


def test_parts_refer_to_their_total(engine: Engine) -> None:
    doc = report(2020, "收到10件，收到4件，收到6件。")
    assert doc.parsed is not None
    total, one, two = doc.parsed.observations
    parts = (total, replace(one, breakdown_of=0, scope="镇街"), replace(two, breakdown_of=0, scope="部门"))
    load(engine, batch(replace(doc, parsed=replace(doc.parsed, observations=parts))))
    found = sorted(rows(engine, fact_observation), key=lambda r: r["position"])
    assert [r["breakdown_of_key"] for r in found] == [-2, found[0]["observation_key"], found[0]["observation_key"]]
    assert sorted((v["scope"], v["value_num"]) for v in rows(engine, fact_metric_value)) == [
        ("", 10),
        ("部门", 6),
        ("镇街", 4),
    ]


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
    attached = report(
        2021, B, body="", attachment_text=B, text_origin="attachment", attachments=(("http://x/a.pdf", "附件"),)
    )
    load(engine, batch(report(2020, A), attached))
    load(engine, batch(report(2020, B, day=1), run="r2", day=1))
    first, second = articles(engine)
    assert (first["body"], first["attachment_text"], first["attachments"]) == (B, "", [])
    assert (second["body"], second["attachment_text"], second["attachments"]) == ("", B, ["http://x/a.pdf"])
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


def test_content_tables_are_those_of_the_fingerprint(engine: Engine) -> None:
    marks = {fingerprint(engine)}
    for one in HISTORY[:4]:
        load(engine, one)
        marks.add(fingerprint(engine))
    assert len(marks) == 5
    assert set(CONTENT) <= set(HASHED)
    assert len(rows(engine, page)) > 0
