"""Answers that stand where the content should be: firewalls, logins, notices, empty frames, stolen pages."""

from __future__ import annotations

from sandbox.chaos_model import Behaviour, Exchange, Others
from sandbox.chaos_portal import COLUMN, COUNTY, INVENTED, STRUCK_PAGE, YEARS, render_page, report_path

_LATER: Others = "next run"
_CHALLENGE = (
    '<html><head><meta http-equiv="Content-Type" content="text/html; charset=utf-8"><script>$_ts=window["$_ts"];'
    'if(!$_ts)$_ts={};$_ts.nsd=41523;$_ts.cd="qcZrrAlqcAAtWPVmDOW";</script><script src="/4QbVtADbnLVIc/c.FxJzG50F.js">'
    '</script></head><body onload="_$bl()"></body></html>'
)
_JSL = (
    "<script>document.cookie=('_')+('_')+('jsl_clearance_s')+'=-1;path=/';location.href=location.pathname"
    "+location.search</script>"
)
_WZWS = (
    "<html><head><title>403</title></head><body><h1>Request denied by WZWS</h1>"
    "<p>reason: GeoBL</p><p>event_id: 00000000</p></body></html>"
)


async def _challenge_200(x: Exchange) -> None:
    await x.reply(_CHALLENGE)


async def _challenge_412(x: Exchange) -> None:
    await x.reply(_CHALLENGE, status="412 Precondition Failed", headers=[("Set-Cookie", "CT6T=1; Path=/; HttpOnly")])


async def _challenge_521(x: Exchange) -> None:
    await x.reply(_JSL, status="521 Status", headers=[("Set-Cookie", "__jsluid_s=0; path=/")])


async def _forbidden(x: Exchange) -> None:
    await x.reply(_WZWS, status="403 Forbidden", headers=[("Server", "WZWS")])


async def _redirect_to_challenge(x: Exchange) -> None:
    if x.path.startswith(INVENTED):
        await x.reply(_CHALLENGE)
    else:
        await x.reply(b"", status=302, headers=[("Location", f"{INVENTED}guard?from={x.path}")])


def _notice(title: str, *lines: str) -> str:
    words = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>{title}</title></head><body>'
        f'<div class="header"><a href="/">{COUNTY}人民政府</a></div><div class="error"><h1>{title}</h1>{words}</div>'
        f'<p><a href="{COLUMN}">返回上一页</a> <a href="/">返回首页</a></p></body></html>'
    )


async def _soft_404(x: Exchange) -> None:
    await x.reply(_notice("页面不存在", "很抱歉，您访问的页面不存在或已被删除。"))


async def _soft_404_in_place(x: Exchange) -> None:
    """In the portal's own article frame, as content systems send it."""
    await x.reply(render_page("提示信息", ("您要查看的信息不存在，可能已被删除或尚未审核通过。",), ""))


async def _redirect_to_error(x: Exchange) -> None:
    if x.path == STRUCK_PAGE:
        await x.reply(b"", status=302, headers=[("Location", f"{INVENTED}404.html")])
    else:
        await x.reply(_notice("404", "您访问的页面不存在"))


async def _maintenance(x: Exchange) -> None:
    await x.reply(_notice("系统维护中", "网站正在升级维护，暂停访问，请稍后再试。给您带来不便，敬请谅解！"))


async def _login(x: Exchange) -> None:
    await x.reply(
        '<!DOCTYPE html><html><head><meta charset="utf-8"><title>用户登录</title></head><body><h2>用户登录</h2>'
        '<form action="/login.do" method="post">用户名<input name="user">密码<input type="password" name="pass">'
        '<input type="submit" value="登录"></form></body></html>'
    )


async def _redirect_to_login(x: Exchange) -> None:
    if x.path == STRUCK_PAGE:
        await x.reply(b"", status=302, headers=[("Location", f"{INVENTED}login?back={x.path}")])
    else:
        await _login(x)


async def _all_to_login(x: Exchange) -> None:
    if x.path.startswith(INVENTED):
        await _login(x)
    else:
        await x.reply(b"", status=302, headers=[("Location", f"{INVENTED}login")])


async def _unauthorized(x: Exchange) -> None:
    await x.reply(b"", status="401 Unauthorized", headers=[("WWW-Authenticate", 'Basic realm="gov"')])


async def _empty_shell(x: Exchange) -> None:
    await x.reply(
        '<!DOCTYPE html><html lang="zh"><head><meta charset="utf-8"><title>政务公开</title>'
        '<script defer src="/static/js/chunk-vendors.8f2c.js"></script></head><body>'
        '<noscript>请启用JavaScript</noscript><div id="app"></div>'
        '<script src="/static/js/app.91ab.js"></script></body></html>'
    )


