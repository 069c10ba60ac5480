"""Replicas of portals that do not exist, one per CMS family, served by a real server on loopback.

A portal is its documents (own text, fictional places) and a layout that writes them as pages: `pages` maps a target to
its answer, or to a function of the query. What is expected of a connector comes from the same documents.
"""

# ruff: noqa: E501 - markup as portals write it

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import parse_qsl

from tests.servers import Site

Answer = str | bytes | Callable[[Mapping[str, str]], str | bytes]
MOVED = "301 "
"""What an answer begins with that leads to the address behind it."""


@dataclass(frozen=True)
class Doc:
    number: int
    title: str
    date: str
    """`2024-01-20 10:30`"""
    source: str
    paragraphs: tuple[str, ...]
    is_report: bool = False

    @property
    def day(self) -> str:
        return self.date[:10]

    @property
    def body(self) -> str:
        return "\n".join(self.paragraphs)

    def html(self, tag: str = "p") -> str:
        return "\n".join(f"<{tag} style='text-indent:2em'>&ensp;&ensp;{text}</{tag}>" for text in self.paragraphs)


@dataclass
class Portal:
    host: str
    place: str
    docs: list[Doc]
    code: str = "9905010001"
    aliases: tuple[str, ...] = ()
    """Further hosts of the same portal."""
    charset: str = "utf-8"
    pages: dict[str, Answer] = field(default_factory=dict)
    expected: dict[str, Doc] = field(default_factory=dict)
    """Path of a detail page to its document."""
    challenged: set[str] = field(default_factory=set)
    """Targets that answer every third request with a challenge page."""
    attributes: str = '"'
    """The quote that metas are written with."""
    has_metas: bool = True

    def add_detail(self, path: str, doc: Doc, page: str) -> None:
        self.pages[path] = page
        self.expected[path] = doc

    def site_metas(self) -> str:
        if not self.has_metas:
            return ""
        q = self.attributes
        return (
            f"<META NAME={q}SiteName{q} content={q}{self.place}人民政府{q}>\n"
            f"<meta name={q}SiteDomain{q}content={q}{self.host}{q}/>\n<meta name={q}SiteIDCode{q} content={q}{self.code}{q}>"
        )

    def metas(self, doc: Doc) -> str:
        if not self.has_metas:
            return ""
        q = self.attributes
        return (
            f"{self.site_metas()}<meta name={q}ColumnName{q} content={q}法治政府建设{q}>\n"
            f"<Meta name={q}ArticleTitle{q} content={q}{doc.title}{q}>\n"
            f"<meta name={q}PubDate{q} content={q}{doc.date}{q}><meta name={q}ContentSource{q} content={q}{doc.source}{q}>"
        )

    def frame(self, title: str, inner: str, head: str = "") -> str:
        return (
            f"<!DOCTYPE html><html><head><meta charset={self.charset}><title>{title}</title>{head}</head><body>"
            f"<div class='header'><a href='/'>{self.place}人民政府</a><ul class='nav'><li><a href='/'>首页</a></li>"
            "<li><a href='/zjwm/'>走进本地</a></li><li><A HREF='/zwgk/'>政务公开</A></li><li><a href='/bsfw/'>办事服务</a></li>"
            f"</ul></div>{inner}<div class='footer'>主办单位：{self.place}人民政府办公室 网站标识码：{self.code} 备案号：某ICP备00000000号"
            "</div></body></html>"
        )

    def add_home(self, column: str, *, direct: bool = False) -> None:
        """Home, 政务公开 and 法定主动公开内容; `direct`: the home page itself names the column."""
        news = "".join(
            f"<li><a href='/news/{n}.html'>{self.place}召开第{n}次会议</a><span>[01-0{n}]</span></li>"
            for n in (1, 2, 3)
        )
        link = f"<h2><a href='{column}'>法治政府建设</a></h2>" if direct else ""
        self.pages["/"] = self.frame(
            f"{self.place}人民政府门户网站",
            f"<div class='main'><ul>{news}</ul>{link}<a href='/wzdt.html'>网站地图</a></div>",
            self.site_metas(),
        )
        self.pages["/zwgk/"] = self.frame(
            "政务公开",
            "<ul><li><a href='/zwgk/zn.html'>政府信息公开指南</a></li><li><a href='/zwgk/nb/'>政府信息公开年报</a></li>"
            "<li><a href='/zwgk/fdzdgk.html'>法定主动公开内容</a></li></ul>",
        )
        self.pages["/zwgk/fdzdgk.html"] = self.frame(
            "法定主动公开内容",
            f"<div class='tree'><a href='/zwgk/ghjh/'>规划计划</a><a href='{column}'>法治政府建设</a></div>",
        )

    def encode(self, text: str | bytes) -> bytes:
        return text if isinstance(text, bytes) else text.encode(self.charset, "xmlcharrefreplace")


