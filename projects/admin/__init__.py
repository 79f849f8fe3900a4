"""Projects, prompts and their versions in the back-office."""

from projects.admin.projects import ProjectAdmin
from projects.admin.prompts import PromptAdmin
from projects.admin.versions import PromptVersionAdmin

__all__ = ["ProjectAdmin", "PromptAdmin", "PromptVersionAdmin"]
