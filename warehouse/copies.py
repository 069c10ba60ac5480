"""The same report in several places: county, city and province portals, reposts, forged copies.

Texts of reports are compared by shingles of twelve characters, blanks left out, of which the same eighth is kept of
every text. Two reports that share most of them are one report; which is the original is decided by evidence, and what
one says and the other does not is shown. Nothing is merged here: identical texts are counted once by the loader
(`same_text_as`), near-identical ones are for a person to judge.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from sqlalchemy import Engine, select

from warehouse.document_diff import diff_texts
from warehouse.engine import reading
from warehouse.schema import dim_document, document_text
from warehouse.schema_dims import dim_region, dim_source

_SHINGLE = 12
_KEPT = 8
"""One of so many shingles is kept."""
MIN_SHARED = 0.7
"""Share of the kept shingles of the shorter text that two copies have in common."""
_MIN_TEXT = 200
_MOST_HOLDERS = 200
"""A shingle in more reports than this is a phrase of the trade; it links nobody."""


@dataclass(frozen=True, slots=True)
class Text:
    document_id: str
    source_id: str
    published_at: str | None
    index_no: str | None
    year: int | None
    is_home: bool
    """The document's region is that of the portal."""
    text: str


@dataclass(frozen=True, slots=True)
class Copy:
    """Two places of one report. `evidence` says why the first counts as the original."""

    original_id: str
    copy_id: str
    shared: float
    is_identical: bool
    evidence: str
    differences: tuple[tuple[str, str], ...]
    """(what the original says, what the copy says), empty where one says nothing."""


def find_copies(engine: Engine) -> list[Copy]:
    """Pairs of current reports, at different addresses, that are one report; in order of their originals."""
    doc, text = dim_document.c, document_text.c
    chosen = (
        select(
            doc.document_id, doc.published_at, doc.index_no, doc.report_year, text.text, dim_source.c.source_id,
            dim_region.c.region_code, dim_source.c.region_key.label("source_region"), doc.region_key,
        )
        .join(document_text, text.text_key == doc.text_key)
        .join(dim_source, dim_source.c.source_key == doc.source_key)
        .join(dim_region, dim_region.c.region_key == doc.region_key)
        .where(doc.is_current, doc.is_report)
        .order_by(doc.document_id)
    )  # fmt: skip
    with reading(engine) as conn:
        texts = [_text(row) for row in conn.execute(chosen).mappings()]
    return link(one for one in texts if len(one.text) >= _MIN_TEXT)


def _text(row: Any) -> Text:
    return Text(
        row["document_id"], row["source_id"], row["published_at"], row["index_no"], row["report_year"],
        row["source_region"] == row["region_key"], row["text"],
    )  # fmt: skip


def link(texts: Iterable[Text]) -> list[Copy]:
    """Pure: the pairs among some texts. Compared are only texts that share a shingle at all."""
    known = {one.document_id: one for one in texts}
    sketches = {name: sketch(one.text) for name, one in known.items()}
    holders: dict[int, list[str]] = defaultdict(list)
    for name, marks in sketches.items():
        for one in marks:
            holders[one].append(name)
    shared: Counter[tuple[str, str]] = Counter()
    for names in holders.values():
        if 1 < len(names) <= _MOST_HOLDERS:
            shared.update(combinations(sorted(names), 2))
    copies = []
    for (a, b), n in shared.items():
        share = n / max(1, min(len(sketches[a]), len(sketches[b])))
        years = {known[a].year, known[b].year} - {None}
        if share >= MIN_SHARED and len(years) < 2:  # last year's text put up again is another report
            copies.append(_pair(known[a], known[b], share))
    return sorted(copies, key=lambda one: (one.original_id, one.copy_id))


def sketch(text: str) -> frozenset[int]:
    """The kept shingles of a text, as numbers that are the same on every machine."""
    plain = "".join(text.split())
    marks = set()
    for start in range(max(1, len(plain) - _SHINGLE + 1)):
        digest = hashlib.blake2b(plain[start : start + _SHINGLE].encode("utf-8", "surrogatepass"), digest_size=8)
        number = int.from_bytes(digest.digest(), "big")
        if number % _KEPT == 0:
            marks.add(number)
    return frozenset(marks)


def _pair(a: Text, b: Text, share: float) -> Copy:
    original, copy, evidence = _choose(a, b)
    is_identical = "".join(a.text.split()) == "".join(b.text.split())
    differences: Sequence[tuple[str, str]] = ()
    if not is_identical:
        differences = [("".join(hunk.removed), "".join(hunk.added)) for hunk in diff_texts(original.text, copy.text)]
    return Copy(
        original.document_id, copy.document_id, round(min(1.0, share), 3), is_identical, evidence, tuple(differences)
    )


def _choose(a: Text, b: Text) -> tuple[Text, Text, str]:
    """The original by evidence: its own place's portal, an index number, the earlier date; else the first by name."""
    if a.is_home != b.is_home:
        return (a, b, "on the portal of its own place") if a.is_home else (b, a, "on the portal of its own place")
    if bool(a.index_no) != bool(b.index_no):
        return (a, b, "it has an index number") if a.index_no else (b, a, "it has an index number")
    days = [(one.published_at or "9999")[:10] for one in (a, b)]
    if days[0] != days[1]:
        return (a, b, "published earlier") if days[0] < days[1] else (b, a, "published earlier")
    return (a, b, "none: the first by its address")
