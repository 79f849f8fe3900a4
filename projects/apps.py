"""Projects, prompts and their versions, as a plugin."""

from typing import ClassVar

from projects.events import EVENTS
from promptadmin.plugins.declarations import PluginConfig, StartupStep, UpkeepJob


class ProjectsConfig(PluginConfig):
    """Declares what projects contribute."""

    name = "projects"
    verbose_name = "Library"
    requires_plugins = ("optimizations",)
    navigation: ClassVar = {"project": "folder", "prompt": "edit_note", "promptversion": "layers"}
    api_router = "projects.api.projects.router"
    api_permissions: ClassVar = {
        "read": [f"projects.view_{model}" for model in ("project", "prompt", "promptversion")],
        "write": [
            f"projects.{verb}_{model}" for model in ("project", "prompt") for verb in ("add", "change", "delete")
        ],
    }
    offered_attributes: ClassVar = {"prompt_checks": "prompt checks"}
    events = EVENTS
    startup_steps = (
        StartupStep(
            name="finish_deletions",
            title="interrupted deletions",
            position=2.9,
            function="projects.repository.deleting.finish_all",
            quiet=True,
        ),
        StartupStep(
            name="seed_projects",
            title="legacy projects",
            position=4,
            function="projects.startup.seed_projects",
            migration=("projects", "0010_seed_projects"),
        ),
        StartupStep(
            name="backfill_prompts",
            title="missing prompts",
            position=5,
            function="projects.startup.backfill_prompts",
            migration=("projects", "0011_backfill_prompts"),
        ),
    )
    upkeep_jobs = (
        UpkeepJob("deletions", "large deletions", "projects.repository.deleting.finish_one", seconds=10.0),
        UpkeepJob("search_prompts", "search index of prompts", "projects.search_index.index_prompts"),
        UpkeepJob("search_versions", "search index of earlier texts", "projects.search_index.index_versions"),
    )

    def ready(self) -> None:
        """Register the checks of what plugins declare about prompts."""
        from django.core import checks

        from projects import checks as own
        from promptadmin.plugins.checks import DECLARATIONS, IMPORTS

        checks.register(own.check_declarations, DECLARATIONS)
        checks.register(own.check_imports, IMPORTS)
