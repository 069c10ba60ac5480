"""Changes, parts and times: figures that lean on another figure or on a time told beside them."""

from __future__ import annotations

import pytest

from extraction.catalogue import Catalogue
from tests.extraction.test_observations import catalogue, read

__all__ = ["catalogue"]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("收到行政复议申请960件,受理898件,不予受理31件,受理案件总数较去年增加237件", "960 898+237 31"),
        ("收到行政复议申请120件,受理108件,不予受理4件,申请数同比增长12.5%", "120:12.5 108 4"),
        ("全年受理行政复议案件120件,比上年增加37件,增长21%", "120:21+37"),
        ("全年受理行政复议案件120件,审结110件,受理量同比上升15%,审结量上升8%", "120:15 110:8"),
        ("全县法院受理一审行政案件86件,审结80件,收案数同比下降9.5%", "86:-9.5"),
        ("新收行政应诉案件68件,较上年的80件减少12件,降幅15%", "68:-15-12 80"),
        ("办理法律援助案件520件,其中民事400件,刑事120件,案件总量同比增长10%", "520:10 400 120"),
        ("办理行政处罚案件320件,罚没金额同比增长12%", "320"),
        ("12345热线受理诉求21346件,环比下降6.8%,同比上升14.2%", "21346:14.2"),
        ("国家工作人员学法考试参考率99.7%,比上年提高0.5个百分点", "99.7+0.5"),
        ("重点信访事项化解率88.6%,进京赴省上访同比分别下降48%、37%", "88.6 -:-48 -:-37"),
        ("刑事警情、治安警情分别下降12%、8%", "-:-12"),
        ("受理行政复议案件120件、审结110件,受理量、审结量分别增长12%、8%", "120:12 110:8"),
        ("行政复议案件平均办理时间下降12%", ""),
        ("行政诉讼案件中,法院判决维持11件", ""),
        ("12345热线受理诉求5万件,诉求量比上月增长6%", "50000"),
    ],
)
def test_a_change_belongs_to_the_figure_of_its_subject(sentence: str, expected: str, catalogue: Catalogue) -> None:
    """`value:percent+change` of every observation in order; `-` where the value is not stated."""
    found = read(f"一、工作情况\n{sentence}。\n", catalogue)
    told = [
        ("-" if o.value is None else f"{o.value.normalize():f}")
        + ("" if o.yoy_percent is None else f":{o.yoy_percent}")
        + ("" if o.yoy_change is None else f"{o.yoy_change:+}")
        for o in found
    ]
    assert " ".join(told) == expected


def test_parts_by_procedure_are_told_apart(catalogue: Catalogue) -> None:
    found = read("办理行政处罚案件247件,其中简易程序处罚214件,一般程序处罚33件。", catalogue)
    assert [(o.text, o.breakdown_of, o.dimension) for o in found] == [
        ("247件", None, None),
        ("214件", 0, "简易程序"),
        ("33件", 0, "一般程序"),
    ]


def test_a_figure_that_the_total_has_no_room_for_is_no_part(catalogue: Catalogue) -> None:
    found = read("人民调解组织调解矛盾纠纷2860件,其中村级1200件,调解成功2810件。", catalogue)
    assert [(o.text, o.breakdown_of) for o in found] == [("2860件", None), ("1200件", 0), ("2810件", None)]


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("2021年受理行政复议案件50件,2022年受理66件", "50@2021/actual 66@2022/actual"),
        ("受理行政复议案件66件,较上年同期的50件上升32%", "66@2022/actual 50@2021/prior_period"),
        ("受理行政复议案件66件,上年同期为50件", "66@2022/actual 50@2021/prior_period"),
        ("截至2022年底,累计建成法治文化广场26个", "26@2022/cumulative"),
        ("截至10月底,受理信访事项126件", "126@2022/actual"),
        ("自2019年以来,累计办理法律援助案件3260件", "3260@2019-01/2022-12/cumulative"),
        ("近三年累计办理法律援助案件960件", "960@2020-01/2022-12/cumulative"),
        ("2022年1月至11月,受理行政复议案件40件", "40@2022-01/2022-11/actual"),
        ("2022年1-10月受理行政复议案件40件", "40@2022-01/2022-10/actual"),
        ("前三季度受理行政复议案件30件", "30@2022-01/2022-09/actual"),
        ("4月以来,受理行政复议案件30件", "30@2022-04/2022-12/actual"),
        ("2023年,受理行政复议案件90件以上", "90@2023/target"),
        ("到2025年,建成法治文化广场26个", "26@2025/target"),
        ("确保2023年底前行政机关负责人出庭应诉率达到98%", "98@2023/target"),
        ("2022年调解矛盾纠纷5217件;2021年调解4980件", "5217@2022/actual 4980@2021/prior_period"),
        ("1-10月受理行政复议案件40件,去年同期为31件", "40@2022-01/2022-10/actual 31@2021-01/2021-10/prior_period"),
        ("2020年、2021年、2022年,县政府分别出台规范性文件8件、11件、5件", "8@2020/actual 11@2021/actual 5@2022/actual"),
        ("行政许可事项由清理前的312项减少到276项", "312@2022/prior_period 276@2022/actual"),
        ("一件事主题累计上线27个;行政许可事项共163项", "27@2022/cumulative 163@2022/actual"),
        ("行政机关负责人出庭应诉率由2021年的86%提升至100%", "86@2021/prior_period 100@2022/actual"),
        ("行政诉讼败诉率从上年的10.5%下降到6.2%", "10.5@2021/prior_period 6.2@2022/actual"),
        ("企业开办时间由原来的5个工作日压缩至1个工作日", "5@2021/prior_period 1@2022/actual"),
        ("调解成功率98%,比上年提高1.2个百分点", "98@2022/actual"),
        ("去年受理行政复议案件50件,今年受理66件", "50@2021/prior_period 66@2022/actual"),
        ("全年受理行政复议案件66件(上年50件)", "66@2022/actual 50@2021/prior_period"),
        ("2022年度受理行政复议案件66件,其中上半年30件", "66@2022/actual 30@2022-01/2022-06/actual"),
        ("“十三五”期间,累计清理规范性文件1200件", "1200@2016-01/2020-12/cumulative"),
        ("截至目前,全县现有人民调解员860名", "860@2022/actual"),
        ("本年度累计办理法律援助案件320件", "320@2022/actual"),
        ("二是明年力争调解成功率达到98%以上", "98@2023/target"),
        ("确保行政机关负责人出庭应诉率达到100%的目标", "100@2022/target"),
        ("与2021年相比,行政复议案件增加12件", ""),
        ("行政复议案件受理量同比增长15.2%", "null"),
        ("信访总量同比下降12.6%", "null"),
        ("2023年计划开展普法宣传活动不少于30场", "30@2023/target"),
    ],
)
def test_values_with_their_time(sentence: str, expected: str, catalogue: Catalogue) -> None:
    """`value@period/status` of every observation in order; `null` where only a change is stated."""
    found = read(f"一、工作情况\n{sentence}。\n", catalogue, "2023-02-01")
    stated = ["null" if o.value is None else f"{o.value.normalize():f}@{o.period}/{o.status}" for o in found]
    assert " ".join(stated) == expected
