"""The command `fazhi`. Prefect, httpx and SQL are imported by the commands that need them, never by --help or parse."""

from __future__ import annotations

import gc
import json
import os
import sys
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from fazhi.archiving import archive
from fazhi.automating import automations
from fazhi.backfilling import backfill
from fazhi.catalogue_command import catalog
from fazhi.database import db
from fazhi.exits import DONE, INCOMPLETE, INTERRUPTED, USAGE, CommandFailed, explain_error
from fazhi.exploring import explore
from fazhi.exporting import export
from fazhi.inspecting import check, copies, diff, quarantine
from fazhi.memory import settle_memory
from fazhi.new_source import new_source
from fazhi.releasing import release
from fazhi.reparsing import reparse
from fazhi.serving import serve
from fazhi.sources_command import sources

if TYPE_CHECKING:
    from connectors.registry import Source
    from fazhi.settings import Settings

app = typer.Typer(
    name="fazhi",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Numbers from Chinese local governments' yearly rule-of-law reports, each with its sentence.\n\n"
    "Exit codes: 0 done; 1 the run ended, but a source failed or the catalogue has errors; 2 wrong usage, setting or "
    "source file; 3 something outside failed (gateway, database, disk); 130 interrupted.",
    epilog="Settings come from FAZHI_* environment variables and a .env file: see `fazhi settings`.",
)


app.add_typer(archive)
app.add_typer(automations)
app.add_typer(db)
app.add_typer(release)
app.command()(backfill)
app.command()(export)
app.command()(explore)
app.command()(serve)
app.command()(reparse)
app.add_typer(quarantine)
app.add_typer(sources)
app.command()(check)
app.command()(diff)
app.command()(copies)
app.command("new-source")(new_source)
app.add_typer(catalog, name="catalog")


@app.callback()
def _common(
    debug: Annotated[bool, typer.Option("--debug", help="Show the Python trace behind an error.")] = False,
) -> None:
    """Options before the command."""


def _settings() -> Settings:
    from fazhi.house import read_settings

    return read_settings()


def _load_sources(settings: Settings) -> dict[str, Source]:
    from fazhi.house import load_all_sources

    return load_all_sources(settings)


def _choose(sources: dict[str, Source], wanted: Iterable[str]) -> list[str]:
    """The ids asked for, each of which must exist; none asked for means all."""
    from difflib import get_close_matches

    chosen = list(dict.fromkeys(wanted))
    for source_id in chosen:
        if source_id not in sources:
            near = get_close_matches(source_id, sources, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]}? " if near else ""
            raise CommandFailed(
                f"no source has the id {source_id!r}: {hint}`fazhi sources` lists all {len(sources)}", USAGE
            )
    return chosen or list(sources)


@app.command()
def nightly(
    source: Annotated[
        list[str] | None,
        typer.Option("--source", help="Only this source (repeat for several). Default: all verified."),
    ] = None,
    all_pages: Annotated[
        bool, typer.Option("--all-pages", help="Fetch every listed page, not only the annual reports.")
    ] = False,
    accept_mass_change: Annotated[
        str, typer.Option(metavar="REASON", help="Also publish sources whose figures go or change in numbers.")
    ] = "",
) -> None:
    """Crawl the sources, load what is new or changed, check it, and print the run report."""
    settings = _settings()
    sources = _load_sources(settings)
    from connectors.registry import default_ids

    _run_nightly(settings, _choose(sources, source or default_ids(sources)), all_pages, accept_mass_change)


@app.command()
def demo(
    day: Annotated[int, typer.Option(min=1, max=2, help="2: the portals a day later (one page changed).")] = 1,
) -> None:
    """Start the bundled sandbox portals on loopback, run the nightly flow against them, stop them."""
    from fazhi.settings import ROOT
    from sandbox.server import serve

    folder = ROOT / "sandbox" / "sources"
    with serve(day=day) as server:
        os.environ["FAZHI_REPLAY"] = server.url
        os.environ["FAZHI_SOURCES"] = str(folder)
        settings = _settings()
        chosen = [name for name, found in _load_sources(settings).items() if found.is_sandbox]
        _run_nightly(settings, chosen, all_pages=False)


