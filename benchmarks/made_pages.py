"""Made pages: whole portals of fictional counties, 30 to 80 KB a page, each with the text a reader should get.

Four layouts (one for each engine) and five kinds: `plain`, `word` (numbers split over nested spans), `table`,
`spam` (injected links, hidden and not), `gbk`. Every tenth page is a full yearly report. The same number always gives
the same page. The texts are the sandbox's own; their numbers vary from page to page.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from html import escape

from benchmarks.engines import ROOT
from benchmarks.made_frame import LAYOUTS, Layout, frame
from benchmarks.texts import read_text, scale, vary

KINDS = ("plain", "word", "table", "spam", "gbk")
_SENTENCES = {"plain": (50, 160), "word": (14, 50), "table": (10, 90), "spam": (10, 60), "gbk": (90, 220)}
"""Sentences of a notice: fewer where the mark-up around them is heavy."""
PER_LIST = 25
"""Rows of one list page."""
_REPORT_EVERY = 10
_OFFICES = ("司法局", "人民政府办公室", "财政局", "水利局", "教育体育局", "农业农村局", "市场监管局", "应急管理局")
_TOPICS = (
    "汛期值守安排", "农村道路养护", "行政执法案卷评查", "校园周边食品检查", "老旧小区改造", "秋季造林", "证明事项清理",
    "河道采砂整治", "人民调解员培训", "行政规范性文件清理", "营商环境走访", "冬季供暖保障",
)  # fmt: skip
_FORMS = ("的通知", "的公告", "情况的通报", "工作进展", "的实施意见")
_SPAM = (
    '<a href="http://www.kuaicai{n}.example/" style="display:none">极速快彩论坛</a>',
    '<a href="http://bbs.kuaicai{n}.example/f/" target="_blank">幸运快彩开奖直播</a>',
    '<a href=http://kuaicai{n}.example/x.php style="position:absolute;left:-9999px">快彩计划网页版</a>',
)
_STYLES = (
    "mso-spacerun:'yes';font-family:仿宋;letter-spacing:0.0000pt;font-size:16.0000pt;",
    "font-family:仿宋_GB2312;font-size:16.0000pt;mso-font-kerning:1.0000pt;",
    "mso-bidi-font-size:16.0pt;line-height:150%;font-family:宋体;",
)
_FACTORS = (20, 60)
"""By which the counts of a report are those of the sandbox's: no cache answers for a sentence of another report, and
those of one place stay alike over the years."""
_FEW_FIGURES, _LEFT_OUT = 4, 2
_DIGITS = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class MadePage:
    """One page of a made portal, and what is to be read from it. `text` is empty for a list page."""

    host: str
    path: str
    kind: str
    layout: Layout
    body: bytes
    title: str = ""
    published: str = ""
    """`YYYY-MM-DD HH:MM`, Beijing time."""
    text: str = ""

    @property
    def url(self) -> str:
        return f"https://{self.host}{self.path}"

    @property
    def content_type(self) -> str:
        return "text/html" if self.kind == "gbk" else "text/html; charset=utf-8"


@cache
def _reports() -> tuple[str, ...]:
    """The sandbox's long reports, of which `_report_text` makes others with other numbers."""
    texts = [read_text(path).strip() for path in sorted((ROOT / "sandbox" / "texts").glob("*-20*.txt"))]
    return tuple(text for text in texts if len(text) > 1_000)


@cache
def _sentences() -> tuple[str, ...]:
    found = [part for text in _reports() for line in text.splitlines() for part in re.findall(r"[^。]{12,}。", line)]
    return tuple(dict.fromkeys(found))


@cache
def _plain_sentences() -> tuple[str, ...]:
    return tuple(sentence for sentence in _sentences() if not _DIGITS.search(sentence))


def _report_text(number: int, kind: str) -> str:
    """Some 7,000 characters, 4,000 where the mark-up is heavy, with 56 figures in the mean that add up as the sandbox's
    do. Of seven real reports, 4,000 to 10,700 characters long (7,100 in the mean), 35 to 92 figures are read (56), and
    of 30 checks 0.3 fail. The sandbox's reports tell 75 in 1,500 characters, so some of their paragraphs are left out,
    and the others stand among sentences without any."""
    source, pool = random.Random(number), _reports()
    lines = scale(pool[number % len(pool)], source.randint(*_FACTORS)).splitlines()
    with_figures = [line for line in lines if len(_DIGITS.findall(line)) > _FEW_FIGURES]
    left_out = source.sample(with_figures, min(_LEFT_OUT, len(with_figures)))
    lines = [line for line in lines if line not in left_out]
    missing = (4_000 if kind in ("word", "spam") else 7_000) - sum(map(len, lines))
    while missing > 0:
        paragraph = "".join(source.choice(_plain_sentences()) for _ in range(4))
        lines.insert(source.randint(1, len(lines)), paragraph)
        missing -= len(paragraph)
    return "\n".join(lines)


