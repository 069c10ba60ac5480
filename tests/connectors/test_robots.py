"""robots.txt against a real server: RFC 9309, and no when in doubt."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from connectors.errors import Blocked, Deferred, RobotsDenied
from connectors.http.client import Attempt, Client, Fetch, HttpSettings
from tests import servers
from tests.servers import Site

HOST = "www.qingyuan.example"
HOSTS = frozenset({HOST})


def crawl(site: Site, *targets: str, **changes: Any) -> tuple[list[Fetch | BaseException], list[Attempt]]:
    """Ask for all targets at once with one client."""
    log: list[Attempt] = []
    values = {"timeout": 1.0, "retries": 1, "backoff": 0.01, "delay": 0.0, **changes}
    settings = HttpSettings(user_agent="fazhi/1 (+https://otherbot.example/)", replay=site.url, **values)

    async def go() -> list[Fetch | BaseException]:
        async with Client(settings, log.append) as client:
            jobs = (client.fetch(f"http://{HOST}{target}", kind="page", hosts=HOSTS) for target in targets)
            return await asyncio.gather(*jobs, return_exceptions=True)

    return asyncio.run(asyncio.wait_for(go(), 10)), log


def allowed(site: Site, *targets: str) -> list[bool]:
    for target in targets:
        site.on(target, "<p>ok</p>")
    answers, _ = crawl(site, *targets)
    for answer in answers:
        assert isinstance(answer, Fetch | RobotsDenied), answer
    return [isinstance(answer, Fetch) for answer in answers]


def test_longest_match_wins_and_allow_wins_a_tie(site: Site) -> None:
    site.on(
        "/robots.txt", "User-agent: *\nDisallow: /a\nAllow: /a/open\nDisallow: /a/open/shut\nAllow: /t\nDisallow: /t"
    )
    assert allowed(site, "/a/x", "/a/open/x", "/a/open/shut/x", "/t/x", "/b") == [False, True, False, True, True]


def test_wildcards_and_end_anchor(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nDisallow: /*.do$\nDisallow: /*?print=\nDisallow: /col/*/old/")
    targets = ("/x/y.do", "/x/y.do?page=1", "/p.html?print=1", "/col/7/old/a", "/col/7/new/a")
    assert allowed(site, *targets) == [False, True, False, False, True]


def test_our_own_group_comes_before_the_star(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nDisallow: /\n\nUser-agent: Fazhi\nDisallow: /private/")
    assert allowed(site, "/news/1", "/private/1") == [True, False]


def test_a_name_in_the_contact_address_is_not_our_name(site: Site) -> None:
    site.on("/robots.txt", "User-agent: otherbot\nDisallow: /\n\nUser-agent: *\nAllow: /")
    assert allowed(site, "/news/1") == [True]


@pytest.mark.parametrize(
    "body",
    [
        b"\xef\xbb\xbfUser-agent: *\nDisallow: /shut/",
        "User-agent: *\r\n# 请勿抓取\r\nDisallow: /shut/".encode("gbk"),
        b"user-agent:*\rdisallow:/shut/",
        b"User-agent: *\nDisallow: /shut/\n" + b"#" * (600 * 1024),
    ],
)
def test_marks_charsets_line_ends_and_size(site: Site, body: bytes) -> None:
    site.on("/robots.txt", body)
    assert allowed(site, "/shut/1", "/open/1") == [False, True]


RULES = "User-agent: *\nDisallow: /shut/"


@pytest.mark.parametrize(
    "body",
    [
        RULES.encode("utf-16"),
        b"\xfe\xff" + RULES.encode("utf-16-be"),
        b"\xef\xbb\xbf" * 2 + RULES.encode(),
        RULES.replace(":", "：").encode(),
        RULES.replace("\n", "\0\n").encode() + b"\0",
        f"  {RULES}".replace(":", "\t :").encode(),
        RULES.replace("*", "*\n\n").encode(),
        RULES.replace("*", "fazhi/1.0").encode() + b"\n\nUser-agent: *\nAllow: /",
        RULES.replace("*", "FAZHI/2 (+https://x.example/)").encode() + b"\n\nUser-agent: *\nDisallow:",
        RULES.replace("\n", "\nSitemap: http://x.example/\n").encode(),
    ],
)
def test_rules_are_kept_whatever_the_editor_made_of_them(site: Site, body: bytes) -> None:
    site.on("/robots.txt", body)
    assert allowed(site, "/shut/1", "/open/1") == [False, True]


def test_rules_on_paths_of_chinese_letters_hold_in_either_charset(site: Site) -> None:
    for charset, path in (("utf-8", "/%E6%94%BF/1"), ("gbk", "/%D5%FE/1")):
        site.forget("/robots.txt")
        site.on("/robots.txt", "User-agent: *\nDisallow: /政/".encode(charset))
        assert allowed(site, path, "/open/1") == [False, True]


@pytest.mark.parametrize(
    ("line", "pace"),
    [
        ("Crawl-delay: 2,5", 2.5), ("Crawl-delay: 10s", 10.0),
        ("Crawl-delay: 2 min", 120.0), ("Crawl-delay: 2分钟", 120.0), ("Crawl-delay: 3000ms", 3.0),
        ("Crawl-delay: 5e1", 50.0), ("Crawl-delay: 10秒", 10.0), ("Crawl-delay: -5", 1.0), ("Crawl-delay: nan", 1.0),
        ("Crawl-delay: 4 # seconds", 4.0),
        ("Request-rate: 1/7", 7.0), ("Request-rate: 2/1m", 30.0), ("Request-rate: 1/5 0600-0900", 5.0),
        ("Crawl-delay: 3\nRequest-rate: 1/2", 3.0), ("Request-rate: 0/5", 1.0), ("Request-rate: often", 1.0),
    ],
)  # fmt: skip
def test_a_wish_for_pauses_is_heard_however_it_is_written(site: Site, line: str, pace: float) -> None:
    site.on("/robots.txt", f"User-agent: *\n{line}").on("/a", "<p>ok</p>")
    _, log = crawl(site, "/a", delay=1.0)
    assert log[-1].delay_s == pace


def test_http_and_https_have_rules_of_their_own(site: Site) -> None:
    site.on("/robots.txt", RULES).on("/robots.txt", "User-agent: *\nDisallow: /open/")
    site.on("/open/1", status=302, headers={"Location": f"https://{HOST}/open/1"})
    answers, _ = crawl(site, "/open/1")
    assert isinstance(answers[0], RobotsDenied) and "https" in str(answers[0])


def test_204_is_a_file_without_rules(site: Site) -> None:
    site.on("/robots.txt", status=204)
    assert allowed(site, "/news/1") == [True]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 410, 418, 451])
def test_4xx_means_no_rules(site: Site, status: int) -> None:
    site.on("/robots.txt", "User-agent: *\nDisallow: /", status=status)
    assert allowed(site, "/news/1") == [True]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 599])
def test_429_and_5xx_close_the_whole_host(site: Site, status: int) -> None:
    site.on("/robots.txt", status=status)
    assert allowed(site, "/a", "/b") == [False, False]
    assert {seen.target for seen in site.seen} == {"/robots.txt"}


@pytest.mark.parametrize("raw", [servers.reset, servers.hang, servers.short_body])
def test_no_answer_closes_the_whole_host(site: Site, raw: servers.Raw) -> None:
    site.on("/robots.txt", raw=raw)
    answers, log = crawl(site, "/a", "/b", timeout=0.3)
    assert all(isinstance(answer, RobotsDenied) for answer in answers)
    assert "could not be read" in str(answers[0])
    assert len(site.asked("/robots.txt")) == 2
    assert [(a.robots, a.outcome) for a in log] == [("not_checked", "transient")] * 2 + [
        ("unreachable", "robots_denied")
    ] * 2


def test_a_passing_failure_of_robots_is_retried(site: Site) -> None:
    site.on("/robots.txt", status=503).on("/robots.txt", "User-agent: *\nDisallow: /shut/")
    assert allowed(site, "/shut/1", "/open/1") == [False, True]


def test_redirects_of_robots(site: Site) -> None:
    site.on("/robots.txt", status=301, headers={"Location": "/r2.txt"})
    site.on("/r2.txt", status=302, headers={"Location": "https://qingyuan.example/r3.txt"})
    site.on("/r3.txt", "User-agent: *\nDisallow: /shut/", host="qingyuan.example")
    assert allowed(site, "/shut/1", "/open/1") == [False, True]


def test_a_redirect_of_robots_is_followed_for_the_source_that_lists_its_host(site: Site) -> None:
    site.on("/robots.txt", status=301, headers={"Location": "http://rules.example/robots.txt"}, host=HOST)
    site.on("/robots.txt", "User-agent: *\nDisallow: /shut/", host="rules.example")
    site.on("/open/1", "<p>ok</p>")
    lists = [HOSTS, HOSTS, HOSTS | {"a.example"}, HOSTS, HOSTS | {"rules.example"}, HOSTS]

    async def go() -> list[Fetch | BaseException]:
        settings = HttpSettings(user_agent="fazhi/1 (+https://otherbot.example/)", replay=site.url, delay=0.0)
        async with Client(settings) as client:
            asked: list[Fetch | BaseException] = []
            for hosts in lists:
                job = client.fetch(f"http://{HOST}/open/1", kind="page", hosts=hosts)
                asked += await asyncio.gather(job, return_exceptions=True)
            asked += await asyncio.gather(
                client.fetch(f"http://{HOST}/shut/1", kind="page", hosts=HOSTS), return_exceptions=True
            )
            return asked

    answers = asyncio.run(go())
    assert [isinstance(answer, Fetch) for answer in answers] == [False] * 4 + [True, True, False]
    assert isinstance(answers[-1], RobotsDenied)
    n_asked = sum(seen.host == HOST for seen in site.asked("/robots.txt"))
    assert n_asked == 3, "again only for a source that may follow where the others could not"


@pytest.mark.parametrize("location", ["/robots.txt", "http://elsewhere.example/robots.txt", "ftp://x/"])
def test_redirects_that_lead_nowhere_close_the_host(site: Site, location: str) -> None:
    site.on("/robots.txt", status=302, headers={"Location": location})
    assert allowed(site, "/a") == [False]


def test_asked_once_per_host_and_run(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nAllow: /")
    assert allowed(site, *(f"/{n}" for n in range(6))) == [True] * 6
    assert len(site.asked("/robots.txt")) == 1


def test_a_denied_page_is_in_the_log_though_nothing_was_asked(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nDisallow: /")
    _, log = crawl(site, "/a")
    assert [(a.outcome, a.status, a.robots) for a in log] == [
        ("ok", 200, "not_checked"),
        ("robots_denied", None, "denied"),
    ]


def test_crawl_delay_raises_our_pace_and_never_lowers_it(site: Site) -> None:
    site.on("/robots.txt", "User-agent: *\nCrawl-delay: 3").on("/a", "<p>ok</p>")
    for ours, pace in ((1.0, 3.0), (5.0, 5.0)):
        _, log = crawl(site, "/a", delay=ours)
        assert log[-1].delay_s == pace


@pytest.mark.parametrize(
    ("value", "open_"), [("86400", False), ("inf", True), ("-1", True), ("nan", True), ("soon", True), ("0.5", True)]
)
def test_strange_crawl_delays(site: Site, value: str, open_: bool) -> None:
    site.on("/robots.txt", f"User-agent: *\nCrawl-delay: {value}")
    assert allowed(site, "/a") == [open_]


def test_429_is_a_wait_and_then_asked_again(site: Site) -> None:
    site.on("/robots.txt", status=429, headers={"Retry-After": "1"})
    site.on("/robots.txt", "User-agent: *\nDisallow: /shut/").on("/open/1", "<p>ok</p>")
    started = time.monotonic()
    answers, log = crawl(site, "/shut/1", "/open/1", pace_real=True)
    assert [type(answer) for answer in answers] == [RobotsDenied, Fetch]
    assert [(a.outcome, a.status) for a in log if a.kind == "robots"] == [("transient", 429), ("ok", 200)]
    assert time.monotonic() - started >= 1


def test_a_wait_that_is_too_long_is_for_a_later_run(site: Site) -> None:
    site.on("/robots.txt", status=429, headers={"Retry-After": "86400"})
    answers, log = crawl(site, "/a", "/b")
    assert [type(answer) for answer in answers] == [Deferred, Deferred]
    assert len(log) == len(site.seen) == 1


def test_a_refresh_of_robots_is_followed_and_a_page_has_no_rules(site: Site) -> None:
    site.on("/robots.txt", '<html><head><meta http-equiv="refresh" content="0;url=/r2.txt"></head></html>')
    site.on("/r2.txt", "User-agent: *\nDisallow: /shut/")
    assert allowed(site, "/shut/1", "/open/1") == [False, True]


def test_the_agent_is_named_with_its_contact(site: Site) -> None:
    site.on("/a", "<p>ok</p>")
    crawl(site, "/a")
    assert {seen.headers["user-agent"] for seen in site.seen} == {"fazhi/1 (+https://otherbot.example/)"}
    assert len(site.seen) == 2


def test_a_firewall_behind_a_redirect_of_robots_is_met_once(site: Site) -> None:
    site.on("/robots.txt", status=301, headers={"Location": "https://qingyuan.example/robots.txt"}, host=HOST)
    site.on("/robots.txt", status=412, host="qingyuan.example")
    answers, _ = crawl(site, "/a", "/b", "/c")
    assert [type(answer) for answer in answers] == [Blocked] * 3
    assert len(site.seen) == 2
