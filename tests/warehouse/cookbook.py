"""The release that docs/cookbook.md asks its questions of, and the page with the answers that it gives.

`python -m tests.warehouse.cookbook` writes the answers anew; a test says when they are stale. Places and figures are
fictional; metrics and rules are those of the catalogue.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd

from extraction.catalogue import load_catalogue
from extraction.model import Check, Mention, Observation, Parsed
from extraction.rules import load_rules
from tests.conftest import ROOT
from tests.warehouse.builders import SOURCE, batch, report
from warehouse.catalogue import catalogue_rows
from warehouse.engine import open_warehouse
from warehouse.load import publish
from warehouse.release import make_release

PAGE = ROOT / "docs" / "cookbook.md"
METRICS = {
    "收到复议申请": "reconsideration_applications_received",
    "受理": "reconsideration_accepted",
    "不予受理": "reconsideration_not_accepted",
    "纠错率": "reconsideration_correction_rate",
    "应当出庭": "head_appearance_required",
    "实际出庭": "head_appearances",
    "出庭率": "head_appearance_rate",
    "调解纠纷": "disputes_mediated",
}
FIGURE = re.compile(rf"(上年|计划)?({'|'.join(METRICS)})([0-9.]+)(件|%)(?:（截至([0-9-]+)）)?")
BLOCK = re.compile(r"```(sql|python|text)\n(.*?)```\n", re.S)
PLACES = {"990101": "lanhe", "990102": "jichuan", "990201": "yanpu"}
REPORTS = (
    ("990101", 2019, "2020-03-10", "收到复议申请40件，受理36件，不予受理4件。纠错率10%。调解纠纷300件。"),
    ("990101", 2020, "2021-03-12", "收到复议申请60件，受理50件，不予受理10件。上年收到复议申请40件。纠错率12%。"
     "调解纠纷330件。"),
    ("990101", 2021, "2022-03-08", "收到复议申请75件，受理70件，不予受理5件。上年收到复议申请62件。纠错率14.5%。"
     "调解纠纷520件。应当出庭20件，实际出庭18件，出庭率95%。计划调解纠纷600件。"),
    ("990102", 2019, "2020-02-28", "收到复议申请12件，受理12件。纠错率8%。调解纠纷90件。"),
    ("990102", 2021, "2022-04-02", "收到复议申请20件，受理15件，不予受理4件。纠错率20%。调解纠纷95件。"
     "应当出庭8件，实际出庭8件，出庭率100%。"),
    ("990201", 2020, "2020-12-01", "收到复议申请30件（截至2020-10-31），受理28件（截至2020-10-31）。"
     "调解纠纷210件（截至2020-10-31）。"),
    ("990201", 2021, "2022-01-20", "收到复议申请44件，受理41件。上年收到复议申请37件。纠错率9%。调解纠纷260件。"),
)  # fmt: skip
SECOND_PAGE = ("990102", 2021, "2022-04-20", "收到复议申请20件，受理16件，不予受理4件。纠错率21%。调解纠纷95件。")
"""The same report on another portal, with other figures: a dispute."""


def parse(text: str, year: int) -> Parsed:
    """A small extraction of the sentences above, with two of the catalogue's rules."""
    mentions, seen = [], []
    for found in FIGURE.finditer(text):
        start, end, value = found.start(3), found.end(4), Decimal(found[3])
        status, period = {"上年": ("prior_period", year - 1), "计划": ("target", year + 1)}.get(
            found[1] or "", ("actual", year)
        )
        unit = "percent" if found[4] == "%" else "case"
        sentence = text.rfind("。", 0, start) + 1, text.find("。", end) + 1
        mentions.append(Mention(start, end, text[start:end], value, found[4], "arabic", "exact"))
        seen.append(
            Observation(
                metric=METRICS[found[2]], start=start, end=end, text=text[start:end], value=value, unit=unit,
                unit_zh=found[4], period=str(period), status=status, qualifier="exact",  # type: ignore[arg-type]
                quote=text[slice(*sentence)], quote_start=sentence[0], as_of=found[5], evidence=found[2],
            )
        )  # fmt: skip
    return Parsed(year, tuple(mentions), tuple(seen), tuple(_checks(seen, year)))


