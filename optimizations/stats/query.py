"""Which runs a set of statistics is about, and what is read of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, TypeVar

from django.db import connection
from django.db.models import Count, QuerySet, Sum
from django.utils import timezone

from optimizations.models import Optimization, RunStatus
from optimizations.stats.aggregates import SCORE, Group, Tally, read_groups, strategy_of, usable
from optimizations.stats.json_lists import Item
from optimizations.stats.rollups.days import By, DayTally, summarize_days
from optimizations.stats.rollups.reading import (
    Cover,
    find_cover,
    find_days_cover,
    has_rollups,
    stored_completed,
    summarize,
)
from optimizations.stats.rollups.summaries import Recent
from optimizations.stats.tables import Key, Tables
from projects.reach import row_limits
from promptadmin.db.cache import cached_until_write
from promptadmin.db.fields import stored_moment

Answer = TypeVar("Answer")
Period = Literal["today", "7d", "30d"]


@dataclass(frozen=True, kw_only=True)
class StatsQuery:
    """The runs of one project, or of all, and of a period, or of all times.

    `project` is the exact text in the runs; none or an empty one means all. `since` is the first moment of the period
    and `until` the first after it. What sections need is read from the database when first asked for, and once.
    """

    project: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    now: dt.datetime = field(default_factory=timezone.now)

    def runs(self) -> QuerySet[Optimization]:
        """The runs, of every status."""
        runs = Optimization.objects.all()
        if self.project:
            runs = runs.filter(project=self.project)
        if self.since:
            runs = runs.filter(created_at__gte=self.since)
        if self.until:
            runs = runs.filter(created_at__lt=self.until)
        return runs

    def completed(self) -> QuerySet[Optimization]:
        """The runs that nearly all statistics are about."""
        return self.runs().filter(status=RunStatus.COMPLETED)

    @cached_property
    def groups(self) -> list[Group]:
        """The runs of every status, in groups. Read from their rows, which takes seconds where there are many."""
        return self._while_unchanged("groups", lambda: list(read_groups(self.runs())))

    @property
    def total(self) -> Tally:
        """What the completed runs add up to."""
        return self._tables.total

    @property
    def statuses(self) -> Mapping[tuple[str | None, str | None], int]:
        """How many runs have a strategy and a status, by both."""
        return self._tables.statuses

    def by(self, key: Key) -> dict[str, Tally]:
        """What the completed runs that have a value there add up to for each, in the order of the values."""
        return self._tables.by(key)

    @property
    def strategies(self) -> dict[str, Tally]:
        """What the completed runs of each strategy add up to."""
        return self.by("strategy")

    def by_strategy_and(self, key: Key) -> dict[str, dict[str, Tally]]:
        """What the completed runs with a strategy and a value there add up to for each pair, in order."""
        return self._tables.by_strategy_and(key)

    @property
    def secondaries(self) -> list[Item]:
        """The secondary strategies of the completed runs."""
        return self._tables.items("secondary_frameworks")

    @property
    def tags(self) -> list[Item]:
        """The tags of the completed runs."""
        return self._tables.items("tags")

    @cached_property
    def recent(self) -> dict[Period, Recent]:
        """The completed runs since midnight in UTC, and in the last 7 and 30 days."""
        today = self.now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        bounds: dict[Period, dt.datetime] = {
            "today": today,
            "7d": self.now - dt.timedelta(days=7),
            "30d": self.now - dt.timedelta(days=30),
        }
        # As long as nobody writes, these change when the oldest run of a period leaves it, and at midnight.
        oldest = tuple(_first_since(bound) for bound in bounds.values())
        return self._while_unchanged(
            ("recent", oldest), lambda: {name: self._read_recent(bound) for name, bound in bounds.items()}
        )

    def _read_recent(self, bound: dt.datetime) -> Recent:
        cover = self._cover(max(bound, self.since) if self.since else bound)
        found = stored_completed(connection, cover)
        for runs in cover.of(self.completed().filter(created_at__gte=bound)):
            scored = usable(SCORE)
            row = runs.aggregate(runs=Count("*"), scored=Count(SCORE, filter=scored), score=Sum(SCORE, filter=scored))
            found = found.plus(Recent(row["runs"], row["scored"], row["score"] or 0.0))
        return found

    def days(self, by: By) -> Mapping[tuple[str, str | None], DayTally]:
        """What the runs of each day in UTC, as text, and of each strategy or model add up to.

        Days are whole ones: the first and the last of the period, too.
        """
        since, until = self.since and _midnight(self.since), self.until and _midnight(self.until, after=True)
        first, last = ("" if since is None else since.date().isoformat()), _last_day(until)

        def read() -> Mapping[tuple[str, str | None], DayTally]:
            whole = replace(self, since=since, until=until)
            has_rollups = self._has_rollups
            cover = find_days_cover(connection, self.project, since=since, until=until) if has_rollups else Cover()
            found: dict[tuple[str, str | None], DayTally] = getattr(
                summarize_days(cover, whole.runs(), by, first, last), by
            )
            if by == "model":
                return found
            canonical: dict[tuple[str, str | None], DayTally] = {}
            for (day, stored), tally in found.items():
                canonical.setdefault((day, strategy_of(stored)), DayTally()).add(tally)
            return canonical

        return cached_until_write(connection, ("statistics", "days", by, self.project, since, until), read)

    @cached_property
    def _tables(self) -> Tables:
        return self._while_unchanged("summary", lambda: Tables(summarize(self._cover(self.since), self.runs())))

    @cached_property
    def _has_rollups(self) -> bool:
        return has_rollups(connection)

    def _cover(self, since: dt.datetime | None) -> Cover:
        """How to read the runs from a moment on."""
        if not self._has_rollups or row_limits() is not None:  # stored summaries are of all runs
            return Cover()
        return find_cover(connection, self.project, since=since, until=self.until)

    def _while_unchanged(self, name: Hashable, read: Callable[[], Answer]) -> Answer:
        """What was read for this query, as long as nobody writes: a big table is read once, not at each request."""
        # A period that moves with the clock has the same runs until one enters or leaves it.
        period = tuple(bound and (_first_since(bound),) for bound in (self.since, self.until))
        return cached_until_write(connection, ("statistics", name, self.project, period), read)


def _midnight(moment: dt.datetime, *, after: bool = False) -> dt.datetime:
    """The beginning of its day in UTC or, `after` it, the first one that isn't before it."""
    start = moment.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return start + dt.timedelta(days=1) if after and start < moment else start


def _last_day(until: dt.datetime | None) -> str:
    """The last day before a moment; one after all others for none."""
    return "9999-12-31" if until is None else (until - dt.timedelta(days=1)).date().isoformat()


def _first_since(bound: dt.datetime) -> object:
    """The first run since a moment, which an index tells."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id FROM optimizations WHERE created_at >= %s ORDER BY created_at LIMIT 1",
            [stored_moment(bound, connection)],
        )
        return cursor.fetchone()
