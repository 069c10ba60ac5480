"""Headers, hosts, token, rate, methods; DuckDB can do nothing but read the release."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from explorer.app import Options
from explorer.guard import HEADERS, Rate, host_of
from explorer.release import TooSlow, open_release
from tests.explorer.releases import FIRST, make_releases
from tests.explorer.serving import Served, serving


def test_every_answer_has_its_headers(served: Served) -> None:
    for path in ("/", "/nowhere", "/api/v1/release", "/static/explorer.css", "/data/dim_rule.csv"):
        headers = served.ask(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
        assert headers["x-content-type-options"] == "nosniff" and headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_only_reading_methods(served: Served) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH", "OPTIONS"):
        assert served.ask("/", method=method).status == 405
    assert served.ask("/healthz", method="HEAD").status in (200, 405)


def test_other_hosts_are_refused(served: Served) -> None:
    assert served.ask("/", {"host": "evil.example"}).status == 421
    assert served.ask("/", {"host": "localhost:8710"}).status == 200
    assert served.ask("/", {"host": "127.0.0.1.evil.example"}).status == 421
    assert [host_of(name) for name in ("[::1]:80", "A.example:1", "")] == ["[::1]", "a.example", ""]


def test_long_questions_are_refused(served: Served) -> None:
    assert served.ask("/metrics?q=" + "a" * 5000).status == 414


def test_token_and_named_host(options: Options) -> None:
    with serving(replace(options, token="geheim-7", hosts=("numbers.example",))) as one:
        good = {"authorization": "Bearer geheim-7"}
        while one.ask("/healthz", good).status == 503:
            pass
        assert one.ask("/").status == 401 and "Basic" in one.ask("/static/explorer.css").headers["www-authenticate"]
        basic, wrong = (base64.b64encode(f"anyone:{word}".encode()).decode() for word in ("geheim-7", "geheim-8"))
        assert one.ask("/", {"authorization": f"Basic {basic}", "host": "numbers.example"}).status == 200
        for said in (f"Basic {wrong}", "Basic ***", "Bearer geheim", "Digest geheim-7", "geheim-7"):
            assert one.ask("/", {"authorization": said}).status == 401


def test_rate_is_bounded_per_address(options: Options) -> None:
    with serving(replace(options, per_second=0.5, burst=3)) as one:
        statuses = [one.ask("/healthz").status for _ in range(5)]
        refused = one.ask("/")
    assert 429 not in statuses[:3] and statuses[3:] == [429, 429]
    assert refused.status == 429 and 1 <= int(refused.headers["retry-after"]) <= 3


def test_rate_forgets_and_fills_up() -> None:
    rate = Rate(per_second=2, burst=2)
    assert [rate.wait("a", 0.0), rate.wait("a", 0.0)] == [0, 0]
    assert rate.wait("a", 0.0) == pytest.approx(0.5)
    assert rate.wait("b", 0.0) == 0
    assert rate.wait("a", 0.6) == 0


def test_duckdb_can_only_read_the_release(options: Options, tmp_path: Path) -> None:
    path = options.releases / (options.releases / "CURRENT").read_text(encoding="utf-8").strip()
    outside = tmp_path / "outside.csv"
    outside.write_text("a\n1\n", encoding="utf-8")
    opened = open_release(path, options.cache, 5)
    try:
        with opened.reading() as reader:
            assert reader.value("SELECT count(*) FROM fact_observation") > 0
            for statement in (
                f"SELECT * FROM read_csv('{outside}')",
                f"COPY (SELECT 1) TO '{tmp_path / 'made.csv'}'",
                f"COPY (SELECT 1) TO '{path / 'made.csv'}'",
                f"ATTACH '{tmp_path / 'made.duckdb'}'",
                "DELETE FROM ix.region",
                "CREATE TABLE ix.mine (a INT)",
                "SET enable_external_access = true",
                "SET memory_limit = '64GB'",
                "INSTALL httpfs",
                "LOAD httpfs",
                "SELECT * FROM read_text('/etc/hostname')",
            ):
                with pytest.raises(duckdb.Error):
                    reader.rows(statement)
        assert not (path / "made.csv").exists()
    finally:
        opened.retire()


def test_slow_questions_are_stopped(options: Options) -> None:
    path = options.releases / (options.releases / "CURRENT").read_text(encoding="utf-8").strip()
    opened = open_release(path, options.cache, 0.2)
    try:
        with pytest.raises(TooSlow), opened.reading() as reader:
            reader.rows("SELECT count(*) FROM range(100000000000) a, range(1000) b WHERE a.range * b.range % 7 = 3")
        with opened.reading() as reader:
            assert reader.value("SELECT 1") == 1
    finally:
        opened.retire()


def test_fault_is_a_page_with_a_number_that_stands_in_the_log(
    options: Options, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A file of the release is damaged while the release is read."""
    folder = make_releases(tmp_path, FIRST[:1])
    with serving(replace(options, releases=folder, cache=tmp_path / "cache")) as one:
        one.wait()
        key = one.rows("SELECT document_key FROM ix.report")[0]["document_key"]
        assert one.ask(f"/documents/{key}").status == 200
        (text,) = folder.glob("2*/document_text.parquet")
        text.chmod(0o644)
        text.write_bytes(text.read_bytes()[:-100])
        answers = [one.ask(f"/documents/{key}?lang={lang}") for lang in ("zh", "en")]
        told = one.ask(f"/api/v1/documents/{key}")
        assert one.ask("/metrics").status == 200, "what is not damaged goes on"
    for answer, said in zip((*answers, told), ("程序出错了", "Something went wrong here", '"fault"'), strict=True):
        assert answer.status == 500 and said in answer.text and "Traceback" not in answer.text
        assert all(answer.headers[name] == value for name, value in HEADERS.items())
        (number,) = re.findall(r"<code>([0-9a-f]{8})</code>|\"detail\":\"([0-9a-f]{8})\"", answer.text)
        line = next(one for one in caplog.records if f"fault {''.join(number)} at '/" in one.getMessage())
        assert line.exc_info is not None and "document_text.parquet" in str(line.exc_info[1])
    assert told.json()["error"] == "fault"
