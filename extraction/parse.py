"""One report's text to everything read from it, and the records that are written out."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache
from typing import Any

from extraction.catalogue import Catalogue
from extraction.checks import check_document
from extraction.derived import derive_values
from extraction.lexicon import load_lexicon
from extraction.mentions import MAX_CHARACTERS, scan_mentions
from extraction.model import Mention, Observation, Parsed
from extraction.observations import extract_observations
from extraction.periods import read_report_year
from extraction.rules import Rules
from extraction.view import Folding, build_view


@lru_cache(maxsize=4)
def _compile_folding(catalogue: Catalogue) -> Folding:
    return Folding({**load_lexicon().traditional, **catalogue.script})


def parse_report(
    text: str, catalogue: Catalogue, rules: Rules, *, title: str | None = None, publish_date: str | None = None
) -> Parsed:
    """Read a report. The year comes from its title, else from the head of its text; without a year nothing is dated."""
    view = build_view(text[:MAX_CHARACTERS], _compile_folding(catalogue))
    year = read_report_year(view.text, title, publish_date)
    notes = []
    if year is None:
        notes.append("no report year found: no observation can be dated")
    mentions, read_to = scan_mentions(text, view=view)
    if read_to < len(text):
        notes.append(f"read to character {read_to} of {len(text)}, {len(mentions)} numbers: the rest was not read")
        text = text[:read_to]
        view = build_view(text, _compile_folding(catalogue))
    observations = extract_observations(text, mentions, catalogue, year, publish_date, view=view)
    checks = check_document(observations, rules, mentions, text)
    return Parsed(year, mentions, observations, checks, tuple(notes), derive_values(text, observations, mentions))


def _plain(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == value.to_integral_value() else float(value)


def _without_empty(record: dict[str, Any], *keep: str) -> dict[str, Any]:
    """Zero is a value; None, an empty text and False are not, except under the keys of `keep`."""
    return {
        key: value
        for key, value in record.items()
        if key in keep or not (value is None or value is False or value == "")
    }


def observation_record(doc: str, obs: Observation) -> dict[str, Any]:
    """A JSON-ready record with the field names of the hand-made gold; fields without a value are left out."""
    record = {
        "doc": doc,
        "metric": obs.metric,
        "value": _plain(obs.value),
        "unit": obs.unit,
        "unit_zh": obs.unit_zh,
        "period": obs.period,
        "as_of": obs.as_of,
        "qualifier": obs.qualifier,
        "status": obs.status,
        "scope": obs.scope,
        "dimension": obs.dimension,
        "value_low": _plain(obs.value_low),
        "value_high": _plain(obs.value_high),
        "breakdown_of": obs.breakdown_of,
        "share_percent": _plain(obs.share_percent),
        "share_of": obs.share_of,
        "yoy_percent": _plain(obs.yoy_percent),
        "yoy_text": obs.yoy_text,
        "yoy_change": _plain(obs.yoy_change),
        "is_derived": obs.is_derived,
        "corrupt": obs.damaged,
        "quote": obs.quote,
        "quote_start": obs.quote_start,
        "start": obs.start,
        "end": obs.end,
        "text": obs.text,
        "evidence": obs.evidence,
    }
    return _without_empty(record, "value", "unit_zh", "as_of", "scope", "dimension")


def mention_record(doc: str, mention: Mention) -> dict[str, Any]:
    """A JSON-ready record of a mention, as in the hand-made mentions."""
    record = {
        "doc": doc,
        "start": mention.start,
        "end": mention.end,
        "text": mention.text,
        "value": _plain(mention.value),
        "unit_zh": mention.unit_zh,
        "numeral": mention.numeral,
        "qualifier": mention.qualifier,
        "value_low": _plain(mention.value_low),
        "value_high": _plain(mention.value_high),
        "corrupt": mention.damaged,
    }
    return _without_empty(record, "value", "unit_zh")
