"""Who fetches what: counts."""

from __future__ import annotations

import datetime as dt

from django.db.models import Max, QuerySet, Sum
from django.utils import timezone

from projects.contrib.registry.models import PromptFetch
from projects.contrib.registry.records import FetchRecord, FetchSum
from projects.contrib.registry.repository.named import Names


class Usage(Names):
    """The part that knows what programs fetch."""

    @property
    def fetches(self) -> QuerySet[PromptFetch]:
        """All counts."""
        return PromptFetch.objects.using(self.using)

    def list_fetches(self, *, name: str, days: int = 30) -> list[FetchRecord]:
        """How often each token fetched each version by each label on each of the last days, newest first."""
        first = timezone.now().date() - dt.timedelta(days=days - 1)
        rows = self.fetches.filter(prompt_id=self.find(name).prompt_id, day__gte=first)
        return [
            FetchRecord(row.day, row.label or None, row.version, row.token, row.count, row.last_at)
            for row in rows.order_by("-day", "label", "version", "token")
        ]

    def sum_fetches(self, prompt_id: str, by: str, *, days: int = 30, limit: int = 20) -> list[FetchSum]:
        """The fetches of the last days by one of day, label, version and token: most first, days in their order."""
        first = timezone.now().date() - dt.timedelta(days=days - 1)
        rows = self.fetches.filter(prompt_id=prompt_id, day__gte=first).values_list(by)
        summed = rows.annotate(times=Sum("count"), last=Max("last_at"))
        found = summed.order_by(by) if by == "day" else summed.order_by("-times", by)[:limit]
        return [FetchSum(*row) for row in found]

    def last_fetched(self, prompt_ids: list[str]) -> dict[str, dt.datetime]:
        """When each prompt was fetched last, of those that were."""
        rows = self.fetches.filter(prompt_id__in=prompt_ids).values_list("prompt_id")
        return dict(rows.annotate(last=Max("last_at")).values_list("prompt_id", "last"))
