"""Text nodes to lines."""

from __future__ import annotations

import pytest

from extraction.textmap import LineBuilder


@pytest.mark.parametrize("before", ["", "全县", "全县\n", "all "])
def test_a_node_without_text_adds_nothing(before: str) -> None:
    with_it, without = LineBuilder(), LineBuilder()
    for builder in (with_it, without):
        builder.add(before, "0")
        if builder is with_it:
            builder.add("", "1")
        builder.add("2024年", "2")
        builder.end_line()
    assert with_it.lines == without.lines
    assert [run.node for line in with_it.lines for run in line.runs()] == (["0", "2"] if before else ["2"])
