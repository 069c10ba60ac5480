"""What an examination leaves behind: a source file with its reasons, the pages as fixtures, golden values, a test.

All of it lies in one folder: `<id>.yaml`, `fixtures/<id>/` and `test_<id>.py`. The folder serves as FAZHI_SOURCES as it
is, and `connectors.contract` checks it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from connectors.onboarding.onboard import Findings
from connectors.onboarding.trial import Detail, Trial
from connectors.registry import Source, report_year
from connectors.urls import named_host

if TYPE_CHECKING:
    from connectors.onboarding.scout import Got

_ENDLESS_PAGES = 100
_MAX_LISTS = 3
_SITE_WORDS = re.compile(r"(?:门户)?网站?(?:群)?\Z|首页|欢迎(?:您|访问|光临)?|官方")


@dataclass(frozen=True, slots=True)
class Place:
    """Where the portal is, and how sure that is."""

    code: str
    name_zh: str
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class Proposal:
    source_id: str
    yaml: str
    findings: Findings
    source: Source


def find_site_name(found: Findings) -> str:
    """The portal's name: by its metas, else by the title of its home page, else its host."""
    search = found.search
    for name in search.site_names if search else ():
        if len(name) >= 3:
            return name[:60]
    if found.home is not None:
        match = re.search(r"<title[^<>]*>([^<]{2,100})<", found.home.page.text, re.I)
        words = re.split(r"[-_|—]", " ".join(match[1].split()))[0].strip() if match else ""
        plain = _SITE_WORDS.sub("", words)
        if len(plain) >= 3:
            return plain
    return found.scout.base


def make_id(code: str, host: str, taken: frozenset[str]) -> str:
    """`<code>_<letters of the host>`, with a number where that is taken."""
    label = host.removeprefix("www.").split(".")[0]
    letters = re.sub(r"[^a-z0-9]", "", label.lower()).lstrip("0123456789") or "portal"
    number, found = 2, f"{code}_{letters}"
    while found in taken:
        found, number = f"{code}_{letters}{number}", number + 1
    return found