def _notice_text(number: int, kind: str, source: random.Random) -> str:
    size = source.randint(*_SENTENCES[kind])
    pool = _sentences()
    lines, at = [], 0
    while at < size:
        length = source.randint(1, 4)
        lines.append(vary("".join(source.choice(pool) for _ in range(length)), number * 100 + at))
        at += length
    if kind == "table":
        rows = [
            f"|{n}|{source.choice(_TOPICS)}|{source.choice(_OFFICES)}|{source.randint(2, 999)}" for n in range(1, 31)
        ]
        lines[len(lines) // 2 : len(lines) // 2] = ["|序号|事项|责任单位|数量（件）", *rows]
    return "\n".join(
        [*lines, f"云岫县{source.choice(_OFFICES)}", f"2024年{source.randint(1, 12)}月{source.randint(1, 28)}日"]
    )


def _expected(text: str) -> str:
    return "\n".join(" | ".join(line.strip("|").split("|")) if line[0] == "|" else line for line in text.splitlines())


def _runs(line: str, kind: str, source: random.Random) -> str:
    """A paragraph's inside: bare, or cut into nested spans as a word processor exports it."""
    if kind not in ("word", "spam"):
        return escape(line, quote=False)

    def wrap(match: re.Match[str]) -> str:
        digits = match[0]
        cut = (digits[:-1], digits[-1]) if len(digits) > 2 else (digits,)
        style = source.choice(_STYLES)
        return "".join(f'<span lang=EN-US style="{style}">{piece}</span>' for piece in cut)

    pieces = re.findall(r"[^。；]+[。；]?|[。；]", escape(line, quote=False))
    tags = ('<span style="{}"><font face="仿宋">', "</font></span>")
    return "".join(f"{tags[0].format(source.choice(_STYLES))}{_DIGITS.sub(wrap, piece)}{tags[1]}" for piece in pieces)


def _markup(text: str, kind: str, number: int) -> str:
    source = random.Random(number)
    parts: list[str] = []
    rows: list[str] = []
    for count, line in enumerate(text.splitlines()):
        if line[0] == "|":
            cells = "".join(
                f'<td width="142" valign="top"><p class="MsoNormal">{cell}</p></td>' for cell in line[1:].split("|")
            )
            rows.append(f"<tr>{cells}</tr>")
            continue
        if rows:
            parts.append(
                '<table border="1" cellspacing="0" class="MsoTableGrid"><tbody>\n'
                + "\n".join(rows)
                + "\n</tbody></table>"
            )
            rows = []
        spam = _SPAM[count % 3].format(n=number % 97) if kind == "spam" and count % 5 == 1 else ""
        tail = "<o:p></o:p>" if kind in ("word", "spam") else ""
        parts.append(
            '<p class="MsoNormal" style="text-indent:32.0000pt;text-align:justify;line-height:30.0000pt;">'
            f"{_runs(line, kind, source)}{spam}{tail}</p>"
        )
    return "\n".join(parts)


def is_report(number: int) -> bool:
    """Whether a detail page is a yearly report: every tenth of each layout, of all kinds."""
    turn = number // len(LAYOUTS)
    return (turn + turn // _REPORT_EVERY) % _REPORT_EVERY == 7


def report_year(number: int) -> int:
    return 2010 + number % 15


def make_detail(number: int, host: str) -> MadePage:
    """Detail page `number` of the site."""
    source = random.Random(number)
    layout, kind = LAYOUTS[number % len(LAYOUTS)], KINDS[number // len(LAYOUTS) % len(KINDS)]
    if is_report(number):
        title = f"云岫县{source.choice(_OFFICES)}{report_year(number)}年法治政府建设情况报告"
        text = _report_text(number, kind)
    else:
        title = f"云岫县{source.choice(_OFFICES)}关于{source.choice(_TOPICS)}{source.choice(_FORMS)}（第{number}号）"
        text = _notice_text(number, kind, source)
    published = f"20{10 + number % 15}-{1 + number % 12:02}-{1 + number % 28:02} {8 + number % 10:02}:{number % 60:02}"
    page = frame(layout, number, title, published, _markup(text, kind, number), "gbk" if kind == "gbk" else "utf-8")
    body = page.encode("gb18030" if kind == "gbk" else "utf-8")
    return MadePage(host, layout.path(number, published), kind, layout, body, title, published, _expected(text))


def make_lists(details: list[MadePage], host: str) -> Iterator[MadePage]:
    """The list pages of one host, which lead to its details: all of one layout."""
    layout = details[0].layout
    pages = [details[at : at + PER_LIST] for at in range(0, len(details), PER_LIST)]
    for number, rows in enumerate(pages):
        items = "\n".join(
            f'<li><a href="{row.path}" target="_blank" title="{escape(row.title)}">{escape(row.title)}</a>'
            f"<span>{row.published[:10]}</span></li>"
            for row in rows
        )
        script = f'<script>createPageHTML({len(pages)}, {number + layout.first_page}, "index", "html");</script>'
        inside = f'<ul class="news_list">\n{items}\n</ul>\n<div class="page">{script}</div>'
        markup = frame(layout, number, "", "", inside, "utf-8")
        name = "index.html" if number == 0 else f"index_{number + layout.first_page}.html"
        yield MadePage(host, f"/zwgk/fzzf/{name}", "list", layout, markup.encode("utf-8"))
