"""The acceptance on real pages: five portals through the gateway, twice, scored by the corpus's own tools."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from lxml import etree

from connectors.archive import Archive, SnapshotRef
from connectors.attachments.radicals import fold_radicals
from extraction.clean import parse_html
from extraction.decode import decode
from extraction.textmap import find_source, node_text
from tests.nightly.commands import Commands
from tests.nightly.conftest import House
from tests.nightly.prefect_api import ask

pytestmark = [pytest.mark.slow, pytest.mark.corpus, pytest.mark.timeout(600)]

FIELDS = ("title", "publish_date", "content_source", "index_no", "document_no")
NANHAI_DATES = {"2019-01-10T16:19:51+08:00", "2017-12-20T14:59:52+08:00", "2017-04-14T16:23:54+08:00"}
CONTENT = ("fact_observation", "fact_mention", "fact_check", "fact_metric_value", "dim_document", "document_text")


@dataclass(frozen=True)
class Night:
    """Two nightlies over the corpus's portals, and what came of them."""

    house: House
    first: str
    second: str
    before: dict[str, list[tuple[Any, ...]]]
    after: dict[str, list[tuple[Any, ...]]]
    articles: list[dict[str, Any]]
    path: Path


def content(warehouse: Path) -> dict[str, list[tuple[Any, ...]]]:
    with sqlite3.connect(warehouse) as connection:
        return {name: sorted(connection.execute(f"select * from {name}"), key=repr) for name in CONTENT}


