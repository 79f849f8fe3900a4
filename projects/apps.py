"""Projects, prompts and their versions, as a plugin."""

from typing import ClassVar

from projects.events import EVENTS
from promptadmin.plugins.declarations import PluginConfig, TokenLimit, UpkeepJob


class ProjectsConfig(PluginConfig):
    """Declares what projects contribute."""

    name = "projects"
    verbose_name = "Library"
    requires_plugins = ("optimizations",)
    tables_stay = True
    navigation: ClassVar = {"project": "folder", "prompt": "edit_note", "promptversion": "layers"}
    api_router = "projects.api.projects.router"
    api_permissions: ClassVar = {
        "read": [f"projects.view_{model}" for model in ("project", "prompt", "promptversion")],
        "write": [
            f"projects.{verb}_{model}" for model in ("project", "prompt") for verb in ("add", "change", "delete")
        ],
    }
    offered_attributes: ClassVar = {
        "prompt_checks": "prompt checks",
        "prompt_boxes": "boxes of prompts",
        "prompt_columns": "columns of prompts",
        "prompt_filters": "filters of prompts",
        "prompt_actions": "actions on prompts",
        "prompt_fields": "API fields of prompts",
        "prompt_names": "names of prompts",
        "project_boxes": "boxes of projects",
        "project_columns": "columns of projects",
        "project_actions": "actions on projects",
        "deletion_counts": "counts before a deletion",
        "text_guards": "guards of texts",
        "prompt_variables": "variables of prompts",
        "deletion_guards": "guards of prompts",
        "restoration_guards": "guards of deleted prompts",
    }
    events = EVENTS
    token_limits = (TokenLimit("projects", "projects.limits.read_projects", "projects.limits.show_projects"),)
    upkeep_jobs = (
        UpkeepJob("search_prompts", "search index of prompts", "projects.search_index.index_prompts"),
        UpkeepJob("search_versions", "search index of earlier texts", "projects.search_index.index_versions"),
    )

    def ready(self) -> None:
        """Register what can be deleted, what members reach, and the checks of what plugins declare about prompts."""
        from auditlog.registry import auditlog
        from django.core import checks

        from projects import checks as own
        from projects.members import reach_of_member
        from projects.models import ProjectMember
        from projects.repository import deleting  # noqa: F401  # registers the kinds of deletions
        from promptadmin.context import tell_reach_of_users
        from promptadmin.plugins.checks import DECLARATIONS, IMPORTS

        tell_reach_of_users(reach_of_member)
        auditlog.register(ProjectMember)
        checks.register(own.check_declarations, DECLARATIONS)
        checks.register(own.check_imports, IMPORTS)
