"""`python -m tests.nightly.killed FOLDER SOURCES STEP …`: for each step a nightly that dies there, then one that does
not, each in a fork of this process, which has imported the program once. Prints what ended each child."""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path

from warehouse.steps import KILL_AT


def run(home: Path, sources: list[str], step: str) -> int:
    """Exit code of a nightly; negative: the signal that killed it. An empty step kills nobody."""
    child = os.fork()
    if child == 0:
        os.environ.update({"FAZHI_HOME": str(home), KILL_AT: step})
        try:
            from flows.nightly import run_nightly

            os._exit(len(run_nightly(sources, False).failed_sources))
        except BaseException:  # noqa: BLE001 - the child ends here, whatever happens
            traceback.print_exc()
            os._exit(70)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def prepare() -> None:
    """What each child would have to import and compile again. Nothing here starts a thread, which no fork survives."""
    import fastapi  # noqa: F401 - Prefect does so in a run
    import pandas  # noqa: F401 - and so does pyarrow

    import flows.nightly  # noqa: F401
    from extraction.parse import parse_report
    from extraction.rules import read_catalogue
    from fazhi.house import load_catalog
    from warehouse.dictionary import render_dictionary
    from warehouse.regions import CATALOG

    parse_report("2024年，全县共收到行政复议申请3件。", *load_catalog())
    read_catalogue(CATALOG)
    render_dictionary()


def main(folder: str, sources: str, *steps: str) -> None:
    prepare()
    for step in steps:
        home = Path(folder) / (step or "whole")
        if step:
            print(step, run(home, sources.split(","), step), flush=True)
        print(step or "whole", run(home, sources.split(","), ""), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
