"""Projects: list, read, create, change, archive, delete."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Mapping
from typing import Any, Final

from django.db import IntegrityError, connections, transaction
from django.db.models import Count, Q
from django.utils import timezone

from projects.contexts import LIST_FIELDS, TEXT_FIELDS, Profile, normalize_context, unknown_fields
from projects.declarations import expect_deletable
from projects.events import project_changed, project_made
from projects.models import Project, ProjectStatus, paths_of
from projects.reach import expect_new_projects, expect_whole_projects, expect_writable
from projects.records import Page, ProjectDetail, ProjectSummary
from projects.repository.changes import project_change
from projects.repository.deleting import PROJECT
from projects.repository.prompts import Prompts
from projects.repository.rows import moment, not_blank, project_state, storable
from projects.texts.forms import composed
from promptadmin.audit import record
from promptadmin.conf.counted import counted
from promptadmin.db import json_text
from promptadmin.db.cache import cached_until_write
from promptadmin.deletions.work import begin, expect_settled
from promptadmin.errors import Conflict, Invalid, PreconditionFailed
from promptadmin.models import Deletion

NAME_TAKEN = "A project with this name already exists"
SORTS = ("created_at", "updated_at", "name")


class Leave(enum.Enum):
    """The type of LEAVE."""

    LEAVE = "leave"


#: Stands for "leave as it is" where None has a meaning of its own.
LEAVE: Final = Leave.LEAVE


class Projects(Prompts):
    """The part that keeps projects."""

    def list_projects(
        self,
        *,
        limit: int = 20,
        offset: int = 0,
        search: str | None = None,
        status: str | None = None,
        sort: str = "created_at",
        order: str = "desc",
    ) -> Page[ProjectSummary]:
        """Projects with this status (without one: all but the deleted) that have the text in name or description.

        `sort` is created_at, updated_at or name, anything else means created_at; `order` is asc or desc.
        """
        rows = self.projects.filter(status=status) if status else self.projects.exclude(status=ProjectStatus.DELETED)
        if search:
            rows = rows.filter(Q(name__folded_contains=search) | Q(description__folded_contains=search))
        direction = "" if order == "asc" else "-"
        key = sort if sort in SORTS else "created_at"
        total = cached_until_write(connections[self.using], ("projects", status, search), rows.count)
        page = list(rows.order_by(direction + key, direction + "id")[offset : offset + limit])
        counts = self._prompt_counts([row.id for row in page])
        paths = paths_of(page, self.using)
        return Page([_summary(row, counts.get(row.id, 0), paths[row.id]) for row in page], total)

    def get_project(self, *, project_id: str, deleted: bool = False) -> ProjectDetail:
        """A project with its prompts and their runs. Raises NotFound, also for a deleted one unless `deleted`."""
        return self._detail(self.readable_project(project_id, deleted=deleted))

    def create_project(
        self,
        *,
        name: str,
        description: str | Leave | None = None,
        context_profile: Mapping[str, Any] | Leave | None = None,
    ) -> ProjectDetail:
        """A new project, or a deleted one of this name brought back with this description and context.

        It stands in no folder: projects in folders may have its name. LEAVE keeps what the deleted one had. Raises
        Conflict if another project outside of folders has the name, Invalid for a blank one.
        """
        name = clean_name(name)
        row, is_new = self.insert_project(
            name=name,
            description=None if description is LEAVE else description,
            context_profile=None if context_profile is LEAVE else context_profile,
        )
        if not is_new:
            if row.status != ProjectStatus.DELETED:
                raise Conflict(NAME_TAKEN)
            expect_settled(self.using, PROJECT, row.id)
            self._update(row, status=ProjectStatus.ACTIVE, **_described(description, context_profile))
        else:
            made = {"name": row.name, "description": row.description, "context_profile": row.context_profile}
            record(project_change(row, after=made), using=self.using)
        expect_writable(Project, [row.id], self.using)
        return self._detail(row)

    def update_project(
        self,
        *,
        project_id: str,
        name: str | None = None,
        description: str | None = None,
        context_profile: Mapping[str, Any] | Leave | None = LEAVE,
        unmodified_since: dt.datetime | None = None,
        expected_state: str | None = None,
    ) -> ProjectDetail:
        """Change what is given: None leaves name and description, LEAVE the context; None clears the context.

        Runs keep the name that they were made under. Raises NotFound; Forbidden for an archived project; Conflict for a
        name that another project in its folder has, and if the project has changed since `unmodified_since`, by whole
        seconds; PreconditionFailed if its state, as `project_state` tells it, is not the one expected.
        """
        row = self.project_to_change(project_id)
        expect_whole_projects()
        if expected_state is not None and project_state(row) != expected_state:
            raise PreconditionFailed("Project has been modified since your last read")
        changed_at = moment(row.updated_at)
        if unmodified_since and changed_at and changed_at.replace(microsecond=0) > unmodified_since:
            raise Conflict("Project has been modified since your last read")
        changes = _described(LEAVE if description is None else description, context_profile)
        if name is not None:
            changes["name"] = clean_name(name)
            if self.projects_named(changes["name"]).filter(parent=row.parent_id).exclude(id=row.id).exists():
                raise Conflict(NAME_TAKEN)
        try:
            with transaction.atomic(using=self.using):
                self._update(row, **changes)
        except IntegrityError as error:  # on PostgreSQL, another writer took the name in this moment
            raise Conflict(NAME_TAKEN) from error
        return self._detail(row)

    def archive_project(self, *, project_id: str) -> Project:
        """Make a project read-only. Raises NotFound, or Invalid if it is archived already."""
        return self._change_status(project_id, ProjectStatus.ARCHIVED)

    def unarchive_project(self, *, project_id: str) -> Project:
        """Make an archived project active. Raises NotFound, or Invalid if it is active already."""
        return self._change_status(project_id, ProjectStatus.ACTIVE)

    def delete_project(self, *, project_id: str, force: bool = False) -> int:
        """Mark a project as deleted; delete its prompts, their versions, and all its runs. Returns how many runs.

        Its runs are those linked to its prompts and, by its name, those linked to none. Raises NotFound,
        Forbidden, and what a plugin's guard refuses with, for some of which `force` is a way past.
        """
        row = self.locked_project(project_id)
        expect_whole_projects()
        expect_deletable(self.prompts.filter(project_id=row.id), force=force)
        deletion = Deletion(kind=PROJECT, key=row.id, parts=self.name_of_runs(row.id) or "", title=row.name)
        gone = begin(deletion, self.using, keep=[(Project, row.id)])
        prompts, versions = counted(gone["prompts"], "prompt"), counted(gone["versions"], "earlier version")
        note = f"with {prompts}, {versions} and {counted(gone['runs'], 'run')}, which are gone"
        self._update(row, note=note, status=ProjectStatus.DELETED)
        return gone["runs"]

    def get_context(self, *, name: str) -> Profile | None:
        """The context profile of the project with this name, with the project's own description if it has none.

        None where there is no such project, or it is deleted, or it has neither.
        """
        row = self.projects_named(name.strip()).exclude(status=ProjectStatus.DELETED).first()
        if row is None:
            return None
        described = {"description": row.description} if row.description else {}
        return normalize_context(described | (normalize_context(_context(row)) or {}))

    def insert_project(
        self, *, name: str, description: str | None = None, context_profile: Mapping[str, Any] | None = None
    ) -> tuple[Project, bool]:
        """The project with this name outside all folders, locked, and whether this call made it.

        Raises Conflict where one in a folder has the name, in a file that has each name once; Forbidden.
        """
        named = self.projects_named(name).filter(parent__isnull=True)
        row = self.lock(named).first()
        if row is not None:
            return row, False
        expect_new_projects()
        new = Project(name=name, **_described(description, context_profile))
        new.updated_at = new.created_at
        # On PostgreSQL, another writer may be making it in this moment: then this waits, and finds theirs.
        self.projects.bulk_create([new], ignore_conflicts=True)
        row = self.lock(named).first()
        if row is None:
            raise Conflict(NAME_TAKEN)
        is_new = row.id == new.id
        if is_new:
            project_made(row, self.using)
        return row, is_new

    def _change_status(self, project_id: str, status: ProjectStatus) -> Project:
        row = self.locked_project(project_id)
        expect_whole_projects()
        if row.status == status:
            raise Invalid(f"Project is already {status}")
        self._update(row, status=status)
        return row

    def _update(self, row: Project, *, note: str = "", **changes: Any) -> None:
        """Write these columns and the time of the change, and nothing else of a row that may hold legacy values."""
        before = {name: getattr(row, name) for name in changes}
        record(project_change(row, before=before, after=dict(changes), note=note), using=self.using)
        changes["updated_at"] = timezone.now()
        self.projects.filter(id=row.id).update(**changes)
        for name, value in changes.items():
            setattr(row, name, value)
        project_changed(row, before, self.using)

    def _detail(self, row: Project) -> ProjectDetail:
        return ProjectDetail(
            id=row.id or "",  # another program may have stored NULL
            name=row.name,
            description=row.description,
            context_profile=_context(row),
            status=row.status,
            created_at=moment(row.created_at),
            updated_at=moment(row.updated_at),
            parent_id=row.parent_id,
            path=row.path,
            prompts=self.prompts_of(row),
        )

    def _prompt_counts(self, project_ids: list[str]) -> dict[str, int]:
        rows = self.prompts.filter(project_id__in=project_ids).order_by()
        counts = rows.values_list("project_id").annotate(Count("id"))
        return cached_until_write(
            connections[self.using], ("prompts of projects", tuple(project_ids)), lambda: dict(counts)
        )


def clean_name(name: str) -> str:
    """A project's name without the blanks around it, in Unicode's form NFC. Raises Invalid for a blank one."""
    return composed(not_blank(name, "Project name").strip())


def known_fields(profile: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The profile, if every field of it is one that a context has. Raises Invalid."""
    if profile and (unknown := unknown_fields(profile)):
        known = ", ".join(TEXT_FIELDS + LIST_FIELDS)
        raise Invalid(f"A context profile has no field {unknown[0]!r}: it has {known}")
    return profile


def _described(description: str | Leave | None, context_profile: Mapping[str, Any] | Leave | None) -> dict[str, Any]:
    """The columns to write for a description and a context, without those to leave."""
    columns: dict[str, Any] = {}
    if not isinstance(description, Leave):
        columns["description"] = description and storable(description, "Project description")
    if not isinstance(context_profile, Leave):
        columns["context_profile"] = json_text.write(normalize_context(known_fields(context_profile)))
    return columns


def _context(row: Project) -> Profile | None:
    return json_text.read_object(row.context_profile, f"projects {row.id} context_profile")


def _summary(row: Project, prompt_count: int, path: str) -> ProjectSummary:
    return ProjectSummary(
        id=row.id or "",  # another program may have stored NULL
        name=row.name,
        description=row.description,
        status=row.status,
        prompt_count=prompt_count,
        has_context=bool(_context(row)),
        created_at=moment(row.created_at),
        updated_at=moment(row.updated_at),
        parent_id=row.parent_id,
        path=path,
    )
