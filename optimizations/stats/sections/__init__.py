"""What the statistics consist of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import timezone
from django.utils.module_loading import import_string

from optimizations.stats.query import StatsQuery
from promptadmin.plugins.declarations import enabled_plugins
from promptadmin.plugins.isolation import isolate_plugin_errors

Section = Callable[[StatsQuery], Any]


def statistics(
    project: str | None = None,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    now: dt.datetime | None = None,
) -> dict[str, Any]:
    """Every section's answer, by its name, for the runs of a project and a period, as seen from `now`.

    The sections are those that the enabled plugins declare, this one among them; one that fails answers None.

    To be called within a read session: it is a few queries, which must see one moment of the database.
    """
    query = StatsQuery(project=project, since=since, until=until, now=now or timezone.now())
    answers: dict[str, Any] = {}
    for plugin in enabled_plugins():
        for name, path in getattr(plugin, "statistics_sections", {}).items():
            answers[name] = None
            with isolate_plugin_errors(plugin.label, f"the statistics section {name}"):
                section: Section = import_string(path)
                answers[name] = section(query)
    return answers
