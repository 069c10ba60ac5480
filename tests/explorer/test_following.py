"""No release, an empty one, one of another schema, a damaged one, one replaced while somebody reads."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from explorer.app import Options
from explorer.current import Current, NotReady
from tests.explorer.releases import FIRST, LATER, make_releases
from tests.explorer.serving import serving
from tests.warehouse.builders import batch, notice


def names(folder: Path) -> list[str]:
    return sorted(one.name for one in folder.iterdir() if (one / "datapackage.json").is_file())


def current(folder: Path) -> str:
    return (folder / "CURRENT").read_text(encoding="utf-8").strip()


def test_first_release_appears_without_a_restart(options: Options, tmp_path: Path) -> None:
    folder = tmp_path / "releases"
    with serving(replace(options, releases=folder, cache=tmp_path / "cache")) as one:
        page = one.wait("/?lang=en", 503)
        while "Getting ready" in page.text:
            page = one.ask("/?lang=en")
        assert "No release yet" in page.text and "fazhi release make" in page.text and page.headers["retry-after"]
        assert one.ask("/api/v1/release").json()["error"] == "none"
        make_releases(tmp_path, FIRST[:1])
        assert one.wait().json()["release"] == current(folder)


def test_release_without_reports_is_shown_as_empty(options: Options, tmp_path: Path) -> None:
    folder = make_releases(tmp_path, [batch(notice("n1", "通知"), run="r0")])
    with serving(replace(options, releases=folder, cache=tmp_path / "cache")) as one:
        one.wait()
        assert "This release holds no yearly report yet." in one.ask("/?lang=en").text
        for path in ("/metrics", "/regions", "/documents", "/findings", "/runs", "/data", "/dictionary"):
            assert one.ask(path).status == 200


def test_release_of_an_older_schema_is_told(options: Options, tmp_path: Path) -> None:
    folder = make_releases(tmp_path, FIRST[:1])
    package = folder / current(folder) / "datapackage.json"
    told = json.loads(package.read_text(encoding="utf-8"))
    told["resources"] = [one for one in told["resources"] if one["name"] != "fact_metric_value"]
    package.write_text(json.dumps(told), encoding="utf-8")
    with serving(replace(options, releases=folder, cache=tmp_path / "cache")) as one:
        page = one.wait("/?lang=en", 503)
        while "Getting ready" in page.text:
            page = one.ask("/?lang=en")
        assert "cannot be read" in page.text and "fazhi release make" in page.text and "Traceback" not in page.text


def test_switch_while_somebody_reads(tmp_path: Path) -> None:
    folder = make_releases(tmp_path, FIRST, LATER)
    first, second = sorted(names(folder), key=lambda name: name == current(folder))
    (folder / "CURRENT").write_text(first + "\n", encoding="utf-8")
    following = Current(folder, tmp_path / "cache", 10)
    following.look()
    with following.reading() as before:
        assert before.told.name == first
        (folder / "CURRENT").write_text(second + "\n", encoding="utf-8")
        following.look()
        with following.reading() as after:
            assert after.told.name == second
            assert after.value("SELECT reports FROM ix.totals") > before.value("SELECT reports FROM ix.totals")
        assert before.value("SELECT count(*) FROM fact_observation") > 0, "the old one is still open to its reader"
    assert following.problem == ""


def test_damaged_new_release_leaves_the_old_one(tmp_path: Path) -> None:
    folder = make_releases(tmp_path, FIRST)
    good = current(folder)
    following = Current(folder, tmp_path / "cache", 10)
    following.look()
    shutil.copytree(folder / good, folder / "broken")
    (folder / "broken" / "fact_metric_value.parquet").chmod(0o644)
    (folder / "broken" / "fact_metric_value.parquet").write_bytes(b"PAR1")
    (folder / "CURRENT").write_text("broken\n", encoding="utf-8")
    following.look()
    with following.reading() as reader:
        assert reader.told.name == good
    assert "fazhi release make" in following.problem
    (folder / "CURRENT").write_text(good + "\n", encoding="utf-8")
    following.look()
    assert following.problem == ""


def test_pointer_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "CURRENT").write_text("gone\n", encoding="utf-8")
    following = Current(tmp_path, tmp_path / "cache", 10)
    following.look()
    with pytest.raises(NotReady, match="unreadable"), following.reading():
        pass


def test_index_is_kept_and_old_ones_go(tmp_path: Path) -> None:
    folder = make_releases(tmp_path, FIRST[:1])
    cache = tmp_path / "cache"
    for _ in range(2):
        following = Current(folder, cache, 10)
        following.look()
    (index,) = cache.glob("*.duckdb")
    made = index.stat().st_mtime_ns
    shutil.copy(index, cache / f"1999-01-01_00000000{index.name[len(current(folder)) :]}")
    make_releases(tmp_path, FIRST[1:2])
    following.look()
    assert len(list(cache.glob("*.duckdb"))) == 2 and index.stat().st_mtime_ns == made
    assert not list(cache.glob("1999*"))


def test_files_that_go_while_they_are_read(options: Options, tmp_path: Path) -> None:
    """The old release was pruned before the new one was ready: the page says so and tries again."""
    folder = make_releases(tmp_path, FIRST[:1])
    with serving(replace(options, releases=folder, cache=tmp_path / "cache")) as one:
        one.wait()
        key = one.rows("SELECT document_key FROM ix.report")[0]["document_key"]
        assert one.ask(f"/documents/{key}").status == 200
        (folder / current(folder) / "fact_mention.parquet").unlink()
        answer = one.ask(f"/documents/{key}?lang=en")
        assert answer.status == 503 and "Getting ready" in answer.text and answer.headers["retry-after"] == "3"
        assert one.ask("/metrics").status == 200
