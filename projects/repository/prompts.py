"""Prompts: read, add, edit, delete, put in order, and their runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connections
from django.db.models import Q
from django.utils import timezone

from projects.declarations import NewText, expect_deletable, expect_welcome
from projects.events import prompt_changed, prompts_reordered
from projects.models import Project, ProjectStatus, Prompt, PromptVersion
from projects.prompt_checks import CheckedPrompt, FoundBy, find
from projects.reach import expect_whole_projects, expect_writable, row_limits
from projects.records import Page, PromptRecord, RunRecord
from projects.repository.changes import RESTORED, RUN, prompt_change, reordering
from projects.repository.deleting import PROMPT
from projects.repository.rows import NO_PROJECT, Rows, moment, not_blank, of_project
from projects.runs import RunsFound
from promptadmin.audit import record
from promptadmin.conf.counted import counted
from promptadmin.conf.limits import REASON_LENGTH
from promptadmin.db.fields import stored_moment
from promptadmin.db.legacy_values import read_count, read_moment, read_text
from promptadmin.db.raw import execute, fetch_all
from promptadmin.deletions.work import begin
from promptadmin.errors import Invalid, PreconditionFailed
from promptadmin.models import Deletion

POSITION = ("order_index", "id")
PROMPT_FIELDS = ("id", "content", "version", "project_id", "order_index", "created_at", "updated_at")
#: As text: Django takes as long to build it and to read its rows as all else that a project's page takes.
OF_PROJECT = f"SELECT {', '.join(PROMPT_FIELDS)} FROM prompts WHERE project_id = %s ORDER BY order_index, id"
INSERT = f"INSERT INTO prompts ({', '.join(PROMPT_FIELDS)}) VALUES ({', '.join(['%s'] * len(PROMPT_FIELDS))})"


class Prompts(Rows):
    """The part that keeps prompts. Where `project_id` may be None, any project's prompt will do."""

    def prompts_of(self, project: Project) -> list[PromptRecord]:
        """A project's prompts in their order, with their runs. Of two with the same text, the later has its runs."""
        rows = fetch_all(connections[self.using], OF_PROJECT, [project.id])
        if row_limits() is not None:
            reached = set(self.prompts.filter(project_id=project.id).values_list("id", flat=True))
            rows = [row for row in rows if row[0] in reached]
        if not rows:
            return []
        linked = self.runs.linked("project_id", project.id)
        unlinked = self.runs.unlinked("project_id", project.id, self.name_of_runs(project.id))
        last = {row[1]: row[0] for row in rows}
        return [
            _prompt(row, linked.get(row[0]), unlinked.get(row[1]) if unlinked and last[row[1]] == row[0] else None)
            for row in rows
        ]

    def get_prompt(self, *, prompt_id: str, project_id: str | None = None) -> PromptRecord:
        """A prompt with its runs. Raises NotFound, also for a prompt of another project."""
        row = self.readable_prompt(prompt_id, project_id)
        linked = self.runs.linked("id", row.id).get(row.id)
        unlinked = self.runs.unlinked("id", row.id, self.name_of_runs(row.project_id)).get(row.content)
        if unlinked:
            twins = self.prompts.filter(project_id=row.project_id, content=row.content).order_by(*POSITION)
            unlinked = unlinked if twins.values_list("id", flat=True).last() == row.id else None
        count, latest = _together(linked, unlinked)
        return prompt_record(row)._replace(run_count=count, latest_run=latest)

    def list_prompts(self, *, project_id: str, limit: int = 20, offset: int = 0) -> Page[PromptRecord]:
        """A project's prompts in their order, without their runs; NO_PROJECT asks for those that are in none.

        Raises NotFound if there is no such project, or it is deleted.
        """
        if project_id != NO_PROJECT:
            self.readable_project(project_id)
        rows = self.prompts.filter(of_project(project_id))
        page = rows.order_by(*POSITION)[offset : offset + limit]
        return Page([prompt_record(row) for row in page], rows.count())

    def list_active_prompts(self, *, limit: int = 100, after: str = "") -> list[tuple[PromptRecord, str | None]]:
        """The prompts of active projects, and of none, each with its project's name, by id from after `after` on."""
        active = Q(project__status=ProjectStatus.ACTIVE) | Q(project__isnull=True)
        rows = self.prompts.filter(active, id__gt=after).order_by("id")
        page = rows.values_list(*PROMPT_FIELDS, "project__name")[:limit]
        return [(_record(PromptRecord(*fields)), name or None) for *fields, name in page]

    def add_prompt(self, *, project_id: str, content: str) -> PromptRecord:
        """A new prompt after the project's last one.

        Raises Invalid for a blank text, NotFound, Forbidden, and what a plugin's guard refuses with.
        """
        not_blank(content, "Prompt content")
        project = self.project_to_change(project_id)
        row = self.append_prompt(project.id, content)
        expect_writable(Prompt, [row.id], self.using)
        record(prompt_change(row, after={"content": content, "project": project.name}), using=self.using)
        return prompt_record(row)

    def update_prompt(
        self,
        *,
        prompt_id: str,
        project_id: str | None = None,
        content: str | None = None,
        optimization_id: str | None = None,
        expected_versions: Collection[int] | None = None,
        reason: str = "",
        always: bool = False,
    ) -> PromptRecord:
        """Give a prompt another text and the next version; the old text is kept under the old one.

        `optimization_id` says which run the kept text led to. None, or the text that it has, moves only `updated_at`;
        with `always` it makes a version too, for what a plugin keeps beside the text.
        The change log keeps the `reason`.
        Raises PreconditionFailed if the version is not one of those expected; Invalid, NotFound, Forbidden, and what a
        plugin's guard refuses with.
        """
        if content is not None:
            not_blank(content, "Prompt content")
        _, row = self.prompt_to_change(prompt_id, project_id)
        expect_version(row, expected_versions)
        if optimization_id is not None and not self.runs.existing([optimization_id]):
            raise Invalid("optimization_id does not reference an optimization")
        text = row.content if content is None else content
        return self.replace_content(row, text, optimization_id, reason=reason, always=always)

    def delete_prompt(
        self,
        *,
        prompt_id: str,
        project_id: str | None = None,
        expected_versions: Collection[int] | None = None,
        force: bool = False,
    ) -> int:
        """Delete a prompt with its versions and its runs, linked or not. Returns how many runs.

        Raises PreconditionFailed if the version is not one of those expected; NotFound, Forbidden, and what a plugin's
        guard refuses with, for some of which `force` is a way past.
        """
        project, row = self.prompt_to_change(prompt_id, project_id)
        expect_version(row, expected_versions)
        expect_deletable(self.prompts.filter(id=row.id), force=force)
        deletion = Deletion(kind=PROMPT, key=row.id, parts=project.id if project else "", title=str(row))
        gone = begin(deletion, self.using)
        before = {"content": row.content, "version": row.version, "project": project and project.name}
        note = f"with {counted(gone['versions'], 'earlier version')} and {counted(gone['runs'], 'run')}"
        record(prompt_change(row, before=before, note=note), using=self.using)
        prompt_changed("prompt_deleted", row, self.using)
        return gone["runs"]

    def reorder_prompts(self, *, project_id: str, prompt_ids: Sequence[str]) -> list[PromptRecord]:
        """Put all prompts of a project in this order, at positions from 0. Raises Invalid, NotFound, Forbidden."""
        project = self.project_to_change(project_id)
        expect_whole_projects()
        positions = dict(self.prompts.filter(project_id=project.id).values_list("id", "order_index"))
        if unknown := set(prompt_ids) - positions.keys():
            raise Invalid(f"Prompt IDs not found in project: {_braced(unknown)}")
        if len(set(prompt_ids)) != len(prompt_ids):
            raise Invalid("Duplicate prompt IDs in reorder request")
        if missing := positions.keys() - set(prompt_ids):
            raise Invalid(f"Reorder must include all prompts; missing: {_braced(missing)}")
        connection = connections[self.using]
        now = stored_moment(timezone.now(), connection)
        moved = [(at, now, key) for at, key in enumerate(prompt_ids) if positions[key] != at]
        with connection.cursor() as cursor:
            cursor.executemany("UPDATE prompts SET order_index = %s, updated_at = %s WHERE id = %s", moved)
        record(reordering(project, positions, prompt_ids), using=self.using)
        if moved:
            prompts_reordered(project, self.using)
        return self.prompts_of(project)

    def reorder_some(self, *, project_id: str, prompt_ids: Sequence[str]) -> None:
        """Put these prompts of a project in this order, in the places that they have; all others keep theirs.

        Raises Invalid, NotFound, Forbidden.
        """
        self.project_to_change(project_id)
        rows = self.prompts.filter(project_id=project_id).order_by(*POSITION)
        named, order = set(prompt_ids), iter(prompt_ids)
        whole = [next(order) if key in named else key for key in rows.values_list("id", flat=True)]
        self.reorder_prompts(project_id=project_id, prompt_ids=[*whole, *order])

    def list_runs(
        self, *, prompt_id: str, project_id: str | None = None, limit: int = 20, offset: int = 0
    ) -> Page[RunRecord]:
        """A prompt's runs of any status, linked or by the text rule, newest first. Raises NotFound."""
        row = self.readable_prompt(prompt_id, project_id)
        name = self.name_of_runs(row.project_id)
        return self.runs.page(row.id, row.content, name, limit=limit, offset=offset)

    def findings(self, *, prompt_id: str, project_id: str | None = None) -> list[FoundBy]:
        """What the checks of the enabled plugins say about a prompt's text, by place in it. Raises NotFound."""
        row = self.readable_prompt(prompt_id, project_id)
        return find(CheckedPrompt(id=row.id, project_id=row.project_id, text=row.content, using=self.using))

    def append_prompt(self, project_id: str, content: str) -> Prompt:
        """Add a prompt to a project that the caller has locked; moves the project's `updated_at`.

        Raises what a plugin's guard refuses with.
        """
        expect_welcome([NewText(content, project_id, None, self.using)])
        connection, now = connections[self.using], timezone.now()
        stamp = stored_moment(now, connection)
        row = Prompt(content=content, project_id=project_id, created_at=now, updated_at=now)
        # As text, because recording a run does it: Django takes longer to build the statements than they take.
        [(last,)] = fetch_all(connection, "SELECT MAX(order_index) FROM prompts WHERE project_id = %s", [project_id])
        row.order_index = 0 if last is None else last + 1
        execute(connection, INSERT, [row.id, content, row.version, project_id, row.order_index, stamp, stamp])
        execute(connection, "UPDATE projects SET updated_at = %s WHERE id = %s", [stamp, project_id])
        prompt_changed("prompt_created", row, self.using)
        return row

    def replace_content(
        self,
        row: Prompt,
        content: str,
        optimization_id: str | None = None,
        *,
        restored: int | None = None,
        reason: str = "",
        always: bool = False,
    ) -> PromptRecord:
        """Give a prompt that the caller has locked another text and the next version.

        `restored` names the earlier version whose text it is. Raises Invalid for a reason that is too long, and what a
        plugin's guard refuses with.
        """
        reason = reason.strip()
        if len(reason) > REASON_LENGTH:
            raise Invalid(f"A reason may have {REASON_LENGTH} characters; this one has {len(reason):,}. Shorten it.")
        if content != row.content:
            expect_welcome([NewText(content, row.project_id, row.id, self.using)])
        now = timezone.now()
        changes: dict[str, Any] = {"updated_at": now}
        if always or content != row.content:
            before = {"content": row.content, "version": row.version}
            after = {"content": content, "version": row.version + 1, RUN: optimization_id, RESTORED: restored}
            record(prompt_change(row, before=before, after=after, note=reason), using=self.using)
            PromptVersion(
                prompt_id=row.id,
                version=row.version,
                content=row.content,
                optimization_id=optimization_id,
                created_at=now,
            ).save(using=self.using, force_insert=True)
            changes |= {"content": content, "version": row.version + 1}
        self.prompts.filter(id=row.id).update(**changes)
        for name, value in changes.items():
            setattr(row, name, value)
        if "content" in changes:
            prompt_changed("prompt_version_created", row, self.using, reason=reason)
        return prompt_record(row)


