"""Endpoints, messages and deliveries in the back-office."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from unfold.admin import ModelAdmin

from promptadmin.backoffice.readonly_admin import ReadOnlyAdmin, link_to_list
from promptadmin.conf.counted import counted
from promptadmin.contrib.webhooks.models import Delivery, DeliveryStatus, Endpoint, Message
from promptadmin.contrib.webhooks.outbox import delete_deliveries, deliver_again, replay
from promptadmin.db.sessions import write_session
from promptadmin.plugins.events import known_events

#: For how long one request deletes deliveries.
SECONDS_TO_DELETE = 15.0
NOUNS = ("delivery", "deliveries")


class EndpointForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """An endpoint, with the events as boxes to tick."""

    events = forms.MultipleChoiceField(
        choices=lambda: [(name, f"{name}: {meaning}") for name, meaning in known_events().items()],
        widget=forms.CheckboxSelectMultiple,
        required=False,
        help_text="Those that are delivered; none chosen means all.",
    )
    rotate_secret = forms.BooleanField(
        required=False,
        help_text="Saving makes a new secret. For a day requests have a second signature, by the former one: give the "
        "new one to the receiver meanwhile.",
    )

    class Meta:
        model = Endpoint
        fields = ["name", "url", "events", "is_enabled"]


@admin.register(Endpoint)
class EndpointAdmin(ModelAdmin):
    """Makes endpoints, and shows how each is doing."""

    form = EndpointForm
    list_display = ["name", "url", "is_enabled", "waiting", "dead"]
    readonly_fields = ["secret", "former_secret", "created_at"]
    actions = ["replay_all"]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The secret is there once the endpoint is."""
        kept = ["secret", "rotate_secret", "former_secret", "created_at"]
        return ["name", "url", "events", "is_enabled", *(kept if obj else [])]

    @admin.display(description="former secret signs until", empty_value="-")
    def former_secret(self, row: Endpoint) -> dt.datetime | None:
        """Until when it signs too."""
        until: dt.datetime | None = row.former_secrets().aggregate(until=Max("signs_until"))["until"]
        return until

    def save_model(self, request: HttpRequest, obj: Endpoint, form: Any, change: bool) -> None:
        """With a new secret where that is asked for."""
        if change and form.cleaned_data.get("rotate_secret"):
            obj.rotate_secret()
        super().save_model(request, obj, form, change)

    def get_deleted_objects(self, objs: Any, request: HttpRequest) -> Any:
        """What goes: counted, because an endpoint may have hundreds of thousands of deliveries."""
        counts = {row: Delivery.objects.filter(endpoint=row.pk).count() for row in objs}
        described = [f"{row}, with {counted(count, *NOUNS)}" for row, count in counts.items()]
        total = sum(counts.values())
        numbers = {Endpoint._meta.verbose_name_plural: len(counts), Delivery._meta.verbose_name_plural: total}
        is_allowed = all(self.has_delete_permission(request, row) for row in counts)
        return described, numbers, set() if is_allowed else {Endpoint._meta.verbose_name}, []

    @method_decorator(csrf_protect)
    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """Delete the deliveries before the page's own transaction, which would keep all other writers waiting."""
        row = self.get_object(request, unquote(object_id)) if request.method == "POST" else None
        if row is not None and self.has_delete_permission(request, row) and not self._empty(request, [row]):
            return HttpResponseRedirect(reverse("admin:webhooks_endpoint_changelist"))
        answer: HttpResponse = super().delete_view(request, object_id, extra_context)
        return answer

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        for row in self._empty(request, list(queryset)):
            with write_session():
                row.delete()

    def _empty(self, request: HttpRequest, rows: list[Endpoint]) -> list[Endpoint]:
        """Delete the deliveries of endpoints, for some seconds; answers the endpoints that have none any more."""
        until, emptied = time.monotonic() + SECONDS_TO_DELETE, []
        for row in rows:
            left = delete_deliveries(row.pk, until=until)
            if left:
                text = f"{row} is off, and still has {counted(left, *NOUNS)}: delete it again to go on."
                self.message_user(request, text, messages.WARNING)
            else:
                emptied.append(row)
        return emptied

    @admin.display(description="waiting")
    def waiting(self, row: Endpoint) -> str:
        return self._link(row, DeliveryStatus.PENDING)

    @admin.display(description="given up")
    def dead(self, row: Endpoint) -> str:
        return self._link(row, DeliveryStatus.DEAD)

    def _link(self, row: Endpoint, status: DeliveryStatus) -> str:
        count = Delivery.objects.filter(endpoint=row, status=status).count()
        return link_to_list(Delivery, f"{count:,}", endpoint__id__exact=str(row.pk), status__exact=status.value)

    @admin.action(description="Deliver every kept message again", permissions=["change"])
    def replay_all(self, request: HttpRequest, queryset: QuerySet[Endpoint]) -> None:
        """From the beginning of the outbox; `replay_webhooks` takes a position."""
        with write_session():
            count = sum(replay(endpoint.pk, position=0) for endpoint in queryset)
        self.message_user(request, f"On the way again: {counted(count, 'message')}.")


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
        self.message_user(request, f"On the way again: {counted(count, *NOUNS)}.")
