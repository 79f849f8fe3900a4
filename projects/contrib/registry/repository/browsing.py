"""Lists of names and of moves, a page at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.db.models import Q, QuerySet

from projects.contrib.registry.models import PromptName
from projects.contrib.registry.names import LATEST, key_of
from projects.contrib.registry.records import EventRecord, Named, Resolved
from projects.contrib.registry.repository.ledger import event_record, target_of
from projects.contrib.registry.repository.resolving import Resolving
from projects.contrib.registry.targets import Target
from promptadmin.db import json_text
from promptadmin.db.lookups import CONTAINS


@dataclass(frozen=True)
class NamePage:
    """Some names, each with where its labels point, and where the next page begins; None after the last."""

    items: list[tuple[Named, dict[str, Target]]]
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
        labels = self._labels_of_all(list(prompts))
        items = [(self._named(row, prompts[row.prompt_id]), labels.get(row.prompt_id, {})) for row in page]
        return NamePage(items, page[-1].name if len(found) > limit else None)

    def labelled_prompts(self, *, label: str, prefix: str | None = None) -> Iterator[Resolved]:
        """What a label means of each prompt that has it, by name; of a split, the heaviest version."""
        names = self._names(prefix, None if label == LATEST else label).order_by("key").values_list("name", flat=True)
        return (self.resolve(name=name, label=label) for name in list(names))

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
        ids = {row.prompt_id for row in page}
        names = dict(self.names.filter(prompt_id__in=ids).values_list("prompt_id", "name"))
        return [event_record(row, names.get(row.prompt_id)) for row in page]

    def _names(self, prefix: str | None, label: str | None) -> QuerySet[PromptName]:
        rows = self.names.all()
        if prefix:
            first = key_of(prefix)
            rows = rows.filter(key__gte=first, key__lt=first[:-1] + chr(ord(first[-1]) + 1))
        if label is not None:
            rows = rows.filter(prompt_id__in=self.labels.filter(label=label).values("prompt_id"))
        return rows

    def _labels_of_all(self, prompt_ids: list[str]) -> dict[str, dict[str, Target]]:
        found: dict[str, dict[str, Target]] = {}
        for row in self.labels.filter(prompt_id__in=prompt_ids).order_by("label"):
            target = target_of(row)
            if target is not None:
                found.setdefault(row.prompt_id, {})[row.label] = target
        return found
