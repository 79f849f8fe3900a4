"""Lists of names and of moves, a page at a time."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery

from projects.contrib.registry.models import LabelRule, PromptName
from projects.contrib.registry.names import LATEST, key_of
from projects.contrib.registry.records import EventRecord, Named, Resolved
from projects.contrib.registry.repository.ledger import event_record, target_of
from projects.contrib.registry.repository.resolving import Resolving
from projects.contrib.registry.targets import Target
from promptadmin.db import json_text
from promptadmin.db.lookups import CONTAINS
from promptadmin.errors import NotFound


@dataclass(frozen=True)
class NamePage:
    """Some names, each with where its labels point, and where the next page begins; None after the last."""

    items: list[tuple[Named, dict[str, Target]]]
    next_cursor: str | None


class Folder(NamedTuple):
    """A folder of names, by its path with a slash at the end, and how many prompts stand in it at any depth."""

    path: str
    prompts: int

    @property
    def name(self) -> str:
        """Its own name."""
        return self.path[:-1].rpartition("/")[2]


@dataclass(frozen=True)
class LivePage:
    """Some names, each with the move that brought the label where it points, and where the next page begins."""

    items: list[tuple[Named, EventRecord]]
    next_cursor: str | None


class Browsing(Resolving):
    """The part that lists."""

    def list_names(
        self,
        *,
        prefix: str | None = None,
        label: str | None = None,
        tag: str | None = None,
        kind: str | None = None,
        search: str | None = None,
        limit: int = 20,
        after: str | None = None,
    ) -> NamePage:
        """Named prompts in the order of their names; `after` is the name that the page before ended with."""
        rows = self._names(prefix, label).filter(key__gt=key_of(after or ""))
        if tag is not None:
            rows = rows.filter(tags__contains=json_text.write(tag) or "")
        if kind is not None:
            rows = rows.filter(kind=kind)
        if search:
            rows = rows.filter(Q(**{f"name__{CONTAINS}": search}) | Q(**{f"description__{CONTAINS}": search}))
        found = list(rows.order_by("key")[: limit + 1])
        page = found[:limit]
        prompts = self.prompts.prompts.in_bulk([row.prompt_id for row in page])
        labels = self.labels_of_all(list(prompts))
        items = [(self._named(row, prompts[row.prompt_id]), labels.get(row.prompt_id, {})) for row in page]
        return NamePage(items, page[-1].name if len(found) > limit else None)

    def list_folders(self, prefix: str = "", *, limit: int = 60) -> list[Folder]:
        """The first folders in one, or at the top, by name. Of each prompt the name alone is read."""
        depth = prefix.count("/")
        found: Counter[str] = Counter()
        spelled: dict[str, str] = {}
        for name in self._names(prefix, None).order_by("key").values_list("name", flat=True):
            segments = name.split("/")
            if len(segments) > depth + 1:
                path = "/".join([*segments[: depth + 1], ""])
                found[spelled.setdefault(key_of(path), path)] += 1
        return [Folder(path, prompts) for path, prompts in found.items()][:limit]

    def names_in(self, prefix: str) -> QuerySet[PromptName]:
        """The names that begin so."""
        return self._names(prefix, None)

    def labelled_prompts(self, *, label: str, prefix: str | None = None) -> Iterator[Resolved]:
        """What a label means of each prompt that has it, by name; of a split, the heaviest version.

        Raises NotFound where no prompt has it, with the labels that there are.
        """
        rows = self._names(prefix, None if label == LATEST else label)
        names = list(rows.order_by("key").values_list("name", flat=True))
        if not names:
            raise self._no_prompt_has(label, prefix)
        return (self.resolve(name=name, label=label) for name in names)

    def list_events(
        self, *, name: str | None = None, label: str | None = None, limit: int = 20, before: int | None = None
    ) -> list[EventRecord]:
        """Moves of labels, newest first, of one prompt or of all; `before` is the id that the last page ended with."""
        rows = self.events.order_by("-id")
        if name is not None:
            rows = rows.filter(prompt_id=self.find(name).prompt_id)
        if label is not None:
            rows = rows.filter(label=label)
        if before is not None:
            rows = rows.filter(id__lt=before)
        page = list(rows[:limit])
        names = self.names_of({row.prompt_id for row in page})
        return [event_record(row, names.get(row.prompt_id)) for row in page]

    def names_of(self, prompt_ids: Collection[str]) -> dict[str, str]:
        """The names of these prompts, of those that have one."""
        return dict(self.names.filter(prompt_id__in=prompt_ids).values_list("prompt_id", "name"))

    def last_moves(self, prompt_id: str) -> list[EventRecord]:
        """The last move of each label that the prompt has now, by label."""
        name = self.name_of(prompt_id)
        found = (self._last_event(prompt_id, label) for label in self.labels_of(prompt_id))
        return [event_record(row, name) for row in found if row is not None]

    def list_live(
        self, *, label: str, at: dt.datetime | None = None, prefix: str = "", limit: int = 50, after: str = ""
    ) -> LivePage:
        """Prompts that have a label now, or had it at a moment, by name, each with the move that brought it there.

        `after` is the name that the page before ended with.
        """
        moves = self.events.filter(prompt_id=OuterRef("prompt_id"), label=label).order_by("-position")
        if at is not None:
            moves = moves.filter(moved_at__lte=at)
        rows = self._names(prefix, None).filter(
            Exists(self.events.filter(prompt_id=OuterRef("prompt_id"), label=label, position=1)),
            key__gt=key_of(after),
        )
        rows = rows.annotate(move=Subquery(moves.values("id")[:1]), target=Subquery(moves.values("to_target")[:1]))
        found = list(rows.filter(target__isnull=False).order_by("key")[: limit + 1])
        page = found[:limit]
        prompts = self.prompts.prompts.in_bulk([row.prompt_id for row in page])
        events = self.events.in_bulk([row.move for row in page])
        items = [(self._named(row, prompts[row.prompt_id]), event_record(events[row.move], row.name)) for row in page]
        return LivePage(items, page[-1].name if len(found) > limit else None)

    def known_labels(self) -> list[str]:
        """The labels that any prompt has or that a rule guards, by name."""
        ruled = LabelRule.objects.using(self.using).values_list("label", flat=True)
        return sorted({*self.labels.values_list("label", flat=True).distinct(), *ruled})

    def _no_prompt_has(self, label: str, prefix: str | None) -> NotFound:
        which = f"prompt whose name begins with '{prefix}'" if prefix else "prompt with a name"
        rows = self._names(prefix, None)
        if not rows.exists():
            return NotFound(f"There is no {which}")
        there = self.labels.filter(prompt_id__in=rows.values("prompt_id")).order_by("label")
        labels = ", ".join([*there.values_list("label", flat=True).distinct(), LATEST])
        return NotFound(f"No {which} has the label '{label}': there are {labels}")

    def _names(self, prefix: str | None, label: str | None) -> QuerySet[PromptName]:
        rows = self.names.all()
        if prefix:
            first = key_of(prefix)
            rows = rows.filter(key__gte=first, key__lt=first[:-1] + chr(ord(first[-1]) + 1))
        if label is not None:
            rows = rows.filter(prompt_id__in=self.labels.filter(label=label).values("prompt_id"))
        return rows

    def labels_of_all(self, prompt_ids: Collection[str]) -> dict[str, dict[str, Target]]:
        """Where the labels of these prompts point, by prompt, but for `latest`."""
        found: dict[str, dict[str, Target]] = {}
        for row in self.labels.filter(prompt_id__in=prompt_ids).order_by("label"):
            target = target_of(row)
            if target is not None:
                found.setdefault(row.prompt_id, {})[row.label] = target
        return found
