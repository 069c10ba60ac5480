"""The benchmark's own arithmetic, and one run of it on a tiny input without the peers."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from benchmarks.contestants import CONTESTANTS, NOT_BUILT, Worker, WorkerFailed
from benchmarks.engines import build_cn2an
from benchmarks.measure_words import unit_pattern
from benchmarks.race import Pace
from benchmarks.report import page, speed_bar, tables
from benchmarks.scoring import Score, complete, score_exact, score_lenient
from benchmarks.texts import cut_reports, grow, load_gold, load_pools, scale, vary
from tests.conftest import ROOT

TEXT = "全县共受理行政复议案件16件，办结率98.5%。\n"
MARKS = [(11, 14, 16.0), (18, 23, 98.5)]


def test_exact_score_counts_borderline_in_neither_direction() -> None:
    firm, soft = [(0, 3, 12.0), (5, 7, 3.0), (9, 11, 4.0)], [(20, 22, 1.0)]
    found = [(0, 3, 12.0), (5, 7, 30.0), (9, 12, 4.0), (20, 22, 1.0), (0, 3, 12.0)]
    assert score_exact(firm, soft, found) == Score(right=2, found=3, wanted=3)
    assert score_exact(firm, soft, found, with_value=True) == Score(right=1, found=3, wanted=3)


def test_lenient_score_asks_for_overlap_and_value_one_to_one() -> None:
    firm, soft = [(0, 4, 12.0), (5, 8, 3.0)], [(20, 24, 1.0)]
    found = [(0, 2, 12.0), (2, 3, 12.0), (5, 7, 30.0), (20, 21, 1.0)]
    assert score_lenient(firm, soft, found) == Score(right=1, found=3, wanted=2)


def test_figures_of_a_score() -> None:
    pooled = Score(2, 4, 2) + Score(1, 2, 4)
    assert (pooled.precision, pooled.recall, pooled.f1) == (0.5, 0.5, 0.5)
    assert (Score().precision, Score().recall, Score().f1) == (0.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("text", "number", "value", "expected"),
    [
        ("办结16件", "16", 16.0, ("16件", 16.0)),
        ("培训140余人次", "140", 140.0, ("140余人次", 140.0)),
        ("罚款2.4万余元", "2.4万", 24000.0, ("2.4万余元", 24000.0)),
        ("惠及30多万人", "30", 30.0, ("30多万人", 300000.0)),
        ("受理63項", "63", 63.0, ("63項", 63.0)),
        ("办结率98.5%", "98.5%", 98.5, ("98.5%", 98.5)),
        ("均为零", "零", 0.0, ("零", 0.0)),
        ("一百件", "一百", 100.0, ("一百件", 100.0)),
        ("2019年", "2019", 2019.0, None),
        ("第3次", "3", 3.0, None),
        ("一批制度", "一", 1.0, None),
        ("热线12345", "12345", 12345.0, None),
    ],
)
def test_a_peer_is_completed_to_our_convention(
    text: str, number: str, value: float, expected: tuple[str, float] | None
) -> None:
    start = text.index(number)
    spans = complete(text, [(start, start + len(number), value)])
    assert [(text[s:e], v) for s, e, v in spans] == ([] if expected is None else [expected])


def test_the_expression_around_cn2an_reads_what_a_user_expects() -> None:
    text = "2020年受理1,226件，罚款2.4万余元，培训三次，办结率百分之九十八，涉及30余万人。"
    found = build_cn2an(unit_pattern())(text)
    assert [(text[s:e], value) for s, e, value in found] == [
        ("1,226件", 1226), ("2.4万余元", 24000), ("三次", 3), ("百分之九十八", 98), ("30余万人", 300000),
    ]  # fmt: skip


def test_pace_is_the_median_repetition() -> None:
    assert Pace([1.0, 4.0, 2.0], found=24).row(reports=8) == {
        "reports_per_second": 4.0, "slowest": 2.0, "fastest": 8.0, "milliseconds_per_report": 250.0,
        "found_per_report": 3.0,
    }  # fmt: skip


def test_texts_are_cut_grown_and_varied() -> None:
    assert cut_reports("abcdefg", 3) == ["abc", "def"]
    assert cut_reports("ab", 5) == ["ababa"]
    assert len(grow(TEXT, 1000)) == 1000
    assert vary(TEXT, 1) == vary(TEXT, 1) != vary(TEXT, 2)
    assert vary("2020年5月", 1) == "2020年5月"


def test_scaled_counts_still_add_up() -> None:
    told = "2023年审结12件（维持7件、撤销5件），占41.7%，罚款1.5万元，出庭3余次"
    assert scale(told, 20) == "2023年审结240件（维持140件、撤销100件），占41.7%，罚款1.5万元，出庭60余次"


def test_the_peers_are_locked_with_hashes_and_without_addresses() -> None:
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["dependency-groups"]["bench"]
    lock = (ROOT / "requirements" / "bench.txt").read_text(encoding="utf-8")
    pins = set(re.findall(r"^([a-z0-9-]+)==", lock, re.M))
    assert {re.split(r"[<>=]", entry)[0] for entry in wanted} <= pins
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "://" not in lock and "--index" not in lock


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no texts"):
        load_pools({"nothing": tmp_path})


def test_an_absent_peer_is_named_and_cannot_be_asked(tmp_path: Path) -> None:
    peer = next(contestant for contestant in CONTESTANTS if contestant.is_peer)
    with Worker(peer, tmp_path / "python") as worker:
        assert worker.missing
        with pytest.raises(WorkerFailed, match="not installed"):
            worker.ask(TEXT)


def test_a_worker_that_takes_too_long_is_ended() -> None:
    mentions = next(contestant for contestant in CONTESTANTS if contestant.engine == "fazhi-mentions")
    with Worker(mentions) as worker:
        assert len(worker.ask(TEXT)["spans"]) == 2
        with pytest.raises(WorkerFailed, match="took more than"):
            worker.ask(TEXT * 20_000, limit=0.001)


def test_the_plain_engine_is_measured_though_a_build_lies_beside_it(tmp_path: Path) -> None:
    package = tmp_path / "extraction"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "words.py").write_text("print('sources')\n", encoding="utf-8")
    (package / f"words{EXTENSION_SUFFIXES[0]}").write_bytes(b"no library at all")
    code = (
        "import sys; from pathlib import Path; from benchmarks import worker; "
        "folder = Path(sys.argv[1]); worker.ROOT = folder; sys.path.insert(0, str(folder)); "
        "sys.argv[2:] and worker.read_sources_only(); import extraction.words"
    )
    plain, built = (
        subprocess.run([sys.executable, "-c", code, tmp_path, *more], cwd=ROOT, capture_output=True, text=True)
        for more in (["sources"], [])
    )
    assert (plain.stdout, plain.stderr) == ("sources\n", "")
    assert "ImportError" in built.stderr


def test_a_bar_is_told_for_each_engine_that_reads_whole_reports() -> None:
    rows = [
        {"engine": "fazhi-report", "label": "plain", "reports_per_second": 100.0},
        {"engine": "fazhi-report-compiled", "label": "compiled", "reports_per_second": 160.0},
        {"engine": "cn2an", "label": "peer", "reports_per_second": 500.0},
    ]
    told = "Bar: 150 whole reports per second. As Python: 100, BELOW THE BAR. Compiled: 160, meets the bar."
    assert speed_bar(rows) == told
    assert speed_bar([rows[0], {"engine": "fazhi-report-compiled", "label": "compiled", "missing": NOT_BUILT}]) == (
        "Bar: 150 whole reports per second. As Python: 100, BELOW THE BAR."
    )


def test_the_benchmark_runs_on_a_tiny_input_without_peers(tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "texts").mkdir(parents=True)
    (own / "texts" / "a.txt").write_text(TEXT, encoding="utf-8")
    lines = [json.dumps({"doc": "a", "start": s, "end": e, "value": v}) for s, e, v in MARKS]
    (own / "mentions.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert [document.firm for document in load_gold(own / "mentions.jsonl", own / "texts")] == [tuple(MARKS)]
    done = subprocess.run(
        [sys.executable, ROOT / "benchmarks" / "extraction.py", "--own", own, "--corpus", tmp_path / "none",
         "--peers", tmp_path / "python", "--pure", "--documents", "20", "--repeat", "1", "--largest", "10000",
         "--json", tmp_path / "figures.json"],
        capture_output=True, text=True, check=True, encoding="utf-8",
    )  # fmt: skip
    assert "not installed" in done.stdout
    result = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8"))
    assert result["reports"] == {"own reports": 1}
    speed = {row["engine"]: row for row in result["speed"]["own reports"]}
    assert speed["fazhi-report"]["reports_per_second"] > 0
    peers = {"recognizers", "recognizers-numbers", "cn2an"}
    assert {name for name, row in speed.items() if "missing" in row} == peers | {"fazhi-report-compiled"}
    assert "No compiled engine in this run: left out (--pure)." in done.stdout
    scored = [row for row in result["quality"] if "missing" not in row]
    assert [row["exact_value"]["f1"] for row in scored] == [1.0]
    assert [row["characters"] for row in result["sizes"]] == [1000, 10000]
    assert all(row["seconds"] is not None for row in result["hostile"])
    assert tables(result) in page(result)
