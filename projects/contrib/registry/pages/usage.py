"""How often programs fetched a prompt lately: by day, label, version and token."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.utils import timezone

from projects.contrib.registry.records import FetchSum
from projects.contrib.registry.repository import RegistryRepository

DAYS = 30
#: So many labels, versions and tokens stand in a table at most.
MOST_ROWS = 20
KINDS = ("label", "version", "token")


def usage(repository: RegistryRepository, prompt_id: str) -> dict[str, Any] | None:
    """What the box shows of the last DAYS days; None where nobody fetched the prompt in them."""
    by_day = repository.sum_fetches(prompt_id, "day", days=DAYS)
    if not by_day:
        return None
    return {
        "days": DAYS,
        "total": sum(found.times for found in by_day),
        "last": max(found.last_at for found in by_day),
        "chart": _chart(by_day),
        "by_day": by_day[::-1],
        "tables": [
            (kind, _shares(repository.sum_fetches(prompt_id, kind, days=DAYS, limit=MOST_ROWS))) for kind in KINDS
        ],
    }


def _chart(by_day: list[FetchSum]) -> dict[str, Any]:
    times = {found.what: found.times for found in by_day}
    first = timezone.now().date() - dt.timedelta(days=DAYS - 1)
    days = [first + dt.timedelta(days=number) for number in range(DAYS)]
    highest = max(times.values())
    bars = [
        {"x": place, "height": f"{times.get(day, 0) / highest * 100:.2f}", "told": f"{day}: {times.get(day, 0):,}"}
        for place, day in enumerate(days)
    ]
    return {"bars": bars, "width": DAYS, "first": first, "last": days[-1], "highest": highest}


def _shares(found: list[FetchSum]) -> list[dict[str, Any]]:
    """Each with the length of its bar, in percent of the longest."""
    highest = max((each.times for each in found), default=1)
    return [
        {"what": each.what, "times": each.times, "last_at": each.last_at, "percent": each.times / highest * 100}
        for each in found
    ]
