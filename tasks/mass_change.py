"""Mass drops stop the line: how much of a source's figures may go or change before nothing of it is published.

A reparse compares what another extraction makes of the same pages; a night compares what portals show now. Both are
judged by shares of the figures that were there before, and let through by a reason that is recorded.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from warehouse.batch import LoadBatch
from warehouse.checkup import DataTestFailed
from warehouse.engine import Engine
from warehouse.mass import Altered, count_altered

HELD_BACK = "held back 暂缓发布"
"""In the line of a source of which nothing was published because of a mass change."""


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Beyond which difference nothing is published: shares of the figures that were there before."""

    removed: float = 0.05
    """Of one source's figures."""
    changed: float = 0.10
    all_removed: float = 0.02
    """Of the figures of all sources that pass by themselves."""
    all_changed: float = 0.05
    floor: int = 20
    """So many figures may always go, or change: of a few, one is a large share."""
    accept_mass_change: str = ""
    """Why more is to be published all the same; it is recorded with the changes."""

    def __post_init__(self) -> None:
        for name in ("removed", "changed", "all_removed", "all_changed"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f"{name}: a share is a number from 0 to 1")
        if self.floor < 0:
            raise ValueError("floor: a number of figures, 0 or more")

    def judge(self, counts: Counter[str], n_figures: int, *, of_all: bool = False) -> str:
        """What is too much, in words; empty where nothing is."""
        shares = {"removed": self.removed, "changed": self.changed}
        if of_all:
            shares = {"removed": self.all_removed, "changed": self.all_changed}
        for kind, share in shares.items():
            if counts[kind] > self.floor and counts[kind] > share * n_figures:
                part = counts[kind] / max(n_figures, 1)
                return (
                    f"{counts[kind]:,} of {n_figures:,} figures would be {kind} ({part:.1%}; the threshold is "
                    f"{share:.1%}, and more than {self.floor} figures)"
                )
        return ""


NIGHT = Thresholds(removed=0.25, changed=0.5)
"""Of a crawl. Wider than those of a reparse: a portal may put another report in the place of one, and of the few that a
county has, one is a large share; but a quarter of its figures gone, or half of them other ones, is seen by somebody."""


class MassChange(DataTestFailed):
    """Too many figures of a source would go or change; nothing of the batch is published."""


def hold_back(engine: Engine, batch: LoadBatch, altered: Altered, accepted: str) -> str:
    """Judge a batch of a crawl before it is loaded, together with those of the same run before it (`altered`).

    What is to be told where a reason (`accepted`) lets a mass change through; else nothing. Raises MassChange."""
    if not count_altered(engine, batch, altered):
        return ""
    source_id = batch.source.source_id
    why = NIGHT.judge(altered.counts, altered.n_figures)
    if not why:
        return ""
    if accepted:
        return f"{source_id}: mass change accepted 已接受大量变动 ({accepted}): {why}"
    raise MassChange(
        f"{source_id}: {HELD_BACK}: {why}; what was there stays, and the pages are in the archive. Look at the portal, "
        "then mend the source, or let it through: accept_mass_change=REASON (--accept-mass-change REASON)"
    )
