"""The application: pages, data and API over the current release."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import JSONResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from explorer.current import Current, NotReady
from explorer.guard import Guard, Rate
from explorer.pages import api, data, documents, drawing, findings, metrics, overview, regions, runs
from explorer.release import Gone, TooSlow
from explorer.run_log import RunLog
from explorer.view import STATIC, House, PageReader, get_ready, language_of, render
from explorer.words import Words


@dataclass(frozen=True, slots=True)
class Options:
    """What the explorer is started with."""

    releases: Path
    cache: Path
    """Where the indexes of releases are kept; may be deleted at any time."""
    hosts: tuple[str, ...] = ()
    """Names under which it is reached, besides loopback."""
    token: str | None = None
    acknowledged: Path | None = None
    runs: Path | None = None
    """Folder of the records of runs."""
    prefect_ui: str | None = None
    read_page: PageReader | None = None
    seconds: float = 10.0
    """Longest time that the questions of one request may take."""
    per_second: float = 20.0
    burst: float = 100.0
    """Questions of one address."""
    every: float = 2.0
    """Seconds between two looks for a new release."""


class Static(StaticFiles):
    """Files whose address holds the mark of their content may be kept for good."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        if b"v=" in scope["query_string"]:
            response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def create_app(options: Options) -> FastAPI:
    current = Current(options.releases, options.cache, options.seconds, options.every)

    @asynccontextmanager
    async def follow(_app: FastAPI) -> AsyncIterator[None]:
        get_ready()
        with current:
            yield

    app = FastAPI(
        title="fazhi explorer", version="1", description=api.ABOUT, docs_url=None, redoc_url=None,
        openapi_url="/api/openapi.json", lifespan=follow,
    )  # fmt: skip
    log = RunLog(options.runs, options.every)
    app.state.house = House(current, options.acknowledged, options.prefect_ui, options.read_page, log)
    app.include_router(api.router)
    app.include_router(data.downloads)  # before the pages: a table's page would take its downloads for table names
    for module in (overview, metrics, drawing, regions, documents, findings, runs, data):
        app.include_router(module.router, include_in_schema=False)
    app.mount("/static", Static(directory=STATIC))
    app.add_exception_handler(NotReady, _not_ready)
    app.add_exception_handler(TooSlow, _too_slow)
    app.add_exception_handler(Gone, _gone)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _not_understood)
    app.add_middleware(GZipMiddleware, minimum_size=1000, compresslevel=3)
    rate = Rate(options.per_second, options.burst)
    app.add_middleware(Guard, hosts=options.hosts, token=options.token, rate=rate, tell_fault=_fault)
    return app


def _wants_json(request: Request) -> bool:
    path = request.url.path
    return path.startswith(("/api/", "/healthz")) or (path.startswith("/data/") and "." in path)


def _tell(request: Request, status: int, kind: str, detail: str, retry: int | None = None) -> Response:
    """An error as a page, or as JSON where data was asked for."""
    headers = {"retry-after": str(retry)} if retry else {}
    if _wants_json(request):
        return JSONResponse({"error": kind, "detail": detail}, status, headers)
    log = request.app.state.house.runs.seen()
    response = render(request, Words(language_of(request)), "problem.html", status, kind=kind, detail=detail, log=log)
    response.headers.update(headers)
    return response


async def _not_ready(request: Request, error: Exception) -> Response:
    assert isinstance(error, NotReady)
    return _tell(request, 503, error.reason, error.detail, 3)


async def _too_slow(request: Request, error: Exception) -> Response:
    return _tell(request, 503, "too_slow", str(error), 5)


async def _gone(request: Request, _error: Exception) -> Response:
    return _tell(request, 503, "preparing", "a newer release is taking the place of the one that was read", 3)


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _tell(request, error.status_code, "not_found" if error.status_code == 404 else "refused", str(error.detail))


async def _not_understood(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    said = "; ".join(f"{one['loc'][-1]}: {one['msg']}" for one in error.errors())
    return _tell(request, 422, "not_understood", said)


def _fault(scope: Scope, fault: str) -> Response:
    return _tell(Request(scope), 500, "fault", fault)
