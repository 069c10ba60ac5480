"""The texts of a run and the hand-made gold beside them."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.engines import Span

REPORT_SIZE = 10_000
_COUNT = re.compile(r"(?<![\d.])\d{1,5}(?=[余多]?[件份次人名场个项条起宗户家篇卷册处期批])")
_SMALL_NUMBER = re.compile(r"(?<![\d.])\d{1,3}(?![\d年月日])")


@dataclass(frozen=True, slots=True)
class GoldDocument:
    """A text with its gold mentions; `soft` ones are borderline and count in neither direction."""

    name: str
    text: str
    firm: tuple[Span, ...]
    soft: tuple[Span, ...]


def read_text(path: Path) -> str:
    """A text with its line ends as they are: offsets count them."""
    with path.open(encoding="utf-8", newline="") as file:
        return file.read()


def load_gold(marks: Path, texts: Path) -> list[GoldDocument]:
    """The documents of a gold file `mentions.jsonl`, whose texts are `texts/<doc>.txt`; nothing where it is absent."""
    if not marks.exists():
        return []
    by_doc: dict[str, list[tuple[bool, Span]]] = {}
    for line in marks.read_text(encoding="utf-8").splitlines():
        if line.strip():
            item = json.loads(line)
            value = None if item["value"] is None else float(item["value"])
            by_doc.setdefault(item["doc"], []).append(
                (bool(item.get("borderline")), (item["start"], item["end"], value))
            )
    return [
        GoldDocument(
            doc,
            read_text(texts / f"{doc}.txt"),
            tuple(span for is_soft, span in marks_of if not is_soft),
            tuple(span for is_soft, span in marks_of if is_soft),
        )
        for doc, marks_of in sorted(by_doc.items())
    ]


def load_pools(folders: Mapping[str, Path]) -> dict[str, str]:
    """For each folder that has texts, the texts one after the other. Raises ValueError when no folder has any."""
    pools = {
        name: "\n".join(read_text(path) for path in sorted(folder.glob("*.txt"))) for name, folder in folders.items()
    }
    filled = {name: pool for name, pool in pools.items() if pool.strip()}
    if not filled:
        raise ValueError(f"no texts (*.txt) to measure with in {', '.join(map(str, folders.values()))}")
    return filled


def cut_reports(pool: str, size: int = REPORT_SIZE, most: int = 12) -> list[str]:
    """The pool cut into reports of `size` characters, without the remainder; a pool shorter than that is repeated."""
    long_enough = pool * (size // len(pool) + 1) if len(pool) < size else pool
    return [long_enough[at : at + size] for at in range(0, len(long_enough) - size + 1, size)][:most]


def vary(text: str, seed: int) -> str:
    """The text with other small numbers in it, so that no cache can answer for a repeated sentence."""
    source = random.Random(seed)
    return _SMALL_NUMBER.sub(
        lambda match: str(source.randint(10 ** (len(match[0]) - 1), 10 ** len(match[0]) - 1)), text
    )


def scale(text: str, factor: int) -> str:
    """The text with all its counts so many times as large: what adds up still does, and rates and years stay."""
    return _COUNT.sub(lambda match: str(int(match[0]) * factor), text)


def grow(pool: str, size: int) -> str:
    """A text of `size` characters: the pool again and again, each time with other numbers."""
    parts = [vary(pool[:size], seed) for seed in range(size // len(pool) + 1)]
    return "".join(parts)[:size]
