"""Which runs: the filters of every list and of the export."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, fields, replace
from functools import reduce
from operator import or_
from typing import Any

from django.db import connections
from django.db.models import Exists, F, Func, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce, Substr

from optimizations.declarations import condition_of_filter
from optimizations.errors_alike import LENGTH, pattern
from optimizations.models import Optimization
from projects.models import Project, ProjectStatus, Prompt
from projects.namesakes import firsts_of_names
from promptadmin.db.row_numbers import RowNumber

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
    prompt, `prompt_id` for the runs of one. `model` is the name of the model that it used. `improvement` asks for the
    validated runs that are one, or are none. `error` is what `optimizations.errors_alike` makes of an error message.
    `of_plugins` are names of filters that plugins declare, with their values.
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
    model: str | None = None
    improvement: bool | None = None
    error: str | None = None
    of_plugins: tuple[tuple[str, str], ...] = ()

    def given(self) -> dict[str, Any]:
        """What is asked for, by name."""
        values = {field.name: (getattr(self, field.name), field.default) for field in fields(self)}
        return {name: value for name, (value, default) in values.items() if value not in ("", default)}

    def apply(self, runs: QuerySet[Optimization], *, near: bool = False) -> QuerySet[Optimization]:
        """Those of the runs that pass. `near` says that only the first of them will be read.

        Otherwise, on SQLite, it may ask how many runs a project has, to choose a way to them.
        """
        exact = {name: getattr(self, name) for name in ("project", "task_type", "status", "prompt_id")}
        exact = {column: value for column, value in exact.items() if value}
        limits = {
            "overall_score__gte": self.min_score,
            "overall_score__lte": self.max_score,
            "created_at__gte": self.since,
            "created_at__lt": self.until,
        }
        on_sqlite = connections[runs.db].vendor == "sqlite"
        if self.project_id and not near and on_sqlite:
            runs = self._of_project(runs, exact)
        else:
            runs = runs.filter(**exact)
            if self.project_id:
                project = Q(id=self.project_id)
                runs = runs.filter(_belongs(runs.db, project) if near else _of_projects(runs.db, project))
        runs = runs.filter(**{lookup: value for lookup, value in limits.items() if value is not None})
        if self.strategy:
            runs = runs.alias(effective_strategy=STRATEGY).filter(effective_strategy=self.strategy)
        if self.has_prompt is not None:
            runs = runs.filter(prompt__isnull=not self.has_prompt)
        if not self.include_archived:
            runs = runs.filter(~_belongs(runs.db, Q(status__in=HIDDEN))) if near else self._shown(runs)
        for name, value in self.of_plugins:
            runs = runs.filter(condition_of_filter(name, value))
        if self.model:
            runs = runs.filter(model_used=self.model)
        if self.improvement is not None:
            # Whatever else a file may hold in its place is neither.
            runs = runs.filter(is_improvement__in=[self.improvement])
        if self.error:
            runs = runs.alias(error_start=Substr("error_message", 1, LENGTH)).filter(
                error_start__regex=pattern(self.error)
            )
        if self.tag:
            runs = runs.filter(tags__folded_has=self.tag)
        if self.search:
            # Last: it is the one that reads whole texts.
            runs = runs.filter(self.has_text())
        return runs

    def has_text(self) -> Q:
        """What `search` asks for."""
        return reduce(or_, (Q((f"{column}__folded_contains", self.search)) for column in SEARCHED))

    def count(self, runs: QuerySet[Optimization]) -> int:
        """How many pass. What `include_archived=False` hides is counted, which is less than what it shows."""
        if self.project_id and self.has_prompt is None and connections[runs.db].vendor == "sqlite":
            # One after the other: SQLite would keep a list of the rows that either way has found.
            return sum(replace(self, has_prompt=has_prompt).count(runs) for has_prompt in (True, False))
        shown = replace(self, include_archived=True)
        hidden = 0 if self.include_archived else shown.apply(runs).filter(self.hidden(runs.db)).count()
        return shown.apply(runs).count() - hidden

    def _of_project(self, runs: QuerySet[Optimization], exact: dict[str, str]) -> QuerySet[Optimization]:
        """The project's runs, found by its prompts, and those of them that have exact values besides.

        SQLite would take the index of a status or a task type, and look through all runs that have it.
        """
        linked, named = _linked_or_named(runs.db, Q(id=self.project_id))
        if exact:
            runs = runs.alias(**{f"plain_{column}": _plain(column) for column in exact})
            values = {f"plain_{column}": value for column, value in exact.items()}
            # A prompt's runs have an index by status.
            linked &= Q(**{**values, "status": self.status} if self.status else values)
            named &= Q(**values)
        ways = {None: linked | named, True: linked, False: named}
        return runs.filter(ways[self.has_prompt])

    def _shown(self, runs: QuerySet[Optimization]) -> QuerySet[Optimization]:
        if connections[runs.db].vendor != "sqlite":
            return runs.exclude(self.hidden(runs.db))
        # By numbers of rows, so that an order's index can be walked without reading the runs that it passes.
        hidden = Optimization.objects.using(runs.db).order_by().filter(self.hidden(runs.db))
        return runs.alias(shown_row=_plain_row()).exclude(shown_row__in=hidden.values_list(RowNumber("id")))

    @staticmethod
    def hidden(using: str) -> Q:
        """The runs of archived and deleted projects."""
        return _of_projects(using, Q(status__in=HIDDEN))


def _plain(column: str) -> Func:
    """The column for a condition that no index serves; SQLite only."""
    return Func(F(column), template="+%(expressions)s")


def _plain_row() -> Func:
    """The row's number, as such a column; SQLite only."""
    return Func(RowNumber("id"), template="+%(expressions)s")


def _belongs(using: str, projects: Q) -> Q:
    """Whether a run is of these projects, asked of each on its way: a page needs few, and they may have any number."""
    found = Project.objects.using(using).filter(projects)
    prompts = Prompt.objects.using(using).filter(id=OuterRef("prompt_id"), project__in=found.values("id"))
    named = firsts_of_names(found).filter(name=OuterRef("project"))
    return Q(Exists(prompts)) | Q(prompt__isnull=True) & Q(Exists(named))


def _of_projects(using: str, projects: Q) -> Q:
    """Runs linked to a prompt of these projects or, linked to none, naming one of them."""
    linked, named = _linked_or_named(using, projects)
    return linked | named


def _linked_or_named(using: str, projects: Q) -> tuple[Q, Q]:
    found = Project.objects.using(using).filter(projects)
    prompts = Prompt.objects.using(using).filter(project__in=found.values("id"))
    return Q(prompt_id__in=prompts.values("id")), Q(
        prompt__isnull=True, project__in=firsts_of_names(found).values("name")
    )
