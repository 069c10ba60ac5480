"""Pages that are not the content: challenges, notices, logins, shells, stubs. And reports that speak of such things."""

from __future__ import annotations

import time

import pytest

from connectors.errors import (
    Blocked,
    EmptyShell,
    Gone,
    LoginRequired,
    Maintenance,
    RobotsDenied,
    ScriptRedirect,
    SoftGone,
    SourceError,
    TooManyRedirects,
    Transient,
)
from connectors.http.challenge import find_challenge
from connectors.http.client import Fetch
from connectors.http.looks import look_at
from connectors.http.stand_ins import find_notice, find_refresh, find_stand_in
from connectors.http.words import name_notice
from tests.connectors.client_runs import HOST, HTML, PAGE, Run
from tests.servers import Site

OTHER = f"http://{HOST}/other.html"
CHALLENGES = [
    b"<html><script>var $_ts={};$_ts.nsd=1</script><body></body></html>",
    b"<html><head><script>document.cookie='__jsl_clearance='+go()</script></head></html>",
    b"<html><body>WZWS-RAY: 1 reason:GeoBL</body></html>",
    b"<html><script src=/x.js?nsd=1></script><body><p>please wait</p></body></html>",
    b"<script>var _0x1f2e=['a'];document.cookie=_0x1f2e[0];location.reload()</script>",
    b"\xef\xbb\xbf \r\n<HTML><BODY onload='document.f.submit ()'><form id=f></form><SCRIPT>1</SCRIPT></BODY></HTML>",
    b"<html><script src=/a.js></script><script>C3VK=1</script></html>",
    "<html><title>提示</title><p>您的访问请求可能存在风险，已被管理员设置拦截！</p><p>应用层防火墙</p></html>".encode(),
    "<html><title>_D盾_拦截提示</title><b>你的请求包含危险内容，已被拦截</b></html>".encode("gb18030"),
    "<html><title>访问验证</title><form action=/v><img src=/c.jpg><input name=code></form></html>".encode(),
    "<html><p>非法访问！您的IP地址不在允许范围内。</p></html>".encode(),
    b"<html><title>Attention Required! | Guard</title><p>Sorry, you have been blocked</p></html>",
]


@pytest.mark.parametrize("body", CHALLENGES)
@pytest.mark.parametrize("status", [200, 202, 405, 503])
def test_challenges_are_blocked_not_content(site: Site, body: bytes, status: int) -> None:
    site.on("/page.html", body, status=status, headers={"Server": "WAF/2"})
    run = Run(site)
    with pytest.raises(Blocked) as caught:
        run.fetch()
    assert run.outcomes() == [("blocked", status)]
    assert caught.value.evidence == run.log[-1].evidence
    for part in (f"status {status}", "mark ", f"{len(body)} bytes"):
        assert part in caught.value.evidence


@pytest.mark.parametrize("kind", ["page", "list", "feed", "attachment"])
@pytest.mark.parametrize("status", [200, 403, 412, 521])
def test_a_block_ends_the_lane_of_its_host_for_every_kind(site: Site, kind: str, status: int) -> None:
    site.on("/page.html", CHALLENGES[0], status=status).on("/other.html", HTML)
    run = Run(site)
    with pytest.raises(Blocked):
        run.fetch(kind=kind)
    first, second = run.fetch_all(PAGE, OTHER)
    assert isinstance(first, Blocked) and isinstance(second, Blocked)
    assert site.asked("/other.html") == []
    assert second.evidence == first.evidence != ""


def test_a_block_ends_no_other_lane(site: Site) -> None:
    gate = "gate.yunxi.example"
    site.on("/page.html", status=403, host=HOST).on("/page.html", HTML, host=gate)
    site.on("/start", status=302, headers={"Location": f"http://{HOST}/page.html"}, host=gate)
    hosts = frozenset({HOST, gate})
    run = Run(site)
    with pytest.raises(Blocked) as caught:
        run.fetch(f"http://{gate}/start", hosts=hosts)
    assert caught.value.url == PAGE  # the host that blocks, not the one that led there
    assert run.fetch(f"http://{gate}/page.html", hosts=hosts).status == 200


@pytest.mark.parametrize(("status", "body"), [(200, CHALLENGES[0]), (403, CHALLENGES[2]), (412, b""), (521, b"x")])
def test_a_firewall_before_robots_is_a_block(site: Site, status: int, body: bytes) -> None:
    site.on("/robots.txt", body, status=status).on("/page.html", HTML)
    first, second = Run(site).fetch_all(PAGE, OTHER)
    assert isinstance(first, Blocked) and isinstance(second, Blocked)
    assert [seen.target for seen in site.seen] == ["/robots.txt"]


