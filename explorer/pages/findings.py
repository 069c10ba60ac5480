"""Findings: what failed, was restated, is damaged or was spam; filters, and the line that acknowledges one."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from starlette.responses import Response

from explorer.acknowledged import Acknowledged, NotReadable, line_for, read_acknowledged
from explorer.reading import passages_of
from explorer.view import Shown

router = APIRouter()
PAGE = 40
KINDS = {
    "check": ("检查", "checks", "failed", "check_key", "year DESC NULLS LAST, region_code, rule_id, check_key"),
    "restated": ("前后不一", "restatements", "restated", "value_key", "last_published DESC NULLS LAST, value_key"),
    "damaged": ("残缺", "damaged passages", "damaged", "observation_key", "year DESC NULLS LAST, observation_key"),
    "spam": ("清除的广告", "spam removed", "spam", "document_key", "year DESC NULLS LAST, document_key"),
}
"""Kind to its names, its table of the index, that table's key and order."""
Text = Annotated[str, Query(max_length=80)]


@router.get("/findings")
def list_findings(
    view: Shown, kind: Annotated[str, Query(pattern="^(check|restated|damaged|spam)$")] = "check",
    rule: Text = "", verdict: Annotated[str, Query(pattern="^(fails|truncated|differs)?$")] = "",
    region: Annotated[str, Query(pattern=r"^([0-9]{2,6})?$")] = "",
    year: Annotated[str, Query(pattern=r"^([0-9]{4})?$")] = "", source: Text = "",
    state: Annotated[str, Query(pattern="^(open|acknowledged|all)$")] = "open",
    page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:  # fmt: skip
    problem = ""
    known: dict[str, Acknowledged] = {}
    try:
        known = dict(read_acknowledged(view.house.acknowledged, datetime.now(UTC).date()))
    except NotReadable as error:
        problem = str(error)
    _, _, table, key, order = KINDS[kind]
    where, values = (
        "(? = '' OR starts_with(region_code, ?)) AND (? = '' OR year = try_cast(? AS INT))",
        [region] * 2 + [year] * 2,
    )
    if kind == "check":
        where += " AND (? = '' OR rule_id = ?) AND (? = '' OR verdict = ?)"
        values += [rule, rule, verdict, verdict]
    has_source = "list_contains(source_ids, ?)" if kind == "restated" else "source_id = ?"
    where += f" AND (? = '' OR {has_source})"
    values += [source, source]
    keys = [int(one.partition(":")[2]) for one in known if one.startswith(f"{kind}:")]
    bound: list[Any] = list(values)
    if state == "acknowledged" or (state == "open" and keys):  # asked only where it says something: it is slow
        where += f" AND {key} {'NOT' if state == 'open' else ''} IN (SELECT unnest(?::BIGINT[]))"
        bound.append(keys)
    total = view.db.value(f"SELECT count(*) FROM ix.{table} WHERE {where}", bound)
    rows = view.db.rows(
        f"SELECT * FROM ix.{table} WHERE rowid IN "
        f"(SELECT rowid FROM ix.{table} WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?) ORDER BY {order}",
        [*bound, PAGE, (page - 1) * PAGE],
    )
    for row in rows:
        row["finding"] = f"{kind}:{row[key]}"
        if kind == "spam":
            row["passages"] = passages_of(row["removed"] or "[]")
    counts = {one: view.db.value(f"SELECT count(*) FROM ix.{KINDS[one][2]}") for one in KINDS}
    return view.page(
        "findings.html", kind=kind, kinds=KINDS, rows=rows, total=total, page=page, pages=max(1, -(-total // PAGE)),
        counts=counts, rule=rule, verdict=verdict, region=region, year=year, source=source, state=state, known=known,
        file_problem=problem, download=urlencode(_download(rule, verdict, region)),
        rules=view.db.whole("rule"), sources=view.db.whole("source")[:500],
        regions={row["region_code"]: row for row in _names(view.db, rows)},
    )  # fmt: skip


def _download(rule: str, verdict: str, region: str) -> dict[str, str]:
    """The filter of the page as far as a table's columns can say it."""
    whole = region if len(region) == 6 else ""
    return {name: said for name, said in (("rule_id", rule), ("verdict", verdict), ("region_code", whole)) if said}


def _names(db: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    wanted = sorted({row["region_code"] for row in rows if row["region_code"]})
    found: list[dict[str, Any]] = db.rows(
        "SELECT * FROM ix.region WHERE region_code IN (SELECT unnest(?::VARCHAR[]))", [wanted]
    )
    return found


@router.get("/findings/acknowledge")
def acknowledge(
    view: Shown, finding: Annotated[str, Query(pattern=r"^(check|restated|damaged|spam):[0-9]{1,19}$")],
    name: Text = "", reason: Annotated[str, Query(max_length=400)] = "",
    until: Annotated[str, Query(pattern=r"^([0-9]{4}-[0-9]{2}-[0-9]{2})?$")] = "",
) -> Response:  # fmt: skip
    """The form, and with all parts given the line to add to the file."""
    line, problem = "", ""
    if name or reason or until:
        try:
            line = line_for(finding, name, reason, until)
        except ValueError:
            problem = view.t("姓名、理由和到期日都要填写。", "Name, reason and a day are all needed.")
    return view.page(
        "acknowledge.html", finding=finding, name=name, reason=reason, until=until, line=line, fault=problem,
        file=view.house.acknowledged,
    )  # fmt: skip
