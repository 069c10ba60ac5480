"""`fazhi catalog check`: what is wrong with a catalogue folder, told so that a person who edits YAML can mend it.

Errors: the contract broken, a rule that cannot be read, two metrics that nothing tells apart, a metric without an
example, an example that fails. Warnings: words and units that can never be seen. Notes: what no example shows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from extraction.catalogue import Catalogue, CatalogueError, Metric, fold_of, load_catalogue
from extraction.catalogue_conflicts import Conflict, find_conflicts
from extraction.catalogue_examples import run_example
from extraction.catalogue_probes import TITLE, probe_word
from extraction.mentions import extract_mentions
from extraction.rules import RulesError, load_rules
from extraction.view import build_view
from extraction.words import WordIndex

Severity = Literal["error", "warning", "note"]
Code = Literal[
    "contract", "rules", "conflict", "no_example", "example_fails",
    "dead_word", "unseeable_word", "duplicate_word", "unused_unit", "no_definition_zh",
    "unused_topic", "redundant_word", "unused_word",
]  # fmt: skip
SEVERITY: dict[Code, Severity] = {
    "contract": "error", "rules": "error", "conflict": "error", "no_example": "error", "example_fails": "error",
    "dead_word": "warning", "unseeable_word": "warning", "duplicate_word": "warning", "unused_unit": "warning",
    "no_definition_zh": "warning", "unused_topic": "note", "redundant_word": "note",
    "unused_word": "note",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class CatalogueFinding:
    """One thing to mend: where it stands (`file` relative to the catalogue), and what it is in both languages."""

    code: Code
    file: str
    key: str
    zh: str
    en: str

    @property
    def severity(self) -> Severity:
        return SEVERITY[self.code]


def check_catalogue(folder: Path) -> tuple[CatalogueFinding, ...]:
    """All findings, errors first, then by file and key. Where the contract is broken that is the only one."""
    try:
        catalogue = load_catalogue(folder)
    except CatalogueError as error:
        return (_contract_finding("contract", str(error), folder),)
    conflicts = find_conflicts(catalogue)
    tied = {(metric.code, word) for found in conflicts for metric in (found.one, found.other) for word in found.words}
    findings = [
        *_check_rules(catalogue, folder),
        *_check_examples(catalogue),
        *map(_conflict, conflicts),
        *_check_words(catalogue, tied),
        *_check_lists(catalogue),
        *_check_units(catalogue),
        *_check_use(catalogue),
    ]
    order = list(SEVERITY)
    return tuple(sorted(findings, key=lambda one: (order.index(one.code), one.file, one.key, one.en)))


def _contract_finding(code: Code, line: str, folder: Path) -> CatalogueFinding:
    line = " ".join(line.split()).replace(f"{folder}/", "")
    file, _, rest = line.partition(": ")
    return CatalogueFinding(code, file, rest.partition(": ")[0][:80], f"不合规定：{line}", line)


def _check_rules(catalogue: Catalogue, folder: Path) -> Iterator[CatalogueFinding]:
    try:
        load_rules(catalogue.metrics, folder / "rules.yml")
    except RulesError as error:
        yield _contract_finding("rules", str(error), folder)


def _check_examples(catalogue: Catalogue) -> Iterator[CatalogueFinding]:
    for metric in catalogue.metrics.values():
        if all(example.value is None for example in metric.examples):
            zh, en = ("没有例句", "no example") if not metric.examples else ("只有反例", "only negative examples")
            yield _of(metric, "no_example", f"{zh}：至少写一句应有值的例句", f"{en}: give a sentence and its value")
        for example in metric.examples:
            if told := run_example(metric, example, catalogue):
                yield _of(metric, "example_fails", *told)
        if not metric.definition_zh.strip():
            yield _of(metric, "no_definition_zh", "缺少中文定义 definition_zh", "the key definition_zh is missing")


def _of(metric: Metric, code: Code, zh: str, en: str) -> CatalogueFinding:
    return CatalogueFinding(code, metric.file, metric.code, zh, en)


def _conflict(found: Conflict) -> CatalogueFinding:
    one, other = found.one, found.other
    where = f"{one.file}, {other.file}" if one.file != other.file else one.file
    zh = (
        f"与 {other.code} 争同一个词：{'、'.join(found.words)}（主题 {'、'.join(found.topics) or '无'}；"
        f"量词 {'、'.join(found.units)}；{where}）。"
    )
    en = (
        f"claims the same words as {other.code}: {', '.join(found.words)} (topic {', '.join(found.topics) or 'none'}; "
        f"units {', '.join(found.units)}; {where}). "
    )
    if found.sentence:
        zh += f"“{found.sentence}”两者同分，请用 topic、with、units 或 weak 区分"
        en += f"“{found.sentence}” scores alike for both: tell them apart by topic, with, units or weak"
    else:
        zh += "本指标没有 topic，文中未点明主题时就会抢走对方的数字：请写 topic，或在 not 中写出对方主题的词"
        en += "It names no topic and takes the figure where the text leaves that topic unsaid: give it a topic, or a "
        en += "word of that topic in not"
    return _of(one, "conflict", zh, en)


def _check_words(catalogue: Catalogue, tied: Collection[tuple[str, str]]) -> Iterator[CatalogueFinding]:
    """Words of a metric by which no sentence gives it. `tied`: metrics and words of conflicts told already."""
    for reading in catalogue.readings:
        metric = catalogue.metrics[reading.metric]
        for word in dict.fromkeys(reading.words):
            if not _can_be_seen(word, catalogue) or (metric.code, word) in tied:
                continue
            rivals: set[str] = set()
            for asked in probe_word(reading, word, catalogue):
                if (metric.code, word) in asked.by:
                    break
                rivals |= {code for code, by in asked.by if by == word}
            else:
                yield _dead_word(metric, word, sorted(rivals))


def _dead_word(metric: Metric, word: str, rivals: list[str]) -> CatalogueFinding:
    if rivals:
        names = "、".join(rivals)
        return _of(
            metric, "conflict",
            f"词“{word}”只归于 {names}，从不归于本指标",
            f"the word “{word}” goes to {names}, never to this metric",
        )  # fmt: skip
    return _of(
        metric, "dead_word",
        f"词“{word}”在任何合乎读法的句子里都读不出本指标（被更长的词遮住、被 not 排除，或分数太低）",
        f"no sentence that follows the reading gives the metric by the word “{word}” (inside a longer word, barred by "
        "`not`, or too weak)",
    )  # fmt: skip


def _can_be_seen(word: str, catalogue: Catalogue) -> bool:
    """The text is read in one script and width without blanks: a word written otherwise never stands in it."""
    return bool(word) and build_view(word, fold_of(catalogue)).text == word


def _word_lists(catalogue: Catalogue) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Every list of words with its file and key."""
    for code, words in catalogue.topics.items():
        yield "topics.yml", f"topics.{code}", words
    for key in ("counted", "carriers", "stages"):
        yield "topics.yml", key, getattr(catalogue, key)
    for metric in catalogue.metrics.values():
        for index, reading in enumerate(metric.readings):
            where = f"{metric.code}.readings[{index}]"
            yield metric.file, f"{where}.words", reading.words
            yield metric.file, f"{where}.with", reading.needs
            yield metric.file, f"{where}.not", reading.forbids
            yield metric.file, f"{where}.counts", reading.counts


