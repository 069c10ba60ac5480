"""The explorer's benchmark: it gives its figures, and ends with a line where the browser does not."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import explorer_browser
from benchmarks.explorer import find_places, measure
from benchmarks.explorer_browser import BrowserHung, look
from tests.explorer.serving import Served

KINDS = {"search_metrics", "search_regions", "search_reports", "filter_findings", "number"}


@pytest.mark.slow
@pytest.mark.usefixtures("browser")
def test_figures_of_server_and_browser(releases: Path) -> None:
    told = measure(releases, readers=2, seconds=1, think=0.1)
    assert told["calm"]["failed"] == told["storm"]["failed"] == [] and told["calm"]["p95"] > 0
    assert set(told["browser"]["interaction"]) == KINDS and len(told["browser"]["first_content"]) == 6


@pytest.mark.usefixtures("browser")
def test_browser_that_hangs_ends_with_a_line(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    port = int(served.address.rpartition(":")[2])
    places = find_places(port)
    monkeypatch.setattr(explorer_browser, "LONGEST_S", 0.05)
    with pytest.raises(BrowserHung, match=r"^the browser did not end within 0 s; it was at: starting the browser$"):
        look(port, places)
    monkeypatch.undo()
    with pytest.raises(BrowserHung, match="broke off at: failed: "):
        look(1, places)  # nobody listens there
