"""`fazhi catalog`: what a domain person asks of the catalogue before its edits are sent on."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fazhi.exits import INCOMPLETE, CommandFailed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from extraction.catalogue_check import CatalogueFinding

catalog = typer.Typer(no_args_is_help=True, help="The metric catalogue (catalog/, or the folder of FAZHI_CATALOG).")


@catalog.command()
def check(
    as_json: Annotated[bool, typer.Option("--json", help="The findings as one JSON object.")] = False,
) -> None:
    """Run the examples of all metrics, and name what is wrong: conflicts, dead words, metrics without examples.

    Errors make exit code 1. Warnings are words and units that can never be seen; notes are what no example shows.
    The findings come least first, so the last lines are the ones to mend."""
    from extraction.catalogue_check import check_catalogue
    from fazhi.house import catalog_folder

    folder = catalog_folder()
    findings = check_catalogue(folder)
    counts = Counter(finding.severity for finding in findings)
    if as_json:
        typer.echo(json.dumps(_record(str(folder), findings, counts), ensure_ascii=False, indent=1))
    else:
        for finding in reversed(findings):
            head = f"{finding.severity:<7}  {finding.code}  {finding.file}  {finding.key}"
            if finding.severity == "note":
                typer.echo(f"{head}  {finding.zh} / {finding.en}")
            else:
                typer.echo(f"{head}\n         {finding.zh}\n         {finding.en}")
        typer.echo(f"{folder}: " + ", ".join(f"{name}s {counts[name]}" for name in ("note", "warning", "error")))
    if counts["error"]:
        raise CommandFailed("the catalogue has errors: each is named above with its file", INCOMPLETE)


def _record(folder: str, findings: Sequence[CatalogueFinding], counts: Counter[Any]) -> dict[str, Any]:
    return {
        "catalog": folder,
        "counts": {name: counts[name] for name in ("error", "warning", "note")},
        "findings": [
            {
                "code": finding.code,
                "severity": finding.severity,
                "file": finding.file,
                "key": finding.key,
                "message_zh": finding.zh,
                "message_en": finding.en,
            }
            for finding in findings
        ],
    }
