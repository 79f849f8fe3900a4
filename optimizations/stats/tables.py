"""What sections read of a summary: tables by the canonical names of strategies, each made when first asked for."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Literal

from optimizations.stats.aggregates import Tally, strategy_of
from optimizations.stats.json_lists import Item
from optimizations.stats.rollups.summaries import Name, Summary

Key = Literal["strategy", "task_type", "complexity"]


class Tables:
    """The tables of one summary. They are remembered and shared: what a caller gets is a copy."""

    def __init__(self, summary: Summary) -> None:
        self._summary = summary
        self._by: dict[Key, dict[str, Tally]] = {}
        self._by_strategy_and: dict[Key, dict[str, dict[str, Tally]]] = {}
        self._items: dict[str, list[Item]] = {}

    @cached_property
    def total(self) -> Tally:
        """What the completed runs add up to."""
        total = Tally()
        for tally in self._summary.tasks.values():
            total.add(tally)
        return total

    @cached_property
    def statuses(self) -> Mapping[tuple[Name, Name], int]:
        """How many runs have a strategy and a status, by both."""
        found: Counter[tuple[Name, Name]] = Counter()
        for (strategy, status), runs in self._summary.statuses.items():
            found[strategy_of(strategy), status] += runs
        return found

    def by(self, key: Key) -> dict[str, Tally]:
        """The completed runs by a value, in order; those without one left out."""
        if key not in self._by:
            tallies: defaultdict[str, Tally] = defaultdict(Tally)
            for (strategy, other), tally in self._cells(key).items():
                value = strategy_of(strategy) if key == "strategy" else other
                if value is not None:
                    tallies[value].add(tally)
            self._by[key] = dict(sorted(tallies.items()))
        return dict(self._by[key])

    def by_strategy_and(self, key: Key) -> dict[str, dict[str, Tally]]:
        """The completed runs by strategy and a value, in order; those without one of them left out."""
        if key not in self._by_strategy_and:
            tallies: defaultdict[str, defaultdict[str, Tally]] = defaultdict(lambda: defaultdict(Tally))
            for (strategy, other), tally in self._cells(key).items():
                name = strategy_of(strategy)
                value = name if key == "strategy" else other
                if name is not None and value is not None:
                    tallies[name][value].add(tally)
            self._by_strategy_and[key] = {name: dict(sorted(row.items())) for name, row in sorted(tallies.items())}
        return {name: dict(row) for name, row in self._by_strategy_and[key].items()}

    def items(self, column: str) -> list[Item]:
        """What the lists in a column hold."""
        if column not in self._items:
            self._items[column] = [
                Item(strategy_of(strategy), text, *found.numbers())
                for (strategy, text), found in self._summary.lists[column].items()
            ]
        return list(self._items[column])

    def _cells(self, key: Key) -> Mapping[tuple[Name, Name], Tally]:
        return self._summary.complexities if key == "complexity" else self._summary.tasks
