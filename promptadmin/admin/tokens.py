"""The pages of API tokens."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminTextareaWidget

from promptadmin.accounts import tokens
from promptadmin.backoffice.code_snippets import snippets
from promptadmin.backoffice.row_history import HistoryPage
from promptadmin.conf.counted import counted
from promptadmin.errors import DomainError
from promptadmin.models import ApiToken

#: What the fields of the limits say.
LIMITS = {
    "projects": "Names or ids. Such a token sees and changes nothing of other projects.",
    "prefixes": "Beginnings of names, such as support/. Such a token knows prompts with such names alone.",
    "labels": "Such as staging. Such a token moves no others; it may fetch all.",
}


class TokenForm(forms.ModelForm):  # type: ignore[type-arg]  # generic only in the stubs
    """A token with its limits, one a line; what isn't filled in doesn't limit."""

    projects, prefixes, labels = (
        forms.CharField(
            required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}), help_text=f"One a line. {says}"
        )
        for says in LIMITS.values()
    )

    def limits(self) -> dict[str, list[str]]:
        """What was typed."""
        return {name: str(self.cleaned_data.get(name) or "").splitlines() for name in LIMITS}

    def clean_name(self) -> str:
        """Refuse the name of a token that is in use."""
        try:
            return tokens.checked_name(self.cleaned_data["name"])
        except DomainError as refused:
            raise forms.ValidationError(str(refused)) from refused

    def clean(self) -> None:
        """Show in the form what can be no limit."""
        super().clean()
        scopes = [scope for scope in tokens.SCOPES if self.cleaned_data.get(f"can_{scope}")]
        try:
            tokens.checked_limits(self.limits(), scopes)
        except DomainError as refused:
            self.add_error(None, str(refused))


@admin.register(ApiToken)
class ApiTokenAdmin(HistoryPage, ModelAdmin):
    """Makes tokens, shows each secret once, and revokes them; a token is never edited or deleted."""

    how_rows_come = "A token lets a program use the API. Its secret is shown once, when the token is made."
    list_display = [
        *("name", "prefix", "can_read", "can_write", "can_admin", "can_promote"),
        *("limits_shown", "expires_at", "last_used_at", "revoked_at"),
    ]
    form = TokenForm
    fieldsets = [
        (None, {"fields": ["name", "can_read", "can_write", "can_admin", "can_promote", "expires_at"]}),
        ("Limits", {"fields": [*LIMITS]}),
    ]
    actions = ["revoke"]

    @admin.display(description="limits", empty_value="-")
    def limits_shown(self, token: ApiToken) -> str:
        """As in "projects: Support; labels: staging"."""
        return "; ".join(f"{name}: {', '.join(texts)}" for name, texts in tokens.shown_limits(token).items())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """A token's rights never change: make another one. The list stays open for revoking."""
        return obj is None and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Revoked tokens stay on record."""
        return False

    def save_model(self, request: HttpRequest, obj: ApiToken, form: Any, change: bool) -> None:
        """Make the token through the one place that does, and show its secret this once."""
        token, secret = tokens.create_token(
            name=obj.name,
            scopes=obj.scopes,
            limits=form.limits(),
            expires_at=obj.expires_at,
            created_by=request.user,
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
        self.message_user(request, f"Revoked {counted(len(found), 'token')}.")
