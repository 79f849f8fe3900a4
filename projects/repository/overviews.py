"""Numbers beside projects and prompts: those of a list's page, at a bounded cost, and what goes when one is deleted."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connections
from django.db.models import OuterRef

from projects.declarations import count_what_goes_along
from projects.models import paths_of
from projects.namesakes import firsts_of_names
from projects.records import Contents, ProjectOverview, PromptOverview
from projects.repository.deleting import project_parts, prompt_parts
from projects.repository.prompts import Prompts
from projects.repository.rows import moment
from promptadmin.db.subqueries import BoundedCount, Newest
from promptadmin.deletions.kinds import count_rows

#: Lists count the runs of a row up to here; a row with more has "more than" so many.
RUNS_COUNTED = 1000


class Overviews(Prompts):
    """The part that counts."""

    def project_overviews(self, project_ids: Sequence[str]) -> dict[str, ProjectOverview]:
        """Of these projects, by id: what a list shows. One query, whose cost doesn't grow with the runs."""
        own = OuterRef("id")
        linked, unlinked, newest_run = self.runs.columns_of_project(RUNS_COUNTED + 1)
        projects = self.projects.filter(id__in=project_ids)
        firsts = set(firsts_of_names(projects).values_list("id", flat=True))
        rows = projects.values_list(
            "id",
            BoundedCount(self.prompts.filter(project_id=own).order_by().values("project_id")),
            linked,
            unlinked,
            "updated_at",
            Newest(self.prompts.filter(project_id=own), "updated_at"),
            newest_run,
        )
        paths = paths_of(projects, self.using)
        return {
            key: ProjectOverview(
                path=paths[key],
                prompts=prompts,
                runs=min(linked_count + unlinked_count * (key in firsts), RUNS_COUNTED + 1),
                last_activity=max(
                    filter(None, map(moment, [*times, last_run if key in firsts else None])), default=None
                ),
            )
            for key, prompts, linked_count, unlinked_count, *times, last_run in rows
        }

    def prompt_overviews(self, prompt_ids: Sequence[str]) -> dict[str, PromptOverview]:
        """Of these prompts, by id: what a list shows. One query, whose cost doesn't grow with the runs."""
        own = OuterRef("id")
        prompts = self.prompts.filter(id__in=prompt_ids)
        paths = paths_of(self.projects.filter(id__in=prompts.values("project_id")), self.using)
        rows = prompts.values_list(
            "id",
            "project_id",
            BoundedCount(self.versions.filter(prompt_id=own).order_by().values("prompt_id")),
            self.runs.count_of_prompt(RUNS_COUNTED + 1),
        )
        return {key: PromptOverview(paths.get(project), *shown) for key, project, *shown in rows}

    def project_contents(self, project_ids: Sequence[str]) -> Contents:
        """What `delete_project` deletes of these projects, counted to the last row."""
        parts = [part for key in project_ids for part in project_parts(self.runs, key, self.name_of_runs(key))]
        return Contents(**count_rows(connections[self.using], parts))

    def what_goes_along(self, *, prompt_id: str | None = None, project_ids: Sequence[str] = ()) -> dict[str, int]:
        """What plugins say goes with a prompt, or with projects, in words, and how many of it."""
        prompts = self.prompts.filter(id=prompt_id) if prompt_id else self.prompts.filter(project__in=project_ids)
        return count_what_goes_along(prompts)

    def prompt_contents(self, *, prompt_id: str) -> Contents:
        """What `delete_prompt` deletes. Raises NotFound."""
        row = self.readable_prompt(prompt_id)
        parts = prompt_parts(self.runs, row.id, self.name_of_runs(row.project_id))
        return Contents(**count_rows(connections[self.using], parts))
