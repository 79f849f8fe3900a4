"""What a deletion of a project or a prompt takes, and how it comes back."""

from __future__ import annotations

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from projects.events import project_changed, prompt_changed
from projects.models import ProjectStatus, Prompt, PromptVersion
from projects.repository.changes import project_change, prompt_change
from projects.repository.rows import PROJECT_ARCHIVED, PROJECT_MISSING, Rows
from projects.runs import get_runs
from promptadmin.audit import Change, record
from promptadmin.deletions import work
from promptadmin.deletions.kept_rows import put_back, unpack, write_over
from promptadmin.deletions.work import Kind, Part
from promptadmin.errors import Busy, Conflict, Forbidden
from promptadmin.models import DeletedRows, Deletion, DeletionState

PROJECT, PROMPT = "project", "prompt"


class Deleting(Rows):
    """The part that begins deletions, and undoes them."""

    def restore_deletion(self, deletion_id: int) -> Deletion:
        """Undo a deletion: the same ids, texts, versions, links and times.

        A project that was made again meanwhile keeps what it has since, and gets its old prompts and runs besides.
        Raises NotFound; Busy while it is still being deleted; Forbidden for an archived project; Conflict where a name
        or an id is taken, or a prompt's project is gone.
        """
        return work.restore(deletion_id, self.using, check=self._expect_place)

    def purge_deletion(self, deletion_id: int) -> bool:
        """Forget what could be restored, now; answers whether it was there. Raises Busy while it is on its way."""
        deletion = self.deletions.filter(id=deletion_id).first()
        if deletion is None:
            return False
        if deletion.state != DeletionState.KEPT:
            raise Busy(work.BUSY)
        note = "can't be restored any more"
        record(
            Change(
                model=Deletion, key=str(deletion.pk), title=str(deletion), before={"kind": deletion.kind}, note=note
            ),
            using=self.using,
        )
        DeletedRows.objects.using(self.using).filter(deletion=deletion).delete()
        deletion.delete(using=self.using)
        return True

    @property
    def deletions(self) -> Any:
        """What can be restored, newest first."""
        return Deletion.objects.using(self.using).order_by("-deleted_at", "-id")

    def _expect_place(self, deletion: Deletion) -> None:
        """Raises Conflict or Forbidden where what a deletion took has no place any more."""
        if deletion.kind == PROJECT:
            row = self.lock(self.projects.filter(id=deletion.key)).first()
            if row is None:
                kept = DeletedRows.objects.using(self.using).get(deletion=deletion, table="projects")
                [columns] = unpack(bytes(kept.data))
                if isinstance(columns["name"], str) and self.projects.filter(name=columns["name"]).exists():
                    raise Conflict(
                        f"Another project has the name “{columns['name']}” now: rename that one, then restore this one."
                    )
                # Prompts need their project. It is a deleted one until all of it is back.
                put_back(connections[self.using], "projects", "id", bytes(kept.data))
                self.projects.filter(id=deletion.key).update(status=ProjectStatus.DELETED)
        elif deletion.kind == PROMPT and deletion.parts:
            row = self.lock(self.projects.filter(id=deletion.parts)).first()
            if row is None or row.status == ProjectStatus.DELETED:
                name = f"“{row.name}”" if row else deletion.parts
                raise Conflict(
                    f"The prompt's project {name} is deleted: restore the project first, or create it again, then "
                    "restore the prompt."
                )
        else:
            return
        if row is not None and row.status == ProjectStatus.ARCHIVED:
            raise Forbidden(f"{PROJECT_ARCHIVED}: unarchive “{row.name}” first")


def project_parts(project_id: str, name: str | None) -> list[Part]:
    """Versions go first: they keep the runs that they name, and each run that goes is looked up in those left."""
    return [
        Part(PromptVersion, "prompt_id IN (SELECT id FROM prompts WHERE project_id = %s)", [project_id], "versions"),
        *get_runs().parts_of_project(project_id, name),
        Part(Prompt, "project_id = %s", [project_id], "prompts"),
    ]


def prompt_parts(prompt_id: str, name: str | None) -> list[Part]:
    """The same of one prompt; `name` is that of its project for runs without a link."""
    return [
        Part(PromptVersion, "prompt_id = %s", [prompt_id], "versions"),
        *get_runs().parts_of_prompt(prompt_id, name),
        Part(Prompt, "id = %s", [prompt_id], "prompts"),
    ]


def _parts_of_project(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    """By the name that was kept: the project is marked as deleted by now, and its name may mean another one."""
    return project_parts(deletion.key, deletion.parts or None)


def _parts_of_prompt(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    return prompt_parts(deletion.key, Rows(connection.alias).name_of_runs(deletion.parts or None))


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
    counts = f"{deletion.prompts} prompts, {deletion.versions} earlier versions and {deletion.runs} runs"
    return f"restored, with {counts}. {deletion.note}".strip()


work.KINDS[PROJECT] = Kind(_parts_of_project, _project_is_back, "projects.delete_project")
work.KINDS[PROMPT] = Kind(_parts_of_prompt, _prompt_is_back, "projects.delete_prompt")
