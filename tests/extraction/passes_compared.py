"""The compiled passes beside those in Python: the same answers on made pages, the corpus's, and broken ones.

`python -m tests.extraction.passes_compared`, where both are (tests/test_fast.py builds them): the last line says on how
many trees; the first difference ends it with an AssertionError.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

from lxml import etree
from lxml.html import HtmlElement

from benchmarks.made_pages import make_detail, make_lists
from connectors.engines.labels import _BEGINNINGS, _KINDS
from extraction import native_lines, native_octets, native_tree, nodes, octets, plain, reading, textmap
from extraction.clean import parse_html
from extraction.decode import decode
from extraction.judging import Judge
from extraction.sheets import find_hidden_names
from tests.conftest import ROOT

PAGE = "https://www.yunxiu.example/zwgk/202401/t20240103_1.html"
SNIPPETS = (
    "<table><tr><td>甲<table><tr><td>乙</table>", "<tr>", "<td>", "<th colspan=2>丙<p>丁", "</table>", "</tr>",
    "</div>", "</p>", "<p>", "<br/>戊", "<!-- a > b", "-->", "<?php echo 1 ?>", "<![CDATA[己]]>", "<b>", "</b>",
    "<i>" * 300, "<a href='http://kuaicai.example/f'>快彩论坛", "<a href=x.pdf>附件", "<a href='' title=庚>",
    "<a>辛", "</a>", "<a href=b.doc style='display:block'>附件：b.doc</a>", "<a href='down?f=c.ofd'> </a>",
    "<a href=/d/><img src=e.png></a>", "<div style='display:none'>", "<div hidden>", "<p style='font-size:0'>",
    "<font style='font-size:12pt'>", "<pre>\n 1\n\n2", "<marquee width=1>", "<div class='fx  share'>分享到：",
    "<div id=fj>", "<span style='display:block'>", "<ucapcontent>", "<noscript><p>", "<template><p>来源：壬",
    "<select><option>来源：癸", "<svg><style>p{", "<textarea><p>", "<o:p>", "<w:x>子</w:x>",
    "<script>var a='none';document.getElementById('zoom').style.display='none'</script>",
    "<style>.MsoNormal{display:none}</style>", "<style>#zoom, .view { font-size: 0 }</style>",
    "<script>document.write('来源：丑')</script>", "<xmp><b>", "&nbsp;&#8203;&#8232;", "&#12288;寅 卯\r\n辰\t\f巳",
    "\u200b\ufeff\u00ad\u2029", "a\n b", "\u3000\n", "发布机构", "<td>索 引 号</td><td>1-2", "日期：2024-1-2",
    "<dt>文<i>号</i></dt><dd>午〔2024〕1号</dd>", "<label>:", "：", "&lt;p&gt;", "&#1;", "&#xD800;", "𠮷",
    "</body></html>", "<html id=x>", "<a href='a.b' href=c name='x\"y'>", "<p a<b=1 c\"d class='a\tb\nc'>",
    "<x:y xml:lang=zh>", "<body class='TRS_Editor view'>", "<p>未<b>申</b> 酉</p>\n<table><tr><td>戌<p>亥<td>1</table>",
    "<a href='/down.PNG?'>甲</a>", "<a href='a.xlſx'>乙</a>", "<a href='/x.'>丙</a><a href=y.p>丁</a>",
    "<a href='z.Et'>\u3000",
)  # fmt: skip
NAMES = (
    (("id", "zoom"),), (("class", "TRS_Editor"),), (("class", "view"), ("id", "zoom")), (("class", "b"),), (),
    (("class", "MsoNormal"), ("class", "a")),
)  # fmt: skip


def pages() -> Iterator[str]:
    details = [make_detail(number, "www.yunxiu.example") for number in range(40)]
    for page in (*details, *make_lists(details[::4], "www.yunxiu.example")):
        yield decode(page.body, page.content_type).text
    for path in sorted((ROOT.parent / "shared" / "corpus").rglob("*.htm*")):
        yield decode(path.read_bytes()).text
    for start in range(0x1000, 0x30000, 4096):
        codes = [code for code in range(start, start + 4096) if not 0xD800 <= code < 0xE000]
        yield "".join(f"<p>a{chr(code)}\n{chr(code)}汉" for code in codes)
    yield "".join(f"<p>a&#{code};\n&#{code};汉" for code in range(0x1000))


def broken(whole: list[str], count: int) -> Iterator[str]:
    """Pages with pieces put in, taken out and doubled; the same on every run."""
    for number in range(count):
        chance = random.Random(number)
        text = chance.choice(whole)[: chance.choice((2_000, 20_000, 60_000))]
        for _ in range(chance.randint(1, 30)):
            at, other = chance.randrange(len(text) + 1), chance.randrange(len(text) + 1)
            kind = chance.random()
            if kind < 0.7:
                text = text[:at] + chance.choice(SNIPPETS) + text[at:]
            elif kind < 0.85:
                text = text[:at] + text[at + chance.randint(1, 200) :]
            else:
                text = text[:at] + text[other : other + chance.randint(1, 1_000)] + text[at:]
        yield text


def grown() -> Iterator[HtmlElement]:
    """Trees that no parser makes: deeper than one allows, texts in several pieces, names of a namespace."""
    deep = parse_html("<p>甲")
    node = deep.body
    for number in range(3_000):
        node = etree.SubElement(node, "div" if number % 3 else "b", {"class": "a b"} if number % 5 else {})
        node.text, node.tail = f" {number}", "尾"
    yield deep
    odd = parse_html("<div id=zoom>甲<p>乙</p></div><a href=x.pdf>丙</a><table><tr><td>丁<td>1</table>")
    for element in list(odd.iter("p", "div", "a", "td", "tr")):
        named = {"{urn:x}href": "y.pdf", "href": "z.pdf", "{urn:x}style": "display:none"}
        element.insert(0, etree.SubElement(element, "{urn:x}a", named))
        element.append(etree.Comment("戊 > -!"))
        element.append(etree.ProcessingInstruction("己", "庚"))
        element[-1].tail = "来源：辛"
        etree.strip_tags(element, "b")
    yield odd


def compare(root: HtmlElement, chance: random.Random) -> int:
    """Returns how many bodies the short ways were good for."""
    every = [node for node in root.body.iter() if isinstance(node.tag, str)]
    some = [
        root,
        *(node for node in root.iter("body", "table", "tr", "a") if chance.random() < 0.05),
        chance.choice(every),
    ]
    assert native_tree.find_parts(root) == nodes.find_parts(root)
    for mark in (".", "中", ""):
        assert native_tree.find_links(root, mark) == nodes.find_links(root, mark)
    for tag in ("a", "meta", "script", "p"):
        for name in ("href", "class", "name", "content"):
            assert native_tree.read_values(root, tag, name) == nodes.read_values(root, tag, name)
    for tag, ids in ((tag, ids) for tag in ("", "div", "p") for ids in NAMES if tag or ids):
        assert native_tree.find_named(root, tag, ids) == nodes.find_named(root, tag, ids)
    for body in (None, *some[1:]):
        asked = (root, body, _KINDS, (":", "："), _BEGINNINGS)
        assert native_tree.find_texts(*asked) == nodes.find_texts(*asked)
    for node in some[1:]:
        for hidden in {find_hidden_names(nodes.find_parts(root)), frozenset({".MsoNormal", "#zoom"})}:
            compare_lines(node, hidden)
    return sum(compare_plain(node, hidden) for node in some[1:] for hidden in (frozenset(), frozenset({"#zoom"})))


def compare_lines(node: HtmlElement, hidden: frozenset[str]) -> None:
    for shows_hidden in (False, True):
        one, other = Judge(PAGE, hidden, shows_hidden), Judge(PAGE, hidden, shows_hidden)
        lines, expected = native_lines.read_lines(one, node), reading.read_lines(other, node)
        assert one == other
        assert [line.parts for line in lines] == [line.parts for line in expected]
        assert all(isinstance(run, textmap.Run) for line in lines for run in line.runs())
        assert [(line.text, line.has_link()) for line in lines] == [(line.text, line.has_link()) for line in expected]
        assert native_lines.lay_out(lines) == native_lines.lay_out(expected) == textmap.lay_out(lines)


def compare_plain(node: HtmlElement, hidden: frozenset[str]) -> bool:
    """The short ways: what they give is what the long ones do. Returns whether both were good for this body."""
    judge = Judge(PAGE, hidden)
    lines = [line.text for line in reading.read_lines(judge, node)]
    compiled, other = (read(Judge(PAGE, hidden), node) for read in (native_lines.read_plain, plain.read_plain))
    assert compiled is None or (compiled == lines and not judge.removed)
    assert other is None or other == compiled
    return compiled is not None and other is not None


def compare_bytes() -> None:
    for byte in range(256):
        for length, at in ((1, 0), (5_000, 4_095), (5_000, 4_999), (8_192, 4_096)):
            markup = bytearray(b"\t\n\r ~" * length)[:length]
            markup[at] = byte
            assert native_octets.has_controls(bytes(markup)) == octets.has_controls(bytes(markup))
    assert not native_octets.has_controls(b"")
    for number in (*range(0xFE00, 0x10010), 0x2FEFF, 0x1FFFE):
        for text in (chr(number), f"甲{chr(number)}乙", "。" * 1_365 + "a" * (number % 3) + chr(number)):
            markup = text.encode("utf-8", "surrogatepass")
            assert native_octets.has_marks(text, markup) == octets.has_marks(text) == native_octets.has_marks(text)
    assert not native_octets.has_marks("", b"")


def compare_tags() -> None:
    """Tags of about as many attributes as one may have, in every spelling, whole and broken off."""
    pieces = [
        b"a",
        b"b=1",
        b"c='<p>'",
        b'd = "x y"',
        b"/e",
        b"=f",
        b"g=",
        b"h='",
        b'"',
        b"<i",
        b"\xe6\xb3\x95=j",
        b"k=l/m",
    ]
    answers = set()
    for number in range(2_000):
        chance = random.Random(number)
        chosen = chance.choices(pieces, k=chance.randint(1, 4))
        count = octets.MOST_ATTRIBUTES // len(chosen) + chance.randint(-3, 3)
        blank = chance.choice([b" ", b"\n", b"\t \x0c", b" / "])
        tags = [b"<div ", b"<p\n", b"</p ", b"<1 ", b"<", b"<x:y/", b"<!-- <b "]
        body = b"< >" + chance.choice(tags) + blank.join(chosen * count) + chance.choice([b">", b"/>", b"", b"='>"])
        body = (body + b"<p class=a>") * 2 + b" /" * chance.choice([octets.MOST_DELIMITERS, 10])
        for cut in (body, body[: chance.randrange(len(body))]):
            assert native_octets.has_long_tag(cut) == octets.has_long_tag(cut), cut
            assert not octets.has_long_tag(octets.cut_long_tags(cut)), cut
            answers.add(octets.has_long_tag(cut))
    assert answers == {True, False}
    for body in (b"", b"<", b"<a", b"a<b", b"<a b", b"<a b=", b"<a b='"):
        assert not native_octets.has_long_tag(body) and not octets.has_long_tag(body)


def compare_charsets() -> None:
    """GB 18030 as it is sent and broken, with pieces of UTF-8 in it; every pair of bytes."""
    pairs = b"".join(bytes((lead, trail)) for lead in range(0x80, 0x100) for trail in range(256))
    whole = "法治政府建设abc〔2023〕12号，\n𠮷é·".encode("gb18030")
    for number in range(3_000):
        chance = random.Random(number)
        at = chance.randrange(len(pairs))
        body = bytearray(whole * chance.randint(0, 3) + pairs[at : at + chance.randint(0, 40)])
        for _ in range(chance.randint(0, 6)):
            piece = (
                ("法治政府建设情况"[: chance.randint(1, 8)]).encode() if chance.random() < 0.5 else chance.randbytes(2)
            )
            body[at % (len(body) + 1) : at % (len(body) + 1)] = piece
        compare_body(bytes(body))
    for body in (b"", b"\xb0", b"a", pairs, *(pairs[at : at + 2] for at in range(0, len(pairs), 2))):
        compare_body(body)


def compare_body(body: bytes) -> None:
    assert native_octets.read_gb(body) == octets.read_gb(body) == body.decode("gb18030", "replace")
    assert native_octets.has_utf8_run(body) == octets.has_utf8_run(body)
    for most in (0, 1, 7, 1_000):
        assert native_octets.count_rare_gb(body, most) == octets.count_rare_gb(body, most)


def main(mutated: int = 600) -> None:
    compare_bytes()
    compare_tags()
    compare_charsets()
    whole, count, plain_ones = list(pages()), 0, 0
    trees = (parse_html(text) for text in (*whole, *SNIPPETS, "", *broken(whole, mutated)))
    for root in (*grown(), *trees):
        plain_ones += compare(root, random.Random(count))
        count += 1
    assert plain_ones > count / 4
    print(count)


if __name__ == "__main__":
    main()
