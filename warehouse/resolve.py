"""Of which place and which body a document speaks: decided by evidence, and never guessed.

The region, in this order: what the connector was told; the code at the head of the index number; a full path in the
title; the source's own region, where it agrees with the title or the title names no place; a name that only one place
has; else `ambiguous` (several places have the name) or `unknown` (no listed place has it).

A portal numbers whatever it puts up, so an index number that only repeats the source's region does not speak against
a title that names another place: that is a report put up again, and it goes to the place named.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from warehouse.authority import Body, read_body
from warehouse.batch import DocumentIn, SourceRow
from warehouse.codes import BodyCode, read_body_code
from warehouse.periods import CHINA, parse_published
from warehouse.place_names import stem_of
from warehouse.place_reading import LEAD, LONGEST_TITLE, Place, Reader, is_within
from warehouse.regions import Gazetteer, load_gazetteer

REGION_RULES = {
    "given": "given with the document",
    "index_no": "code at the head of the index number",
    "title_path": "full path in the title",
    "source": "the source's region",
    "unique_name": "the title's name belongs to one place only",
    "ambiguous": "several places have the title's name",
    "unknown": "no listed place has the title's name",
}
BODY_RULES = {
    "given": "given with the document",
    "title": "the body named in the title",
    "publisher": "the publisher, where the title names neither place nor body",
    "none": "no body named: the region's government",
    "not_a_report": "not looked for",
}
CONFIDENCES = ("high", "medium", "low", "none")

WRONG_CHECK_DIGIT = "index_no_check_digit"
UNKNOWN_REGION_CODE = "index_no_region_unknown"
CONFLICT = "region_conflict"
"""Notes on a document."""

YEARS = range(1980, 2100)
OWN_PLACE = re.compile(r"[一-鿿]{2,20}?(?:自治[县州旗区]|[省市县区旗州盟])(?=人民政府|政府|$)")
SPEAKS_FOR_ALL = re.compile(
    r"司法|法制|法治|政府(?:办|网|门户|信息)|融媒|新闻|电视|日报|信息中心|政务|公开|数据|网信|宣传|档案|督查"
)
"""Publishers that put up the whole area's report."""


@dataclass(frozen=True, slots=True)
class Evidence:
    rule: str
    words: str | None
    confidence: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """A region or a publisher's region of None is not known; an agency of None is the region's own government."""

    region_code: str | None
    region: Evidence
    agency: str | None
    body: Evidence
    publisher_region: str | None
    publisher: str | None
    """The publisher in full; None where it is the government of the document's region, or where none is stated."""
    has_publisher: bool
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Home:
    """The source's place."""

    code: str
    name: str
    own_names: tuple[str, ...]
    """What the source calls it, where no list has that."""


@dataclass(slots=True)
class _Found:
    code: str | None
    evidence: Evidence
    notes: list[str] = field(default_factory=list)


def resolve(doc: DocumentIn, source: SourceRow) -> Resolved:
    """The place and the body of a document, and of its publisher, each with its evidence."""
    gazetteer = load_gazetteer()
    home = _home_of(source.region_code, source.name_zh)
    years = _years_of(doc)
    reader = _reader(years, home)
    title = re.sub(r"\s+", "", doc.title or "")
    place = reader.at_head(title, is_report=doc.is_report)
    body = read_body(title[_body_start(title, place) :])
    if place is None and body.kind == "none" and doc.is_report:
        place = reader.anywhere(title)
        body = read_body(title[place.end :]) if place else body
    notes: list[str] = []
    code = read_body_code(doc.index_no, _all_codes())
    indexed = _region_of_code(code, gazetteer, notes)
    found = _decide(doc, home, place, indexed, gazetteer)
    notes += found.notes
    agency, evidence = _agency(doc, place, body, found.code, home, reader)
    publisher_region, publisher = _publisher(doc.publisher, found.code, home, years)
    return Resolved(
        found.code, found.evidence, agency, evidence, publisher_region, publisher, bool(doc.publisher), tuple(notes)
    )


