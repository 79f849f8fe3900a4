"""Comments on prompts, what people want to be told, and what they were told.

Comments and subscriptions refer to prompts and projects with the database's ON DELETE CASCADE: they go with them, and
come back with them.
"""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone

from projects.models import Project, Prompt
from promptadmin.db.fields import Count, Link, Moment, Text


class Comment(models.Model):
    """A row is what somebody says about a prompt or, with a `version`, about that version of it.

    `author` stands for the person, whether they came with a session or with a token of theirs; `by` is what the change
    log calls them.
    """

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    version = Count(null=True, blank=True)
    text = Text()
    author = Text()
    by = Text()
    created_at = Moment(default=timezone.now, editable=False)
    edited_at = Moment(null=True, editable=False)

    class Meta:
        db_table = "prompt_comments"
        indexes = [models.Index(fields=["prompt", "version"], name="ix_prompt_comments_prompt")]

    def __str__(self) -> str:
        return str(self.text)[:80]


class Subscription(models.Model):
    """A row is what somebody wants to be told of: a prompt, a project or, with neither, runs that fail."""

    user = Link(settings.AUTH_USER_MODEL, on_delete_sql="CASCADE", related_name="+")
    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+", null=True)
    project = Link(Project, on_delete_sql="CASCADE", related_name="+", null=True)

    class Meta:
        db_table = "notification_subscriptions"
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["prompt", "user"], name="uq_subscriptions_prompt"),
            models.UniqueConstraint(fields=["project", "user"], name="uq_subscriptions_project"),
            models.UniqueConstraint(
                fields=["user"], name="uq_subscriptions_failures", condition=Q(prompt=None, project=None)
            ),
        ]
        indexes = [models.Index(fields=["user"], name="ix_subscriptions_user")]

    def __str__(self) -> str:
        return f"prompt {self.prompt_id}" if self.prompt_id else f"project {self.project_id or '-'}"


class Notification(models.Model):
    """A row is something that has happened, told to one person. `kind` and `key` say what it happened to."""

    user = Link(settings.AUTH_USER_MODEL, on_delete_sql="CASCADE", related_name="+")
    event = Text()
    by = Text()
    title = Text()
    note = Text()
    kind = Text()
    key = Text()
    created_at = Moment(default=timezone.now)
    read_at = Moment(null=True)

    class Meta:
        db_table = "notifications"
        default_permissions = ()
        indexes = [
            models.Index(fields=["user", "read_at", "id"], name="ix_notifications_unread"),
            models.Index(fields=["user", "id"], name="ix_notifications_user"),
            models.Index(fields=["created_at"], name="ix_notifications_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.event}: {self.title}"
