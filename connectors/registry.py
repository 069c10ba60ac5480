"""Source files: one YAML per portal, read strictly. A wrong key, a double key or a wrong value is one clear line.

The file's stem is the source's id, `<6-digit region code>_<pinyin>`. Counts of rows and report years are mandatory:
a crawl that finds less fails loudly.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from connectors.engines import get_engine
from connectors.errors import ContractBroken, Refused
from connectors.http.trust import TlsException
from connectors.quiet import parse_span
from connectors.selectors import read_selector
from connectors.urls import canonical, named_host

_MAX_FILE = 100_000

REPORT_TITLES = (
    r"(?:法治政府|依法行政|法治建设|依法治[省市区县州旗]).{0,40}(?:报告|年报|总结|情况)(?:[（(【\[].{0,20}[）)】\]])?(?:\.\w{3,4})?\Z",
    r"(?:印发|公布|发布|公开).{0,60}(?:法治政府|依法行政|法治建设).{0,40}(?:报告|总结)[》〉]?的(?:通知|公告)\Z",
)
"""Titles of yearly reports, without blanks. The word for a report comes last, but for a bracket or 的通知."""
NOT_REPORT_TITLES = (
    r"(?:报送|上报|提交|征集|征求|做好|开展|召开|组织|举办).{0,60}(?:通知|公告|函|会议|活动)\Z",
    r"(?:要点|计划|方案|规划|纲要)(?:[》〉]?的通知)?(?:[（(].{0,20}[）)])?\Z",
    r"一图|图解|图说|读懂|解读|漫画",
    r"(?:审议|听取|讨论|研究).{0,40}(?:报告|情况)",
    r"半年|季度|[一二三四五六七八九十\d]月份",
    r"培训|讲座|公示|名单|督察|督查|考核|测评|问卷|征求意见|述法",
)
"""What speaks about reports, or about part of a year, and is none."""

_HAN_DIGITS = str.maketrans("〇○零Ｏ一二三四五六七八九", "0000123456789")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})\s?年")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Start(_Strict):
    """A page the crawl begins with."""

    url: str
    """A list, a column page, or a call of a list service; http or https."""
    kind: Literal["list", "feed"] = "list"
    """`feed` for RSS or Atom."""

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        try:
            return canonical(value)
        except Refused as cause:
            raise ValueError(str(cause)) from None


class Selectors(_Strict):
    """Only what differs from the engine's: tag, #id, .class, nesting by blanks."""

    body: str | None = None
    """The container of the body. Final: where it finds nothing, the page counts as unread."""
    title: str | None = None
    """The headline, before metas and labels."""

    @field_validator("body", "title")
    @classmethod
    def _check_selector(cls, value: str | None) -> str | None:
        if value is not None:
            read_selector(value)
        return value


