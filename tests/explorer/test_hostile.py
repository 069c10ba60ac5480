"""Hostile questions and hostile names: addresses that lead elsewhere, climb or end a header; markup as names."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser

from explorer.app import Options
from explorer.current import Current, NotReady
from explorer.guard import LONGEST_QUERY
from tests.explorer.releases import FIRST, PLANTED
from tests.explorer.serving import Served, serving
from tests.explorer.test_browser import overflow, reading, serious
from tests.warehouse.conftest import check_nothing
from warehouse.engine import open_warehouse
from warehouse.load import publish
from warehouse.release import make_release

MARKUP = "<img src=x onerror=alert(1)>\"'{{7*7}}</script><script>alert(2)</script>"
LONG = "很长的名称" * 30 + "AVeryLongNameWithoutAnyPlaceToBreakIt" * 4


def ask_raw(served: Served, target: str, *lines: str) -> tuple[int, list[tuple[str, str]], str]:
    """A question as it is written: no client that mends it. Status, headers, text."""
    parts = urlsplit(served.address)
    written = "\r\n".join((f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", "Connection: close", *lines, "", ""))
    with socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30) as link:
        link.sendall(written.encode("latin-1"))
        told = b"".join(iter(lambda: link.recv(65536), b""))
    head, _, body = told.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in rest)]
    return int(first.split()[1]), headers, body.decode("utf-8", "replace")


ELSEWHERE = ("//evil.example/", "//evil.example/metrics", "/%5Cevil.example/", "/\\evil.example/x",
             "///evil.example/%2e%2e", "//evil.example/metrics/?lang=en", "http://evil.example/metrics/")  # fmt: skip


@pytest.mark.parametrize("target", ELSEWHERE)
def test_no_link_or_redirect_leads_to_another_host(served: Served, target: str) -> None:
    status, headers, text = ask_raw(served, target)
    assert status in (307, 400, 404)
    assert all(urlsplit(value).hostname in (None, "127.0.0.1") for name, value in headers if name == "location")
    for href in re.findall(r'(?:href|action|src)="([^"]*)"', text):
        assert not href.startswith(("//", "/\\", "\\")) and ":" not in href.partition("?")[0], href


@pytest.mark.parametrize(
    "target",
    [
        "/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/vendor/..%2f..%2fview.py",
        "/data/..%2f..%2fetc%2fpasswd", "/data/fact_check/files/..%2fdatapackage.json", "/data/%2e%2e/files/CURRENT",
        "/data/fact_check/files/../../datapackage.json", "/runs/..%2f..%2fCURRENT", "/api/v1/runs/..%2f..%2fCURRENT",
        "/documents/..%2f1", "/static//etc/passwd", "/static/%00", "/static/explorer.css%00.js",
    ],
)  # fmt: skip
def test_no_address_climbs_out(served: Served, target: str) -> None:
    status, _, text = ask_raw(served, target)
    assert status in (400, 404, 422), text[:200]
    assert "root:" not in text and "def create_app" not in text and "fingerprint" not in text


@pytest.mark.parametrize(
    "target",
    [
        "/data/dim_rule.csv%0d%0aX-Evil:%201", "/data/dim_rule%0d%0aX-Evil:%201.csv",
        "/?lang=en%0d%0aSet-Cookie:%20a=b",
        "/metrics?q=%0d%0aX-Evil:%201&lang=en%0d%0aX-Evil:%201", "/data/dim_rule/files/dim_rule%0d%0aX-Evil:1.parquet",
    ],
)  # fmt: skip
def test_no_header_is_ended_by_a_question(served: Served, target: str) -> None:
    _, headers, _ = ask_raw(served, target, "Cookie: fazhi_lang=en%0d%0aX-Evil: 1", "Accept-Language: en\tX-Evil")
    assert "x-evil" not in {name for name, _ in headers}
    assert all("a=b" not in value for _, value in headers)


NAMES = ("evil.example", "127.0.0.1@evil.example", "localhost.evil.example:80", "", "127.0.0.1, evil.example", "x[::1]")


@pytest.mark.parametrize("host", NAMES)
def test_other_hosts_are_refused_however_they_are_spelled(served: Served, host: str) -> None:
    assert served.ask("/metrics/?lang=en", {"host": host}).status == 421


def test_names_of_columns_and_tables_are_those_of_the_release_only(served: Served) -> None:
    for question in ('rule_id"%20OR%201=1--=x', "1=1", 'x")%3BDROP%20TABLE%20y=1', "rowid=1", "%22rule_id%22=R01"):
        assert served.ask(f"/data/dim_rule?{question}").status == 422
    for table in ("ix.region", "duckdb_settings", "information_schema", "dim_rule;", "DIM_RULE", "pg_catalog"):
        assert served.ask(f"/data/{table}").status in (404, 422)
    for path in ("/findings?rule=' OR 1=1--&state=all", "/documents?q=%' OR ''='", "/regions?q=%25_%5C"):
        answer = served.ask(path)
        assert answer.status == 200 and re.search(r">0 (?:条|份报告|个地区)<", answer.text), path


def test_large_questions_end_quickly(served: Served) -> None:
    assert served.ask("/metrics?q=" + "%41" * (LONGEST_QUERY // 3)).status == 414
    assert served.ask("/data/dim_rule?" + "&".join(["rule_id=R01"] * 200)).status == 422
    assert served.ask("/regions/990101?with=" + "9" * 41).status == 422
    assert served.ask("/metrics/" + "a" * 3000).status == 422
    assert served.ask("/metrics?q=" + "a " * 49).status == 200
    assert served.ask("/data/dim_rule.csv?limit=100001").status == 422


def test_another_page_can_make_nobody_acknowledge(served: Served, acknowledged: Path) -> None:
    """There is nothing to forge: the form answers with a line, and no method writes."""
    before = acknowledged.read_bytes() if acknowledged.exists() else None
    path = "/findings/acknowledge?finding=check:1&name={}&reason=y&until=2030-01-01"
    told = {"origin": "http://evil.example", "referer": "http://evil.example/"}
    assert served.ask(path.format("x"), told).status == 200 and served.ask(path.format("x"), told, "POST").status == 405
    assert (acknowledged.read_bytes() if acknowledged.exists() else None) == before
    said = served.ask(path.format("<img src=x>%0a- finding: check:2")).text
    line = re.search(r"<pre[^>]*>(.*?)</pre>", said, re.S)
    assert "<img" not in said and line and not re.search(r"^\s*- finding: check:2", line[1], re.M)


@pytest.mark.parametrize("name", ["../outside", "/etc", "a/../../outside", "..", "."])
def test_pointer_to_what_is_no_release_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "releases").mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "releases" / "CURRENT").write_text(name, encoding="utf-8")
    current = Current(tmp_path / "releases", tmp_path / "cache", 5)
    current.look()
    with pytest.raises(NotReady) as caught, current.reading():
        pass
    assert caught.value.reason == "unreadable" and "\n" not in caught.value.detail


@pytest.fixture(scope="module")
def hostile(options: Options, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A release whose metrics, source, titles and passages have markup or very long words in their names."""
    folder = tmp_path_factory.mktemp("hostile")
    engine = open_warehouse(f"sqlite:///{folder / 'warehouse.sqlite'}")
    for turn, one in enumerate(FIRST):
        bad = MARKUP if turn % 2 else LONG
        metrics = tuple(
            replace(m, name_zh=f"{bad}{m.code}", name_en=f"{MARKUP}{m.code}", definition=bad)
            for m in one.catalogue.metrics
        )
        told = replace(
            one,
            source=replace(one.source, name_zh=MARKUP, name_en=f"{LONG}{MARKUP}"),
            documents=tuple(replace(d, title=f"{LONG}{MARKUP}", publisher=MARKUP, **PLANTED) for d in one.documents),
            catalogue=replace(one.catalogue, metrics=metrics, version=f"v{turn}"),
        )
        publish(engine, told, check_nothing)
    make_release(engine, folder / "releases", keep=1)
    engine.dispose()
    with serving(replace(options, releases=folder / "releases", cache=folder / "cache")) as running:
        running.wait()
        yield running


PAGES = ("/", "/metrics", "/metrics/disputes_mediated?year=2021&regions=990101", "/regions", "/regions/990101",
         "/documents", "/findings?state=all", "/findings?kind=restated", "/findings?kind=spam", "/runs", "/runs/r1",
         "/data/dim_metric", "/dictionary?q=img")  # fmt: skip


@pytest.mark.parametrize("screen", ["wide", "phone"])
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_markup_and_long_words_are_text_that_fits(browser: Browser, hostile: Served, screen: str, lang: str) -> None:
    key = hostile.rows("SELECT document_key FROM ix.report LIMIT 1")[0]["document_key"]
    with reading(browser, hostile.address, screen) as page:
        page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
        for path in (*PAGES, f"/documents/{key}"):
            page.goto(f"{hostile.address}{path}{'&' if '?' in path else '?'}lang={lang}")
            if "/metrics/" in path:
                page.wait_for_selector("#charts[data-drawn=yes]")
                page.locator("canvas").first.hover()
            assert page.locator("img, main script").count() == 0 and "49</script>" not in page.content(), path
            assert overflow(page) <= 0, f"{path} is wider than the {screen} screen"
            assert serious(page) == [], path
