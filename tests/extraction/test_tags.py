"""Roles of tags: what breaks a line, what is left out, what a style changes."""

from __future__ import annotations

import pytest

from extraction.clean import clean_body, parse_html
from extraction.tags import find_role, restyle
from extraction.textmap import node_text


def text_of(markup: str) -> str:
    body = parse_html(f"<body>{markup}</body>").find("body")
    return clean_body(body, base_url="https://www.yunling.gov.cn/").text


@pytest.mark.parametrize(
    ("tag", "role"),
    [
        ("p", "block"),
        ("span", "inline"),
        ("o:p", "inline"),
        ("w:sdt", "skip"),
        ("o:shape", "skip"),
        ("x-own", "inline"),
    ],
)
def test_roles(tag: str, role: str) -> None:
    assert find_role(tag) == role


def test_a_comment_has_no_text_but_its_tail() -> None:
    assert text_of("甲<!-- 乙 -->丙") == "甲丙"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("甲<span style='display:block'>乙</span>丙", "甲\n乙\n丙"),
        ("甲<div style='display:inline'>乙</div>丙", "甲乙丙"),
        ("甲<a href=/x style='display:block'>乙</a>丙", "甲\n乙\n丙"),
        ("<table><tr style='display:block'><td>甲<td>乙</table>", "甲 | 乙"),
        ("<pre>甲\n\n乙</pre>丙", "甲\n乙\n丙"),
        ("<pre style='display:inline'>甲\n乙</pre>丙", "甲\n乙\n丙"),
    ],
)
def test_styles_change_lines_not_cells(markup: str, text: str) -> None:
    assert text_of(markup) == text


def test_every_role_survives_a_style_that_says_nothing() -> None:
    for role in ("block", "inline", "tr", "a", "marquee"):
        assert restyle(role, "") == role


def test_blanks_of_every_kind_split_runs_at_the_right_offsets() -> None:
    body = parse_html("<body><p>甲乙\u3000丙\u200b丁 戊\xa0</p></body>").find("body")
    clean = clean_body(body, base_url="https://www.yunling.gov.cn/")
    assert clean.text == "甲乙 丙丁 戊"
    for start, end, node, offset in clean.segments:
        assert clean.text[start:end] == node_text(body, node)[offset : offset + end - start]
