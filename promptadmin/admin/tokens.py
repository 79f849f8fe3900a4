"""The pages of API tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from promptadmin.accounts import tokens
from promptadmin.backoffice.code_snippets import snippets
from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.models import ApiToken


@admin.register(ApiToken)
class ApiTokenAdmin(HistoryPage, ModelAdmin):
    """Makes tokens, shows each secret once, and revokes them; a token is never edited or deleted."""

    how_rows_come = "A token lets a program use the API. Its secret is shown once, when the token is made."
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
        button = render_to_string("promptadmin/copy_button.html", {"text": secret, "label": "Copy"})
        self.message_user(
            request,
            format_html("Copy this token now, it is not shown again: {} {}", secret, button),
            messages.WARNING,
        )

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        context["snippets"] = snippets(request, "projects", name="projects", field="items")
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.action(description="Revoke the selected tokens", permissions=["add"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiToken]) -> None:
        """Revoke those that aren't yet."""
        found = list(queryset.filter(revoked_at=None))
        for token in found:
            tokens.revoke_token(token.prefix)
        self.message_user(request, f"Revoked {len(found)} tokens.")
