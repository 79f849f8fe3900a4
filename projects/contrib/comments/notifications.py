"""What one person was told, and wants to be told."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import DEFAULT_DB_ALIAS
from django.db.models import QuerySet
from django.utils import timezone

from projects.contrib.comments.models import Notification, Subscription
from projects.repository import ProjectRepository


class Notifications:
    """Those of one user; a door opens a `write_session()` or a `read_session()` around each call."""

    def __init__(self, user_id: int, using: str = DEFAULT_DB_ALIAS) -> None:
        self.user_id, self.using = user_id, using

    @property
    def rows(self) -> QuerySet[Notification]:
        """What they were told."""
        return Notification.objects.using(self.using).filter(user_id=self.user_id)

    @property
    def subscriptions(self) -> QuerySet[Subscription]:
        """What they want to be told."""
        return Subscription.objects.using(self.using).filter(user_id=self.user_id)

    def count_unread(self, *, most: int) -> int:
        """How many they haven't read, counted up to here."""
        return self.rows.filter(read_at=None)[:most].count()

    def newest(self, *, limit: int, before: int | None = None) -> list[Notification]:
        """What they were told, newest first, from before the one with the id `before` on."""
        rows = self.rows if before is None else self.rows.filter(pk__lt=before)
        return list(rows.order_by("-pk")[:limit])

    def mark_read(self, keys: Iterable[int] | None = None) -> int:
        """Note that they have read these, or all; answers how many they hadn't."""
        unread = self.rows.filter(read_at=None)
        return (unread if keys is None else unread.filter(pk__in=keys)).update(read_at=timezone.now())

    def subscribe(self, *, prompt_id: str | None = None, project_id: str | None = None) -> bool:
        """Tell them of a prompt, a project or, without either, failed runs; False where that is so already.

        Raises NotFound for what isn't there.
        """
        prompts = ProjectRepository(self.using)
        if prompt_id is not None:
            prompts.readable_prompt(prompt_id)
        elif project_id is not None:
            prompts.readable_project(project_id)
        row = {"user_id": self.user_id, "prompt_id": prompt_id, "project_id": project_id}
        if self._one(prompt_id, project_id).exists():
            return False
        Subscription.objects.using(self.using).bulk_create([Subscription(**row)], ignore_conflicts=True)
        return True

    def unsubscribe(self, *, prompt_id: str | None = None, project_id: str | None = None) -> bool:
        """Don't tell them any more; False where that is so already."""
        return self._one(prompt_id, project_id).delete()[0] > 0

    def is_subscribed(self, *, prompt_id: str | None = None, project_id: str | None = None) -> bool:
        return self._one(prompt_id, project_id).exists()

    def _one(self, prompt_id: str | None, project_id: str | None) -> QuerySet[Subscription]:
        return self.subscriptions.filter(prompt_id=prompt_id, project_id=project_id)
