"""Files that were made to harm: each is an outcome, in little time and memory, and never an error."""

from __future__ import annotations

import io
import random
import resource
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import pytest

from connectors.attachments import isolation, read_attachment
from connectors.attachments.formats import read_bytes
from connectors.attachments.isolation import run_worker
from tests.connectors.attachment_files import (
    SENTENCE,
    W,
    assemble,
    doc,
    docx,
    draw_grid,
    ofd,
    package,
    par,
    pdf,
    row,
    set_lines,
    stream,
    text_object,
)

MAX_SECONDS = 30
MAX_RSS = 300 << 20


@pytest.fixture(autouse=True)
def _bounded() -> Iterator[None]:
    """Whatever a test reads: seconds of computing, and memory of the largest child.

    A child begins in its parent's memory, and Linux counts that peak as its own (exec takes it over)."""
    before, own = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
    yield
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    assert after.ru_utime - before.ru_utime < MAX_SECONDS
    inherited = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after.ru_maxrss * 1024 < max(MAX_RSS, max(before.ru_maxrss, inherited) * 1024 + 1)
    assert time.process_time() - own < MAX_SECONDS


@cache
def squeeze() -> bytes:
    """400 MiB of blanks."""
    packer = zlib.compressobj(1)
    return b"".join(packer.compress(b" " * (1 << 20)) for _ in range(400)) + packer.flush()


