"""Old versions go; the last one of each page, and all that is referred to, stays and can be found."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.archive import Archive, SnapshotRef
from connectors.archive.retention import Policy, carry_out, plan_pruning
from connectors.archive.upkeep import verify
from connectors.errors import ContractBroken
from tests.connectors.archive_pages import AT, fetch

NOW = AT + timedelta(days=100)
Versions = dict[tuple[int, int], SnapshotRef]
"""By page and day."""


def filled(folder: Path, days: list[list[int]], pages: int = 2) -> tuple[Archive, Versions]:
    """A file for each list of days; each of its days has a version of each page."""
    archive = Archive(folder)
    refs: Versions = {}
    for file in days:
        for day in file:
            for page in range(pages):
                refs[page, day] = archive.store(fetch(b"page %d of day %d" % (page, day), page, days=day))
        archive.close()
    return archive, refs


def left(archive: Archive, refs: Versions) -> set[tuple[int, int]]:
    """Which versions can still be loaded, by their old references."""
    found = set()
    for (page, day), ref in refs.items():
        try:
            assert archive.load(ref).body == b"page %d of day %d" % (page, day)
            found.add((page, day))
        except ContractBroken as error:
            assert "prune" in str(error)
    return found


def prune(archive: Archive, policy: Policy, refs: list[SnapshotRef]) -> int:
    plan = plan_pruning(archive, policy, refs, NOW)
    carry_out(archive, plan)
    return plan.n_old


@pytest.mark.parametrize(
    ("policy", "days_left"),
    [
        (Policy(versions=1), {90}),
        (Policy(versions=2), {90, 60}),
        (Policy(days=45), {90, 60}),
        (Policy(days=1), {90}),
        (Policy(days=1000), {90, 60, 30, 0}),
        (Policy(days=75, versions=1), {90, 60, 30}),
        (Policy(days=1, versions=3), {90, 60, 30}),
    ],
)
def test_policies(tmp_path: Path, policy: Policy, days_left: set[int]) -> None:
    archive, refs = filled(tmp_path, [[0, 30], [60], [90]])
    before = sum(path.stat().st_size for path in tmp_path.iterdir())
    plan = plan_pruning(archive, policy, [], NOW)
    assert (plan.pages, plan.versions, plan.n_old) == (2, 8, 8 - 2 * len(days_left))
    assert left(archive, refs) == set(refs), "a plan changes nothing"
    carry_out(archive, plan)
    assert left(archive, refs) == {(page, day) for page in (0, 1) for day in days_left}
    verdict = verify(Archive(tmp_path), [refs[page, day] for page in (0, 1) for day in days_left])
    assert verdict.is_good and verdict.pages == 2 * len(days_left)
    assert (sum(path.stat().st_size for path in tmp_path.iterdir()) < before) == (plan.n_old > 0)


def test_a_policy_says_something() -> None:
    with pytest.raises(ValueError, match="by age, by count"):
        Policy()


def test_what_is_referred_to_stays_through_several_rounds(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path, [[0, 30], [60, 90]])
    wanted = [refs[0, 0], refs[1, 30]]
    assert prune(archive, Policy(versions=2), wanted) == 2
    assert prune(archive, Policy(versions=1), wanted) == 2
    assert prune(archive, Policy(versions=1), wanted) == 0
    assert all(archive.has(ref) for ref in wanted), "where they were moved to"
    assert not all(archive.has(ref) for ref in refs.values()), "what was taken out is not there"
    assert left(archive, refs) == {(0, 0), (1, 30), (0, 90), (1, 90)}
    assert prune(Archive(tmp_path), Policy(versions=1), wanted[:1]) == 1
    assert left(Archive(tmp_path), refs) == {(0, 0), (0, 90), (1, 90)}


def test_a_file_without_a_kept_page_goes(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path, [[0], [90]])
    assert prune(archive, Policy(versions=1), []) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [refs[0, 0].file + ".moved", refs[0, 90].file]


@pytest.mark.parametrize("step", ["put", "remove"])
def test_killed_between_two_steps_nothing_is_lost_and_the_copy_goes(
    tmp_path: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, refs = filled(tmp_path, [[0, 30], [90]])
    wanted = [refs[0, 30], refs[1, 0]]
    with monkeypatch.context() as killed:

        def die(*_: object) -> None:
            raise KeyboardInterrupt

        killed.setattr(archive.place, step, die)
        with pytest.raises(KeyboardInterrupt):
            prune(archive, Policy(versions=1), wanted)
    again = Archive(tmp_path)
    assert left(again, refs) == set(refs)
    assert prune(again, Policy(versions=1), wanted) == 4
    assert left(again, refs) == {(0, 30), (1, 0), (0, 90), (1, 90)}
    assert verify(again, wanted).pages == 4


def test_a_damaged_file_is_left_alone(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path, [[0], [30], [90]])
    path = tmp_path / refs[0, 90].file
    content = path.read_bytes()
    path.write_bytes(content[:-20])
    plan = plan_pruning(archive, Policy(versions=1), [refs[0, 90]], NOW)
    carry_out(archive, plan)
    assert [one.file for one in plan.damaged] == [path.name]
    assert path.read_bytes() == content[:-20]
    assert left(archive, refs) == {(0, 30), (1, 30), (0, 90), (1, 90)}, "the newest sound version of each page stays"


def test_files_being_written_are_left_alone(tmp_path: Path) -> None:
    archive, refs = filled(tmp_path, [[0]])
    writing = Archive(tmp_path)
    refs |= {(page, 90): writing.store(fetch(b"page %d of day 90" % page, page, days=90)) for page in (0, 1)}
    assert prune(archive, Policy(versions=1), []) == 0
    assert left(archive, refs) == set(refs)


@pytest.mark.parametrize("content", ["", "[]", '{"records": {}}', '{"to": "x", "records": 1}'])
def test_a_damaged_map_is_named(tmp_path: Path, content: str) -> None:
    archive, refs = filled(tmp_path, [[0], [90]])
    prune(archive, Policy(versions=1), [])
    path = tmp_path / (refs[0, 0].file + ".moved")
    path.write_text(content, encoding="utf-8")
    with pytest.raises(ContractBroken, match=rf"{path.name} is damaged"):
        Archive(tmp_path).load(refs[0, 0])


def test_one_page_under_two_schemes_is_one_page(tmp_path: Path) -> None:
    with Archive(tmp_path) as archive:
        old = archive.store(fetch(b"old"))
        secure = fetch().url.replace("http:", "https:")
        archive.store(fetch(b"new", days=1, url=secure, final_url=secure))
    assert prune(archive, Policy(versions=1), []) == 1
    with pytest.raises(ContractBroken, match="prune"):
        archive.load(old)


@settings(max_examples=20, deadline=None)
@given(
    days=st.lists(st.integers(0, 99), unique=True, min_size=1, max_size=7),
    files=st.integers(1, 3),
    policy=st.builds(Policy, days=st.none() | st.integers(1, 99), versions=st.integers(1, 4)),
    data=st.data(),
)
def test_last_and_wanted_versions_always_stay(
    tmp_path_factory: pytest.TempPathFactory, days: list[int], files: int, policy: Policy, data: st.DataObject
) -> None:
    archive, refs = filled(tmp_path_factory.mktemp("raw"), [days[n::files] for n in range(files)], pages=1)
    wanted = data.draw(st.sets(st.sampled_from(sorted(refs))))
    prune(archive, policy, [refs[one] for one in wanted])
    stays = left(archive, refs)
    newest = sorted(refs, key=lambda one: one[1], reverse=True)
    young = {one for one in refs if policy.days is not None and 100 - one[1] < policy.days}
    assert stays == wanted | set(newest[: policy.versions]) | young
