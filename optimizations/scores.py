"""Scores as people see them, which are stored from 0.0 to 1.0.

In the back-office they are from 0 to 10 with one digit after the point; MCP tells whole ones from 1 to 10.
"""

from __future__ import annotations

import math
from collections.abc import Callable

LEAST, GREATEST = 1, 10


def shown_score(score: float | None) -> int | None:
    """A stored score from 1 to 10; None stays None."""
    return None if score is None else max(LEAST, min(GREATEST, round(score * 10)))


def least_stored(shown: float) -> float:
    """The least stored score that counts as at least this: half a point less, be it shown as that or not."""
    return (shown - 0.5) / 10


def out_of_ten(score: float) -> float:
    """A stored score as the back-office shows it: from 0 to 10, with one digit after the point."""
    return round(score * 10, 1)


def least_shown(shown: float) -> float:
    """The least stored score that the back-office shows as this or better."""
    return _first((shown - 0.06) / 10, lambda score: out_of_ten(score) >= shown, math.inf)


def greatest_shown(shown: float) -> float:
    """The greatest stored score that the back-office shows as this or worse."""
    return _first((shown + 0.06) / 10, lambda score: out_of_ten(score) <= shown, -math.inf)


def _first(start: float, passes: Callable[[float], bool], direction: float) -> float:
    """The first number from here in a direction that passes, found by halving."""
    failing, passing = start, start + math.copysign(0.012, direction)
    for _ in range(60):
        middle = (failing + passing) / 2
        failing, passing = (failing, middle) if passes(middle) else (middle, passing)
    return passing
