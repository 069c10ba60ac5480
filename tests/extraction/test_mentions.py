"""Quantity mentions. The sentences are invented; the corpus test measures what the rules are worth."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from extraction.lexicon import LexiconError, load_lexicon
from extraction.mentions import extract_mentions
from extraction.view import build_view


def texts(sentence: str) -> list[str]:
    return [mention.text for mention in extract_mentions(sentence)]


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("梧桐区受理申请1,320件、办结98.5%", ["1,320件", "98.5%"]),
        ("查处17宗26人,分4批共93个", ["17宗", "26人", "4批", "93个"]),
        ("公开信息2.4万余条,投入300余万,罚没1.5亿元", ["2.4万余条", "300余万", "1.5亿元"]),
        ("平均用时15.21个工作日,缩短2.3个百分点", ["15.21个工作日", "2.3个百分点"]),
        ("咨询260人余次,检查12 次", ["260人余次", "12 次"]),
        ("2023 年 3 月 15 日受理 12 件；共计：5件（含3件）", ["12 件", "5件", "3件"]),
        ("受理１２３４件，办结率９８．５％", ["１２３４件", "９８．５％"]),
        ("審查合同90餘條,受眾7萬餘人次", ["90餘條", "7萬餘人次"]),
        ("浓度为43微克/立方米", ["43微克/立方米"]),
        ("突出四个领域,召开会议两次,共八部分,为期两天", ["四个", "两次", "八部分", "两天"]),
        ("二十多家企业,百余名干部,两万余起", ["二十多家", "百余名", "两万余起"]),
        ("占百分之九,近四成,增加一成。", ["百分之九", "四成", "一成"]),
        ("黄牌数均为零;公民投诉零起。", ["零", "零起"]),
        ("连续2年获奖,连续三年达标,3个月内办结,1月内答复", ["2年", "三年", "3个月", "1月"]),
    ],
)
def test_finds_quantities(sentence: str, found: list[str]) -> None:
    assert texts(sentence) == found


@pytest.mark.parametrize(
    "sentence",
    [
        "2023年3月15日,截至11月底,1—11月,1-7月份,2016—2020年,2023-03-15 09:30,上午9:00,三季度",
        "云政发〔2021〕23号,索引号 640000001/2021-00006,第63次会议,第一批,第3、4条",
        "12345热线,拨打12348,1+16体系,PM2.5,“3550”改革,政企通3.0,5G网络,7×24小时",
        "行政执法三项制度,二十四证合一,三年行动,八项规定,“四风”,三重一大,七五普法,十三五规划",
        "(一)总体情况;(2)存在问题;1.工作开展;2、下步打算",
        "见https://example.gov.cn/2019/0110/12345_1.html,《2022年第3批12项目录》",
        "建立一支队伍,一批项目,进一步,一系列措施,一次性告知,未发生一起",
        "近3年来,过去五年,未来2年,15日前报送,二次供水,二类场所",
        "2023全年工作,自2023起施行,2023部门预算",
        "6.30专案,12·4宪法日,4.15全民国家安全教育日,107国道,3号楼,电话0755-1234567",
        "三分之一以上的村,万人拥有律师,千家万户,数十件,十几名",
    ],
)
def test_leaves_what_counts_nothing(sentence: str) -> None:
    # the year that lost its 年 is known from elsewhere in its text
    assert texts("2023年。" + sentence) == []


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("2022年。审查2022139件", [("139件", True)]),
        ("2022年。满意率202298.5%", [("98.5%", True)]),
        ("审查2022139件", [("2022139件", False)]),  # no such year in the text
        ("合格率100%220个", [("100%", False), ("220个", False)]),
        ("共办结475其中维持333宗", [("475", True), ("333宗", False)]),
        ("行政处罚58处罚款3万元", [("58", True), ("3万元", False)]),
    ],
)
def test_reads_through_damage(sentence: str, found: list[tuple[str, bool]]) -> None:
    assert [(m.text, m.damaged) for m in extract_mentions(sentence)] == found


SENTENCES = [
    "2023年3月15日,梧桐区受理申请1,320件、办结98.5%,查处17宗26人(含3件)",
    "浓度为43微克/立方米,投入300余万,平均用时15.21个工作日;拨打12345热线",
    "云政发〔2021〕23号,二十多家企业,占百分之九,3-5个工作日办结,其中:维持8件",
]
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
BLANKS = st.sampled_from(["", "", " ", "\u3000", "\xa0", "  "])


def told(sentence: str) -> list[tuple[object, ...]]:
    """Everything of a mention but its place and its spelling."""
    return [
        (
            m.value,
            m.unit_zh.translate({code + 0xFEE0: code for code in FULL_WIDTH}),
            m.qualifier,
            m.value_low,
            m.damaged,
        )
        for m in extract_mentions(sentence)
    ]


@pytest.mark.parametrize("sentence", SENTENCES)
def test_full_width_forms_change_nothing(sentence: str) -> None:
    assert told(sentence.translate(FULL_WIDTH)) == told(sentence)


@pytest.mark.parametrize("sentence", SENTENCES)
@given(data=st.data())
@settings(deadline=None)
def test_blanks_change_nothing_but_the_spans(sentence: str, data: st.DataObject) -> None:
    """Between any two characters but inside a number."""
    spaced = "".join(
        char + ("" if char in "0123456789.," and after in "0123456789.," else data.draw(BLANKS))
        for char, after in zip(sentence, sentence[1:] + "。", strict=True)
    )
    assert told(spaced) == told(sentence)
    assert all(spaced[m.start : m.end] == m.text == m.text.strip() for m in extract_mentions(spaced))


@pytest.mark.parametrize(
    ("sentence", "found"),
    [
        ("维持 36 58 7", ["36"]),  # the row of a flattened table: three numbers, of which the first has its label
        ("项目 | 36 58 7 | 12", ["12"]),
        ("受理36\u300058件", ["36", "58件"]),
        ("受理36&nbsp;58件", ["36", "58件"]),
        ("1. 12个部门", ["12个"]),
        ("1. 2023年受理12件", ["12件"]),
        ("新购 SUV 12辆", ["12辆"]),
        ("共 130, 115件", ["130", "115件"]),
        ("建設(shè)12個(gè)平臺,投入3萬(wàn)元", ["12個", "3萬(wàn)元"]),
        ("&ldquo;3550&rdquo;改革,&ldquo;三项&rdquo;制度&amp;12件", []),
        ("受理\u200b12\u200b件", ["12\u200b件"]),
    ],
)
def test_a_blank_between_numbers_parts_them_and_entities_are_read_as_characters(
    sentence: str, found: list[str]
) -> None:
    assert texts(sentence) == found


def test_a_character_is_folded_once() -> None:
    swapped = {ord("甲"): ord("乙"), ord("乙"): ord("甲")}
    assert build_view("甲乙１２", swapped).text == "乙甲12"
    assert build_view("甲１２\r\n丙\r丁", {ord("甲"): ord("乙")}).text == "乙12\n丙\n丁"


def test_takes_table_figures_and_leaves_serial_and_page_numbers() -> None:
    table = "序号 | 单位 | 应出庭\n1 | 临江街道 | 16\n2 | 望湖街道 | 9\n"
    assert texts(table) == ["16", "9"]
    assert texts("方式\n数量\n维持\n571\n终止\n132\n") == ["571", "132"]
    assert texts("全年工作有力推进,各项目标任务圆满完成。\n\n7\n\n下一步继续努力,推动法治政府建设再上新台阶。") == []


@pytest.mark.parametrize(
    ("sentence", "value", "unit", "qualifier"),
    [
        ("减税2918万余元", "29180000", "元", "approx_more"),
        ("受理7.26万件", "72600", "件", "exact"),
        ("超过108万个", "1080000", "个", "at_least"),
        ("每年至少听取1次", "1", "次", "at_least"),
        ("比重不低于总分值的10%", "10", "%", "at_least"),
        ("化解率98%以上", "98", "%", "at_least"),
        ("整治约2945家", "2945", "家", "approx"),
        ("节约20万元", "200000", "元", "exact"),
        ("近8000余人", "8000", "人", "approx"),
        ("报装不超过9个工作日", "9", "个工作日", "at_most"),
        ("压至28天以内", "28", "天", "at_most"),
        ("降为百分之九十五点五", "95.5", "%", "exact"),
        ("超近四成", "40", "%", "approx"),
    ],
)
def test_reads_value_unit_and_qualifier(sentence: str, value: str, unit: str, qualifier: str) -> None:
    (mention,) = extract_mentions(sentence)
    assert (mention.value, mention.unit_zh, mention.qualifier) == (Decimal(value), unit, qualifier)


def test_states_only_the_bounds_that_the_words_state() -> None:
    more, spread, about, most = extract_mentions("答复140余条,3-5个工作日办结,约30件,不超过9天")
    assert (more.value_low, more.value_high) == (140, None)
    assert (spread.text, spread.value, spread.value_low, spread.value_high) == ("3-5个工作日", 3, 3, 5)
    assert (about.value_low, about.value_high) == (None, None)
    (han,) = extract_mentions("三至五个工作日办结")
    assert (han.text, han.value_low, han.value_high) == ("三至五个工作日", 3, 5)
    assert (most.value_low, most.value_high) == (None, 9)


def test_reads_a_change_as_two_quantities() -> None:
    assert texts("由15.3%降至3.9%,由3至5家,补助50元至300元") == ["15.3%", "3.9%", "3", "5家", "50元", "300元"]


@given(st.text(alphabet="1290,.%一两十百万余多件个次年月日第(《“”》)、。-—:| \n２％萬超近至aA+", max_size=60))
@settings(deadline=None)
def test_spans_always_cover_the_text_in_order(text: str) -> None:
    mentions = extract_mentions(text)
    assert all(text[m.start : m.end] == m.text and m.start < m.end for m in mentions)
    assert all(a.end <= b.start for a, b in pairwise(mentions))
    assert mentions == extract_mentions(text)


@pytest.mark.parametrize("unit", ["1", "一", "《", "“", "(", "（", "百分之", "http://", "1+", "至少", ",111"])
def test_a_megabyte_takes_linear_time(unit: str) -> None:
    text = (unit * 10**6)[: 10**6]
    extract_mentions("1件")  # the words are loaded once
    begin = time.process_time()
    extract_mentions(text)
    assert time.process_time() - begin < 5
    begin = time.process_time()
    extract_mentions(text[: 10**5])
    extract_mentions(text[: 10**5])
    assert time.process_time() - begin < 1


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("names:", "nomes:", "nomes"),
        ("stops:", "stops:\n  甲乙: [丙]", "甲乙"),
        ("traditional: {", "traditional: {參與: 参与, ", "參與"),
        ("units:", "units: [", "cannot be read"),
    ],
)
def test_a_broken_words_file_is_one_clear_line(tmp_path: Path, old: str, new: str, named: str) -> None:
    from extraction.lexicon import WORDS_PATH

    broken = tmp_path / "words.yml"
    broken.write_text(WORDS_PATH.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LexiconError) as caught:
        load_lexicon(broken)
    assert str(broken) in str(caught.value)
    assert named in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.corpus
@pytest.mark.parametrize(("gold", "folder"), [("gold", "reports"), ("passages", "passages/texts")])
def test_corpus_f1(corpus: Path, gold: str, folder: str) -> None:
    wanted: dict[str, list[dict[str, object]]] = defaultdict(list)
    for line in (corpus / gold / "mentions.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        wanted[row["doc"]].append(row)
    hits = misses = extras = values = 0
    for doc, rows in wanted.items():
        text = (corpus / folder / f"{doc}.txt").read_bytes().decode("utf-8")
        found = {(m.start, m.end): m for m in extract_mentions(text)}
        firm = {(row["start"], row["end"]): row for row in rows if not row.get("borderline")}
        soft = {(row["start"], row["end"]) for row in rows if row.get("borderline")}
        hit = firm.keys() & found.keys()
        hits, misses = hits + len(hit), misses + len(firm.keys() - hit)
        extras += len(found.keys() - hit - soft)
        values += sum(found[span].value == Decimal(str(firm[span].get("value") or 0)) for span in hit)
    assert hits > 300
    assert 2 * hits / (2 * hits + misses + extras) >= 0.97
    assert values / hits >= 0.99


def test_a_cell_holds_a_count_even_where_it_looks_like_a_hotline() -> None:
    text = "项目 | 收到 | 审结\n行政复议 | 120 | 110\n拨打12345或110报警。"
    assert [mention.text for mention in extract_mentions(text)] == ["120", "110"]


@pytest.mark.parametrize(
    "text", ["全年 办结12件 ，另 3 件 。", " 12件", "１２件（x\u200by）\u30003件", "一\r\n二 1. 12个 "]
)
def test_a_stretch_of_the_text_is_found_in_the_view_by_both_its_ends(text: str) -> None:
    view = build_view(text, load_lexicon().fold)
    spans = [(start, end) for start in range(len(text)) for end in range(start, len(text) + 1)]
    assert all(view.forth_span(*span) == (view.forth(span[0]), view.forth(span[1])) for span in spans)
