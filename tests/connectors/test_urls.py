"""Canonical addresses and document keys."""

from __future__ import annotations

from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors import urls
from connectors.errors import Refused
from connectors.urls import canonical, document_key, slash_key

BASE = "https://www.yunling.gov.cn/zwgk/fzzf/index.html"


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("./202301/t20230105_1.html", "https://www.yunling.gov.cn/zwgk/fzzf/202301/t20230105_1.html"),
        ("../../x/../a.html", "https://www.yunling.gov.cn/a.html"),
        ("../../../../a.html", "https://www.yunling.gov.cn/a.html"),
        ("/a/./b/", "https://www.yunling.gov.cn/a/b/"),
        ("//WWW.Yunling.GOV.cn./a", "https://www.yunling.gov.cn/a"),
        ("HTTP://www.yunling.gov.cn:80", "http://www.yunling.gov.cn/"),
        ("https://www.yunling.gov.cn:443/a", "https://www.yunling.gov.cn/a"),
        ("http://www.yunling.gov.cn:8080/a", "http://www.yunling.gov.cn:8080/a"),
        ("/a.html#top", "https://www.yunling.gov.cn/a.html"),
        ("\n /a\n.docx\r\n ", "https://www.yunling.gov.cn/a.docx"),
        ("/a;jsessionid=9F?b=1", "https://www.yunling.gov.cn/a?b=1"),
        ("/a?z=1&JSESSIONID=9&a=2&PHPSESSID=3", "https://www.yunling.gov.cn/a?z=1&a=2"),
        ("/a?id=1;jsessionid=9F", "https://www.yunling.gov.cn/a?id=1"),
        ("/a;jsessionid=9F&b=1", "https://www.yunling.gov.cn/a&b=1"),
        ("/a?spm=5176.1&id=3&fbclid=x&isappinstalled=0&hmsr=toutiao", "https://www.yunling.gov.cn/a?id=3"),
        ("/a/%2e%2E/b/%2e/c", "https://www.yunling.gov.cn/b/c"),
        ("/a/..%2Fb", "https://www.yunling.gov.cn/a/..%2Fb"),
        ("/a?utm_source=x&page=2&UTM_Campaign=y", "https://www.yunling.gov.cn/a?page=2"),
        ("/a//b.html?u=http://x//y", "https://www.yunling.gov.cn/a//b.html?u=http://x//y"),
        ("/a?sid=757001&page=2", "https://www.yunling.gov.cn/a?sid=757001&page=2"),
        ("/%7ea/%e5%8C%bb/%2f", "https://www.yunling.gov.cn/~a/%E5%8C%BB/%2F"),
        ("/法治/a b.pdf", "https://www.yunling.gov.cn/%E6%B3%95%E6%B2%BB/a%20b.pdf"),
        ("/100%", "https://www.yunling.gov.cn/100%25"),
        ("\\a\\b.html", "https://www.yunling.gov.cn/a/b.html"),
        ("?page=2", "https://www.yunling.gov.cn/zwgk/fzzf/index.html?page=2"),
        ("http://[::1]/a", "http://[::1]/a"),
    ],
)
def test_one_spelling(url: str, wanted: str) -> None:
    assert canonical(url, BASE) == wanted
    assert canonical(wanted) == wanted


@pytest.mark.parametrize(
    "url",
    ["javascript:void(0)", "mailto:a@example.com", "ftp://www.yunling.gov.cn/a", "data:text/html,x", "http://",
     "/a", "", "http://[", "http://a:99999/", "http://" + "a" * 5000, "file:///etc/passwd"],
)  # fmt: skip
def test_what_is_no_page_is_refused(url: str) -> None:
    with pytest.raises(Refused, match="no address to fetch"):
        canonical(url)


def test_http_and_https_are_one_document() -> None:
    assert document_key("http://www.yunling.gov.cn:80/a?b=1#c") == "www.yunling.gov.cn/a?b=1"
    assert document_key("http://www.yunling.gov.cn/a") == document_key("https://WWW.yunling.gov.cn/a")
    assert document_key("http://www.yunling.gov.cn/a?x=1") != document_key("http://www.yunling.gov.cn/a?x=2")


def test_keys_that_differ_in_slashes_only_are_found_together() -> None:
    once, twice = (document_key(f"http://www.yunling.gov.cn/{path}?u=a//b") for path in ("a/b.html", "a//b.html"))
    assert once != twice
    assert slash_key(once) == slash_key(twice) == once


@settings(deadline=None)
@given(st.text(max_size=60), st.sampled_from([None, BASE]))
def test_any_text_is_spelt_once_or_refused(text: str, base: str | None) -> None:
    try:
        once = canonical(text, base)
    except Refused:
        return
    assert canonical(once) == once
    assert once.startswith(("http://", "https://")) and "#" not in once and once.isascii()


@settings(deadline=None)
@given(st.from_regex(r"\Ahttps?://[a-z]{1,6}\.cn(/[a-z.%0-9;=]{0,8}){0,4}(\?[a-z=&%0-9]{0,12})?\Z"))
def test_canonical_is_stable(url: str) -> None:
    assert canonical(canonical(url)) == canonical(url)


def test_what_passes_for_canonical_at_a_glance_is_canonical() -> None:
    steps = [
        "/",
        "/a",
        "/B",
        "/.",
        "/..",
        "/.a",
        "/a..b",
        "/...",
        "//",
        "/%41",
        "/a;jsessionid=1",
        "/x.html",
        "/~",
        "/文",
    ]
    keys = [
        "",
        "?",
        "?id=1",
        "?a?b",
        "?a=/../b",
        "?utm_source=x",
        "?sessionid=2",
        "?a=1&b=2",
        "?a;jsessionid=3",
        "?a=%41",
    ]
    hosts = ["www.wuyou.example", "WUYOU.example", "xn--9kq759e.example", "a.b-c.wuyou.example", "wuyou.example:80"]
    n_plain = 0
    for scheme in ("http", "https", "HTTP"):
        for host, one, other, key in product(hosts, ["", *steps], ["", *steps], keys):
            url = f"{scheme}://{host}{one}{other}{key}"
            n_plain += urls._PLAIN.fullmatch(url) is not None
            assert canonical(url) == urls._spell(url, None) == canonical(url, "https://other.example/a/b")
    assert n_plain > 500
