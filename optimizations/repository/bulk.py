"""The part of the repository that changes many runs at once, by the rules of single runs: all of them or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from optimizations.models import RunStatus
from optimizations.repository.writing import Writing
from optimizations.startup import STALE_MESSAGE


class Bulk(Writing):
    """Labels and ends several runs in the caller's one write session. Ids that aren't there raise NotFound."""

    def tag_runs(self, run_ids: Iterable[str], *, add: Sequence[str] = (), remove: Sequence[str] = ()) -> int:
        """Remove and then add tags; answers how many runs this changed."""
        return sum(self.tag_run(run_id, add=add, remove=remove)["updated"] for run_id in _each_once(run_ids))

    def move_runs(self, run_ids: Iterable[str], project: str) -> int:
        """Move runs to a project, which is found or made by its name; an empty name takes them out of theirs.

        Answers how many this changed. Raises Forbidden for an archived project.
        """
        return sum(self.tag_run(run_id, project=project)["updated"] for run_id in _each_once(run_ids))

    def mark_stale(self, run_ids: Iterable[str]) -> int:
        """Make errors of those that are running, as start-up does of old ones; answers how many."""
        marked = 0
        for run_id in _each_once(run_ids):
            run = self._locked(run_id)
            if run["status"] == RunStatus.RUNNING:
                self._update(run, {"status": RunStatus.ERROR.value, "error_message": STALE_MESSAGE})
                marked += 1
        return marked


def _each_once(run_ids: Iterable[str]) -> list[str]:
    """In one order, so that two requests that lock the same runs wait instead of failing."""
    return sorted(set(run_ids))
