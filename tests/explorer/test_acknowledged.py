"""Acknowledged findings: lines of a file, strict, with an end."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml

from explorer.acknowledged import NotReadable, line_for, read_acknowledged
from tests.explorer.serving import Served

TODAY = date(2026, 11, 26)


def test_line_is_written_out_and_read_back(tmp_path: Path) -> None:
    line = line_for("check:12", "  Li  Wei ", '第三段: "更正"\n{x}', "2027-01-31")
    assert "\n" not in line
    path = tmp_path / "a.yml"
    path.write_text(f"# why\n{line}\n", encoding="utf-8")
    (one,) = read_acknowledged(path, TODAY).values()
    assert (one.name, one.reason, one.until) == ("Li Wei", '第三段: "更正" {x}', date(2027, 1, 31))
    assert read_acknowledged(path, date(2027, 2, 1)) == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1", "a list of lines"),
        ("- {finding: 'check:1', name: a, reason: b}", "entry 1: the fields are"),
        ("- {finding: 'x:1', name: a, reason: b, until: 2027-01-01}", "finding is check:"),
        ("- {finding: 'check:1', name: a, reason: b, until: soon}", "until is a day"),
        ("- {finding: 'check:1', name: ' ', reason: b, until: 2027-01-01}", "name is empty"),
        ("- {", "a.yml"),
    ],
)
def test_fault_in_the_file_is_named(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(NotReadable, match=said):
        read_acknowledged(path, TODAY)


def test_the_file_that_comes_with_the_program_is_sound() -> None:
    from explorer.words import CATALOG

    read_acknowledged(CATALOG / "acknowledged.yml", TODAY)


@pytest.mark.parametrize(
    ("name", "reason", "until"), [("", "b", "2027-01-01"), ("a", "", "2027-01-01"), ("a", "b", "soon")]
)
def test_incomplete_lines_are_refused(name: str, reason: str, until: str) -> None:
    with pytest.raises(ValueError):
        line_for("check:1", name, reason, until)


def test_acknowledged_findings_leave_the_open_list(served: Served, acknowledged: Path) -> None:
    failed = served.rows("SELECT check_key FROM ix.failed WHERE rule_id = 'R09'")[0]["check_key"]
    form = served.ask(
        f"/findings/acknowledge?finding=check:{failed}&name=Li&reason=known&until=2099-01-01&lang=en"
    ).text
    line = form.partition('<pre class="wrap" id="line" tabindex="0">')[2].partition("</pre>")[0].replace("&#39;", "'")
    assert yaml.safe_load(line)[0]["finding"] == f"check:{failed}"
    mark = f"check:{failed}</span>"
    assert mark in served.ask("/findings").text
    acknowledged.write_text(line + "\n", encoding="utf-8")
    try:
        assert mark not in served.ask("/findings").text
        assert "Li: known" in served.ask("/findings?state=acknowledged&lang=en").text
        acknowledged.write_text("- {finding: nothing}\n", encoding="utf-8")
        broken = served.ask("/findings?lang=en").text
        assert mark in broken and "entry 1" in broken
    finally:
        acknowledged.unlink()


def test_incomplete_form_says_so(served: Served) -> None:
    text = served.ask("/findings/acknowledge?finding=check:1&name=Li&lang=en").text
    assert "Name, reason and a day are all needed." in text and 'id="line"' not in text
