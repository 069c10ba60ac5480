"""The catalogue and its rules as rows for `dim_metric`, `dim_unit` and `dim_rule`."""

from __future__ import annotations

import hashlib

from extraction.catalogue import Catalogue
from extraction.rules import Formula, Rule, Rules, Term
from warehouse.batch import CatalogueRows, MetricRow, RuleRow, UnitRow


def catalogue_rows(catalogue: Catalogue, rules: Rules) -> CatalogueRows:
    """The rows of a batch; their version is a hash of what they say."""
    units = tuple(UnitRow(unit.code, unit.zh, unit.meaning) for unit in catalogue.units.values())
    metrics = tuple(
        MetricRow(
            code=metric.code,
            name_zh=metric.name_zh,
            name_en=metric.name_en,
            section=metric.section,
            unit=metric.unit,
            kind=metric.kind,
            measure=metric.measure,
            tier=metric.tier,
            definition=metric.definition,
            additive_over=metric.additive_over,
            part_of=metric.part_of,
            plausible_low=metric.plausible_low,
            plausible_high=metric.plausible_high,
        )
        for metric in catalogue.metrics.values()
    )
    rows = tuple(RuleRow(rule.id, rule.type, _formula_text(rule), rule.name_zh, rule.name_en) for rule in rules.rules)
    said = repr((units, metrics, rows))
    return CatalogueRows(hashlib.sha256(said.encode()).hexdigest()[:12], units, metrics, rows)


def _formula_text(rule: Rule) -> str:
    return "; ".join(_one_formula(rule.type, formula) for formula in rule.formulas)


def _one_formula(kind: str, formula: Formula) -> str:
    left, right = _sum_text(formula.left), _sum_text(formula.right)
    if kind == "stock_change":
        return f"{left} - {right} = {left}"
    if formula.whole:
        return f"{left} = ({right}) / ({_sum_text(formula.whole)})"
    return f"{left} {'<=' if kind == 'subset_le' else '='} {right}"


def _sum_text(terms: tuple[Term, ...]) -> str:
    return " + ".join(("|".join(term.metrics) or "?") + ("?" if term.optional else "") for term in terms)
