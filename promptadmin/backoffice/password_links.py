"""Links with which somebody sets a password of their own: made on the page of a user, and given to them by hand.

They are Django's for forgotten passwords, which work once: what is signed holds the hash of the old password.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse, reverse_lazy
from django.utils import timezone
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from unfold.widgets import UnfoldAdminPasswordWidget

from promptadmin.context import Actor, acting
from promptadmin.http.client_address import client_address
from promptadmin.http.keys import row_page


def password_link(request: HttpRequest, user: Any) -> str:
    """The whole address, for whoever the user is."""
    key = urlsafe_base64_encode(force_bytes(user.pk))
    return request.build_absolute_uri(
        reverse("admin:set_password", args=[key, default_token_generator.make_token(user)])
    )


def link_page(request: HttpRequest, user: Any) -> HttpResponse:
    """The page that shows a new link."""
    context = {
        **admin.site.each_context(request),
        "title": "Link to set a password",
        "opts": user._meta,
        "original": user,
        "person": user,
        "link": password_link(request, user),
        "ends": timezone.now() + dt.timedelta(seconds=settings.PASSWORD_RESET_TIMEOUT),
        "page": row_page(type(user), user.pk),
    }
    return TemplateResponse(request, "promptadmin/accounts/password_link.html", context)


class ThemedSetPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic only in the stubs
    """Django's, with the theme's fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class SetPasswordView(PasswordResetConfirmView):
    """The page behind the link, for whoever has it."""

    template_name = "promptadmin/accounts/set_password.html"
    form_class = ThemedSetPasswordForm
    success_url = reverse_lazy("admin:login")

    def get_user(self, uidb64: str) -> Any:
        """The user, while the account is active."""
        user = super().get_user(uidb64)
        return user if user is not None and user.is_active else None

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password: a change that they make themselves."""
        user: Any = self.user
        actor = Actor(f"user {user.get_username()}", "admin", user, client_address(self.request) or None)
        with acting(actor):
            answer = super().form_valid(form)
        messages.success(self.request, "Your password is set: sign in with it.")
        return answer

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}
