"""The page of failed sign-ins."""

from __future__ import annotations

from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from unfold.admin import ModelAdmin

# What the navigation calls them, on every page; migrations compare what the class itself declares.
AccessAttempt._meta.verbose_name, AccessAttempt._meta.verbose_name_plural = "failed sign-in", "failed sign-ins"
apps.get_app_config(AccessAttempt._meta.app_label).verbose_name = "Administration"


@admin.register(AccessAttempt)
class AccessAttemptAdmin(ModelAdmin):
    """Who fails to sign in, and from where; deleting an entry lifts its lockout."""

    how_rows_come = "An entry comes with each sign-in that fails."
    list_display = ["username", "ip_address", "failures_since_start", "attempt_time", "is_locked_out"]
    list_display_links = None
    search_fields = ["username", "ip_address"]
    ordering = ["-attempt_time"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Failures are counted, not entered."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody changes a count: deleting it is what helps."""
        return False

    @admin.display(description="locked out", boolean=True)
    def is_locked_out(self, row: AccessAttempt) -> bool:
        """Whether this entry alone is enough to refuse the next try."""
        return bool(row.failures_since_start >= settings.AXES_FAILURE_LIMIT)
