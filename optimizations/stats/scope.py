"""Which runs a set of statistics is about, and what is read of them."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, TypeVar

from django.db import connection
from django.db.models import Aggregate, Count, Q, QuerySet, Sum
from django.utils import timezone

from optimizations.models import Optimization, RunStatus
from optimizations.stats.lists import Item, read_items
from optimizations.stats.tallies import SCORE, Group, Tally, read_groups, usable
from promptadmin.unchanged import while_unchanged

Answer = TypeVar("Answer")
Key = Literal["strategy", "task_type", "complexity"]


@dataclass(frozen=True)
class Recent:
    """The completed runs since a moment."""

    count: int
    scored: int
    score: float


@dataclass(frozen=True, kw_only=True)
class Scope:
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
        """The runs of every status, in groups."""
        return self._while_unchanged("groups", lambda: list(read_groups(self.runs())))

    @cached_property
    def total(self) -> Tally:
        """What the completed runs add up to."""
        total = Tally()
        for group in self.groups:
            if group.status == RunStatus.COMPLETED:
                total.add(group.tally)
        return total

    def by(self, key: Key) -> dict[str, Tally]:
        """What the completed runs that have a value there add up to for each, in the order of the values."""
        tallies: defaultdict[str, Tally] = defaultdict(Tally)
        for group in self.groups:
            value = getattr(group, key)
            if group.status == RunStatus.COMPLETED and value is not None:
                tallies[value].add(group.tally)
        return dict(sorted(tallies.items()))

    @cached_property
    def strategies(self) -> dict[str, Tally]:
        """What the completed runs of each strategy add up to."""
        return self.by("strategy")

    def by_strategy_and(self, key: Key) -> dict[str, dict[str, Tally]]:
        """What the completed runs with a strategy and a value there add up to for each pair, in order."""
        tallies: defaultdict[str, defaultdict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
        for group in self.groups:
            value = getattr(group, key)
            if group.status == RunStatus.COMPLETED and group.strategy is not None and value is not None:
                tallies[group.strategy][value].add(group.tally)
        return {strategy: dict(sorted(cells.items())) for strategy, cells in sorted(tallies.items())}

    @cached_property
    def secondaries(self) -> list[Item]:
        """The secondary strategies of the completed runs."""
        return self._items("secondary_frameworks")

    @cached_property
    def tags(self) -> list[Item]:
        """The tags of the completed runs."""
        return self._items("tags")

    @cached_property
    def recent(self) -> dict[Literal["today", "7d", "30d"], Recent]:
        """The completed runs since midnight in UTC, and in the last 7 and 30 days."""
        today = self.now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        bounds: dict[Literal["today", "7d", "30d"], dt.datetime] = {
            "today": today,
            "7d": self.now - dt.timedelta(days=7),
            "30d": self.now - dt.timedelta(days=30),
        }
        # As long as nobody writes, these change when the oldest run of a period leaves it, and at midnight.
        oldest = tuple(_first_since(bound) for bound in bounds.values())
        return self._while_unchanged(("recent", oldest), lambda: self._read_recent(bounds))

    def _read_recent(
        self, bounds: dict[Literal["today", "7d", "30d"], dt.datetime]
    ) -> dict[Literal["today", "7d", "30d"], Recent]:
        aggregates: dict[str, Aggregate] = {}
        for name, bound in bounds.items():
            inside = Q(created_at__gte=bound)
            aggregates[f"count_{name}"] = Count("created_at", filter=inside)
            aggregates[f"scored_{name}"] = Count(SCORE, filter=inside & usable(SCORE))
            aggregates[f"score_{name}"] = Sum(SCORE, filter=inside & usable(SCORE))
        row = self.completed().filter(created_at__gte=min(bounds.values())).aggregate(**aggregates)
        return {
            name: Recent(row[f"count_{name}"], row[f"scored_{name}"], row[f"score_{name}"] or 0.0) for name in bounds
        }

    def _items(self, column: str) -> list[Item]:
        return self._while_unchanged(column, lambda: list(read_items(self.completed(), column)))

    def _while_unchanged(self, name: Hashable, read: Callable[[], Answer]) -> Answer:
        """What was read for this scope, as long as nobody writes: a big table is read once, not at each request."""
        # A period that moves with the clock has the same runs until one enters or leaves it.
        period = tuple(bound and (_first_since(bound),) for bound in (self.since, self.until))
        return while_unchanged(connection, ("statistics", name, self.project, period), read)


def _first_since(bound: dt.datetime) -> str | None:
    """The first run since a moment, which an index tells."""
    return (
        Optimization.objects.filter(created_at__gte=bound).order_by("created_at").values_list("id", flat=True).first()
    )
