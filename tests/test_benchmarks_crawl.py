"""The crawl's benchmark on a tiny scale: its pages, its server, its own contestant, its verdicts."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from benchmarks.crawl import main
from benchmarks.crawl_night import run_nights
from benchmarks.crawl_pipeline import _spent_on_run
from benchmarks.crawl_race import run, serving, write_plans
from benchmarks.crawl_report import page, tables
from benchmarks.crawl_server import Site
from benchmarks.engines import ROOT
from benchmarks.made_pages import KINDS, is_report, make_detail
from benchmarks.text_race import made_samples
from benchmarks.text_scoring import f1
from benchmarks.text_worker import build_fazhi, build_fazhi_generic
from tests.conftest import do_without

SITE = Site(hosts=4, pages=12)


def test_f1_counts_what_is_missing_and_what_is_too_much() -> None:
    assert f1("一二三四五六", "一二三四五六") == 1.0
    assert f1("一二三四五六", "一二 三四\n五六七") == pytest.approx(4 / 5)
    assert (f1("", ""), f1("", "一"), f1("一", None)) == (1.0, 0.0, 0.0)


def test_made_pages_are_the_same_each_time_and_as_large_as_real_ones() -> None:
    pages = [make_detail(number, "a.example") for number in range(80)]
    assert pages == [make_detail(number, "a.example") for number in range(80)]
    assert {made.kind for made in pages} == set(KINDS)
    sizes = sorted(len(made.body) for made in pages)
    assert sizes[4] > 28_000 and sizes[-5] < 85_000
    assert len({made.path for made in pages}) == 80


def test_one_page_in_ten_is_a_report() -> None:
    for layout in range(4):
        assert 18 <= sum(is_report(turn * 4 + layout) for turn in range(200)) <= 22
    assert 2010 <= SITE.report_year(0) <= 2024
    with pytest.raises(ValueError, match="too few"):
        Site(1, 2).report_year(0)


def test_the_server_knows_hosts_validators_and_nothing_else() -> None:
    with serving(SITE) as gateway:
        host = {"Host": Site.name(1)}
        request = urllib.request.Request(f"{gateway}/zwgk/fzzf/index.html", headers=host)
        with urllib.request.urlopen(request, timeout=10) as answer:
            etag = answer.headers["ETag"]
            assert answer.status == 200 and b"createPageHTML" in answer.read()
        for headers, path, status in (
            ({**host, "If-None-Match": etag}, "/zwgk/fzzf/index.html", 304),
            (host, "/none.html", 404),
            ({"Host": "other.example"}, "/zwgk/fzzf/index.html", 404),
        ):
            with pytest.raises(urllib.error.HTTPError) as told:
                urllib.request.urlopen(urllib.request.Request(f"{gateway}{path}", headers=headers), timeout=10)
            assert told.value.code == status


def test_the_projects_contestant_reads_every_page(tmp_path: Path) -> None:
    with serving(SITE) as gateway:
        plan = write_plans(SITE, gateway, tmp_path)["own"]
        out = tmp_path / "own.jsonl"
        figures = run([sys.executable, "-m", "benchmarks.crawl_own", str(plan), str(out)])
    assert figures["cpu"] > 0
    read = {line["url"]: line for line in map(json.loads, out.read_text(encoding="utf-8").splitlines())}
    for number in range(SITE.hosts):
        for made in SITE.make(number):
            line = read.pop(made.url.replace("https://", "http://"))
            if made.text:
                assert (line["title"], line["body"]) == (made.title, made.text)
                assert line["links"] > 100
    assert read == {}


def test_a_peak_of_memory_is_not_that_of_the_program_before() -> None:
    if sys.platform != "linux":
        do_without("the peak of a program of its own is not told under /proc: it comes with what was handed down")
    small = "from benchmarks.usage import own_peak; print(own_peak())"
    large = f"""import subprocess, sys
