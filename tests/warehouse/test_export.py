"""Cuts from a release: complete, harmless to a spreadsheet, known as of a day, never half there."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from tests.warehouse.builders import batch, report
from tests.warehouse.conftest import load
from tests.warehouse.tables import A, B
from warehouse import xlsx
from warehouse.as_known import chosen_as_known
from warehouse.cells import RISKY, harmful, harmless
from warehouse.engine import open_warehouse, reading
from warehouse.errors import WarehouseError
from warehouse.export import Cut, WrongCut, export_release
from warehouse.export_formats import Format
from warehouse.export_tables import DICTIONARY, EXPORTED, STATEMENTS, VALUES
from warehouse.release import make_release
from warehouse.release_read import Told, read_release
from warehouse.values import value_row
from warehouse.xlsx import CellTooLong, Sheet, write_workbook

FORMATS: tuple[Format, ...] = ("parquet", "csv", "xlsx")
RISKY_TITLE = '=HYPERLINK("http://evil.example","2020年")'


@pytest.fixture(scope="module")
def warehouse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('export') / 'w.sqlite'}")
    load(engine, batch(report(2020, A, title=RISKY_TITLE), report(2021, B + "上年收到11件。")))
    load(engine, batch(report(2020, B, day=400), run="r2", day=400))  # put right more than a year later
    load(engine, batch(report(2023, "收到3件（截至2023-11-30）。", day=401), run="r3", day=401))
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def told(warehouse: Engine, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return read_release(make_release(warehouse, tmp_path_factory.mktemp("releases"), keep=2).path)


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def values_of(told: Told, target: Path, cut: Cut) -> dict[tuple[str, str], tuple[Decimal, str]]:
    export_release(told, target, "parquet", cut)
    rows = pq.read_table(target / "values.parquet").to_pylist()
    return {(row["metric_code"], row["period_id"]): (row["value_num"], row["chosen_by"]) for row in rows}


@pytest.mark.parametrize("kind", FORMATS)
def test_the_same_release_gives_the_same_bytes(told: Told, tmp_path: Path, kind: Format) -> None:
    rows = export_release(told, tmp_path / "a", kind)
    assert rows["values"] and rows["statements"] >= rows["values"] and rows["documents"] == 3
    first = {path.name: path.read_bytes() for path in (tmp_path / "a").iterdir()}
    for path in (tmp_path / "a").iterdir():
        os.utime(path, (0, 0))
    export_release(told, tmp_path / "b", kind)
    export_release(told, tmp_path / "a", kind)  # an earlier export is replaced
    for folder in ("a", "b"):
        assert {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} == first
    assert {path.name for path in tmp_path.iterdir()} == {"a", "b"}


def test_all_formats_say_the_same(told: Told, tmp_path: Path) -> None:
    for kind in FORMATS:
        export_release(told, tmp_path / kind, kind)
    book = openpyxl.load_workbook(tmp_path / "xlsx" / "fazhi.xlsx")
    for table in (*EXPORTED, DICTIONARY):
        typed = pq.read_table(tmp_path / "parquet" / f"{table.name}.parquet")
        assert typed.schema.equals(table.schema)
        rows = [tuple(row.values()) for row in typed.to_pylist()]
        plain = [tuple(row.values()) for row in read_csv(tmp_path / "csv" / f"{table.name}.csv")]
        sheet = list(book[f"{table.zh} {table.name}"].iter_rows(min_row=2, values_only=True))
        assert len(rows) == len(plain) == len(sheet) > 0
        for typed_row, plain_row, cells in zip(rows, plain, sheet, strict=True):
            for value, text, cell in zip(typed_row, plain_row, cells, strict=True):
                assert same(value, text, cell), (table.name, value, text, cell)


def same(value: Any, text: str, cell: Any) -> bool:
    if value is None or value == "":
        return text == "" and cell is None
    if isinstance(value, bool):
        return bool(text == str(value).lower() and cell is value)
    if isinstance(value, Decimal | int):
        return Decimal(text) == value == Decimal(str(cell))
    if isinstance(value, date):
        return text == value.isoformat() and cell.date() == value
    return bool(harmful(text) == cell == value if text.startswith("'") else text == cell == value)


def test_a_spreadsheet_finds_no_formula(told: Told, tmp_path: Path) -> None:
    export_release(told, tmp_path / "csv", "csv")
    title = {row["title"] for row in read_csv(tmp_path / "csv" / "documents.csv")}
    assert "'" + RISKY_TITLE not in title  # the page's later title took its place
    export_release(told, tmp_path / "old", "csv", Cut(as_of=date(2021, 6, 1)))
    assert {row["title"] for row in read_csv(tmp_path / "old" / "values.csv")} == {"'" + RISKY_TITLE}
    export_release(told, tmp_path / "x", "xlsx", Cut(as_of=date(2021, 6, 1)))
    sheet = openpyxl.load_workbook(tmp_path / "x" / "fazhi.xlsx")[f"{VALUES.zh} values"]
    kinds = {cell.data_type for row in sheet.iter_rows() for cell in row}
    assert kinds <= {"s", "n", "d", "b"} and "f" not in kinds
    assert RISKY_TITLE in {cell.value for row in sheet.iter_rows() for cell in row}
    assert sheet.freeze_panes == "A2" and sheet["A1"].value == "区划代码\nRegion code"
    assert sheet.column_dimensions["A"].width == VALUES.columns[0].width


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12))
def test_what_is_made_harmless_can_be_undone(text: str) -> None:
    assert harmful(harmless(text)) == text
    assert not harmless(text).startswith(tuple(set(RISKY) - {"'"}))


def test_numbers_stay_numbers(told: Told, tmp_path: Path) -> None:
    export_release(told, tmp_path / "e", "csv")
    assert {row["value_num"] for row in read_csv(tmp_path / "e" / "values.csv")} == {"10", "7", "2", "3"}
    assert (tmp_path / "e" / "values.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    fields = {column.name: column.kind for column in VALUES.columns}
    assert (fields["value_num"], fields["value_id"]) == ("number", "text")  # Excel would round a long key


def test_as_of_chooses_anew_from_what_was_known(told: Told, tmp_path: Path) -> None:
    early = values_of(told, tmp_path / "a", Cut(as_of=date(2021, 6, 1)))
    assert early["received", "2020"] == (10, "final") and early["accepted", "2020"] == (8, "final")
    assert early["received", "2021"] == (20, "forecast")  # all that was known of 2021 then
    later = values_of(told, tmp_path / "b", Cut(as_of=date(2022, 6, 1)))
    assert later["received", "2021"] == (10, "final") and later["accepted", "2020"] == (8, "final")
    now = values_of(told, tmp_path / "c", Cut())
    assert now["accepted", "2020"] == (7, "final") and ("rate", "2020") not in now
    assert values_of(told, tmp_path / "d", Cut(as_of=date(2099, 1, 1))) == now


@pytest.mark.parametrize("day", [date(2021, 6, 1), date(2022, 6, 1), date(2025, 6, 1)])
def test_as_of_is_what_the_warehouse_itself_says(told: Told, warehouse: Engine, tmp_path: Path, day: date) -> None:
    export_release(told, tmp_path / "e", "parquet", Cut(as_of=day))
    told_rows = pq.read_table(tmp_path / "e" / "values.parquet").to_pylist()
    with reading(warehouse) as conn:
        rows = [value_row(one, -2) for one in chosen_as_known(conn, day)]
    assert {row["value_id"]: (row["value_num"], row["chosen_by"], row["n_statements"]) for row in told_rows} == {
        f"v{row['value_key']}": (row["value_num"], row["chosen_by"], row["n_statements"]) for row in rows
    }


def test_statements_are_those_that_were_chosen_from(told: Told, tmp_path: Path) -> None:
    export_release(told, tmp_path / "e", "parquet")
    values = pq.read_table(tmp_path / "e" / "values.parquet").to_pylist()
    statements = pq.read_table(tmp_path / "e" / "statements.parquet").to_pylist()
    for row in values:
        behind = [one for one in statements if one["value_id"] == row["value_id"]]
        assert len(behind) == row["n_statements"] and sum(one["is_chosen"] for one in behind) == 1
        assert len({one["document_id"] for one in behind}) == row["n_documents"]
    assert len(statements) == sum(row["n_statements"] for row in values)


def test_cuts(told: Told, tmp_path: Path) -> None:
    whole = values_of(told, tmp_path / "a", Cut())
    assert values_of(told, tmp_path / "b", Cut(regions=("99", "990101"))) == whole
    some = values_of(told, tmp_path / "c", Cut(metrics=("received", "accepted")))
    assert some == {key: value for key, value in whole.items() if key[0] in ("received", "accepted")}
    past = values_of(told, tmp_path / "d", Cut(as_of=date(2021, 6, 1), regions=("9901",), metrics=("rate",)))
    assert past == {("rate", "2020"): (95, "final")}


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        (Cut(regions=("990102",)), r"no region's code is or begins with '990102': near: 990101"),
        (Cut(regions=("990000",)), r"'990000': for all below it write 99"),
        (Cut(regions=("岚禾",)), "near: 990101 岚禾县"),
        (Cut(metrics=("recieved",)), "no metric has the code 'recieved': near: received"),
        (Cut(metrics=("出庭",)), "near: rate"),
        (Cut(as_of=date(1999, 1, 1)), r"nothing to export: .*known on 1999-01-01"),
    ],
)
def test_a_wrong_cut_says_what_is_near(told: Told, tmp_path: Path, cut: Cut, said: str) -> None:
    with pytest.raises(WrongCut, match=said):
        export_release(told, tmp_path / "e", "csv", cut)
    assert list(tmp_path.iterdir()) == []


def test_other_files_are_never_overwritten(told: Told, tmp_path: Path) -> None:
    target = tmp_path / "mine"
    target.mkdir()
    export_release(told, target, "csv")  # an empty folder will do
    (target / "notes.txt").write_text("mine")
    before = {path.name: path.read_bytes() for path in target.iterdir()}
    with pytest.raises(WarehouseError, match=r"mine: there are other files"):
        export_release(told, target, "csv")
    assert {path.name: path.read_bytes() for path in target.iterdir()} == before
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(WarehouseError, match="other files"):
        export_release(told, tmp_path / "file", "csv")


def test_a_failed_export_leaves_the_one_before(told: Told, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    export_release(told, tmp_path / "e", "xlsx")
    before = (tmp_path / "e" / "fazhi.xlsx").read_bytes()
    monkeypatch.setattr(xlsx, "MAX_CHARACTERS", 20)
    with pytest.raises(WarehouseError, match=r"row 2, column '.+': \d+ characters, and Excel holds 20"):
        export_release(told, tmp_path / "e", "xlsx")
    assert (tmp_path / "e" / "fazhi.xlsx").read_bytes() == before and [one.name for one in tmp_path.iterdir()] == ["e"]


def test_the_package_names_release_licences_and_files(told: Told, tmp_path: Path) -> None:
    export_release(told, tmp_path / "e", "csv", Cut(metrics=("received",)))
    package = json.loads((tmp_path / "e" / "datapackage.json").read_text())
    assert package["release"] == told.package["fingerprint"] and package["metrics"] == ["received"]
    assert {one["name"] for one in package["licenses"]} == {"Apache-2.0", "official-documents"}
    assert {one["path"] for one in package["resources"]} == {
        path.name for path in (tmp_path / "e").iterdir() if path.suffix == ".csv"
    }


def test_more_rows_than_a_sheet_holds_go_on_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(xlsx, "MAX_ROWS", 4)
    names = write_workbook(
        tmp_path / "w.xlsx", [Sheet("a", ["n"], [5], ([i] for i in range(7))), Sheet("b", ["n"], [5], [])]
    )
    assert names == ["a", "a 2", "a 3", "b"]
    book = openpyxl.load_workbook(tmp_path / "w.xlsx")
    assert [[cell.value for (cell,) in book[name].iter_rows()] for name in names] == [
        ["n", 0, 1, 2], ["n", 3, 4, 5], ["n", 6], ["n"],
    ]  # fmt: skip


def test_odd_texts_come_back_from_excel_as_they_were(tmp_path: Path) -> None:
    texts = ["=1+1", "#N/A", "a\x01b", "_x0041_", " 空格 ", "两\n行", "回\r车", "<&\"'>", "𠮷", "1e5", "TRUE"]
    write_workbook(tmp_path / "w.xlsx", [Sheet("s", ["t"], [9], [[text] for text in texts])])
    sheet = openpyxl.load_workbook(tmp_path / "w.xlsx")["s"]
    read = [openpyxl.utils.escape.unescape(cell.value) for (cell,) in sheet.iter_rows(min_row=2)]
    assert read == texts and {cell.data_type for (cell,) in sheet.iter_rows()} == {"s"}
    with pytest.raises(CellTooLong, match="32768 characters"):
        write_workbook(tmp_path / "w.xlsx", [Sheet("s", ["t"], [9], [["长" * 32_768]])])


def test_every_statement_column_has_its_place() -> None:
    for table in (VALUES, STATEMENTS):
        names = [column.name for column in table.columns]
        assert len(names) == len(set(names)) and {"quote", "url", "value_id", "statement_id"} <= set(names)
