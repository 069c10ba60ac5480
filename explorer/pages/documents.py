"""Reports: the list, the reader, versions compared, the archived page as text."""

from __future__ import annotations

import difflib
import json
import re
from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Path, Query
from starlette.responses import RedirectResponse, Response

from explorer.reading import Passage, cut_marks, fate_of, make_marks, paragraphs, passages_of
from explorer.release import Reader
from explorer.view import Shown, View
from explorer.words import FATES

router = APIRouter()
PAGE = 50
MOST_SOURCE = 400_000
"""Characters of an archived page that are shown."""
MOST_COMPARED = 200_000
SENTENCE = re.compile(r"[^。；！？\n]+[。；！？]?")
Key = Annotated[int, Path(ge=0, le=2**63 - 1)]


@router.get("/documents")
def list_documents(
    view: Shown, region: Annotated[str, Query(pattern=r"^([0-9]{6})?$")] = "",
    year: Annotated[str, Query(pattern=r"^([0-9]{4})?$")] = "", source: Annotated[str, Query(max_length=80)] = "",
    q: Annotated[str, Query(max_length=60)] = "", page: Annotated[int, Query(ge=1, le=10_000)] = 1,
) -> Response:  # fmt: skip
    where = (
        "p.is_counted AND (? = '' OR p.region_code = ?) AND (? = '' OR p.report_year = try_cast(? AS INT)) "
        "AND (? = '' OR p.source_id = ?) AND (? = '' OR contains(p.title, ?))"
    )
    values = [region, region, year, year, source, source, q, q]
    order = "report_year DESC NULLS LAST, region_code, document_key"
    # one look at all titles: what fits is counted and put in order by narrow rows, and the page alone is read whole
    found = view.db.rows(
        f"WITH hit AS MATERIALIZED "
        f"(SELECT rowid AS at_row, report_year, region_code, document_key FROM ix.report p WHERE {where}), "
        f"page AS (SELECT at_row, (SELECT count(*) FROM hit) AS total FROM hit ORDER BY {order} LIMIT ? OFFSET ?) "
        "SELECT p.*, page.total, r.name_zh, r.name_en FROM ix.report p JOIN page ON p.rowid = page.at_row "
        f"LEFT JOIN ix.region r USING (region_code) ORDER BY {order}",
        [*values, PAGE, (page - 1) * PAGE],
    )
    total = found[0]["total"] if found else 0
    return view.page(
        "documents.html", found=found, total=total, page=page, pages=max(1, -(-total // PAGE)), region=region,
        year=year, source=source, q=q, years=[row["year"] for row in view.db.whole("report_year")],
        sources=view.db.whole("source"),
    )  # fmt: skip


def find_document(db: Reader, key: int) -> dict[str, Any]:
    found = db.row(
        "SELECT d.*, r.name_zh AS region_zh, r.name_en AS region_en, r.level, r.province_zh, r.city_zh "
        "FROM ix.document d LEFT JOIN ix.region r USING (region_code) WHERE d.document_key = ?",
        [key],
    )
    if found is None:
        raise HTTPException(404, f"no document {key}")
    return found


def find_observation(db: Reader, key: int) -> dict[str, Any]:
    """A statement by its key, whose first 20 bits are those of its document's: few documents have to be looked into."""
    low = key >> 43 << 43
    documents = db.rows(
        "SELECT document_key, part_year, region_code FROM ix.document WHERE document_key BETWEEN ? AND ?",
        [low, low + 2**43 - 1],
    )
    for one in documents:
        part = db.part("fact_observation", one["part_year"], one["region_code"])
        found = db.row(
            f"SELECT * FROM {part} WHERE document_key = ? AND observation_key = ?", [one["document_key"], key]
        )
        if found:
            return found
    raise HTTPException(404, f"no observation {key}")


@router.get("/observations/{key}")
def show_observation(view: Shown, key: Key) -> Response:
    found = find_observation(view.db, key)
    return RedirectResponse(f"/documents/{found['document_key']}#o{key}", 302)


@router.get("/documents/{key}")
def show_document(view: Shown, key: Key) -> Response:
    db = view.db
    document = find_document(db, key)
    text = text_of(db, document)
    checks = checks_of(db, document)
    observations = observations_of(db, document, checks)
    mentions = db.rows(
        f"SELECT span_start, span_end, value_text, is_damaged, n_observations FROM "
        f"{db.part('fact_mention', document['part_year'], document['region_code'])} WHERE document_key = ?",
        [key],
    )
    marks = make_marks(observations, mentions, list(FATES))
    passages = removed_from(db, key)
    marks = cut_marks(marks, passages)
    counts = {fate: sum(mark.fate == fate for mark in marks) for fate in FATES}
    return view.page(
        "document.html",
        document=document,
        paragraphs=paragraphs(text, marks),
        observations=observations,
        checks=checks,
        counts=counts,
        passages=passages,
        versions=versions_of(db, document),
        attachments=_links(document["attachments"]),
        notes=_list(document["notes"]),
        anchors={one["observation_key"]: mark.start for mark in marks for one in mark.observations},
        stated={one["observation_key"]: one for one in observations},
        tip=lambda mark: _tip(view, mark.observations, mark.fate),
        arithmetic=lambda check: _arithmetic(view, check),
        has_archive=view.house.read_page is not None and document["snapshot_file"] is not None,
    )


def removed_from(db: Reader, key: int) -> list[Passage]:
    return passages_of(db.value("SELECT removed FROM ix.removed WHERE document_key = ?", [key]) or "[]")


def text_of(db: Reader, document: dict[str, Any]) -> str:
    part = db.part("document_text", document["part_year"], document["region_code"])
    return str(db.value(f"SELECT text FROM {part} WHERE text_key = ?", [document["text_key"]]) or "")


def observations_of(db: Reader, document: dict[str, Any], checks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The statements of a document in their order, each with its fate and its checks."""
    part = db.part("fact_observation", document["part_year"], document["region_code"])
    found = db.rows(
        "SELECT o.observation_key, o.value_num::DOUBLE AS value, o.value_text, o.unit_zh, o.qualifier, o.status, "
        "o.as_of, o.scope, o.dimension, o.span_start, o.span_end, o.quote, o.quote_start, o.yoy_text, o.is_damaged, "
        "o.is_derived, o.evidence, o.extractor_version, p.period_id, m.metric_code, m.name_zh AS metric_zh, "
        "m.name_en AS metric_en, m.unit_code, m.written_zh "
        f"FROM {part} o JOIN ix.metric_version v USING (metric_key) JOIN ix.metric m ON m.metric_key = v.current_key "
        "JOIN ix.period p USING (period_key) WHERE o.document_key = ? ORDER BY o.span_start, o.position",
        [document["document_key"]],
    )
    for one in found:
        one["checks"] = [check for check in checks if one["observation_key"] in check["used"]]
        one["fate"] = fate_of(one, [check["verdict"] for check in one["checks"]])
    return found


def checks_of(db: Reader, document: dict[str, Any]) -> list[dict[str, Any]]:
    """The checks that looked at a document's figures, its own and those across documents that did not hold."""
    year, code, key = document["part_year"], document["region_code"], document["document_key"]
    columns = (
        "check_key, verdict, is_explained, expected::DOUBLE AS expected, actual::DOUBLE AS actual, c.formula, "
        "message_zh, message_en, rule_id, name_zh, name_en, kind"
    )
    own = db.rows(
        f"SELECT {columns} FROM {db.part('fact_check', year, code)} c JOIN ix.rule USING (rule_key) "
        "WHERE c.document_key = ? AND c.verdict <> 'not_applicable' ORDER BY rule_id, c.formula",
        [key],
    )
    across = db.rows(
        "SELECT f.*, r.name_zh, r.name_en FROM ix.across f JOIN ix.rule r USING (rule_id) WHERE f.region_code = ?",
        [code],
    )
    used = _used(db, {db.part("bridge_check_observation", year, code): [one["check_key"] for one in own]})
    parts: dict[str, list[int]] = {}
    for one in across:
        parts.setdefault(db.part("bridge_check_observation", one["year"], code), []).append(one["check_key"])
    used |= _used(db, parts)
    mine = key >> 43
    across = [one for one in across if any(seen >> 43 == mine for seen in used.get(one["check_key"], ()))]
    for one in (*own, *across):
        one["used"] = used.get(one["check_key"], [])
    worst = {"fails": 0, "truncated": 1, "differs": 2}
    return sorted((*own, *across), key=lambda one: (worst.get(one["verdict"], 3), one["rule_id"]))


def _used(db: Reader, checks: dict[str, list[int]]) -> dict[int, list[int]]:
    """Check to the statements that it used, by the parts in which they lie."""
    found: dict[int, list[int]] = {}
    for part, keys in checks.items():
        if keys:
            rows = db.rows(
                f"SELECT check_key, observation_key FROM {part} WHERE check_key BETWEEN ? AND ? "
                "AND check_key IN (SELECT unnest(?::BIGINT[])) ORDER BY check_key, position",
                [min(keys), max(keys), keys],
            )
            for row in rows:
                found.setdefault(row["check_key"], []).append(row["observation_key"])
    return found


def versions_of(db: Reader, document: dict[str, Any]) -> list[dict[str, Any]]:
    return db.rows(
        "SELECT document_key, version_no, is_current, is_counted, title, published_at, url FROM ix.document "
        "WHERE document_id = ? ORDER BY version_no",
        [document["document_id"]],
    )


@router.get("/documents/{key}/versions/{other}")
def compare_versions(view: Shown, key: Key, other: Key) -> Response:
    """Two versions of a text, sentence by sentence, and the statements that only one of them makes."""
    db = view.db
    new, old = find_document(db, key), find_document(db, other)
    if new["document_id"] != old["document_id"]:
        raise HTTPException(404, "these are versions of two different documents")
    before, after = text_of(db, old), text_of(db, new)
    is_cut = max(len(before), len(after)) > MOST_COMPARED
    lines = difflib.ndiff(SENTENCE.findall(before[:MOST_COMPARED]), SENTENCE.findall(after[:MOST_COMPARED]))
    facts = [{_fact(one): one for one in observations_of(db, doc, [])} for doc in (old, new)]
    return view.page(
        "versions.html",
        new=new,
        old=old,
        is_cut=is_cut,
        lines=[(line[0], line[2:]) for line in lines if line[0] in "+-"],
        removed=[one for fact, one in facts[0].items() if fact not in facts[1]],
        added=[one for fact, one in facts[1].items() if fact not in facts[0]],
    )


def _fact(one: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(one[name] for name in ("metric_code", "period_id", "status", "scope", "dimension", "value", "as_of"))


@router.get("/documents/{key}/source")
def show_source(view: Shown, key: Key) -> Response:
    """The page as it was fetched, as text: nothing of it is run, loaded or laid out."""
    document = find_document(view.db, key)
    read = view.house.read_page
    problem, source, is_cut = "", "", False
    if read is None or document["snapshot_file"] is None:
        problem = view.t("这里没有原始网页的归档。", "There is no archive of raw pages here.")
    else:
        try:
            content = read(
                document["snapshot_file"], document["snapshot_offset"] or 0, document["snapshot_length"] or 0,
                document["bytes_hash"],
            )  # fmt: skip
            source, is_cut = _decoded(content)
        except (OSError, ValueError) as error:
            problem = f"{view.t('归档中读不出此页：', 'The archive cannot give this page: ')}{error}"
    return view.page("source.html", document=document, source=source, problem=problem, is_cut=is_cut)


def _decoded(content: bytes) -> tuple[str, bool]:
    """Bytes as text: what is not UTF-8 is taken for GB 18030; control characters are made visible."""
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        text = content.decode("gb18030", errors="replace")
    text = re.sub(r"[\x00-\x08\x0b-\x1f\x7f]", "\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))
    return text[:MOST_SOURCE], len(text) > MOST_SOURCE


def _tip(view: View, observations: list[Any], fate: str) -> str:
    """What a number says when it is looked at: metric, value, period, check."""
    told = [view.words.code(FATES, fate)]
    for one in observations:
        unit = view.words.unit(one["unit_code"], one["written_zh"])
        said = f"{view.words.pick(one, 'metric')} {view.words.number(one['value'])} {unit} · {one['period_id']}"
        said += "".join(f" · {part}" for part in (one["scope"], one["dimension"]) if part)
        said += "".join(f" · {check['rule_id']} {check['formula']}" for check in one["checks"][:2])
        told.append(said)
    return " — ".join(told)


def _arithmetic(view: View, check: dict[str, Any]) -> str:
    """A check as its sum; a rate that was computed shows what is stated and what comes out."""
    number = view.words.number
    if check["kind"] in ("ratio", "share", "yoy") and check["actual"] is not None and check["expected"] is not None:
        stated = f"{number(round(check['actual'], 4))}% {view.t('原文', 'stated')}"
        return f"{stated}；{check['formula']}" if view.lang == "zh" else f"{stated}; {check['formula']}"
    return str(check["formula"])


def _links(written: str) -> list[tuple[str, str]]:
    """Attachments as (address, name); only addresses that a browser opens as a page or file."""
    found = [(str(one[0]), str(one[1]) or str(one[0])) for one in _list(written) if len(one) >= 2]
    return [(url, name) for url, name in found if url.startswith(("http://", "https://"))]


def _list(written: str) -> list[Any]:
    try:
        found = json.loads(written)
    except ValueError:
        return []
    return found if isinstance(found, list) else []
