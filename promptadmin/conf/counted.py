"""Counts in sentences."""

from __future__ import annotations


def counted(number: int, one: str, many: str = "") -> str:
    """As in "1 run" and "1,200 runs"; `many` is the plural that isn't the singular with an s."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"
