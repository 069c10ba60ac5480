"""Firewalls in their dialects, and notices in the frame of an article: nothing of it may pass for content."""

from __future__ import annotations

from sandbox.chaos_model import Answer, Behaviour, Exchange, Others, Place
from sandbox.chaos_portal import STRUCK_YEAR, render_page, report_title

_LATER: Others = "next run"


def _page(title: str, *lines: str, head: str = "") -> str:
    words = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title>{head}</head>'
        f'<body><div class="box"><h1>{title}</h1>{words}</div></body></html>'
    )


_STOPPED = _page("网站防火墙", "您的请求带有不合法参数，已被网站管理员设置拦截！", "普通网站访客，请联系网站管理员。")
_PUZZLE = _page(
    "访问验证", "请按住滑块，拖动到最右边。", head='<script src="https://cdn.example/AWSC/awsc.js"></script>'
)
_OFTEN = _page("提示信息", "您的访问过于频繁，请稍后再试！")
_SUSPECT = _page("提示", "当前访问疑似黑客攻击，已被云防护拦截。", "事件编号：0a1b2c")
_THREAT = _page("405", "很抱歉，由于您访问的URL有可能对网站造成安全威胁，您的访问被阻断。", "您的请求ID是：0a1b2c")
_REJECTED = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your "
    "administrator.<br>Your support ID is: 1234567890</body></html>"
)
_MOMENT = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title><meta http-equiv="refresh" content="360">'
    "</head><body><noscript>Enable JavaScript and cookies to continue</noscript>"
    "<script>window._cf_chl_opt={};</script></body></html>"
)
_SCRIPT = '<html><head><script>$_ts=window["$_ts"];if(!$_ts)$_ts={};$_ts.nsd=1;%s</script></head><body></body></html>'
_JUMP = (
    "<html><head><script>function YunSuoAutoJump(){self.location='/?security_verify_data='+screen.width;}"
    'setTimeout("YunSuoAutoJump()",50);</script></head><body></body></html>'
)


_PADDED = f'<html><title>页面找不到了</title><img src="data:image/png;base64,{"iVBORw0KGgo" * 20_000}"></html>'


def _says(body: str | bytes, status: int | str = 200, content_type: str = "text/html; charset=utf-8") -> Answer:
    async def answer(x: Exchange) -> None:
        await x.reply(body, status=status, content_type=content_type)

    return answer


def _framed(*lines: str) -> Answer:
    """In the portal's own article frame, with the report's own title and metas."""
    return _says(render_page(report_title(STRUCK_YEAR), lines, f"{STRUCK_YEAR + 1}-02-10"))


def _wall(name: str, does: str, answer: Answer, at: Place = "page", others: Others = _LATER) -> Behaviour:
    return Behaviour(f"wall_{name}", does, at, "blocked", answer, others)


WALLS = (
    _wall("words", "says that the request was stopped, with status 200", _says(_STOPPED)),
    _wall(
        "words_in_gbk", "says so in GBK, with status 403", _says(_STOPPED.encode("gbk"), "403 Forbidden", "text/html")
    ),
    _wall("words_405", "says so with status 405", _says(_THREAT, "405 Not Allowed")),
    _wall("words_418", "says so with status 418", _says(_SUSPECT, "418 Unknown")),
    _wall("words_english", "says so in English, with a number to tell the operator", _says(_REJECTED)),
    _wall("too_often", "says that one asks too often, with status 200", _says(_OFTEN)),
    _wall("puzzle", "asks to drag a slider, with status 200", _says(_PUZZLE)),
    _wall("script_503", "answers 503 with a script that tests browsers", _says(_MOMENT, "503 Unavailable")),
    _wall("script_202", "answers 202 with a script", _says(_SCRIPT % "", "202 Accepted")),
    _wall("script_404", "answers 404 with a script", _says(_SCRIPT % "", "404 Not Found")),
    _wall("script_huge", "sends 120 kB of script with status 200", _says(_SCRIPT % f'$_ts.cd="{"abcd" * 30_000}"')),
    _wall("script_jump", "sends a script that leads to a test of the browser", _says(_JUMP)),
    _wall("words_on_list", "says that the request was stopped, for a list page", _says(_STOPPED), "list"),
    _wall("words_on_feed", "says so for the feed", _says(_STOPPED), "feed"),
    _wall("words_on_file", "says so for an attachment", _says(_STOPPED, 200, "application/octet-stream"), "file"),
    _wall("words_on_robots", "says so for robots.txt", _says(_STOPPED), "robots", "none"),
    _wall(
        "script_503_on_robots", "answers 503 with a script for robots.txt", _says(_MOMENT, "503 X"), "robots", "none"
    ),
    Behaviour(
        "wall_404_when_known",
        "answers 404 with a script for a page that was there",
        "page",
        "blocked",
        _says(_SCRIPT % "", "404 Not Found"),
        night=2,
    ),
)

