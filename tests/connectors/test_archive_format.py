"""What is in the files: records that other tools of the trade read, whatever a portal put into its answer."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from connectors.archive import Archive, SnapshotRef
from connectors.archive import record as records
from connectors.http.model import Attempt, Fetch
from tests.connectors.archive_pages import AT, HEADERS, fetch
from tests.connectors.client_runs import HOST, HTML, Run
from tests.servers import Site

WARCIO = Path(sys.executable).parent / "warcio"


def warcio(*arguments: str | Path) -> str:
    done = subprocess.run([WARCIO, *map(str, arguments)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def made(folder: Path, bodies: list[bytes]) -> tuple[Path, list[SnapshotRef]]:
    with Archive(folder) as archive:
        refs = [archive.store(fetch(body, n), source="990001_yunxi") for n, body in enumerate(bodies)]
    return folder / refs[0].file, refs


def test_warcio_checks_and_indexes_every_record(tmp_path: Path) -> None:
    path, refs = made(tmp_path, [b"<p>page</p>", b"", bytes(range(256)) * 400])
    told = warcio("check", "-v", path)
    assert told.count("digest pass") == 3
    index = [json.loads(line) for line in warcio("index", path).splitlines()]
    assert [entry["warc-type"] for entry in index] == ["warcinfo"] + ["response", "metadata"] * 3
    assert [int(entry["offset"]) for entry in index if entry["warc-type"] == "response"] == [r.offset for r in refs]


def test_what_was_crawled_can_be_indexed_and_played_back(site: Site, tmp_path: Path) -> None:
    """What replay does: each `response` is found by the index (address, offset, status, type, digest), its payload read
    from there; the `request` beside it is the one that was sent."""
    pages = {f"/p{number}.html": HTML.replace("云溪区", f"云溪区第{number}", 1) for number in range(3)}
    for target, text in pages.items():
        site.on(target, text, headers={"Content-Type": "text/html; charset=utf-8", "Set-Cookie": "visit=1"})
    urls = [f"http://{HOST}{target}" for target in pages]
    with Archive(tmp_path) as archive:
        refs = [archive.store(got) for got in Run(site).fetch_all(*urls) if isinstance(got, Fetch)]
    path = tmp_path / refs[0].file
    assert warcio("check", "-v", path).count("digest pass") == 3
    wanted = "offset,warc-type,warc-target-uri,http:status,http:content-type,warc-payload-digest"
    index = [json.loads(line) for line in warcio("index", "-f", wanted, path).splitlines()]
    assert [entry["warc-type"] for entry in index] == ["warcinfo"] + ["response", "request", "metadata"] * 3
    answers = [entry for entry in index if entry["warc-type"] == "response"]
    for entry, url, ref, text in zip(answers, urls, refs, pages.values(), strict=True):
        assert entry == {
            "offset": str(ref.offset), "warc-type": "response", "warc-target-uri": url, "http:status": "200",
            "http:content-type": "text/html; charset=utf-8", "warc-payload-digest": f"sha256:{ref.sha256}",
        }  # fmt: skip
        assert warcio("extract", "--payload", path, str(ref.offset)) == text
    last = [entry["offset"] for entry in index if entry["warc-type"] == "request"][-1]
    asked = warcio("extract", "--headers", path, last)
    assert "GET /p2.html HTTP/1.1" in asked and f"Host: {HOST}" in asked and "fazhi-test/1" in asked
    assert [seen.headers.get("cookie") for seen in site.seen][-1] == "visit=1" and "visit=1" not in asked


def test_warcio_sees_a_changed_byte(tmp_path: Path) -> None:
    """The check above can fail."""
    path, refs = made(tmp_path, [b"<p>page</p>" * 9])
    plain = records.unsqueeze(path.read_bytes()[refs[0].offset :][: refs[0].length])
    path.write_bytes(gzip.compress(plain.replace(b"page", b"pale", 1)))
    done = subprocess.run([WARCIO, "check", path], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1
    assert "payload digest failed" in done.stdout


def test_the_records_of_a_page(tmp_path: Path) -> None:
    last = Attempt("http://x/", "x", AT, 5, 200, 9, "ok", "allowed", 1.0, 0.0, kind="page")
    answer = fetch(b"<p>page</p>", url="http://www.yunxi.example/old.html", elapsed_ms=57, attempts=(last, last))
    with Archive(tmp_path) as archive:
        ref = archive.store(answer, source="990001_yunxi")
    with (tmp_path / ref.file).open("rb") as file:
        read = [(one.rec_headers, one.http_headers, one.raw_stream.read()) for one in ArchiveIterator(file)]
    (info, _, about), (page, http, body), (meta, _, facts) = read
    assert info.get_header("WARC-Type") == "warcinfo"
    assert info.get_header("WARC-Filename") == ref.file
    assert b"software: fazhi/" in about and b"WARC File Format 1.1" in about
    assert page.protocol == "WARC/1.1"
    assert page.get_header("WARC-Target-URI") == "http://www.yunxi.example/0.html?x=1"
    assert page.get_header("WARC-Date") == "2026-01-02T03:04:05.678901Z"
    assert page.get_header("WARC-Payload-Digest") == f"sha256:{ref.sha256}"
    assert body == b"<p>page</p>"
    assert http.get_statuscode() == "200"
    assert http.headers == [
        ("content-type", "text/html; charset=gbk"),
        ("x-archive-orig-content-encoding", "gzip"),
        ("x-archive-orig-content-length", "3"),
        ("x-archive-orig-transfer-encoding", "chunked"),
        ("etag", '"a1"'),
        ("x-name", "云溪"),
        ("content-length", "11"),
    ]
    assert meta.get_header("WARC-Concurrent-To") == page.get_header("WARC-Record-ID")
    assert facts.decode().splitlines() == [
        "asked: http://www.yunxi.example/old.html",
        "fetchTimeMs: 57",
        "source: 990001_yunxi",
        "kind: page",
        "attempts: 2",
        "robots: allowed",
    ]


def test_a_hostile_answer_forges_no_line_and_no_record(tmp_path: Path) -> None:
    evil = "x\r\n\r\nWARC/1.1\r\nWARC-Type: response\r\n"
    answer = fetch(b"HTTP/1.1 200 OK\r\n\r\nWARC/1.1\r\n\r\n")._replace(
        headers=HEADERS | {"x-evil": evil, "x-\nevil": "\ud800\x00"},
        final_url="http://www.yunxi.example/" + evil,
        url="http://www.yunxi.example/\nsource: other",
    )
    with Archive(tmp_path) as archive:
        ref = archive.store(answer, source="990001_yunxi")
        assert archive.load(ref).body == answer.body
        assert "\r" not in archive.load(ref).url
    with (tmp_path / ref.file).open("rb") as file:
        read = [(one.rec_type, one.content_stream().read()) for one in ArchiveIterator(file, check_digests="raise")]
    assert [kind for kind, _ in read] == ["warcinfo", "response", "metadata"]
    assert records.parse_fields(read[2][1])["source"] == "990001_yunxi"


def test_files_written_by_warcio_can_be_read(tmp_path: Path) -> None:
    """As earlier versions of this project wrote them."""
    out = io.BytesIO()
    writer = WARCWriter(out, gzip=True, warc_version="WARC/1.1")
    writer.write_record(writer.create_warcinfo_record("old.warc.gz", {"software": "fazhi"}))
    begin = out.tell()
    http = StatusAndHeaders("200 OK", [("Content-Type", "text/html"), ("Content-Length", "3")], protocol="HTTP/1.1")
    digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    named = {"WARC-Date": "2026-01-02T03:04:05.678901Z", "WARC-Payload-Digest": f"sha256:{digest}"}
    writer.write_record(
        writer.create_warc_record(
            "http://www.yunxi.example/", "response", payload=io.BytesIO(b"abc"), length=3, http_headers=http,
            warc_headers_dict=named,
        )
    )  # fmt: skip
    (tmp_path / "old.warc.gz").write_bytes(out.getvalue())
    page = Archive(tmp_path).load(SnapshotRef("old.warc.gz", begin, out.tell() - begin, digest))
    assert (page.body, page.content_type, page.url, page.status) == (
        b"abc", "text/html", "http://www.yunxi.example/", 200,
    )  # fmt: skip
    assert page.fetched_at == datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)


@pytest.mark.parametrize(
    "plain",
    [
        b"",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"WARC/1.1\r\nWARC-Type: response\r\n\r\n\r\n\r\n",
        b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: 3\r\n\r\nabcd\r\n\r\n",
        b"WARC/1.1\r\nWARC-Type: response\r\nContent-Length: -3\r\n\r\nabc\r\n\r\n",
        b"WARC/1.1\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n",
    ],
)
def test_what_is_no_whole_record_is_refused(plain: bytes) -> None:
    with pytest.raises(ValueError, match="there"):
        records.parse(plain)


def test_members_are_found_again_after_damage() -> None:
    one, two = (records.squeeze(records.warcinfo(name)) for name in ("a", "b"))
    broken = one[: len(one) // 2]
    for junk in (b"x", b"\x1f\x8b\x08", broken, b"\0" * 200_000, records.squeeze(b"no record" * 900)[:-4]):
        found = list(records.read_members(io.BytesIO(one + junk + two)))
        assert [(member.offset, member.length, bool(member.why)) for member in found] == [
            (0, len(one), False),
            (len(one), len(junk), True),
            (len(one) + len(junk), len(two), False),
        ]
