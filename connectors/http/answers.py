"""What an answer means: content, a redirect, or one of the source errors."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.errors import Blocked, Gone, SourceError, Transient
from connectors.http.challenge import STATUSES as CHALLENGE_STATUSES
from connectors.http.challenge import find_challenge
from connectors.http.model import Answer, Fetch, Job, Validators

REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTENT = frozenset({200, 203})
_GONE = frozenset({404, 410})
_TRANSIENT = frozenset({408, 425, 429})
_MAX_VALIDATOR = 500


def judge(url: str, answer: Answer, job: Job) -> None:
    """Return when `answer` is content, not modified or a redirect. Raises Gone, Blocked, Transient, SourceError."""
    status = answer.status
    if status in _GONE:
        raise Gone(f"{url} answers {status}: there is no such page", url=url, status=status)
    if status in CHALLENGE_STATUSES:
        raise Blocked(f"{url} answers {status}: a login or firewall stands before it", url=url, status=status)
    mark = find_challenge(answer.body) if job.kind != "robots" else None
    if mark:
        raise Blocked(
            f"{url} answers {status} with a challenge page ({mark}) instead of the content", url=url, status=status
        )
    if status in _CONTENT or status in REDIRECTS or (status == 304 and job.conditions):
        return
    if status in _TRANSIENT or status >= 500:
        after = read_retry_after(answer.headers.get("retry-after"), answer.started_at)
        words = f", to be asked again in {after:g} s" if after is not None else ""
        raise Transient(f"{url} answers {status}{words}", url=url, status=status, retry_after=after)
    raise SourceError(f"{url} answers {status}, which is no content", url=url, status=status)


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header in either form (RFC 9110, 10.2.3); None when absent or malformed."""
    if not value:
        return None
    value = value.strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    try:
        date = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def build_conditions(validators: Validators | None) -> dict[str, str]:
    """The headers of a conditional request. A validator that no header can carry is left out."""
    if validators is None:
        return {}
    pairs = {"If-None-Match": validators.etag, "If-Modified-Since": validators.last_modified}
    return {
        name: value
        for name, value in pairs.items()
        if value and len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
    }


def build_fetch(url: str, final_url: httpx.URL, answer: Answer, job: Job) -> Fetch:
    """The answer as the rest of the house sees it."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    not_modified = answer.status == 304
    return Fetch(
        url=url,
        final_url=str(final_url),
        status=answer.status,
        headers=headers,
        body=b"" if not_modified else answer.body,
        not_modified=not_modified,
        etag=headers.get("etag"),
        last_modified=headers.get("last-modified"),
        content_type=headers.get("content-type"),
        fetched_at=answer.started_at,
        elapsed_ms=answer.elapsed_ms,
        attempts=tuple(job.attempts),
    )
