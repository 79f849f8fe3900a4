"""Endpoints, the outbox, and what became of each message at each endpoint."""

from __future__ import annotations

import base64
import datetime as dt
import secrets

from django.db import models
from django.utils import timezone

from promptadmin.contrib.webhooks.addresses import validate_address

SECRET_BYTES = 32
#: How long signatures with the former secret go along with those of a new one.
ROTATION = dt.timedelta(days=1)


def new_secret() -> str:
    """A secret in the form of Standard Webhooks."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


class Endpoint(models.Model):
    """A row is an address that events are delivered to."""

    name = models.CharField(max_length=200, help_text="Which program listens there.")
    url = models.CharField(
        "address", max_length=2000, validators=[validate_address], help_text="https://, where secrets may pass."
    )
    events = models.JSONField(default=list, blank=True, help_text="Those that are delivered; none chosen means all.")
    secret = models.CharField(
        max_length=200, default=new_secret, editable=False, help_text="Its owner checks signatures with it."
    )
    is_enabled = models.BooleanField(
        "enabled", default=True, help_text="While it is off, what waits is kept, and nothing new is added."
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = "webhook endpoint"
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return str(self.name)

    def wants(self, event: str) -> bool:
        """Whether this event is delivered here."""
        if not isinstance(self.events, list):  # another program wrote it
            return self.events is None
        return not self.events or event in self.events

    def former_secrets(self) -> models.QuerySet[FormerSecret]:
        """Those that still sign beside the secret."""
        return FormerSecret.objects.using(self._state.db).filter(endpoint=self.pk, signs_until__gt=timezone.now())

    def rotate_secret(self) -> None:
        """Take a new secret, unsaved; the former one signs beside it for a day."""
        FormerSecret.objects.using(self._state.db).create(
            endpoint=self, secret=self.secret, signs_until=timezone.now() + ROTATION
        )
        self.secret = new_secret()


class FormerSecret(models.Model):
    """A row is a secret that an endpoint had before the one that it has."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE)
    secret = models.CharField(max_length=200)
    signs_until = models.DateTimeField()

    class Meta:
        verbose_name = "former webhook secret"
        default_permissions = ()

    def __str__(self) -> str:
        return f"of {self.endpoint_id}, until {self.signs_until}"


class Message(models.Model):
    """A row is an event as it is sent; its id is its position in the outbox."""

    message_id = models.CharField(max_length=100, unique=True, help_text="The header `webhook-id`.")
    event = models.CharField(max_length=100)
    subject = models.CharField(max_length=200, blank=True, help_text="What it happened to, by its id.")
    body = models.TextField()
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        verbose_name = "webhook message"
        ordering = ["-id"]
        default_permissions = ("view",)

    def __str__(self) -> str:
        return f"{self.pk}: {self.event}"


class DeliveryStatus(models.TextChoices):
    """The states of a delivery."""

    PENDING = "pending", "pending"
    DELIVERED = "delivered", "delivered"
    DEAD = "dead", "dead: given up"


class Delivery(models.Model):
    """A row is one message on its way to one endpoint."""

    endpoint = models.ForeignKey(Endpoint, on_delete=models.CASCADE)
    message = models.ForeignKey(Message, on_delete=models.CASCADE)
    subject = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=10, choices=DeliveryStatus, default=DeliveryStatus.PENDING)
    attempts = models.IntegerField(default=0)
    due_at = models.DateTimeField(default=timezone.now)
    answer = models.IntegerField("last answer", null=True, help_text="The HTTP status of the last attempt.")
    error = models.TextField("last error", blank=True)
    delivered_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = "webhook delivery"
        verbose_name_plural = "webhook deliveries"
        ordering = ["-id"]
        default_permissions = ("view", "change")
        constraints = [models.UniqueConstraint(fields=["endpoint", "message"], name="uq_webhooks_delivery")]
        indexes = [
            models.Index(fields=["status", "due_at"], name="ix_webhooks_due"),
            models.Index(
                fields=["endpoint", "subject", "message"],
                name="ix_webhooks_waiting",
                condition=models.Q(status="pending"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.message} to {self.endpoint}"
