"""The pages of API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from promptadmin.accounts import tokens
from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(HistoryPage, ModelAdmin):
    """Makes tokens, shows each secret once, and revokes them; a token is never edited or deleted."""

    list_display = [
        *("name", "prefix", "can_read", "can_write", "can_admin", "can_promote"),
        *("expires_at", "last_used_at", "revoked_at"),
    ]
    fields = ["name", "can_read", "can_write", "can_admin", "can_promote", "expires_at"]
    actions = ["revoke"]

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token's rights never change: make another one. The list stays open for revoking."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Revoked tokens stay on record."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """Make the token through the one place that does, and show its secret this once."""
        token, secret = tokens.create_token(
            name=obj.name, scopes=obj.scopes, expires_at=obj.expires_at, created_by=request.user
        )
        obj.pk, obj.prefix = token.pk, token.prefix
        self.message_user(request, f"Copy this token now, it is not shown again: {secret}", messages.WARNING)

    @admin.action(description="Revoke the selected tokens", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke those that aren't yet."""
        found = list(queryset.filter(revoked_at=None))
        for token in found:
            tokens.revoke_token(token.prefix)
        self.message_user(request, f"Revoked {len(found)} tokens.")
