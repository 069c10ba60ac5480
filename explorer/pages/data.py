"""Data access: every table as CSV, JSON or Parquet with a filter, the release's own files, the dictionary."""

from __future__ import annotations

from collections.abc import Sequence
from threading import BoundedSemaphore
from typing import Annotated, Any, Literal

from fastapi import APIRouter, HTTPException, Path, Query, Request
from starlette.responses import FileResponse, JSONResponse, Response

from explorer.pages.api import paths_of
from explorer.release import Reader
from explorer.tables import MOST_ROWS, USUAL_ROWS, BadFilter, Cut, as_csv, as_parquet, cut_table, fields_of, for_json
from explorer.view import Shown
from explorer.words import codes

router = APIRouter()
downloads = APIRouter(tags=["data"])
AT_ONCE = BoundedSemaphore(3)
"""Downloads that are made at the same time."""
TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet", "json": "application/json"}
Table = Annotated[str, Path(pattern=r"^[a-z_]{3,80}$")]


@router.get("/data")
def list_tables(view: Shown) -> Response:
    return view.page("data.html", tables=view.db.told.package["resources"], most=MOST_ROWS)


@router.get("/dictionary")
def dictionary(view: Shown, q: Annotated[str, Query(max_length=60)] = "") -> Response:
    """Tables, columns, codes and rules of the release, in both languages, with a search."""
    terms = q.casefold().split()

    def fits(*texts: object) -> bool:
        return all(any(term in str(text).casefold() for text in texts) for term in terms)

    tables = []
    for one in view.db.told.package["resources"]:
        fields = [
            f for f in one["schema"]["fields"] if fits(f["name"], f["description"], f["description_zh"], one["name"])
        ]
        if fields or fits(one["name"], one["description"], one["description_zh"]):
            tables.append((one, fields))
    said = {
        group: {code: text for code, text in some.items() if fits(group, code, *text.values())}
        for group, some in codes().items()
    }
    rules = [r for r in view.db.whole("rule") if fits(r["rule_id"], r["formula"], r["name_zh"], r["name_en"])]
    return view.page("dictionary.html", tables=tables, codes={g: c for g, c in said.items() if c}, rules=rules, q=q)


@router.get("/api")
def show_api(view: Shown, request: Request) -> Response:
    return view.page("api.html", paths=paths_of(request.app.openapi()))


@router.get("/data/{table}")
def show_table(
    view: Shown, request: Request, table: Table, offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0
) -> Response:
    """A page of a table, with the filter of its address."""
    if table not in view.db.told.tables:
        raise HTTPException(404, f"no table {table}")
    limit = 50
    cut = _cut(view.db, request, table, limit + 1, offset)
    names, rows = _read(view.db, cut)
    resource = next(one for one in view.db.told.package["resources"] if one["name"] == table)
    asked = [(k, v) for k, v in request.query_params.multi_items() if k not in ("offset", "lang")]
    return view.page(
        "table.html", table=resource, fields=fields_of(view.db, table), names=names, rows=rows[:limit], asked=asked,
        offset=offset, limit=limit, has_more=len(rows) > limit, usual=USUAL_ROWS,
    )  # fmt: skip


@downloads.get("/data/{table}/files/{file}", summary="A Parquet file of the release, whole")
def take_file(
    view: Shown, table: Table, file: Annotated[str, Path(pattern=r"^[0-9a-z_-]{1,80}\.parquet$")]
) -> Response:
    path = next((one for one in view.db.told.tables.get(table, []) if one.name == file), None)
    if path is None:
        raise HTTPException(404, f"table {table} has no file {file}")
    return FileResponse(
        path, media_type=TYPES["parquet"], filename=file if file.startswith(table) else f"{table}_{file}"
    )


@downloads.get("/data/{table}.{kind}", summary="Rows of a table; any column may be given as a filter")
def download(
    view: Shown, request: Request, table: Table, kind: Literal["csv", "json", "parquet"],
    limit: Annotated[int, Query(ge=1, le=MOST_ROWS)] = USUAL_ROWS,
    offset: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
) -> Response:  # fmt: skip
    """`X-Fazhi-More: true` says that there are more rows: ask again with `offset`, or take the files."""
    if not AT_ONCE.acquire(timeout=5):
        raise HTTPException(503, "too many downloads at once")
    try:
        cut = _cut(view.db, request, table, limit, offset)
        if kind == "parquet":
            content, count = as_parquet(view.db, cut)
            body: Response = Response(content, media_type=TYPES["parquet"])
        else:
            names, rows = _read(view.db, cut)
            count = len(rows)
            if kind == "csv":
                body = Response(as_csv(names, rows), media_type=TYPES["csv"])
            else:
                told = [for_json(dict(zip(names, row, strict=True))) for row in rows]
                body = JSONResponse({"release": view.db.told.name, "table": table, "rows": told})
    finally:
        AT_ONCE.release()
    body.headers["x-fazhi-more"] = "true" if count == limit else "false"
    body.headers["x-fazhi-release"] = view.db.told.name
    if kind != "json":
        body.headers["content-disposition"] = f'attachment; filename="{table}.{kind}"'
    return body


def _cut(db: Reader, request: Request, table: str, limit: int, offset: int) -> Cut:
    try:
        return cut_table(db, table, request.query_params.multi_items(), limit, offset)
    except BadFilter as error:
        raise HTTPException(404 if "no table" in str(error) else 422, str(error)) from error


def _read(db: Reader, cut: Cut) -> tuple[list[str], list[Sequence[Any]]]:
    result = db.cursor.execute(cut.sql, cut.values)
    return [column[0] for column in result.description or ()], list(result.fetchall())
