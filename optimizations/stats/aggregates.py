"""What sets of runs add up to, read in one pass: enough to tell every mean, share and spread of any union of them.

Sums and counts rather than means: sets merge exactly, whatever their sizes, and a mean is over the values that exist.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from django.db.models import Count, F, FloatField, Max, Min, Q, QuerySet, Sum

from optimizations.columns import ALL, COUNTS
from optimizations.models import Optimization
from optimizations.strategies import canonical
from promptadmin.db.fields import LARGEST_COUNT

SCORE = "overall_score"
MEASURES = tuple(column.name for column in ALL if column.summed)

#: How many of a packed tally's numbers come before those by measure.
_HEAD = 6

# Wide enough for any score; its square, times any number of runs, is still a finite number.
NUMBERS = (-1e12, 1e12)
# All that a column of integers holds, on both engines.
INTEGER_NUMBERS = (-(2**63), LARGEST_COUNT)


def usable(column: str) -> Q:
    """Whether a number column holds a number that can be reckoned with.

    Not so where a SQLite file holds text or a blob, both of which compare as greater than any number, or where a
    score is infinite or not a number.
    """
    return Q((f"{column}__range", INTEGER_NUMBERS if column in COUNTS else NUMBERS))


class Total(Sum):
    """A sum that is no integer: SQLite fails where a sum of integers is greater than the greatest of them."""

    def as_sqlite(self, compiler: Any, connection: Any, **extra: Any) -> Any:
        """SQLite's own aggregate for that."""
        return self.as_sql(compiler, connection, function="TOTAL", **extra)


@dataclass(slots=True)
class Tally:
    """How many runs there are, and the sum and count of the values of each measure."""

    runs: int = 0
    validated: int = 0
    improved: int = 0
    sums: dict[str, float] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(MEASURES, 0))
    squares: float = 0.0
    lowest: float = math.inf
    highest: float = -math.inf

    def add(self, other: Tally) -> None:
        """Count the runs of another tally too."""
        self.runs += other.runs
        self.validated += other.validated
        self.improved += other.improved
        for measure in MEASURES:
            self.sums[measure] += other.sums[measure]
            self.counts[measure] += other.counts[measure]
        self.squares += other.squares
        self.lowest = min(self.lowest, other.lowest)
        self.highest = max(self.highest, other.highest)

    def packed(self) -> list[float | None]:
        """The numbers in an order of their own, for `unpacked`; JSON can hold them all."""
        ends = [None, None] if math.isinf(self.lowest) else [self.lowest, self.highest]
        head = [self.runs, self.validated, self.improved, self.squares, *ends]
        return [*head, *self.sums.values(), *self.counts.values()]

    @classmethod
    def unpacked(cls, numbers: list[Any]) -> Tally:
        """The tally that `packed` has made numbers of."""
        runs, validated, improved, squares, lowest, highest = numbers[:_HEAD]
        return cls(
            runs,
            validated,
            improved,
            dict(zip(MEASURES, numbers[_HEAD : _HEAD + len(MEASURES)], strict=True)),
            dict(zip(MEASURES, numbers[_HEAD + len(MEASURES) :], strict=True)),
            squares,
            math.inf if lowest is None else lowest,
            -math.inf if highest is None else highest,
        )

    def mean(self, measure: str = SCORE) -> float | None:
        """The mean over the runs that have the value; None if none has."""
        count = self.counts[measure]
        return self.sums[measure] / count if count else None

    def deviation(self) -> float:
        """The standard deviation of the overall scores, as of a whole population; there must be a score."""
        count = self.counts[SCORE]
        variance = self.squares / count - (self.sums[SCORE] / count) ** 2
        # The difference of two nearly equal numbers is noise from the tenth digit on.
        return round(math.sqrt(max(0.0, variance)), 9)


class Group(NamedTuple):
    """The runs that agree in these four."""

    strategy: str | None
    task_type: str | None
    complexity: str | None
    status: str | None
    tally: Tally


_KEYS = ("strategy", "framework_applied", "task_type", "complexity", "status")
_AGGREGATES: dict[str, Any] = {
    "runs": Count("*"),
    "validated": Count("is_improvement", filter=Q(is_improvement__in=[True, False])),
    "improved": Count("is_improvement", filter=Q(is_improvement__in=[True])),
    "squares": Sum(F(SCORE) * F(SCORE), filter=usable(SCORE)),
    "lowest": Min(SCORE, filter=usable(SCORE)),
    "highest": Max(SCORE, filter=usable(SCORE)),
    **{f"{measure}_sum": Total(measure, filter=usable(measure), output_field=FloatField()) for measure in MEASURES},
    **{f"{measure}_count": Count(measure, filter=usable(measure)) for measure in MEASURES},
}


def read_groups(runs: QuerySet[Optimization]) -> Iterator[Group]:
    """The runs in groups; `strategy` is what they count under, and several groups may agree in all four."""
    for group in read_stored_groups(runs):
        yield group._replace(strategy=strategy_of(group.strategy))


def read_stored_groups(runs: QuerySet[Optimization]) -> Iterator[Group]:
    """The runs in groups, in one pass; `strategy` is the name that is stored.

    Grouped by the bare columns, so that an index that begins with them in this order saves the engine from sorting.
    """
    for row in runs.order_by().values(*_KEYS).annotate(**_AGGREGATES):
        yield Group(
            stored_strategy(row["strategy"], row["framework_applied"]),
            as_text(row["task_type"]),
            as_text(row["complexity"]),
            as_text(row["status"]),
            Tally(
                runs=row["runs"],
                validated=row["validated"],
                improved=row["improved"],
                sums={measure: row[f"{measure}_sum"] or 0 for measure in MEASURES},
                counts={measure: row[f"{measure}_count"] for measure in MEASURES},
                squares=row["squares"] or 0.0,
                lowest=math.inf if row["lowest"] is None else row["lowest"],
                highest=-math.inf if row["highest"] is None else row["highest"],
            ),
        )


def stored_strategy(strategy: object, framework: object) -> str | None:
    """The strategy that a run used, as it is stored; rows of early releases have it in `framework_applied`."""
    return as_text(framework if strategy is None else strategy)


def strategy_of(stored: str | None) -> str | None:
    """The strategy that runs with this stored one count under: none where the text is empty."""
    return canonical(stored) if stored else None


def as_text(value: object) -> str | None:
    """A stored text; a SQLite file may hold a blob in its place."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return None if value is None else str(value)
