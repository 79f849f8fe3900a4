"""What a deletion of a project, a prompt or runs takes, and how it comes back."""

from __future__ import annotations

import json
from typing import Any

from django.apps import apps
from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper

from projects.events import project_changed, prompt_changed
from projects.models import ProjectStatus, Prompt, PromptVersion
from projects.namesakes import id_of_name
from projects.repository.changes import project_change, prompt_change
from projects.repository.rows import PROJECT_ARCHIVED, PROJECT_MISSING, Rows
from promptadmin.audit import Change, record
from promptadmin.db.chunks import in_chunks
from promptadmin.deletions import work
from promptadmin.deletions.kept_rows import put_back, unpack, write_over
from promptadmin.deletions.upkeep import finish_all, finish_one
from promptadmin.deletions.work import Kind, Part
from promptadmin.errors import Busy, Conflict, Forbidden
from promptadmin.models import DeletedRows, Deletion, DeletionState
from promptadmin.plugins.events import send

__all__ = ["ALL_RUNS", "PROJECT", "PROMPT", "RUNS", "Deleting", "finish_all", "finish_one"]

PROJECT, PROMPT, RUNS, ALL_RUNS = "project", "prompt", "runs", "all runs"
KEYS_A_PART = 500
#: The name by which runs without a prompt are a project's.
NAME_OF = f"(SELECT p.name FROM projects p WHERE p.id = %s AND p.id = {id_of_name('p.name')})"
#: In the order in which they can come back: runs refer to prompts, versions to both.
TABLES = (
    ("prompts", "id"),
    ("optimizations", "id"),
    ("prompt_versions", "id"),
    ("prompt_versions.optimization_id", "id"),
)


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


def _run_model() -> Any:
    return apps.get_model("optimizations", "Optimization")


def _project_parts(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    """Versions go first: they keep the runs that they name, and each run that goes is looked up in those left."""
    own, run = "(SELECT id FROM prompts WHERE project_id = %s)", _run_model()
    return [
        Part(PromptVersion, f"prompt_id IN {own}", [deletion.key], "versions"),
        Part(run, f"prompt_id IN {own}", [deletion.key], "runs"),
        # By the name that was kept: the project is marked as deleted by now, and its name may mean another one.
        Part(run, "prompt_id IS NULL AND project = %s", [deletion.parts or None], "runs"),
        Part(Prompt, "project_id = %s", [deletion.key], "prompts"),
    ]


def _prompt_parts(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    text, run = "(SELECT content FROM prompts WHERE id = %s)", _run_model()
    return [
        Part(PromptVersion, "prompt_id = %s", [deletion.key], "versions"),
        Part(run, "prompt_id = %s", [deletion.key], "runs"),
        Part(
            run,
            f"prompt_id IS NULL AND project = {NAME_OF} AND raw_prompt = {text}",
            [deletion.parts or None, deletion.key],
            "runs",
        ),
        Part(Prompt, "id = %s", [deletion.key], "prompts"),
    ]


def _run_parts(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    return [
        Part(_run_model(), f"id IN ({', '.join(['%s'] * len(keys))})", keys, "runs")
        for keys in in_chunks(json.loads(deletion.parts), KEYS_A_PART)
    ]


def _all_run_parts(deletion: Deletion, connection: BaseDatabaseWrapper) -> list[Part]:
    """On SQLite up to the last row of that moment: runs recorded since then stay."""
    if connection.vendor == "sqlite":
        return [Part(_run_model(), "rowid <= %s", [int(deletion.parts)], "runs")]
    return [Part(_run_model(), "TRUE", [], "runs")]


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
    record(project_change(row, before=before, after={"status": row.status}, note=_told(deletion)), using=using)
    project_changed(row, before, using)


def _prompt_is_back(deletion: Deletion, using: str) -> None:
    row = Rows(using).prompts.get(id=deletion.key)
    record(
        prompt_change(row, after={"content": row.content, "version": row.version}, note=_told(deletion)), using=using
    )
    prompt_changed("prompt_created", row, using)


def _runs_are_back(deletion: Deletion, using: str) -> None:
    change = Change(model=_run_model(), key="*", title=deletion.title, after={}, note=_told(deletion))
    record(change, using=using)
    send("optimizations_imported", subject="", using=using, count=deletion.runs)


def _told(deletion: Deletion) -> str:
    counts = f"{deletion.prompts} prompts, {deletion.versions} earlier versions and {deletion.runs} runs"
    return f"restored, with {counts}. {deletion.note}".strip()


work.KINDS.update(
    {
        PROJECT: Kind(_project_parts, TABLES, _project_is_back),
        PROMPT: Kind(_prompt_parts, TABLES, _prompt_is_back),
        RUNS: Kind(_run_parts, TABLES, _runs_are_back),
        ALL_RUNS: Kind(_all_run_parts, TABLES, _runs_are_back),
    }
)