def _check_lists(catalogue: Catalogue) -> Iterator[CatalogueFinding]:
    """Words that can never be met, stand twice, or say no more than a shorter one."""
    for file, key, words in _word_lists(catalogue):
        for word in dict.fromkeys(words):
            if words.count(word) > 1:
                yield CatalogueFinding("duplicate_word", file, key, f"“{word}”重复", f"“{word}” stands twice")
            if not _can_be_seen(word, catalogue):
                zh = f"“{word}”不会出现：文本先转为简体、半角、无空格，请照此写"
                en = f"“{word}” is never seen: text is read in simplified script, half width, without blanks"
                yield CatalogueFinding("unseeable_word", file, key, zh, en)
            shorter = next((other for other in words if other and other != word and other in word), None)
            if shorter and key.endswith((".with", ".not")):
                zh, en = f"“{word}”多余：其中已有“{shorter}”", f"“{word}” adds nothing: “{shorter}” stands in it"
                yield CatalogueFinding("redundant_word", file, key, zh, en)


def _check_units(catalogue: Catalogue) -> Iterator[CatalogueFinding]:
    """Units that no metric has, measure words that no number is read with."""
    used = {metric.unit for metric in catalogue.metrics.values()}
    for unit in catalogue.units.values():
        if unit.code not in used:
            yield CatalogueFinding("unused_unit", "units.yml", unit.code, "没有指标使用", "no metric uses this unit")
    for metric in catalogue.metrics.values():
        for written in sorted({written for reading in metric.readings for written in reading.units if written}):
            read = extract_mentions(f"共12{written}。")
            if not (read and read[0].text == f"12{written}"):
                zh = f"数字后的“{written}”不是可读的量词（lookups/quantity_words.yml）"
                en = f"“{written}” after a number is not read as a measure word (lookups/quantity_words.yml)"
                yield _of(metric, "unused_unit", zh, en)


def _check_use(catalogue: Catalogue) -> Iterator[CatalogueFinding]:
    """What no example shows."""
    named = {topic for reading in catalogue.readings for topic in reading.topics}
    for topic in catalogue.topics.keys() - named:
        yield CatalogueFinding(
            "unused_topic", "topics.yml", f"topics.{topic}",
            "没有指标引用：其句中的数字不归任何有主题的指标",
            "no metric names it: it only takes figures away from the others",
        )  # fmt: skip
    index = WordIndex(catalogue)
    for metric in catalogue.metrics.values():
        shown = {
            hit.word.text
            for example in metric.examples
            if example.value is not None
            for hit in index.find(build_view(TITLE + example.text, fold_of(catalogue)).text).names.hits
        }
        words = dict.fromkeys(word for reading in metric.readings for word in reading.words)
        if unshown := [word for word in words if word not in shown]:
            listed = "、".join(unshown)
            yield _of(
                metric, "unused_word",
                f"{len(unshown)} 个词没有例句用到：{listed}",
                f"{len(unshown)} of {len(words)} words are used by no example",
            )  # fmt: skip
