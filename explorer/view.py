"""What every page has: the language, the release's reader, and the templates."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from explorer import places, words
from explorer.current import Current, NotReady
from explorer.release import Reader
from explorer.run_log import RunLog
from explorer.words import Language, Words

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"
COOKIE = "fazhi_lang"
A_YEAR = 365 * 24 * 3600


PageReader = Callable[[str, int, int, str], bytes]
"""Reads an archived page by file, offset, length and SHA-256. Raises OSError where it cannot."""


@dataclass(frozen=True, slots=True)
class House:
    """What the explorer was started with."""

    current: Current
    acknowledged: Path | None
    prefect_ui: str | None
    read_page: PageReader | None
    """None where no archive is at hand."""
    runs: RunLog


@dataclass(slots=True)
class View:
    """One request for a page."""

    request: Request
    reader: Reader | None
    """None where there is no release to read, and the page can do without."""
    words: Words
    house: House

    @property
    def db(self) -> Reader:
        """Raises NotReady where there is no release."""
        if self.reader is None:
            raise self.house.current.not_ready()
        return self.reader

    @property
    def lang(self) -> Language:
        return self.words.lang

    def t(self, zh: str, en: str) -> str:
        return self.words.t(zh, en)

    def page(self, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
        told = {"release": self.reader.told if self.reader else None, "problem": self.house.current.problem, **shown}
        return render(self.request, self.words, template, status, **told)


def language_of(request: Request) -> Language:
    """By the address (`?lang=en`), else the cookie, else what the browser asks for, else Chinese."""
    for said in (request.query_params.get("lang"), request.cookies.get(COOKIE)):
        if said == "zh":
            return "zh"
        if said == "en":
            return "en"
    wanted = request.headers.get("accept-language", "")
    first = next(
        (part.strip()[:2].lower() for part in wanted.split(",") if part.strip()[:2].lower() in ("zh", "en")), ""
    )
    return "en" if first == "en" else "zh"


def view_of(request: Request) -> Iterator[View]:
    house: House = request.app.state.house
    with house.current.reading() as reader:
        yield View(request, reader, Words(language_of(request)), house)


def view_of_any(request: Request) -> Iterator[View]:
    """For pages that tell something without a release too."""
    house: House = request.app.state.house
    with ExitStack() as stack:
        try:
            reader: Reader | None = stack.enter_context(house.current.reading())
        except NotReady:
            reader = None
        yield View(request, reader, Words(language_of(request)), house)


Shown = Annotated[View, Depends(view_of, scope="function")]
ShownAnyhow = Annotated[View, Depends(view_of_any, scope="function")]


def render(request: Request, said: Words, template: str, status: int = 200, **shown: Any) -> HTMLResponse:
    """A page, or with HTMX the part of it that it asks for (`block` of the same template)."""
    is_part = request.headers.get("hx-request") == "true" and request.headers.get("hx-target") == "found"
    context = {
        "w": said, "t": said.t, "n": said.number, "lang": said.lang, "request": request, "here": Here(request),
        "release": None, "problem": "", **shown,
    }  # fmt: skip
    chosen = TEMPLATES.get_template(template)
    if is_part and "found" in chosen.blocks:
        body = "".join(chosen.blocks["found"](chosen.new_context(context)))
    else:
        body = chosen.render(context)
    response = HTMLResponse(
        body, status, {"vary": "cookie, accept-language, hx-request", "content-language": said.lang}
    )
    if request.query_params.get("lang") in ("zh", "en"):
        response.set_cookie(COOKIE, said.lang, max_age=A_YEAR, httponly=True, samesite="lax")
    return response


@dataclass(frozen=True, slots=True)
class Here:
    """The address of the page, with other values in its question."""

    request: Request

    @property
    def path(self) -> str:
        """Of this host whatever was asked: `//name` or `/\\name` in a link would be another host's address."""
        return quote("/" + self.request.scope["path"].lstrip("/\\"))

    def with_(self, **values: object) -> str:
        pairs = [(k, v) for k, v in self.request.query_params.multi_items() if k not in values]
        pairs += [(name, str(value)) for name, value in values.items() if value not in (None, "")]
        return self.path + (f"?{urlencode(pairs)}" if pairs else "")


@dataclass(slots=True)
class Asset:
    """A static file by its address with the mark of its content, so that it may be kept for good."""

    _known: dict[str, str]

    def __call__(self, name: str) -> str:
        if name not in self._known:
            mark = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
            self._known[name] = f"/static/{name}?v={mark}"
        return self._known[name]


def _sparkline(points: list[tuple[int, float | None]], years: tuple[int, int], label: str) -> Markup:
    """Values over years as a small drawing; a year without a value breaks the line."""
    known = [value for _, value in points if value is not None]
    if not known:
        return Markup("")
    low, high = min(known), max(known)
    span_y, span_x = (high - low) or 1.0, (years[1] - years[0]) or 1
    runs: list[list[str]] = [[]]
    last = None
    for year, value in points:
        if value is None or (last is not None and year != last + 1):
            runs.append([])
        if value is not None:
            runs[-1].append(f"{2 + 76 * (year - years[0]) / span_x:.1f},{18 - 14 * (value - low) / span_y:.1f}")
            last = year
    shapes = [
        Markup('<polyline points="{}"/>').format(" ".join(run))
        if len(run) > 1
        else Markup('<circle cx="{}" cy="{}" r="2"/>').format(*run[0].split(","))
        for run in runs
        if run
    ]
    head = Markup('<svg class="spark" width="80" height="20" viewBox="0 0 80 20" role="img" aria-label="{}">')
    return head.format(label) + Markup("").join(shapes) + Markup("</svg>")


def _sparkline_points(cells: Mapping[int, Mapping[str, Any]], years: Sequence[int]) -> list[tuple[int, float | None]]:
    """Actual figures only: a target is no part of a trend."""
    shown = {year: cell["value"] for year, cell in cells.items() if cell["chosen_by"] != "forecast"}
    return [(year, shown.get(year)) for year in years]


def _when(value: Any) -> str:
    """A moment as a day and minute in UTC; a text is cut to its day."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:10]
    if isinstance(value, datetime) and value.tzinfo is not None:
        value = value.astimezone(UTC)  # DuckDB gives moments in the machine's time zone
    return f"{value:%Y-%m-%d %H:%M}"


def _duration(seconds: float | None) -> str:
    """Hours, minutes and seconds as far as there are any."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes // 60} h {minutes % 60:02d} min" if minutes >= 60 else f"{minutes} min {rest:02d} s"


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True, auto_reload=False,
    )  # fmt: skip
    made.globals |= {
        "asset": Asset({}),
        "spark": _sparkline,
        "sparkline": _sparkline_points,
        "when": _when,
        "duration": _duration,
    }
    made.globals |= {name: getattr(words, name) for name in WORDS}
    made.globals["kind_of"] = words.kind_of
    return made


def get_ready() -> None:
    """What a first reader would wait for: the catalogue's words, the templates, the points of the map."""
    words.definitions_zh()
    words.sections()
    places.points()
    for name in TEMPLATES.list_templates():
        TEMPLATES.get_template(name)


WORDS = ("VERDICTS", "CHOSEN", "STATUS", "QUALIFIERS", "LEVELS", "FATES", "KINDS", "OUTCOMES", "REASONS", "RUN_STATUS",
         "PASSAGES", "CHANGES")  # fmt: skip
"""Tables of words that templates look codes up in."""
TEMPLATES = _environment()
