"""What changed between two versions of a document: sentences and figures."""

from __future__ import annotations

import json
import random
import time

import pytest
from sqlalchemy import Engine

from tests.warehouse.builders import HOST, batch, notice, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B, facts_of, rows, versions
from warehouse.document_diff import (
    MAX_PAIRS,
    DocumentDiff,
    as_record,
    changed_runs,
    diff_document,
    diff_texts,
    find_document,
    mark_changes,
)
from warehouse.engine import reading
from warehouse.errors import WarehouseError
from warehouse.schema import fact_metric_value


def difference(engine: Engine, *numbers: int) -> DocumentDiff:
    with reading(engine) as conn:
        return diff_document(conn, f"{HOST}/2020.html", *numbers)


def test_a_changed_page_has_both_texts_and_figures_and_only_the_new_ones_count(engine: Engine) -> None:
    load(engine, batch(report(2020, A)))
    load(engine, batch(report(2020, B, day=1), run="r2", day=1))
    found = difference(engine)
    (hunk,) = found.hunks
    assert hunk.removed == ("全年收到10件，受理8件，不予受理2件。", "出庭率95%。", "计划收到20件。")
    assert hunk.added == (B,)
    assert [(old.metric, old.value, new.value) for old, new in found.changed] == [("accepted", 8, 7)]
    assert found.changed[0][0].quote == "受理8件" and found.changed[0][1].quote == "受理7件"
    assert [one.metric for one in found.removed] == ["rate", "received"] and found.added == ()
    assert found.n_unchanged == 2
    old, new = versions(engine, f"{HOST}/2020.html")
    assert (len(facts_of(engine, old)), len(facts_of(engine, new))) == (5, 3)
    assert {v["document_key"] for v in rows(engine, fact_metric_value)} == {new["document_key"]}
    record = json.loads(json.dumps(as_record(found)))
    assert record["facts"]["changed"][0]["old"]["value"] == "8"
    assert (record["old"]["version_no"], record["new"]["is_current"]) == (1, True)


def test_any_two_versions_can_be_compared(engine: Engine) -> None:
    for i, text in enumerate((A, B, A)):
        load(engine, batch(report(2020, text, day=i), run=f"r{i}", day=i))
    assert difference(engine, 1, 3).hunks == () and difference(engine, 1, 3).n_unchanged == 5
    assert len(difference(engine).added) == 2
    with pytest.raises(WarehouseError, match="has no version 4: its versions are 1 to 3"):
        difference(engine, 1, 4)


def test_a_document_is_found_by_address_id_or_a_part_that_fits_no_other(engine: Engine) -> None:
    load(engine, batch(report(2020, A), report(2021, B), notice("a_b", "通知"), notice("axb", "另一则通知")))
    with reading(engine) as conn:
        for wanted in (f"http://{HOST}/2020.html", f"https://{HOST}/2020.html", f"{HOST}/2020.html", "2020"):
            assert find_document(conn, wanted) == f"{HOST}/2020.html"
        assert find_document(conn, "a_b") == f"{HOST}/a_b.html"  # no wildcard
        with pytest.raises(WarehouseError, match=r"fits several documents: .*2020\.html, .*2021\.html"):
            find_document(conn, HOST)
        for wanted in ("nowhere", "", "http://"):
            with pytest.raises(WarehouseError, match="no document has"):
                find_document(conn, wanted)
        with pytest.raises(WarehouseError, match="has one version only"):
            diff_document(conn, f"{HOST}/2020.html")


def test_sentences_are_shown_with_their_neighbours() -> None:
    old = "甲一。乙二。丙三。丁四。"
    (hunk,) = diff_texts(old, old.replace("丙三", "丙五"))
    assert (hunk.before, hunk.removed, hunk.added, hunk.after) == (("乙二。",), ("丙三。",), ("丙五。",), ("丁四。",))
    assert list(diff_texts(old, old)) == []
    assert mark_changes("丙三件", "丙五件") == [("same", "丙"), ("-", "三"), ("+", "五"), ("same", "件")]


def rebuilt(a: list[str], b: list[str]) -> list[str]:
    """`a` with the runs replaced by those of `b`."""
    made, last = [], 0
    for start, end, other_start, other_end in changed_runs(a, b):
        made += a[last:start] + b[other_start:other_end]
        last = end
    return made + a[last:]


@pytest.mark.parametrize("seed", range(20))
def test_the_difference_leads_from_one_text_to_the_other(seed: int) -> None:
    rng = random.Random(seed)
    a = [rng.choice("甲乙丙丁") for _ in range(rng.randrange(30))]
    b = [rng.choice("甲乙丙丁") for _ in range(rng.randrange(30))]
    assert rebuilt(a, b) == b


def test_large_texts_take_bounded_time_and_keep_unique_sentences() -> None:
    rng = random.Random(1)
    a = [f"第{i}句。" for i in range(20_000)]
    b = list(a)
    for place in rng.sample(range(20_000), 500):
        b[place] = f"改{place}。"
    assert len(a) * len(b) > MAX_PAIRS
    began = time.process_time()
    assert rebuilt(a, b) == b
    assert sum(end - start for start, end, _, _ in changed_runs(a, b)) == 500
    same = ["同。", "异。"] * 20_000
    other = [*same[1:-1], "末。"]
    assert rebuilt(same, other) == other
    assert time.process_time() - began < 20
