"""Bytes to text: evidence beats declarations, and every decision is recorded."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from extraction.decode import decode

SIMPLIFIED = "云溪区人民政府全年共办理行政复议案件一百二十件，审结九十八件，其中维持六十件。"
TRADITIONAL = "雲溪區人民政府全年共辦理行政覆議案件一百二十件，審結九十八件，其中維持六十件。"


def page(text: str = SIMPLIFIED, meta: str | None = None) -> str:
    tag = f'<meta charset="{meta}">' if meta else ""
    return f"<html><head>{tag}<title>年度报告</title></head><body><p>{text}</p></body></html>"


@pytest.mark.parametrize(
    ("encoding", "content_type", "meta", "used", "decided_by"),
    [
        ("utf-8", "text/html; charset=UTF-8", None, "utf-8", "header"),
        ("utf-8", 'text/html; charset="utf-8"', "gb2312", "utf-8", "header"),
        ("utf-8", "text/html; charset=ISO-8859-1", "utf-8", "utf-8", "meta"),
        ("utf-8", "text/html; charset=ISO-8859-1", None, "utf-8", "detected"),
        ("utf-8", "text/html; charset=gb2312", "gbk", "utf-8", "detected"),
        ("utf-8", None, None, "utf-8", "detected"),
        ("gbk", None, "gb2312", "gb18030", "meta"),
        ("gbk", "text/html;charset=gbk", "utf-8", "gb18030", "header"),
        ("gbk", "text/html;charset=utf-8", "utf-8", "gb18030", "detected"),
        ("gbk", "text/html;charset=no-such-charset", None, "gb18030", "detected"),
        ("gbk", "text/html;charset=big5", None, "gb18030", "detected"),
        ("gb18030", "text/html", None, "gb18030", "detected"),
    ],
)
def test_simplified(encoding: str, content_type: str | None, meta: str | None, used: str, decided_by: str) -> None:
    got = decode(page(meta=meta).encode(encoding), content_type)
    assert SIMPLIFIED in got.text
    assert (got.encoding, got.decided_by, got.replaced, got.mixed) == (used, decided_by, 0, 0)
    assert got.declared_meta == meta


def test_overruled_declarations_are_recorded() -> None:
    got = decode(page(meta="GB2312").encode(), "text/html; charset=ISO-8859-1")
    assert (got.declared_header, got.declared_meta, got.overruled) == ("iso-8859-1", "gb2312", True)
    assert not decode(page().encode(), None).overruled


@pytest.mark.parametrize("declared", [None, "big5", "gb2312", "utf-8", "iso-8859-1"])
def test_traditional_big5(declared: str | None) -> None:
    got = decode(page(TRADITIONAL).replace("报", "報").encode("big5"), declared and f"text/html;charset={declared}")
    assert TRADITIONAL in got.text
    assert got.encoding == "big5hkscs"
    assert got.decided_by == ("header" if declared == "big5" else "detected")


@pytest.mark.parametrize("declared", [None, "gbk", "big5"])
def test_traditional_characters_in_gbk(declared: str | None) -> None:
    got = decode(page(TRADITIONAL).encode("gbk"), declared and f"text/html;charset={declared}")
    assert TRADITIONAL in got.text
    assert got.encoding == "gb18030"


def test_rare_characters_of_gb18030_survive_a_gb2312_label() -> None:
    text = SIMPLIFIED + "镕喆㛃𠮷"
    assert text in decode(page(text).encode("gb18030"), "text/html; charset=gb2312").text


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_byte_order_mark(mark: str) -> None:
    got = decode(page().encode(mark), "text/html; charset=gbk")
    assert got.text == page()
    assert got.decided_by == "bom"
    assert got.bom is not None


def test_a_lying_utf8_mark() -> None:
    got = decode(b"\xef\xbb\xbf" + page().encode("gbk"))
    assert got.text == page()
    assert (got.bom, got.encoding, got.decided_by) == ("utf-8", "gb18030", "detected")


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_mark(encoding: str) -> None:
    for text in (page(), "<p>" + SIMPLIFIED * 20, "<rss><channel/></rss>"):
        got = decode(text.encode(encoding), "text/html; charset=utf-8")
        assert (got.text, got.encoding) == (text, encoding)


def test_utf16_declared_in_a_meta_tag_cannot_be_true() -> None:
    got = decode(page(meta="utf-16").encode())
    assert SIMPLIFIED in got.text
    assert (got.encoding, got.decided_by) == ("utf-8", "detected")


def test_half_a_character_at_the_end() -> None:
    for body in (SIMPLIFIED.encode()[:-1], "法治".encode()[:-1], SIMPLIFIED.encode("gbk")[:-1]):
        got = decode(body)
        assert got.text.startswith("法" if len(body) < 9 else SIMPLIFIED[:-1])
        assert got.replaced == 1


def test_a_few_bad_bytes_do_not_cost_the_page_its_charset() -> None:
    body = page().encode()
    broken = body.replace("审结".encode(), b"\xe5\xae" + "结".encode()).replace("其中".encode(), b"\xff")
    got = decode(broken, "text/html; charset=gbk")
    assert got.encoding == "utf-8"
    assert got.replaced == 2
    assert "其" not in got.text
    assert "维持六十件" in got.text


def test_mixed_page_reads_each_run_in_its_own_charset() -> None:
    footer = "主办单位：云溪区人民政府办公室"
    lines = page().replace("</body>", "|</body>").split("|")
    for main, other in (("utf-8", "gbk"), ("gbk", "utf-8")):
        body = (lines[0] + "<p>").encode(main) + footer.encode(other) + ("</p>" + lines[1]).encode(main)
        got = decode(body)
        assert SIMPLIFIED in got.text
        assert footer in got.text
        assert (got.replaced, got.mixed) == (0, 1)


def test_lost_characters_of_the_source_are_counted_not_guessed() -> None:
    got = decode(page("共办理\ufffd件" + SIMPLIFIED).encode(), "text/html; charset=utf-8")
    assert (got.encoding, got.decided_by, got.replaced) == ("utf-8", "header", 1)


def test_nuls_and_controls_are_dropped_and_counted() -> None:
    got = decode("全年\x00办理\x1b案件\x0b12\ufeff0\ufffe件\t\r\n".encode())
    assert got.text == "全年办理案件\n120件\t\r\n"
    assert got.dropped == 4


def test_words_of_gbk_that_are_valid_utf8() -> None:
    body = b"\xc2\xa5\xd2\xbb"
    assert decode(body, "text/html; charset=gbk").text == body.decode("gbk")
    assert decode(b"&copy; \xc2\xa9 2020", "text/html; charset=utf-8").text == "&copy; © 2020"


def test_other_scripts() -> None:
    western = "Déjà vu à l’été, où étaient-ils donc passés"
    assert decode(western.encode("cp1252"), "text/html; charset=iso-8859-1").text == western
    cyrillic = "Правительство района рассмотрело сто двадцать жалоб"
    assert decode(cyrillic.encode("cp1251"), "text/html; charset=windows-1251").text == cyrillic
    assert decode(cyrillic.encode("cp1251")).text == cyrillic


def test_meta_in_comments_and_after_scripts() -> None:
    body = page(meta="gb2312").encode("gbk").replace(b"<meta", b"<!-- <meta charset=utf-8> --><script>x</script><meta")
    assert decode(body).declared_meta == "gb2312"
    assert decode(b'<?xml version="1.0" encoding="GBK"?><a/>').declared_meta == "gbk"
    old = b'<META HTTP-EQUIV="Content-Type" CONTENT="text/html; charset=gb2312">'
    assert decode(old).declared_meta == "gb2312"


def test_empty_and_ascii() -> None:
    assert (decode(b"").text, decode(b"").encoding) == ("", "utf-8")
    assert decode(b"abc", "text/html; charset=gbk").decided_by == "header"


@pytest.mark.parametrize(
    "unit", [b"<", b"<!--", b"<meta ", b"\xff<", b'"\xd6', bytes(range(256)), '法治建设"'.encode() + b'\xff"']
)
def test_hostile_bodies_take_linear_time(unit: bytes) -> None:
    started = time.process_time()
    decode(unit * (1_000_000 // len(unit)))
    assert time.process_time() - started < 2


@pytest.mark.corpus
def test_every_page_of_the_corpus_is_read_without_loss(corpus: Path) -> None:
    folder = corpus / "portals"
    used: dict[str, set[str]] = {}
    for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["kind"] not in ("detail", "list", "feed"):
            continue
        got = decode((folder / row["file"]).read_bytes(), row["headers"].get("Content-Type"))
        assert (got.replaced, got.mixed, got.dropped) == (0, 0, 0), row["url"]
        used.setdefault(row["url"].split("/")[2], set()).add(got.encoding)
    assert len(used) == 5
    assert used["www.nanhai.gov.cn"] == {"gb18030", "utf-8"}
    assert used["www.lyghz.gov.cn"] == {"utf-8"}