def _decide(doc: DocumentIn, home: _Home, place: Place | None, indexed: BodyCode | None, all_: Gazetteer) -> _Found:
    if doc.region_code is not None:
        return _Found(all_.identity(doc.region_code), Evidence("given", doc.region_code, "high"))
    code = all_.identity(indexed.region) if indexed and indexed.region else None
    named = _candidates(place, home, all_)
    if named is None:
        if code is not None and indexed is not None:
            agrees = is_within(home.code, code) or is_within(code, home.code)
            strength = "high" if agrees else "medium"
            return _Found(code, Evidence("index_no", indexed.code, strength), [] if agrees else [CONFLICT])
        return _Found(home.code, Evidence("source", home.name or home.code, "medium"))
    assert place is not None, "candidates come from a place"
    if code is not None and indexed is not None:
        within = sorted(one for one in named if is_within(one, code))
        if len(within) == 1:
            return _Found(within[0], Evidence("index_no", indexed.code, "high"))
        if not within and code != home.code:
            return _Found(code, Evidence("index_no", indexed.code, "medium"), [CONFLICT])
    return _by_name(place, named, home)


def _by_name(place: Place, named: frozenset[str], home: _Home) -> _Found:
    only = next(iter(named)) if len(named) == 1 else None
    if only is not None and place.is_path:
        return _Found(only, Evidence("title_path", place.words, "high"))
    if home.code in named:
        return _Found(home.code, Evidence("source", place.words, "high"))
    near = _near(named, home.code)
    if only is None and len(near) == 1:
        return _Found(near[0], Evidence("source", place.words, "medium"))
    if only is not None:
        is_related = bool(near) or is_within(home.code, only)
        return _Found(only, Evidence("unique_name", place.words, "high" if is_related else "medium"))
    return _Found(None, Evidence("ambiguous" if named else "unknown", place.words, "none"))


def _near(named: frozenset[str], home: str) -> list[str]:
    """Those below the source's place, or else in its city."""
    for above in (home, home[:4] + "00"):
        if found := sorted(one for one in named if is_within(one, above)):
            return found
    return []


def _candidates(place: Place | None, home: _Home, gazetteer: Gazetteer) -> frozenset[str] | None:
    """The places that a name may mean; None where no place is named."""
    if place is None:
        return None
    if place.is_own:
        return frozenset({home.code})
    if not place.candidates and not home.name:
        return None  # nothing is known of the source's own place: the name is its own, for all one can tell
    return frozenset(gazetteer.identity_of(one) for one in place.candidates)


def _region_of_code(code: BodyCode, gazetteer: Gazetteer, notes: list[str]) -> BodyCode | None:
    if not code.is_valid:
        notes.append(WRONG_CHECK_DIGIT)
        return None
    if code.region is None:
        return None
    if code.region not in gazetteer.by_code:
        notes.append(UNKNOWN_REGION_CODE)
        return None
    return code


def _agency(
    doc: DocumentIn, place: Place | None, body: Body, region: str | None, home: _Home, reader: Reader
) -> tuple[str | None, Evidence]:
    """The body that a report speaks for, by its full name; None for the region's own government."""
    if doc.authority is not None:
        return doc.authority, Evidence("given", doc.authority, "high")
    if not doc.is_report:
        return None, Evidence("not_a_report", None, "none")
    prefix = _prefix(place, region, home, reader)
    if body.kind == "none" and place is None and doc.publisher:
        stated = read_publisher(doc.publisher, reader, home.name)
        if stated[1].kind == "agency" and not SPEAKS_FOR_ALL.search(doc.publisher):
            return _join(prefix, stated[1].name), Evidence("publisher", doc.publisher, "medium")
    if body.kind == "agency":
        return _join(prefix, body.name), Evidence("title", (place.words if place else "") + body.words, "high")
    if region is None and place is not None:  # two places that are not known are not one place
        return place.words + "人民政府", Evidence("title", place.words + body.words, "high")
    if body.kind == "government":
        strength = "medium" if body.is_coordinator else "high"
        return None, Evidence("title", (place.words if place else "") + body.words, strength)
    if place is not None:
        return None, Evidence("title", place.words, "high")
    return None, Evidence("none", None, "low")


