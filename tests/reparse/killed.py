"""`HOME URL STEP …`: a reparse in a child that dies at the step, one after the other; prints what ended each child."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flows.reparse import reparse_documents
from tasks.mass_change import Thresholds
from tasks.reparse import Selection
from tests.reparse.house import House
from warehouse.steps import KILL_AT


def kill(home: str, url: str, *steps: str) -> None:
    for step in steps:
        child = os.fork()
        if child == 0:
            os.environ[KILL_AT] = step
            settings = House(Path(home), url, ()).settings
            reparse_documents(settings, Selection(), processes=1, thresholds=Thresholds(1, 1, 1, 1))
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    kill(*sys.argv[1:])