@pytest.fixture(scope="module")
def night(gateway: str, commands: Commands, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    house = House(tmp_path_factory.mktemp("corpus"), commands)
    first = house.run("nightly", "--all-pages", replay=gateway)
    assert first.returncode == 0, first.stderr
    before = content(house.warehouse)
    second = house.run("nightly", "--all-pages", replay=gateway)
    assert second.returncode == 0, second.stderr
    out = house.folder / "articles.jsonl"
    told = house.run("articles", "--out", str(out))
    assert told.returncode == 0, told.stderr
    articles = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    yield Night(house, first.stdout, second.stdout, before, content(house.warehouse), articles, out)


def test_articles_score(night: Night, corpus: Path) -> None:
    done = subprocess.run(
        [
            sys.executable, str(corpus.parent / "tools" / "score_articles.py"),
            "--expected", str(corpus / "portals" / "expected.jsonl"), "--articles", str(night.path), "--json",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    score = json.loads(done.stdout)["all"]
    assert score["pages"] == 225
    assert {field: score[field] for field in FIELDS if score[field] < 0.98} == {}
    assert score["body_f1"] >= 0.995
    assert score["body_f1_min"] >= 0.97
    assert score["leak"] <= 0.005


def test_nanhai_dates_are_true_to_the_second(night: Night) -> None:
    reports = [a for a in night.articles if "nanhai" in a["url"] and a["title"].startswith("佛山市南海区人民政府20")]
    assert {article["publish_date"] for article in reports} == NANHAI_DATES
    assert len(reports) == 3, "a report that comes by feed and by page is one document"


def test_attachment_only_reports_have_their_text(night: Night, corpus: Path) -> None:
    lines = (corpus / "portals" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [json.loads(line) for line in lines]
    wanted = {row["url"]: row["attachment_text"] for row in expected if row.get("attachment_only")}
    assert len(wanted) == 10
    got = {article["url"]: article["attachment_text"] for article in night.articles}
    for url, text in wanted.items():
        assert "".join(got[url].split()) == "".join(text.split()), url


def test_second_nightly_changes_nothing(night: Night) -> None:
    assert "new 0, changed 0" in night.second
    assert "warehouse unchanged" in night.second
    for name in CONTENT:
        assert night.before[name], f"{name} is empty: the comparison would say nothing"
        assert night.before[name] == night.after[name], name
    with sqlite3.connect(night.house.warehouse) as connection:
        asked, honoured = connection.execute(
            "select count(*), sum(status = 304) from fact_fetch where is_conditional"
        ).fetchone()
    assert asked > 200
    assert honoured == asked


def test_prefect_knows_what_ran(night: Night, prefect_api: str) -> None:
    """Run name, tags, one task per source and stage, and the run report as artifacts."""
    runs = filtered(prefect_api, "flow_runs/filter", flows={"name": {"any_": ["nightly"]}}, sort="START_TIME_ASC")
    run = next(run for run in runs if {"nightly", "replay"} <= set(run["tags"]) and run["parameters"]["all_pages"])
    assert run["state_type"] == "COMPLETED"
    assert run["name"].startswith("Nightly of 20") and run["name"].endswith("5 sources")
    tasks = filtered(prefect_api, "task_runs/filter", flow_runs={"id": {"any_": [run["id"]]}})
    names = {task["name"] for task in tasks}
    for stage in ("Crawl", "Read the reports of", "Load"):
        assert {name for name in names if name.startswith(stage)} >= {
            f"{stage} 440605_nanhai",
            f"{stage} 640324_tongxin",
        }
    assert len(tasks) <= 5 * 3 + 1, "a task a page costs more than the page"
    artifacts = filtered(prefect_api, "artifacts/filter", flow_runs={"id": {"any_": [run["id"]]}})
    shown = {artifact["key"]: artifact["data"] for artifact in artifacts}
    assert shown["nightly-progress"] == 100.0
    assert "440605_nanhai" in shown["run-report"] and "> " in shown["run-report"]
    sources = [row["source"] for row in json.loads(shown["run-report-sources"])]
    assert len(sources) == 5 and sources == sorted(sources)
    changes = json.loads(shown["run-report-changes"])
    assert {row["what"] for row in changes} == {"new document"}


def filtered(api: str, path: str, **query: Any) -> list[dict[str, Any]]:
    """A filter of the Prefect server. It records a run some seconds after it ended, so ask until it is there."""
    for _ in range(60):
        found: list[dict[str, Any]] = ask(api, path, query)
        if (found and path != "task_runs/filter") or len(found) > 15:
            return found
        time.sleep(0.5)
    return found


def test_every_value_is_in_its_text(night: Night) -> None:
    with sqlite3.connect(night.house.warehouse) as connection:
        rows = connection.execute(
            "select o.span_start, o.span_end, o.value_text, o.quote, t.text from fact_observation o "
            "join dim_document d on d.document_key = o.document_key join document_text t on t.text_key = d.text_key"
        ).fetchall()
    assert len(rows) > 300
    for start, end, value_text, quote, text in rows:
        assert text[start:end] == value_text
        assert quote in text


def test_every_value_leads_back_to_the_page_it_was_read_from(night: Night) -> None:
    """Warehouse row, its place in the text, the stored map, the raw page in the archive: the same characters."""
    query = (
        "select o.span_start, o.span_end, o.value_text, t.text_map, d.snapshot_file, d.snapshot_offset, "
        "d.snapshot_length, d.bytes_hash from fact_observation o "
        "join dim_document d on d.document_key = o.document_key join document_text t on t.text_key = d.text_key "
        "where t.text_origin = 'page'"
    )
    with sqlite3.connect(night.house.warehouse) as connection:
        rows = connection.execute(query).fetchall()
    assert len(rows) > 300
    pages: dict[str, Any] = {}
    with Archive(night.house.folder / "data" / "raw") as archive:
        for start, end, value_text, packed, file, offset, length, sha256 in rows:
            if sha256 not in pages:
                raw = archive.load(SnapshotRef(file, offset, length, sha256))
                segments = tuple(tuple(segment) for segment in json.loads(zlib.decompress(packed)))
                pages[sha256] = parse_html(decode(raw.body, raw.content_type).text), segments
            root, segments = pages[sha256]
            places = [find_source(segments, position) for position in range(start, end)]
            found = "".join(node_text(root, node)[at] for node, at in filter(None, places))
            assert found == "".join(value_text.split()), "a blank between two pieces of markup is ours"


def test_every_value_of_an_attachment_leads_to_its_place_in_the_file(night: Night, corpus: Path) -> None:
    """Warehouse row, stored map, `<URL>#page=3` and the letter there: the file itself says the same."""
    query = (
        "select o.span_start, o.span_end, o.value_text, t.text_map, d.attachments from fact_observation o "
        "join dim_document d on d.document_key = o.document_key join document_text t on t.text_key = d.text_key "
        "where t.text_origin = 'attachment'"
    )
    with sqlite3.connect(night.house.warehouse) as connection:
        rows = connection.execute(query).fetchall()
    assert len(rows) > 20
    manifest = (corpus / "portals" / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    files = {row["url"]: corpus / "portals" / row["file"] for row in map(json.loads, manifest)}
    kinds = set()
    for start, end, value_text, packed, attachments in rows:
        segments = tuple(tuple(segment) for segment in json.loads(zlib.decompress(packed)))
        places = [find_source(segments, position) for position in range(start, end)]
        addresses = {place.partition("#")[0] for place, _ in filter(None, places)}
        assert addresses <= {url for url, _ in json.loads(attachments)}
        found = "".join(letter_of(files[url], place, at) for url, place, at in map(split_place, filter(None, places)))
        assert fold_radicals(found) == "".join(value_text.split())
        kinds |= {files[url].suffix for url in addresses}
    assert kinds == {".docx", ".pdf"}


def split_place(place: tuple[str, int]) -> tuple[str, str, int]:
    url, _, inside = place[0].partition("#")
    return url, inside, place[1]


def letter_of(file: Path, inside: str, at: int) -> str:
    """One letter of a file by other means than ours: PDFium's own text of the page, the paragraphs of the XML."""
    kind, _, number = inside.partition("=")
    if kind == "page":
        with pypdfium2.PdfDocument(file) as document:
            text: str = document[int(number) - 1].get_textpage().get_text_range(at, 1)
            return text
    with zipfile.ZipFile(file) as archive:
        root = etree.fromstring(archive.read("word/document.xml"))
    paragraph = list(root.iter("{*}p"))[int(number) - 1]
    return "".join(node.text or "" for node in paragraph.iter("{*}t"))[at]


@pytest.mark.parametrize(("docs", "mentions", "fact"), [("gold", 0.95, 0.70), ("passages", 0.95, 0.70)])
def test_parse_scores(house: House, corpus: Path, docs: str, mentions: float, fact: float) -> None:
    files = sorted((corpus / "reports").glob("*.txt") if docs == "gold" else (corpus / "passages" / "texts").glob("*"))
    observed, mentioned = house.folder / "o.jsonl", house.folder / "m.jsonl"
    done = house.run(
        "parse", *map(str, files), "--observations", str(observed), "--mentions", str(mentioned)
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    scored = subprocess.run(
        [
            sys.executable, str(corpus.parent / "tools" / "score_extraction.py"), "--gold", str(corpus / docs),
            "--observations", str(observed), "--mentions", str(mentioned), "--json",
        ],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    score = json.loads(scored.stdout)
    assert score["mentions"]["f1"] >= mentions
    assert score["fact"]["f1"] >= fact
