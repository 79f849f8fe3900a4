"""What whoever acts may reach: the one place that narrows rows to it, and the one that checks what is written.

The managers of the models narrow every query of theirs. Statements in SQL of their own, which no manager sees, are
followed by a look whether what they found is reached.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, TypeVar

from django.db import models
from django.db.models import Q, QuerySet

from promptadmin.context import Actor, Reach, acting, current_actor
from promptadmin.db.chunks import in_chunks
from promptadmin.errors import Forbidden

Model = TypeVar("Model", bound=models.Model)

KEYS_A_QUERY = 500


def row_limits() -> Reach | None:
    """What limits the rows that whoever acts reaches; None where they reach all."""
    reach = current_actor().reach
    return reach if reach is not None and reach.limits_rows else None


class ReachManager(models.Manager[Model]):
    """Finds the rows that whoever acts reaches: what the model's `within` says.

    `_base_manager` finds all rows, for what must hold whoever asks.
    """

    def get_queryset(self) -> QuerySet[Model]:
        """The rows within reach."""
        return within_reach(super().get_queryset())


def within_reach(rows: QuerySet[Model]) -> QuerySet[Model]:
    """Those of the rows that whoever acts reaches."""
    reach = row_limits()
    return rows if reach is None else rows.filter(_within(rows.model, reach))


def _within(model: Any, reach: Reach) -> Q:
    condition: Q = model.within(reach)
    return condition


def of_projects(reach: Reach, column: str) -> Q:
    """Rows of projects within reach; `column` has the project's key."""
    own = Q() if reach.projects is None else Q(**{f"{column}__in": sorted(reach.projects)})
    return own & ~Q(**{f"{column}__in": sorted(reach.hidden)}) if reach.hidden else own


def expect_writable(model: type[models.Model], keys: Iterable[Any], using: str, *, must_name: str = "") -> None:
    """Raises Forbidden unless whoever acts may change all these rows, which they see.

    `must_name` is what `outside` takes.

    Also to be asked after a write: what it has made, or moved, must be within reach. The error then ends the session,
    which undoes the write.
    """
    reach = row_limits()
    if reach is None:
        return
    for chunk in in_chunks(dict.fromkeys(keys), KEYS_A_QUERY):
        rows = model._base_manager.using(using).filter(pk__in=chunk)
        if rows.filter(_within(model, reach.writable)).count() < len(chunk):
            is_seen = rows.filter(_within(model, reach)).count() == len(chunk)
            raise outside(current_actor(), is_seen, must_name=must_name)


def expect_whole_projects() -> None:
    """Raises Forbidden for whoever reaches prompts by their names alone, and so not all of a project."""
    reach = row_limits()
    if reach is not None and reach.prefixes is not None:
        raise outside(current_actor())


def expect_new_projects() -> None:
    """Raises Forbidden for whoever is limited to some projects or names, and so reaches no project that is made."""
    reach = row_limits()
    if reach is not None and (reach.projects is not None or reach.prefixes is not None):
        raise outside(current_actor())


def expect_everything() -> None:
    """Raises Forbidden for whoever doesn't reach all rows, where these are about to be changed as a whole."""
    if row_limits() is not None:
        raise outside(current_actor())


def outside(actor: Actor, is_seen: bool = False, *, must_name: str = "") -> Forbidden:
    """Says which limit it is that somebody's change would not be within; one who sees it all may not change it.

    `must_name` is what has to name where it belongs to be within it, as in "a run".
    """
    reach = actor.reach or Reach()
    limits = []
    if reach.projects is not None:
        limits.append(f"the projects {_named(sorted(reach.projects))}")
    if reach.prefixes is not None:
        limits.append(f"prompts whose names begin with {' or '.join(reach.prefixes)}")
    if limits:
        field = "project" if reach.prefixes is None else "prompt_id"
        then = f"{must_name} must name one of them as its {field}" if must_name else "this would change something else"
        return Forbidden(f"{actor.name} is limited to {' and to '.join(limits)}: {then}")
    if is_seen:
        return Forbidden(f"{actor.name} is a viewer of this project, and may not change it: ask an editor of it")
    return Forbidden(f"This would concern a project that has members, and {actor.name} is none of them")


def _named(keys: list[str]) -> str:
    from projects.models import Project

    names = dict(Project._base_manager.filter(pk__in=keys).values_list("pk", "name"))
    return ", ".join(f"“{names[key]}”" if key in names else key for key in keys) or "(none)"


@contextlib.contextmanager
def by_any_name(name: str) -> Iterator[None]:
    """Inside the block, prompts are reached whatever they are called: one is made that has no name yet.

    `name` is what it will be called. Raises Forbidden where that isn't within reach.
    """
    actor = current_actor()
    if actor.reach is None or actor.reach.prefixes is None:
        yield
        return
    if not actor.reach.covers_name(name):
        raise outside(actor)
    with acting(replace(actor, reach=replace(actor.reach, prefixes=None))):
        yield