def page(body: str, title: str = "云溪区人民政府", head: str = "") -> str:
    return f"<!DOCTYPE html><html><head><title>{title}</title>{head}</head><body>{body}</body></html>"


TITLED = '<meta name="ArticleTitle" content="%s">'
NAV = "".join(f'<li><a href="/c{number}/">栏目之{number}</a></li>' for number in range(30))
FRAME = f'<div class="nav"><ul>{NAV}</ul></div>%s<div class="foot">主办：云溪区人民政府办公室 电话：0000-0000000</div>'
LOGIN = '<form method="post">用户名<input name="u">密码<input type="password" name="p"><button>登录</button></form>'
STAND_INS: list[tuple[type[SourceError], str, str]] = [
    (SoftGone, "words", page("<p>抱歉，您访问的页面不存在或已被删除！</p>")),
    (SoftGone, "words in a frame of links", page(FRAME % "<p>您查看的信息不存在</p>")),
    (SoftGone, "a title", page(FRAME % "<p>请联系管理员。</p>", "404 - 云溪区人民政府")),
    (SoftGone, "a title behind the site's", page("<p>Oops</p>", "云溪区人民政府_404")),
    (SoftGone, "English", page("<h1>Page not found</h1><p>The page you are looking for cannot be found.</p>")),
    (SoftGone, "and then home", page("<p>页面不存在，5秒后返回</p>", head="<meta http-equiv=refresh content=5;/>")),
    (SoftGone, "an article's frame", page("<p>文章已被移除</p>", "提示信息", TITLED % "提示信息")),
    (Maintenance, "words", page("<h1>系统正在维护</h1><p>预计今日18时恢复，敬请谅解。</p>")),
    (Maintenance, "a title", page("<img src=/w.png>", "网站升级维护中")),
    (Maintenance, "a pause", page("<p>因机房检修，本网站暂停服务。</p>")),
    (Maintenance, "English", page("<p>This site is under maintenance.</p>")),
    (LoginRequired, "a form", page(LOGIN, "统一身份认证")),
    (LoginRequired, "a form beside a notice", page("<p>请先登录后查看本页</p>" + LOGIN)),
    (SoftGone, "taken back", page("<p>对不起，该信息已被撤回！</p>")),
    (SoftGone, "never published", page("<p>您所查看的文章未发布或已取消发布</p>", "提示")),
    (SoftGone, "a container's words", page("<h1>HTTP Status 404</h1><p>The requested resource is not available.</p>")),
    (SoftGone, "a fragment", "<center><h1>404 Not Found</h1></center><hr><center>server</center>"),
    (SoftGone, "plain words", "404 Not Found"),
    (Maintenance, "a move", page("<p>网站集约化迁移，暂时无法访问，敬请谅解。</p>")),
    (LoginRequired, "words", page("<p>请登录后查看</p><a href=/login>登录</a>", "登录")),
    (EmptyShell, "a mount with a drawing", page('<svg></svg><div id="app"></div><script src=/a.js></script>')),
    (EmptyShell, "a mount", page('<noscript>请启用脚本</noscript><div id="app"></div><script src=/a.js></script>')),
    (EmptyShell, "a mount that loads", page('<div id="root"><p>加载中…</p></div><script src=/a.js></script>')),
    (EmptyShell, "nothing", page("")),
    (ScriptRedirect, "href", page("<script>window.location.href='/Zwgk/Index.html'</script>")),
    (ScriptRedirect, "replace", page('<script>top.location.replace("/Zwgk/Index.html")</script>正在跳转')),
]  # fmt: skip


@pytest.mark.parametrize(
    ("error", "what", "text"), STAND_INS, ids=[f"{error.code}: {what}" for error, what, _ in STAND_INS]
)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_what_stands_in_for_a_page_has_its_own_outcome(
    site: Site, error: type[SourceError], what: str, text: str, charset: str
) -> None:
    site.on("/page.html", text.encode(charset)).on("/other.html", HTML)
    run = Run(site)
    got, other = run.fetch_all(PAGE, OTHER)
    assert type(got) is error
    assert run.outcomes() == [(error.code, 200), ("ok", 200)]  # asked once, and the lane goes on
    assert isinstance(other, Fetch)


