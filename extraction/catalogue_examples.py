"""The example sentences of the catalogue, run: each must give its value, or the reader is told where it was lost."""

from __future__ import annotations

from collections.abc import Iterator

from extraction.catalogue import Catalogue, Example, Metric
from extraction.catalogue_probes import TITLE, YEAR
from extraction.explain import NumberFate, Told, explain_report, tell_outcome
from extraction.mentions import extract_mentions
from extraction.model import Observation
from extraction.observations import extract_observations
from extraction.rules import Rules


def run_example(metric: Metric, example: Example, catalogue: Catalogue) -> Told | None:
    """What is wrong with an example, in Chinese and English, or None. It is read under a title of 2022."""
    text = TITLE + example.text
    found = [o for o in extract_observations(text, extract_mentions(text), catalogue, YEAR) if o.metric == metric.code]
    if example.value is None:
        return _must_be_silent(example, found[0]) if found else None
    period = example.period or str(YEAR)
    if any((o.value, o.status, o.period) == (example.value, example.status, period) for o in found):
        return None
    wanted = f"{example.value} ({example.status}, {period})"
    got = [f"{o.value} ({o.status}, {o.period})" for o in found]
    reasons = [] if any(o.value == example.value for o in found) else list(_reasons(metric.code, example, catalogue))
    return (
        "；".join([f"例句“{example.text}”应得 {wanted}，实得 {'、'.join(got) or '无'}", *(zh for zh, _ in reasons)]),
        "; ".join(
            [f"“{example.text}” must give {wanted}, gives {', '.join(got) or 'nothing'}", *(en for _, en in reasons)]
        ),
    )


def _must_be_silent(example: Example, found: Observation) -> Told:
    return (
        f"例句“{example.text}”不应有值，却由“{found.text}”得 {found.value}（{found.evidence}）",
        f"“{example.text}” must give nothing, gives {found.value} from “{found.text}” ({found.evidence})",
    )


def _reasons(code: str, example: Example, catalogue: Catalogue) -> Iterator[Told]:
    """Where the claim on the expected number was lost; where no number has that value, that of every number."""
    told = explain_report(TITLE + example.text, catalogue, Rules((), catalogue.metrics, {}))
    numbers = [number for sentence in told.sentences for number in sentence.numbers]
    fitting = [number for number in numbers if number.mention.value == example.value]
    if not fitting:
        seen = "、".join(number.mention.text for number in numbers)
        yield (
            f"没有读出 {example.value}，读出的数是 {seen or '无'}",
            f"no number of that value is read ({seen or 'none'})",
        )
    for number in fitting:
        yield from _reason(code, number, catalogue)


def _reason(code: str, number: NumberFate, catalogue: Catalogue) -> Iterator[Told]:
    written = number.mention.text
    if number.observations:
        for _, found in number.observations:
            name = catalogue.metrics[found.metric].name_zh
            yield (
                f"“{written}”归于 {found.metric}（{name}；{found.evidence}）",
                f"“{written}” goes to {found.metric} ({found.evidence})",
            )
    else:
        yield f"“{written}”：{number.reason[0]}", f"“{written}”: {number.reason[1]}"
    near = next((seen for seen in number.considered if seen.metric == code), None)
    if near is None:
        yield f"附近没有 {code} 的指标词", f"no word of {code} stands near it"
    else:
        zh, en = tell_outcome(near)
        yield f"{code} 的词“{near.word}”：{zh}", f"word “{near.word}” of {code}: {en}"
