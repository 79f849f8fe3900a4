"""Numbers beside projects and prompts: those of a list's page, at a bounded cost, and what goes when one is deleted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Func, IntegerField, OuterRef, Subquery

from projects.models import paths_of
from projects.namesakes import firsts_of_names
from projects.records import Contents, ProjectOverview, PromptOverview
from projects.repository.forges import runs_of_prompt, unlinked_runs
from projects.repository.prompts import Prompts
from projects.repository.rows import moment

#: Lists count the runs of a row up to here; a row with more has "more than" so many.
RUNS_COUNTED = 1000


class BoundedCount(Subquery):
    """How many rows a sliced query has; the database stops where the slice ends."""

    template = "(SELECT COUNT(*) FROM (%(subquery)s) AS bounded)"
    output_field = IntegerField()


class Overviews(Prompts):
    """The part that counts."""

    def project_overviews(self, project_ids: Sequence[str]) -> dict[str, ProjectOverview]:
        """Of these projects, by id: what a list shows. One query, whose cost doesn't grow with the runs."""
        own = OuterRef("id")
        linked = self.runs.filter(prompt__project_id=own).order_by().values("prompt_id")
        unlinked = unlinked_runs(self.runs, OuterRef("name")).order_by().values("project")
        projects = self.projects.filter(id__in=project_ids)
        firsts = set(firsts_of_names(projects).values_list("id", flat=True))
        rows = projects.values_list(
            "id",
            BoundedCount(self.prompts.filter(project_id=own).order_by().values("project_id")),
            BoundedCount(linked[: RUNS_COUNTED + 1]),
            BoundedCount(unlinked[: RUNS_COUNTED + 1]),
            "updated_at",
            Subquery(_newest(self.prompts.filter(project_id=own), "updated_at")),
            Subquery(_newest(self.runs.filter(project=OuterRef("name")), "created_at")),
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
        linked = self.runs.filter(prompt_id=own).order_by().values("prompt_id")
        prompts = self.prompts.filter(id__in=prompt_ids)
        paths = paths_of(self.projects.filter(id__in=prompts.values("project_id")), self.using)
        rows = prompts.values_list(
            "id",
            "project_id",
            BoundedCount(self.versions.filter(prompt_id=own).order_by().values("prompt_id")),
            BoundedCount(linked[: RUNS_COUNTED + 1]),
        )
        return {key: PromptOverview(paths.get(project), *shown) for key, project, *shown in rows}

    def project_contents(self, project_ids: Sequence[str]) -> Contents:
        """What `delete_project` deletes of these projects, counted to the last row."""
        projects = self.projects.filter(id__in=project_ids)
        prompts = self.prompts.filter(project_id__in=projects.values("id"))
        linked = self.runs.filter(prompt_id__in=prompts.values("id"))
        unlinked = self.runs.filter(prompt__isnull=True, project__in=firsts_of_names(projects).values("name"))
        return Contents(
            prompts=prompts.count(),
            versions=self.versions.filter(prompt_id__in=prompts.values("id")).count(),
            runs=linked.count() + unlinked.count(),
        )

    def prompt_contents(self, *, prompt_id: str) -> Contents:
        """What `delete_prompt` deletes. Raises NotFound."""
        row = self.readable_prompt(prompt_id)
        return Contents(
            prompts=1,
            versions=self.versions.filter(prompt_id=row.id).count(),
            runs=runs_of_prompt(self.runs, row, self.name_of_runs(row.project_id)).count(),
        )


def _newest(rows: Any, column: str) -> Any:
    """As a plain function, MAX needs no GROUP BY: the database reads the end of an index."""
    return rows.order_by().annotate(newest=Func(column, function="MAX")).values("newest")
