"""Of which place and body a document speaks: by evidence, never by guess."""

from __future__ import annotations

from itertools import permutations
from time import process_time
from typing import Any

import pytest
from sqlalchemy import Engine, select

from tests.warehouse.builders import batch, report
from tests.warehouse.conftest import Make, load
from tests.warehouse.tables import A, rows
from tests.warehouse.test_regions import credit_code
from warehouse.authority import NO_BODY, read_body
from warehouse.batch import DocumentIn, SourceRow
from warehouse.fingerprint import fingerprint
from warehouse.keys import UNKNOWN
from warehouse.resolve import BODY_RULES, CONFIDENCES, REGION_RULES, resolve
from warehouse.schema import dim_document, fact_metric_value, fact_observation
from warehouse.schema_dims import dim_agency, dim_region

HAIZHOU = SourceRow("320706_a", "连云港市海州区人民政府", "", "320706", "trs")
LIANYUNGANG = SourceRow("320700_a", "连云港市人民政府", "", "320700", "trs")
JIANGSU = SourceRow("320000_a", "江苏省人民政府", "", "320000", "trs")
TONGXIN = SourceRow("640324_a", "同心县人民政府", "", "640324", "trs")
XINJIAN = SourceRow("360112_a", "南昌市新建区人民政府", "", "360112", "trs")
YUNSHUI = SourceRow("990101_a", "云水县人民政府", "", "990101", "trs")
NOT_LISTED = SourceRow("991234_a", "霖岳市人民政府", "", "991234", "trs")
NAMELESS = SourceRow("991234_b", "政务公开", "", "991234", "trs")
TAIL = "2020年度法治政府建设情况报告"


def document(title: str | None, year: int = 2020, **more: Any) -> DocumentIn:
    return report(year, A, title=title, parsed=None, **{"publisher": None, **more})


@pytest.mark.parametrize(
    ("source", "title", "region", "rule", "confidence"),
    [
        (HAIZHOU, f"海州区{TAIL}", "320706", "source", "high"),
        (HAIZHOU, TAIL, "320706", "source", "medium"),
        (HAIZHOU, None, "320706", "source", "medium"),
        (HAIZHOU, f"全区{TAIL}", "320706", "source", "medium"),
        (LIANYUNGANG, f"海州区{TAIL}", "320706", "source", "medium"),
        (TONGXIN, f"海州区{TAIL}", None, "ambiguous", "none"),
        (JIANGSU, f"鼓楼区{TAIL}", None, "ambiguous", "none"),
        (TONGXIN, f"朝阳区人民政府{TAIL}", None, "ambiguous", "none"),
        (HAIZHOU, f"阜新市海州区{TAIL}", "210902", "title_path", "high"),
        (TONGXIN, f"江苏连云港市海州区{TAIL}", "320706", "title_path", "high"),
        (TONGXIN, f"吉林省吉林市船营区{TAIL}", "220204", "title_path", "high"),
        (TONGXIN, f"吴忠市{TAIL}", "640300", "unique_name", "high"),
        (TONGXIN, f"关于印发《吴忠市{TAIL}》的通知", "640300", "unique_name", "high"),
        (TONGXIN, f"浦东新区{TAIL}", "310115", "unique_name", "medium"),
        (TONGXIN, f"恩施州{TAIL}", "422800", "unique_name", "medium"),
        (TONGXIN, f"霖岳市{TAIL}", None, "unknown", "none"),
        (TONGXIN, f"霖岳市教育局{TAIL}", None, "unknown", "none"),
        (TONGXIN, f"南昌市海州区{TAIL}", None, "unknown", "none"),
        (YUNSHUI, f"云水县{TAIL}", "990101", "source", "high"),
        (YUNSHUI, f"汀芷县{TAIL}", "990301", "unique_name", "medium"),
        (YUNSHUI, f"霖岳市汀芷县{TAIL}", "990301", "unique_name", "medium"),
        (NOT_LISTED, f"霖岳市{TAIL}", "991234", "source", "high"),
        (NAMELESS, f"霖岳市{TAIL}", "991234", "source", "medium"),
        (TONGXIN, f"县城市管理局{TAIL}", "640324", "source", "medium"),
    ],
)
def test_the_region(source: SourceRow, title: str | None, region: str | None, rule: str, confidence: str) -> None:
    found = resolve(document(title), source)
    assert (found.region_code, found.region.rule, found.region.confidence) == (region, rule, confidence)
    assert rule in REGION_RULES and confidence in CONFIDENCES and found.body.rule in BODY_RULES
    assert found.region.words
    if region is None:
        assert found.agency is not None and found.agency.startswith(found.region.words)


