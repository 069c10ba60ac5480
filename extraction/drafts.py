"""An observation in the making, and what is written when it is finished."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal

from extraction.catalogue import Metric
from extraction.model import Observation, Status, build_observation
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
        self._sentence = -1
        """The sentence that was quoted last, from `_first` to `_last` of the stored text."""
        self._first = self._last = self._start = 0
        self._text = ""

    def _quote(self, number: Number) -> tuple[int, str]:
        """The sentence; where it is long the piece; where that is long the surroundings. Verbatim, with its place."""
        at, mention = number.start, number.mention
        sentence = start = self.structure.sentence_start(at)
        if sentence == self._sentence and self._first <= mention.start and mention.end <= self._last:
            return self._start, self._text
        end = self.structure.sentence_end(at)
        is_whole = end - start <= _MAX_QUOTE
        if not is_whole:
            start, end = self.structure.piece_start(at), self.structure.piece_end(number.end)
        if end - start > _MAX_QUOTE:
            start, end = max(start, at - _MAX_QUOTE // 2), min(end, number.end + _MAX_QUOTE // 4)
        first = min(self.view.back(start), mention.start)
        last = max(self.view.back(max(end - 1, start)) + 1, mention.end)
        written = self.stored[first:last]
        quote = written.strip()
        opening = first + len(written) - len(written.lstrip())
        if is_whole and first < mention.start and mention.end < last:
            self._sentence, self._first, self._last, self._start, self._text = sentence, first, last, opening, quote
        return opening, quote

    def finish(self, draft: Draft) -> Observation:
        """In the order of the fields: by name it would take half as long again."""
        mention, metric, has_value = draft.number.mention, draft.metric, draft.has_value
        quote_start, quote = self._quote(draft.number)
        return build_observation(
            metric.code,
            mention.start,
            mention.end,
            mention.text,
            mention.value if has_value else None,
            metric.unit,
            mention.unit_zh,
            draft.period,
            draft.status,
            mention.qualifier,
            quote,
            quote_start,
            mention.value_low if has_value else None,
            mention.value_high if has_value else None,
            draft.as_of,
            draft.scope,
            draft.dimension,
            draft.parent,
            draft.share_percent,
            draft.share_of,
            draft.yoy_percent,
            draft.yoy_text,
            draft.yoy_change,
            False,
            mention.damaged,
            draft.why,
        )
