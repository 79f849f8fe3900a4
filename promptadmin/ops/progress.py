"""Bars for work that takes long: on a terminal only, and only once it takes longer than a second."""

from __future__ import annotations

from typing import Any

from tqdm import tqdm


def bar(label: str, *, total: int | None = None, unit: str = "B") -> tqdm[Any]:
    """A bar to be updated by hand; bytes are shown in units of 1024."""
    in_bytes = unit == "B"
    return tqdm(
        desc=label,
        total=total,
        unit=unit,
        unit_scale=in_bytes,
        unit_divisor=1024 if in_bytes else 1000,
        delay=1,
        disable=None,
        leave=False,
    )
