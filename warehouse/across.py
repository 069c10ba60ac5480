"""Cross-document checks at publish: the warehouse's statements through the project's rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from extraction.checks_across import build_statement, check_across
from extraction.model import Check
from extraction.rules import read_catalogue
from warehouse.choosing import Statement
from warehouse.regions import CATALOG


def check_statements(statements: Sequence[Statement]) -> tuple[Check, ...]:
    """Findings between the reports of one authority. Raises CatalogueError or RulesError, one line."""
    told = [
        build_statement(
            document_id=one.document_id,
            published_at=_spell(one.published),
            report_year=one.told_in,
            region_code=f"{one.region_key}/{one.agency_key}",
            observation=one.stated,
        )
        for one in statements
    ]
    return check_across(told, read_catalogue(CATALOG)[1])


@lru_cache(maxsize=1_000)
def _spell(moment: datetime | None) -> str:
    """All statements of a document have the same."""
    return moment.isoformat() if moment else ""
