"""`fazhi sources`: the list with each source's health; `doctor`: verdict and what to do; `verify`: into the nightly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fazhi.exits import INCOMPLETE

if TYPE_CHECKING:
    from connectors.registry import Source

sources = typer.Typer(
    name="sources",
    invoke_without_command=True,
    help="List the sources with their health: last success, documents, what is due. `doctor`: verdict and what to do.",
)

_CURES: tuple[tuple[str, str, str], ...] = (
    (
        "layout-changed",
        "layout changed 版式变更",
        "compare a page with the evidence; take over the proposed repair, or run `fazhi new-source` on the column",
    ),
    ("challenge", "blocked 受阻", "the portal's firewall answers: wait, ask slower (politeness), or ask its operator"),
    ("firewall", "blocked 受阻", "the portal's firewall answers: wait, ask slower (politeness), or ask its operator"),
    ("robots", "denied 被拒", "robots.txt says no, or cannot be read: look at it; nothing is asked against it"),
    ("no annual report listed", "reports missing 缺报告", "look at the list: moved column, or an assertion to correct"),
    ("the lists hold", "list too short 列表过短", "look at the list; mend start, engine or min_list_rows"),
    ("no row of the", "list unread 列表不可读", "the list has another layout: run `fazhi new-source` on the column"),
    ("could be read", "pages unread 页面不可读", "the pages have another layout: run `fazhi new-source` on a report"),
    (
        "there is no such page",
        "column gone 栏目不存在",
        "it has moved: run `fazhi new-source` on the home page",
    ),
    (
        "took longer",
        "unreachable 不可达",
        "no answer: run again later; raise FAZHI_TIMEOUT if it is slow",
    ),
    ("does not resolve", "unreachable 不可达", "the name does not resolve: look whether the portal has moved"),
    ("later run", "waiting 等待", "nothing to do: the rest waits for a later run"),
)
_BY_HEALTH = {
    "ok": ("healthy 正常", "nothing to do"),
    "overdue": ("silent 逾期无新报告", "last year's report is due: look whether it stands elsewhere on the portal"),
    "empty": ("empty 无文件", "a run ended without documents: look at wanted titles and the column"),
    "never crawled": ("never crawled 未抓取", "run `fazhi nightly --source ID`"),
    "failing": ("failing 失败", "read the failure; run again with FAZHI_LOG=text"),
}


_UNVERIFIED = re.compile(r"(?m)^verified:[ ]*false[ ]*(?:#.*)?\n")
_WORKED = ("ok", "overdue")
"""Health of a source whose last run was good; a report may be due all the same."""


@sources.callback()
def list_sources(context: typer.Context) -> None:
    if context.invoked_subcommand is not None:
        return
    from fazhi.console import print_sources

    found, health = _read()
    print_sources(found, list(health.values()))


@sources.command()
def doctor(
    source_id: Annotated[str | None, typer.Argument(metavar="[ID]", help="Only this source. Default: all.")] = None,
) -> None:
    """Verdict on each source: failing since when, last good run, why, what to do. Exit 1 when one is not healthy."""
    from fazhi.cli import _choose
    from fazhi.exits import CommandFailed
    from fazhi.house import read_settings, source_folders

    found, health = _read()
    chosen = _choose(found, [source_id] if source_id else [])
    folders = source_folders(read_settings())
    n_ill = 0
    for name in chosen:
        source, row = found[name], health.get(name, {})
        verdict, cure = diagnose(source, row)
        is_fine = verdict == _BY_HEALTH["ok"][0] or (not source.verified and not source_id)
        n_ill += not is_fine
        typer.echo(f"{name}  {verdict}")
        for line in _details(row):
            typer.echo(f"  {line}")
        for problem in _broken_contract(folders, source):
            typer.echo(f"  contract 契约: {problem}")
        typer.echo(f"  do 处置: {cure}")
    if n_ill:
        raise CommandFailed(f"{n_ill} of {len(chosen)} sources are not healthy", INCOMPLETE)


@sources.command()
def coverage() -> None:
    """Which reports are expected of each source, by year, and why a year has none."""
    from fazhi.exits import USAGE, CommandFailed
    from fazhi.house import read_only_warehouse, read_settings
    from warehouse.health import expected_reports

    engine = read_only_warehouse(read_settings())
    if engine is None:
        raise CommandFailed("no warehouse yet: run `fazhi nightly` first", USAGE)
    for row in expected_reports(engine):
        told = row["reason"] or "ok"
        typer.echo(f"{row['source_id']:<24}{row['region_zh']:<10}{int(row['year'])}  {row['n_reports']:>3}  {told}")


@sources.command()
def verify(source_id: Annotated[str, typer.Argument(metavar="ID", help="A source marked `verified: false`.")]) -> None:
    """Take a source into the nightly: its contract must hold, and its last run must have brought reports."""
    from fazhi.cli import _choose
    from fazhi.exits import USAGE, CommandFailed
    from fazhi.house import read_settings, source_folders

    found, health = _read()
    source = found[_choose(found, [source_id])[0]]
    if source.verified:
        typer.echo(f"{source_id} is verified already 已核实")
        return
    path = next(
        one / f"{source_id}.yaml" for one in source_folders(read_settings()) if (one / f"{source_id}.yaml").is_file()
    )
    lacking = find_lacking(path, source, health.get(source_id, {}))
    if lacking:
        raise CommandFailed(f"{source_id} stays unverified: {'; '.join(lacking)}", INCOMPLETE)
    try:
        mark_verified(path)
    except OSError as error:
        raise CommandFailed(f"cannot write {path}: {error.strerror or error}", USAGE) from error
    typer.echo(f"{source_id} is verified 已核实: part of the nightly from now on")


def mark_verified(path: Path) -> None:
    """Take the mark out of a source file; all else stays as a person wrote it."""
    path.write_text(_UNVERIFIED.sub("", path.read_text(encoding="utf-8")), encoding="utf-8")


def find_lacking(path: Path, source: Source, row: Mapping[str, Any]) -> list[str]:
    """What a source still needs before it may be marked as verified."""
    from connectors.contract import check_contract

    lacking = check_contract(path)[:1]
    if row.get("health") not in _WORKED or not row.get("documents"):
        said = diagnose(source, row)[0]
        lacking.append(f"no good run ({said}): run `fazhi nightly --source {source.id}`")
    return lacking


def diagnose(source: Source, row: Mapping[str, Any]) -> tuple[str, str]:
    """(verdict, what to do) by the last run and the rhythm. Unverified sources are told as such until they ran."""
    health = str(row.get("health", "never crawled"))
    if health == "failing":
        said = " ".join(row.get("last_failures") or [])
        for mark, verdict, cure in _CURES:
            if mark in said:
                return verdict, cure
    if health == "never crawled" and not source.verified:
        return "unverified 未核实", f"run `fazhi nightly --source {source.id}`, then set verified: true"
    verdict, cure = _BY_HEALTH.get(health, (health, "look at the run report"))
    return verdict, cure.replace("ID", source.id)


def _details(row: Mapping[str, Any]) -> Sequence[str]:
    lines = []
    if row.get("failing_since"):
        lines.append(f"failing since 失败始于: {row['failing_since']:%Y-%m-%d %H:%M}")
    if row.get("last_success_at"):
        lines.append(f"last good run 上次成功: {row['last_success_at']:%Y-%m-%d %H:%M}")
    if row:
        lines.append(
            f"documents 文件: {row.get('documents', 0)}, last report 最近年度: {row.get('last_report_year') or '-'}"
        )
    lines += [f"failure 原因: {failure}" for failure in (row.get("last_failures") or [])[:3]]
    return lines


def _broken_contract(folders: Sequence[Any], source: Source) -> list[str]:
    from connectors.contract import check_contract

    path = next((one / f"{source.id}.yaml" for one in folders if (one / f"{source.id}.yaml").is_file()), None)
    has_contract = source.verified and not source.is_sandbox  # the sandbox is told by its own tests
    return check_contract(path)[:3] if path is not None and has_contract else []


def _read() -> tuple[dict[str, Source], dict[str, Mapping[str, Any]]]:
    from fazhi.house import load_all_sources, read_only_warehouse, read_settings
    from warehouse.health import source_health

    settings = read_settings()
    engine = read_only_warehouse(settings)
    rows = source_health(engine) if engine else []
    return load_all_sources(settings), {row["source_id"]: row for row in rows}
