"""What stored values mean, whatever a legacy program has put into a column: what it can't mean reads as None."""

from __future__ import annotations

import datetime as dt
import math
import re
from typing import Any

UTC = dt.UTC
LENGTH_OF_OURS = len("2026-01-01 00:00:00.000000")
_DATED = re.compile(r"\d{4}-\d\d-\d\d(?:[ Tt]|$)")


def parse_moment(value: str) -> dt.datetime | None:
    """The moment that a stored text means, in UTC, or None where it means none.

    Takes ISO 8601 with dashes, with a blank or T before the time; without an offset it is UTC.
    """
    if len(value) == LENGTH_OF_OURS and value[4] == value[7] == "-" and value[10] == " " and "\0" not in value:
        try:  # the form that is stored nearly always: a tenth of the time that `replace` alone takes
            return dt.datetime.fromisoformat(value + "+00:00")
        except ValueError:
            pass
    value = value.strip()
    # `fromisoformat` alone would take the digits of an epoch for a date without dashes, and any separator.
    if not _DATED.match(value) or "\0" in value:  # `fromisoformat` stops at a NUL
        return None
    try:
        moment = dt.datetime.fromisoformat(value)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


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
    return value if value is None or isinstance(value, dt.datetime) else parse_moment(read_text(value) or "")
