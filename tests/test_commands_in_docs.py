"""Commands that the documents show exist, with the options they show."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from fazhi.cli import app
from tests.conftest import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("deployments/*.md")])
_BLOCK = re.compile(r"^```(?:sh|bash|console)?\n(.*?)^```", re.MULTILINE | re.DOTALL)


def commands(path: Path) -> Iterator[list[str]]:
    """Words after `fazhi`, of each command of a document's blocks and of its code in running text."""
    text = path.read_text(encoding="utf-8")
    lines = [line for block in _BLOCK.findall(text) for line in block.splitlines()]
    lines += re.findall(r"`([^`\n]*fazhi [^`\n]*)`", text)
    for line in lines:
        found = re.search(r"(?:^|[ /])fazhi ([a-z].*)", line)
        if found and not line.lstrip().startswith("#"):
            yield _words(found[1])


def _words(told: str) -> list[str]:
    told = re.split(r"\s#\s|\s[|>]\s|[;&)]", told.replace("…", "X"))[0]
    return shlex.split(told.replace("'", "").replace('"', ""))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_commands_exist(path: Path) -> None:
    top = typer.main.get_command(app)
    unknown = [" ".join(words) for words in commands(path) if not _exists(top, words)]
    assert not unknown


def _exists(top: Any, words: list[str]) -> bool:
    command = top
    rest = list(words)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        for name in re.split(r"[|,]", rest[0]):  # `archive verify|stats`
            if name not in command.commands:
                return command is not top and bool(command.invoke_without_command)
        command = command.commands[re.split(r"[|,]", rest.pop(0))[0]]
    known = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
    return all(word.partition("=")[0] in known for word in rest if word.startswith("--"))


def test_an_invented_command_is_noticed() -> None:
    top = typer.main.get_command(app)
    assert _exists(top, ["archive", "verify"]) and _exists(top, ["nightly", "--source", "x"])
    assert not _exists(top, ["archive", "burn"]) and not _exists(top, ["nightly", "--faster"])
    assert not _exists(top, ["sing"])
