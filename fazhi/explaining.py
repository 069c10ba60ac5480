"""`fazhi explain`: a text's sentences, each number with its fate, for whoever mends a wrong value."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from extraction.catalogue import Catalogue
from extraction.explain import Explanation, NumberFate, SentenceFate, explain_report, tell_outcome
from extraction.model import Observation
from extraction.parse import mention_record, observation_record
from extraction.trace import Considered, Outcome
from fazhi.exits import USAGE, CommandFailed
from fazhi.house import load_catalog
from fazhi.parsing import read_text

_MAX_CONSIDERED = 4
"""Readings that lost, shown a number; `--json` has them all."""
_FAR: tuple[Outcome, ...] = ("unit", "topic")
_STYLES = {"holds": "green", "fails": "red", "truncated": "yellow", "differs": "yellow"}


def explain_file(path: Path, metric: str | None) -> tuple[Explanation, Catalogue]:
    """Raises CommandFailed for an unreadable file or a metric that the catalogue does not have."""
    catalogue, rules = load_catalog()
    if metric is not None and metric not in catalogue.metrics:
        near = get_close_matches(metric, catalogue.metrics, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}? " if near else ""
        raise CommandFailed(
            f"no metric has the code {metric!r}: {hint}docs/metrics.md lists all {len(catalogue.metrics)}", USAGE
        )
    return explain_report(read_text(path), catalogue, rules, metric=metric), catalogue


def print_explanation(explanation: Explanation, catalogue: Catalogue, metric: str | None) -> None:
    """Sentences in order; under each its numbers: what it is and why, or why it is nothing."""
    out = Console(highlight=False, soft_wrap=True)
    parsed = explanation.parsed
    out.print(
        f"report year {parsed.report_year or 'unknown'}: {len(parsed.mentions)} numbers, "
        f"{len(parsed.observations)} observations"
    )
    for note in parsed.notes:
        out.print(Text(note, style="yellow"))
    for sentence in explanation.sentences:
        out.print()
        out.print(_marked(sentence))
        for number in sentence.numbers:
            for line in _number_lines(number, explanation, catalogue, metric):
                out.print(line)
    if metric is not None and not explanation.sentences:
        name = catalogue.metrics[metric]
        out.print(f"\n{metric} {name.name_zh} / {name.name_en}: 没有数字接近此指标 (no number came near this metric)")
        out.print(f"words that would name it: {'、'.join(explanation.words[metric])}")


def _marked(sentence: SentenceFate) -> Text:
    shown = Text(f"[{sentence.start}] ", style="dim")
    shown.append(sentence.text, style="not dim")
    for number in sentence.numbers:
        begin, end = number.mention.start - sentence.start, number.mention.end - sentence.start
        shift = len(f"[{sentence.start}] ")
        shown.stylize("bold green" if number.observations else "bold", shift + begin, shift + end)
    return shown


def _number_lines(
    number: NumberFate, explanation: Explanation, catalogue: Catalogue, metric: str | None
) -> Iterator[Text]:
    shown = f"  {number.mention.text.strip()}"
    for index, found in number.observations:
        yield Text(f"{shown} → {_observation_line(found, catalogue)}", style="green")
        yield Text(f"      why: {_why(number, found)}")
        for check in explanation.checks_of(index):
            line = f"      {check.rule} {check.verdict}: {check.formula}"
            yield Text(line, style=_STYLES.get(check.verdict, "dim"))
    if not number.observations:
        zh, en = number.reason
        kept = f" → {number.attached_to.metric} {number.attached_to.text}" if number.attached_to else ""
        yield Text(f"{shown} · {zh} ({en}){kept}")
    lost = [seen for seen in number.considered if seen.outcome != "taken"]
    if number.observations:  # settled: only what came near, or what was asked for
        lost = [seen for seen in lost if seen.outcome not in _FAR or seen.metric == metric]
    lost.sort(key=lambda seen: seen.metric != metric)
    for seen in lost[:_MAX_CONSIDERED]:
        yield Text(f"      not {_considered_line(seen, catalogue)}", style="dim")
    if len(lost) > _MAX_CONSIDERED:
        yield Text(f"      and {len(lost) - _MAX_CONSIDERED} more readings (--json shows all)", style="dim")


def _observation_line(found: Observation, catalogue: Catalogue) -> str:
    name = catalogue.metrics[found.metric]
    parts = [f"{found.metric} {name.name_zh} / {name.name_en} = {_value(found)}", found.period, found.status]
    parts += [f"as of {found.as_of}"] if found.as_of else []
    parts += [found.qualifier] if found.qualifier != "exact" else []
    parts += [f"scope {found.scope}"] if found.scope else []
    parts += [f"dimension {found.dimension}"] if found.dimension else []
    parts += ["damaged"] if found.damaged else []
    return " · ".join(parts)


def _value(found: Observation) -> str:
    return "no value, a change only" if found.value is None else f"{found.value:f}"


def _why(number: NumberFate, found: Observation) -> str:
    taken = next((seen for seen in number.considered if seen.metric == found.metric), None)
    if taken is None:
        return found.evidence
    topic = f", topic {taken.detail}" if taken.outcome == "taken" and taken.detail else ""
    return f"{found.evidence}: word “{taken.word}” ({taken.side}){topic}"


def _considered_line(seen: Considered, catalogue: Catalogue) -> str:
    zh, en = tell_outcome(seen)
    name = catalogue.metrics[seen.metric].name_zh
    return f"{seen.metric} {name}: word “{seen.word}” ({seen.side}): {zh} ({en})"


def explanation_record(doc: str, explanation: Explanation) -> dict[str, Any]:
    """The whole explanation, ready for JSON."""
    return {
        "doc": doc,
        "report_year": explanation.parsed.report_year,
        "notes": list(explanation.parsed.notes),
        "sentences": [
            {
                "start": sentence.start,
                "end": sentence.end,
                "text": sentence.text,
                "numbers": [_number_record(doc, number, explanation) for number in sentence.numbers],
            }
            for sentence in explanation.sentences
        ],
    }


def _number_record(doc: str, number: NumberFate, explanation: Explanation) -> dict[str, Any]:
    zh, en = number.reason
    return {
        "mention": mention_record(doc, number.mention),
        "observations": [
            observation_record(doc, found)
            | {"checks": [f"{check.rule} {check.verdict}: {check.formula}" for check in explanation.checks_of(index)]}
            for index, found in number.observations
        ],
        "reason_zh": zh,
        "reason_en": en,
        "attached_to": number.attached_to.metric if number.attached_to else None,
        "considered": [
            {
                "metric": seen.metric,
                "word": seen.word,
                "side": seen.side,
                "outcome": seen.outcome,
                "detail": seen.detail,
                "score": seen.score,
            }
            for seen in number.considered
        ],
    }