async def _to_home(x: Exchange) -> None:
    await x.reply(b"", status=302, headers=[("Location", "/")])


async def _to_list(x: Exchange) -> None:
    await x.reply(b"", status=302, headers=[("Location", COLUMN)])


async def _to_another_report(x: Exchange) -> None:
    await x.reply(b"", status=301, headers=[("Location", report_path(YEARS[2]))])


async def _another_site(x: Exchange) -> None:
    """The real page, but its meta tags and its text claim another portal and another address."""
    claim = (
        '<base href="https://www.yuanfang.example/"><link rel="canonical" href="https://www.yuanfang.example/a.html">'
        '<meta name="Url" content="https://www.yuanfang.example/a.html">'
        '<meta name="SiteDomain" content="yuanfang.example"><meta name="SiteIDCode" content="1100000001">'
    )
    text = x.good.body.decode().replace("<title>", f"{claim}<title>", 1)
    await x.reply(text)


async def _home_page(x: Exchange) -> None:
    """What a load balancer without this site sends: the home page of whoever comes first."""
    links = "".join(f'<li><a href="/zwgk/n{number}.html">栏目{number}</a></li>' for number in range(60))
    await x.reply(
        f'<!DOCTYPE html><html><head><meta charset="utf-8"><title>远方市人民政府</title></head><body>'
        f'<div class="nav"><ul>{links}</ul></div><div class="footer">远方市人民政府主办</div></body></html>'
    )


BLOCKS = (
    Behaviour(
        "waf_page_200", "sends a firewall's script page with status 200", "page", "blocked", _challenge_200, _LATER
    ),
    Behaviour("waf_412", "answers 412 with a script and a cookie", "page", "blocked", _challenge_412, _LATER),
    Behaviour("waf_521", "answers 521 with a cookie script", "page", "blocked", _challenge_521, _LATER),
    Behaviour("waf_403", "answers 403, reason GeoBL", "page", "blocked", _forbidden, _LATER),
    Behaviour(
        "waf_by_redirect", "redirects to a firewall's script page", "page", "blocked", _redirect_to_challenge, _LATER
    ),
    Behaviour(
        "waf_on_list", "sends a firewall's script page for a list page", "list", "blocked", _challenge_200, _LATER
    ),
    Behaviour(
        "waf_on_file", "sends a firewall's script page for an attachment", "file", "blocked", _challenge_200, _LATER
    ),
    Behaviour("waf_on_feed", "answers 412 for the feed", "feed", "blocked", _challenge_412, _LATER),
    Behaviour(
        "waf_on_robots",
        "sends a firewall's script page for robots.txt",
        "robots",
        "blocked",
        _challenge_200,
        "none",
    ),
    Behaviour("login_401", "answers 401", "page", "login", _unauthorized),
    Behaviour("login_page", "sends a login form with status 200", "page", "login", _login),
    Behaviour("login_by_redirect", "redirects to a login form", "page", "login", _redirect_to_login),
    Behaviour("soft_404", "says 页面不存在 with status 200", "page", "soft_gone", _soft_404),
    Behaviour("soft_404_in_frame", "says so in the frame of an article", "page", "soft_gone", _soft_404_in_place),
    Behaviour("soft_404_by_redirect", "redirects to a page that says so", "page", "soft_gone", _redirect_to_error),
    Behaviour("soft_404_on_list", "says 页面不存在 for a list page", "list", "soft_gone", _soft_404),
    Behaviour(
        "soft_404_when_known", "says 页面不存在 for a page that was there", "page", "soft_gone", _soft_404, night=2
    ),
    Behaviour("maintenance_page", "says 系统维护中 with status 200", "page", "maintenance", _maintenance),
    Behaviour("maintenance_on_list", "says 系统维护中 for a list page", "list", "maintenance", _maintenance),
    Behaviour("maintenance_everywhere", "says so everywhere", "site", "robots_denied", _maintenance, night=2),
    Behaviour("waf_everywhere", "sends the script page everywhere", "site", "blocked", _challenge_200, night=2),
    Behaviour(
        "login_everywhere", "redirects everything to a login form", "site", "robots_denied", _all_to_login, night=2
    ),
    Behaviour("empty_shell", "sends a frame that scripts would fill", "page", "empty_shell", _empty_shell),
    Behaviour("home_page_of_another", "sends another portal's home page", "page", "source_changed", _home_page),
    Behaviour("redirect_to_home", "redirects a page that is gone to the home page", "page", "source_changed", _to_home),
    Behaviour("redirect_to_list", "redirects a page that is gone to its list", "page", "source_changed", _to_list),
    Behaviour(
        "redirect_to_another", "redirects a page to another listed page", "page", "source_changed", _to_another_report
    ),
    Behaviour("claims_another_site", "sends a page whose tags claim another site", "page", "read", _another_site),
)
