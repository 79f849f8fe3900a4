"""What the functions of start-up steps and upkeep jobs are given, and what they give back."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

Item = TypeVar("Item")


@dataclass
class StepResult:
    """What a step did: how many things it changed, in words, and what somebody should look at."""

    changed: int
    message: str
    warnings: list[str] = field(default_factory=list)


@dataclass
class StepContext:
    """What a step works with.

    `options` are those of the step's own command, such as minutes; `found` is what the steps of one start-up tell those
    after them.
    """

    connection: BaseDatabaseWrapper
    dry_run: bool = False
    options: dict[str, Any] = field(default_factory=dict)
    found: dict[str, Any] = field(default_factory=dict)

    def progress(self, items: Iterable[Item], *, label: str, total: int | None = None) -> Iterable[Item]:
        """The items, with a bar on a terminal once they take longer than a second."""
        from tqdm import tqdm

        return tqdm(items, desc=label, total=total, delay=1, disable=None, leave=False)


class JobResult(NamedTuple):
    """What a piece of a job did: how many things it dealt with, and about how many are left; 0 for none now."""

    done: int
    left: int