MISSING = "<script>$_ts={};$_ts.nsd=1</script>"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (404, page(MISSING), Blocked),
        (410, page("<p>您的请求已被防火墙拦截</p>"), Blocked),
        (404, page(f"{MISSING}<p>您访问的页面不存在</p>"), Gone),
        (404, page(f"<h1>404</h1>{MISSING}"), Gone),
        (404, page("<script>location.reload()</script>"), Gone),
        (404, "", Gone),
    ],
)
def test_404_speaks_for_itself_unless_a_firewall_says_it(
    site: Site, status: int, body: str, error: type[SourceError]
) -> None:
    site.on("/page.html", body, status=status)
    (got,) = Run(site).fetch_all(PAGE)
    assert type(got) is error


@pytest.mark.parametrize(
    ("title", "body", "error"),
    [
        ("云溪区2022年法治政府建设情况报告", "该文章已被删除", SoftGone),
        ("云溪区2022年法治政府建设情况报告", "页面正在加载中，请稍候...", EmptyShell),
        ("云溪区2022年法治政府建设情况报告", "暂无内容", EmptyShell),
        ("云溪区2022年法治政府建设情况报告", "因网站升级，暂停访问，敬请谅解", Maintenance),
        ("云溪区2022年法治政府建设情况报告", "您没有权限查看该内容", LoginRequired),
        ("云溪区2022年法治政府建设情况报告", "您的请求已被网站防火墙拦截", Blocked),
        ("云溪区2022年法治政府建设情况报告", "详见附件", None),
        ("云溪区2022年法治政府建设情况报告", "", None),
        ("关于清理失效网页的通知", "下列页面已删除", None),
        ("关于系统维护的公告", "系统正在维护，暂停访问", None),
        ("动态", "全区政务系统正在进行升级，办事效率明显提高", None),
        ("动态", "该文章已被删除" + "。全年工作有序推进" * 20, None),
        ("动态", "\n　" * 2_000 + "该文章已被删除" + "\n" * 2_000, SoftGone),
        ("动态", "\n　" * 2_000 + "该文章已被删除" + "。全年工作有序推进" * 20, None),
    ],
)
def test_a_notice_in_the_frame_of_an_article_is_none(title: str, body: str, error: type[SourceError] | None) -> None:
    assert type(name_notice(PAGE, title, body)) is (error or type(None))


def test_the_target_of_a_script_is_told_as_it_is_written(site: Site) -> None:
    site.on("/page.html", page("<script>location.href = '/Zwgk/Index.html'</script>"))
    with pytest.raises(ScriptRedirect, match=r"'/Zwgk/Index\.html'"):
        Run(site).fetch()
    assert len(Run(site).fetch(kind="list").body) > 0  # a list's engine knows what is behind it


REPORT = "".join(
    f"<p>全年升级改造政务服务平台{number}次，网站维护期间暂停服务的页面不存在遗漏，失效链接已删除，登录系统后可查。</p>"
    for number in range(9)
)
GENUINE = {
    "a report that says all of it": page(REPORT, "云溪区2022年法治政府建设情况报告"),
    "a report of one sentence": page("<p>法治政府建设中期报告见附件。</p>", "云溪区法治政府建设中期报告"),
    "a report that is an attachment": page('<h1>2022年报告</h1><a href="/P02.pdf">2022年报告.pdf</a>附件下载'),
    "a report that is a picture": page('<img src="/p1.jpg">'),
    "a report in a frame": page('<iframe src="/report.html"></iframe>'),
    "a notice of works to come": page("<p>网站将于六月一日进行升级维护，届时请提前办理。</p>"),
    "a dated notice": page("<p>发布时间：2024-03-01</p><p>系统正在维护，暂停访问。</p>", "关于系统维护的公告"),
    "a titled article": page(
        "<p>该页面已删除。</p>", head='<meta name="ArticleTitle" content="关于清理失效文件的通知">'
    ),
    "a notice of a purchase": page("<p>我局拟采购网站防火墙一台，用于拦截恶意访问。</p>", "关于采购网站防火墙的公告"),
    "a service with codes": page("<p>办理时请输入手机验证码后提交，申请人请登录后提交材料。</p>", "办事指南"),
    "a visit with limits": page("<p>代表团本次访问因天气原因限制人数。</p>", "动态"),
    "a closed list of names": page("<p>培训内容已经关闭报名。</p>", "通知"),
    "a dated stop": page("<p>发布日期：2024-03-01</p><p>您的请求已被拦截。</p>", "典型案例"),
    "a list beside a login": page(FRAME % LOGIN, "政务公开"),
    "rows that scripts write": page(f"<div></div><script>{'var row={url:1};' * 300}</script>"),
    "rows in a data store": page(
        "<script type=text/xml><datastore><record><li><a href=1>x</a></li></record></datastore></script>"
    ),
    "a script that also counts": page(f"<script>var $_ts={{}};document.cookie='a=1'</script>{REPORT[:900]}"),
    "a script for telephones": page(f"<script>if(ua)location.href='/m/'</script>{REPORT[:900]}"),
    "a refresh of a real page": page(REPORT[:900], head='<meta http-equiv="refresh" content="300">'),
    "no HTML": 'callback({"result":"<script>页面不存在</script>"})',
    "a feed": '<?xml version="1.0"?><rss><channel><title>页面不存在</title></channel></rss>',
}


