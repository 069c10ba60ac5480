"""What a browser sees of the explorer: first content of each kind of page, and how long it takes to answer a hand.

A process of its own with an end: a browser that hangs (a machine under load, a frame that is never drawn) ends with a
clear error instead of holding the benchmark.
"""

from __future__ import annotations

import os
import shutil
import signal
from multiprocessing import get_context
from multiprocessing.connection import Connection
from statistics import median
from typing import Any

LONGEST_S = 240.0
"""Seconds for all of it."""
A_STEP_MS = 20_000.0
TURNS = 5

PAINTED = "() => performance.getEntriesByName('first-contentful-paint').length > 0"
PAINT = "performance.getEntriesByName('first-contentful-paint')[0].startTime"
FOCUS = """() => {
  const told = window.told = {}, start = performance.now(), number = document.querySelector('a.num-mark');
  number.focus(); number.click();
  requestAnimationFrame(() => requestAnimationFrame(() => { told.ms = performance.now() - start; }));
}"""
CHANGE = """([place, said]) => {
  const told = window.told = {}, start = performance.now(), field = document.querySelector(place);
  document.addEventListener('htmx:afterSettle', () => requestAnimationFrame(
    () => setTimeout(() => { told.ms = performance.now() - start; }, 0)), {once: true});
  field.value = said;
  field.dispatchEvent(new Event(field.tagName === 'SELECT' ? 'change' : 'input', {bubbles: true}));
}"""
"""From the key or the choice to the painted answer, with the pause after a key."""


class BrowserHung(Exception):
    """The browser's part did not end in time, or ended without figures; one line."""


def look(port: int, places: dict[str, list[Any]]) -> dict[str, Any] | None:
    """Milliseconds, medians of some turns; None where there is no browser. Raises BrowserHung."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        return None
    context = get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_look, args=(path, f"http://127.0.0.1:{port}", places, theirs), daemon=True)
    process.start()
    theirs.close()
    step = "starting the browser"
    try:
        while ours.poll(LONGEST_S):
            told = ours.recv()
            if isinstance(told, dict):
                return told
            step = told
        raise BrowserHung(f"the browser did not end within {LONGEST_S:.0f} s; it was at: {step}")
    except EOFError:
        raise BrowserHung(f"the browser's part broke off at: {step}") from None
    finally:
        process.join(5)
        if process.is_alive() and process.pid is not None:
            os.killpg(process.pid, signal.SIGKILL)  # with the browser that it started
            process.join()


def _look(path: str, base: str, places: dict[str, list[Any]], told: Connection) -> None:
    os.setsid()
    from playwright.sync_api import Error, sync_playwright

    metric, region, document = (places[name][0] for name in ("metrics", "regions", "documents"))
    pages = {"overview": "/", "metrics": "/metrics", "metric": f"/metrics/{metric}", "region": f"/regions/{region}",
             "report": f"/documents/{document}", "findings": "/findings"}  # fmt: skip
    changes = {
        "search_metrics": ("/metrics", "#q", places["metrics"][1][:6]),
        "search_regions": ("/regions", "#q", region[:3]),
        "search_reports": ("/documents", "#q", "20"), "filter_findings": ("/findings", "#verdict", "truncated"),
    }  # fmt: skip
    try:
        with sync_playwright() as play:
            sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
            browser = play.chromium.launch(executable_path=path, args=sandbox, timeout=A_STEP_MS)
            page = browser.new_page()
            page.set_default_timeout(A_STEP_MS)
            first: dict[str, float] = {}
            for name, one in pages.items():
                told.send(f"first content of {one}")
                seen = []
                for _ in range(TURNS):
                    page.goto(base + one)
                    page.wait_for_function(PAINTED)
                    seen.append(float(page.evaluate(PAINT)))
                first[name] = median(seen)
            hand: dict[str, float] = {}
            for name, (one, place, said) in {**changes, "number": (pages["report"], "", "")}.items():
                told.send(f"{name} at {one}")
                seen = []
                for _ in range(TURNS):
                    page.goto(base + one)
                    page.evaluate(*((CHANGE, [place, said]) if place else (FOCUS,)))
                    page.wait_for_function("() => window.told.ms !== undefined")
                    seen.append(float(page.evaluate("window.told.ms")))
                hand[name] = median(seen)
            browser.close()
    except Error as error:
        told.send(f"failed: {str(error).splitlines()[0]}")
        return
    told.send({"first_content": first, "interaction": hand})
