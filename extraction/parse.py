"""One report's text to everything read from it, and the records that are written out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from extraction.catalogue import Catalogue
from extraction.checks import check_document
from extraction.mentions import extract_mentions
from extraction.model import Mention, Observation, Parsed
from extraction.observations import MAX_NUMBERS, extract_observations
from extraction.periods import read_report_year
from extraction.rules import Rules
from extraction.view import build_view


def parse_report(
    text: str, catalogue: Catalogue, rules: Rules, *, title: str | None = None, publish_date: str | None = None
) -> Parsed:
    """Read a report. The year comes from its title, else from the head of its text; without a year nothing is dated."""
    year = read_report_year(build_view(text[:40000], catalogue.script).text, title, publish_date)
    mentions = extract_mentions(text)
    observations = extract_observations(text, mentions, catalogue, year, publish_date)
    notes = []
    if year is None:
        notes.append("no report year found: no observation can be dated")
    if len(mentions) > MAX_NUMBERS:
        notes.append(f"{len(mentions)} numbers: observations were read from the first {MAX_NUMBERS} only")
    return Parsed(year, mentions, observations, check_document(observations, rules), tuple(notes))


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
