"""Periods that an address can ask for: the last days, a calendar month, or the days from one to another, in UTC."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

#: Value in the address → its text and its days; none means all times.
LAST_DAYS: Mapping[str, tuple[str, int]] = {
    "1": ("Last 24 hours", 1),
    "7": ("Last 7 days", 7),
    "30": ("Last 30 days", 30),
    "90": ("Last 90 days", 90),
    "365": ("Last 365 days", 365),
}
THIS_MONTH, LAST_MONTH, DAYS = "this-month", "last-month", "days"
CHOICES: Mapping[str, str] = {
    "": "All time",
    **{value: text for value, (text, _) in LAST_DAYS.items()},
    THIS_MONTH: "This month",
    LAST_MONTH: "Last month",
    DAYS: "From one day to another",
}
#: The parameters of an address that say which days.
FIRST, LAST = "from", "to"


@dataclass(frozen=True)
class Period:
    """What was asked for: one of CHOICES and, of days, the first and the last; `problem` says what can't be read."""

    name: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    problem: str = ""

    def bounds(self, now: dt.datetime) -> tuple[dt.datetime | None, dt.datetime | None]:
        """The first moment, and the first one after the end; None where there is no such bound."""
        if self.name in LAST_DAYS:
            return now - dt.timedelta(days=LAST_DAYS[self.name][1]), None
        month = _midnight(now.astimezone(dt.UTC).date().replace(day=1))
        if self.name == THIS_MONTH:
            return month, None
        if self.name == LAST_MONTH:
            return (month - dt.timedelta(days=1)).replace(day=1), month
        return (
            None if self.first is None else _midnight(self.first),
            None if self.last is None else _midnight(self.last + dt.timedelta(days=1)),
        )


def read_period(asked: Mapping[str, Any]) -> Period:
    """The period that an address asks for; one that isn't known is all times."""
    name = str(asked.get("period", ""))
    if name != DAYS:
        return Period(name if name in CHOICES else "")
    days: dict[str, dt.date | None] = {}
    for which in (FIRST, LAST):
        text = str(asked.get(which, "")).strip()
        try:
            days[which] = dt.date.fromisoformat(text) if text else None
        except ValueError:
            return Period(problem=f"“{text}” is no day: use the form 2026-03-20. All times are shown.")
    first, last = days[FIRST], days[LAST]
    if first and last and first > last:
        first, last = last, first
    if last and last.year > 9998:
        last = None
    return Period(DAYS, first, last)


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.UTC)