def prompt_record(row: Prompt) -> PromptRecord:
    """A prompt as the repository hands it out, without its runs."""
    return _record(PromptRecord(*(getattr(row, name) for name in PROMPT_FIELDS)))


def _prompt(row: Sequence[Any], linked: RunsFound | None, unlinked: RunsFound | None) -> PromptRecord:
    """A prompt from what the statement answers, with what its columns hold read as what they should hold."""
    key, content, version, project_id, order_index, created_at, updated_at = row
    return PromptRecord(
        read_text(key) or "",
        read_text(content) or "",
        read_count(version) or 0,
        read_text(project_id),
        read_count(order_index) or 0,
        read_moment(created_at),
        read_moment(updated_at),
        *_together(linked, unlinked),
    )


def _together(linked: RunsFound | None, unlinked: RunsFound | None) -> tuple[int, RunRecord | None]:
    """How many runs those are, and the newest completed one; an unlinked one counts where no linked one is."""
    if linked is None or unlinked is None:
        found = linked or unlinked
        return (found.count, found.latest) if found else (0, None)
    return linked.count + unlinked.count, linked.latest or unlinked.latest


def _record(stored: PromptRecord) -> PromptRecord:
    return stored._replace(created_at=moment(stored.created_at), updated_at=moment(stored.updated_at))


def expect_version(row: Prompt, versions: Collection[int] | None) -> None:
    """Raises PreconditionFailed if the version of the prompt is none of these; None expects nothing."""
    if versions is not None and row.version not in versions:
        raise PreconditionFailed(f"Prompt has been modified since your last read: its version is {row.version}")


def _braced(ids: Iterable[str]) -> str:
    """Ids as PromptForge's clients know them: a Python set, but always in the same order."""
    return "{" + ", ".join(repr(key) for key in sorted(ids)) + "}"
