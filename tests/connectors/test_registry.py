"""Source files: strict reading, one-line errors, titles and years."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from connectors.engines import engine_names, get_engine
from connectors.errors import ContractBroken
from connectors.registry import Source, is_report_title, load_source, load_sources, report_year, tls_exception

ROOT = Path(__file__).resolve().parents[2]
GOOD = """
id: 990101_yunling
name_zh: 云岭县人民政府
name_en: Yunling County
region_code: "990101"
engine: trs
start:
  - url: https://WWW.yunling.gov.cn/fzzf/
assertions: {min_list_rows: 3, report_years: [2022]}
"""


def write(folder: Path, text: str, name: str = "990101_yunling.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_a_source_with_defaults(tmp_path: Path) -> None:
    source = load_source(write(tmp_path, GOOD))
    assert source.hosts == ("www.yunling.gov.cn",)
    assert source.start[0].url == "https://www.yunling.gov.cn/fzzf/"
    assert source.start[0].kind == "list"
    assert source.wanted.other_pages is False and source.is_sandbox is False
    assert source.rhythm.expected_month == 4 and source.politeness.delay_seconds > 0


def test_a_port_belongs_to_the_host_unless_it_is_the_schemes_own(tmp_path: Path) -> None:
    for port, host in ((":8080", "www.yunling.gov.cn:8080"), (":443", "www.yunling.gov.cn")):
        text = GOOD.replace("WWW.yunling.gov.cn", f"WWW.yunling.gov.cn{port}")
        assert load_source(write(tmp_path, text)).hosts == (host,)
        assert load_source(write(tmp_path, f"{text}hosts: [{host}]\n")).hosts == (host,)


@pytest.mark.parametrize("rule", ["http-only", "sha256:" + "0a" * 32])
def test_an_exception_from_tls_with_its_reason(tmp_path: Path, rule: str) -> None:
    assert tls_exception(load_source(write(tmp_path, GOOD))) is None
    stated = GOOD + f"tls: {rule}\ntls_reason: the certificate has expired\n"
    found = tls_exception(load_source(write(tmp_path, stated)))
    assert found is not None and found.rule == rule
    assert str(found) == f"{rule[:23]} (the certificate has expired)"


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("engine: trs", "engin: trs", ("key engin", "did you mean 'engine'")),
        ("engine: trs", "engine: trx", ("key engine", "did you mean trs", "ucap")),
        ("engine: trs", "engine: trs\nengine: ucap", ("line 7", "'engine' stands twice")),
        ("min_list_rows: 3", "min_rows: 3", ("assertions.min", "did you mean 'min_list_rows'")),
        ("min_list_rows: 3, ", "", ("key assertions.min_list_rows", "missing")),
        ("min_list_rows: 3", "min_list_rows: 0", ("key assertions.min_list_rows", "greater than or equal to 1")),
        ("report_years: [2022]", "report_years: []", ("key assertions.report_years", "at least 1 item")),
        ("assertions: {min_list_rows: 3, report_years: [2022]}", "", ("key assertions", "missing")),
        ("https://WWW", "ftp://WWW", ("key start.0.url", "only http and https")),
        ("  - url:", "  - kind: page\n    url:", ("key start.0.kind", "'list' or 'feed'")),
        ('"990101"', '"990102"', ("region_code 990102 is not the one in the id",)),
        ("id: 990101_yunling", "id: 990101_other", ("file's stem", "990101_yunling")),
        ("id: 990101_yunling", "id: yunling", ("key id",)),
        ("engine: trs", "engine: trs\nselectors: {body: 'div > p'}", ("key selectors.body", "only tag, #id, .class")),
        ("engine: trs", "engine: trs\nwanted: {titles: ['(']}", ("key wanted.titles", "no regular expression")),
        ("engine: trs", "engine: trs\ntls: http-only", ("tls http-only needs tls_reason",)),
        ("engine: trs", "engine: trs\ntls: none\ntls_reason: x", ("'http-only' or 'sha256:'", "'none'")),
        ("engine: trs", "engine: trs\ntls_reason: x", ("'http-only' or 'sha256:'",)),
        ("engine: trs", "engine: trs\ntsl: http-only", ("key tsl", "did you mean 'tls'")),
        ("engine: trs", "engine: trs\nhosts: [other.gov.cn]", ("hosts does not list", "www.yunling.gov.cn")),
        ("engine: trs", "engine: !!python/object/apply:os.getcwd []", ("line 6", "python/object")),
        ("engine: trs", "engine: [trs", ("line",)),
        (GOOD, "- a", ("no mapping",)),
    ],
)  # fmt: skip
def test_errors_are_one_line_with_file_key_and_way_out(
    tmp_path: Path, old: str, new: str, parts: tuple[str, ...]
) -> None:
    path = write(tmp_path, GOOD.replace(old, new))
    with pytest.raises(ContractBroken) as caught:
        load_source(path)
    message = str(caught.value)
    assert "\n" not in message and path.name in message
    for part in parts:
        assert part in message


def test_missing_file_folder_and_double_id(tmp_path: Path) -> None:
    with pytest.raises(ContractBroken, match="cannot be read"):
        load_source(tmp_path / "990101_nowhere.yaml")
    with pytest.raises(ContractBroken, match="no folder of source files"):
        load_sources([tmp_path / "nowhere"])
    other = tmp_path / "other"
    other.mkdir()
    write(tmp_path, GOOD)
    write(other, GOOD)
    with pytest.raises(ContractBroken, match="is taken by"):
        load_sources([tmp_path, other])
    assert list(load_sources([tmp_path])) == ["990101_yunling"]


def test_the_projects_own_sources_load() -> None:
    sources = load_sources([ROOT / "connectors" / "sources"])
    assert {source.engine for source in sources.values()} <= set(engine_names())
    assert all(source_id == source.id for source_id, source in sources.items())


def test_unknown_engine_names_the_known() -> None:
    with pytest.raises(ContractBroken, match="known are cms_html, empire, epoint, "):
        get_engine("wordpress")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    return load_source(write(tmp_path, GOOD))


@pytest.mark.parametrize(
    ("title", "year"),
    [
        ("云岭县2022年法治政府建设情况报告", 2022),
        ("云岭县人民政府关于2021年度法治政府建设情况的报告", 2021),
        ("云岭县2019年度推进依法行政建设法治政府工作情况报告", 2019),
        ("云岭县司法局２０２０年度法治政府建设年度报告", 2020),
        ("云岭县二〇一八年度法治政府建设工作报告", 2018),
        ("云岭县2017年度依法行政工作总结", 2017),
        ("云岭县 2016年 法治政府建设 年度报告（公开版）", 2016),
        ("云岭县2023年度法治建设情况", 2023),
        ("云岭县法治政府建设年度报告", None),
        ("关于2022年度开展法治政府建设工作情况的报告", 2022),
        ("云岭县水务局关于报送2022年度法治政府建设情况的报告", 2022),
        ("县委组织部2022年度法治政府建设情况报告", 2022),
        ("云岭县2021年贯彻落实《法治政府建设实施纲要（2021—2025年）》情况报告", 2021),
        ("关于印发《云岭县2022年度法治政府建设工作报告》的通知", 2022),
    ],
)
def test_report_titles(source: Source, title: str, year: int | None) -> None:
    assert is_report_title(source, title)
    assert report_year(title) == year


@pytest.mark.parametrize(
    "title",
    [
        "关于报送2022年度法治政府建设情况报告的通知",
        "关于做好2022年度法治政府建设年度报告工作的通知",
        "云岭县2022年法治政府建设工作要点",
        "云岭县2022年法治政府建设工作计划",
        "云岭县法治政府建设实施方案（2021—2025年）",
        "一图读懂：法治政府建设实施纲要（2021—2025年）",
        "《云岭县2022年法治政府建设情况报告》解读",
        "县政府常务会议听取2022年法治政府建设情况报告",
        "云岭县依法行政监督举报电话的公告",
        "云岭县举办依法行政培训班",
        "云岭县2022年政府信息公开工作年度报告",
        "云岭县2022年预算执行情况报告",
        "云岭县2022年上半年法治政府建设工作情况报告",
        "图解：云岭县2022年法治政府建设情况报告",
        "云岭县法治政府建设督察情况报告",
        "关于印发《云岭县2022年法治政府建设工作要点》的通知",
    ],
)
def test_titles_that_are_no_reports(source: Source, title: str) -> None:
    assert not is_report_title(source, title)


def test_a_source_may_state_its_own_titles(tmp_path: Path) -> None:
    text = GOOD + "wanted: {titles: ['年度工作报告'], exclude: ['解读']}\n"
    source = load_source(write(tmp_path, text))
    assert is_report_title(source, "云岭县年度工作报告")
    assert not is_report_title(source, "云岭县年度工作报告解读")


@pytest.mark.corpus
def test_corpus_titles_are_told_apart(corpus: Path, source: Source) -> None:
    lines = (corpus / "portals" / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    for expected in map(json.loads, lines):
        assert is_report_title(source, expected["title"]) is expected["is_report"], expected["title"]
        if expected["is_report"]:
            assert report_year(expected["title"]) == expected["report_year"]
