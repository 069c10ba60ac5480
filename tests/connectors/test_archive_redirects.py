"""Redirects in the archive: whoever replays it comes to a page by the way on which it was found."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin

import pytest
from warcio.archiveiterator import ArchiveIterator

from connectors.archive import Archive, SnapshotRef
from connectors.archive.retention import Policy, carry_out, plan_pruning
from connectors.archive.serving import find_newest
from connectors.archive.upkeep import Cut, count, export, verify
from connectors.http.model import Fetch
from tests.connectors.archive_pages import AT, fetch
from tests.connectors.client_runs import HOST, HTML, Run
from tests.connectors.test_archive_format import warcio
from tests.servers import Site

OLD, STUB, NEW = (f"http://{HOST}/{name}.html" for name in ("old", "stub", "new"))
REFRESH = '<html><head><meta http-equiv="refresh" content="0;url=/new.html"></head><body></body></html>'


@pytest.fixture
def led(site: Site) -> Fetch:
    """A page that a redirect and a refresh lead to."""
    site.on("/old.html", status=302, headers={"Location": "/stub.html", "Set-Cookie": "visit=1"})
    site.on("/stub.html", REFRESH, headers={"Content-Type": "text/html; charset=utf-8"})
    site.on("/new.html", HTML, headers={"Content-Type": "text/html; charset=utf-8"})
    return Run(site).fetch(OLD)


def kept(folder: Path, *answers: Fetch) -> tuple[Archive, list[SnapshotRef]]:
    archive = Archive(folder)
    refs = [archive.store(answer, source="990001_yunxi") for answer in answers]
    archive.close()
    return archive, refs


def moved(number: int, days: float = 0) -> Fetch:
    """A page of its own, which an old address led to."""
    old = fetch(b"", url=OLD, final_url=OLD, status=301, headers={"location": NEW}, request=b"GET / HTTP/1.1\r\n\r\n")
    page = fetch(b"<p>%d</p>" % number, number, days=days)
    hop = old._replace(final_url=f"http://{HOST}/old{number}.html", fetched_at=page.fetched_at)
    return page._replace(hops=(hop,))


def index(path: Path) -> list[dict[str, str]]:
    wanted = "offset,warc-type,warc-target-uri,http:status"
    return [json.loads(line) for line in warcio("index", "-f", wanted, path).splitlines()]


def test_each_step_to_a_page_can_be_played_back(led: Fetch, tmp_path: Path) -> None:
    _, (ref,) = kept(tmp_path, led)
    path = tmp_path / ref.file
    assert warcio("check", "-v", path).count("digest pass") == 3
    found = index(path)
    pairs = ["response", "request"]
    assert [entry["warc-type"] for entry in found] == ["warcinfo", *pairs, "metadata", *pairs, *pairs]
    answers = {entry["warc-target-uri"]: entry for entry in found if entry["warc-type"] == "response"}
    assert int(answers[NEW]["offset"]) == ref.offset, "the page comes first: what refers to it finds it"
    assert {url: entry["http:status"] for url, entry in answers.items()} == {NEW: "200", OLD: "302", STUB: "200"}
    with path.open("rb") as file:
        heads = {
            one.rec_headers.get_header("WARC-Target-URI"): one.http_headers
            for one in ArchiveIterator(file)
            if one.rec_type == "response"
        }
    assert urljoin(OLD, heads[OLD].get_header("location")) == STUB and heads[OLD].get_header("set-cookie") is None
    assert "url=/new.html" in warcio("extract", "--payload", path, answers[STUB]["offset"])
    assert warcio("extract", "--payload", path, answers[NEW]["offset"]) == HTML
    asked = [entry for entry in found if entry["warc-type"] == "request"]
    assert [entry["warc-target-uri"] for entry in asked] == [NEW, OLD, STUB]
    assert all("visit=1" not in warcio("extract", "--headers", path, entry["offset"]) for entry in asked)


def test_they_are_no_pages_and_go_where_their_page_goes(led: Fetch, tmp_path: Path) -> None:
    archive, refs = kept(tmp_path / "raw", led, fetch())
    assert archive.load(refs[0]).url == NEW
    verdict = verify(archive, refs)
    assert verdict.is_good and verdict.pages == 2
    counted = count(archive)["990001_yunxi"]
    lying = sum(path.stat().st_size for path in (tmp_path / "raw").iterdir())
    assert counted.pages == 2 and 0 < lying - counted.stored < 500, "all but warcinfo"
    newest = find_newest(archive).pages
    assert newest[HOST, "/old.html"].ref == newest[HOST, "/new.html"].ref == refs[0]
    assert (HOST, "/stub.html") not in newest
    (tmp_path / "copy").mkdir()
    assert export(archive, Cut(urls=("/old.html",)), tmp_path / "copy" / "one.warc.gz") == (1, [])
    assert len(index(tmp_path / "copy" / "one.warc.gz")) == 8
    assert verify(Archive(tmp_path / "copy")).pages == 1


def test_a_redirect_lives_as_long_as_the_version_that_it_led_to(tmp_path: Path) -> None:
    archive, refs = kept(tmp_path, *(moved(1, days=day)._replace(body=b"%d" % day) for day in range(3)), moved(2))
    plan = plan_pruning(archive, Policy(versions=1), refs[:1], AT + timedelta(days=9))
    carry_out(archive, plan)
    assert plan.n_old == 1 and verify(archive, [refs[0], *refs[2:]]).is_good
    (name,) = archive.place.names()
    answers = [entry for entry in index(tmp_path / name) if entry["warc-type"] == "response"]
    assert [entry["http:status"] for entry in answers] == ["200", "301"] * 3
    assert archive.load(refs[2]).body == b"2"


def damage(path: Path, ref: SnapshotRef) -> None:
    with path.open("r+b") as file:
        file.seek(ref.offset + ref.length // 2)
        file.write(b"\0\0\0\0")


def test_a_damaged_redirect_costs_its_page_nothing_and_a_damaged_page_makes_none_of_its_redirect(
    tmp_path: Path,
) -> None:
    archive, refs = kept(tmp_path / "raw", moved(1), moved(2), moved(3))
    path = tmp_path / "raw" / refs[0].file
    lying = {
        entry["warc-target-uri"]: int(entry["offset"]) for entry in index(path) if entry["warc-type"] == "response"
    }
    hop = replace(refs[0], offset=lying[f"http://{HOST}/old1.html"], length=300)
    damage(path, hop)
    damage(path, refs[1])
    verdict = verify(archive, refs)
    assert [one.offset for one in verdict.damaged] == [hop.offset, refs[1].offset]
    assert verdict.pages == 2 and verdict.lost == [refs[1]]
    pages, _ = export(archive, Cut(), tmp_path / "out.warc.gz")
    assert pages == 2 and warcio("check", "-v", tmp_path / "out.warc.gz").count("digest pass") == 3


def test_an_export_takes_what_is_whole_of_a_page_whose_request_is_damaged(tmp_path: Path) -> None:
    archive, refs = kept(
        tmp_path / "raw", fetch(b"<p>whole</p>", request=b"GET / HTTP/1.1\r\n\r\n" * 9), fetch(number=1)
    )
    damage(tmp_path / "raw" / refs[0].file, replace(refs[0], offset=refs[0].offset + refs[0].length, length=160))
    to = tmp_path / "out.warc.gz"
    pages, damaged = export(archive, Cut(sources=("990001_yunxi",)), to)
    assert (pages, len(damaged)) == (2, 1)
    assert [entry["warc-type"] for entry in index(to)] == ["warcinfo", "response", "response", "metadata"]
    assert warcio("check", "-v", to).count("digest pass") == 2
