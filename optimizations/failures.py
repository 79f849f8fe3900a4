"""Why runs failed: the newest failed ones by what their messages have in common."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connections
from django.db.models.functions import Substr
from django.urls import reverse

from optimizations.columns import Record
from optimizations.dashboard import has_runs, runs_link
from optimizations.errors_alike import LENGTH, alike
from optimizations.lists.filters import RunFilters
from optimizations.models import RunStatus
from optimizations.repository import OptimizationRepository
from promptadmin.backoffice.dashboard import Dashboard
from promptadmin.db.cache import cached_until_write
from promptadmin.db.legacy_values import read_moment, read_text

#: So many of the newest failed runs are looked at, whatever a table has.
MOST_READ = 5_000
MOST_GROUPS = 12


@dataclass(frozen=True)
class Failures:
    """Failed runs with one message: how many of those that were looked at, and the newest."""

    sign: str
    count: int
    run_id: str
    newest: dt.datetime | None


@dataclass(frozen=True)
class FailureGroups:
    """The groups, that of most runs first, and how many failed runs were looked at: all, unless that are MOST_READ."""

    groups: list[Failures]
    looked_at: int

    @property
    def is_all(self) -> bool:
        """Whether there are no others."""
        return self.looked_at < MOST_READ

    def of(self, message: str) -> Failures | None:
        """The group that a message belongs to."""
        sign = alike(message)
        return next((group for group in self.groups if group.sign == sign), None)


def failure_groups(filters: RunFilters, key: Any) -> FailureGroups:
    """The newest failed runs that pass, by what their messages have in common; `key` stands for the filters.

    Remembered until somebody writes. To be called within a read session.
    """
    repository = OptimizationRepository()
    failed = replace(filters, status=RunStatus.ERROR)

    def read() -> FailureGroups:
        rows = failed.apply(repository.runs).order_by("-created_at")
        start = Substr("error_message", 1, LENGTH)
        return _grouped(rows.values_list("id", "created_at", start)[:MOST_READ])

    return cached_until_write(connections[repository.using], ("failures", key), read)


def _grouped(rows: Iterable[tuple[str, Any, Any]]) -> FailureGroups:
    found: dict[str, Failures] = {}
    looked_at = 0
    for run_id, moment, message in rows:
        looked_at += 1
        sign = alike(read_text(message) or "")
        known = found.get(sign)
        found[sign] = replace(known, count=known.count + 1) if known else Failures(sign, 1, run_id, read_moment(moment))
    return FailureGroups(sorted(found.values(), key=lambda group: (-group.count, group.sign)), looked_at)


def failures_by_message(dashboard: Dashboard) -> dict[str, Any] | None:
    """What the failed runs of the dashboard's period say, most frequent first."""
    if not dashboard.once(has_runs):
        return None
    project = dashboard.choices["project"] or None
    filters = RunFilters(project=project, since=dashboard.since, until=dashboard.until)
    # A period that moves with the clock is remembered by its name, for a day at most.
    found = failure_groups(filters, (filters.project, dashboard.period, dashboard.now.date()))
    if not found.groups:
        return {"rows": []}
    rows = [_row(group, lambda **given: runs_link(dashboard, **given)) for group in found.groups[:MOST_GROUPS]]
    return {
        "rows": rows,
        "left_out": len(found.groups) - len(rows),
        "looked_at": None if found.is_all else found.looked_at,
        "link": runs_link(dashboard, status=str(RunStatus.ERROR)),
    }


def _row(group: Failures, link: Callable[..., str]) -> dict[str, Any]:
    # Runs without a message have nothing in common but that.
    address = link(status=str(RunStatus.ERROR), error=group.sign) if group.sign else ""
    return {"group": group, "link": address}


def failed_alike(record: Record) -> dict[str, Any] | None:
    """Which other runs, of all projects, failed as one did; None of one that didn't fail with a message."""
    message = record["error_message"]
    if record["status"] != RunStatus.ERROR or not message:
        return None
    found = failure_groups(RunFilters(), None)
    group = found.of(message)
    query = {"status": str(RunStatus.ERROR), "error": alike(message)}
    return {
        # The run itself is one of them, unless it is older than those that were looked at.
        "others": max(0, group.count - found.is_all) if group else 0,
        "newest": group and group.newest,
        "looked_at": None if found.is_all else found.looked_at,
        "link": reverse("admin:optimizations_optimization_changelist", query=query),
    }
