"""From sentences to observations: meaning along the clause chain, period, status, comparisons, parts, damage."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from pathlib import Path

import pytest

from extraction.catalogue import Catalogue, load_catalogue
from extraction.mentions import extract_mentions
from extraction.model import Observation
from extraction.observations import MAX_NUMBERS, extract_observations
from extraction.parse import observation_record, parse_report
from extraction.rules import load_rules

CATALOG = Path(__file__).resolve().parents[2] / "catalog"
TITLE = "云岭县2022年法治政府建设情况报告\n"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(CATALOG)


def read(text: str, catalogue: Catalogue, publish_date: str | None = None) -> list[Observation]:
    text = TITLE + text
    return list(extract_observations(text, extract_mentions(text), catalogue, 2022, publish_date))


def facts(found: list[Observation]) -> list[tuple[str, str, str, str]]:
    return [(o.metric.removeprefix("reconsideration_"), o.text, o.status, o.period) for o in found]


def test_the_topic_is_inherited_along_the_chain_until_another_takes_over(catalogue: Catalogue) -> None:
    found = read(
        "县政府共收到行政复议申请60件,其中受理52件、不予受理5件;审结50件,维持31件。县法院受理行政诉讼案件20件,审结18件,败诉2件。",
        catalogue,
    )
    assert [(o.metric, o.text) for o in found] == [
        ("reconsideration_applications_received", "60件"),
        ("reconsideration_accepted", "52件"),
        ("reconsideration_not_accepted", "5件"),
        ("reconsideration_concluded", "50件"),
        ("reconsideration_upheld", "31件"),
        ("litigation_cases", "20件"),
        ("litigation_lost", "2件"),
    ]


def test_the_topic_comes_from_the_head_of_the_item(catalogue: Catalogue) -> None:
    items = "(一)加强行政复议工作。全年受理40件,审结38件。\n(二)强化人民调解。全年受理310件,调解成功率99%。"
    found = read(items, catalogue)
    assert [o.metric for o in found] == [
        "reconsideration_accepted",
        "reconsideration_concluded",
        "disputes_mediated",
        "mediation_success_rate",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "受理劳动人事争议仲裁案件120件,审结118件。",
        "办理公证事项2300件。",
        "抽检农产品460批次,合格率99.3%。",
        "设立行政复议代办点16个、法律援助工作站37个。",
        "拨付产业扶持资金4.2亿元。",
        "撤销和确认违法共6件。",
        "日均阅读量8500人次。",
    ],
)
def test_what_meets_no_definition_stays_a_mention(text: str, catalogue: Catalogue) -> None:
    assert facts(read(text, catalogue)) == []


def test_a_pool_is_not_what_was_drawn_from_it(catalogue: Catalogue) -> None:
    assert [o.text for o in read("从5000余份执法案卷中随机抽取90份进行评查。", catalogue)] == ["90份"]


def test_from_a_to_b_is_two_records(catalogue: Catalogue) -> None:
    found = read("行政诉讼败诉率由2021年的12.5%下降至8.1%。", catalogue)
    assert [(o.text, o.status, o.period) for o in found] == [
        ("12.5%", "prior_period", "2021"),
        ("8.1%", "actual", "2022"),
    ]


def test_last_years_figure_and_the_change_belong_to_the_figure_before(catalogue: Catalogue) -> None:
    found = read("全年受理行政复议案件66件,较2021年的60件增长10%。", catalogue)
    assert [(o.text, o.status, o.period, o.yoy_percent) for o in found] == [
        ("66件", "actual", "2022", Decimal(10)),
        ("60件", "prior_period", "2021", None),
    ]
    (only,) = read("全年受理行政复议案件66件,比上年减少6件。", catalogue)
    assert (only.text, only.yoy_change) == ("66件", Decimal(-6))


def test_only_a_change_stated_gives_a_record_without_value(catalogue: Catalogue) -> None:
    (only,) = read("全县刑事警情同比下降18.2%。", catalogue)
    assert (only.metric, only.value, only.yoy_percent) == ("criminal_incidents", None, Decimal("-18.2"))


def test_a_share_is_no_record(catalogue: Catalogue) -> None:
    found = read("审结行政复议案件50件,其中维持30件,占60%;撤销5件,占10%。", catalogue)
    assert [(o.text, o.share_percent) for o in found] == [("50件", None), ("30件", Decimal(60)), ("5件", Decimal(10))]
    joint = read("审结行政复议案件50件,其中撤销5件,变更1件,合计占比12%。", catalogue)
    assert [o.share_percent for o in joint] == [None, None, None, None]
    assert (joint[-1].metric, joint[-1].value) == ("reconsideration_direct_correction_rate", Decimal(12))
    apart = read("审结行政复议案件50件,其中撤销5件,占10%;变更1件、确认违法1件,合计占比4%。", catalogue)
    assert [o.text for o in apart] == ["50件", "5件", "1件", "1件"], "撤销 has its own share: 4% is no rate of ours"
    alone = read("审结行政复议案件50件,其中撤销5件,占10%;变更1件,合计占比2%。", catalogue)
    assert alone[-1].share_percent == 2, "a joint share of one figure is its share"


def test_parts_name_their_total(catalogue: Catalogue) -> None:
    found = read("审查规范性文件草案30件(政府20件、部门8件、镇街2件)。", catalogue)
    assert [(o.text, o.breakdown_of, o.scope) for o in found] == [
        ("30件", None, None),
        ("20件", 0, "政府"),
        ("8件", 0, "部门"),
        ("2件", 0, "镇街"),
    ]
    assert [o.text for o in read("收到司法建议12份,其中采纳11份。", catalogue)] == ["12份"]


def test_a_list_and_each(catalogue: Catalogue) -> None:
    found = read("纪检平台、行政投诉系统分别受理投诉30件、45件。", catalogue)
    assert [(o.metric, o.text) for o in found][1] == ("admin_complaints_accepted", "45件")
    found = read("办结的行政复议案件中,确认违法及责令履行法定职责各2件。", catalogue)
    assert sorted(fact[:2] for fact in facts(found)) == [("confirmed_illegal", "2件"), ("ordered_to_perform", "2件")]


@pytest.mark.parametrize(
    ("text", "status", "period", "as_of"),
    [
        ("截至11月底,共受理行政复议案件40件。", "actual", "2022", "2022-11"),
        ("截至目前,共受理行政复议案件40件。", "actual", "2022", "2022-12-20"),
        ("1—11月共受理行政复议案件40件。", "actual", "2022-01/2022-11", None),
        ("上半年受理行政复议案件40件。", "actual", "2022-01/2022-06", None),
        ("自2020年改革以来,累计受理行政复议案件40件。", "cumulative", "2020-01/2022-12", None),
        ("累计受理行政复议案件40件。", "cumulative", "2022", None),
        ("2022年,累计受理行政复议案件40件。", "actual", "2022", None),
        ("累计受理行政复议案件40件,同比增长5%。", "actual", "2022", None),
        ("三、下一步工作打算\n力争受理行政复议案件40件。", "target", "2023", None),
        ("2023年,我县将受理行政复议案件40件。", "target", "2023", None),
    ],
)
def test_status_and_period(text: str, status: str, period: str, as_of: str | None, catalogue: Catalogue) -> None:
    (only,) = read(text, catalogue, "2022-12-20")
    assert (only.status, only.period, only.as_of) == (status, period, as_of)


PHRASINGS = Path(__file__).with_name("phrasings.tsv")


def test_the_domains_usual_phrasings_are_understood(catalogue: Catalogue) -> None:
    """Each line of phrasings.tsv gives its metric and value; the traps give nothing."""
    wrong = []
    lines = [line for line in PHRASINGS.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
    for line in lines:
        metric, sentence, value = line.split("\t")
        found = read(sentence + "。", catalogue)
        held = any(o.metric == metric and o.value == Decimal(value) for o in found) if metric != "-" else not found
        if not held:
            wrong.append((line, [(o.metric, o.text) for o in found]))
    assert len(lines) > 300
    assert wrong == []


def test_damage_is_read_through(catalogue: Catalogue) -> None:
    found = read("全年共办结行政复议案件47其中维持33件。", catalogue)
    assert [(o.metric, o.value, o.unit_zh) for o in found] == [
        ("reconsideration_concluded", Decimal(47), ""),
        ("reconsideration_upheld", Decimal(33), "件"),
    ]


def test_traditional_text_with_pinyin_tails(catalogue: Catalogue) -> None:
    text = "受理行政複議案件41宗,審結(jié)39宗;調(diào)解糾紛230件,成功率98.1%。"
    found = read(text, catalogue)
    assert [o.metric for o in found] == [
        "reconsideration_accepted",
        "reconsideration_concluded",
        "disputes_mediated",
        "mediation_success_rate",
    ]


def test_tables_are_read_by_their_labels(catalogue: Catalogue) -> None:
    rows = "一、出庭应诉情况\n单位 | 应出庭 | 已出庭 |\n公安局 | 11 | 9 |\n住建局 | 8 | 8 |\n"
    assert [(o.metric, o.value, o.scope) for o in read(rows, catalogue)] == [
        ("head_appearance_required", 11, "公安局"),
        ("head_appearances", 9, "公安局"),
        ("head_appearance_required", 8, "住建局"),
        ("head_appearances", 8, "住建局"),
    ]
    column = "一、行政复议审结情况\n方式\n数量\n维持\n57\n终止\n13\n"
    assert [(o.metric, o.value) for o in read(column, catalogue)] == [
        ("reconsideration_upheld", 57),
        ("reconsideration_terminated", 13),
    ]


def test_without_a_year_nothing_is_dated(catalogue: Catalogue) -> None:
    text = "受理行政复议案件40件。"
    assert extract_observations(text, extract_mentions(text), catalogue, None) == ()


def test_records_are_ready_for_json(catalogue: Catalogue) -> None:
    (only,) = read("落实减税降费政策,减免税费1.5亿元。", catalogue)
    record = observation_record("d", only)
    assert json.loads(json.dumps(record, ensure_ascii=False)) == record
    assert (record["doc"], record["metric"], record["value"]) == ("d", "tax_fee_relief_amount", 150000000)
    assert isinstance(record["value"], int)
    part = read("审查规范性文件草案30件(政府20件、部门0件)。", catalogue)[2]
    assert observation_record("d", part) | {"value": 0, "breakdown_of": 0} == observation_record("d", part)


@pytest.mark.parametrize(
    "unit",
    [
        "受理复议申请1件、",
        "复议维持3宗,",
        "1件",
        "(3件",
        "受理|3|",
        "维持\n3\n",
        "由3件降至",
        "败诉0",
        "自2018年",
        "《法治",
    ],
)
def test_hostile_text_takes_linear_time(unit: str, catalogue: Catalogue) -> None:
    def cost(size: int) -> float:
        text = TITLE + unit * (size // len(unit))
        mentions = extract_mentions(text)
        started = time.process_time()
        extract_observations(text, mentions, catalogue, 2022)
        return time.process_time() - started

    cost(1000)
    small, large = cost(10_000), cost(80_000)
    assert large < 0.5 + small * 8 * 4
    assert MAX_NUMBERS <= 10_000


@pytest.mark.corpus
def test_spans_hold_and_output_is_the_same_every_time_on_real_reports(corpus: Path, catalogue: Catalogue) -> None:
    rules = load_rules(catalogue.metrics)
    files = sorted((corpus / "reports").glob("*.txt")) + sorted((corpus / "passages" / "texts").glob("*.txt"))
    assert len(files) > 20
    for path in files:
        with path.open(encoding="utf-8", newline="") as lines:
            text = lines.read()
        parsed = parse_report(text, catalogue, rules)
        assert parsed.observations, path.name
        for obs in parsed.observations:
            assert text[obs.start : obs.end] == obs.text
            assert text[obs.quote_start :].startswith(obs.quote)
            assert obs.text in obs.quote
            assert len(obs.quote) <= 200
        assert parse_report(text, catalogue, rules) == parsed


@pytest.mark.corpus
@pytest.mark.parametrize(("gold", "texts", "floor"), [("gold", "reports", 0.90), ("passages", "passages/texts", 0.85)])
def test_facts_on_the_gold(gold: str, texts: str, floor: float, corpus: Path, catalogue: Catalogue) -> None:
    """Metric, value, status and period right at once; a plain count without the scorer's allowances."""
    rules = load_rules(catalogue.metrics)
    wanted = [json.loads(line) for line in (corpus / gold / "gold.jsonl").read_text(encoding="utf-8").splitlines()]
    keys = ("doc", "start", "metric", "value", "status", "period")
    sure = {tuple(w[key] for key in keys) for w in wanted if not w.get("ambiguous")}
    places = {(w["doc"], w["start"], code) for w in wanted for code in [w["metric"], *w.get("alt_metrics", [])]}
    found, stray = set(), 0
    for doc in sorted({w["doc"] for w in wanted}):
        with (corpus / texts / f"{doc}.txt").open(encoding="utf-8", newline="") as lines:
            text = lines.read()
        for obs in parse_report(text, catalogue, rules).observations:
            value = None if obs.value is None else float(obs.value)
            found.add((doc, obs.start, obs.metric, value, obs.status, obs.period))
            stray += (doc, obs.start, obs.metric) not in places
    right = len({(d, s, m, None if v is None else float(v), st, p) for d, s, m, v, st, p in sure} & found)
    assert sure
    assert right / len(sure) >= floor
    assert stray / len(found) <= 0.10


