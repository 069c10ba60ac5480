"""Page furniture inside a body: what `catalog/lookups/chrome.yml` lists, found by element name or by line."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING

from extraction.spam import LOOKUPS
from extraction.textmap import Removed
from extraction.yaml_file import read_yaml

if TYPE_CHECKING:
    from lxml.html import HtmlElement

    from extraction.textmap import Line, Run

_MAX_ELEMENT = 400
"""An element named like furniture that holds more characters is a body with an unlucky name."""
MAX_NAMES = 500
"""Characters of a class or id that are read."""
_MAX_LINE = 200
_BULLETS = "·•◆■▪►>-—"
_BARE = frozenset(f"{_BULLETS} ")
"""What a line can begin with that holds nothing but bullets: a row of cells may begin with a blank of ours."""
_ATTACHMENT_REST = re.compile(
    r"[附件下载点击相关列表一二三四五六七八九十及与、.．,，;；:：|\s\d()（）【】\[\]《》kKmMbB]*"
)


@dataclass(frozen=True, slots=True)
class _Furniture:
    elements: frozenset[str]
    any_line: re.Pattern[str]
    """All the patterns in one: most lines are told by it alone."""
    lines: re.Pattern[str]
    attachment_headings: re.Pattern[str]
    neighbours: re.Pattern[str]
    related_headings: re.Pattern[str]


@lru_cache(maxsize=1)
def _furniture() -> _Furniture:
    data = read_yaml(LOOKUPS / "chrome.yml")
    names = {field.name for field in fields(_Furniture)} - {"elements"}
    sources = {name: "|".join(data[name]) for name in sorted(names) if name in data}
    sources["any_line"] = "|".join(sources.values())
    patterns = {name: re.compile(source) for name, source in sources.items()}
    return _Furniture(elements=frozenset(data["elements"]), **patterns)


def is_furniture(element: HtmlElement) -> bool:
    """Whether an element is furniture by its class or id, and short enough to be no body."""
    if not any(names_furniture((element.get(name) or "")[:MAX_NAMES]) for name in ("class", "id")):
        return False
    return len("".join(element.text_content().split())) <= _MAX_ELEMENT


@lru_cache(maxsize=4096)
def names_furniture(names: str) -> bool:
    """Whether one of the names in a class or id is that of furniture. Editors repeat a few, hence the cache."""
    return not _furniture().elements.isdisjoint(names.lower().split())


def is_furniture_line(text: str) -> bool:
    """Whether a whole line is furniture by its words alone."""
    return len(text) <= _MAX_LINE and _furniture().lines.fullmatch(text) is not None


def may_be_furniture(text: str) -> bool:
    """Whether a line without links may be furniture. Most lines are none, and told by this alone."""
    return len(text) <= _MAX_LINE and (text[0] in _BARE or _furniture().any_line.fullmatch(text) is not None)


def drop_furniture(lines: list[Line], removed: list[Removed]) -> list[Line]:
    """The lines that are body; the others go to `removed`."""
    known = _furniture()
    kinds = [_judge(line, known) for line in lines]
    _cut_related(lines, kinds)
    _settle_headings(kinds)
    kept: list[Line] = []
    for line, kind in zip(lines, kinds, strict=True):
        if kind in ("attachment", "furniture"):
            removed.append(Removed(kind, line.text[:_MAX_LINE], line.runs()[0].node))
        else:
            kept.append(line)
    return kept


def _judge(line: Line, known: _Furniture) -> str:
    """`attachment`, `furniture`, `heading` (of attachments), `related`, `link`, or empty for body."""
    text, has_link = line.text, line.has_link()
    if has_link:
        runs = line.runs()
        rest = [run.text for run in runs if not run.is_file]
        if len(rest) < len(runs) and _ATTACHMENT_REST.fullmatch("".join(rest)):
            return "attachment"
    if len(text) > _MAX_LINE:
        return ""
    if known.any_line.fullmatch(text) is None:
        return "link" if (has_link or text[0] in _BARE) and _is_mere_link(line.runs()) else ""
    if known.lines.fullmatch(text):
        return "furniture"
    if known.neighbours.fullmatch(text) and (has_link or text.rstrip("。").endswith(("没有了", "无", "没有"))):
        return "furniture"
    if known.attachment_headings.fullmatch(text):
        return "heading"
    if known.related_headings.fullmatch(text):
        return "related"
    return "link" if _is_mere_link(line.runs()) else ""


def _is_mere_link(runs: list[Run]) -> bool:
    return all(run.is_link or not run.text.strip(_BULLETS) for run in runs)


def _cut_related(lines: list[Line], kinds: list[str]) -> None:
    """A related list runs from its heading to the end; one line of plain text after it makes it body."""
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index] == "related":
            kinds[index:] = ["furniture"] * (len(kinds) - index)
        elif kinds[index] not in ("link", "furniture", "attachment", "heading") and not _is_dated_link(lines[index]):
            return


def _is_dated_link(line: Line) -> bool:
    """A link with a date beside it, as related lists print them."""
    runs = line.runs()
    rest = "".join(run.text for run in runs if not run.is_link)
    return any(run.is_link for run in runs) and re.fullmatch(r"[\d\-/.年月日\[\]()（）·•|]{0,24}", rest) is not None


def _settle_headings(kinds: list[str]) -> None:
    """An attachment heading goes when what follows it, or nothing, is body."""
    following = "furniture"
    for index in range(len(kinds) - 1, -1, -1):
        if kinds[index] == "heading":
            kinds[index] = "attachment" if following in ("attachment", "furniture") else ""
        following = kinds[index]
