"""What a run wants of a source's pages: those that are due, or a cut of them for a backfill."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from connectors.registry import report_year

Mode = Literal["due", "missing", "refetch"]


@dataclass(frozen=True, slots=True)
class Wish:
    """`due`: what a night asks. `missing`: of the cut, pages that are not held. `refetch`: the cut anew, in full.

    Years and dates are cuts, both ends included; a page must be within each that is given."""

    mode: Mode = "due"
    all_pages: bool = False
    """Every listed page, not only the annual reports."""
    years: tuple[int, int] | None = None
    """Of the report: as its title names it, else the year before it was listed."""
    published: tuple[date, date] | None = None
    """As its list dates it."""

    @property
    def is_cut(self) -> bool:
        """Whether pages are left out that a night would ask for."""
        return self.mode != "due"

    def takes(self, title: str | None, listed_date: str | None) -> bool | None:
        """Whether a page is within the cut; None where nothing says when it is from."""
        day = date.fromisoformat(listed_date) if listed_date else None
        if self.years is not None:
            year = year_of(title, listed_date)
            if year is None:
                return None
            if not self.years[0] <= year <= self.years[1]:
                return False
        if self.published is not None:
            if day is None:
                return None
            return self.published[0] <= day <= self.published[1]
        return True


DUE = Wish()
"""What a night asks."""


def year_of(title: str | None, listed_date: str | None) -> int | None:
    """The year of a listed report; where its title names none, the one before it was published."""
    named = report_year(title or "")
    return named if named is not None or listed_date is None else int(listed_date[:4]) - 1
