"""Projects, prompts and their versions in the back-office."""

from projects.admin.deletions import DeletionAdmin
from projects.admin.projects import ProjectAdmin
from projects.admin.prompts import PromptAdmin
from projects.admin.versions import PromptVersionAdmin

__all__ = ["DeletionAdmin", "ProjectAdmin", "PromptAdmin", "PromptVersionAdmin"]
