"""The validation rules as declared in `catalog/rules.yml`: read, parsed and checked against the metric codes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

import yaml

from extraction.catalogue import Catalogue, load_catalogue
from extraction.model import Verdict
from extraction.yaml_file import read_yaml

RULES_PATH = Path(__file__).resolve().parent.parent / "catalog" / "rules.yml"

RuleType = Literal[
    "sum_equal", "subset_le", "ratio", "integer_feasible", "stock_change", "share", "breakdown",
    "yoy", "prior_restatement", "magnitude", "range", "duplicate",
]  # fmt: skip
Reach = Literal["document", "across"]

_FORMULA_TYPES = frozenset(("sum_equal", "subset_le", "ratio", "integer_feasible", "stock_change"))
_ACROSS_TYPES = frozenset(("yoy", "prior_restatement", "magnitude"))
_OPTIONS: dict[str, frozenset[str]] = {
    "sum_equal": frozenset(("open", "near", "min_rows")),
    "subset_le": frozenset(("tied",)),
    "ratio": frozenset(("tolerance", "pairs")),
    "share": frozenset(("closing",)),
    "breakdown": frozenset(("near", "min_rows")),
    "yoy": frozenset(("floor",)),
    "magnitude": frozenset(("low", "high", "floor")),
    "range": frozenset(("slack",)),
}
_SEPARATOR = {"sum_equal": "=", "subset_le": "<=", "ratio": "=", "integer_feasible": "=", "stock_change": "="}


class RulesError(ValueError):
    """The rules file breaks its contract; the message is one line naming the file and the rule."""


class MetricFacts(Protocol):
    """What the rules need to know of a metric."""

    @property
    def unit(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def measure(self) -> str: ...
    @property
    def plausible_low(self) -> Decimal: ...
    @property
    def plausible_high(self) -> Decimal: ...


@dataclass(frozen=True, slots=True)
class Term:
    """One addend: the first stated of `metrics`, or the number told after one of `words`; neither: the unknown `?`."""

    metrics: tuple[str, ...]
    optional: bool = False
    words: tuple[str, ...] = ()

    @property
    def is_unknown(self) -> bool:
        return not self.metrics and not self.words


@dataclass(frozen=True, slots=True)
class Formula:
    """`left` = or <= `right`; a ratio has its rate in `left`, its numerator in `right`, and a `whole`."""

    left: tuple[Term, ...]
    right: tuple[Term, ...]
    whole: tuple[Term, ...] = ()
    metrics: tuple[str, ...] = field(init=False)
    """Every code once."""
    left_metrics: tuple[str, ...] = field(init=False)
    right_metrics: tuple[str, ...] = field(init=False)
    is_worded: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "metrics", _list_codes(*self.left, *self.right, *self.whole))
        object.__setattr__(self, "left_metrics", _list_codes(*self.left))
        object.__setattr__(self, "right_metrics", _list_codes(*self.right))
        object.__setattr__(self, "is_worded", any(term.words for term in (*self.right, *self.whole)))


def _list_codes(*terms: Term) -> tuple[str, ...]:
    return tuple(dict.fromkeys(code for term in terms for code in term.metrics))


@dataclass(frozen=True, slots=True)
class Rule:
    """One declared rule. Which options mean something depends on `type`; the loader sees to it."""

    id: str
    type: RuleType
    name_zh: str
    name_en: str
    formulas: tuple[Formula, ...] = ()
    reach: frozenset[Reach] = frozenset(("document",))
    on_fail: Verdict = "fails"
    tolerance: Decimal | None = None
    open: bool = False
    tied: bool = False
    pairs: bool = False
    closing: tuple[str, ...] = ()
    near: Decimal = Decimal(0)
    min_rows: int = 2
    low: Decimal = Decimal(0)
    high: Decimal = Decimal(0)
    floor: Decimal = Decimal(0)
    slack: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True, eq=False)
class Rules:
    """All rules in file order, the facts of the metrics, and what is deferred and why."""

    rules: tuple[Rule, ...]
    metrics: Mapping[str, MetricFacts]
    deferred: Mapping[str, str]


@lru_cache(maxsize=1024)
def _make_term(metrics: tuple[str, ...], optional: bool = False, words: tuple[str, ...] = ()) -> Term:
    """One object however often a term is written, so that it is looked up once a report."""
    return Term(metrics, optional, words)


def _parse_term(text: str, where: str) -> Term:
    text = text.strip()
    if text == "?":
        return _make_term(())
    if len(text) > 2 and text[0] == text[-1] == '"':
        words = tuple(word.strip() for word in text[1:-1].split("|"))
        if not all(words) or '"' in text[1:-1]:
            raise RulesError(f"{where}: an empty word: {text!r}")
        return _make_term((), words=words)
    optional = text.endswith("?")
    codes = tuple(code.strip() for code in text.rstrip("?").split("|"))
    if not all(code.replace("_", "").isalnum() and code.isascii() for code in codes):
        raise RulesError(f"{where}: not a metric code: {text!r}")
    return _make_term(codes, optional)


def _parse_sum(text: str, where: str) -> tuple[Term, ...]:
    text = text.strip()
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    return tuple(_parse_term(part, where) for part in text.split("+"))


def parse_formula(text: str, rule_type: str, where: str = "formula") -> Formula:
    """`a = b + c?`, `a <= b`, `r = (a + b) / (c)`, `a - b = a`. Raises RulesError."""
    sides = text.split(_SEPARATOR[rule_type])
    if len(sides) != 2:
        raise RulesError(f"{where}: expected one {_SEPARATOR[rule_type]!r} in {text!r}")
    if rule_type == "stock_change":
        before, minus, change = sides[0].partition("-")
        if not minus or before.strip() != sides[1].strip():
            raise RulesError(f"{where}: expected 'stock - change = stock', got {text!r}")
        return Formula(_parse_sum(before, where), _parse_sum(change, where))
    if rule_type in ("ratio", "integer_feasible"):
        part, slash, whole = sides[1].partition("/")
        if not slash:
            raise RulesError(f"{where}: expected 'rate = part / whole', got {text!r}")
        formula = Formula(_parse_sum(sides[0], where), _parse_sum(part, where), _parse_sum(whole, where))
        unknown = sum(term.is_unknown for term in (*formula.right, *formula.whole))
        if unknown != (rule_type == "integer_feasible") or len(formula.left) != 1:
            raise RulesError(f"{where}: one rate, and '?' once in integer_feasible only: {text!r}")
        return formula
    formula = Formula(_parse_sum(sides[0], where), _parse_sum(sides[1], where))
    if any(term.words for term in (*formula.left, *formula.right)):
        raise RulesError(f"{where}: words stand for a number in a rate only: {text!r}")
    return formula


def _number(value: Any, where: str) -> Decimal:
    try:
        return Decimal(str(value))
    except InvalidOperation:
        raise RulesError(f"{where}: not a number: {value!r}") from None


def _parse_rule(entry: Any, path: Path) -> Rule:
    if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
        raise RulesError(f"{path}: a rule without an id: {str(entry)[:80]}")
    where = f"{path}: rule {entry['id']}"
    kind: RuleType = entry.get("type", "none")
    if kind not in get_args(RuleType):
        raise RulesError(f"{where}: unknown type {kind!r}; one of {', '.join(get_args(RuleType))}")
    allowed = {"id", "type", "name_zh", "name_en", "on_fail", *_OPTIONS.get(kind, ())}
    allowed |= {"formulas"} if kind in _FORMULA_TYPES else {"scope"} if kind in _ACROSS_TYPES | {"range"} else set()
    needed = {"name_zh", "name_en", *(("formulas",) if kind in _FORMULA_TYPES else ())}
    if set(entry) - allowed or needed - set(entry):
        raise RulesError(f"{where}: unknown keys {sorted(set(entry) - allowed)}, missing {sorted(needed - set(entry))}")
    on_fail, reach = entry.get("on_fail", "fails"), entry.get("scope", ["document"])
    if on_fail not in ("fails", "differs"):
        raise RulesError(f"{where}: on_fail is fails or differs, not {on_fail!r}")
    if not isinstance(reach, list) or not reach or set(reach) - set(get_args(Reach)):
        raise RulesError(f"{where}: scope is a list of document and across, not {reach!r}")
    formulas = entry.get("formulas", [])
    if not isinstance(formulas, list) or not all(isinstance(text, str) for text in formulas):
        raise RulesError(f"{where}: formulas is a list of texts")
    return Rule(
        id=entry["id"],
        type=kind,
        name_zh=str(entry["name_zh"]),
        name_en=str(entry["name_en"]),
        formulas=tuple(parse_formula(text, kind, where) for text in formulas),
        reach=frozenset(reach),
        on_fail=on_fail,
        tolerance=_number(entry["tolerance"], where) if "tolerance" in entry else None,
        open=entry.get("open", False) is True,
        tied=entry.get("tied", False) is True,
        pairs=entry.get("pairs", False) is True,
        closing=tuple(entry.get("closing", ())),
        near=_number(entry.get("near", 0), where),
        min_rows=int(_number(entry.get("min_rows", 2), where)),
        low=_number(entry.get("low", 0), where),
        high=_number(entry.get("high", 0), where),
        floor=_number(entry.get("floor", 0), where),
        slack=_number(entry.get("slack", 1), where),
    )


def load_rules(metrics: Mapping[str, MetricFacts], path: Path = RULES_PATH) -> Rules:
    """Read `path` and check every metric code against `metrics`. Raises RulesError, one line."""
    try:
        data = read_yaml(path)
    except (OSError, yaml.YAMLError) as error:
        raise RulesError(f"{path}: cannot be read: {' '.join(str(error).split())}") from error
    if not isinstance(data, dict) or set(data) != {"rules", "deferred"} or not isinstance(data["rules"], list):
        raise RulesError(f"{path}: expected the keys rules and deferred")
    rules = tuple(_parse_rule(entry, path) for entry in data["rules"])
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise RulesError(f"{path}: rule {rule.id} is declared twice")
        seen.add(rule.id)
        codes = set(rule.closing).union(*(formula.metrics for formula in rule.formulas))
        if unknown := sorted(codes - set(metrics)):
            raise RulesError(f"{path}: rule {rule.id}: unknown metric code {', '.join(unknown)}")
    if not rules:
        raise RulesError(f"{path}: no rule declared")
    return Rules(rules, metrics, {str(item["id"]): str(item["reason"]) for item in data["deferred"]})


@lru_cache(maxsize=2)
def read_catalogue(folder: Path) -> tuple[Catalogue, Rules]:
    """The catalogue of a folder and the rules over it, read once a process. Raises CatalogueError or RulesError."""
    catalogue = load_catalogue(folder)
    return catalogue, load_rules(catalogue.metrics, folder / "rules.yml")
