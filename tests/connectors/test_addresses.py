"""Where the links of a page lead, as the whole of RFC 3986 says it, though most are joined by hand."""

from __future__ import annotations

from urllib.parse import urljoin

from hypothesis import given
from hypothesis import strategies as st

from connectors.engines.rows import find_addresses
from extraction.clean import parse_html

BASES = st.sampled_from(
    ["/", "/a", "/a/", "/a/b/c.html", "/a//b/x", "/a/../b/c", "/x?y=/z/", "/a/b?c=d#e/f", "/a/./b", "/.a/b"]
)
STEPS = st.lists(
    st.sampled_from(["../", "./", "a", "b/", ".html", "/", "..", "%20", "x-y", ".", ";p", "?q=1", "#f", "a:b", "云"]),
    min_size=1, max_size=6,
)  # fmt: skip


@given(BASES, STEPS)
def test_addresses_are_those_of_the_standard(path: str, steps: list[str]) -> None:
    base, href = f"http://www.yunling.gov.cn{path}", "".join(steps)
    found = find_addresses(parse_html(f'<a href="{href}">x</a>'), base)
    assert found == ([] if href.startswith("#") else [urljoin(base, href)])


def test_what_cannot_be_an_address_takes_no_other_with_it() -> None:
    root = parse_html("<a href='http://[::1/'>x</a><a href='//甲【：乙/'>x</a><a href='//[x'>x</a><a href=b>x</a>")
    found = find_addresses(root, "http://www.yunling.gov.cn/a/")
    assert found == ["http://[::1/", "http://www.yunling.gov.cn/a/b"]


def test_links_that_lead_nowhere_are_left_out() -> None:
    root = parse_html("<a>x</a><a href=''>x</a><a href='#top'>x</a><a href='javascript:void(0)'>x</a><a href=b>x</a>")
    assert find_addresses(root, "http://www.yunling.gov.cn/a/") == ["http://www.yunling.gov.cn/a/b"]
