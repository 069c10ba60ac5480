"""What must hold for every text: spans, and facts that no change of form can move.

Texts are built from the sentences of the catalogue's examples: own sentences in the register of the reports.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from extraction.checks_across import Statement, check_across
from extraction.explain import explain_report
from extraction.model import Observation, Parsed
from extraction.parse import parse_report
from fazhi.house import load_catalog

REPEATABLE = settings(deadline=None, derandomize=True)
"""The same texts every time, so that a red build is red again; take `derandomize` away to look for new ones."""
CATALOGUE, RULES = load_catalog()
TITLE = "云岭县2022年法治政府建设情况报告"
PASSAGES = Path(__file__).parent / "reports" / "development" / "texts"
SENTENCES = sorted({item.text for metric in CATALOGUE.metrics.values() for item in metric.examples})
PARAGRAPHS = [text.strip() + ("" if text.strip()[-1] in "。；" else "。") for text in SENTENCES if "\n" not in text]
HEADS = ["一、依法履行政府职能", "二、化解行政争议", "（一）主要做法", "三、加强队伍建设", "四、2023年工作打算"]
FULL_WIDTH = {
    **{ord(char): chr(ord(char) + 0xFEE0) for char in "0123456789%"},
    **str.maketrans({",": "，", "(": "（", ")": "）", ";": "；", ":": "："}),
}
HALF_WIDTH = {ord(full): chr(half) for half, full in FULL_WIDTH.items()}
BLANKS = [" ", "\u3000", "\xa0", "  "]
_GAP = re.compile(r"(?<=[^\d.,\n|])(?=[^\n|])|(?<=[\d.,])(?=[^\d.,\n|])")
"""Between any two characters but inside a number, a line end or a table's bars."""

Fact = tuple[object, ...]
documents = st.lists(st.sampled_from(PARAGRAPHS), min_size=1, max_size=6)
outlines = st.lists(
    st.one_of(st.sampled_from(HEADS), st.sampled_from(PARAGRAPHS), st.sampled_from(PARAGRAPHS)), min_size=2, max_size=9
)
scraps = st.text(
    st.one_of(
        st.sampled_from("0123456789一二三十百万亿零〇两％%.,，。、；：（）()《》|\n\t 　"),
        st.sampled_from("件宗起个年月日余多近约占率比增减降至由从其中分别共受理复议申请诉讼"),
        st.characters(),
    ),
    max_size=120,
)


def parse(text: str, title: str | None = TITLE) -> Parsed:
    return parse_report(text, CATALOGUE, RULES, title=title, publish_date="2023-01-20")


def fact(found: Observation) -> Fact:
    """Everything a reader sees of an observation but where it stands."""
    return (
        found.metric, found.value, found.unit, found.period, found.status, found.qualifier, found.as_of,
        found.value_low, found.value_high, found.share_percent, found.yoy_percent, found.yoy_change,
    )  # fmt: skip


def facts(parsed: Parsed) -> list[Fact]:
    return [fact(found) for found in parsed.observations]


def check_spans(text: str, parsed: Parsed) -> None:
    for found in parsed.mentions:
        assert text[found.start : found.end] == found.text
    for seen in (*parsed.observations, *parsed.derived):
        assert text[seen.start : seen.end] == seen.text
        assert text[seen.quote_start : seen.quote_start + len(seen.quote)] == seen.quote
        assert seen.quote_start <= seen.start and seen.end <= seen.quote_start + len(seen.quote)
    places = {(found.start, found.end) for found in parsed.mentions}
    assert {(seen.start, seen.end) for seen in parsed.observations} <= places
    assert [found.start for found in parsed.mentions] == sorted(found.start for found in parsed.mentions)


