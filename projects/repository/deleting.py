"""What a deletion of a project or a prompt takes, and how it comes back."""

from __future__ import annotations

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q, QuerySet

from projects.declarations import expect_restorable
from projects.events import project_changed, prompt_changed
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.reach import expect_everything, expect_whole_projects, expect_writable, row_limits
from projects.repository.changes import project_change, prompt_change
from projects.repository.rows import PROJECT_ARCHIVED, PROJECT_MISSING, Rows
from projects.runs import Runs, get_runs
from promptadmin.audit import record
from promptadmin.conf.counted import counted
from promptadmin.context import current_actor
from promptadmin.db.kept_rows import put_back, unpack, write_over
from promptadmin.deletions.kinds import KINDS, Kind, Part
from promptadmin.errors import Conflict, Forbidden
from promptadmin.models import DeletedRows, Deletion

PROJECT, PROMPT = "project", "prompt"


def project_parts(runs: Runs, project_id: str, name: str | None) -> list[Part]:
    """Versions go first: they keep the runs that they name, and each run that goes is looked up in those left."""
    return [
        Part(PromptVersion, "prompt_id IN (SELECT id FROM prompts WHERE project_id = %s)", [project_id], "versions"),
        *runs.parts_of_project(project_id, name),
        Part(Prompt, "project_id = %s", [project_id], "prompts"),
    ]


def prompt_parts(runs: Runs, prompt_id: str, name: str | None) -> list[Part]:
    """The same of one prompt; `name` is that of its project for runs without a link."""
    return [
        Part(PromptVersion, "prompt_id = %s", [prompt_id], "versions"),
        *runs.parts_of_prompt(prompt_id, name),
        Part(Prompt, "id = %s", [prompt_id], "prompts"),
    ]


def _parts_of_project(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    """By the name that was kept: the project is marked as deleted by now, and its name may mean another one."""
    return project_parts(get_runs(connection.alias), deletion.key, deletion.parts or None)


def _parts_of_prompt(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    rows = Rows(connection.alias)
    return prompt_parts(rows.runs, deletion.key, rows.name_of_runs(deletion.parts or None))


def _expect_name(deletion: Deletion, using: str) -> None:
    """Raises Conflict where another project has the name by now. A project whose row is gone gets it back.

    Prompts need their project; it is a deleted one until all of it is back.
    """
    rows = Rows(using)
    row = rows.lock(rows.projects.filter(id=deletion.key)).first()
    expect_whole_projects()
    if row is None:
        expect_everything()
        kept = DeletedRows.objects.using(using).get(deletion=deletion, table="projects")
        [columns] = unpack(bytes(kept.data))
        if isinstance(columns["name"], str) and rows.projects.filter(name=columns["name"]).exists():
            raise Conflict(
                f"Another project has the name “{columns['name']}” now: rename that one, then restore this one."
            )
        put_back(connections[using], "projects", "id", bytes(kept.data))
        rows.projects.filter(id=deletion.key).update(status=ProjectStatus.DELETED)
    else:
        expect_writable(Project, [row.id], using)
        _expect_open(row)
    expect_restorable(deletion, using)


def _expect_project(deletion: Deletion, using: str) -> None:
    """Raises Conflict where the prompt's project is gone."""
    if deletion.parts:
        rows = Rows(using)
        row = rows.lock(rows.projects.filter(id=deletion.parts)).first()
        if row is None or row.status == ProjectStatus.DELETED:
            name = f"“{row.name}”" if row else deletion.parts
            raise Conflict(
                f"The prompt's project {name} is deleted: restore the project first, or create it again, then "
                "restore the prompt."
            )
        expect_writable(Project, [row.id], using)
        _expect_open(row)
    expect_restorable(deletion, using)


def _expect_open(row: Project) -> None:
    if row.status == ProjectStatus.ARCHIVED:
        raise Forbidden(f"{PROJECT_ARCHIVED}: unarchive “{row.name}” first")


def reached_deletions(rows: QuerySet[Deletion]) -> QuerySet[Deletion]:
    """Those of projects and prompts within reach; whoever doesn't reach all of them sees no others but their own."""
    if row_limits() is None:
        return rows
    projects = Project.objects.values("pk")
    return rows.filter(
        Q(kind=PROJECT, key__in=projects)
        | Q(kind=PROMPT, parts__in=projects)
        | ~Q(kind__in=(PROJECT, PROMPT)) & Q(by=current_actor().name)
    )


def _project_is_back(deletion: Deletion, using: str) -> None:
    rows = Rows(using)
    kept = DeletedRows.objects.using(using).filter(deletion=deletion, table="projects").first()
    row = rows.projects.filter(id=deletion.key).first()
    before = {"status": ProjectStatus.DELETED.value}
    if kept is not None and row is not None and row.status == ProjectStatus.DELETED:
        write_over(connections[using], "projects", "id", bytes(kept.data))
        row = rows.projects.get(id=deletion.key)
    if row is None:
        raise Conflict(PROJECT_MISSING)
    record(project_change(row, before=before, after={"status": row.status}, note=told(deletion)), using=using)
    project_changed(row, before, using)


def _prompt_is_back(deletion: Deletion, using: str) -> None:
    row = Rows(using).prompts.get(id=deletion.key)
    record(prompt_change(row, after={"content": row.content, "version": row.version}, note=told(deletion)), using=using)
    prompt_changed("prompt_created", row, using)


def told(deletion: Deletion) -> str:
    """What the change log says of a restored deletion."""
    prompts, versions, runs = told_counts(deletion)
    return f"restored, with {prompts}, {versions} and {runs}. {deletion.note}".strip()


def told_counts(deletion: Deletion) -> tuple[str, str, str]:
    """How many prompts, earlier versions and runs went, in words."""
    return (
        counted(deletion.prompts, "prompt"),
        counted(deletion.versions, "earlier version"),
        counted(deletion.runs, "run"),
    )


KINDS[PROJECT] = Kind(_parts_of_project, _project_is_back, "projects.delete_project", _expect_name)
KINDS[PROMPT] = Kind(_parts_of_prompt, _prompt_is_back, "projects.delete_prompt", _expect_project)
