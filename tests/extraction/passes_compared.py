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
from extraction import native_lines, native_tree, nodes, reading, textmap
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
    "<x:y xml:lang=zh>", "<body class='TRS_Editor view'>",
)  # fmt: skip
WORDS = ("none", "document.write", "", "宽")
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


def compare(root: HtmlElement, chance: random.Random) -> None:
    every = [node for node in root.body.iter() if isinstance(node.tag, str)]
    some = [
        root,
        *(node for node in root.iter("body", "table", "tr", "a") if chance.random() < 0.05),
        chance.choice(every),
    ]
    for mark in (".", "中", ""):
        assert native_tree.find_links(root, mark) == nodes.find_links(root, mark)
    for tag in ("a", "meta", "script", "p"):
        names = ("href", "class", "name", "content")
        assert native_tree.read_attributes(root, tag, names) == nodes.read_attributes(root, tag, names)
        for word in WORDS:
            assert native_tree.find_by_text(root, tag, word) == nodes.find_by_text(root, tag, word)
    for tag, ids in ((tag, ids) for tag in ("", "div", "p") for ids in NAMES if tag or ids):
        assert native_tree.find_named(root, tag, ids) == nodes.find_named(root, tag, ids)
    for body in (None, *some[1:]):
        asked = (root, body, _KINDS, (":", "："), _BEGINNINGS)
        assert native_tree.find_texts(*asked) == nodes.find_texts(*asked)
    for node in some[1:]:
        for hidden in {find_hidden_names(root), frozenset({".MsoNormal", "#zoom"})}:
            compare_lines(node, hidden)


def compare_lines(node: HtmlElement, hidden: frozenset[str]) -> None:
    for shows_hidden in (False, True):
        one, other = Judge(PAGE, hidden, shows_hidden), Judge(PAGE, hidden, shows_hidden)
        lines, expected = native_lines.read_lines(one, node), reading.read_lines(other, node)
        assert one == other
        assert [line.parts for line in lines] == [line.parts for line in expected]
        assert all(isinstance(run, textmap.Run) for line in lines for run in line.runs())
        assert [(line.text, line.has_link()) for line in lines] == [(line.text, line.has_link()) for line in expected]
        assert native_lines.lay_out(lines) == native_lines.lay_out(expected) == textmap.lay_out(lines)


def compare_bytes() -> None:
    for byte in range(256):
        for length, at in ((1, 0), (5_000, 4_095), (5_000, 4_999), (8_192, 4_096)):
            markup = bytearray(b"\t\n\r ~" * length)[:length]
            markup[at] = byte
            assert native_tree.has_controls(bytes(markup)) == nodes.has_controls(bytes(markup))
    assert not native_tree.has_controls(b"")


def main(mutated: int = 600) -> None:
    compare_bytes()
    whole, count = list(pages()), 0
    trees = (parse_html(text) for text in (*whole, *SNIPPETS, "", *broken(whole, mutated)))
    for root in (*grown(), *trees):
        compare(root, random.Random(count))
        count += 1
    print(count)


if __name__ == "__main__":
    main()