class ReplicaSite(Site):
    """Serves portals by the Host header. `counts` says how often each target was asked."""

    def __init__(self, *portals: Portal) -> None:
        super().__init__()
        self.portals = {host: portal for portal in portals for host in (portal.host, *portal.aliases)}
        self.counts: dict[str, int] = {}

    def _answer(self, handler: BaseHTTPRequestHandler) -> None:
        portal = self.portals.get(handler.headers.get("Host", "").split(":")[0])
        path, _, query = handler.path.partition("?")
        host = handler.headers.get("Host", "").split(":")[0]
        answer = None if portal is None else portal.pages.get(handler.path, portal.pages.get(path))
        if portal is not None and host in portal.aliases and f"//{host}" in portal.pages:
            answer = portal.pages[f"//{host}"]
        key = f"{handler.headers.get('Host')}{handler.path}"
        self.counts[key] = self.counts.get(key, 0) + 1
        status, body, moved = 200, b"", ""
        if portal is None or answer is None:
            status, body = 404, b"not here"
        elif isinstance(answer, str) and answer.startswith(MOVED):
            status, moved = 301, answer.removeprefix(MOVED)
        elif handler.path in portal.challenged and self.counts[key] % 3 == 0:
            body = b"<html><head><script>var _0x3f2a='nsd=';document.cookie='a=1';location.reload();</script></head></html>"
        else:
            body = portal.encode(answer(dict(parse_qsl(query))) if callable(answer) else answer)
        handler.send_response(status)
        if moved:
            handler.send_header("Location", moved)
        handler.send_header("Content-Type", "application/json" if body[:1] == b"{" else "text/html")
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body)


def make_docs(place: str, years: range = range(2019, 2025), n_notices: int = 24) -> list[Doc]:
    """Reports of some years among notices, newest first."""
    docs = []
    for year in years:
        docs.append(
            Doc(
                100 + year,
                f"{place}{year}年法治政府建设情况报告",
                f"{year + 1}-01-{year % 20 + 5:02d} 10:{year % 50 + 10}",
                f"{place}司法局",
                _report(place, year),
                True,
            )
        )
    for number in range(n_notices):
        year = years.start + number % len(years)
        kind = (
            "关于开展行政执法案卷评查的通知",
            "举办领导干部学法讲座",
            "规范性文件清理结果公告",
            "关于报送法治政府建设情况报告的通知",
        )
        docs.append(
            Doc(
                5000 + number,
                f"{place}{year}年第{number + 1}号：{kind[number % 4]}",
                f"{year + 1}-{number % 11 + 2:02d}-{number % 27 + 1:02d} 09:{number % 50 + 10}",
                f"{place}人民政府办公室",
                (
                    f"各乡镇、各部门：现将{year}年有关事项通知如下，请认真执行。",
                    f"一、时间安排在{number % 9 + 3}月，各单位按时报送材料。",
                    "二、联系人见附表。",
                ),
            )
        )
    return sorted(docs, key=lambda doc: doc.date, reverse=True)


def _report(place: str, year: int) -> tuple[str, ...]:
    base = year % 10
    return (
        f"{year}年，{place}坚持把法治政府建设摆在全局工作的突出位置，各项任务稳步推进。现将有关情况报告如下：",
        "一、主要举措和成效",
        f"（一）依法履行政府职能。全年办理政务服务事项{3100 + base * 17}件，网上办理率达到9{base}.5%，梳理权责清单{210 + base}项。",
        f"（二）完善依法行政制度。制定规范性文件{4 + base}件，备案审查{9 + base}件，清理失效文件{base + 2}件。",
        f"（三）规范行政执法。办理行政处罚案件{820 + base * 3}件，开展执法检查{96 + base}次，培训执法人员{340 + base}人次。",
        f"（四）化解矛盾纠纷。受理行政复议案件{31 + base}件，审结{28 + base}件；人民调解组织调解纠纷{1240 + base * 5}件，成功率98.{base}%。",
        "二、存在的问题",
        "一是个别部门运用法治方式解决问题的能力还不够强；二是基层执法力量仍显薄弱，协作机制有待健全。",
        "三、下一步打算",
        f"{year + 1}年，将继续压实责任，健全督察机制，加强队伍建设，推动法治政府建设再上新台阶。",
        f"{place}人民政府",
        f"{year + 1}年1月{year % 20 + 5}日",
    )