@pytest.mark.parametrize(
    ("year", "title", "region"),
    [
        (2013, "新建县2013年推进依法行政工作情况报告", "360112"),
        (2015, "新建县2015年法治政府建设情况报告", "360112"),
        (2020, "新建区2020年法治政府建设情况报告", "360112"),
        (2018, "南昌市湾里区2018年法治政府建设情况报告", "360105"),
        (2021, "杭州市临平区2021年法治政府建设情况报告", "330113"),
    ],
)
def test_names_are_those_of_the_time(year: int, title: str, region: str) -> None:
    assert resolve(document(title, year), XINJIAN).region_code == region


def test_an_old_code_of_a_source_is_the_place_of_today() -> None:
    old = SourceRow("360122_a", "新建县人民政府", "", "360122", "trs")
    found = resolve(document(f"新建区{TAIL}"), old)
    assert (found.region_code, found.region.rule) == ("360112", "source")


@pytest.mark.parametrize(
    ("title", "index_no", "region", "rule", "notes"),
    [
        (f"鼓楼区{TAIL}", "320106009/2021-00006", "320106", "index_no", ()),
        (f"鼓楼区{TAIL}", credit_code("320300") + "/2021-1", "320302", "index_no", ()),
        (TAIL, credit_code("320706") + "/2021-1", "320706", "index_no", ("region_conflict",)),
        (f"阜新市海州区{TAIL}", credit_code("320706") + "/2021-1", "320706", "index_no", ("region_conflict",)),
        (f"吴忠市{TAIL}", "640324009/2021-00006", "640300", "unique_name", ()),
        (f"阜新市海州区{TAIL}", "640324009/2021-00006", "210902", "title_path", ()),
        (f"同心县{TAIL}", "01234567-0/2021-1", "640324", "source", ("index_no_check_digit",)),
        (TAIL, credit_code("320706")[:17] + "?", "640324", "source", ()),
        (TAIL, "11320706" + "0001234500/2021", "640324", "source", ("index_no_check_digit",)),
        (TAIL, credit_code("123456") + "/2021-1", "640324", "source", ("index_no_region_unknown",)),
    ],
)
def test_index_numbers_are_evidence(title: str, index_no: str, region: str, rule: str, notes: tuple[str, ...]) -> None:
    found = resolve(document(title, index_no=index_no), TONGXIN)
    assert (found.region_code, found.region.rule, found.notes) == (region, rule, notes)


