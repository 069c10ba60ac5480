"""What an answer means: content, another address to ask, or one of the source errors."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import httpx

from connectors.errors import Blocked, Gone, LoginRequired, SourceError, Transient
from connectors.http.challenge import STATUSES as CHALLENGE_STATUSES
from connectors.http.challenge import STATUSES_OF_ROBOTS, describe_evidence, find_challenge
from connectors.http.looks import Look, look_at, read_text
from connectors.http.model import Answer, Fetch, Job, Validators
from connectors.http.stand_ins import find_notice, find_refresh, find_stand_in
from connectors.http.wire import Header
from connectors.http.words import name_notice

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_CONTENT = frozenset({200, 203})
_GONE = frozenset({404, 410})
_TRANSIENT = frozenset({408, 425, 429})
_MAX_VALIDATOR = 500
_ERROR_CODE = re.compile(rb"\s*\{[^{}]{0,200}\"(?:\w{0,8}code|status)\"\s*:\s*\"?(?:-\d|[45]\d\d)")
_MAX_TOLD = 600
"""Bytes of an answer that is no page, but an error in plain words or JSON."""
_COOKIE = re.compile(rb"\r\ncookie:[^\r\n]*\r\n", re.I)
_SECONDS = re.compile(r"([0-9]{1,9})[0-9]*(\.[0-9]*)?\s*(?:s|sec|seconds?)?;?\Z", re.I)


def judge(url: str, answer: Answer, job: Job) -> str | None:
    """Where the answer sends us, as it says it (`` for the same address); None when it is content or not modified.

    Raises Gone, Blocked, Transient, LoginRequired, the errors of stand_ins.py, or SourceError."""
    status = answer.status
    if status == 304 and job.conditions:
        return None
    look = look_at(answer.body)
    _check_block(url, answer, job, look)
    if status in _GONE:
        raise Gone(f"{url} answers {status}: there is no such page", url=url, status=status)
    if status == 401:
        raise LoginRequired(f"{url} answers 401: the page is not for the public", url=url, status=status)
    if status in _REDIRECTS:
        location = _read_location(answer.locations)
        if not location:
            raise SourceError(f"{url} answers {status} without a Location", url=url, status=status)
        return location
    if status in _CONTENT:
        return _judge_content(url, answer, job, look)
    if status in _TRANSIENT or status >= 500:
        after = read_retry_after(answer.headers.get("retry-after"), answer.started_at)
        words = f", to be asked again in {after:g} s" if after is not None else ""
        raise Transient(f"{url} answers {status}{words}", url=url, status=status, retry_after=after)
    raise SourceError(f"{url} answers {status}, which is no content", url=url, status=status)


def _check_block(url: str, answer: Answer, job: Job, look: Look | None) -> None:
    """Raises Blocked, for every kind of page."""
    status = answer.status
    mark = find_challenge(look, status) if look is not None else None
    if mark is None and status not in (STATUSES_OF_ROBOTS if job.kind == "robots" else CHALLENGE_STATUSES):
        return
    words = f"a challenge page ({mark}) instead of the content" if mark else "a firewall stands before it"
    raise Blocked(
        f"{url} answers {status}: {words}; the host is not asked any more in this run",
        url=url,
        status=status,
        evidence=describe_evidence(status, mark, len(answer.body), answer.headers.get("server")),
    )


def _judge_content(url: str, answer: Answer, job: Job, look: Look | None) -> str | None:
    if not answer.body and job.kind not in ("robots", "list"):  # an empty list is its engine's business
        raise Transient(f"{url} answers {answer.status} with nothing in it", url=url, status=answer.status)
    if look is None:
        told = name_notice(url, "", read_text(answer.body)) if job.kind != "list" and _is_told(answer.body) else None
        if told is not None:
            raise told
        return None
    notice = find_notice(url, look)  # before a refresh: `not found, in five seconds you are led home`
    target = find_refresh(look) if notice is None else None
    if target is not None:
        return target
    stand_in = notice or find_stand_in(url, look, is_list=job.kind == "list")
    if stand_in is not None:
        raise stand_in
    return None


def _is_told(body: bytes) -> bool:
    """Whether an answer is an error in plain words, or in JSON with a code."""
    if len(body) > _MAX_TOLD:
        return False
    return _ERROR_CODE.match(body) is not None if body.lstrip()[:1] == b"{" else not any(c in body for c in b"<{(\0")


def _read_location(locations: list[bytes]) -> str:
    """The first Location, its bytes beyond ASCII escaped as they are: a server that writes GBK means GBK."""
    found = locations[0] if locations else b""
    return "".join(chr(byte) if byte < 0x80 else f"%{byte:02X}" for byte in found.strip())


def read_retry_after(value: str | None, now: datetime) -> float | None:
    """Seconds from a Retry-After header in either form (RFC 9110, 10.2.3); None when absent or malformed.

    Of several numbers the largest; a number with a fraction or a unit behind it is a wish all the same."""
    if not value:
        return None
    value = value.strip()
    seconds = [_SECONDS.match(part.strip()) for part in value[:200].split(",")] if value[:1].isascii() else []
    if seconds and all(seconds):
        return max(float(found[1] + (found[2] or "")) for found in seconds if found)
    try:
        date = parsedate_to_datetime(value)
    except (ValueError, OverflowError):  # of a zone that no clock has
        return None
    return max(0.0, ((date if date.tzinfo else date.replace(tzinfo=UTC)) - now).total_seconds())


def build_conditions(validators: Validators | None) -> list[Header]:
    """The headers of a conditional request. A validator that no header can carry is left out."""
    if validators is None:
        return []
    pairs = ((b"If-None-Match", validators.etag), (b"If-Modified-Since", validators.last_modified))
    return [
        (name, value.encode("ascii"))
        for name, value in pairs
        if value and len(value) <= _MAX_VALIDATOR and value.isascii() and value.isprintable()
    ]


def fold(headers: list[Header]) -> dict[str, str]:
    """The headers of an answer as in `Fetch`."""
    folded: dict[str, str] = {}
    try:
        for raw_name, raw_value in headers:
            name, value = raw_name.decode("ascii").lower(), raw_value.decode("ascii")
            folded[name] = f"{folded[name]}, {value}" if name in folded else value
    except UnicodeDecodeError:
        return dict(httpx.Headers(headers).items())  # UTF-8, or else Latin-1
    return folded


def build_fetch(url: str, answer: Answer, job: Job, hops: Sequence[Fetch] = ()) -> Fetch:
    """The answer as the rest of the house sees it. `hops`: those that led to it."""
    headers = answer.headers
    not_modified = answer.status == 304
    return Fetch(
        url=url,
        final_url=job.address,
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
        request=_COOKIE.sub(b"\r\n", answer.request, count=1) if b"ookie:" in answer.request else answer.request,
        hops=tuple(hops),
    )
