"""`fazhi quarantine`, `fazhi diff` and `fazhi check`, as an operator uses them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from connectors.archive import Archive
from connectors.http.model import Fetch
from extraction.parse import parse_report
from fazhi.cli import main
from fazhi.house import load_catalog
from fazhi.retrying import retry_rows
from tasks.assemble import source_row
from tasks.fetches import stored_ref
from tests.connectors.portal import source
from tests.warehouse.builders import at
from warehouse.batch import DocumentIn, LoadBatch, PageState
from warehouse.catalogue import catalogue_rows
from warehouse.engine import Engine, open_warehouse
from warehouse.load import publish

HOST = "www.wuyou.example"
TITLE = "乌有县人民政府2024年法治政府建设情况报告"
TEXT = "2024年，全县共收到行政复议申请52件，受理47件，审结45件。行政机关负责人出庭应诉率100%。"


def document(text: str, day: int = 0, *, damaged: bool = False) -> DocumentIn:
    parsed = parse_report(text, *load_catalog(), title=TITLE, publish_date="2025-01-20")
    assert len(parsed.observations) >= 4
    if damaged:
        first, *others = parsed.observations
        parsed = replace(parsed, observations=(replace(first, unit="yuan"), *others))
    where = f"{HOST}/zwgk/t1.html"
    return DocumentIn(
        where, f"https://{where}", TITLE, "2025-01-20", at(day), text, text, is_report=True, report_year=2024,
        parsed=parsed,
    )  # fmt: skip


def load(engine: Engine, *documents: DocumentIn, day: int = 0, pages: tuple[PageState, ...] = ()) -> None:
    publish(
        engine,
        LoadBatch(
            f"run-{day}", source_row(source()), at(day), at(day + 0.1), catalogue_rows(*load_catalog()), "e1", "0",
            documents, pages,
        ),
    )  # fmt: skip


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAZHI_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def engine(home: Path) -> Engine:
    return open_warehouse(f"sqlite:///{home / 'warehouse.sqlite'}")


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> str:
    capsys.readouterr()
    assert main(list(arguments)) == code
    said = capsys.readouterr()
    return said.out + said.err


def told_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> Any:
    return json.loads(told(capsys, *arguments, "--json"))


def test_quarantine_from_list_to_retry(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    load(engine, document(TEXT, damaged=True))
    listed = told_json(capsys, "quarantine", "list")
    key = next(row["quarantine_key"] for row in listed["rows"] if row["test"] == "observation_unit")
    assert {count["source_id"] for count in listed["counts"]} == {source().id}
    assert "observation_unit" in told(capsys, "quarantine", "list", "--test", "observation_unit", "--document", "t1")
    assert "nothing in quarantine" in told(capsys, "quarantine", "list", "--source", "elsewhere")
    shown = told(capsys, "quarantine", "show", str(key))
    assert "收到行政复议申请[52件]" in shown and "mend the extraction" in shown
    assert "give the ids" in told(capsys, "quarantine", "retry", code=2)
    assert "no row 7" in told(capsys, "quarantine", "retry", "7", code=3)
    assert "loaded" in told(capsys, "quarantine", "retry", str(key))
    assert "nothing in quarantine" in told(capsys, "quarantine", "list")
    assert told_json(capsys, "quarantine", "list", "--all")["rows"][0]["resolved_run_id"].startswith("retry-")
    assert "nothing to try again" in told(capsys, "quarantine", "retry", "--all")
    assert "ok" in told(capsys, "check")


def test_a_document_is_read_again_from_its_raw_page(home: Path, engine: Engine) -> None:
    html = f"<html><head><title>{TITLE}</title></head><body><div class='TRS_Editor'><p>{TEXT}</p></div></body></html>"
    bad = replace(document(TEXT), text="坏\0字", parsed=None)
    lost = replace(bad, document_id=f"{HOST}/zwgk/t2.html", url=f"https://{HOST}/zwgk/t2.html")
    with Archive(home / "raw") as archive:
        fetch = Fetch(
            url=bad.url, final_url=bad.url, status=200, headers={"content-type": "text/html; charset=utf-8"},
            body=html.encode(), fetched_at=datetime(2025, 1, 21, tzinfo=UTC), not_modified=False, etag=None,
            last_modified=None, content_type="text/html; charset=utf-8", elapsed_ms=1, attempts=(),
        )  # fmt: skip
        held = stored_ref(archive.store(fetch))
        page = PageState(bad.url, "page", source().id, bad.document_id, snapshot=held, title=TITLE)
        load(engine, bad, lost, pages=(page,))
        done = {one.document_id: one for one in retry_rows(engine, archive, {source().id: source()}, None)}
    assert done[bad.document_id].outcome == "loaded"
    assert (done[lost.document_id].outcome, done[lost.document_id].told) == (
        "not tried",
        "its raw page is not in the archive: crawl the source again",
    )
    with Archive(home / "raw") as archive:
        (left,) = retry_rows(engine, archive, {}, None)
    assert left.told.startswith("its source is configured no more")


def test_diff_and_check(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    load(engine, document(TEXT))
    assert "has one version only" in told(capsys, "diff", "t1", code=3)
    load(engine, document(TEXT.replace("45件", "44件"), day=1), day=1)
    said = told(capsys, "diff", "zwgk/t1")
    assert "审结4[-5]{+4}件" in said and "figures: 1 changed, 0 added, 0 removed" in said
    record = told_json(capsys, "diff", f"https://{HOST}/zwgk/t1.html", "--versions", "1", "2")
    assert [change["new"]["value"] for change in record["facts"]["changed"]] == ["44"]
    results = told_json(capsys, "check")
    assert all(one["holds"] for one in results) and {"spans", "grain"} <= {one["test"] for one in results}
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE fact_observation SET quote = 'x'")
    assert "spans" in told(capsys, "check", code=1)


def test_without_a_warehouse_each_says_so(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (("check",), ("diff", "x"), ("quarantine", "list"), ("quarantine", "retry", "--all")):
        assert "no warehouse" in told(capsys, *arguments, code=2)
    assert list(home.glob("*.sqlite")) == []
