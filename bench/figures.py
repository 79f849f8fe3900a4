"""What a run of the benchmark finds: one figure for each row of the table, with its rounds and its yardsticks."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Figure:
    """A row of the table.

    `rounds` are what was measured, `unit` is what they count. `target` is the bound that the figure has to keep: at
    least so much where `more_is_better`, else at most; None where there is none. `in_process` and `bare` are the
    yardsticks' rounds, in the same unit. `note` says what a reader has to know.
    """

    group: str
    name: str
    unit: str
    rounds: Sequence[float]
    more_is_better: bool = True
    target: float | None = None
    #: The least share of the bare view, or of the first page, that is wanted.
    share: float | None = None
    in_process: Sequence[float] = ()
    bare: Sequence[float] = ()
    first_page: Sequence[float] = ()
    note: str = ""
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def value(self) -> float:
        """The median of the rounds."""
        return statistics.median(self.rounds)

    @property
    def of_bare(self) -> float | None:
        """The median of the rounds' ratios to the bare view in the same round."""
        return _ratio(self.rounds, self.bare)

    @property
    def of_in_process(self) -> float | None:
        """The same, to the rows fetched and dumped in process."""
        return _ratio(self.rounds, self.in_process)

    @property
    def of_first_page(self) -> float | None:
        """The same, to the first page."""
        return _ratio(self.rounds, self.first_page)

    @property
    def is_kept(self) -> bool | None:
        """Whether the targets are kept; None where there is none."""
        wanted = []
        if self.target is not None:
            wanted.append(self.value >= self.target if self.more_is_better else self.value <= self.target)
        if self.share is not None:
            reached = self.of_first_page if self.first_page else self.of_bare
            wanted.append(reached is not None and reached >= self.share)
        return all(wanted) if wanted else None

    def as_json(self) -> dict[str, Any]:
        """For the file of results."""
        derived = {
            "value": self.value,
            "of_bare": self.of_bare,
            "of_in_process": self.of_in_process,
            "of_first_page": self.of_first_page,
            "is_kept": self.is_kept,
        }
        return asdict(self) | derived


def _ratio(rounds: Sequence[float], others: Sequence[float]) -> float | None:
    """The median of what each round is of the other's same round."""
    if not others:
        return None
    return statistics.median(mine / other for mine, other in zip(rounds, others, strict=True) if other)
