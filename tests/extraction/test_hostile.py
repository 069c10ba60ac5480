"""Any page may be stored: whatever stands in it, a megabyte is read within a second, and nothing raises.

The bound on CPU time is the product's own (one second); the texts take less than half of it on a slow machine.
"""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from extraction.mentions import MAX_CHARACTERS, MAX_NUMERALS, scan_mentions
from extraction.parse import parse_report
from fazhi.house import load_catalog

SIZE = 10**6
LIMIT = 1.0
CATALOGUE, RULES = load_catalog()
HEAD = "2022年法治政府建设工作报告\n全年共收到行政复议申请12件。\n"
UNITS = [
    "1", "１", "一", "万", "20", "1 ", "1,", ",111", "1.\n", "1-", "1—", "1+", "1:", "，1", "a1", "\0",
    "(", ")", "（（（", "))))", "(1", "其中(", "其中(1件", "其中(1件)", "（a", "〔2022〕1号", "\ud800", "\U0001f600",
    "《", "《一》", "“", "“1”", '"', "|", "|1|1", "标题|1\n", "&amp", "&ldquo;1&rdquo;", "&nbsp;",
    "\n", "\r", "\u2028", " ", "\u3000", "\u200b", "\t1\t", "字", "萬", "审查", "http://",
    "一、", "一、\n", "。(一)", "是一是", "1、", "一\n", "1\n", "第1", "第一批", "零",
    "年", "1年", "4月", "1—3月", "2022年", "2020年以来", "截至", "上半年", "近三年", "十三五", "上一年",
    "百分之", "百分之九", "1件", "一件", "三至五件", "3至5件", "1%", "约1件", "至少一", "不超过",
    "增长5%,", "占5%,", "、1件", "各1件", "每1件", "对1件,", "从1件中抽取", "由1件降至2件,", "分别",
    "受理1件", "受理行政复议申请", "受理行政复议申请1件", "受理行政复议申请1件,", "受理行政复议申请1件\n",
    "受理行政复议申请5件,其中维持3件,撤销2件,合计占50%,", "2022年受理行政复议申请1件。",
    "受理、审结分别为1件、2件;", "受理行政复议申请5件,比上年增加1件;", "受理行政复议申请 | 1\n",
]  # fmt: skip
SOME = random.Random(0)
MIXED = [SOME.sample(UNITS, 8) for _ in range(6)]


def repeat(units: list[str]) -> str:
    chosen = random.Random(1)
    size = sum(map(len, units)) / len(units)
    return "".join(chosen.choices(units, k=int(2 * SIZE / size)))


def read(text: str) -> float:
    """Read the text, check what was found in it, and give the CPU seconds it took."""
    begin = time.process_time()
    parsed = parse_report(text, CATALOGUE, RULES)
    spent = time.process_time() - begin
    assert all(text[found.start : found.end] == found.text for found in parsed.mentions)
    assert all(text[seen.start : seen.end] == seen.text for seen in parsed.observations)
    assert all(text.startswith(seen.quote, seen.quote_start) for seen in parsed.observations)
    assert any("of 1000000" in note for note in parsed.notes)
    return spent


@pytest.fixture(scope="module", autouse=True)
def _warm() -> None:
    parse_report(HEAD, CATALOGUE, RULES)  # words and patterns are compiled once


@pytest.mark.parametrize("unit", UNITS, ids=ascii)
def test_a_megabyte_of_one_thing_ends_within_a_second(unit: str) -> None:
    assert read((HEAD + unit * SIZE)[:SIZE]) < LIMIT


@pytest.mark.parametrize("units", [*MIXED, UNITS], ids=[str(at) for at in range(len(MIXED) + 1)])
def test_a_megabyte_of_a_mixture_ends_within_a_second(units: list[str]) -> None:
    assert read((HEAD + repeat(units))[:SIZE]) < LIMIT


def test_a_table_under_one_endless_cell_ends_within_a_second() -> None:
    head = HEAD + "项目 | " + "收到行政复议申请" * 5000 + "\n"
    assert read((head + "案件 | 1\n" * SIZE)[:SIZE]) < LIMIT


def test_the_limits_are_told_and_what_stands_before_them_is_read() -> None:
    text = HEAD + "受理1件。" * MAX_NUMERALS
    found, read_to = scan_mentions(text)
    assert len(found) <= MAX_NUMERALS
    assert found[-1].end <= read_to < len(text)
    assert scan_mentions(text[:read_to]) == (found, read_to)
    parsed = parse_report(text, CATALOGUE, RULES)
    assert parsed.mentions == found
    assert parsed.notes == (f"read to character {read_to} of {len(text)}, {len(found)} numbers: the rest was not read",)
    assert parsed.observations[0].text == "12件"


def test_no_more_than_so_many_characters_are_read() -> None:
    long = HEAD + "字" * MAX_CHARACTERS + "1件"
    assert [found.text for found in scan_mentions(long).mentions] == ["12件"]
    assert scan_mentions(long).read_to == MAX_CHARACTERS


def test_a_report_is_read_to_its_end() -> None:
    text = HEAD + "全年共办结行政复议案件8件。\n" * 20
    assert scan_mentions(text).read_to == len(text)
    assert parse_report(text, CATALOGUE, RULES).notes == ()


@pytest.mark.corpus
def test_the_public_reports_are_far_from_the_limits(corpus: Path) -> None:
    for path in sorted((corpus / "reports").glob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        assert scan_mentions(text * 5).read_to == 5 * len(text), path.name
