"""Which runs: the filters of every list and of the export."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from functools import reduce
from operator import or_

from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce

from optimizations.models import Optimization
from projects.models import Project, ProjectStatus, Prompt

SEARCHED = ("raw_prompt", "optimized_prompt", "title", "tags", "project")
#: Runs of such projects are what `include_archived=False` hides.
HIDDEN = (ProjectStatus.ARCHIVED, ProjectStatus.DELETED)
#: The strategy that counts: the chosen one or, of a run that names none, the framework applied.
STRATEGY = Coalesce("strategy", "framework_applied")


@dataclass(frozen=True, slots=True)
class RunFilters:
    """What a run must be; None, or an empty text, asks for nothing.

    `project` is the run's own text, compared exactly. `project_id` asks for the runs of a project: those linked to its
    prompts and, of those linked to none, the ones with its name. `include_archived=False` hides the runs of archived
    and deleted projects, by the same rule. `search` is a part of the prompt before or after, the title, a tag or the
    project, whatever the case of its letters. `min_score` and `max_score` are the least and the greatest overall score,
    from 0.0 to 1.0. `strategy` is the one that statistics count a run under. `tag` is a whole tag, whatever its case.
    `since` is the first moment of a period, `until` the first after it. `has_prompt` asks whether a run is linked to a
    prompt, `prompt_id` for the runs of one.
    """

    search: str | None = None
    project: str | None = None
    project_id: str | None = None
    task_type: str | None = None
    status: str | None = None
    min_score: float | None = None
    include_archived: bool = True
    max_score: float | None = None
    strategy: str | None = None
    tag: str | None = None
    since: dt.datetime | None = None
    until: dt.datetime | None = None
    has_prompt: bool | None = None
    prompt_id: str | None = None

    def apply(self, runs: QuerySet[Optimization]) -> QuerySet[Optimization]:
        """Those of the runs that pass."""
        exact = {name: getattr(self, name) for name in ("project", "task_type", "status", "prompt_id")}
        limits = {
            "overall_score__gte": self.min_score,
            "overall_score__lte": self.max_score,
            "created_at__gte": self.since,
            "created_at__lt": self.until,
        }
        runs = runs.filter(**{column: value for column, value in exact.items() if value})
        runs = runs.filter(**{lookup: value for lookup, value in limits.items() if value is not None})
        if self.strategy:
            runs = runs.alias(effective_strategy=STRATEGY).filter(effective_strategy=self.strategy)
        if self.has_prompt is not None:
            runs = runs.filter(prompt__isnull=not self.has_prompt)
        if self.project_id:
            runs = runs.filter(_of_projects(runs.db, Q(id=self.project_id)))
        if not self.include_archived:
            runs = runs.exclude(self.hidden(runs.db))
        if self.tag:
            runs = runs.filter(tags__folded_has=self.tag)
        if self.search:
            # Last: it is the one that reads whole texts.
            runs = runs.filter(reduce(or_, (Q((f"{column}__folded_contains", self.search)) for column in SEARCHED)))
        return runs

    def count(self, runs: QuerySet[Optimization]) -> int:
        """How many pass. What `include_archived=False` hides is counted, which is less than what it shows."""
        shown = replace(self, include_archived=True).apply(runs)
        return shown.count() - (0 if self.include_archived else shown.filter(self.hidden(runs.db)).count())

    @staticmethod
    def hidden(using: str) -> Q:
        """The runs of archived and deleted projects."""
        return _of_projects(using, Q(status__in=HIDDEN))


def _of_projects(using: str, projects: Q) -> Q:
    """Runs linked to a prompt of these projects or, linked to none, naming one of them."""
    found = Project.objects.using(using).filter(projects)
    prompts = Prompt.objects.using(using).filter(project__in=found.values("id"))
    return Q(prompt_id__in=prompts.values("id")) | Q(prompt__isnull=True, project__in=found.values("name"))