@pytest.mark.parametrize("text", GENUINE.values(), ids=GENUINE)
@pytest.mark.parametrize("charset", ["utf-8", "gb18030"])
def test_content_that_speaks_of_such_things_is_content(site: Site, text: str, charset: str) -> None:
    site.on("/page.html", text.encode(charset))
    assert Run(site).fetch().body == text.encode(charset)


REFRESHES = [
    '<meta http-equiv="refresh" content="0;url=/b.html">',
    "<META HTTP-EQUIV=Refresh CONTENT='0; URL=/b.html'>",
    '<meta content="1;URL=\'/b.html\'" http-equiv="Refresh" />',
    "<meta http-equiv=refresh content=0;/b.html>",
    '<meta http-equiv="refresh" content="3; url=http://www.yunxi.example/b.html">',
    '<meta http-equiv="refresh" content="0;url=/b.html&#35;top">',
]


@pytest.mark.parametrize("head", REFRESHES)
def test_a_stub_with_a_meta_refresh_is_followed_like_a_redirect(site: Site, head: str) -> None:
    site.on("/page.html", page("正在跳转", head=head)).on("/b.html", HTML)
    run = Run(site)
    assert run.fetch().final_url == f"http://{HOST}/b.html"
    assert run.outcomes() == [("redirect", 200), ("ok", 200)]


def test_a_refresh_that_waits_for_a_cookie(site: Site) -> None:
    stub = page("", head='<meta http-equiv="refresh" content="0">')
    site.on("/page.html", stub, headers={"Set-Cookie": "CT6T=1; Path=/"}).on("/page.html", HTML)
    assert Run(site).fetch().body == HTML.encode()
    assert site.seen[-1].headers["cookie"] == "CT6T=1"


def test_refreshes_keep_to_the_hosts_and_the_budget(site: Site) -> None:
    site.on("/page.html", page("", head='<meta http-equiv="refresh" content="0;url=http://169.254.169.254/">'))
    site.on("/other.html", page("", head='<meta http-equiv="refresh" content="0">'))
    away, circle = Run(site).fetch_all(PAGE, OTHER)
    assert isinstance(away, SourceError) and away.code == "refused"
    assert isinstance(circle, TooManyRedirects)
    assert len(site.asked("/other.html")) == 6


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (page("<p>页面不存在</p>"), None),
        (page("<div id=app></div><script src=/a.js></script>"), None),
        (page("<p>系统正在维护，请稍后访问</p>"), RobotsDenied),
        (page(LOGIN), RobotsDenied),
    ],
)
def test_pages_instead_of_robots(site: Site, text: str, error: type[SourceError] | None) -> None:
    site.on("/robots.txt", text).on("/page.html", HTML)
    (got,) = Run(site).fetch_all(PAGE)
    assert isinstance(got, error or Fetch)


def test_a_busy_server_is_busy_whatever_it_says(site: Site) -> None:
    site.on("/page.html", page("<p>系统正在维护</p>"), status=503)
    with pytest.raises(Transient):
        Run(site, retries=0).fetch()


@pytest.mark.parametrize(
    "unit",
    ["<script", "<", "nsd=", "<script>$_ts</script>", "<meta ", "<meta http-equiv=refresh ", "<a ", "<!--", "页面",
     "location=", "content=", "<title>", "系统正在", "type ", "document.cookie ", "您请求", "<img 404", "alert('",
     "当前访问", "请登录后", "<a>您", "<title>防火墙"],
)  # fmt: skip
def test_looks_are_linear(unit: str) -> None:
    started = time.process_time()
    for tail in ("", ">", "</script>"):
        body = ("<html>" + unit * (60_000 // len(unit.encode())) + tail).encode()
        if (look := look_at(body)) is not None:
            find_challenge(look)
            find_notice(PAGE, look)
            find_refresh(look)
            find_stand_in(PAGE, look)
    assert time.process_time() - started < 1.5