@lru_cache(maxsize=4096)
def _publisher(
    stated: str | None, region: str | None, home: _Home, years: tuple[int, int]
) -> tuple[str | None, str | None]:
    """Most documents of a source state the same one."""
    if not stated:
        return region, None
    reader = _reader(years, home)
    place, body = read_publisher(stated, reader, home.name)
    named = _candidates(place, home, reader.gazetteer)
    code: str | None = home.code
    if named is not None and place is not None:
        code = _by_name(place, named, home).code
    if body.kind == "government" or (
        body.kind == "none" and place is not None and place.end == len(re.sub(r"\s+", "", stated))
    ):
        if code is not None and code == region:
            return code, None
        return code, (place.words if code is None and place else _prefix(place, code, home, reader)) + "人民政府"
    if body.kind == "agency":
        return code, _join(_prefix(place, code, home, reader), body.name)
    return code, stated


def _reader(years: tuple[int, int], home: _Home) -> Reader:
    return Reader(load_gazetteer(), *years, home.own_names, home.name)


def read_publisher(stated: str, reader: Reader, own_name: str) -> tuple[Place | None, Body]:
    """The place and the body of a name like 云水县市场监管局, 区司法局 or 云水."""
    stated = re.sub(r"\s+", "", stated[:LONGEST_TITLE])
    if own_name and stated == stem_of(own_name):
        return None, Body("government", "", stated)
    lead = LEAD.match(stated)
    start = lead.end() if lead else 0
    place = reader.known_at(stated, start)
    if place is None and (found := OWN_PLACE.match(stated, start)):
        place = Place(found[0], found.end())
    return place, read_body(stated[place.end if place else start :], is_whole=True)


def _join(place: str, body: str) -> str:
    """连云港市 + 连云港经济技术开发区管理委员会: the place is named once."""
    return body if place and body.startswith(stem_of(place)) else place + body


def _prefix(place: Place | None, region: str | None, home: _Home, reader: Reader) -> str:
    """The name of the place as it stands before a body: today's, so that one body has one name over a renaming."""
    if region is None:
        return place.words if place else ""
    if region == home.code:
        return home.name
    known = reader.gazetteer.by_code.get(region)
    return known[-1].name_zh if known else (place.last_name if place else "")


def _body_start(title: str, place: Place | None) -> int:
    if place is not None:
        return place.end
    lead = LEAD.match(title)
    return lead.end() if lead else 0


def _years_of(doc: DocumentIn) -> tuple[int, int]:
    """The years whose names a document may use: one more on either side, for lists are made at the year's end."""
    published = parse_published(doc.published_at)
    years = [doc.report_year, published.astimezone(CHINA).year if published else None]
    known = [year for year in years if year is not None and year in YEARS]
    return (min(known) - 1, max(known) + 1) if known else (2004, 9999)


@lru_cache(maxsize=4096)
def _home_of(region_code: str, name_zh: str) -> _Home:
    """What the source's place is and was called, by the list and by the source itself."""
    gazetteer = load_gazetteer()
    code = gazetteer.identity(region_code)
    versions = gazetteer.versions(code)
    stated = re.sub(r"(?:人民)?政府.*$", "", name_zh)
    place = Reader(gazetteer, 2004, 9999).known_at(stated, 0)
    if place is not None:
        stated = stated[place.end :] if place.end < len(stated) else place.last_name
    own = OWN_PLACE.fullmatch(stated)
    listed = {one.name_zh for one in versions}
    name = versions[-1].name_zh if versions and (not own or stated in listed) else (stated if own else "")
    return _Home(code, name, (stated,) if own and stated not in listed else ())


@lru_cache(maxsize=1)
def _all_codes() -> frozenset[str]:
    return frozenset(load_gazetteer().by_code)
