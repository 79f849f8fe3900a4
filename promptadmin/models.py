"""The platform's own tables: API tokens, the change log, what was deleted, and what replicas must have."""

from __future__ import annotations

import datetime as dt
import json

from auditlog.models import AbstractLogEntry
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property

from promptadmin.conf.counted import counted
from promptadmin.context import Reach


class ApiToken(models.Model):
    """A row is a secret that lets one program call the API; only the secret's SHA-256 is kept."""

    name = models.CharField(max_length=200, help_text="Which program has it.")
    prefix = models.CharField(max_length=16, unique=True, editable=False)
    digest = models.CharField(max_length=64, editable=False)
    can_read = models.BooleanField("read", default=True)
    can_write = models.BooleanField("write", default=False)
    can_admin = models.BooleanField("admin", default=False)
    can_promote = models.BooleanField("promote", default=False, db_default=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, editable=False
    )
    expires_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, editable=False)
    revoked_at = models.DateTimeField(null=True, editable=False)
    #: What it is limited to, as JSON: lists by the names of `Reach`'s fields. Empty for no limits.
    limits = models.TextField(blank=True, default="", db_default="", editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created_at"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def scopes(self) -> frozenset[str]:
        """What the token may do: any of read, write, admin, promote."""
        granted = {
            "read": self.can_read,
            "write": self.can_write,
            "admin": self.can_admin,
            "promote": self.can_promote,
        }
        return frozenset(scope for scope, has in granted.items() if has)

    @cached_property
    def reach(self) -> Reach | None:
        """What the token is limited to, if it is."""
        if not self.limits:
            return None
        kept = json.loads(self.limits)
        projects, prefixes, labels = kept.get("projects"), kept.get("prefixes"), kept.get("labels")
        return Reach(
            projects=None if projects is None else frozenset(projects),
            prefixes=None if prefixes is None else tuple(prefixes),
            labels=None if labels is None else frozenset(labels),
        )

    def is_usable(self, now: dt.datetime) -> bool:
        """Whether the token is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class LogEntry(AbstractLogEntry):
    """A row is one change of one row: its columns before and after, who made it, when, and through which door."""

    by = models.CharField("who", max_length=300, blank=True, default="", editable=False)
    door = models.CharField(max_length=20, blank=True, default="", editable=False)
    note = models.TextField(blank=True, default="", editable=False)

    class Meta(AbstractLogEntry.Meta):
        verbose_name = "change log entry"
        verbose_name_plural = "change log entries"
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.object_repr}"


class WritePosition(models.Model):
    """A row is how far a replica must be for somebody to read there: where PostgreSQL's log was after their last write.

    See `promptadmin.db.postgresql.replicas`, which reads and writes it.
    """

    caller = models.CharField(max_length=300, primary_key=True)
    position = models.BigIntegerField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return self.caller


class Maintenance(models.Model):
    """What operators do to the installation as a whole: permissions and a place in the change log, without a table."""

    class Meta:
        managed = False
        default_permissions = ()
        permissions = [
            ("view_operations", "Can see the state of the installation"),
            ("run_maintenance", "Can make backups and end stale runs"),
        ]

    def __str__(self) -> str:
        return "maintenance"


class KeptAnswer(models.Model):
    """A row is the answer to one POST with an `Idempotency-Key`, kept for a day so that sending it again does nothing.

    `digest` stands for the key and who sent it, `asked` for the request. Without `body` the answer was too large.
    """

    digest = models.CharField(max_length=64, unique=True)
    asked = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now)
    status = models.PositiveSmallIntegerField()
    headers = models.TextField()
    body = models.BinaryField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.status} of {self.created_at}"


class DeletionState(models.TextChoices):
    """How far a deletion is. `GOING` and `RESTORING` are on their way, in pieces; only `KEPT` can be restored."""

    GOING = "going", "being deleted"
    KEPT = "kept", "deleted"
    RESTORING = "restoring", "being restored"


class Deletion(models.Model):
    """A row is one deletion: what went, who deleted it, through which door, and until when it can be restored.

    `kind` says what `key` is the key of; `parts` is what more the deletion needs to find its rows, as JSON.
    """

    kind = models.CharField(max_length=20)
    key = models.TextField(blank=True, default="")
    title = models.TextField(blank=True, default="")
    parts = models.TextField(blank=True, default="")
    state = models.CharField(max_length=10, choices=DeletionState, default=DeletionState.KEPT)
    prompts = models.BigIntegerField(default=0)
    versions = models.BigIntegerField(default=0)
    runs = models.BigIntegerField(default=0)
    by = models.CharField("who", max_length=300, blank=True, default="")
    door = models.CharField(max_length=20, blank=True, default="")
    note = models.TextField(blank=True, default="")
    deleted_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.kind} “{self.title}”"


class DeletedRows(models.Model):
    """Some of the rows that a deletion took from one table, as they were. See `promptadmin.db.kept_rows`.

    `table` is "table", "table.column" for links that became NULL, or "table(key)" for rows of a plugin's table
    ("table()" if its key has several columns).
    """

    deletion = models.ForeignKey(Deletion, on_delete=models.CASCADE, related_name="kept")
    table = models.CharField(max_length=100)
    rows = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self) -> str:
        return f"{counted(self.rows, 'row')} of {self.table}"


class SavedView(models.Model):
    """A row is a list with some filters, under a name; a shared one is for all staff who may see the list.

    `table` is the label of the list's model, as in "optimizations.optimization", `query` what its address asks for.
    """

    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    table = models.CharField(max_length=100)
    name = models.CharField(max_length=100)
    query = models.TextField(blank=True, default="")
    is_shared = models.BooleanField("shared", default=False)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["owner", "table", "name"], name="uq_saved_views")]

    def __str__(self) -> str:
        return self.name
