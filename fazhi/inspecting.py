"""`fazhi quarantine list|show|retry`, `fazhi diff`, `fazhi check`: look at what is loaded, and at what was not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fazhi.exits import INCOMPLETE, USAGE, CommandFailed

if TYPE_CHECKING:
    from fazhi.settings import Settings
    from warehouse.engine import Engine

quarantine = typer.Typer(
    name="quarantine",
    no_args_is_help=True,
    help="Rows that a data test set aside: `list`, `show`, `retry` (see --help).",
)

_Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]


@quarantine.command("list")
def list_quarantine(
    test: Annotated[str | None, typer.Option(help="Only rows that failed this data test.")] = None,
    source: Annotated[str | None, typer.Option(help="Only rows of this source.")] = None,
    document: Annotated[str | None, typer.Option(help="Only documents with this in their address.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="Also rows that have been resolved.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Rows shown; the counts are always of all.")] = 50,
    as_json: _Json = False,
) -> None:
    """Count the rows by source and data test, and list them, the newest first."""
    from fazhi.showing import print_records
    from warehouse.engine import reading
    from warehouse.quarantine import count_rows, list_rows

    with reading(_engine()) as conn:
        counts = count_rows(conn, test, source, document, with_resolved=everything)
        rows = list_rows(conn, test, source, document, with_resolved=everything, limit=limit)
    if as_json:
        shown = [{**row, "payload": json.loads(row["payload"])} for row in rows]
        _print_json({"counts": counts, "rows": shown})
        return
    if not rows:
        typer.echo("nothing in quarantine")
        return
    print_records("by source and test", counts)
    names = ("quarantine_key", "source_id", "document_id", "test", "reason")
    more = ("resolved_at",) if everything else ()
    print_records("rows", [{name: row[name] for name in (*names, *more)} for row in rows])
    total = sum(count["rows"] for count in counts)
    if total > len(rows):
        typer.echo(f"{total - len(rows):,} more: --limit, --test, --source, --document")


@quarantine.command("show")
def show_quarantine(
    key: Annotated[int, typer.Argument(metavar="ID", help="The row's id, as `list` prints it.")],
    as_json: _Json = False,
) -> None:
    """Print a row: what is wrong, the way back, what it says, and the text around it."""
    from warehouse.engine import reading
    from warehouse.quarantine import show_row

    with reading(_engine()) as conn:
        row = show_row(conn, key)
    if as_json:
        _print_json(row)
        return
    for name in ("document_id", "source_id", "target", "test", "reason", "way_back", "run_id", "quarantined_at"):
        typer.echo(f"{name:<15}{row[name]}")
    for name in ("tried_at", "resolved_at", "resolved_run_id"):
        if row["resolved_at" if name == "resolved_run_id" else name] is not None:
            typer.echo(f"{name:<15}{row[name]}")
    if row["around"] is not None:
        before, figure, after = (" ".join(part.split()) for part in row["around"])
        typer.echo(f"{'text':<15}…{before}[{figure}]{after}…")
    typer.echo("payload")
    for name, value in row["payload"].items():
        if value is not None:
            typer.echo(f"  {name:<13}{json.dumps(value, ensure_ascii=False)}")


@quarantine.command("retry")
def retry_quarantine(
    keys: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="Rows to try again.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="All rows that wait.")] = False,
    as_json: _Json = False,
) -> None:
    """Read the rows' documents again with today's code and load what passes.

    Figures are parsed again from the stored text, documents from the raw page in the archive. What passes is loaded
    and its row resolved; what fails stays, with the new reason (exit code 1)."""
    if bool(keys) == everything:
        raise CommandFailed("give the ids of the rows to try again, or --all", USAGE)
    from fazhi.cli import _load_sources, _settings
    from fazhi.retrying import retry_rows
    from fazhi.showing import print_records

    settings = _settings()
    sources = _load_sources(settings)
    engine = _engine(settings, for_writing=True)
    from fazhi.house import open_archive

    with open_archive(settings) as archive:
        done = retry_rows(engine, archive, sources, None if everything else keys)
    records = [{name: getattr(one, name) for name in one.__slots__} for one in done]
    if as_json:
        _print_json(records)
    elif records:
        print_records("tried again", records)
    else:
        typer.echo("nothing to try again")
    left = [one for one in done if one.outcome != "loaded"]
    if left:
        raise CommandFailed(f"{len(left)} of {len(done)} rows stay in quarantine: {left[0].told}", INCOMPLETE)


def copies(as_json: _Json = False) -> None:
    """List reports that stand in several places, identical or nearly so: the original, why, and what differs."""
    from dataclasses import asdict

    from warehouse.copies import find_copies

    found = find_copies(_engine())
    if as_json:
        _print_json([asdict(one) for one in found])
        return
    for one in found:
        kind = "identical 相同" if one.is_identical else f"{one.shared:.0%} shared 相近"
        typer.echo(f"{one.original_id}\n  copy 副本: {one.copy_id}  ({kind}; original by 依据: {one.evidence})")
        for ours, theirs in one.differences[:5]:
            typer.echo(f"  - {ours[:76]}\n  + {theirs[:76]}")
    typer.echo(f"{len(found)} copies 份副本")


def diff(
    document: Annotated[str, typer.Argument(help="The document's address or id, or a part that fits no other.")],
    versions: Annotated[
        tuple[int, int] | None, typer.Option("--versions", metavar="A B", help="Default: the last two.")
    ] = None,
    as_json: _Json = False,
) -> None:
    """Show how a document's text changed between two versions, and which of its figures."""
    from fazhi.showing import print_document_diff
    from warehouse.document_diff import as_record, diff_document, find_document
    from warehouse.engine import reading

    with reading(_engine()) as conn:
        found = diff_document(conn, find_document(conn, document), *(versions or (None, None)))
    if as_json:
        _print_json(as_record(found))
    else:
        print_document_diff(found)


def check(as_json: _Json = False) -> None:
    """Run the data tests on the whole warehouse. Exit code 1 when one fails or looks at nothing."""
    from fazhi.showing import print_checkup
    from warehouse.checkup import check_warehouse

    settings = _settings()
    results = check_warehouse(_engine(settings))
    if as_json:
        _print_json(
            [
                {
                    "test": one.test.name, "zh": one.test.zh, "en": one.test.en, "holds": one.holds,
                    "n_checked": one.outcome.n_checked, "n_failed": one.outcome.n_failed,
                    "zero_is_normal": one.test.may_be_empty, "examples": one.outcome.examples,
                }
                for one in results
            ]
        )  # fmt: skip
    else:
        print_checkup(results)
    failed = [one for one in results if not one.holds]
    if failed:
        told = "; ".join(f"{one.test.name}: {one.told}" for one in failed)
        raise CommandFailed(
            f"{settings.shown_warehouse}: {len(failed)} of {len(results)} data tests fail ({told})", INCOMPLETE
        )


def _settings() -> Settings:
    from fazhi.cli import _settings as read

    return read()


def _engine(settings: Settings | None = None, *, for_writing: bool = False) -> Engine:
    """The warehouse, which must be there. Raises CommandFailed."""
    from fazhi.house import read_only_warehouse
    from warehouse.engine import check_writable

    settings = settings or _settings()
    engine = read_only_warehouse(settings)
    if engine is None:
        raise CommandFailed(f"no warehouse at {settings.shown_warehouse} yet: run `fazhi nightly` first", USAGE)
    if for_writing:
        check_writable(engine)
    return engine


def _print_json(value: Mapping[str, Any] | Sequence[Any] | Iterable[Any]) -> None:
    typer.echo(json.dumps(value, ensure_ascii=False, default=str))
