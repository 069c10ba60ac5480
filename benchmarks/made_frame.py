"""What stands around a body on a made page: metas, scripts, navigation, labels, related lists, footer."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from html import escape

SITE = "云岫县人民政府"
_COLUMNS = (
    "走进云岫", "政务动态", "政务公开", "政务服务", "互动交流", "数据开放", "专题专栏", "县区导航",
)  # fmt: skip
_ENTRIES = (
    "领导信息", "机构职能", "规范性文件", "政策解读", "财政资金", "重大建设项目", "社会救助", "食品药品监管",
    "安全生产",
    "环境保护", "教育信息", "医疗卫生", "行政许可", "行政处罚", "人事信息", "应急管理", "统计信息", "招标采购",
)  # fmt: skip
_SCRIPT = """function setTab(name,at,count){for(var i=1;i<=count;i++){var m=document.getElementById(name+i);
var c=document.getElementById('con_'+name+'_'+i);if(!m||!c){continue;}m.className=i==at?'hover':'';
c.style.cssText=i==at?'':'height:0';}}
function addCookie(key,value,hours){var d=new Date();d.setTime(d.getTime()+hours*3600*1000);
document.cookie=key+'='+encodeURIComponent(value)+';expires='+d.toGMTString()+';path=/';}
function checkSearch(f){var q=f.searchword.value.replace(/(^\\s*)|(\\s*$)/g,'');if(q==''||q.length>60){
alert('\\u8bf7\\u8f93\\u5165');return false;}f.action='/search/?k='+encodeURIComponent(q);return true;}
"""
_CSS = """.{c}-box{{width:1200px;margin:0 auto;overflow:hidden}}
.{c}-box h2{{height:46px;line-height:46px;font-size:18px}}
.{c}-box ul li{{line-height:34px;background:url(/images/{c}.png) no-repeat 0 14px;padding-left:14px}}
.{c}-box .more{{position:absolute;right:10px;top:0;font-size:12px;color:#999}}
"""


@dataclass(frozen=True, slots=True)
class Layout:
    """One engine's shapes: `body` opens the container of the text and `close` ends it."""

    engine: str
    body: str
    close: str
    selector: str
    """CSS of the body, as somebody writes it who looks at one page."""
    path: Callable[[int, str], str]
    """Address of a detail page, by number and publication time."""
    first_page: int = 1


def _hex(number: int) -> str:
    return hashlib.md5(str(number).encode(), usedforsecurity=False).hexdigest()


def _uuid(number: int) -> str:
    text = _hex(number)
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def _folder(number: int, published: str) -> str:
    folder = "".join(filter(str.isdigit, published)).ljust(14, "0") + f"{number:09}"
    return f"/cms/html/12/{published[:4]}/{folder}/{folder}_1.html"


def _trs(number: int, published: str) -> str:
    return f"/zwgk/fzzf/{published[:7].replace('-', '')}/t{published[:10].replace('-', '')}_{1_000_000 + number}.html"


LAYOUTS = (
    Layout(
        "trs",
        '<div class="zoom" id="zoom"><div class="view TRS_UEDITOR trs_paper_default"><div class="TRS_Editor">',
        "</div></div></div>",
        ".TRS_Editor",
        _trs,
        first_page=0,
    ),
    Layout(
        "ucap",
        '<div class="article-content" id="zoomcon"><UCAPCONTENT>',
        "</UCAPCONTENT></div>",
        "#zoomcon",
        lambda number, published: f"/zwgk/fzzf/{published[:7].replace('-', '')}/{_hex(number)}.shtml",
    ),
    Layout(
        "truecms",
        '<div class="content" id="content">',
        "</div>",
        "div.content",
        lambda number, published: f"/yxx/fzzf/content/{_uuid(number)}.html",
    ),
    Layout("cms_html", '<div id="ContentBox">', "</div>", "#ContentBox", _folder),
)


def _navigation() -> str:
    groups = []
    for column, name in enumerate(_COLUMNS):
        links = "".join(
            f'<dd><a href="/zwgk/c{column}/l{entry}/" target="_blank" title="{text}">{text}</a></dd>'
            for entry, text in enumerate(_ENTRIES[:9])
        )
        groups.append(
            f'<li class="nav{column}"><a href="/c{column}/">{name}</a><dl class="sub clearfix">{links}</dl></li>'
        )
    return f'<div class="nav"><div class="wrap"><ul class="yjdh clearfix">{"".join(groups)}</ul></div></div>'


def _metas(title: str, published: str, charset: str) -> str:
    values = {
        "SiteName": SITE,
        "SiteDomain": "www.yunxiu.example",
        "SiteIDCode": "9901010001",
        "ColumnName": "法治政府建设",
    }
    if title:
        values |= {
            "ArticleTitle": title,
            "PubDate": published,
            "ContentSource": f"{SITE}办公室",
            "Keywords": "法治;公开",
        }
    tags = "\n".join(f'<meta name="{name}" content="{escape(value)}"/>' for name, value in values.items())
    return f'<meta http-equiv="Content-Type" content="text/html; charset={charset}" />\n{tags}'


def _info(number: int, title: str, published: str) -> str:
    return f"""<table class="xxgk" cellpadding="0" cellspacing="0"><tbody>
<tr><th>索 引 号</th><td>YX/{published[:4]}-{number:05}</td><th>发布机构</th><td>{SITE}办公室</td></tr>
<tr><th>文&nbsp;&nbsp;&nbsp;号</th><td></td><th>发文日期</th><td>{published[:10]}</td></tr>
<tr><th>标&nbsp;&nbsp;&nbsp;题:</th><td colspan="3">{escape(title)}</td></tr></tbody></table>
<h1 class="article-title">{escape(title)}</h1>
<div class="info"><span>发布时间：{published}</span> <span>来源：{SITE}办公室</span>
<span>浏览次数：<em id="hits">{number}</em></span></div>
<div class="xl_tool"><span>【字体：<a href="javascript:doZoom(18)">大</a> <a href="javascript:doZoom(16)">中</a>
<a href="javascript:doZoom(14)">小</a>】</span>
<span class="bdsharebuttonbox">分享到：<a href="#" class="bds_weixin">微信</a></span></div>"""


def _side(source: random.Random) -> str:
    rows = ""
    for month, name in enumerate(source.sample(_ENTRIES, 9), start=1):
        href = f"../2024{month:02}/t2024{month:02}10_{source.randint(10**6, 10**7)}.htm"
        rows += f'<li><a href="{href}" title="{name}情况">{name}情况说明</a><span>2024-{month:02}-10</span></li>'
    return f'<div class="side"><h2>最新公开</h2><ul class="side-list">{rows}</ul></div>'


def _footer() -> str:
    options = links = ""
    for number, name in enumerate(_ENTRIES):
        options += f'<option value="http://www.x{number}.example/">{name}局网站</option>'
        links += f'<a href="http://www.y{number}.example/" target="_blank">{name}网</a>'
    return f"""<div class="links"><select onchange="window.open(this.value)"><option>部门网站</option>{options}</select>
{links}</div>
<div class="footer"><p><a href="/wzdt/">网站地图</a> | <a href="/lxwm/">联系我们</a></p>
<p>主办单位：{SITE}办公室　网站标识码：9901010001</p><p>本页地名、机构与数字均为虚构。</p>
<div style="display:none"><script>var _hmt=_hmt||[];</script></div></div>"""


def frame(layout: Layout, number: int, title: str, published: str, inside: str, charset: str) -> str:
    """A whole page around a body's markup; around a list where there is no title."""
    source = random.Random(number)
    sheets = "".join(_CSS.format(c=f"c{n}") for n in range(source.randint(12, 30)))
    scripts = "".join(f'<script type="text/javascript">\n{_SCRIPT}</script>\n' for _ in range(source.randint(6, 14)))
    crumb = '<div class="dqwz">当前位置：<a href="/">首页</a>&nbsp;&gt;&nbsp;<a href="../">法治政府建设</a></div>'
    main = f"{_info(number, title, published)}\n{layout.body}\n{inside}\n{layout.close}" if title else inside
    return f"""<!DOCTYPE html>
<html xmlns="http://www.w3.org/1999/xhtml"><head>
{_metas(title, published, charset)}
<title>{escape(title) or "法治政府建设"}_{SITE}</title>
<link rel="stylesheet" href="/css/style.css" /><style type="text/css">
{sheets}</style>
{scripts}</head><body>
<div class="header"><div class="wrap"><a class="logo" href="/">{SITE}</a>
<form action="/search/" method="get"><input name="q"/></form></div></div>
{_navigation()}
<div class="main">{crumb}<div class="xl_box">
{main}
<div class="ewm"><p>扫一扫在手机上查看当前页面</p></div>
<p class="gb"><a href="javascript:window.print()">打印本页</a> <a href="javascript:window.close()">关闭窗口</a></p>
</div>{_side(source) if title else ""}</div>
{_footer()}
<script>(function(){{var s=document.createElement('script');s.src='/js/push.js';}})();</script>
</body></html>"""