NOTICES = (
    Behaviour(
        "framed_gone",
        "says 该文章已被删除 in the frame of the report, title and all",
        "page",
        "soft_gone",
        _framed("该文章已被删除"),
    ),
    Behaviour(
        "framed_gone_when_known",
        "says so for a report that was there",
        "page",
        "soft_gone",
        _framed("您要查看的信息不存在，可能已被删除或尚未审核通过。"),
        night=2,
    ),
    Behaviour(
        "framed_maintenance",
        "says 系统维护中 in the frame of the report",
        "page",
        "maintenance",
        _framed("系统维护中，请稍后访问"),
        night=2,
    ),
    Behaviour(
        "framed_login",
        "says 请登录后查看 in the frame of the report",
        "page",
        "login",
        _framed("请登录后查看"),
        night=2,
    ),
    Behaviour(
        "framed_waiting",
        "says 正在加载 in the frame of the report",
        "page",
        "empty_shell",
        _framed("页面正在加载中，请稍候..."),
        night=2,
    ),
    Behaviour("framed_nothing", "sends the frame of the report with nothing in it", "page", "empty_shell", _framed()),
    Behaviour(
        "framed_nothing_when_known", "sends so for a report that was there", "page", "empty_shell", _framed(), night=2
    ),
    Behaviour(
        "soft_404_alert",
        "says so in a box of a script, which then leads home",
        "page",
        "soft_gone",
        _says("<script>alert('您访问的信息不存在！');window.location.href='/';</script>"),
    ),
    Behaviour(
        "soft_404_picture",
        "shows a picture of 404",
        "page",
        "soft_gone",
        _says('<html><head><title>顽溪县</title></head><body><img src="/images/404.png"></body></html>'),
    ),
    Behaviour("soft_404_padded", "shows it inside the page, 200 kB long", "page", "soft_gone", _says(_PADDED)),
    Behaviour(
        "soft_404_utf16",
        "says 页面不存在 in UTF-16",
        "page",
        "soft_gone",
        _says("\ufeff<html><body>您访问的页面不存在</body></html>".encode("utf-16-le"), 200, "text/html"),
    ),
    Behaviour(
        "soft_404_json",
        "says so in JSON with status 200",
        "page",
        "soft_gone",
        _says('{"code":404,"msg":"页面不存在","data":null}', 200, "application/json"),
    ),
    Behaviour(
        "login_words",
        "says that one must log in, without a form",
        "page",
        "login",
        _says(_page("提示", "您没有权限访问该页面，请先登录！")),
    ),
    Behaviour(
        "empty_shell_linked",
        "sends a frame that scripts would fill, with a style sheet",
        "page",
        "empty_shell",
        _says(
            '<html><head><link rel="stylesheet" href="/a.css"></head><body><div id="root"></div>'
            '<script type="module" src="/a.js"></script></body></html>'
        ),
    ),
)
