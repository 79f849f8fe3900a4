"""Runs over time: what they add up to in each day, week or month of a period."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from optimizations.stats.query import StatsQuery
from optimizations.stats.rollups.days import By, DayTally

Unit = Literal["day", "week", "month"]
#: So many steps of time are told at most; of more months than these, the newest.
MOST_STEPS = 62
DAYS_OF: Mapping[Unit, int] = {"day": 1, "week": 7, "month": 31}


@dataclass(slots=True)
class Step:
    """A day, a week from its Monday, or a month: its first day, the first day after it, and its runs."""

    first: dt.date
    end: dt.date
    total: DayTally = field(default_factory=DayTally)
    parts: dict[str | None, DayTally] = field(default_factory=dict)


@dataclass(frozen=True)
class Trend:
    """Steps of one length, oldest first, with a gap nowhere, and what each name has in all of them together."""

    unit: Unit
    steps: list[Step]
    names: dict[str | None, DayTally]
    earlier_left_out: bool


def read_trend(query: StatsQuery, by: By = "strategy") -> Trend | None:
    """The runs of the query step by step, and by strategy or by model; None where there are none.

    Steps are as long as the period needs. Runs that are said to come from the future are left out.
    """
    today = query.now.astimezone(dt.UTC).date()
    found = {(dt.date.fromisoformat(day), name): tally for (day, name), tally in query.days(by).items()}
    days = [day for day, _ in found if day <= today]
    if not days:
        return None
    first = min(days) if query.since is None else query.since.astimezone(dt.UTC).date()
    last = today if query.until is None else min(today, (query.until - dt.timedelta(microseconds=1)).date())
    unit = _unit_of((last - first).days + 1)
    steps = list(_steps(first, last, unit))
    left_out = len(steps) > MOST_STEPS
    steps = steps[-MOST_STEPS:]
    places = {step.first: step for step in steps}
    names: dict[str | None, DayTally] = {}
    for (day, name), tally in found.items():
        step = places.get(_first_day(day, unit))
        if step is not None and day <= today:
            step.total.add(tally)
            step.parts.setdefault(name, DayTally()).add(tally)
            names.setdefault(name, DayTally()).add(tally)
    return Trend(unit, steps, names, left_out)


def _unit_of(days: int) -> Unit:
    return next((unit for unit, length in DAYS_OF.items() if days <= length * MOST_STEPS), "month")


def _first_day(day: dt.date, unit: Unit) -> dt.date:
    if unit == "week":
        return day - dt.timedelta(days=day.weekday())
    return day.replace(day=1) if unit == "month" else day


def _next(day: dt.date, unit: Unit) -> dt.date:
    if unit == "month":
        return (day + dt.timedelta(days=31)).replace(day=1)
    return day + dt.timedelta(days=DAYS_OF[unit])


def _steps(first: dt.date, last: dt.date, unit: Unit) -> Iterator[Step]:
    day = _first_day(first, unit)
    while day <= last:
        following = _next(day, unit)
        yield Step(day, following)
        day = following
