"""How a finding is written down: one `Check` with its formula and one sentence in each language."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from extraction.arithmetic import format_percent, half_unit, judge_rate
from extraction.model import Check, Verdict
from extraction.rules import Rule

_WORDS: dict[Verdict, tuple[str, str]] = {
    "holds": ("成立", "holds"),
    "truncated": ("末位是截断,不是四舍五入", "the last digit was cut off, not rounded"),
    "fails": ("不成立", "does not hold"),
    "differs": ("不一致,请核对", "differs and should be looked at"),
    "not_applicable": ("不适用", "does not apply"),
}


def make_check(
    rule: Rule,
    verdict: Verdict,
    observations: Sequence[int],
    formula: str,
    period: str | None,
    expected: Decimal | None,
    actual: Decimal | None,
    tolerance: Decimal | None,
    note: tuple[str, str] | None = None,
) -> Check:
    word_zh, word_en = _WORDS[verdict]
    note_zh, note_en = (f"({note[0]})", f" ({note[1]})") if note else ("", "")
    shown = f"{period}: {formula}" if period else formula
    return Check(
        rule=rule.id,
        verdict=verdict,
        expected=expected,
        actual=actual,
        tolerance=tolerance,
        n_checked=len(observations),
        observations=tuple(observations),
        formula=formula,
        period=period,
        message_zh=f"{rule.name_zh},{shown},{word_zh}{note_zh}。",
        message_en=f"{rule.name_en[:1].upper()}{rule.name_en[1:]}, {shown}: {word_en}{note_en}.",
    )


def make_rate_check(
    rule: Rule,
    observations: Sequence[int],
    quotient: str,
    exact: Decimal,
    stated: Decimal,
    decimals: int,
    period: str | None,
    note_if_failed: tuple[str, str] | None = None,
) -> Check:
    """`71 / 86 = 82.56% → 82.5%`: an exact quotient against the printed rate."""
    verdict = judge_rate(exact, stated, decimals, rule.tolerance)
    sign = "≠" if verdict == "fails" else "→"
    formula = f"{quotient} = {format_percent(exact, decimals)} {sign} {stated:.{decimals}f}%"
    tolerance = half_unit(decimals) if rule.tolerance is None else rule.tolerance
    note = note_if_failed if verdict == "fails" else None
    final = rule.on_fail if verdict == "fails" else verdict
    return make_check(rule, final, observations, formula, period, exact, stated, tolerance, note)


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
        message_zh=f"{rule.name_zh}:没有可以互相核对的数据。",
        message_en=f"{rule.name_en[:1].upper()}{rule.name_en[1:]}: no figures to compare.",
    )