def _checks(seen: list[Observation], year: int) -> Iterator[Check]:
    at = {one.metric: i for i, one in enumerate(seen) if one.status == "actual"}
    values = {name: seen[i].value or Decimal() for name, i in at.items()}
    total, *parts = (METRICS[name] for name in ("收到复议申请", "受理", "不予受理"))
    if total in at and all(part in at for part in parts):
        expected, actual = sum((values[part] for part in parts), Decimal()), values[total]
        formula = " + ".join(str(values[part]) for part in parts) + f" = {actual}"
        yield _check("R01", expected, actual, formula, (at[total], *(at[part] for part in parts)), year)
    rate, made, due = (METRICS[name] for name in ("出庭率", "实际出庭", "应当出庭"))
    if rate in at and made in at and due in at:
        expected = values[made] / values[due] * 100
        yield _check("R09", expected, values[rate], f"{values[made]} / {values[due]} = {values[rate]}%",
                     (at[rate], at[made], at[due]), year)  # fmt: skip


def _check(rule: str, expected: Decimal, actual: Decimal, formula: str, used: tuple[int, ...], year: int) -> Check:
    verdict = "holds" if expected == actual else "fails"
    return Check(
        rule, verdict, expected, actual, Decimal(0), len(used), used, formula, period=str(year),  # type: ignore[arg-type]
        message_zh="数字不符", message_en="the figures do not agree",
    )  # fmt: skip


def build_release(folder: Path) -> Path:
    """Load the reports and make a release below `folder`; gives the folder of releases."""
    catalogue = load_catalogue(ROOT / "catalog")
    rows = catalogue_rows(catalogue, load_rules(catalogue.metrics, ROOT / "catalog" / "rules.yml"))
    engine = open_warehouse(f"sqlite:///{folder / 'warehouse.sqlite'}")
    for turn, (code, year, day, text) in enumerate((*REPORTS, SECOND_PAGE)):
        is_second = turn == len(REPORTS)
        host = f"www.{PLACES[code]}{'-sfj' if is_second else ''}.example"
        source = replace(SOURCE, source_id=f"{code}_{PLACES[code]}", region_code=code, hosts=(host,))
        document_id = f"{host}/{year}.html"
        doc = report(
            year, text, published=day, region_code=code, document_id=document_id, url=f"http://{document_id}",
            parsed=parse(text, year), title=f"{year}年法治政府建设情况报告",
        )  # fmt: skip
        publish(engine, batch(doc, run=f"r{turn}", source=source, catalogue=rows))
    make_release(engine, folder / "data" / "releases", keep=3)
    engine.dispose()
    return folder / "data" / "releases"


@contextmanager
def _inside(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def answer_page(folder: Path, page: str) -> tuple[str, list[tuple[str, pd.DataFrame, pd.DataFrame]]]:
    """The page with every answer as a release gives it, and per question what SQL and pandas say.

    The page's own first blocks open the release; `folder` is where data/ lies. A question is a heading with a block
    of SQL, one of text (its answer) and one of Python that leaves the same answer in `answer`."""
    names: dict[str, Any] = {}
    answers: list[tuple[str, pd.DataFrame, pd.DataFrame]] = []
    intro, *questions = re.split(r"(?m)^(?=## )", page)
    with _inside(folder):
        for kind, code in BLOCK.findall(intro):
            if kind == "python":
                exec(code, names)
        parts = [intro]
        for question in questions:
            blocks = BLOCK.findall(question)
            if [kind for kind, _ in blocks] != ["sql", "text", "python"]:
                parts.append(question)
                continue
            duck: duckdb.DuckDBPyConnection = names["db"]
            told = duck.execute(blocks[0][1]).df()
            exec(blocks[2][1], names)
            answers.append((question.splitlines()[0], told, names["answer"]))
            parts.append(question.replace(f"```text\n{blocks[1][1]}```", f"```text\n{show(told)}```"))
    return "".join(parts), answers


def show(table: pd.DataFrame) -> str:
    """A table as plain text, always the same for the same rows."""
    lines = [" | ".join(table.columns), *(" | ".join(map(_cell, row)) for row in table.itertuples(index=False))]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _cell(value: object) -> str:
    if isinstance(value, list | np.ndarray):
        return ", ".join(map(str, value))
    if value is None or value is pd.NaT or (isinstance(value, float) and value != value) or value is pd.NA:
        return ""
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return "yes" if value else "no"
    if isinstance(value, float | Decimal):
        return f"{float(value):g}"
    return str(value)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        build_release(Path(folder))
        page, _ = answer_page(Path(folder), PAGE.read_text(encoding="utf-8"))
    PAGE.write_text(page, encoding="utf-8")


if __name__ == "__main__":
    main()
