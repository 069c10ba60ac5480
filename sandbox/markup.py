"""Text to portal mark-up: Word-like paragraphs with numbers split over spans, tables, injected links."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape
from itertools import groupby

from sandbox.model import SPAM, Doc, Resource, Site

_DIGITS = re.compile(r"\d+")
_HIDDEN = (
    '<a href="http://bbs.kuaicai-luntan.example/" style="display:none">极速快彩论坛</a>',
    '<a href="http://kuaicai-luntan.example/index.php" target="_blank" '
    'style="font-size:0;width:0;height:0;overflow:hidden;display:inline-block">极速快彩论坛</a>',
    '<a href=http://bbs.kuaicai-luntan.example/forum/ style="position:absolute;left:-9999px;">极速快彩论坛</a>',
)
_PICTURE = (
    "data:image/svg+xml;base64,PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSI4IiBoZWlnaHQ9IjgiLz4="
)
_CSS = """body{font:16px/1.8 serif;margin:0;color:#222}a{color:#174b8f}
.header,.nav,.footer{background:#f0f4fa;padding:8px 24px}.nav li{display:inline;margin-right:1em}
.main{max-width:56em;margin:16px auto}table{border-collapse:collapse;width:100%}td,th{padding:4px 8px}
.footer{font-size:13px;text-align:center;color:#666}"""


def render_body(body: str, *, word: bool = True, indent: str = "") -> str:
    """Paragraphs and tables of a text. `word` gives the spans of a Word export, as most portals carry them."""
    hidden = iter(_HIDDEN * (1 + body.count(SPAM) // len(_HIDDEN)))
    parts: list[str] = []
    for kind, group in groupby(body.splitlines(), key=lambda line: line[:1] if line[:1] in "|!" else ""):
        lines = [line for line in group if line]
        if kind == "|":
            parts.append(_render_table(lines))
        elif kind == "!":
            parts += [f'<p style="text-align:center"><img src="{_PICTURE}" alt=""/></p>' for _ in lines]
        else:
            parts += [_render_paragraph(line, hidden, word, indent) for line in lines]
    return "\n".join(parts)


def _render_paragraph(line: str, hidden: Iterator[str], word: bool, indent: str) -> str:
    runs = [_render_runs(piece, word) for piece in line.split(SPAM)]
    inner = runs[0] + "".join(next(hidden) + run for run in runs[1:])
    if not word:
        return f'<P style="LINE-HEIGHT: 180%">{indent}{inner}</P>\n'
    return f'<p class="MsoNormal" style="text-indent:2em;">{indent}{inner}<o:p></o:p></p>'


def _render_runs(text: str, word: bool) -> str:
    """Numbers in spans of their own; longer ones are cut in two, as editing in Word leaves them."""
    tag = ("<span lang=EN-US>", "</span>") if word else ("<FONT face=仿宋_GB2312 size=4>", "</FONT>")

    def wrap(match: re.Match[str]) -> str:
        digits = match.group()
        cut = (digits[:-1], digits[-1]) if len(digits) > 2 else (digits,)
        return "".join(f"{tag[0]}{piece}{tag[1]}" for piece in cut)

    return _DIGITS.sub(wrap, escape(text, quote=False))


def _render_table(lines: list[str]) -> str:
    rows = []
    for line in lines:
        cells = (escape(cell.strip()) for cell in line.strip("|").split("|"))
        rows.append("<tr>" + "".join(f'<td valign="center"><p>{cell}</p></td>' for cell in cells) + "</tr>")
    return '<table border="1" class="MsoTableGrid"><tbody>\n' + "\n".join(rows) + "\n</tbody></table>"


def render_metas(site: Site, doc: Doc | None, template: str, names: dict[str, str] | None = None) -> str:
    """The mandated meta tags. `template` has {name} and {value}; `names` maps to another spelling."""
    values = {
        "SiteName": site.government,
        "SiteDomain": site.host,
        "SiteIDCode": site.site_id_code,
        "ColumnName": site.column,
        "ColumnType": "政务公开",
    }
    if doc is None:
        values |= {"ColumnDescription": f"{site.place}{site.column}", "ColumnKeywords": "法治政府"}
    else:
        values |= {"ArticleTitle": doc.title, "PubDate": doc.published, "ContentSource": doc.source}
    return "\n".join(
        template.format(name=(names or {}).get(name, name), value=escape(value)) for name, value in values.items()
    )


def header(site: Site) -> str:
    return (
        f'<div class="header"><a class="logo" href="/">{site.government}</a></div>\n'
        f'<div class="nav"><ul><li><a href="/">首页</a></li><li><a href="{site.column_path}">{site.column}</a></li>'
        "</ul></div>"
    )


def footer(site: Site) -> str:
    return (
        f'<div class="footer"><p>主办单位：{site.government}办公室　网站标识码：{site.site_id_code}</p>'
        "<p>虚构的演示站点，地名、机构与数字均不存在</p>"
        "<p>A fictional portal for demonstrations: no such place exists</p></div>"
    )


def home_page(site: Site) -> bytes:
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"/><title>{site.government}</title>'
        f'<link rel="stylesheet" href="/css/style.css"/></head><body>{header(site)}'
        f'<div class="main"><p><a href="{site.column_path}">{site.column}</a></p></div>{footer(site)}</body></html>'
    ).encode()


def common_resources(site: Site) -> dict[str, Resource]:
    """What every portal has beside its column: home page, style sheet, robots.txt."""
    stamp = min(doc.modified for doc in site.docs if doc.on_both_days)
    return {
        "/": Resource(home_page(site), "text/html; charset=utf-8", stamp),
        "/css/style.css": Resource(_CSS.encode(), "text/css", stamp),
        "/robots.txt": Resource(site.robots.encode(), "text/plain", stamp),
    }
