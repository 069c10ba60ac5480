"""`fazhi sandbox --chaos`, as a person starts it."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

from connectors.registry import load_sources
from sandbox.chaos_portal import STRUCK_PAGE, host_of, report_title
from sandbox.chaos_table import SERVED


def test_chaos_is_served_until_a_signal_and_writes_its_sources(tmp_path: Path) -> None:
    fazhi = Path(sys.executable).parent / "fazhi"
    command = [str(fazhi), "sandbox", "--chaos", "--port", "0", "--sources", str(tmp_path / "sources")]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        url = line.split()[1]
        assert line.startswith("ready http://127.0.0.1:")
        request = urllib.request.Request(url + STRUCK_PAGE, headers={"Host": host_of("charset_lying_header")})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers["Content-Type"] == "text/html; charset=ISO-8859-1"
            assert report_title(2022) in answer.read().decode()
        sources = load_sources([tmp_path / "sources"])
        assert {host for source in sources.values() for host in source.hosts} == {host_of(one.name) for one in SERVED}
    finally:
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=60)
    assert code == 0