@pytest.mark.parametrize(
    ("title", "publisher", "agency", "rule"),
    [
        (f"同心县{TAIL}", "同心县司法局", None, "title"),
        (f"关于同心县{TAIL}", None, None, "title"),
        (f"中共同心县委关于{TAIL}", None, None, "title"),
        (f"同心县人民政府办公室{TAIL}", None, None, "title"),
        (f"中共同心县委全面依法治县委员会办公室关于{TAIL}", None, None, "title"),
        (TAIL, "同心县司法局", None, "none"),
        (TAIL, "县政府办", None, "none"),
        (TAIL, "同心县教育局", "同心县教育局", "publisher"),
        (TAIL, "河西镇人民政府", "同心县河西镇人民政府", "publisher"),
        (f"同心县市场监管局{TAIL}", None, "同心县市场监督管理局", "title"),
        (f"宁夏同心县市场监督管理局关于{TAIL}", None, "同心县市场监督管理局", "title"),
        (f"县市场监督管理局{TAIL}", None, "同心县市场监督管理局", "title"),
        ("2020年度同心县教育局法治政府建设报告", None, "同心县教育局", "title"),
        ("二〇二〇年同心县水利局法治政府建设报告", None, "同心县水利局", "title"),
        (f"河西镇{TAIL}", None, "同心县河西镇人民政府", "title"),
        (f"同心县河西镇人民政府{TAIL}", None, "同心县河西镇人民政府", "title"),
        (f"豫海街道{TAIL}", None, "同心县豫海街道办事处", "title"),
        (f"同心经济开发区管委会{TAIL}", None, "同心经济开发区管理委员会", "title"),
        (f"国家税务总局同心县税务局{TAIL}", None, "同心县税务局", "title"),
        ("2020年法治政府建设情况报告（同心县司法局）", None, "同心县司法局", "title"),
    ],
)
def test_the_body(title: str, publisher: str | None, agency: str | None, rule: str) -> None:
    found = resolve(document(title, publisher=publisher), TONGXIN)
    assert (found.region_code, found.agency, found.body.rule) == ("640324", agency, rule)


@pytest.mark.parametrize(
    ("publisher", "region", "name"),
    [
        ("同心县人民政府", "640324", None),
        ("县人民政府办公室", "640324", None),
        ("同心", "640324", None),
        ("区司法局", "640324", "同心县司法局"),
        ("同心县市监局", "640324", "同心县市场监督管理局"),
        ("吴忠市人民政府", "640300", "吴忠市人民政府"),
        ("吴忠市市场监管局", "640300", "吴忠市市场监督管理局"),
        ("海州区司法局", None, "海州区司法局"),
        ("中国政府网", "640324", "中国政府网"),
    ],
)
def test_the_publisher_has_a_place_of_its_own(publisher: str, region: str | None, name: str | None) -> None:
    found = resolve(document(f"同心县{TAIL}", publisher=publisher), TONGXIN)
    assert (found.publisher_region, found.publisher) == (region, name)


def test_one_bureau_has_one_name_over_a_renaming() -> None:
    before = resolve(document("新建县司法局2013年依法行政工作报告", 2013), XINJIAN)
    after = resolve(document("新建区司法局2020年法治政府建设报告"), XINJIAN)
    assert before.agency == after.agency == "新建区司法局" and before.region_code == after.region_code


@pytest.mark.parametrize("title", ["关于召开同心县2021年依法治县工作会议的通知", "关于召开霖岳市2021年工作会议的通知"])
def test_a_notice_is_of_its_source_unless_it_names_a_known_place(title: str) -> None:
    found = resolve(document(title, is_report=False), TONGXIN)
    assert (found.region_code, found.region.rule, found.agency, found.body.rule) == (
        "640324", "source", None, "not_a_report",
    )  # fmt: skip


def test_the_own_name_is_found_after_words_that_look_like_part_of_it() -> None:
    found = resolve(document("关于送审同心县2020年法治政府建设情况报告"), TONGXIN)
    assert (found.region_code, found.region.rule, found.region.words) == ("640324", "source", "同心县")


def test_what_is_no_body() -> None:
    assert read_body("2020年法治政府建设") == NO_BODY and read_body("") == NO_BODY


def test_it_is_cheap_and_hostile_names_do_not_stall_it() -> None:
    resolve(document(TAIL), TONGXIN)
    start = process_time()
    for _ in range(100):
        resolve(document(f"江苏连云港市海州区人民政府关于{TAIL}", index_no="01234567-0/2021-1"), TONGXIN)
    assert process_time() - start < 0.5  # 0.15 ms each when measured
    for text in ("云水" * 5000, "市" * 10000, "县局" * 5000, "关于" * 5000, "（" * 10000, "吉林" * 5000, "1" * 10000):
        start = process_time()
        resolve(document(text, publisher=text, index_no=text), TONGXIN)
        assert process_time() - start < 0.5, text[:4]


