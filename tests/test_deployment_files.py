"""Compose file, systemd units, Dockerfile: they parse, and every command in them is one that there is."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from contextlib import redirect_stdout
from functools import cache
from importlib.metadata import entry_points
from io import StringIO
from pathlib import Path
from shutil import which

import pytest
import yaml

from fazhi.settings import Settings
from tests.conftest import ROOT, do_without

FOLDER = ROOT / "deployments"
UNITS = sorted(path.name for path in (FOLDER / "systemd").iterdir())
VARIABLE = re.compile(r"\b(?:FAZHI|PREFECT)_[A-Z_]+\b")
OWN = {"FAZHI_CHECKOUT", "FAZHI_WORKERS", "FAZHI_COMMIT"}
"""Of these files themselves, not of the program."""


def commands() -> list[tuple[str, tuple[str, ...]]]:
    """(where, words) of every command that starts `fazhi` or `prefect`."""
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    found = [(name, tuple(one["command"])) for name, one in compose["services"].items() if "command" in one]
    for name in UNITS:
        for line in (FOLDER / "systemd" / name).read_text(encoding="utf-8").splitlines():
            if line.startswith("ExecStart="):
                first, *rest = shlex.split(line.removeprefix("ExecStart="))
                assert first.startswith("/opt/fazhi/.venv/bin/")
                found.append((name, (Path(first).name, *rest)))
    for path in (FOLDER / "README.md", FOLDER / "kubernetes.md"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("    ") and (words := line.split("#")[0].split()):
                name = words[0].removeprefix(".venv/bin/")
                if name in ("fazhi", "prefect"):
                    found.append((path.name, (name, *words[1:])))
    return found


@cache
def help_of(words: tuple[str, ...]) -> str:
    """In this process: to start one takes longer than the help."""
    (program,) = entry_points(group="console_scripts", name=words[0])
    told = StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(told):
        patch.setattr(sys, "argv", [*words, "--help"])
        try:
            code = program.load()()
        except SystemExit as done:
            code = done.code
    assert not code, f"{' '.join(words)}: {told.getvalue()}"
    return told.getvalue()


def test_every_command_exists_with_its_options() -> None:
    assert len(commands()) > 12
    for where, words in commands():
        path = [words[0]]
        for word in words[1:]:
            if word == "--no-prompt" and path == ["prefect"]:
                continue
            if word.startswith("-") or len(path) == (3 if path[1:2] in (["server"], ["worker"], ["work-pool"]) else 2):
                break
            path.append(word)
        told = help_of(tuple(path))
        for option in (word for word in words if word.startswith("-")):
            assert re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", told), f"{where}: {' '.join(words)}: {option}"


def test_every_setting_named_is_one_of_the_programs() -> None:
    known = {name for name, _, _ in Settings.table()} | OWN
    from prefect.settings import Settings as PrefectSettings
    from prefect.settings.legacy import _get_valid_setting_names

    known |= set(_get_valid_setting_names(PrefectSettings))
    for path in (*FOLDER.rglob("*.yaml"), *FOLDER.rglob("*.service"), *FOLDER.rglob("*.md"), *FOLDER.rglob("*.env*")):
        named = set(VARIABLE.findall(path.read_text(encoding="utf-8")))
        assert named <= known, f"{path.name}: {sorted(named - known)}"


def test_the_compose_file_holds_together() -> None:
    compose = yaml.safe_load((FOLDER / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    assert set(services) == {"postgres", "server", "pool", "deployments", "worker", "explorer"}
    for name, service in services.items():
        for other in service.get("depends_on", {}):
            assert other in services, f"{name} waits for {other}"
        for volume in service.get("volumes", []):
            place = volume.partition(":")[0]
            assert place in compose["volumes"] or (FOLDER / place).exists(), volume
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name}: {port} would be open to the world"
        for file in service.get("env_file", []):
            assert (FOLDER / file).is_file()
        image = service.get("image", "")
        assert "/" not in image, "a plain image name: from which registry is the operator's matter"
    text = (FOLDER / "compose.yaml").read_text(encoding="utf-8")
    assert "POSTGRES_PASSWORD:?" in text, "no password is assumed"
    assert "deployments/fazhi.env" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_image_is_made_from_files_that_there_are() -> None:
    text = (FOLDER / "Dockerfile").read_text(encoding="utf-8")
    compiled, image = re.findall(r"^FROM (\S+)(?: AS core)?$", text, re.MULTILINE)
    assert compiled == image and "/" not in image, "an extension is for the Python that compiled it"
    for line in text.splitlines():
        if line.startswith("COPY "):
            for source in line.removeprefix("COPY --from=core /opt/fazhi/").removeprefix("COPY ").split()[:-1]:
                assert (ROOT / source).exists(), line
    told = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert {"**/*.so", "extraction/.compiled"} <= {*told}, "a build of this machine must not get into the image"
    pinned = (ROOT / "requirements" / "dev.txt").read_text(encoding="utf-8")
    (entry,) = re.findall(r"^setuptools==.*\n(?:    --hash.*\n)+", pinned, re.MULTILINE)
    assert entry.count("--hash") == 2 and not entry.rstrip().endswith("\\"), "the Dockerfile takes three lines"


def test_the_units_are_what_systemd_takes(tmp_path: Path) -> None:
    if which("systemd-analyze") is None:
        do_without("systemd-analyze is not here: the units cannot be verified")
    for name in UNITS:
        unit = (FOLDER / "systemd" / name).read_text(encoding="utf-8")
        (tmp_path / name).write_text(unit.replace("/opt/fazhi", str(ROOT)), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", *(str(tmp_path / name) for name in UNITS)], capture_output=True, text=True
    )
    assert done.returncode == 0 and not done.stderr.strip(), done.stderr
