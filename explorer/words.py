"""Two languages: which one a request asks for, and how numbers, units, codes and places are told in it.

Texts stand in both languages where they are used, `t("概览", "Overview")`: none can lack its other half.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from markupsafe import Markup

Language = Literal["zh", "en"]
CATALOG = Path(__file__).resolve().parent.parent / "catalog"

VERDICTS = {
    "holds": ("相符", "holds"),
    "truncated": ("截尾相符", "truncated"),
    "fails": ("不符", "fails"),
    "differs": ("有出入", "differs"),
    "not_applicable": ("不适用", "not applicable"),
}
CHOSEN = {
    "final": ("本年终值", "final"),
    "later_report": ("后来报告", "later report"),
    "part_year": ("部分年度", "part year"),
    "forecast": ("目标", "target"),
}
STATUS = {
    "actual": ("实际", "actual"),
    "prior_period": ("上期", "prior period"),
    "cumulative": ("累计", "cumulative"),
    "target": ("目标", "target"),
}
QUALIFIERS = {
    "exact": ("", ""),
    "approx": ("约", "about"),
    "approx_more": ("余", "somewhat more"),
    "at_least": ("以上", "at least"),
    "at_most": ("以下", "at most"),
}
LEVELS = {
    "province": ("省级", "provinces"),
    "city": ("市级", "prefectures"),
    "county": ("县级", "counties"),
    "unknown": ("层级不明", "level unknown"),
}
FATES = {
    "fails": ("检查不符", "failed check"),
    "truncated": ("截尾相符", "agrees when cut off"),
    "differs": ("与他处有出入", "differs elsewhere"),
    "damaged": ("文字残缺", "damaged"),
    "target": ("目标", "target"),
    "part": ("部分年度", "part of the year"),
    "approx": ("约数", "approximate"),
    "held": ("检查相符", "check holds"),
    "stated": ("未经检查", "stated, not checked"),
    "mention": ("仅提及", "mention only"),
    "removed": ("清除的链接", "spam removed"),
}
"""What became of a number in a text; the first that fits is shown."""

KINDS = {
    "disputed": ("有争议", "disputed"),
    "approx": ("约数", "approximate"),
    "part": ("部分年度", "part of the year"),
    "target": ("目标", "target"),
}
"""How a chosen value is to be read with care."""

OUTCOMES = {
    "failed": ("失败", "failed"),
    "blocked": ("被拦截", "blocked"),
    "silent": ("无应答", "silent"),
    "not_reached": ("未轮到", "not reached"),
    "deferred": ("推迟", "deferred"),
    "new": ("有新文件", "new"),
    "changed": ("有变化", "changed"),
    "unchanged": ("无变化", "unchanged"),
}
"""What became of a source in a run."""
REASONS = {
    "blocked": ("采集被拦截", "the crawl was blocked"),
    "column_not_found": ("没有找到栏目", "the column was not found"),
    "layout_changed": ("网页版式变了", "the layout has changed"),
    "failed": ("采集失败", "the crawl failed"),
    "silent": ("网站没有应答", "the portal did not answer"),
}
"""Why the last run of a source may have missed a report."""
PASSAGES = {
    "spam_link": ("注入的外链", "injected link to elsewhere"),
    "hidden": ("读者看不见的文字", "hidden from readers"),
}
"""Why a passage was taken out of a text."""
CHANGES = {
    "added": ("新增", "added"),
    "removed": ("删去", "removed"),
    "changed": ("改变", "changed"),
    "moved": ("出处改变", "moved"),
    "new text": ("正文改变", "new text"),
    "gone": ("原址消失", "gone"),
    "updated": ("信息改变", "updated"),
}
"""What a release says otherwise than the one before it."""
RUN_STATUS = {"running": ("进行中", "running"), "stopped": ("中断", "stopped"), "lost": ("失踪", "lost")}
"""Of runs that are not done."""


def kind_of(row: Mapping[str, Any]) -> str:
    """The mark of a chosen value: what makes it least comparable comes first; empty for a plain one."""
    if row["chosen_by"] == "forecast":
        return "target"
    if row["is_disputed"]:
        return "disputed"
    if row["chosen_by"] == "part_year":
        return "part"
    return "approx" if row["qualifier"] != "exact" else ""


@dataclass(frozen=True, slots=True)
class Words:
    """How things are told in one language."""

    lang: Language

    def t(self, zh: str, en: str) -> str:
        return zh if self.lang == "zh" else en

    def pick(self, row: Mapping[str, Any], stem: str) -> str:
        """`<stem>_zh` or `<stem>_en` of a row; the other one where it is empty."""
        first, second = (f"{stem}_zh", f"{stem}_en") if self.lang == "zh" else (f"{stem}_en", f"{stem}_zh")
        return str(row.get(first) or row.get(second) or "")

    def code(self, table: Mapping[str, tuple[str, str]], code: str | None) -> str:
        """A code in words; a code without words is shown as it is."""
        if not code:
            return ""
        return self.t(*table[code]) if code in table else code

    def unit(self, code: str | None, written: str | None = None) -> str:
        if not code or code.startswith("("):
            return ""
        if code == "percent":
            return "%"
        if self.lang == "en":
            return {"yuan": "CNY"}.get(code, code.replace("_", " "))
        return measure_words(written)[0] if written else ZH_UNITS.get(code, "")

    def definition(self, metric: Mapping[str, Any]) -> str:
        """A release holds the English one; the Chinese one is the catalogue's."""
        said = definitions_zh().get(metric["metric_code"]) if self.lang == "zh" else None
        return said or str(metric["definition"])

    def section(self, code: str) -> str:
        return self.t(*sections().get(code, (code, code)))

    def rule_kind(self, code: str) -> str:
        said = codes()["rule_kind"].get(code)
        return self.t(said["zh"], said["en"]) if said else code.replace("_", " ")

    def value(self, cell: Mapping[str, Any], unit: str) -> Markup:
        """A chosen value with its mark, leading to its statement. Pages have a thousand: made without a template."""
        kind = kind_of(cell)
        text = self.number(cell["value"]) + ("%" if unit == "%" else "")
        said = f'<span class="hidden"> {self.code(KINDS, kind)}</span>' if kind else ""
        address = f"/documents/{int(cell['document_key'])}#o{int(cell['observation_key'])}"
        return Markup(f'<span class="value {kind}"><a href="{address}">{text}{said}</a></span>')

    def note(self, code: str) -> str:
        """An issue met while a document was read."""
        said = codes()["document_note"].get(code)
        return self.t(said["zh"], said["en"]) if said else code

    @staticmethod
    def number(value: float | Decimal | int | None) -> str:
        """A value as people read it: thousands apart, no empty decimals."""
        if value is None:
            return ""
        whole = f"{value:,.4f}".rstrip("0").rstrip(".")
        return "0" if whole == "-0" else whole


def measure_words(written: str) -> list[str]:
    try:
        return list(json.loads(written)) or [""]
    except ValueError:
        return [""]


@cache
def sections() -> dict[str, tuple[str, str]]:
    """Parts of a report: code to (zh, en), from the catalogue's codes."""
    return {name: (said["zh"], said["en"]) for name, said in codes()["section"].items()}


@cache
def codes() -> dict[str, dict[str, dict[str, str]]]:
    """Every code of the warehouse in both languages."""
    return dict(yaml.safe_load((CATALOG / "codes.yml").read_text(encoding="utf-8")))


@cache
def definitions_zh() -> dict[str, str]:
    """Metric to its Chinese definition."""
    found: dict[str, str] = {}
    for path in sorted((CATALOG / "metrics").glob("*.yml")):
        # the C loader: the files are read while somebody waits for a first page
        for one in yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)["metrics"]:
            if one.get("definition_zh"):
                found[one["code"]] = one["definition_zh"]
    return found


def _zh_units() -> dict[str, str]:
    units = yaml.safe_load((CATALOG / "units.yml").read_text(encoding="utf-8"))["units"]
    return {code: str(said["zh"][0]) for code, said in units.items() if said.get("zh")}


ZH_UNITS = _zh_units()