def described(engine: Engine) -> dict[str, tuple[str, str, str | None]]:
    doc = dim_document.c
    chosen = (
        select(doc.title, doc.region_rule, dim_region.c.region_code, dim_agency.c.name_zh)
        .join(dim_region, dim_region.c.region_key == doc.region_key)
        .join(dim_agency, dim_agency.c.agency_key == doc.agency_key)
        .where(doc.document_key >= 0)
    )
    with engine.connect() as conn:
        return {title: (rule, code, agency) for title, rule, code, agency in conn.execute(chosen)}


def test_a_report_put_up_again_goes_to_the_place_named(engine: Engine) -> None:
    own, other = f"同心县{TAIL}", f"吴忠市{TAIL}"
    documents = (
        report(2020, A, name="a", title=own, index_no="640324009/2021-00001"),
        report(2020, A.replace("10", "12"), name="b", title=other, index_no="640324009/2021-00002"),
    )
    load(engine, batch(*documents, source=TONGXIN))
    found = described(engine)
    assert found[own][:2] == ("index_no", "640324") and found[other][:2] == ("unique_name", "640300")
    assert {row["n_statements"] for row in rows(engine, fact_metric_value)} == {1}
    assert len({row["region_key"] for row in rows(engine, fact_metric_value)}) == 2


def test_figures_of_an_ambiguous_place_are_kept_and_not_chosen(engine: Engine) -> None:
    load(engine, batch(report(2020, A, title=f"海州区{TAIL}"), source=TONGXIN))
    (document_row,) = [row for row in rows(engine, dim_document) if row["document_key"] >= 0]
    assert document_row["region_key"] == UNKNOWN
    assert (document_row["region_rule"], document_row["region_words"]) == ("ambiguous", "海州区")
    assert rows(engine, fact_observation) and not rows(engine, fact_metric_value)
    later = report(2020, A, title=f"连云港市海州区{TAIL}", day=1)
    load(engine, batch(later, source=TONGXIN, run="r2", day=1))
    assert rows(engine, fact_metric_value) and all(row["region_key"] >= 0 for row in rows(engine, fact_observation))


def test_a_wrong_check_digit_is_a_note_on_the_document(engine: Engine) -> None:
    result = load(engine, batch(report(2020, A, index_no="01234567-0/2021-00001")))
    assert result.quarantined == 0
    with engine.connect() as conn:
        notes = conn.execute(select(dim_document.c.notes).where(dim_document.c.document_key >= 0)).scalars().all()
    assert notes == ['["index_no_check_digit"]']


def test_documents_before_and_after_a_renaming_are_of_one_place(engine: Engine) -> None:
    documents = (
        report(2013, A, title="新建县2013年推进依法行政工作情况报告", published="2014-02-01"),
        report(2020, A.replace("10", "12"), title="新建区2020年法治政府建设情况报告", published="2021-02-01"),
    )
    load(engine, batch(*documents, source=XINJIAN))
    doc = dim_document.c
    chosen = (
        select(doc.report_year, dim_region.c.name_zh, dim_region.c.region_code)
        .join(dim_region, dim_region.c.region_key == doc.region_key)
        .where(doc.document_key >= 0)
    )
    with engine.connect() as conn:
        found = {year: (name, code) for year, name, code in conn.execute(chosen)}
    assert found == {2013: ("新建县", "360112"), 2020: ("新建区", "360112")}
    assert len({row["region_key"] for row in rows(engine, fact_metric_value)}) == 1


def test_the_order_of_loading_decides_nothing(make: Make) -> None:
    batches = [
        batch(report(2020, A, name="a", title=f"海州区{TAIL}", day=0), source=TONGXIN, run="r0", day=0),
        batch(report(2020, A + "甲", name="b", title=f"海州区{TAIL}", day=1), source=HAIZHOU, run="r1", day=1),
        batch(report(2020, A + "乙", name="c", title=f"海州区司法局{TAIL}", day=2), source=HAIZHOU, run="r2", day=2),
    ]
    told = set()
    for number, order in enumerate(permutations(batches)):
        engine = make(f"w{number}")
        for one in order:
            load(engine, one)
        told.add(str(fingerprint(engine)))
    assert len(told) == 1
