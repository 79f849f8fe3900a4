"""Names of prompts, what belongs to each version, labels, and the ledger of their moves.

Every table refers to prompts with the database's ON DELETE CASCADE: its rows go with the prompt, and come back with it.
"""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Q, QuerySet
from django.utils import timezone

from projects.models import OfPrompt, Prompt
from promptadmin.db.fields import Count, JSONText, Link, Moment, Text


class Kind(models.TextChoices):
    """What a prompt's text is."""

    TEXT = "text", "text"
    CHAT = "chat", "chat"
    SKILL = "skill", "skill"


class Format(models.TextChoices):
    """How a text marks its variables."""

    MUSTACHE = "mustache", "{{name}}"
    F_STRING = "f-string", "{name}"
    NONE = "none", "no variables"


class PromptName(OfPrompt):
    """A row is the name of a prompt, under which programs fetch it. `key` is the name in small letters."""

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    name = Text()
    key = Text(editable=False)
    kind = Text(choices=Kind, default=Kind.TEXT)
    template_format = Text(choices=Format, default=Format.MUSTACHE)
    description = Text(null=True, blank=True)
    tags = JSONText(null=True, blank=True)
    created_at = Moment(default=timezone.now, editable=False)

    class Meta:
        db_table = "prompt_names"
        verbose_name = "prompt name"
        constraints = [
            models.UniqueConstraint(fields=["prompt"], name="uq_prompt_names_prompt"),
            models.UniqueConstraint(fields=["key"], name="uq_prompt_names_key"),
        ]

    def __str__(self) -> str:
        return str(self.name)


def prompts_named(prefixes: tuple[str, ...]) -> QuerySet[PromptName, Any]:
    """The keys of the prompts whose names begin with one of these, in small letters."""
    named = Q(pk__in=())
    for prefix in prefixes:
        named |= Q(key__startswith=prefix)
    return PromptName._base_manager.filter(named).values("prompt_id")


class Redirect(OfPrompt):
    """A row is a name that a prompt had: it still leads there while no prompt has the name."""

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    key = Text()
    created_at = Moment(default=timezone.now, editable=False)

    class Meta:
        db_table = "prompt_redirects"
        default_permissions = ()
        indexes = [
            models.Index(fields=["key"], name="ix_prompt_redirects_key"),
            models.Index(fields=["prompt"], name="ix_prompt_redirects_prompt"),
        ]

    def __str__(self) -> str:
        return str(self.key)


class VersionDetail(OfPrompt):
    """A row is what belongs to a version of a prompt beside its text: who made it, why, and for which model."""

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    version = Count()
    author = Text(null=True, blank=True)
    reason = Text(null=True, blank=True)
    config = JSONText(null=True, blank=True)
    variables = JSONText(null=True, blank=True)
    sha256 = Text()
    created_at = Moment(default=timezone.now, editable=False)

    class Meta:
        db_table = "version_details"
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["prompt", "version"], name="uq_version_details")]

    def __str__(self) -> str:
        return f"version {self.version}"


class Label(OfPrompt):
    """A row is where a label of a prompt points: to a version, or to several with weights, for a split."""

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    label = Text()
    version = Count(null=True, blank=True)
    weights = JSONText(null=True, blank=True)
    moved_at = Moment(default=timezone.now, editable=False)

    class Meta:
        db_table = "labels"
        permissions = [("promote_label", "Can move protected labels")]
        constraints = [models.UniqueConstraint(fields=["prompt", "label"], name="uq_labels_prompt_label")]
        indexes = [models.Index(fields=["label", "prompt"], name="ix_labels_label")]

    def __str__(self) -> str:
        return str(self.label)


class LabelEvent(OfPrompt):
    """A row is one move of a label, never changed or deleted but with its prompt.

    `from_target` and `to_target` are a version, as in "3", or versions with weights, as in '{"3": 90, "4": 10}'; NULL
    where there was, or is, no such label. `position` counts the moves of one label of one prompt, from 1.
    """

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    label = Text()
    position = Count()
    from_target = Text(null=True)
    to_target = Text(null=True)
    moved_by = Text()
    door = Text()
    reason = Text()
    approved_by = Text(null=True)
    moved_at = Moment(default=timezone.now)

    class Meta:
        db_table = "label_events"
        verbose_name = "label move"
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["prompt", "label", "position"], name="uq_label_events_position")]
        indexes = [models.Index(fields=["moved_at", "id"], name="ix_label_events_moved_at")]

    def __str__(self) -> str:
        return f"{self.label}: {self.from_target} → {self.to_target}"


class LabelRule(models.Model):
    """A row is how all labels of one name are guarded."""

    label = Text(unique=True)
    is_protected = models.BooleanField(
        "protected", default=False, help_text="Moving it needs the permission, or a token's scope, to promote."
    )
    needs_reason = models.BooleanField("reason required", default=False)
    needs_second_person = models.BooleanField(
        "second person required", default=False, help_text="Somebody else than the asker approves each move."
    )

    class Meta:
        db_table = "label_rules"
        ordering = ["label"]

    def __str__(self) -> str:
        return str(self.label)


class RequestState(models.TextChoices):
    """What became of a request."""

    OPEN = "open", "open"
    APPROVED = "approved", "approved"
    REJECTED = "rejected", "rejected"


class PromotionRequest(OfPrompt):
    """A row is a move of a label that waits for a second person, or did.

    `asker` stands for the person who asked, whether they came with a session or with a token of theirs.
    """

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    label = Text()
    from_target = Text(null=True)
    to_target = Text(null=True)
    asked_by = Text()
    asker = Text()
    reason = Text()
    state = Text(choices=RequestState, default=RequestState.OPEN)
    decided_by = Text(null=True)
    asked_at = Moment(default=timezone.now)
    decided_at = Moment(null=True)

    class Meta:
        db_table = "promotion_requests"
        default_permissions = ("view",)
        indexes = [
            models.Index(fields=["prompt", "label"], name="ix_promotion_requests_prompt"),
            models.Index(fields=["state", "asked_at"], name="ix_promotion_requests_state"),
        ]

    def __str__(self) -> str:
        return f"{self.label} → {self.to_target}"


class PromptFetch(OfPrompt):
    """A row counts how often one token fetched one version of a prompt by one label on one day."""

    prompt = Link(Prompt, on_delete_sql="CASCADE", related_name="+")
    label = Text()
    version = Count()
    token = Text()
    day = models.DateField()
    count = models.BigIntegerField(default=0)
    last_at = Moment()

    class Meta:
        db_table = "prompt_fetches"
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["prompt", "day", "label", "version", "token"], name="uq_prompt_fetches")
        ]

    def __str__(self) -> str:
        return f"{self.count} on {self.day}"
