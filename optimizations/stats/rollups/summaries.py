"""What the statistics need to know of a set of runs, so that sets can be added: a summary of two is the sum of theirs.

Strategies go by the names that are stored; whoever reads makes canonical ones of them, as plugins declare these.
"""

from __future__ import annotations

import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson
from django.db.models import Count, QuerySet

from optimizations.models import Optimization, RunStatus
from optimizations.stats.aggregates import SCORE, Tally, as_text, read_stored_groups
from optimizations.stats.json_lists import read_items

Name = str | None
LISTS = ("secondary_frameworks", "tags")


@dataclass(frozen=True, slots=True)
class Recent:
    """Completed runs: how many, how many of them with a score, and the sum of the scores."""

    count: int = 0
    scored: int = 0
    score: float = 0.0

    def numbers(self) -> tuple[int, int, float]:
        """The three, in this order."""
        return self.count, self.scored, self.score

    def plus(self, other: Recent) -> Recent:
        """Both together."""
        return Recent(self.count + other.count, self.scored + other.scored, self.score + other.score)


@dataclass(slots=True)
class Summary:
    """Of some runs: what the completed ones add up to by strategy and task type, and by strategy and complexity.

    Also how many runs of each strategy have each status, what the lists of the completed ones hold, and, where that was
    asked for, how many runs of any status each project has.
    """

    tasks: defaultdict[tuple[Name, Name], Tally] = field(default_factory=lambda: defaultdict(Tally))
    complexities: defaultdict[tuple[Name, Name], Tally] = field(default_factory=lambda: defaultdict(Tally))
    statuses: Counter[tuple[Name, Name]] = field(default_factory=Counter)
    lists: dict[str, dict[tuple[Name, Name], Recent]] = field(default_factory=lambda: {name: {} for name in LISTS})
    projects: Counter[str] = field(default_factory=Counter)

    def add(self, other: Summary) -> None:
        """Count the runs of another summary too."""
        for ours, theirs in ((self.tasks, other.tasks), (self.complexities, other.complexities)):
            for key, tally in theirs.items():
                ours[key].add(tally)
        self.statuses.update(other.statuses)
        for column in LISTS:
            items = self.lists[column]
            for key, item in other.lists[column].items():
                items[key] = items[key].plus(item) if key in items else item
        self.projects.update(other.projects)

    def completed(self) -> Recent:
        """The completed runs."""
        total = Recent()
        for tally in self.tasks.values():
            total = total.plus(Recent(tally.runs, tally.counts[SCORE], tally.sums[SCORE]))
        return total

    def packed(self) -> bytes:
        """The summary as bytes, for `unpacked`."""
        content = {
            "tasks": [[*key, tally.packed()] for key, tally in self.tasks.items()],
            "complexities": [[*key, tally.packed()] for key, tally in self.complexities.items()],
            "statuses": [[*key, runs] for key, runs in self.statuses.items()],
            "lists": {
                column: [[*key, *found.numbers()] for key, found in items.items()]
                for column, items in self.lists.items()
            },
            "projects": self.projects,
        }
        return zlib.compress(orjson.dumps(content), 1)


def unpacked(packed: bytes) -> Summary:
    """The summary that `packed` has made bytes of."""
    content: dict[str, Any] = orjson.loads(zlib.decompress(packed))
    summary = Summary()
    for strategy, task, numbers in content["tasks"]:
        summary.tasks[strategy, task] = Tally.unpacked(numbers)
    for strategy, complexity, numbers in content["complexities"]:
        summary.complexities[strategy, complexity] = Tally.unpacked(numbers)
    summary.statuses.update({(strategy, status): runs for strategy, status, runs in content["statuses"]})
    for column, items in content["lists"].items():
        summary.lists[column] = {(strategy, text): Recent(*found) for strategy, text, *found in items}
    summary.projects.update(content["projects"])
    return summary


def read_summary(runs: QuerySet[Optimization], *, with_projects: bool = False) -> Summary:
    """The summary of these runs, from their rows."""
    summary = Summary()
    for group in read_stored_groups(runs):
        summary.statuses[group.strategy, group.status] += group.tally.runs
        if group.status == RunStatus.COMPLETED:
            summary.tasks[group.strategy, group.task_type].add(group.tally)
            summary.complexities[group.strategy, group.complexity].add(group.tally)
    completed = runs.filter(status=RunStatus.COMPLETED)
    for column, items in summary.lists.items():
        for item in read_items(completed, column):
            key = (item.strategy, item.text)
            found = Recent(item.occurrences, item.scored, item.score)
            items[key] = items[key].plus(found) if key in items else found
    if with_projects:
        for project, count in runs.order_by().values_list("project").annotate(runs=Count("*")):
            if project and isinstance(project, str):
                summary.projects[as_text(project) or ""] += count
    return summary
