"""The checks on the corpus's hand-made observations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from extraction.checks import check_document
from extraction.model import Observation
from tests.extraction.builders import obs, real_rules


def load_gold(folder: Path) -> dict[str, tuple[Observation, ...]]:
    rows: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (folder / "gold.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        rows[row["doc"]].append(row)
    texts = folder / "texts" if (folder / "texts").is_dir() else folder.parent / "reports"
    observations: dict[str, tuple[Observation, ...]] = {}
    for doc, of_doc in rows.items():
        with (texts / f"{doc}.txt").open(encoding="utf-8", newline="") as file:
            text = file.read()
        observations[doc] = tuple(to_observation(row, of_doc, text) for row in of_doc)
    return observations


def to_observation(row: dict[str, Any], rows: Sequence[dict[str, Any]], report: str) -> Observation:
    first = max(report.rfind(mark, 0, row["start"]) for mark in "。\n") + 1
    last = min((at for mark in "。\n" if (at := report.find(mark, row["end"])) >= 0), default=len(report))

    def total(other: dict[str, Any]) -> bool:
        return bool(
            other["metric"] == row["metric"] and other["value"] == row["breakdown_of"] and "breakdown_of" not in other
        )

    def decimal(key: str) -> Decimal | None:
        return None if row.get(key) is None else Decimal(str(row[key]))

    whole = next((i for i, other in enumerate(rows) if total(other)), None) if "breakdown_of" in row else None
    return obs(
        row["metric"], None if row["value"] is None else str(row["value"]), text=row["value_text"], unit=row["unit"],
        period=row["period"], status=row["status"], qualifier=row["qualifier"], as_of=row.get("as_of"),
        start=row["start"], end=row["end"], quote=report[first:last], quote_start=first,
        scope=row.get("scope"), dimension=row.get("dimension"), breakdown_of=whole, share_of=row.get("share_of"),
        share_percent=decimal("share_percent"), yoy_percent=decimal("yoy_percent"), yoy_text=row.get("yoy_text"),
        yoy_change=decimal("yoy_change"),
    )  # fmt: skip


@pytest.mark.corpus
@pytest.mark.parametrize(
    ("doc", "verdict", "formula"),
    [
        ("tongxin-2020", "holds", "260 + 122 = 158 + 76 + 29 + 119"),
        ("qianjiang-2022", "truncated", "71 / 86 = 82.56% → 82.5%"),
        ("nanhai-2018", "holds", "898 + 16 + 4 = 918"),
        ("nanhai-2018", "holds", "80 + 898 = 908 + 70"),
        ("nanhai-2018", "holds", "528 + 31 + 16 + 1 + 1 + 319 + 12 = 908"),
        ("nanhai-2018", "fails", "528 / 908 = 58.15% ≠ 58.2%"),
        ("nanhai-2018", "holds", "(31 + 16 + 1 + 1 + 319) / 908 = 40.53% → 40.5%"),
        ("nanhai-2016", "holds", "4352 - 61 = 4291"),
        ("h002", "fails", "213 / 176 - 1 = 21.02% ≠ 25.6%"),
        ("h002", "holds", "48216 / 42897 - 1 = 12.40% → 12.4%"),
        ("h005", "differs", "9186000 > 8724000"),
        ("h008", "holds", "2 / (38 + 2) = 5.0% → 5%"),
        ("h011", "holds", "297 + 1604 + 143 + 88 + 61 + 293 = 2486"),
        ("h014", "truncated", "3 / 159 = 1.89% → 1.8%"),
        ("h014", "holds", "118 + 9 + 3 + 29 = 159"),
        ("h018", "holds", "2116 / 2398 - 1 = -11.76% → -11.8%"),
        ("h034", "holds", "96 / 128 - 1 = -25.0% → -25%"),
        ("h040", "holds", "1012 + 87 + 141 = 1240"),
        ("h040", "fails", "1012 / 1240 = 81.61% ≠ 82.6%"),
        ("h040", "fails", "(31 + 4 + 12 + 9) / 842 = 6.65% ≠ 5.6%"),
        ("h043", "holds", "91 / 365 = 24.93% → 24.9%"),
        ("h046", "holds", "112 / 128 = 87.50% → 87.5%"),
        ("h046", "fails", "16 + 11 + 9 + 5 + 3 = 44 ≠ 43"),
        ("h053", "fails", "271 + 18 + 14 + 8 = 311 ≠ 312"),
        ("h059", "fails", "3180 / 3561 - 1 = -10.70% ≠ -12.4%"),
        ("h062", "holds", "156 + 2087 = 2243"),
    ],
)
def test_known_findings(corpus: Path, doc: str, verdict: str, formula: str) -> None:
    gold = load_gold(corpus / ("passages" if doc[0] == "h" and doc[1:].isdigit() else "gold"))
    found = {check.formula: check.verdict for check in check_document(gold[doc], real_rules())}
    assert found.get(formula) == verdict


@pytest.mark.corpus
def test_correct_figures_raise_no_false_alarm(corpus: Path) -> None:
    """Of all figures annotated by hand, only the known errors fail."""
    alarms: dict[str, set[str]] = defaultdict(set)
    for folder in ("gold", "passages"):
        for doc, observations in load_gold(corpus / folder).items():
            for check in check_document(observations, real_rules()):
                if check.verdict == "fails":
                    alarms[doc].add(check.rule)
    assert alarms == {
        "nanhai-2018": {"R05"},
        "h014": {"R17"},
        "h002": {"R20"},
        "h040": {"R05", "R07"},
        "h046": {"R14"},
        "h053": {"R14"},
        "h059": {"R20"},
    }
