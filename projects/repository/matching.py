"""Find-or-create: for those who know a project by its name only, and a prompt by its text."""

from __future__ import annotations

from django.db.models import F, QuerySet, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Replace, Trim

from projects.models import ProjectStatus, Prompt
from projects.records import ProjectInfo
from projects.repository.projects import Projects
from projects.repository.prompts import POSITION
from projects.repository.rows import PROJECT_MISSING, storable
from promptadmin.errors import Missing
from promptadmin.fields import Text

#: As many prompts are read to be compared in Python.
CANDIDATES = 100
#: What SQL can do of `fold_blanks` on both engines: line feeds and tabs to blanks, then pairs of blanks to one, once.
FOLDED: Combinable = F("content")
for old, new in (("\n", " "), ("\t", " "), ("  ", " ")):
    FOLDED = Replace(FOLDED, Value(old, output_field=Text()), Value(new, output_field=Text()))
FOLDED = Trim(FOLDED)


class Matching(Projects):
    """The part that finds or creates."""

    def ensure_project_by_name(self, name: str) -> ProjectInfo | None:
        """The project with this name, without the blanks around it; None for a blank name.

        A deleted one becomes active again, an archived one stays so, a missing one is made.
        """
        name = storable(name, "Project name").strip()
        if not name:
            return None
        row, _ = self.insert_project(name=name)
        if row.status == ProjectStatus.DELETED:
            self._update(row, status=ProjectStatus.ACTIVE)
        return ProjectInfo(row.id, row.status)

    def ensure_prompt_in_project(self, project_id: str, content: str) -> str | None:
        """The id of the project's prompt with this text, whatever its blanks; without one, a new prompt with it.

        None for an empty project id or a blank text, and where an archived or deleted project, which takes no new
        prompts, doesn't have it. Raises Missing if there is no such project.
        """
        if not project_id or not storable(content, "Prompt content").strip():
            return None
        project = self.lock(self.projects.filter(id=project_id)).first()
        if project is None:
            raise Missing(PROJECT_MISSING)
        found = find_prompt(self.prompts.filter(project_id=project_id), content)
        if found is None and project.status not in (ProjectStatus.ARCHIVED, ProjectStatus.DELETED):
            return str(self.append_prompt(project, content).id)
        return found


def find_prompt(prompts: QuerySet[Prompt], content: str) -> str | None:
    """The id of the first of a project's prompts that has this text: exactly, or else but for its blanks.

    The database compares the usual blanks for all prompts, Python every kind for the first CANDIDATES.
    """
    ordered = prompts.order_by(*POSITION)
    folded = fold_blanks(content)
    exact = ordered.filter(content=content)
    similar = ordered.alias(folded=FOLDED).filter(folded=folded)
    for rows in (exact, similar):
        found: str | None = rows.values_list("id", flat=True).first()
        if found is not None:
            return found
    candidates = ordered.values_list("id", "content")[:CANDIDATES]
    return next((prompt_id for prompt_id, text in candidates if fold_blanks(text) == folded), None)


def fold_blanks(text: str) -> str:
    """The text with one blank for each run of blanks, and none around it."""
    return " ".join(text.split())
