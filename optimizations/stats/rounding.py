"""How the statistics round."""

from __future__ import annotations


def four(value: float | None) -> float | None:
    """A number to four digits.

    To twelve first: engines add up in different orders, and what that changes must not tip a number that ends on a
    half.
    """
    return None if value is None else round(round(value, 12), 4)


def share(part: int, whole: int) -> float | None:
    """A share to four digits; None of nothing."""
    return four(part / whole) if whole else None
