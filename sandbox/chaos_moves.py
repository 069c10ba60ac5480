"""Faults of going elsewhere, and of saying no: redirects, cookies, 304, waits, robots.txt."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from sandbox.chaos_coding import gzip_member
from sandbox.chaos_model import Behaviour, Exchange, head, validators
from sandbox.chaos_portal import INVENTED, STRUCK_PAGE, STRUCK_YEAR, render_report

_TEXT = "text/plain; charset=utf-8"


async def _go(x: Exchange, location: str, status: str = "302 Found") -> None:
    await x.reply(b"", status=status, headers=[("Location", location)])


async def _loop(x: Exchange) -> None:
    await _go(x, f"{INVENTED}b" if x.path == STRUCK_PAGE else STRUCK_PAGE)


async def _to_itself(x: Exchange) -> None:
    await _go(x, x.path)


async def _chain(x: Exchange, hops: int) -> None:
    """As many redirects, then the page."""
    number = 0 if x.path == STRUCK_PAGE else int(x.path.rpartition("/")[2])
    if number < hops:
        await _go(x, f"{INVENTED}{number + 1}", "301 Moved Permanently")
    else:
        await x.reply(x.portal[STRUCK_PAGE].body)


async def _five_hops(x: Exchange) -> None:
    await _chain(x, 5)


async def _endless_hops(x: Exchange) -> None:
    await _chain(x, 1_000_000)


async def _to_file(x: Exchange) -> None:
    await _go(x, "file:///etc/hostname")


async def _to_ftp(x: Exchange) -> None:
    await _go(x, f"ftp://{x.host}{STRUCK_PAGE}")


async def _to_data(x: Exchange) -> None:
    await _go(x, "data:text/html,<div class=TRS_Editor>2022</div>")


async def _to_metadata(x: Exchange) -> None:
    await _go(x, "http://169.254.169.254/latest/meta-data/")


async def _to_localhost(x: Exchange) -> None:
    await _go(x, f"http://localhost{STRUCK_PAGE}")


async def _to_loopback_spelt_oddly(x: Exchange) -> None:
    await _go(x, f"http://2130706433{STRUCK_PAGE}")


async def _to_loopback_v6(x: Exchange) -> None:
    await _go(x, f"http://[::ffff:127.0.0.1]{STRUCK_PAGE}")


async def _to_another_port(x: Exchange) -> None:
    await _go(x, f"http://{x.host}:6379/")


async def _to_another_host(x: Exchange) -> None:
    await _go(x, f"https://quiet.{x.host.partition('.')[2]}{STRUCK_PAGE}")


async def _with_password(x: Exchange) -> None:
    await _go(x, f"https://{x.host}:secret@quiet.{x.host.partition('.')[2]}{STRUCK_PAGE}")


async def _nowhere(x: Exchange) -> None:
    await x.reply(b"", status=302)


async def _to_no_address(x: Exchange) -> None:
    await _go(x, "http://[::1")


async def _to_huge_address(x: Exchange) -> None:
    await _go(x, f"{INVENTED}{'a' * 20_000}")


async def _cookie_gate(x: Exchange) -> None:
    if "seen=1" in x.request.headers.get("cookie", ""):
        await x.behave()
    else:
        await x.reply(b"", status=302, headers=[("Location", x.path), ("Set-Cookie", "seen=1; Path=/")])


async def _cookie_flood(x: Exchange) -> None:
    cookies = [("Set-Cookie", f"c{n}={'v' * 200}; Path=/; Domain=example") for n in range(100)]
    await x.reply(x.good.body, headers=cookies)


async def _meta_refresh(x: Exchange) -> None:
    if x.path == STRUCK_PAGE:
        target = f"{INVENTED}t20230210_20221.html"
        await x.reply(f'<html><head><meta http-equiv="refresh" content="0;url={target}"></head><body></body></html>')
    else:
        await x.reply(render_report(STRUCK_YEAR))


async def _meta_refresh_away(x: Exchange) -> None:
    await x.reply('<html><head><META HTTP-EQUIV=Refresh CONTENT="0; URL=http://127.0.0.1/"></head><body></body></html>')


async def _meta_refresh_loop(x: Exchange) -> None:
    await x.reply(f'<html><head><meta http-equiv="refresh" content="0;url={x.path}"></head><body></body></html>')


async def _script_stub(x: Exchange) -> None:
    await x.reply(f'<html><head><script>window.location.href="{INVENTED}x.html";</script></head><body></body></html>')


async def _not_modified_with_body(x: Exchange) -> None:
    stolen = render_report(STRUCK_YEAR).replace("件", "0件").encode()
    answer = head(200, [("Content-Type", "text/html"), ("Content-Length", str(len(stolen)))]) + stolen
    fields = [*validators(x.good), ("Content-Length", str(len(answer)))]
    await x.send(head(304, fields) + answer)
    x.keep_open = True


async def _not_modified_unasked(x: Exchange) -> None:
    await x.send(head(304, validators(x.good)))


async def _waits(x: Exchange, after: str, status: str = "429 Too Many Requests", times: int = 1) -> None:
    if x.request.number <= times:
        await x.reply(b"", status=status, headers=[("Retry-After", after)])
    else:
        await x.behave()


async def _wait_seconds(x: Exchange) -> None:
    await _waits(x, "1")


async def _wait_date(x: Exchange) -> None:
    await _waits(x, format_datetime(datetime.now(UTC) + timedelta(seconds=1), usegmt=True))


async def _wait_nonsense(x: Exchange) -> None:
    await _waits(x, "soon, 昨天".encode().decode("latin-1"))


async def _wait_for_ages(x: Exchange) -> None:
    await _waits(x, "9" * 300, times=1000)


async def _wait_for_a_day(x: Exchange) -> None:
    await _waits(x, format_datetime(datetime.now(UTC) + timedelta(days=1), usegmt=True), times=1000)


async def _busy_once(x: Exchange) -> None:
    await _waits(x, "0", "503 Service Unavailable")


async def _busy(x: Exchange) -> None:
    await x.reply("<html><body>503</body></html>", status="503 Service Unavailable")


async def _error(x: Exchange) -> None:
    await x.reply("<html><body>java.lang.NullPointerException</body></html>", status="500 Internal Server Error")


async def _gone(x: Exchange) -> None:
    await x.reply("<html><body>404</body></html>", status=404)


async def _legal(x: Exchange) -> None:
    await x.reply("<html><body>451</body></html>", status="451 Unavailable For Legal Reasons")


async def _robots_slow_down(x: Exchange) -> None:
    await _waits(x, "1", times=1000)


async def _robots_endless(x: Exchange) -> None:
    await x.reply(b"User-agent: *\nDisallow: /secret/\n", content_type=_TEXT, length=None)
    while not x.stopping.is_set():
        await x.send(b"# and so on\n" * 1000)


async def _robots_bomb(x: Exchange) -> None:
    await x.reply(gzip_member() * 16, content_type=_TEXT, headers=[("Content-Encoding", "gzip")])


async def _robots_trickle(x: Exchange) -> None:
    await x.send(head(200, [("Content-Type", _TEXT), ("Content-Length", "100000")]))
    while not x.stopping.is_set():
        await x.send(b"#")
        await x.pause(0.05)


async def _robots_html(x: Exchange) -> None:
    await x.reply("<!DOCTYPE html><html><body><h1>顽溪县人民政府</h1><p>您访问的页面不存在</p></body></html>")


async def _robots_disallow(x: Exchange) -> None:
    text = f"\ufeffUser-agent: *\r\nDisallow: {STRUCK_PAGE}\r\n\0"
    await x.reply(text, content_type=_TEXT)


async def _robots_snail(x: Exchange) -> None:
    await x.reply("User-agent: *\nCrawl-delay: 86400\n", content_type=_TEXT)


async def _robots_away(x: Exchange) -> None:
    await _go(x, "http://169.254.169.254/robots.txt")


MOVES = (
    Behaviour("redirect_loop", "redirects in a circle of two", "page", "too_many_redirects", _loop),
    Behaviour("redirect_to_itself", "redirects a page to itself", "page", "too_many_redirects", _to_itself),
    Behaviour("redirect_endless", "redirects to a new address each time", "page", "too_many_redirects", _endless_hops),
    Behaviour("redirect_five", "redirects five times, then gives the page", "page", "read", _five_hops),
    Behaviour("redirect_to_file", "redirects to file:", "page", "refused", _to_file),
    Behaviour("redirect_to_ftp", "redirects to ftp:", "page", "refused", _to_ftp),
    Behaviour("redirect_to_data", "redirects to data:", "page", "refused", _to_data),
    Behaviour("redirect_to_metadata", "redirects to 169.254.169.254", "page", "refused", _to_metadata),
    Behaviour("redirect_to_localhost", "redirects to localhost", "page", "refused", _to_localhost),
    Behaviour(
        "redirect_to_decimal", "redirects to 127.0.0.1 as one number", "page", "refused", _to_loopback_spelt_oddly
    ),
    Behaviour("redirect_to_mapped", "redirects to 127.0.0.1 inside IPv6", "page", "refused", _to_loopback_v6),
    Behaviour("redirect_to_port", "redirects to another port of the host", "page", "refused", _to_another_port),
    Behaviour("redirect_to_stranger", "redirects to a host outside the source", "page", "refused", _to_another_host),
    Behaviour("redirect_with_password", "hides the host behind user and password", "page", "refused", _with_password),
    Behaviour("redirect_nowhere", "redirects without a Location", "page", "failed", _nowhere),
    Behaviour("redirect_to_nonsense", "redirects to what is no address", "page", "refused", _to_no_address),
    Behaviour("redirect_to_huge", "redirects to an address of 20,000 letters", "page", "refused", _to_huge_address),
    Behaviour("cookie_gate", "redirects each page to itself until a cookie comes back", "page", "read", _cookie_gate),
    Behaviour("cookie_flood", "sets a hundred cookies for everybody", "page", "read", _cookie_flood),
    Behaviour("meta_refresh", "sends a stub whose meta tag leads to the page", "page", "read", _meta_refresh),
    Behaviour(
        "meta_refresh_away", "sends a stub whose meta tag leads to loopback", "page", "refused", _meta_refresh_away
    ),
    Behaviour(
        "meta_refresh_loop",
        "sends a stub whose meta tag leads to itself",
        "page",
        "too_many_redirects",
        _meta_refresh_loop,
    ),
    Behaviour("script_stub", "sends a stub whose script leads elsewhere", "page", "script_redirect", _script_stub),
    Behaviour(
        "not_modified_with_body",
        "answers 304 with another page behind it",
        "page",
        "read",
        _not_modified_with_body,
        night=2,
    ),
    Behaviour("not_modified_unasked", "answers 304 to a plain request", "page", "failed", _not_modified_unasked),
    Behaviour("wait_seconds", "answers 429 with Retry-After in seconds, once", "page", "read", _wait_seconds),
    Behaviour("wait_date", "answers 429 with Retry-After as a date, once", "page", "read", _wait_date),
    Behaviour(
        "wait_nonsense", "answers 429 with a Retry-After that says nothing, once", "page", "read", _wait_nonsense
    ),
    Behaviour(
        "wait_for_ages", "answers 429 with a Retry-After of 300 digits", "page", "deferred", _wait_for_ages, "next run"
    ),
    Behaviour("wait_for_a_day", "answers 429 with tomorrow's date", "page", "deferred", _wait_for_a_day, "next run"),
    Behaviour("busy_once", "answers 503 once", "page", "read", _busy_once),
    Behaviour("busy", "answers 503", "page", "transient", _busy),
    Behaviour("busy_on_list", "answers 503 for a list page", "list", "transient", _busy),
    Behaviour("server_error", "answers 500 for a page that is known", "page", "transient", _error, night=2),
    Behaviour("page_missing", "answers 404 for a listed page", "page", "gone", _gone),
    Behaviour("list_missing", "answers 404 for a list page", "list", "gone", _gone),
    Behaviour("all_missing", "answers 404 for everything", "site", "gone", _gone, night=2),
    Behaviour("status_451", "answers 451", "page", "failed", _legal),
    Behaviour("robots_500", "answers 500 for robots.txt", "robots", "robots_denied", _error, "none"),
    Behaviour("robots_429", "answers 429 for robots.txt", "robots", "robots_denied", _robots_slow_down, "none"),
    Behaviour("robots_trickle", "trickles robots.txt", "robots", "robots_denied", _robots_trickle, "none"),
    Behaviour(
        "robots_redirect_away",
        "redirects robots.txt to 169.254.169.254",
        "robots",
        "robots_denied",
        _robots_away,
        "none",
    ),
    Behaviour(
        "robots_crawl_delay", "asks for a day between two requests", "robots", "robots_denied", _robots_snail, "none"
    ),
    Behaviour("robots_endless", "sends a robots.txt without end", "robots", "read", _robots_endless),
    Behaviour("robots_gzip_bomb", "sends a gzip bomb for robots.txt", "robots", "read", _robots_bomb),
    Behaviour("robots_html", "sends a web page for robots.txt", "robots", "read", _robots_html),
    Behaviour("robots_missing", "answers 404 for robots.txt", "robots", "read", _gone),
    Behaviour(
        "robots_disallow", "forbids one page, behind a byte order mark", "robots", "robots_denied", _robots_disallow
    ),
)