def test_a_total_after_its_parts_is_what_they_are_parts_of(catalogue: Catalogue) -> None:
    found = read("全年办理人大代表建议31件、政协提案44件，共76件，满意率100%。", catalogue)
    assert [(o.metric, o.text) for o in found][:3] == [
        ("npc_suggestions_handled", "31件"),
        ("cppcc_proposals_handled", "44件"),
        ("npc_cppcc_items_handled", "76件"),
    ]
    other = read("全年办理人大代表建议31件、政协提案44件，共召开会议3次。", catalogue)
    assert "npc_cppcc_items_handled" not in [o.metric for o in other]


@pytest.mark.parametrize("line_end", ["\r\n", "\r", "\u2028", "\x85"])
def test_any_line_end_gives_the_same_facts(line_end: str, catalogue: Catalogue) -> None:
    text = "收到行政复议申请60件，其中受理52件。\n全年审结48件，其中维持31件。\n（三）调解纠纷310件。"
    plain = [(o.metric, o.text) for o in read(text, catalogue)]
    assert plain
    assert [(o.metric, o.text) for o in read(text.replace("\n", line_end), catalogue)] == plain


@pytest.mark.parametrize("second", ["2022年66件", "202266件"])
def test_the_same_again_for_another_year(second: str, catalogue: Catalogue) -> None:
    """Also where the year lost its 年 and ran into the number: read through, and marked."""
    found = read(f"2021年全县收到行政复议申请60件,{second},增长10%。2022年以来培训执法人员300人次。", catalogue)
    assert [(o.metric, o.text, o.period) for o in found[:2]] == [
        ("reconsideration_applications_received", "60件", "2021"),
        ("reconsideration_applications_received", "66件", "2022"),
    ]
    assert (found[1].yoy_percent, found[1].damaged) == (Decimal(10), "年6" not in second)
