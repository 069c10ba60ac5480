"""The optional compiled build: `make fast` turns the pure core into C extensions, beside its sources: the reading of
reports with mypyc, the passes over a page's tree (extraction/native_*.pyx) with Cython.

Nothing needs it: the same modules run as Python and answer the same, and neither `make demo` nor `make test` builds.
It serves the checkout only. A build that is older than its sources is refused at import (`extraction/__init__.py`).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARKER = ".compiled"
"""The file that `extraction/__init__.py` looks for; named anew, since a stale build lets nobody import it there."""
GROUP = "extraction.compiled"
"""Name of the one shared library that holds all modules: inside the package, where an editable install finds it."""

_DATA = "catalogue catalogue_check catalogue_conflicts catalogue_examples catalogue_probes lexicon rules yaml_file"
"""Read YAML, through pydantic or beside `__file__`, which a compiled module does not know while it starts."""
_PAGES = "clean decode files nodes octets passes plain reading spam tags textmap"
"""Of pages to text what spends its time in lxml, the codecs and `re`, and what extraction/native_*.pyx replace."""
_BESIDE = "__init__ checks_across explain model"
"""No part of reading one report; and the records, which are built faster and stay closed as plain Python."""
INTERPRETED = frozenset(f"{_DATA} {_PAGES} {_BESIDE}".split())
"""Modules of `extraction` that stay Python."""

_SETUP = f"""
import sys
import lxml
from Cython.Build import cythonize
from mypyc.build import mypycify
from setuptools import Extension, setup

names = ("native_tree", "native_lines", "native_octets")
passes = [
    Extension(f"extraction.{{name}}", [f"extraction/{{name}}.pyx"], include_dirs=lxml.get_include()) for name in names
]
extensions = mypycify(sys.argv[1:], opt_level="3", debug_level="0", group_name={GROUP!r})
extensions += cythonize(passes, include_path=[".", *sys.path])
setup(name="extraction", packages=[], ext_modules=extensions, script_args=["build_ext", "--inplace"])
"""


class CannotCompile(Exception):
    """There is nothing to compile with, or the compiler gave up; the message is one line with the way out."""


def require_tools() -> None:
    """Raises CannotCompile when mypyc, Cython, setuptools, a C compiler or Python's headers are missing."""
    for module in ("mypyc", "Cython", "setuptools"):
        if find_spec(module) is None:
            raise CannotCompile(f"{module} is not installed: it comes with the development dependencies (make test)")
    compiler = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    if os.name != "nt" and not (compiler and shutil.which(compiler[0])):
        name = compiler[0] if compiler else "cc"
        raise CannotCompile(f"no C compiler ({name}) on the PATH; on Debian and Ubuntu: apt-get install gcc libc6-dev")
    if not Path(sysconfig.get_path("include"), "Python.h").exists():
        raise CannotCompile(
            "Python's headers (Python.h) are not installed; on Debian and Ubuntu: apt-get install python3-dev"
        )


def compile_copy(root: Path, folder: Path) -> None:
    """Copy the sources of `root` to the new `folder` inside it and compile them there, with the marker beside them.

    A minute or two of one core. Raises CannotCompile; what was tried stays in `folder` with its log.
    """
    from extraction import digest_sources

    require_tools()
    shutil.rmtree(folder, ignore_errors=True)
    package = folder / "extraction"
    package.mkdir(parents=True)
    for source in sorted((root / "extraction").glob("*.p*")):
        if source.suffix in (".py", ".pyi", ".pyx", ".pxd"):
            shutil.copy2(source, package)
    (package / MARKER).write_text(digest_sources(package) + "\n", encoding="utf-8")
    modules = [f"extraction/{path.name}" for path in sorted(package.glob("*.py")) if path.stem not in INTERPRETED]
    log = folder / "compile.log"
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            [sys.executable, "-c", _SETUP, "--config-file", str(root / "pyproject.toml"), *modules],
            cwd=folder, stdout=file, stderr=subprocess.STDOUT, check=False,
        )  # fmt: skip
    if done.returncode != 0 or not built_files(package):
        raise CannotCompile(f"the compiler gave up; {log.relative_to(root)} says why")


def built_files(package: Path) -> list[Path]:
    """Extension modules that a build left in `package`, whichever Python they are for; the shims before the library."""
    found = [path for ending in ("*.so", "*.pyd") for path in package.glob(ending)]
    return sorted(found, key=lambda path: ("__mypyc." in path.name, path.name))


def remove_build(root: Path = ROOT) -> None:
    """Take the build out again. The marker goes last: what was left by an interruption is still watched."""
    for path in built_files(root / "extraction"):
        path.unlink()
    (root / "extraction" / MARKER).unlink(missing_ok=True)
    shutil.rmtree(root / "build", ignore_errors=True)


def build(root: Path = ROOT) -> int:
    """Compile the checkout in `build/` and put the result beside its sources; returns how many modules run compiled.

    An earlier build is gone first, so that a compiler that gives up leaves plain Python.
    """
    remove_build(root)
    staging = root / "build" / "fast"
    compile_copy(root, staging)
    shutil.move(staging / "extraction" / MARKER, root / "extraction" / MARKER)
    built = built_files(staging / "extraction")
    for path in reversed(built):
        shutil.move(path, root / "extraction" / path.name)
    shutil.rmtree(root / "build")
    return len(built) - 1


def main() -> int:
    """Exit code 0 when the build is in place, 1 when there is none, with one line that says why."""
    try:
        count = build()
    except CannotCompile as error:
        print(f"make fast: {error}", file=sys.stderr)
        return 1
    print(f"{count} modules of extraction run compiled; make clean-fast takes them out again")
    return 0


if __name__ == "__main__":
    sys.exit(main())