def propose(found: Findings, place: Place, taken: frozenset[str], today: date, name: str = "") -> Proposal:
    """The source file and what belongs to it. `taken`: ids that are in use."""
    trials = found.trials
    source_id = name or make_id(place.code, found.scout.base, taken)
    rows = {key: ref for trial in trials for key, ref in trial.rows.items()}
    wanted = _preview_source(trials, found.titles)
    reports = {ref.url: ref for trial in trials for ref in trial.reports(wanted)}
    years = sorted({year for ref in reports.values() if (year := report_year(ref.title or ""))})
    if not years:
        years = sorted({int(ref.listed_date[:4]) - 1 for ref in reports.values() if ref.listed_date})[-1:]
    is_endless = any(trial.is_endless for trial in trials)
    first = sum(len(trial.column.listing.refs) for trial in trials)
    floor = max(1, first // 2 if is_endless else len(rows) * 7 // 10)
    lines = [*(f"# {line}" for line in _comments(found, place, len(rows), list(reports.values()), today))]
    lines += [
        f"id: {source_id}",
        f"name_zh: {_quote(place.name_zh)}",
        f"name_en: {_quote(found.scout.base)}  # to be filled in by a person",
        f'region_code: "{place.code}"',
        f"engine: {trials[0].engine.name}",
        "start:",
    ]
    for trial in trials:
        lines.append(f"  - url: {_quote(trial.column.got.url)}")
        if trial.column.got.page.kind == "feed":
            lines.append("    kind: feed")
    hosts = tuple(
        dict.fromkeys(host for trial in trials for host in trial.hosts if found.scout.is_own(f"http://{host}/"))
    )
    if set(hosts) != {named_host(trial.column.got.url) for trial in trials}:
        lines.append(f"hosts: [{', '.join(hosts)}]")
    if found.titles:
        lines += ["wanted:", "  titles:", *(f"    - {_quote(title)}" for title in wanted.wanted.titles)]
    lines += ["rhythm: {every: year, expected_month: 4}", "politeness: {delay_seconds: 2}"]
    if is_endless:
        lines.append(f"lists: {{max_pages: {_ENDLESS_PAGES}}}  # the list names further pages without an end")
    lines += ["assertions:", f"  min_list_rows: {floor}", f"  report_years: {years}"]
    text = "\n".join(lines) + "\n"
    return Proposal(source_id, text, found, wanted)


def _preview_source(trials: list[Trial], titles: tuple[str, ...]) -> Source:
    from connectors.onboarding.columns import probe_source_of

    source = probe_source_of(trials[0].column.got.url, trials[0].hosts, trials[0].engine.name)
    chosen = (*source.wanted.titles, *titles)
    return source.model_copy(update={"wanted": source.wanted.model_copy(update={"titles": chosen})})


def _comments(found: Findings, place: Place, n_rows: int, reports: list[Any], today: date) -> list[str]:
    trial = found.trials[0]
    verdict = next((one for one in trial.column.verdicts if one.engine == trial.engine.name), None)
    lines = [
        f"{place.name_zh} ({found.scout.base}). Proposed by `fazhi new-source {found.url}` on {today}: look it over.",
        f"- Family {trial.engine.name}: {'; '.join(verdict.evidence[:4]) if verdict else 'read as any portal'}",
        f"- Column reached by {' → '.join(('首页', *trial.column.trail)) if trial.column.trail else 'its address'}",
    ]
    for one in found.trials:
        stated = f", {one.stated} stated" if one.stated is not None else ""
        lines.append(f"- List {one.column.got.url}: {len(one.rows)} rows{stated}; {one.end}")
    lines.append(f"- {n_rows} rows seen, {len(reports)} of them reports; {len(found.scout.asked)} requests made.")
    for detail in (detail for one in found.trials for detail in one.details):
        lines.append(f"- Read {detail.ref.url}: {tell_detail(detail)}")
    lines += [f"- Uncertain: {doubt}" for doubt in (*found.uncertain, *([place.doubt] if place.doubt else []))]
    return [" ".join(line.split())[:300] for line in lines]


def tell_detail(detail: Detail) -> str:
    """One line on a detail page: what it is, or why it could not be read."""
    article = detail.article
    if article is None:
        return f"not read: {detail.problem}"
    notes = f" ({', '.join(article.notes)})" if article.notes else ""
    return (
        f"{len(article.body.text)} characters, {len(article.attachments)} files, date "
        f"{article.published_at or 'unknown'} from {article.published_from or 'nowhere'}, source "
        f"{article.content_source or 'not stated'}{notes}"
    )


def write_proposal(proposal: Proposal, folder: Path) -> list[Path]:
    """Write source file, fixtures, golden values and test; whole files only. What a person changed is not kept."""
    fixtures = folder / "fixtures" / proposal.source_id
    fixtures.mkdir(parents=True, exist_ok=True)
    pages: list[dict[str, Any]] = []
    golden: dict[str, Any] = {"confirmed_by": "", "lists": [], "articles": []}
    written = []
    for trial in proposal.findings.trials:
        for number, got in enumerate(trial.pages[:_MAX_LISTS]):
            kind = "feed" if got.page.kind == "feed" else "list"
            pages.append(_record(fixtures, got, got.url, kind, len(pages), is_start=number == 0))
            golden["lists"].append(_golden_list(trial, got))
        for detail in trial.details:
            if detail.got is not None and detail.article is not None:
                pages.append(_record(fixtures, detail.got, detail.ref.url, "page", len(pages)))
                golden["articles"].append(golden_article(detail))
    written.append(_write(fixtures / "pages.jsonl", "".join(json.dumps(p, ensure_ascii=False) + "\n" for p in pages)))
    written.append(_write(fixtures / "golden.json", json.dumps(golden, ensure_ascii=False, indent=1) + "\n"))
    written.append(_write(folder / f"test_{proposal.source_id}.py", _TEST.format(id=proposal.source_id)))
    written.append(_write(folder / f"{proposal.source_id}.yaml", proposal.yaml))
    return written


def golden_article(detail: Detail) -> dict[str, Any]:
    """What the engine reads now of a detail page: true once a person has compared it with the page."""
    article = detail.article
    assert article is not None
    return {
        "url": detail.ref.url,
        "listed_title": detail.ref.title,
        "listed_date": detail.ref.listed_date,
        "title": article.title,
        "published_at": article.published_at,
        "published_from": article.published_from,
        "content_source": article.content_source,
        "publisher": article.publisher,
        "index_no": article.index_no,
        "document_no": article.document_no,
        "attachments": [attachment.url for attachment in article.attachments],
        "notes": list(article.notes),
        "body": article.body.text,
    }


def _golden_list(trial: Trial, got: Got) -> dict[str, Any]:
    from connectors.onboarding.columns import probe_source_of

    source = probe_source_of(trial.column.got.url, trial.hosts, trial.engine.name)
    listing = trial.engine.discover(got.page, source)
    return {
        "url": got.url,
        "rows": len(listing.refs),
        "more": len(listing.more),
        "first": [[ref.url, ref.title, ref.listed_date] for ref in listing.refs[:3]],
    }


def _record(folder: Path, got: Got, url: str, kind: str, number: int, *, is_start: bool = False) -> dict[str, Any]:
    suffix = "json" if got.body.lstrip()[:1] in (b"{", b"[") else "xml" if got.body.lstrip()[:5] == b"<?xml" else "html"
    name = f"{number:02d}-{kind}.{suffix}"
    (folder / name).write_bytes(got.body)
    return {"file": name, "url": url, "kind": kind, "content_type": got.content_type, "is_start": is_start}


def _write(path: Path, text: str) -> Path:
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.replace(path)
    return path


def _quote(text: str) -> str:
    """A YAML scalar that means the text, quoted where it must be."""
    is_plain = re.fullmatch(r"[\w\u4e00-\u9fff][\w\u4e00-\u9fff ./:?=&%~+-]*", text) and ": " not in text
    if is_plain and text[-1] != ":" and not re.fullmatch(r"[\d.:-]+|true|false|yes|no|null|on|off", text, re.I):
        return text
    return "'" + text.replace("'", "''") + "'"


_TEST = '''"""Contract of {id}: its recorded pages are read as the golden values say. Written by `fazhi new-source`."""

from pathlib import Path

from connectors.contract import check_contract


def test_contract_of_{id}() -> None:
    assert check_contract(Path(__file__).parent / "{id}.yaml") == []
'''