@given(scraps)
@settings(REPEATABLE, max_examples=300)
@example("")
@example("\n\n|||\r\n")
@example("受理１２件，百分之")
def test_no_text_raises_and_every_span_is_its_text(scrap: str) -> None:
    parsed = parse(scrap, title=None)
    check_spans(scrap, parsed)
    dated = parse(scrap)
    check_spans(scrap, dated)
    assert parsed.mentions == dated.mentions
    explained = explain_report(scrap, CATALOGUE, RULES, title=TITLE)
    assert sum(len(part.numbers) for part in explained.sentences) == len(explained.parsed.mentions)


@given(outlines, st.randoms(use_true_random=False))
@settings(REPEATABLE, max_examples=80)
def test_the_same_text_gives_the_same_and_matching_spans(lines: list[str], rng: random.Random) -> None:
    text = "\n".join([TITLE, *lines])
    whole = parse(text)
    check_spans(text, whole)
    parse(rng.choice(PARAGRAPHS))  # what was read in between leaves no trace
    assert parse(text) == whole


@given(documents)
@settings(REPEATABLE, max_examples=80)
def test_facts_do_not_depend_on_where_a_document_is_split(paragraphs: list[str]) -> None:
    whole = facts(parse("\n".join([TITLE, *paragraphs])))
    parts = [seen for paragraph in paragraphs for seen in facts(parse(paragraph))]
    assert whole == parts


@given(outlines)
@settings(REPEATABLE, max_examples=80)
def test_facts_do_not_depend_on_a_split_under_the_same_heads(lines: list[str]) -> None:
    """What a paragraph says depends on its own words and on the headings above it, on nothing beside it."""
    whole = facts(parse("\n".join([TITLE, *lines])))
    parts: list[Fact] = []
    above: list[str] = []
    for line in lines:
        if line in HEADS:
            is_section = line[0] != "（"
            above = [line] if is_section else [head for head in above if head[0] != "（"] + [line]
        else:
            parts += facts(parse("\n".join([TITLE, *above, line])))
    assert whole == parts


@given(outlines, st.randoms(use_true_random=False))
@settings(REPEATABLE, max_examples=80)
def test_facts_do_not_depend_on_blanks(lines: list[str], rng: random.Random) -> None:
    text = "\n".join([TITLE, *lines])
    spaced = _GAP.sub(lambda _: rng.choice(BLANKS) if rng.random() < 0.3 else "", text)
    assert facts(parse(spaced)) == facts(parse(text))


@given(outlines)
@settings(REPEATABLE, max_examples=80)
def test_facts_do_not_depend_on_the_width_of_characters(lines: list[str]) -> None:
    text = "\n".join([TITLE, *lines])
    full, half = text.translate(FULL_WIDTH), text.translate(HALF_WIDTH)
    check_spans(full, parse(full))
    assert facts(parse(full)) == facts(parse(text)) == facts(parse(half))


@given(st.lists(outlines, min_size=2, max_size=4), st.randoms(use_true_random=False))
@settings(REPEATABLE, max_examples=25)
def test_the_order_of_documents_does_not_matter(reports: list[list[str]], rng: random.Random) -> None:
    """Neither for the facts nor for what is found across the reports of two years."""
    texts = {year: "\n".join([TITLE.replace("2022", str(year)), *lines]) for year, lines in enumerate(reports, 2019)}

    def read(years: list[int]) -> tuple[dict[int, Parsed], Counter[Fact]]:
        parsed = {year: parse(texts[year], title=None) for year in years}
        stated = [
            Statement(str(year), f"{year + 1}-01-20", year, "990101", seen)
            for year in years
            for seen in parsed[year].observations
        ]
        return parsed, Counter((check.rule, check.verdict, check.formula) for check in check_across(stated, RULES))

    years = sorted(texts)
    shuffled = rng.sample(years, len(years))
    first, second = read(years), read(shuffled)
    assert first[0] == second[0]
    assert first[1] == second[1]


def test_whole_texts_in_other_widths() -> None:
    for path in sorted(PASSAGES.glob("*.txt")):
        text = path.read_text(encoding="utf-8")
        assert facts(parse(text.translate(HALF_WIDTH), None)) == facts(parse(text, None)), path.name
