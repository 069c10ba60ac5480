"""The compiled engine of a run: a copy of the package, compiled once for each state of its sources."""

from __future__ import annotations

import shutil
import sys
import sysconfig
from pathlib import Path

from benchmarks.engines import ROOT
from extraction import digest_sources
from fazhi.fast import compile_copy, require_tools

CACHE = ROOT / "benchmarks" / ".build"


def prepare_compiled() -> Path:
    """The folder that holds the compiled `extraction`; a new build takes a minute or two. Raises CannotCompile."""
    folder = CACHE / f"{digest_sources(ROOT / 'extraction')[:16]}-{sysconfig.get_config_var('SOABI')}"
    if not folder.exists():
        require_tools()
        shutil.rmtree(CACHE, ignore_errors=True)
        print("Compiling the extraction for the benchmark, once for these sources ...", file=sys.stderr)
        unfinished = CACHE / "unfinished"
        compile_copy(ROOT, unfinished)
        unfinished.rename(folder)
    # The words are read beside the package, and are no part of the digest.
    shutil.copytree(ROOT / "catalog", folder / "catalog", dirs_exist_ok=True)
    return folder
