"""What the statistics consist of."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone
from django.utils.module_loading import import_string

from optimizations.stats import by_strategy, overall
from optimizations.stats.scope import Scope
from promptadmin.plugins import enabled_plugins

Section = Callable[[Scope], Any]

#: Section → what computes it, in the order of the answer.
SECTIONS: Mapping[str, Section] = {
    "total_optimizations": overall.total_optimizations,
    "average_overall_score": overall.average("overall_score"),
    "average_clarity_score": overall.average("clarity_score"),
    "average_specificity_score": overall.average("specificity_score"),
    "average_structure_score": overall.average("structure_score"),
    "average_faithfulness_score": overall.average("faithfulness_score"),
    "improvement_rate": overall.improvement_rate,
    "total_projects": overall.total_projects,
    "most_common_task_type": overall.most_common_task_type,
    "optimizations_today": overall.optimizations_today,
    "strategy_distribution": by_strategy.strategy_distribution,
    "score_by_strategy": by_strategy.score_by_strategy,
    "task_types_by_strategy": by_strategy.task_types_by_strategy,
    "secondary_strategy_distribution": by_strategy.secondary_strategy_distribution,
    "tags_by_strategy": by_strategy.tags_by_strategy,
    "score_matrix": by_strategy.score_matrix,
    "score_variance": by_strategy.score_variance,
    "confidence_by_strategy": by_strategy.confidence_by_strategy,
    "combo_effectiveness": by_strategy.combo_effectiveness,
    "complexity_performance": by_strategy.complexity_performance,
    "improvement_by_strategy": by_strategy.improvement_by_strategy,
    "error_rates": by_strategy.error_rates,
    "trend_7d": overall.trend("7d"),
    "trend_30d": overall.trend("30d"),
    "token_economics": by_strategy.token_economics,
    "win_rates": by_strategy.win_rates,
}


def statistics(
    project: str | None = None,
    *,
    since: dt.datetime | None = None,
    until: dt.datetime | None = None,
    now: dt.datetime | None = None,
) -> dict[str, Any]:
    """Every section's answer, by its name, for the runs of a project and a period, as seen from `now`.

    To be called within a read session: it is a few queries, which must see one moment of the database.
    """
    scope = Scope(project=project, since=since, until=until, now=now or timezone.now())
    return {name: section(scope) for name, section in all_sections().items()}


def all_sections() -> dict[str, Section]:
    """Our sections in the contract's order, then those of the enabled plugins."""
    plugins = {name: path for plugin in enabled_plugins() for name, path in plugin.statistics_sections.items()}
    added = {name: import_string(path) for name, path in plugins.items() if name not in SECTIONS}
    return {**SECTIONS, **added}
