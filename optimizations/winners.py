"""Which strategy does best at a task: told only where enough runs tell it, with how sure that is."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from optimizations.stats.aggregates import SCORE, Tally

#: A strategy with fewer scored runs of a task type can't be its best.
ENOUGH_RUNS = 10
#: So many standard errors to each side of a mean hold the true one in 95 of 100 cases.
NORMAL_95 = 1.96


@dataclass(frozen=True, slots=True)
class Contender:
    """A strategy's scored runs of a task type: their mean score, from 0.0 to 1.0, and the 95 % interval of it."""

    strategy: str
    runs: int
    mean: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Contest:
    """The best strategy and the next one, of those with enough runs; the one with most runs, however many these are."""

    best: Contender | None
    runner_up: Contender | None
    most_used: Contender

    @property
    def is_clear(self) -> bool:
        """Whether the intervals of the two don't touch."""
        return self.best is not None and self.runner_up is not None and self.best.low > self.runner_up.high


def contests(table: Mapping[str, Mapping[str, Tally]]) -> dict[str, Contest]:
    """By task type, from the tallies of each strategy and task type; those without a scored run are left out."""
    found: dict[str, list[Contender]] = {}
    for strategy, row in table.items():
        for task, tally in row.items():
            if tally.counts[SCORE]:
                found.setdefault(task, []).append(_contender(strategy, tally))
    return {task: _contest(contenders) for task, contenders in sorted(found.items())}


def _contender(strategy: str, tally: Tally) -> Contender:
    runs, mean = tally.counts[SCORE], tally.mean() or 0.0
    # The deviation is that of these runs as if there were no others; of a sample it is a little greater.
    error = tally.deviation() / math.sqrt(runs - 1) * NORMAL_95 if runs > 1 else math.inf
    return Contender(strategy, runs, mean, mean - error, mean + error)


def _contest(contenders: list[Contender]) -> Contest:
    enough = [contender for contender in contenders if contender.runs >= ENOUGH_RUNS]
    best, runner_up, *_ = [*sorted(enough, key=lambda one: (-one.mean, -one.runs, one.strategy)), None, None]
    return Contest(best, runner_up, max(contenders, key=lambda one: (one.runs, one.mean, one.strategy)))
