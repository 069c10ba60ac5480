"""Commands that are forked for tests end as started ones do: own arguments, environment, folder, outputs, exit code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.nightly.commands import Commands

TOLD = """
import os, sys
print(sys.argv[1], os.environ["FAZHI_HOME"], os.getcwd(), os.environ["PREFECT_API_URL"])
sys.exit("an end")
"""


def test_what_is_given_and_what_comes_back(commands: Commands, tmp_path: Path) -> None:
    done = commands.run(["-c", TOLD, "a b"], {"FAZHI_HOME": "here"}, tmp_path, 60)
    assert done.stdout == f"a b here {tmp_path} {commands.api}\n"
    assert (done.returncode, done.stderr) == (1, "an end\n")
    done = commands.run(["-c", "import os\nassert 'FAZHI_HOME' not in os.environ\n1 / 0"], {}, tmp_path, 60)
    assert done.returncode == 1 and done.stderr.endswith("ZeroDivisionError: division by zero\n")
    assert commands.run(["status"], {"FAZHI_HOME": str(tmp_path)}, tmp_path, 60).returncode == 2


def test_what_takes_too_long_is_killed(commands: Commands, tmp_path: Path) -> None:
    forever = "import os, time\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(1000)"
    with pytest.raises(subprocess.TimeoutExpired):
        commands.run(["-c", forever], {}, tmp_path, 3)
    pid = int((tmp_path / "pid").read_text(encoding="utf-8") or 0)
    state = Path(f"/proc/{pid}/stat")
    assert not state.exists() or ") Z " in state.read_text(encoding="utf-8")