def _run_nightly(settings: Settings, chosen: list[str], all_pages: bool, accept_mass_change: str = "") -> None:
    from fazhi.console import print_report, progress_bars
    from fazhi.house import only_nightly, prepare_nightly, prepare_prefect

    prepare_nightly(settings)
    prepare_prefect(settings)
    with progress_bars(settings.log is None) as reporter, only_nightly(settings, reporter.say):
        reporter.say("Starting Prefect")
        from flows.nightly import run_nightly
        from tasks.progress import use_reporter

        gc.freeze()  # what is imported by now stays
        with use_reporter(reporter):
            report = run_nightly(chosen, all_pages, accept_mass_change)
    print_report(report)
    if report.failed_sources:
        raise CommandFailed(report.failure_line(), INCOMPLETE)


@app.command()
def status() -> None:
    """What the warehouse holds: counts, last loads, last run of each source."""
    from fazhi.console import print_status
    from fazhi.house import read_only_warehouse
    from warehouse.health import status as read_status

    settings = _settings()
    engine = read_only_warehouse(settings)
    if engine is None:
        raise CommandFailed(
            f"no warehouse at {settings.shown_warehouse} yet: run `fazhi nightly` or `make demo`", USAGE
        )
    print_status(read_status(engine), settings)


@app.command()
def parse(
    files: Annotated[list[Path], typer.Argument(help="Plain text files (UTF-8). The document id is the file's stem.")],
    observations: Annotated[
        Path | None, typer.Option(help="Write the observations here, one JSON object a line.")
    ] = None,
    mentions: Annotated[Path | None, typer.Option(help="Write every quantity mention here, as JSON lines.")] = None,
    checks: Annotated[
        Path | None, typer.Option(help="Write the results of the arithmetic rules here, as JSON lines.")
    ] = None,
    derived: Annotated[
        Path | None,
        typer.Option(help="Write last year's values that follow from a stated change here, as JSON lines."),
    ] = None,
) -> None:
    """Parse reports from text files: no server, no database, no network."""
    from fazhi.parsing import parse_files

    _check_outputs(files, (observations, mentions, checks, derived))
    counts, rows = parse_files(files)
    outputs = (
        (observations, rows.observations),
        (mentions, rows.mentions),
        (checks, rows.checks),
        (derived, rows.derived),
    )
    for path, lines in outputs:
        if path is not None:
            _write_lines(path, lines)
    typer.echo(
        f"{counts.documents} documents, {counts.mentions} mentions, {counts.observations} observations, "
        f"{counts.derived} derived; checks: {counts.checks_text()}"
    )
    typer.echo(counts.rules_text())


@app.command()
def explain(
    file: Annotated[Path, typer.Argument(help="A plain text file (UTF-8).")],
    metric: Annotated[str | None, typer.Option(help="Only sentences that have to do with this metric.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Everything that was considered, as one JSON object.")
    ] = False,
) -> None:
    """Print the text's sentences with each number's fate: which metric it is and why, or why it is none."""
    from fazhi.explaining import explain_file, explanation_record, print_explanation

    explanation, catalogue = explain_file(file, metric)
    if as_json:
        typer.echo(json.dumps(explanation_record(file.stem, explanation), ensure_ascii=False))
    else:
        print_explanation(explanation, catalogue, metric)


@app.command()
def articles(
    out: Annotated[Path, typer.Option(help="Write here, one JSON object a line.")],
) -> None:
    """Write the current documents of the warehouse: address, title, date, source, numbers, body, attachments."""
    from fazhi.house import read_only_warehouse
    from warehouse.read import articles as read_articles

    settings = _settings()
    engine = read_only_warehouse(settings)
    if engine is None:
        raise CommandFailed(f"no warehouse at {settings.shown_warehouse} yet: run `fazhi nightly` first", USAGE)
    typer.echo(f"{_write_lines(out, read_articles(engine))} documents written to {out}")


