"""How a process is set up that reads many pages."""

from __future__ import annotations

from tests.test_fast import ROOT, run_python

CODE = """
import gc
from fazhi.memory import settle_memory
settle_memory()
print(gc.get_threshold()[0], [bytes(size) for size in range(0, 5_000, 7)][-1] == bytes(4_998))
"""


def test_memory_is_settled_and_still_given() -> None:
    done = run_python(CODE, ROOT)
    assert (done.stdout, done.stderr) == ("50000 True\n", "")