class Wanted(_Strict):
    """Which titles are fetched. A title is wanted when one of `titles` and none of `exclude` is found in it."""

    titles: tuple[str, ...] = REPORT_TITLES
    """Regular expressions, searched in the title without blanks."""
    exclude: tuple[str, ...] = NOT_REPORT_TITLES
    """The same, for what looks like a report and is none."""
    other_pages: bool = False
    """Fetch every listed page, not only reports."""

    @field_validator("titles", "exclude")
    @classmethod
    def _check_patterns(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in value:
            try:
                re.compile(pattern)
            except re.error as cause:
                raise ValueError(f"{pattern!r} is no regular expression: {cause}") from None
        return value


class Rhythm(_Strict):
    """When a new report is expected. 2019's rules: last year's report is public before 1 April."""

    every: Literal["year"] = "year"
    """How often a report is expected."""
    expected_month: Annotated[int, Field(ge=1, le=12)] = 4
    """From this month on last year's report is due; without it the source counts as overdue."""


class Politeness(_Strict):
    delay_seconds: Annotated[float, Field(ge=0, le=3600)] = 2.0
    """Seconds between two requests to one host; robots.txt can only raise it."""
    quiet_hours: tuple[str, ...] = ()
    """Spans like `08:00-18:00` (Asia/Shanghai) in which the source is not asked; what is left waits for a later run."""
    daily_budget: Annotated[int, Field(ge=1)] | None = None
    """Requests a day (Asia/Shanghai) to each host, robots.txt and retries included, of all runs together."""

    @field_validator("quiet_hours")
    @classmethod
    def _check_hours(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for span in value:
            parse_span(span)
        return value


class Lists(_Strict):
    """How lists are walked again; see connectors/walked.py."""

    overlap_pages: Annotated[int, Field(ge=1, le=1000)] = 3
    """Pages in a row without anything new after which the rest of a list is taken from memory."""
    whole_days: Annotated[int, Field(ge=0, le=365)] = 7
    """Days after which a list is walked to its end again; 0: every time."""
    max_pages: Annotated[int, Field(ge=1, le=5000)] = 5000
    """Pages of one list at most: for lists that never end."""


class Assertions(_Strict):
    """What a healthy crawl finds at least."""

    min_list_rows: Annotated[int, Field(ge=1)]
    """Rows of all its lists together."""
    report_years: Annotated[tuple[int, ...], Field(min_length=1)]
    """Years (of the report, not of publication) with at least one report on the list."""


class Source(_Strict):
    id: Annotated[str, Field(pattern=r"^\d{6}_[a-z][a-z0-9]*$")]
    """The file's stem: `<region code>_<letters>`."""
    name_zh: str
    """Who publishes there."""
    name_en: str
    """The same in English."""
    region_code: Annotated[str, Field(pattern=r"^\d{6}$")]
    """The division by GB/T 2260."""
    engine: str
    """The CMS family, or `generic`."""
    start: Annotated[tuple[Start, ...], Field(min_length=1)]
    """Where a crawl begins."""
    hosts: tuple[str, ...] = ()
    """Hosts that may be asked, with the port where it is not the scheme's own; by default those of `start`."""
    selectors: Selectors = Selectors()
    """Only where the engine's own find the wrong thing."""
    wanted: Wanted = Wanted()
    """Which rows are fetched."""
    rhythm: Rhythm = Rhythm()
    """When a new report is due."""
    politeness: Politeness = Politeness()
    """How slowly it is asked."""
    lists: Lists = Lists()
    """How far lists are walked."""
    assertions: Assertions
    """What a healthy crawl finds at least."""
    tls: str | None = None
    """An exception from TLS: `http-only` (its https addresses are asked as http), or `sha256:` and the 64 hex digits
    of its certificate, which no public root vouches for. Recorded with each attempt and shown in the run report."""
    tls_reason: str | None = None
    """Why; mandatory with `tls`."""
    is_sandbox: bool = False
    """A place that does not exist: no report of it is ever overdue."""
    verified: bool = True
    """Whether a crawl has confirmed it. What is not verified is crawled only when asked for by its id."""

    @field_validator("engine")
    @classmethod
    def _check_engine(cls, value: str) -> str:
        try:
            return get_engine(value).name
        except ContractBroken as cause:
            raise ValueError(str(cause)) from None

    @field_validator("hosts")
    @classmethod
    def _lower_hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(host.strip().lower().rstrip(".") for host in value))

    @model_validator(mode="before")
    @classmethod
    def _fill_hosts(cls, data: Any) -> Any:
        if isinstance(data, dict) and not data.get("hosts") and isinstance(data.get("start"), (list, tuple)):
            urls = [item.get("url") for item in data["start"] if isinstance(item, dict)]
            hosts = dict.fromkeys(named_host(url.strip()) for url in urls if isinstance(url, str))
            return {**data, "hosts": tuple(host for host in hosts if host)}
        return data

    @model_validator(mode="after")
    def _check_region(self) -> Source:
        if not self.id.startswith(f"{self.region_code}_"):
            raise ValueError(f"region_code {self.region_code} is not the one in the id {self.id}")
        if self.tls is not None or self.tls_reason is not None:
            TlsException(self.tls or "", self.tls_reason or "")
        outside = [start.url for start in self.start if named_host(start.url) not in self.hosts]
        if outside:
            raise ValueError(f"hosts does not list the host of start page {outside[0]}")
        return self


def tls_exception(source: Source) -> TlsException | None:
    """What the source says of TLS, as the client takes it; its text is the line for the run report."""
    return TlsException(source.tls, source.tls_reason or "") if source.tls is not None else None


def default_ids(sources: Mapping[str, Source]) -> list[str]:
    """What a nightly crawls when nobody names sources."""
    return [source_id for source_id, source in sources.items() if source.verified]


def is_report_title(source: Source, title: str) -> bool:
    """Whether a listed title is one of the reports the source wants. Width and blanks do not matter."""
    plain, wanted = _plain(title), source.wanted
    if not any(pattern.search(plain) for pattern in _compile(wanted.titles)):  # as of most titles: none is searched on
        return False
    return not any(pattern.search(plain) for pattern in _compile(wanted.exclude))


@lru_cache(maxsize=256)
def _compile(patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(map(re.compile, patterns))


def report_year(title: str) -> int | None:
    """The year a report is about: the first `2021年` of its title, in Arabic or Han digits."""
    plain = _plain(title)
    match = _YEAR.search(plain) or _YEAR.search(plain.translate(_HAN_DIGITS))
    return int(match[1]) if match else None


def _plain(title: str) -> str:
    return "".join(unicodedata.normalize("NFKC", title[:500]).split())


class _StrictLoader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Safe YAML that refuses double keys, which PyYAML would settle silently; by libyaml, some ten times as fast, where
    PyYAML has it."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> Any:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = key_node.value
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} stands twice, keep one", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def load_source(path: Path) -> Source:
    """Read one source file. Raises ContractBroken: one line with file, key and the way out."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        raise ContractBroken(f"{path}: cannot be read ({cause.__class__.__name__}): check path and encoding") from None
    if len(text) > _MAX_FILE:
        raise ContractBroken(f"{path}: {len(text)} characters is no source file (limit {_MAX_FILE})")
    try:
        data = yaml.load(text, _StrictLoader)
    except (yaml.YAMLError, RecursionError) as cause:
        raise ContractBroken(f"{path}: {_yaml_problem(cause)}") from None
    if not isinstance(data, dict):
        raise ContractBroken(f"{path}: no mapping of keys: a source file begins with `id: {path.stem}`")
    try:
        source = Source.model_validate(data)
    except ValidationError as cause:
        raise ContractBroken(f"{path}: {_explain(cause)}") from None
    if source.id != path.stem:
        raise ContractBroken(f"{path}: key id: {source.id!r} is not the file's stem {path.stem!r}: rename either")
    return source


def load_sources(folders: Sequence[Path]) -> dict[str, Source]:
    """All `*.yaml` of the folders, by id, in order of id. Raises ContractBroken for a bad file or a double id."""
    found: dict[str, tuple[Source, Path]] = {}
    for folder in folders:
        if not folder.is_dir():
            raise ContractBroken(f"{folder}: no folder of source files: check FAZHI_SOURCES")
        for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
            source = load_source(path)
            if source.id in found:
                raise ContractBroken(f"{path}: id {source.id} is taken by {found[source.id][1]}: remove one of the two")
            found[source.id] = source, path
    return {source_id: found[source_id][0] for source_id in sorted(found)}


def _yaml_problem(cause: Exception) -> str:
    mark = getattr(cause, "problem_mark", None) or getattr(cause, "context_mark", None)
    problem = " ".join(str(getattr(cause, "problem", None) or cause).split())[:200]
    return f"line {mark.line + 1}: {problem}" if mark else problem


def _explain(cause: ValidationError) -> str:
    """The first error, as one line for a person. A misspelt key comes before the key that it leaves missing."""
    errors = cause.errors()
    error = next((item for item in errors if item["type"] == "extra_forbidden"), errors[0])
    place = [str(step) for step in error["loc"]]
    key = ".".join(place) or "file"
    if error["type"] == "extra_forbidden":
        known = _keys_beside(error["loc"])
        near = get_close_matches(place[-1], known, 1, 0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
        return f"key {key}: unknown, {hint}"
    if error["type"] == "missing":
        return f"key {key}: missing, add it"
    message = error["msg"].removeprefix("Value error, ")
    return " ".join(f"key {key}: {message} (got {str(error['input'])[:60]!r})".split())


def _keys_beside(loc: tuple[int | str, ...]) -> list[str]:
    """The keys that a wrong key's neighbours may have."""
    model: type[BaseModel] = Source
    nested: dict[str, type[BaseModel]] = {
        "start": Start, "selectors": Selectors, "wanted": Wanted,
        "rhythm": Rhythm, "politeness": Politeness, "lists": Lists, "assertions": Assertions,
    }  # fmt: skip
    if len(loc) > 1:
        model = nested.get(str(loc[0]), Source)
    return list(model.model_fields)
