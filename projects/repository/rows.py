"""The rows that an operation reads or changes: where they are, which of them it locks, how they read."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar

from django.db import DEFAULT_DB_ALIAS, connections, models
from django.db.models import Case, Q, QuerySet, When

from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.namesakes import ORDER, id_of_name
from projects.reach import expect_writable, row_limits
from projects.runs import Runs, get_runs
from projects.texts.forms import is_blank, spellings
from promptadmin.db.fields import Moment, Text
from promptadmin.db.legacy_values import read_text
from promptadmin.db.raw import fetch_all
from promptadmin.errors import Forbidden, Invalid, NotFound

Model = TypeVar("Model", bound=models.Model)

PROJECT_MISSING = "Project not found"
PROJECT_ARCHIVED = "Cannot modify an archived project"
PROMPT_MISSING = "Prompt not found"
#: Stands in an address for the project of the prompts that are in none.
NO_PROJECT = "none"
#: As text: every page of a project asks it, and Django takes ten times longer to build it than it takes to run.
PROJECT_BY_ID = (
    f"SELECT {', '.join(field.attname for field in Project._meta.concrete_fields)} FROM projects WHERE id = %s"
)


def moment(value: Any) -> dt.datetime | None:
    """A stored time, or None where the stored value means none."""
    return value if isinstance(value, dt.datetime) else None


def storable(text: str, what: str) -> str:
    """The text itself. Raises Invalid for what PostgreSQL can't store, so that both engines keep the same rule."""
    if "\x00" in text:
        raise Invalid(f"{what} must not contain NUL characters")
    return text


def not_blank(text: str, what: str) -> str:
    """The text itself, if it can be stored and shows anything. Raises Invalid."""
    if is_blank(text):
        raise Invalid(f"{what} must not be empty or whitespace-only")
    return storable(text, what)


def project_state(row: Project) -> str:
    """Stands for what may be edited of a project, as it is stored: another state, another text."""
    stored = repr((row.name, row.description, row.context_profile))
    return hashlib.sha256(stored.encode(errors="surrogatepass")).hexdigest()


def of_project(project_id: str) -> Q:
    """Prompts of a project; NO_PROJECT stands for those that are in none."""
    own = Q(project_id=project_id)
    return own | Q(project__isnull=True) if project_id == NO_PROJECT else own


class Rows:
    """The base of the repository's parts.

    Whoever changes a project or anything in it first locks the project's row: on PostgreSQL, changes of one project
    queue there, always in the order project, prompt, runs. On SQLite a write session has the whole file to itself.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS) -> None:
        self.using = using

    @property
    def projects(self) -> QuerySet[Project]:
        """All projects that whoever acts reaches; so all others."""
        return Project.objects.using(self.using)

    @property
    def prompts(self) -> QuerySet[Prompt]:
        """All prompts."""
        return Prompt.objects.using(self.using)

    @property
    def versions(self) -> QuerySet[PromptVersion]:
        """All superseded texts."""
        return PromptVersion.objects.using(self.using)

    @property
    def runs(self) -> Runs:
        """What is known of runs, which are another application's."""
        return get_runs(self.using)

    def lock(self, rows: QuerySet[Model]) -> QuerySet[Model]:
        """The rows, kept from other writers; `no_key` lets others insert rows that refer to them."""
        return rows.select_for_update(no_key=True)

    def locking(self) -> str:
        """What `lock` does, at the end of a statement of SQL."""
        return " FOR NO KEY UPDATE" if connections[self.using].features.has_select_for_update else ""

    def projects_named(self, name: str) -> QuerySet[Project]:
        """The projects with this name, however its letters were typed (NFC, NFD); the one that it means first.

        That is one with exactly this name, if there is one, and of several in different folders the one that
        `projects.namesakes` says.
        """
        exact = Case(When(name=name, then=0), default=1)
        return self.projects.filter(name__in=spellings(name)).order_by(exact, *ORDER)

    def readable_project(self, project_id: str, *, deleted: bool = False) -> Project:
        """A project to read. Raises NotFound, also for a deleted one unless `deleted`."""
        found = fetch_all(connections[self.using], PROJECT_BY_ID, [project_id])
        row = self._project(found[0]) if found and self.reaches_project(project_id) else None
        if row is None or (row.status == ProjectStatus.DELETED and not deleted):
            raise NotFound(PROJECT_MISSING)
        return row

    def reaches_project(self, project_id: str) -> bool:
        """Whether a project that a statement has found is one that whoever acts reaches."""
        return row_limits() is None or self.projects.filter(id=project_id).exists()

    def _project(self, values: Sequence[Any]) -> Project:
        """A project from what the statement answers for its columns, read as Django reads them."""
        connection = connections[self.using]
        read = [
            field.from_db_value(value, None, connection) if isinstance(field, Moment | Text) else value
            for field, value in zip(Project._meta.concrete_fields, values, strict=True)
        ]
        return Project.from_db(self.using, [field.attname for field in Project._meta.concrete_fields], read)

    def locked_project(self, project_id: str) -> Project:
        """A project to archive, unarchive or delete. Raises NotFound, also for a deleted one; Forbidden."""
        row = self.lock(self.projects.filter(id=project_id)).first()
        if row is None or row.status == ProjectStatus.DELETED:
            raise NotFound(PROJECT_MISSING)
        expect_writable(Project, [row.id], self.using)
        return row

    def project_to_change(self, project_id: str) -> Project:
        """A project to change in any other way. Raises NotFound; Forbidden, also for an archived one."""
        row = self.locked_project(project_id)
        if row.status == ProjectStatus.ARCHIVED:
            raise Forbidden(PROJECT_ARCHIVED)
        return row

    def name_of_runs(self, project_id: str | None) -> str | None:
        """The name by which runs without a prompt are this project's; None where it means another one, or none.

        Also for whoever reaches prompts by their names alone: such runs are of no prompt.
        """
        reach = row_limits()
        if project_id is None or (reach is not None and reach.prefixes is not None):
            return None
        statement = f"SELECT name FROM projects p WHERE id = %s AND id = {id_of_name('p.name')}"
        found = fetch_all(connections[self.using], statement, [project_id])
        return read_text(found[0][0]) if found else None

    def readable_prompt(self, prompt_id: str, project_id: str | None = None) -> Prompt:
        """A prompt to read, whatever its project's status. Raises NotFound, also for one of another project.

        Where `project_id` may be None, any prompt will do; NO_PROJECT asks for one that is in no project.
        """
        rows = self.prompts.filter(id=prompt_id)
        row = (rows if project_id is None else rows.filter(of_project(project_id))).first()
        if row is None:
            raise NotFound(PROMPT_MISSING)
        return row

    def prompt_to_change(self, prompt_id: str, project_id: str | None = None) -> tuple[Project | None, Prompt]:
        """A prompt to change, and its project, if it is in one.

        Raises NotFound (the prompt first, then the project) or Forbidden.
        """
        found = self.readable_prompt(prompt_id, project_id)
        project = None if found.project_id is None else self.project_to_change(found.project_id)
        # Read again: until the lock, another writer may have changed or deleted it.
        row = self.lock(self.prompts.filter(id=prompt_id)).first()
        if row is None:
            raise NotFound(PROMPT_MISSING)
        return project, row
