"""Prompts in other projects: moved and copied, and those of one project that have the same text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Exists, Max, OuterRef, QuerySet, Value
from django.utils import timezone

from projects.events import prompt_moved
from projects.models import Project, Prompt
from projects.records import PromptRecord
from projects.repository.changes import prompt_change
from projects.repository.prompts import POSITION, Prompts, prompt_record
from projects.repository.rows import PROMPT_MISSING
from projects.texts.keys import key_of
from promptadmin.audit import record
from promptadmin.errors import Conflict, NotFound


class Placing(Prompts):
    """The part that puts prompts into other projects, in the caller's one write session: all of them or none."""

    def move_prompts(self, prompt_ids: Sequence[str], *, project_id: str) -> int:
        """Put prompts behind the last one of another project, in their order here; answers how many this moved.

        Ids, names, labels, versions and linked runs stay theirs; a run that is known by its text alone stays where it
        is. Those that are in the project already stay as they are. Raises NotFound for a project or prompt that isn't
        there, Forbidden where either project is archived, and Conflict where somebody moves them at the same moment.
        """
        wanted = self._in_order(prompt_ids)
        former = wanted.exclude(project_id=None).values_list("project_id", flat=True).order_by()
        # In one order, so that two requests that lock the same projects wait instead of failing.
        projects = {key: self.project_to_change(key) for key in sorted({project_id, *former.distinct()})}
        rows = list(self.lock(wanted))
        _expect_all(rows, prompt_ids)
        if any(row.project_id is not None and row.project_id not in projects for row in rows):
            raise Conflict("Somebody is moving these prompts at this moment: try again")
        moved = [row for row in rows if row.project_id != project_id]
        if moved:
            self._move(moved, projects, projects[project_id])
        return len(moved)

    def _move(self, rows: Sequence[Prompt], projects: dict[str, Project], target: Project) -> None:
        last = self.prompts.filter(project_id=target.id).aggregate(last=Max("order_index"))["last"]
        now, changes = timezone.now(), []
        for position, row in enumerate(rows, 0 if last is None else last + 1):
            before = projects[row.project_id].name if row.project_id is not None else None
            former, row.project_id, row.order_index, row.updated_at = row.project_id, target.id, position, now
            self.prompts.filter(id=row.id).update(project_id=target.id, order_index=position, updated_at=now)
            changes.append(prompt_change(row, before={"project": before}, after={"project": target.name}))
            prompt_moved(row, former, self.using)
        self.projects.filter(id__in=projects).update(updated_at=now)
        record(*changes, using=self.using)

    def copy_prompts(self, prompt_ids: Sequence[str], *, project_id: str) -> int:
        """Put copies of prompts behind the last one of a project, as version 1; answers how many this made.

        A copy has the text alone: no name, label, earlier version or run. A text that the project has already isn't
        copied, so that the same copying again makes nothing twice. Raises NotFound, or Forbidden for an archived
        project.
        """
        target = self.project_to_change(project_id)
        keys = list(self._in_order(prompt_ids).values_list("id", flat=True))
        if len(keys) != len(set(prompt_ids)):
            raise NotFound(PROMPT_MISSING)
        made = 0
        for key in keys:  # one at a time: texts may be long
            content = self.prompts.values_list("content", flat=True).get(id=key)
            if self._same_text(target.id, content).exists():
                continue
            copy = self.append_prompt(target.id, content)
            after = {"content": content, "project": target.name}
            record(prompt_change(copy, after=after, note=f"a copy of {key}"), using=self.using)
            made += 1
        return made

    def twins_of(self, *, prompt_id: str, limit: int = 5) -> list[PromptRecord]:
        """The other prompts of its project that have exactly the same text, in their order. Raises NotFound."""
        row = self.readable_prompt(prompt_id)
        if row.project_id is None:
            return []
        twins = self._same_text(row.project_id, row.content).exclude(id=row.id)
        return [prompt_record(twin) for twin in twins.order_by(*POSITION)[:limit]]

    def _same_text(self, project_id: str, content: str) -> QuerySet[Prompt]:
        return _of_text(self.prompts, project_id, Value(content))

    def _in_order(self, prompt_ids: Sequence[str]) -> QuerySet[Prompt]:
        return self.prompts.filter(id__in=prompt_ids).order_by("project_id", *POSITION)


def with_twins(prompts: QuerySet[Prompt]) -> QuerySet[Prompt]:
    """Those of the prompts that have exactly the text of another one of their project."""
    same = _of_text(Prompt.objects.using(prompts.db), OuterRef("project_id"), OuterRef("content"))
    return prompts.filter(Exists(same.exclude(pk=OuterRef("pk"))))


def _of_text(prompts: QuerySet[Prompt], project_id: Any, content: Any) -> QuerySet[Prompt]:
    """The key is what the index finds."""
    return prompts.alias(key=key_of("content")).filter(project_id=project_id, key=key_of(content), content=content)


def _expect_all(rows: Sequence[Prompt], prompt_ids: Sequence[str]) -> None:
    if len(rows) != len(set(prompt_ids)):
        raise NotFound(PROMPT_MISSING)
