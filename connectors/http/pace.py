"""How long to wait between two requests to one host: never less than was promised, more where the host is slow.

The rule. Between two starts lie at least `max(delay, 2 × response) × slowdown` seconds, and never more than 60 unless
the delay itself is longer. `delay` is the largest of our setting, the source's and the host's Crawl-delay. `response`
is the smoothed time that the host takes to answer, so it works for us at most half of the time. `slowdown` grows by
half with each 429 or 503 and loses three quarters of what is above 1 with each answer that came: one refusal costs two
thirds of a delay, beside the pause before the next try, and a host that keeps refusing is asked ever less. A single 503
that names no pause, after ten answers or more without any refusal, is a fault like others and not yet overload: it
costs the pause before the next try alone.
"""

from __future__ import annotations

from dataclasses import dataclass

BUSY_SHARE = 2.0
"""Delay in response times."""
MAX_GAP = 60.0
"""Seconds: bound of what adapting may add."""
MAX_SLOWDOWN = 32.0
CALM = 10
_SMOOTHING = 0.3
_GROWTH = 3.0
_LEAST_STEP = 1.0
"""One answer counts for at most three times the smoothed time, or a second: a single hang says little."""


@dataclass(slots=True)
class Pace:
    """What the answers of one host taught us."""

    response: float = 0.0
    """Seconds, smoothed."""
    slowdown: float = 1.0
    calm: int = 0
    """Good answers since the last refusal."""

    def gap(self, delay: float) -> float:
        """Seconds between two starts. A delay of 0 (a replay) is 0."""
        if delay <= 0:
            return 0.0
        return min(max(delay, BUSY_SHARE * self.response) * self.slowdown, max(delay, MAX_GAP))

    def note_answer(self, seconds: float) -> None:
        """A good answer: the pace follows its time, up and down."""
        self._follow(seconds)
        self.slowdown = 1.0 + (self.slowdown - 1.0) / 4
        self.calm += 1

    def note_failure(self, seconds: float, *, is_refusal: bool, is_meant: bool = True) -> None:
        """No answer, or an error: quick ones do not hurry us. `is_refusal`: 429 or 503; `is_meant`: it is a 429, or it
        says for how long."""
        if seconds > self.response:
            self._follow(seconds)
        if not is_refusal:
            return
        if is_meant or self.calm < CALM:
            self.slowdown = min(self.slowdown * 1.5, MAX_SLOWDOWN)
        self.calm = 0

    def _follow(self, seconds: float) -> None:
        sample = min(seconds, max(_LEAST_STEP, _GROWTH * self.response))
        self.response += _SMOOTHING * (sample - self.response) if self.response else sample
