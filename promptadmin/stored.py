"""What stored values mean, whatever a legacy program has put into a column: what it can't mean reads as None."""

from __future__ import annotations

import datetime as dt
import math
from typing import Any

from promptadmin.fields import parse_moment


def read_text(value: Any) -> str | None:
    """A stored text; of a BLOB, what it says in UTF-8."""
    if value is None or type(value) is str:
        return value
    return bytes(value).decode(errors="replace") if isinstance(value, bytes | memoryview) else str(value)


def read_number(value: Any) -> float | None:
    """A finite stored number, also from a text that says one."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None


def read_count(value: Any) -> int | None:
    """A stored integer; a fraction is rounded."""
    if type(value) is int:
        return value
    number = read_number(value)
    return None if number is None or abs(number) >= 2**63 else round(number)


def read_flag(value: Any) -> bool | None:
    """A stored truth value: any number but 0 is true, as is the word."""
    if value is None or isinstance(value, bool):
        return value
    number = read_number(value)
    if number is not None:
        return number != 0
    return {"true": True, "false": False}.get(str(value).strip().lower())


def read_moment(value: Any) -> dt.datetime | None:
    """A stored time, in UTC."""
    return value if value is None or isinstance(value, dt.datetime) else parse_moment(str(value))
