"""Optimisation runs, as a plugin."""

from typing import ClassVar

from promptadmin.plugins import PluginConfig, StartupStep


class OptimizationsConfig(PluginConfig):
    """Declares what optimisation runs contribute."""

    name = "optimizations"
    verbose_name = "Optimisation runs"
    requires_plugins = ("projects",)
    navigation: ClassVar = {"optimization": "auto_awesome"}
    api_router = "optimizations.api.router"
    startup_steps = (
        StartupStep(
            name="normalize_strategies",
            title="strategy names",
            position=3,
            function="optimizations.startup.normalize_strategies",
            migration=("optimizations", "0017_normalize_strategies"),
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
        ),
    )
