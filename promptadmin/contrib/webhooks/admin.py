"""Endpoints, messages and deliveries in the back-office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint, Message
from promptadmin.contrib.webhooks.outbox import deliver_again, replay
from promptadmin.events import known_events
from promptadmin.readonly_admin import ReadOnlyAdmin, link_to_list
from promptadmin.sessions import write_session


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An endpoint, with the events as boxes to tick."""

    events = forms.MultipleChoiceField(
        choices=lambda: [(name, f"{name}: {meaning}") for name, meaning in known_events().items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Those that are delivered; none chosen means all.",
    )

    class Meta:
        model = Endpoint
        fields = ["name", "url", "events", "is_enabled"]


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):
    """Makes endpoints, and shows how each is doing."""

    form = EndpointForm
    list_display = ["name", "url", "is_enabled", "waiting", "dead"]
    readonly_fields = ["secret", "created_at"]
    actions = ["replay_all"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The secret is there once the endpoint is."""
        return ["name", "url", "events", "is_enabled", *(["secret", "created_at"] if obj else [])]

    @admin.display(description="waiting")
    def waiting(self, row: Endpoint) -> str:
        """A link to what waits."""
        return self._link(row, DeliveryStatus.PENDING)

    @admin.display(description="given up")
    def dead(self, row: Endpoint) -> str:
        """A link to the dead letters."""
        return self._link(row, DeliveryStatus.DEAD)

    def _link(self, row: Endpoint, status: DeliveryStatus) -> str:
        count = Delivery.objects.filter(endpoint=row, status=status).count()
        return link_to_list(Delivery, f"{count:,}", endpoint__id__exact=str(row.pk), status__exact=status.value)

    @admin.action(description="Deliver every kept message again", permissions=["change"])
    def replay_all(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """From the beginning of the outbox; `replay_webhooks` takes a position."""
        with write_session():
            count = sum(replay(endpoint.pk, position=0) for endpoint in queryset)
        self.message_user(request, f"{count:,} messages are on their way again.")


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """The outbox."""

    list_display = ["id", "event", "subject", "created_at"]
    list_filter = ["event"]
    search_fields = ["subject", "message_id"]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """What became of each message at each endpoint."""

    list_display = ["message", "endpoint", "status", "attempts", "answer", "error", "due_at", "delivered_at"]
    list_filter = ["status", "endpoint"]
    list_select_related = ["message", "endpoint"]
    actions = ["again"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody edits a delivery; the list is open to those who may repeat one."""
        return obj is None and ModelAdmin.has_change_permission(self, request, obj)

    @admin.action(description="Deliver again", permissions=["change"])
    def again(self, request: HttpRequest, queryset: QuerySet[Delivery]) -> None:
        """Dead or delivered, once more."""
        with write_session():
            count = deliver_again(queryset.values_list("pk", flat=True))
        self.message_user(request, f"{count:,} deliveries are on their way again.")
