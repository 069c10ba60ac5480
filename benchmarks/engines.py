"""What takes part: each engine reads a text and answers with spans `(start, end, value)` in code points.

Engines are imported only when they are built: the peers live in an environment that holds nothing of the project,
and the project's environment holds none of the peers.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

Span = tuple[int, int, float | None]
Engine = Callable[[str], list[Span]]

ROOT = Path(__file__).resolve().parent.parent
TITLE = "某县2020年法治政府建设情况报告"
"""Cut reports have lost their title; without a year nothing would be dated and the race would be too easy."""


def _fazhi_spans(mentions: Any) -> list[Span]:
    return [(m.start, m.end, None if m.value is None else float(m.value)) for m in mentions]


def build_fazhi_mentions(units: str) -> Engine:
    """The project's quantities alone."""
    from extraction.mentions import extract_mentions

    return lambda text: _fazhi_spans(extract_mentions(text))


def build_fazhi_report(units: str) -> Engine:
    """The whole reading of a report: mentions, observations, checks."""
    from extraction.catalogue import load_catalogue
    from extraction.parse import parse_report
    from extraction.rules import load_rules

    catalogue = load_catalogue(ROOT / "catalog")
    rules = load_rules(catalogue.metrics, ROOT / "catalog" / "rules.yml")
    return lambda text: _fazhi_spans(parse_report(text, catalogue, rules, title=TITLE).mentions)


def _number(text: str | None) -> float | None:
    """The number of a recognizer's resolution (`25.6%`, `1226`); None where it holds none."""
    try:
        return float((text or "").rstrip("%"))
    except ValueError:
        return None


def _merge(results: list[Any]) -> list[Span]:
    """One span per place, the longest: a number with its unit covers the number in it. Their ends are inclusive."""
    spans: list[Span] = []
    for item in sorted(results, key=lambda item: (item.start, -item.end)):
        if not spans or item.start >= spans[-1][1]:
            spans.append((item.start, item.end + 1, _number((item.resolution or {}).get("value"))))
    return spans


def build_recognizers_numbers(units: str) -> Engine:
    """recognizers-text: numbers and percentages."""
    from recognizers_number import Culture, NumberRecognizer

    numbers = NumberRecognizer(Culture.Chinese)
    models = [numbers.get_number_model(), numbers.get_percentage_model()]
    return lambda text: _merge([item for model in models for item in model.parse(text)])


def build_recognizers(units: str) -> Engine:
    """recognizers-text: numbers, percentages, and numbers with units (money, dimensions)."""
    from recognizers_number import Culture, NumberRecognizer
    from recognizers_number_with_unit import NumberWithUnitRecognizer

    numbers, with_unit = NumberRecognizer(Culture.Chinese), NumberWithUnitRecognizer(Culture.Chinese)
    models = [
        numbers.get_number_model(),
        numbers.get_percentage_model(),
        with_unit.get_currency_model(),
        with_unit.get_dimension_model(),
    ]
    return lambda text: _merge([item for model in models for item in model.parse(text)])


def build_cn2an(units: str) -> Engine:
    """cn2an for the numerals, with the regular expression that a user writes around it.

    The expression is given the project's own list of measure words (`units`), so that the peer loses none for want
    of a word.
    """
    import cn2an

    quantity = re.compile(
        r"(?<![第\d.])(?P<percent>百分之)?"
        r"(?P<number>\d[\d,，]*(?:\.\d+)?[十百千万亿]{0,2}|[零〇一二两三四五六七八九十百千万亿点]+)"
        rf"(?:[余多]?(?P<scale>[万亿])?[余多]?)(?P<unit>{units})?"
    )

    def read(text: str) -> list[Span]:
        spans: list[Span] = []
        for match in quantity.finditer(text):
            if not (match["percent"] or match["unit"]) or match["unit"] in ("年", "月", "日"):
                continue
            try:
                value = float(cn2an.cn2an(match["number"].replace(",", "").replace("，", ""), "smart"))
            except ValueError:  # no numeral after all (万亿 alone): its word for it
                continue
            spans.append((match.start(), match.end(), value * {"万": 1e4, "亿": 1e8}.get(match["scale"] or "", 1)))
        return spans

    return read


BUILDERS: dict[str, Callable[[str], Engine]] = {
    "fazhi-report": build_fazhi_report,
    "fazhi-report-compiled": build_fazhi_report,
    "fazhi-mentions": build_fazhi_mentions,
    "recognizers": build_recognizers,
    "recognizers-numbers": build_recognizers_numbers,
    "cn2an": build_cn2an,
}
