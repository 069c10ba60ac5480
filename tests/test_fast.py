"""The optional compiled build: it refuses to be stale, says what it lacks, and answers as the sources do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import extraction
from fazhi import fast
from tests.conftest import ROOT

STALE = "ImportError: the compiled extraction is older than its sources: run make fast, or make clean-fast"
TEXTS = ROOT / "tests" / "extraction" / "reports" / "development" / "texts"


def run_python(code: str, folder: Path, *more: Path) -> subprocess.CompletedProcess[str]:
    """Run code that imports the packages of `folder`, and `more` where it has none of that name."""
    path = os.pathsep.join(map(str, (folder, *more)))
    return subprocess.run(
        [sys.executable, "-c", code], cwd=folder, env={**os.environ, "PYTHONPATH": path, "PYTHONUTF8": "1"},
        capture_output=True, text=True, encoding="utf-8", check=False,
    )  # fmt: skip


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The guard with one module, as a build of just these two would leave them."""
    package = tmp_path / "extraction"
    package.mkdir()
    shutil.copy(ROOT / "extraction" / "__init__.py", package)
    (package / "words.py").write_text("COUNT = 1\n", encoding="utf-8")
    (package / fast.MARKER).write_text(extraction.digest_sources(package) + "\n", encoding="utf-8")
    return package


def test_a_build_of_these_very_sources_is_imported(package: Path) -> None:
    assert package / fast.MARKER == package / extraction.MARKER.name
    done = run_python("import extraction.words; print(extraction.words.COUNT)", package.parent)
    assert (done.stdout, done.stderr) == ("1\n", "")


@pytest.mark.parametrize("change", ["edited", "added", "removed", "renamed", "passes"])
def test_a_build_older_than_its_sources_is_refused(package: Path, change: str) -> None:
    words = package / "words.py"
    if change == "edited":
        words.write_text("COUNT = 2\n", encoding="utf-8")
    elif change == "added":
        (package / "more.py").touch()
    elif change == "passes":
        (package / "native_tree.pyx").touch()
    elif change == "removed":
        words.unlink()
    else:
        words.rename(package / "terms.py")
    done = run_python("import extraction", package.parent)
    assert done.returncode != 0
    assert done.stderr.splitlines()[-1] == STALE
    (package / fast.MARKER).unlink()
    assert run_python("import extraction", package.parent).returncode == 0


def test_a_command_tells_of_an_old_build_in_one_line(package: Path) -> None:
    (package / "more.py").touch()
    done = run_python("import sys; from fazhi.cli import main; sys.exit(main(['sources']))", package.parent, ROOT)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"fazhi: {STALE.removeprefix('ImportError: ')}\n"


def test_a_build_is_taken_out_whole(package: Path) -> None:
    kept = sorted(path.name for path in package.glob("*.py"))
    for name in ("words.cpython-311-x86_64-linux-gnu.so", "compiled__mypyc.cp312-win_amd64.pyd"):
        (package / name).touch()
    (package.parent / "build" / "fast").mkdir(parents=True)
    fast.remove_build(package.parent)
    assert sorted(path.name for path in package.iterdir() if path.is_file()) == kept
    assert not (package.parent / "build").exists()


def test_a_missing_compiler_is_one_line_and_leaves_plain_python(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler -O2")
    with pytest.raises(fast.CannotCompile, match=r"^no C compiler \(no-such-compiler\).*apt-get install gcc.*$"):
        fast.build(package.parent)
    assert not (package / fast.MARKER).exists()


def test_missing_headers_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", sys.executable)
    monkeypatch.setattr(sysconfig, "get_path", lambda name: str(tmp_path))
    with pytest.raises(fast.CannotCompile, match=r"^Python's headers .* python3-dev$"):
        fast.require_tools()


def test_a_compiler_that_gives_up_leaves_plain_python_and_a_log(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fast, "require_tools", lambda: None)
    monkeypatch.setattr(fast, "_SETUP", "raise SystemExit('a word of the compiler')")
    with pytest.raises(fast.CannotCompile, match=r"^the compiler gave up; build\Sfast\Scompile\.log says why$"):
        fast.build(package.parent)
    assert "a word of the compiler" in (package.parent / "build" / "fast" / "compile.log").read_text(encoding="utf-8")
    assert run_python("import extraction", package.parent).returncode == 0


def test_every_interpreted_module_is_there() -> None:
    """A module that was renamed would be compiled unseen."""
    assert {path.stem for path in (ROOT / "extraction").glob("*.py")} >= fast.INTERPRETED


PARSE = f"""
import json
from dataclasses import asdict
from pathlib import Path
import extraction.parse
from fazhi.parsing import parse_files
rows = parse_files(sorted(Path({str(TEXTS)!r}).glob("*.txt")))[1]
print(Path(extraction.parse.__file__).suffix)
print(json.dumps(asdict(rows), ensure_ascii=False))
"""


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkout of what is compiled."""
    folder = tmp_path_factory.mktemp("sources")
    for room in ("extraction", "catalog", "fazhi"):
        shutil.copytree(
            ROOT / room, folder / room, ignore=shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", fast.MARKER)
        )
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def built(sources: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same checkout after `make fast`."""
    folder = tmp_path_factory.mktemp("built")
    shutil.copytree(sources, folder, dirs_exist_ok=True)
    assert fast.build(folder) > 20
    return folder


@pytest.mark.timeout(900)
@pytest.mark.compiled
def test_the_compiled_engine_answers_as_its_sources_do(sources: Path, built: Path) -> None:
    pure = run_python(PARSE, sources)
    compiled = run_python(PARSE, built)
    (kind, facts), (compiled_kind, compiled_facts) = pure.stdout.splitlines(), compiled.stdout.splitlines()
    assert (kind, compiled_kind) == (".py", Path(fast.built_files(built / "extraction")[0]).suffix)
    assert len(facts) > 100_000
    assert compiled_facts == facts


COMPARE = """
from extraction.passes import IS_COMPILED
from tests.extraction.passes_compared import main
assert IS_COMPILED
main()
"""


@pytest.mark.timeout(900)
@pytest.mark.compiled
def test_the_compiled_passes_answer_as_those_in_python_do(built: Path) -> None:
    """On made pages, on the corpus's where it is, and on 600 broken ones."""
    done = run_python(COMPARE, built, ROOT)
    assert done.stderr == ""
    assert int(done.stdout) > 700
