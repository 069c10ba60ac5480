"""The sandbox's own texts: what is planted in them is there, and nothing of them is anybody else's."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sandbox.model import SPAM, Day
from sandbox.portals import FOLDER, build_portals

RUN = 40


def report(place: str, year: int, day: Day = 1) -> str:
    (doc,) = [
        doc
        for portal in build_portals(day)
        if portal.site.place == place
        for doc in portal.site.docs
        if doc.report_year == year and not doc.attachment
    ]
    return doc.body


def counts(text: str, pattern: str) -> list[int]:
    found = re.search(pattern, text)
    assert found, pattern
    return [int(group) for group in found.groups()]


OUTCOMES = r"审结(\d+)件.*?维持(\d+)件、撤销(\d+)件、确认违法(\d+)件、责令履行(\d+)件、驳回(\d+)件、终止(\d+)件"


def test_sum_of_outcomes_is_wrong_until_day_2() -> None:
    total, *parts = counts(report("岚禾县", 2024), OUTCOMES)
    assert (total, sum(parts)) == (125, 124)
    total, *parts = counts(report("岚禾县", 2024, day=2), OUTCOMES)
    assert total == sum(parts) == 125
    total, *parts = counts(report("岚禾县", 2023), OUTCOMES)
    assert total == sum(parts)


def test_sum_and_share_that_do_not_add_up() -> None:
    text = report("栖峦区", 2024)
    deputies, members, total = counts(text, r"人大代表建议(\d+)件、政协提案(\d+)件，共(\d+)件")
    assert total == deputies + members + 1
    concluded, upheld = counts(text, r"审结(\d+)件，其中维持(\d+)件，占53\.6%")
    assert round(100 * upheld / concluded, 1) == 52.1


def test_truncated_percentage() -> None:
    required, appeared = counts(report("霁川区", 2024), r"应当出庭(\d+)件，出庭应诉(\d+)件，出庭应诉率91\.3%")
    share = 100 * appeared / required
    assert round(share, 1) == 91.4 and int(share * 10) / 10 == 91.3


def test_damaged_numbers() -> None:
    text = report("砚浦区", 2019)
    assert "2018年区政府收到行政复议申请196宗,2019214宗,增长9.2%" in text
    assert round(100 * (214 / 196 - 1), 1) == 9.2
    assert "全年共审结187其中维持112宗" in text


def test_injected_links() -> None:
    assert report("霁川区", 2024).count(SPAM) == 3
    (page,) = [
        resource.body.decode()
        for portal in build_portals(1)
        for resource in portal.resources.values()
        if "极速快彩论坛".encode() in resource.body
    ]
    assert page.count("极速快彩论坛") == 3


def test_restated_value() -> None:
    assert counts(report("汀芷县", 2023), r"受理行政复议案件(\d+)件") == [87]
    assert counts(report("汀芷县", 2024), r"受理行政复议案件112件，上年为(\d+)件") == [91]


def test_part_year_figures() -> None:
    assert "1—11月，区12345热线平台受理群众诉求61230件" in report("霁川区", 2023)
    assert "截至11月底，区12345热线受理群众诉求45127件" in report("栖峦区", 2024)
    assert "1—10月，调解矛盾纠纷4215件" in report("栖峦区", 2024)


def test_other_sums_of_the_reports_hold() -> None:
    """Only what is planted may fail, or a reader of the demo could not tell a finding from a slip of ours."""
    checked = 0
    for portal in build_portals(1):
        for doc in portal.site.docs:
            for found in re.finditer(r"其中废止(\d+)件、(?:失效(\d+)件、)?修改(\d+)件、保留(\d+)件", doc.body):
                stated = re.findall(r"(\d+)件", doc.body[max(0, found.start() - 30) : found.start()])[-1]
                assert sum(int(g) for g in found.groups(default="0")) == int(stated), doc.key
                checked += 1
            for found in re.finditer(r"建议(\d+)件、政协(?:委员)?提案(\d+)件，?,?(?:合计|共)(\d+)件", doc.body):
                deputies, members, total = map(int, found.groups())
                assert total - deputies - members == (doc.key == "qiluan-report-2024"), doc.key
                checked += 1
    assert checked == 18


def test_reports_are_as_long_as_reports() -> None:
    for portal in build_portals(1):
        bodies = [doc.clean_body for doc in portal.site.docs if doc.report_year and not doc.attachment]
        assert len(bodies) == 2
        assert all(1400 <= len(body) <= 3000 for body in bodies)


def own_texts() -> dict[Path, str]:
    files = [*FOLDER.rglob("*"), *Path(__file__).parent.glob("*.py")]
    kinds = {".py", ".txt", ".yaml", ".md"}
    return {path: path.read_text(encoding="utf-8") for path in files if path.suffix in kinds}


@pytest.mark.corpus
def test_shares_no_text_with_the_corpus(corpus: Path) -> None:
    """A run of 40 characters, line breaks and blanks aside, that is mostly Chinese."""
    own: dict[str, Path] = {}
    for path, text in own_texts().items():
        squeezed = re.sub(r"\s", "", text)
        for i in range(len(squeezed) - RUN + 1):
            window = squeezed[i : i + RUN]
            if sum("\u4e00" <= c <= "\u9fff" for c in window) >= RUN // 2:
                own[window] = path
    assert len(own) > 10_000
    foreign = [path.read_text(encoding="utf-8") for path in sorted((corpus / "reports").glob("*.txt"))]
    for line in (corpus / "portals" / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        entry = json.loads(line)
        foreign.append("".join(str(entry.get(key) or "") for key in ("title", "body", "attachment_text")))
    for path in sorted((corpus / "real-pages").rglob("*.html")):
        foreign.append(re.sub("<[^>]*>", "", path.read_text(encoding="utf-8", errors="replace")))
    assert len(foreign) > 200
    for text in foreign:
        squeezed = re.sub(r"\s", "", text)
        for i in range(len(squeezed) - RUN + 1):
            window = squeezed[i : i + RUN]
            assert window not in own, f"{own[window]} repeats text of the corpus: {window}"
