"""How a finding is written down: one `Check` with its formula and one sentence in each language."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

from extraction.arithmetic import format_number, format_percent, format_sum, half_unit, judge_rate
from extraction.model import Check, Verdict, build_check
from extraction.rules import Rule
from extraction.terms import Context, Figures

Told = tuple[str, str]
"""The same clause in Chinese and in English."""

EXACT = ("恰好相等", "exactly so")
ROUNDED = ("四舍五入后相符", "so when rounded")
NEARLY = ("在允许的误差以内", "within the tolerance of the rule")
_WORDS: dict[Verdict, Told] = {
    "holds": ("核对相符", "the figures agree"),
    "truncated": ("末位是截断，不是四舍五入", "the last digit was cut off, not rounded"),
    "fails": ("核对不符", "the figures do not agree"),
    "differs": ("数字有出入，请核对", "the figures differ and should be looked at"),
    "not_applicable": ("不作判断", "no judgement"),
}


_SHOWN = {("=", True): "=", ("=", False): "≠", ("<=", True): "≤", ("<=", False): ">"}
_ZERO = Decimal(0)


def make_check(
    rule: Rule,
    verdict: Verdict,
    observations: Sequence[int],
    formula: str,
    period: str | None,
    expected: Decimal | None,
    actual: Decimal | None,
    tolerance: Decimal | None,
    told: Told | None = None,
    *,
    is_explained: bool = False,
) -> Check:
    """`told` says what is wrong in place of the verdict's own words. The first observation is the one to quote."""
    zh, en = told or _WORDS[verdict]
    when_zh, when_en = (f"（{name_period_zh(period)}）", f" ({name_period_en(period)})") if period else ("", "")
    used = tuple(observations)
    message_zh = f"{rule.name_zh}{when_zh}：{formula}，{zh}。"
    message_en = f"{_capital(rule.name_en)}{when_en}: {formula}; {en}."
    return build_check(
        rule.id, verdict, expected, actual, tolerance, len(used), used, formula, period, message_zh, message_en,
        is_explained,
    )  # fmt: skip


class Comparison(NamedTuple):
    """Two sides of an equation and how they stand to each other."""

    used: list[int]
    formula: str
    first: Decimal
    second: Decimal
    told: Told | None
    """What is wrong; None where the comparison holds."""


def compare_sums(rule: Rule, left: Figures, right: Figures, sign: str, context: Context) -> Check:
    """`sign` is what must stand between left and right; the total is written last and quoted first."""
    return make_comparison(rule, compare_figures(left, right, sign), context.period)


def compare_figures(left: Figures, right: Figures, sign: str) -> Comparison:
    a, b = (right, left) if sign == "=" and len(left.values) == 1 else (left, right)
    if sign == ">=":
        a, b, sign = right, left, "<="
    holds = a.total == b.total if sign == "=" else a.total <= b.total
    used = [i for i in (*b.indexes, *a.indexes) if i >= 0]
    shown, told, middle = _SHOWN[sign, holds], None, ""
    if not holds:
        middle = f" = {format_number(a.total)}" if len(a.values) > 1 else ""
        gap = format_number(abs(a.total - b.total))
        told = (f"两边相差{gap}", f"the two sides are {gap} apart")
        if sign != "=":
            told = (f"前者不应大于后者，却多出{gap}", f"the first should not exceed the second, yet is {gap} larger")
    formula = f"{format_sum(a.values)}{middle} {shown} {format_sum(b.values)}"
    return Comparison(used, formula, a.total, b.total, told)


def make_comparison(rule: Rule, compared: Comparison, period: str | None) -> Check:
    used, formula, first, second, told = compared
    return make_check(rule, rule.on_fail if told else "holds", used, formula, period, first, second, _ZERO, told)


def make_rate_check(
    rule: Rule,
    observations: Sequence[int],
    quotient: str,
    exact: Decimal,
    stated: Decimal,
    decimals: int,
    period: str | None,
    note_if_failed: Told | None = None,
) -> Check:
    """`71 / 86 = 82.56% → 82.5%`: an exact quotient against the printed rate."""
    verdict = judge_rate(exact, stated, decimals, rule.tolerance)
    sign = "≠" if verdict == "fails" else "→"
    given, printed = format_percent(exact, decimals), f"{stated:.{decimals}f}%"
    formula = f"{quotient} = {given} {sign} {printed}"
    tolerance = half_unit(decimals) if rule.tolerance is None else rule.tolerance
    told = None
    if verdict == "holds":
        told = EXACT if exact == stated else ROUNDED if abs(exact - stated) <= half_unit(decimals) else NEARLY
    if verdict == "fails":
        zh, en = note_if_failed or ("", "")
        told = (
            f"按所列数字算得{given}，报告写作{printed}" + (f"（{zh}）" if zh else ""),
            f"the figures give {given} where the report prints {printed}" + (f" ({en})" if en else ""),
        )
    final = rule.on_fail if verdict == "fails" else verdict
    return make_check(rule, final, observations, formula, period, exact, stated, tolerance, told)


def make_silent(rule: Rule) -> Check:
    """A rule that found nothing to compare says so."""
    return Check(
        rule=rule.id,
        verdict="not_applicable",
        expected=None,
        actual=None,
        tolerance=None,
        n_checked=0,
        observations=(),
        formula="",
        message_zh=f"{rule.name_zh}：没有可以互相核对的数据。",
        message_en=f"{_capital(rule.name_en)}: no figures to compare.",
    )


def name_value(value: Decimal, unit_zh: str) -> str:
    """`91件`, `27.9%`; money is in yuan whatever the text multiplied it with."""
    return format_number(value) + ("元" if unit_zh.endswith("元") else unit_zh)


@lru_cache(maxsize=1024)
def name_period_zh(period: str) -> str:
    """`2019` → `2019年`; `2019-07/2019-09` → `2019年7月至9月`."""
    first, _, last = period.partition("/")
    if last and last[:4] == first[:4]:
        return f"{_name_bound(first)}至{_name_bound(last).partition('年')[2]}"
    return f"{_name_bound(first)}至{_name_bound(last)}" if last else _name_bound(first)


def name_period_en(period: str) -> str:
    return period.replace("/", " to ")


def _name_bound(bound: str) -> str:
    year, *rest = bound.split("-")
    return f"{year}年" + "".join(f"{int(part)}{unit}" for part, unit in zip(rest, "月日", strict=False))


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
