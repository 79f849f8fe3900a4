"""Optimisation runs, as a plugin."""

from typing import ClassVar, Literal

from optimizations.declarations import RunDeclarations
from optimizations.events import EVENTS
from optimizations.strategies import ALIASES, STRATEGIES
from promptadmin.plugins.declarations import DashboardFilter, DashboardPanel, PluginConfig, StartupStep, UpkeepJob

#: Section → its function, in the order of the answer.
SECTIONS = {
    **{
        name: f"optimizations.stats.sections.overall.{name}"
        for name in (
            "total_optimizations",
            "average_overall_score",
            "average_clarity_score",
            "average_specificity_score",
            "average_structure_score",
            "average_faithfulness_score",
            "improvement_rate",
            "total_projects",
            "most_common_task_type",
            "optimizations_today",
        )
    },
    **{
        name: f"optimizations.stats.sections.by_strategy.{name}"
        for name in (
            "strategy_distribution",
            "score_by_strategy",
            "task_types_by_strategy",
            "secondary_strategy_distribution",
            "tags_by_strategy",
            "score_matrix",
            "score_variance",
            "confidence_by_strategy",
            "combo_effectiveness",
            "complexity_performance",
            "improvement_by_strategy",
            "error_rates",
        )
    },
    "trend_7d": "optimizations.stats.sections.overall.trend_7d",
    "trend_30d": "optimizations.stats.sections.overall.trend_30d",
    "token_economics": "optimizations.stats.sections.by_strategy.token_economics",
    "win_rates": "optimizations.stats.sections.by_strategy.win_rates",
}


def _panel(
    name: str, title: str, position: float, columns: Literal[4, 6, 8, 12], module: str = "dashboard"
) -> DashboardPanel:
    return DashboardPanel(
        name=name,
        title=title,
        function=f"optimizations.{module}.{name}",
        template=f"optimizations/panels/{name}.html",
        position=position,
        columns=columns,
        permission="optimizations.view_optimization",
    )


class OptimizationsConfig(RunDeclarations, PluginConfig):
    """Declares what optimisation runs contribute."""

    name = "optimizations"
    verbose_name = "Results"
    requires_plugins = ("projects",)
    tables_stay = True
    navigation: ClassVar = {"optimization": "auto_awesome"}
    api_router = "optimizations.api.history.router"
    drill_paths = ("/api/history?per_page=20",)
    api_permissions: ClassVar = {
        "read": ["optimizations.view_optimization"],
        "write": [f"optimizations.{verb}_optimization" for verb in ("add", "change", "delete")],
    }
    dashboard_panels = (
        _panel("begin", "Begin", 5, 12),
        _panel("numbers", "At a glance", 10, 12),
        _panel("trend", "Over time", 15, 12, "dashboard_trend"),
        _panel("scores", "Score by strategy", 20, 8),
        _panel("best_strategies", "Best strategy for each task type", 30, 4),
        _panel("matrix", "Mean score by strategy and task type", 40, 12),
        _panel("failures_by_message", "Why runs failed", 45, 12, "failures"),
        _panel("failures_by_strategy", "Error rate by strategy", 50, 4),
        _panel("recent_failures", "Recent failures", 60, 4),
        _panel("running", "Running now", 70, 4),
    )
    dashboard_filters = (
        DashboardFilter(
            "project", "Project", "All projects", "optimizations.dashboard.project_names", "projects.view_project"
        ),
        DashboardFilter(
            "by",
            "Over time by",
            "All together",
            "optimizations.dashboard_trend.by_choices",
            "optimizations.view_optimization",
        ),
    )
    finders = ("optimizations.finding.find",)
    offered_attributes: ClassVar = {
        "statistics_sections": "statistics sections",
        "strategies": "strategies",
        "strategy_aliases": "strategy aliases",
        "run_boxes": "boxes of runs",
        "run_columns": "columns of runs",
        "run_filters": "filters of runs",
        "run_actions": "actions on runs",
        "run_fields": "API fields of runs",
    }
    strategies = STRATEGIES
    strategy_aliases = ALIASES
    events = EVENTS
    statistics_sections = SECTIONS
    upkeep_jobs = (
        UpkeepJob("search_runs", "search index of runs", "optimizations.search_index.index_runs"),
        UpkeepJob("statistics", "statistics", "optimizations.stats.rollups.building.build_rollups"),
    )
    startup_steps = (
        StartupStep(
            name="normalize_strategies",
            title="strategy names",
            position=3,
            function="optimizations.startup.normalize_strategies",
            migration=("optimizations", "0017_normalize_strategies"),
        ),
        StartupStep(
            name="seed_projects",
            title="legacy projects",
            position=4,
            function="optimizations.seeding.seed_projects",
            migration=("projects", "0010_seed_projects"),
        ),
        StartupStep(
            name="backfill_prompts",
            title="missing prompts",
            position=5,
            function="optimizations.seeding.backfill_prompts",
            migration=("projects", "0011_backfill_prompts"),
        ),
        StartupStep(
            name="link_prompts",
            title="prompt links",
            position=6,
            function="optimizations.startup.link_prompts",
            migration=("optimizations", "0018_link_prompts"),
        ),
        StartupStep(
            name="cleanup_stale",
            title="stale runs",
            position=7,
            function="optimizations.startup.cleanup_stale",
            button="End stale runs",
        ),
    )

    def ready(self) -> None:
        """Answer what projects ask of runs; register the checks of what plugins declare about them."""
        from django.apps import apps
        from django.core import checks

        from optimizations import checks as own
        from promptadmin.plugins.checks import DECLARATIONS, IMPORTS

        if apps.is_installed("projects"):  # where it isn't, plugins.E003 says so
            from optimizations.repository.of_prompts import Runs
            from projects import runs

            runs.register(Runs)
        checks.register(own.check_declarations, DECLARATIONS)
        checks.register(own.check_imports, IMPORTS)
