"""An observation in the making, and what is written when it is finished."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from extraction.catalogue import Metric
from extraction.model import Observation, Status
from extraction.structure import Structure
from extraction.view import View
from extraction.windows import Number

_MAX_QUOTE = 120
_ORGAN = re.compile(r"政府|部门|镇|乡|街道|局|院|委|村|社区|级|单位|全[市县区]")


@dataclass(slots=True)
class Draft:
    """An observation in the making."""

    number: Number
    metric: Metric
    status: Status
    period: str
    as_of: str | None
    why: str
    parent: int | None = None
    scope: str | None = None
    dimension: str | None = None
    has_value: bool = True
    share_percent: Decimal | None = None
    share_of: str | None = None
    yoy_percent: Decimal | None = None
    yoy_text: str | None = None
    yoy_change: Decimal | None = None

    def name_part(self, label: str) -> None:
        """A label says who (scope) or which kind (dimension)."""
        if _ORGAN.search(label):
            self.scope = label
        else:
            self.dimension = label


class Finisher:
    """Turns drafts into observations: spans of the stored text and a quote."""

    def __init__(self, stored: str, view: View, structure: Structure) -> None:
        self.stored, self.view, self.structure = stored, view, structure

    def _quote(self, number: Number) -> tuple[int, str]:
        """The sentence; where it is long the piece; where that is long the surroundings. Verbatim, with its place."""
        start = self.structure.sentence_start(number.start)
        end = self.structure.sentence_end(number.start)
        if end - start > _MAX_QUOTE:
            start, end = self.structure.piece_start(number.start), self.structure.piece_end(number.end)
        if end - start > _MAX_QUOTE:
            start, end = max(start, number.start - _MAX_QUOTE // 2), min(end, number.end + _MAX_QUOTE // 4)
        first, last = self.view.back(start), self.view.back(max(end - 1, start)) + 1
        quote = self.stored[min(first, number.mention.start) : max(last, number.mention.end)]
        return min(first, number.mention.start) + len(quote) - len(quote.lstrip()), quote.strip()

    def finish(self, draft: Draft) -> Observation:
        mention = draft.number.mention
        quote_start, quote = self._quote(draft.number)
        return Observation(
            metric=draft.metric.code,
            start=mention.start,
            end=mention.end,
            text=mention.text,
            value=mention.value if draft.has_value else None,
            unit=draft.metric.unit,
            unit_zh=mention.unit_zh,
            period=draft.period,
            status=draft.status,
            qualifier=mention.qualifier,
            quote=quote,
            quote_start=quote_start,
            value_low=mention.value_low if draft.has_value else None,
            value_high=mention.value_high if draft.has_value else None,
            as_of=draft.as_of,
            scope=draft.scope,
            dimension=draft.dimension,
            breakdown_of=draft.parent,
            share_percent=draft.share_percent,
            share_of=draft.share_of,
            yoy_percent=draft.yoy_percent,
            yoy_text=draft.yoy_text,
            yoy_change=draft.yoy_change,
            damaged=mention.damaged,
            evidence=draft.why,
        )