@app.command()
def sandbox(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 8765,
    day: Annotated[int, typer.Option(min=1, max=2, help="2: the portals a day later.")] = 1,
    chaos: Annotated[
        bool, typer.Option("--chaos", help="Instead, portals that misbehave: one for each row of docs/faults.md.")
    ] = False,
    sources: Annotated[
        Path | None, typer.Option(help="With --chaos: write a source file for each of its portals into this folder.")
    ] = None,
) -> None:
    """Serve the bundled portals of five fictional places on loopback until Ctrl-C."""
    from sandbox.chaos import run_chaos
    from sandbox.server import run

    try:
        if chaos:
            run_chaos(port, sources)
        else:
            run(port=port, day=day)
    except OSError as error:
        raise CommandFailed(f"port {port} on 127.0.0.1 cannot be used: {error.strerror or error}", USAGE) from error


@app.command()
def settings() -> None:
    """List every setting: name, default, value now, meaning."""
    from fazhi.console import print_settings

    print_settings(_settings())


def _write_lines(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    """Write JSON lines to a temporary name, then rename: a failed run leaves no half file.

    A device, a pipe or a symbolic link is written through: renaming over it would put a plain file in its place."""
    is_special = path.is_symlink() or (path.exists() and not path.is_file())
    target = path if is_special else path.with_name(f".{path.name}.part")
    count = 0
    try:
        with target.open("w", encoding="utf-8") as out:
            for row in rows:
                out.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
        if not is_special:
            target.replace(path)
    except OSError as error:
        raise CommandFailed(f"cannot write {path}: {error.strerror or error}", USAGE) from error
    finally:
        if not is_special:
            target.unlink(missing_ok=True)
    return count


def _check_outputs(files: Iterable[Path], outputs: Iterable[Path | None]) -> None:
    """No output may be an input or another output: the later would silently replace the earlier."""
    taken = {path.resolve() for path in files}
    for path in outputs:
        if path is None:
            continue
        if path.is_file() or not path.exists():
            if path.resolve() in taken:
                raise CommandFailed(f"{path} is named twice, as input or output: give every output its own file", USAGE)
            taken.add(path.resolve())


def main(argv: list[str] | None = None) -> int:
    """Entry point: runs the command and turns every expected error into one line and an exit code."""
    settle_memory()
    arguments = sys.argv[1:] if argv is None else argv
    debug = "--debug" in arguments
    arguments = [word for word in arguments if word != "--debug"]  # it may stand anywhere
    run: Callable[..., Any] = typer.main.get_command(app)
    try:
        # Typer returns the exit code of --help and of an explicit Exit when it is not standalone.
        code = run(args=arguments, prog_name="fazhi", standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "fazhi"
        said = getattr(error, "format_message", error.__str__)().rstrip(".")
        if said:  # without arguments the help itself has been shown
            print(f"fazhi: {said}; see `{path} --help`", file=sys.stderr)
        return USAGE
    except (typer.Abort, KeyboardInterrupt):
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the outermost frame: anything expected becomes one line
        told = explain_error(error)
        if debug or told is None:
            traceback.print_exc()
        if told is None:
            return 70
        print(f"fazhi: {told.line}", file=sys.stderr)
        return told.code
    except BaseException as error:
        if type(error).__name__ != "TerminationSignal":  # Prefect's word for SIGTERM; importing it is too dear
            raise
        code = INTERRUPTED
    if code == INTERRUPTED:  # Typer itself turns Ctrl-C into this code
        print("fazhi: interrupted; nothing half-done is visible, run the same command again", file=sys.stderr)
    return code if isinstance(code, int) else DONE


if __name__ == "__main__":
    sys.exit(main())
