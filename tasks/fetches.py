"""Attempts as rows of the fetch log: those of this run, and those of runs that did not live to log them.

Of an attempt that brought a page, or was told that it is not modified, what the frontier holds of the page tells
enough. Of all others it keeps a word of their own (`tried`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Literal

from connectors.archive import SnapshotRef
from connectors.crawled import Seen
from connectors.http.client import Attempt
from warehouse.batch import FetchRow
from warehouse.batch import SnapshotRef as StoredRef
from warehouse.frontier import FrontierRow

OUTCOMES = {name: name for name in ("not_modified", "same_bytes", "same_text")}
"""What is told of an answer beside `ok`."""
_BROUGHT = ("ok", "not_modified")
_ROBOTS: Mapping[str, Literal["allowed", "denied", "unknown", "not_asked"]] = {
    "allowed": "allowed",
    "denied": "denied",
    "unreachable": "unknown",
    "not_checked": "not_asked",
}
_OF_ANOTHER = "answered to a run that did not end"
asking: ContextVar[str] = ContextVar("asking")
"""The source that the running asyncio task crawls: several may share a host."""


def stored_ref(ref: SnapshotRef) -> StoredRef:
    return StoredRef(ref.file, ref.offset, ref.length, ref.sha256)


def sort_attempts(
    attempts: Mapping[str, list[Attempt]], *tell: Callable[[str, Attempt], None]
) -> Callable[[Attempt], None]:
    """Attempts come from one client; each belongs to the source that is asking just then, whatever the host."""

    def keep(attempt: Attempt) -> None:
        source_id = asking.get()
        attempts[source_id].append(attempt)
        for one in tell:
            one(source_id, attempt)

    return keep


def tells_more(attempt: Attempt) -> bool:
    """Whether there is more to log of an attempt than what is written down of the page that was asked for."""
    return attempt.outcome not in _BROUGHT or attempt.kind == "robots" or attempt.url != attempt.asked


def attempt_word(attempt: Attempt) -> FrontierRow:
    """`address` is what was asked for at first: as an answer to it spells its `url`."""
    told = (
        attempt.n_bytes, round(attempt.elapsed_ms), attempt.robots, attempt.is_conditional, attempt.message,
        attempt.evidence, attempt.tls,
    )  # fmt: skip
    address = attempt.asked or attempt.url
    return FrontierRow(
        address, attempt.url, attempt.kind, "tried", attempt.started_at, attempt.outcome, attempt.status,
        told=json.dumps(told, ensure_ascii=False),
    )  # fmt: skip


def fetch_rows(
    attempts: Iterable[Attempt], seen: Iterable[Seen], taken: Sequence[FrontierRow] = ()
) -> tuple[FetchRow, ...]:
    """One row per HTTP attempt, numbered per address; the last attempt for a page carries its snapshot, and says
    whether it was any news. `taken`: words on attempts of runs that did not live to log them."""
    answers = {entry.url: entry for entry in seen}
    numbers: Counter[str] = Counter()
    made = list(attempts)
    last = {attempt.asked or attempt.url: index for index, attempt in enumerate(made)}
    rows = list(_taken_rows(taken, made, answers, numbers)) if taken else []
    for index, attempt in enumerate(made):
        numbers[attempt.url] += 1
        outcome, snapshot = attempt.outcome, None
        page = attempt.asked or attempt.url
        answer = answers.get(page) if last[page] == index else None
        if answer is not None:
            snapshot = stored_ref(answer.snapshot)
            outcome = OUTCOMES.get(answer.outcome, outcome) if outcome == "ok" else outcome
        rows.append(
            FetchRow(
                url=attempt.url,
                attempt=numbers[attempt.url],
                started_at=attempt.started_at,
                outcome=outcome,
                status=attempt.status,
                n_bytes=attempt.n_bytes,
                elapsed_ms=round(attempt.elapsed_ms),
                robots=_ROBOTS[attempt.robots],
                kind=attempt.kind,  # type: ignore[arg-type]  # the same words on both sides
                is_conditional=attempt.is_conditional,
                message=attempt.message,
                evidence=attempt.evidence,
                tls=attempt.tls,
                snapshot=snapshot,
            )
        )
    return tuple(rows)


def _taken_rows(
    words: Sequence[FrontierRow], made: Sequence[Attempt], answers: Mapping[str, Seen], numbers: Counter[str]
) -> Iterable[FetchRow]:
    """A word on an attempt goes before the answer that it brought, and what this process has made itself is logged as
    that: it may have begun a source anew."""
    own = {(attempt.url, attempt.started_at) for attempt in made}
    pages = {(word.url, word.asked_at): word for word in words if word.state != "tried"}
    told_of = {(word.address, word.asked_at) for word in words if word.state == "tried"}
    for word in sorted(words, key=lambda word: word.asked_at):
        is_attempt = word.state == "tried"
        if (word.url, word.asked_at) in own or (not is_attempt and (word.url, word.asked_at) in told_of):
            continue
        page = pages.get((word.address, word.asked_at)) if is_attempt else word
        numbers[word.url] += 1
        yield _taken_row(word, page, answers, numbers[word.url])


def _taken_row(word: FrontierRow, page: FrontierRow | None, answers: Mapping[str, Seen], number: int) -> FetchRow:
    """What is known of an attempt of a run that did not end. `page`: what it brought."""
    seen = answers.get(page.url) if page is not None else None
    is_read = seen is not None and seen.seen_at == word.asked_at
    news = seen.outcome if seen is not None and is_read else ""
    is_conditional = word.outcome == "not_modified"
    told = (0, 0, "allowed", is_conditional, "", "", "") if word.told is None else json.loads(word.told)
    n_bytes, elapsed_ms, robots, is_conditional, message, evidence, tls = told
    return FetchRow(
        url=word.url,
        attempt=number,
        started_at=word.asked_at,
        outcome=OUTCOMES.get(news, "ok") if word.outcome == "ok" else word.outcome,
        status=word.status,
        n_bytes=n_bytes,
        elapsed_ms=elapsed_ms,
        robots=_ROBOTS[robots],
        kind=word.kind,  # type: ignore[arg-type]  # the same words on both sides
        is_conditional=is_conditional,
        message=message or _OF_ANOTHER,
        evidence=evidence,
        tls=tls,
        snapshot=page.snapshot if page is not None else None,
        answered_to=word.said_to,
    )