held = b"1" * (200 << 20)
print(subprocess.run([sys.executable, "-c", {small!r}], stdout=subprocess.PIPE, text=True, check=True).stdout)"""
    told = subprocess.run([sys.executable, "-c", large], stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    assert 5 < float(told.stdout) < 100


@pytest.mark.timeout(60)
def test_the_second_night_fetches_nothing(tmp_path: Path) -> None:
    site = Site(hosts=4, pages=9, is_shared=True)
    with serving(site) as gateway:
        first, second = run_nights(gateway, site, tmp_path, delay=0.01)
    assert (first["fetched"], first["unchanged"], first["failed"]) == (40, 0, 0)
    assert (second["fetched"], second["unchanged"], second["failed"]) == (0, 40, 0)


def test_the_projects_readers_read_made_pages_whole() -> None:
    for build in (build_fazhi, build_fazhi_generic):
        read = build()
        for sample in made_samples(20):
            about = {"url": sample.url, "engine": sample.engine, "content_type": sample.content_type}
            assert read(about, sample.page, "") == sample.text


def figures() -> dict[str, Any]:
    row = {"pages": 5000, "pages_per_second": 100, "rss_mb": 60, "titles": 1.0, "dates": 1.0, "body_f1": 1.0}
    row |= {"slowest_ms": 1.2, "fastest_ms": 0.9, "pages_per_cpu_second": 900.0, "ms_per_page": 1.1}
    peer = row | {"label": "Scrapy + parsel", "pages_per_cpu_second": 200.0}
    night = {"planned": 9, "fetched": 9, "unchanged": 0, "failed": 0, "wall": 5.0, "cpu": 1.0, "rss_mb": 70}
    return {
        "date": "2026-01-02",
        "machine": {"processor": "P", "cores": 2, "system": "Linux", "python": "3.11"},
        "race": [row | {"label": "fazhi"}, peer],
        "pipeline": {
            "pages": 5000,
            "rows": [
                {"label": "fazhi", "ms_per_page": 5.0, "loaded_ms_per_page": None, "loaded_range": None,
                 "server_ms_per_page": None, "rss_mb": 60},
                {"label": "fazhi, compiled", "ms_per_page": 3.2, "loaded_ms_per_page": 2.5, "loaded_range": (2.4, 2.6),
                 "server_ms_per_page": 0.5, "rss_mb": 60},
            ],
            "scrapy": {"ms_per_page": 6.25, "range": (6.0, 6.5)},
        },
        "text": {
            "made": {
                "pages": 5,
                "rows": [
                    {"label": "fazhi", "f1": {"a": 1.0}, "all": 1.0, "ms_per_page": 1.0},
                    {"label": "generic", "f1": {"a": 0.9}, "all": 0.96, "ms_per_page": 1.0},
                    {"label": "trafilatura", "f1": {"a": 0.9}, "all": 0.9, "ms_per_page": 6.0},
                ],
            }
        },
        "night": {
            "hosts": 2, "pages": 3, "nights": [night, night], "limit": 4.0, "over_limit": 1.25, "second_share": 0.1,
        },
    }  # fmt: skip


def test_an_idle_servers_time_is_not_the_runs() -> None:
    assert _spent_on_run([4.0, 4.5, 8.0], wall=20.0) == pytest.approx(2.5)
    assert _spent_on_run([], wall=20.0) is None


def test_verdicts_follow_the_figures() -> None:
    told = tables(figures())
    assert "4.50 times, meets the bar" in told
    assert "all is loaded fazhi not told, fazhi, compiled 2.50 times: meets the bar; with release" in told
    assert "report fazhi 1.25 times: BELOW THE BAR, fazhi, compiled 1.95 times: meets the bar." in told
    assert "6.0 times, meets the bar" in told
    assert "0.9600, BELOW THE BAR" in told
    assert "1.250, BELOW THE BAR" in told and "10.0%, meets the bar" in told
    assert page(figures()).startswith("# Benchmarks of the crawl")


def test_a_worse_text_is_below_the_bar_however_fast() -> None:
    worse = figures()
    worse["race"][0]["body_f1"] = 0.5
    assert "4.50 times, BELOW THE BAR" in tables(worse)


def test_an_unknown_part_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["rase"]) == 1
    assert capsys.readouterr().err == "benchmarks: parts are race, pipeline, text, night; the docs need them all\n"