def pdf_of(content: bytes, *more: bytes, resources: str = "") -> bytes:
    """One page with this stream as its content; further objects begin with number 5."""
    page = f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R/Resources<<{resources}>>>>".encode()
    return assemble(
        [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[3 0 R]/Count 1>>", page, content, *more]
    )  # fmt: skip


def form(inner: int) -> bytes:
    uses = f"/Type/XObject/Subtype/Form/BBox[0 0 9 9]/Resources<</XObject<</X {inner} 0 R>>>>"
    return stream(b"/X Do " * 10, uses)


PDF_BOMBS: dict[str, Callable[[], bytes]] = {
    "a stream of 400 MiB": lambda: pdf_of(stream(squeeze(), "/Filter/FlateDecode")),
    "a stream packed twice": lambda: pdf_of(
        stream(zlib.compress(squeeze(), 9), "/Filter[/FlateDecode/FlateDecode]")
    ),
    "forms in forms": lambda: pdf_of(
        stream(b"/X Do"), *(form(6 + n) for n in range(12)), stream(b"", "/Subtype/Form/BBox[0 0 9 9]"),
        resources="/XObject<</X 5 0 R>>",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PDF_BOMBS)
def test_pdf_bombs_end_with_their_process(name: str) -> None:
    got = read_attachment(PDF_BOMBS[name](), "a.pdf")
    assert (got.kind, got.text) == ("too_large", "")
    assert "than a report may" in got.notes[0]


def test_a_pdf_of_100000_pages_is_cut_and_says_so() -> None:
    kids = b"3 0 R " * 100_000
    pages = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[" + kids + b"]/Count 100000>>"]
    page = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 595 842]/Contents 4 0 R>>"
    got = read_attachment(assemble([*pages, page, stream(b"")]), "a.pdf")
    assert "only the first 500 of 100000 pages are read" in got.notes


@pytest.mark.parametrize(
    "body",
    [
        assemble([b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Kids[2 0 R]/Count 5>>"]),
        pdf_of(b"[" * 100_000 + b"]" * 100_000),
        pdf([set_lines([SENTENCE])], trailer="/Prev 9"),
        pdf([set_lines([SENTENCE])])[:-60],
    ],
    ids=["a tree of pages in itself", "an array 100000 deep", "a table that leads astray", "no end"],
)
def test_broken_pdfs(body: bytes) -> None:
    assert read_attachment(body, "a.pdf").kind in ("damaged", "needs_ocr", "pdf")


def test_a_pdf_with_a_password() -> None:
    """Standard security, revision 2, of a password that is not the empty one (the keys are of no file that opens)."""
    secret = f"/Filter/Standard/V 1/R 2/O<{'41' * 32}>/U<{'42' * 32}>/P -4"
    body = pdf([set_lines([SENTENCE])], trailer=f"/Encrypt<<{secret}>>/ID[<00><00>]")
    got = read_attachment(body, "a.pdf")
    assert (got.kind, got.text, got.notes) == ("encrypted", "", ("protected by a password",))


def zip_of(name: str, unit: bytes, times: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive, archive.open(name, "w") as file:
        for _ in range(times):
            file.write(unit)
    return out.getvalue()


def lying() -> bytes:
    """The directory states 10 bytes, the entry holds 32 MiB."""
    body = zip_of("word/document.xml", b" " * (1 << 20), 32)
    size = (32 << 20).to_bytes(4, "little")
    return body.replace(size, (10).to_bytes(4, "little"))


def overlapping() -> bytes:
    """Entries that share their bytes, each listed as if it were alone."""
    body = zip_of("word/document.xml", random.Random(1).randbytes(1 << 16), 1)
    end = body.rindex(b"PK\x05\x06")
    start = body.index(b"PK\x01\x02")
    listed = b"".join(body[start:end].replace(b"document", f"docume{n:02}".encode()) for n in range(99))
    tail = bytearray(body[end:])
    tail[8:12] = (99).to_bytes(2, "little") * 2
    tail[12:16] = len(listed).to_bytes(4, "little")
    return body[:start] + listed + bytes(tail)


def locked() -> bytes:
    body = bytearray(docx(par("正文")))
    for magic, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = body.find(magic)
        while place >= 0:
            body[place + at] |= 1
            place = body.find(magic, place + 4)
    return bytes(body)


def entity(depth: int) -> str:
    names = "".join(f"<!ENTITY e{n} '{f'&e{n - 1};' * 10}'>" for n in range(1, depth))
    text = f"<w:p><w:r><w:t>&e{depth - 1};</w:t></w:r></w:p>"
    return f"<!DOCTYPE a [<!ENTITY e0 '九'>{names}]><w:document {W}>{text}</w:document>"


OUTSIDE = f'<!DOCTYPE a SYSTEM "file:///etc/hostname"><w:document {W}/>'
ZIPS: dict[str, tuple[Callable[[], bytes], str]] = {
    "many entries": (lambda: package({f"word/{n}.xml": "" for n in range(2_500)}), "too_large"),
    "a large part": (lambda: zip_of("word/document.xml", random.Random(1).randbytes(1 << 10) * 1_024, 25), "too_large"),
    "a high ratio": (lambda: zip_of("word/document.xml", b" " * (1 << 20), 8), "too_large"),
    "all parts together": (lambda: zip_of("word/a.bin", random.Random(1).randbytes(1 << 14) * 64, 260), "too_large"),
    "entries that overlap": (overlapping, "too_large"),
    "a size that is a lie": (lying, "damaged"),
    "a way out": (lambda: package({"../../evil.xml": "", "word/document.xml": "<a/>"}), "damaged"),
    "a way out by backslash": (lambda: package({"..\\evil.xml": "", "word/document.xml": "<a/>"}), "damaged"),
    "an absolute name": (lambda: package({"/etc/evil.xml": "", "word/document.xml": "<a/>"}), "damaged"),
    "a password": (locked, "encrypted"),
    "a zip in a zip": (lambda: package({"a.docx": docx(par("正文"))}), "unsupported"),
    "entities": (lambda: package({"word/document.xml": entity(9)}), "damaged"),
    "entities in UTF-16": (lambda: package({"word/document.xml": entity(9).encode("utf-16")}), "damaged"),
    "a DTD outside": (lambda: package({"word/document.xml": OUTSIDE}), "damaged"),
    "no entries": (lambda: package({}), "damaged"),
    "a sheet of bombs": (lambda: zip_of("xl/workbook.xml", b"<a/>" * (1 << 18), 30), "too_large"),
    "an OFD of bombs": (lambda: zip_of("OFD.xml", b"<a/>" * (1 << 18), 30), "too_large"),
}  # fmt: skip


@pytest.mark.parametrize("name", ZIPS)
def test_zips_are_judged_before_they_are_unpacked(name: str) -> None:
    build, kind = ZIPS[name]
    got = read_bytes(build(), "a.docx")
    assert (got.kind, got.text) == (kind, ""), got.notes
    assert got.notes


def test_two_entries_of_one_name() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("word/document.xml", f"<w:document {W}/>")
        archive.writestr("word/document.xml", f"<w:document {W}/>")
    assert read_bytes(out.getvalue(), "a.docx").kind == "damaged"


def test_a_tree_that_takes_all_memory() -> None:
    """14 MB of XML, a tree of 300 MB; no bomb by its ratio."""
    piece = "".join(f"<a>{n}</a><b/>c<d/>e" for n in range(5_000))
    got = read_attachment(docx(piece * 120), "a.docx")
    assert (got.kind, got.notes) == ("too_large", ("takes more memory than a report may",))


def test_long_texts_are_cut_and_say_so() -> None:
    long = docx(par("全年审结案件" * 20) * 5_000)
    got = read_attachment(long, "a.docx")
    assert 500_000 <= len(got.text) < 600_000
    assert got.notes == ("cut after paragraph 4167: longer than any report",)


def test_a_child_that_takes_too_long_is_killed() -> None:
    started = time.monotonic()
    got = run_worker(pdf([set_lines([SENTENCE])], drawn=draw_grid(range(2_000), range(2_000))), "a.pdf", 0.01)
    assert (got.kind, got.notes) == ("too_large", ("not read within 0.01 seconds",))
    assert time.monotonic() - started < 5


def test_a_child_that_breaks_down_is_an_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    for code, kind, words in (
        ("import os; os.abort()", "too_large", "memory"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "damaged", "signal 11"),
        ("raise ValueError('a word of the reader')", "damaged", "ValueError: a word of the reader"),
        (
            "import time, resource; resource.setrlimit(resource.RLIMIT_CPU, (1, 1))\nwhile True: pass",
            "too_large",
            "time",
        ),
        ("import sys; sys.exit(3)", "damaged", "exit code 3"),
    ):
        monkeypatch.setattr(isolation, "_CODE", code)
        got = read_attachment(b"x", "a.pdf")
        assert (got.kind, got.text) == (kind, "")
        assert words in got.notes[0]


def test_a_child_knows_nothing_and_may_take_little(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its environment is empty, its limits hold, what it writes is bounded by the kernel."""
    monkeypatch.setenv("FAZHI_SECRET", "word")
    start = "import os, sys; sys.path[:] = sys.argv[2:]\n"
    start += "from connectors.attachments.worker import set_limits; set_limits()\n"
    for code, words in (
        ("sys.exit(repr(sorted(set(os.environ) - {'LC_CTYPE'})))", "['PYTHONUTF8']"),
        ("b'x' * (256 << 20)", "MemoryError"),
        ("sys.stdout.buffer.write(b'x' * (33 << 20)); sys.stdout.flush()", "File too large"),
        ("files = [open('/dev/null') for _ in range(50)]", "Too many open files"),
    ):
        monkeypatch.setattr(isolation, "_CODE", start + code)
        assert words in read_attachment(b"", "a").notes[0]


def test_attachments_are_read_from_threads() -> None:
    bodies = [docx(par(f"全年审结案件{n}件")) for n in range(4)]
    with ThreadPoolExecutor(4) as pool:
        texts = [found.text for found in pool.map(read_attachment, bodies, ["a.docx"] * 4)]
    assert texts == [f"全年审结案件{n}件" for n in range(4)]


GOOD = [
    docx(par("全年120件") + "<w:tbl>" + row(par("甲")) + "</w:tbl>"),
    ofd({"P": text_object(25, 40, "全年审结案件")}),
    doc(["全年审结案件\r甲\x07乙\x07\x07"]),
]


@pytest.mark.parametrize("number", range(len(GOOD)))
def test_spoilt_files_are_outcomes_of_the_readers_themselves(number: int) -> None:
    """Bytes changed, the end cut off: an outcome, or an error that the worker would have turned into one."""
    choose, n_errors = random.Random(number), 0
    for _ in range(150):
        body = bytearray(GOOD[number])
        for _ in range(choose.randint(1, 12)):
            body[choose.randrange(len(body))] = choose.randrange(256)
        try:
            read_bytes(bytes(body[: choose.randint(len(body) // 2, len(body))]), "a")
        except Exception:  # noqa: BLE001 - whatever it is, it is counted
            n_errors += 1
    assert n_errors == 0


def test_spoilt_pdfs_are_outcomes() -> None:
    choose, good = random.Random(7), pdf([set_lines([SENTENCE] * 3)], drawn=draw_grid((80, 200, 300), (600, 500, 400)))
    for _ in range(8):
        body = bytearray(good)
        for _ in range(choose.randint(1, 12)):
            body[choose.randrange(len(body))] = choose.randrange(256)
        assert read_attachment(bytes(body), "a.pdf").kind in ("pdf", "damaged", "needs_ocr", "unsupported", "encrypted")
