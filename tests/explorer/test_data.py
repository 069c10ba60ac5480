"""Tables, files and the JSON API: the rows of the release, with the filter of the address."""

from __future__ import annotations

import csv
import io

import pyarrow.parquet as pq
import pytest

from tests.explorer.serving import Served
from warehouse.cells import harmful

VALUES = "/data/mart_region_year"


def test_three_formats_say_the_same(served: Served) -> None:
    asked = "?metric_code=disputes_mediated&region_code=990101"
    told = served.ask(f"{VALUES}.json{asked}").json()["rows"]
    text = served.ask(f"{VALUES}.csv{asked}")
    rows = list(csv.DictReader(io.StringIO(text.body.decode("utf-8-sig"))))
    table = pq.read_table(io.BytesIO(served.ask(f"{VALUES}.parquet{asked}").body)).to_pylist()
    assert len(told) == len(rows) == len(table) == 4
    assert sorted(one["value_num"] for one in told) == [300, 330, 520, 600]
    assert sorted(float(row["value_num"]) for row in rows) == sorted(float(row["value_num"]) for row in table)
    assert text.headers["content-disposition"] == 'attachment; filename="mart_region_year.csv"'
    assert {one["value_key"] for one in told} == {row["value_key"] for row in rows}


def test_csv_cells_cannot_be_formulas(served: Served) -> None:
    text = served.ask("/data/dim_document.csv?report_year=2022").body.decode("utf-8-sig")
    title = next(csv.DictReader(io.StringIO(text)))["title"]
    assert title.startswith("'=") and harmful(title).startswith("=1+1")


def test_limit_and_offset_page_through(served: Served) -> None:
    first = served.ask("/data/fact_observation.json?limit=3")
    assert first.headers["x-fazhi-more"] == "true" and len(first.json()["rows"]) == 3
    second = served.ask("/data/fact_observation.json?limit=3&offset=3").json()["rows"]
    assert not {one["observation_key"] for one in first.json()["rows"]} & {one["observation_key"] for one in second}
    assert served.ask("/data/fact_observation.json?limit=100001").status == 422


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("nope=1", "no column nope"),
        ("value_num=1' OR '1'='1", "value_num is a number"),
        ("is_disputed=perhaps", "is_disputed is a boolean"),
        ("&".join(f"year={n}" for n in range(9)), "at most 8 filters"),
    ],
)
def test_a_filter_that_cannot_be_answered_is_refused(served: Served, question: str, said: str) -> None:
    answer = served.ask(f"{VALUES}.json?{question}")
    assert answer.status == 422 and said in answer.json()["detail"]


def test_a_value_is_no_part_of_the_question(served: Served) -> None:
    answer = served.ask(f"{VALUES}.json?region_code=x%27%20OR%201=1--")
    assert answer.status == 200 and answer.json()["rows"] == []
    empty = served.ask(f"{VALUES}.json?scope=&agency_zh=&limit=2").json()["rows"]
    assert len(empty) == 2


def test_files_of_the_release_are_served_whole(served: Served) -> None:
    answer = served.ask("/data/dim_metric/files/dim_metric.parquet")
    resource = next(one for one in served.ask("/api/v1/release").json()["tables"] if one["name"] == "dim_metric")
    assert len(answer.body) == resource["bytes"]
    assert pq.read_table(io.BytesIO(answer.body)).num_rows == resource["rows"]
    assert served.ask("/data/dim_metric/files/dim_region.parquet").status == 404
    assert served.ask("/data/dim_metric/files/..%2Fdatapackage.json").status in (404, 422)


def test_api_has_stable_addresses(served: Served) -> None:
    region = served.ask("/api/v1/regions/990101").json()
    report = next(one for one in region["reports"] if one["report_year"] == 2021)
    document = served.ask(f"/api/v1/documents/{report['document_key']}").json()
    assert document["text"].startswith("收到复议申请75件")
    failed = [one for one in document["observations"] if one["fate"] == "fails"]
    assert {one["value_text"] for one in failed} == {"20件", "18件", "95%"}
    one = failed[0]
    said = served.ask(f"/api/v1/observations/{one['observation_key']}").json()["observation"]
    assert document["text"][said["span_start"] : said["span_end"]] == said["value_text"] == one["value_text"]
    metric = served.ask("/api/v1/metrics/disputes_mediated?year=2021").json()
    assert {value["region_code"] for value in metric["values"]} == {"990101", "990102", "990201"}
    assert [one["metric_code"] for one in served.ask("/api/v1/metrics?q=disputes_mediated").json()["metrics"]]
    assert served.ask("/api/v1/regions?q=岚").json()["regions"][0]["region_code"] == "990101"
    assert served.ask("/api/v1/documents?region=990101&year=2020").json()["documents"]


def test_openapi_lists_the_addresses(served: Served) -> None:
    paths = served.ask("/api/openapi.json").json()["paths"]
    assert {
        "/api/v1/documents/{key}",
        "/api/v1/observations/{key}",
        "/api/v1/metrics/{code}",
        "/api/v1/regions/{code}",
    } <= set(paths)
    assert all(set(methods) == {"get"} for methods in paths.values())


def test_api_errors_are_json(served: Served) -> None:
    answer = served.ask("/api/v1/documents/1")
    assert answer.status == 404 and answer.json()["error"] == "not_found"
