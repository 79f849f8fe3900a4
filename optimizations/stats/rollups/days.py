"""What runs add up to day by day, by strategy and by model: kept beside each stored summary, and read from rows."""

from __future__ import annotations

import datetime as dt
import zlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass, field
from typing import Any, Literal

import orjson
from django.db import connections
from django.db.models import Count, FloatField, Q, QuerySet

from optimizations.models import Optimization, RunStatus
from optimizations.stats.aggregates import SCORE, Total, as_text, stored_strategy, usable
from optimizations.stats.rollups.reading import Cover
from optimizations.stats.rollups.table import TABLE
from promptadmin.db.chunks import in_chunks
from promptadmin.db.utc_days import UtcDay

By = Literal["strategy", "model"]
Name = str | None
TOKENS = ("input_tokens", "output_tokens")
_KEYS = ("day", "strategy", "framework_applied", "model_used", "status")
_AGGREGATES: dict[str, Any] = {
    "runs": Count("*"),
    "validated": Count("is_improvement", filter=Q(is_improvement__in=[True, False])),
    "improved": Count("is_improvement", filter=Q(is_improvement__in=[True])),
    "scored": Count(SCORE, filter=usable(SCORE)),
    **{f"{name}_sum": Total(name, filter=usable(name), output_field=FloatField()) for name in (SCORE, *TOKENS)},
}


@dataclass(slots=True)
class DayTally:
    """Runs of every status, and those that failed; all other numbers are of the completed ones."""

    runs: int = 0
    failed: int = 0
    completed: int = 0
    validated: int = 0
    improved: int = 0
    scored: int = 0
    score: float = 0.0
    input_tokens: float = 0.0
    output_tokens: float = 0.0

    def add(self, other: DayTally) -> None:
        """Count the runs of another tally too."""
        self.runs += other.runs
        self.failed += other.failed
        self.completed += other.completed
        self.validated += other.validated
        self.improved += other.improved
        self.scored += other.scored
        self.score += other.score
        self.input_tokens += other.input_tokens
        self.output_tokens += other.output_tokens


@dataclass(slots=True)
class Days:
    """By strategy, as it is stored, or by model, the tally of each day; the day is text, as in "2026-03-20"."""

    strategy: dict[tuple[str, Name], DayTally] = field(default_factory=dict)
    model: dict[tuple[str, Name], DayTally] = field(default_factory=dict)

    def count(self, by: By, day: str, name: Name, tally: DayTally) -> None:
        """Count the runs of a day and a name."""
        tallies: dict[tuple[str, Name], DayTally] = getattr(self, by)
        known = tallies.get((day, name))
        if known is None:
            known = tallies[day, name] = DayTally()
        known.add(tally)

    def packed(self) -> bytes:
        """The days as bytes."""
        content = {
            by: [[*key, *astuple(tally)] for key, tally in getattr(self, by).items()] for by in ("strategy", "model")
        }
        return zlib.compress(orjson.dumps(content), 1)

    def add_packed(self, packed: bytes, by: By, first: str, last: str) -> None:
        """Count what `packed` has made bytes of, by one of the two and from a day to another."""
        for day, name, *numbers in orjson.loads(zlib.decompress(packed))[by]:
            if first <= day <= last:
                self.count(by, day, name, DayTally(*numbers))


def read_days(runs: QuerySet[Optimization]) -> Days:
    """The days of these runs, from their rows. What is no day is left out."""
    days = Days()
    for day, strategy, model, tally in _groups(runs):
        days.count("strategy", day, strategy, tally)
        days.count("model", day, model, tally)
    return days


def _groups(runs: QuerySet[Optimization]) -> Iterator[tuple[str, Name, Name, DayTally]]:
    for row in runs.order_by().annotate(day=UtcDay("created_at")).values(*_KEYS).annotate(**_AGGREGATES):
        day = as_text(row["day"]) or ""
        if not is_day(day):
            continue
        status, count = as_text(row["status"]), row["runs"]
        tally = DayTally(runs=count, failed=count if status == RunStatus.ERROR else 0)
        if status == RunStatus.COMPLETED:
            tally.completed = count
            tally.validated, tally.improved, tally.scored = row["validated"], row["improved"], row["scored"]
            tally.score = row[f"{SCORE}_sum"] or 0.0
            tally.input_tokens, tally.output_tokens = (row[f"{name}_sum"] or 0.0 for name in TOKENS)
        strategy = stored_strategy(row["strategy"], row["framework_applied"])
        yield day, strategy, as_text(row["model_used"]), tally


def is_day(text: str) -> bool:
    """Whether it is a day, as in "2026-03-20"."""
    try:
        return len(text) == 10 and dt.date.fromisoformat(text) is not None
    except ValueError:
        return False


def summarize_days(cover: Cover, runs: QuerySet[Optimization], by: By, first: str, last: str) -> Days:
    """The days from one to another, by strategy or by model, of these runs, which the cover is of."""
    days = Days()
    for keys in in_chunks(cover.stored, 100):
        with connections[runs.db].cursor() as cursor:
            cursor.execute(f"SELECT days FROM {TABLE} WHERE id IN ({', '.join(['%s'] * len(keys))})", keys)
            for (packed,) in cursor.fetchall():
                days.add_packed(packed, by, first, last)
    for part in cover.of(runs):
        found = read_days(part)
        for (day, name), tally in getattr(found, by).items():
            days.count(by, day, name, tally)
    return days
