"""Scores as people see them: from 1 to 10; they are stored from 0.0 to 1.0."""

from __future__ import annotations

import math

LEAST, GREATEST = 1, 10


def shown_score(score: float | None) -> int | None:
    """A stored score from 1 to 10; None stays None."""
    return None if score is None else max(LEAST, min(GREATEST, round(score * 10)))


def least_score(shown: float) -> float | None:
    """The least stored score that is shown as this or better; None for what every score is."""
    if shown <= LEAST:
        return None
    limit = (shown - 0.5) / 10
    return limit if _is_even(shown) else math.nextafter(limit, math.inf)


def least_stored(shown: float) -> float:
    """The least stored score that counts as at least this: half a point less, be it shown as that or not."""
    return (shown - 0.5) / 10


def greatest_score(shown: float) -> float | None:
    """The greatest stored score that is shown as this or worse; None for what every score is."""
    if shown >= GREATEST:
        return None
    limit = (shown + 0.5) / 10
    return limit if _is_even(shown) else math.nextafter(limit, -math.inf)


def _is_even(shown: float) -> bool:
    """Whether halves beside it are rounded to it."""
    return round(shown) % 2 == 0
