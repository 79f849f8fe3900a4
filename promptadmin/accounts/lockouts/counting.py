"""What django-axes counts, with two rules of our own: a limit by address, and no failure from the future counts."""

from __future__ import annotations

from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_cool_off
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Q, QuerySet, Sum
from django.http import HttpRequest
from django.utils import timezone


class Handler(AxesDatabaseHandler):
    """Locks out a name at an address and, after more failures, the address with any name.

    It is asked before a password is hashed, which takes a quarter of a second of a processor: somebody who makes up
    names would otherwise keep the server busy.
    """

    def is_locked(self, request: HttpRequest, credentials: dict[str, Any] | None = None) -> bool:
        """Whether this name at this address, or the address, has failed too often."""
        return bool(super().is_locked(request, credentials)) or address_is_locked(request.axes_ip_address)  # type: ignore[attr-defined]  # axes sets it

    def get_user_attempts(
        self, request: HttpRequest, credentials: dict[str, Any] | None = None
    ) -> list[QuerySet[AccessAttempt]]:
        """The failures that count; those from before a clock was set back would count for longer than the others."""
        found = super().get_user_attempts(request, credentials)
        return [attempts.filter(attempt_time__lte=timezone.now()) for attempts in found]


def address_is_locked(address: str | None) -> bool:
    """Whether too many sign-ins from an address have failed of late, with whatever names."""
    wait = get_cool_off()
    now = timezone.now()
    recent = Q(attempt_time__gt=now - wait, attempt_time__lte=now) if wait else Q()
    failures = AccessAttempt.objects.filter(recent, ip_address=address).aggregate(sum=Sum("failures_since_start"))
    return (failures["sum"] or 0) >= settings.LOCKOUT_ADDRESS_FAILURES
