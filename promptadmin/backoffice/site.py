"""The admin site: apart from `admin`, which registers on it while it is imported."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from csp.decorators import csp
from django.conf import settings
from django.contrib import messages
from django.contrib.admin.views.main import ERROR_FLAG
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.sites import UnfoldAdminSite

from promptadmin.accounts.lockouts.answer import too_many_passwords
from promptadmin.api.auth import PasswordThrottle
from promptadmin.backoffice.dashboard import Dashboard, choices_of, declared_panels, render_panels
from promptadmin.backoffice.deletion import delete_selected
from promptadmin.backoffice.header import header_items
from promptadmin.backoffice.operations_backups import download_view, make_backup_view
from promptadmin.backoffice.operations_page import operations_view, run_step_view
from promptadmin.backoffice.page_views import page_view
from promptadmin.backoffice.password_links import SetPasswordView
from promptadmin.backoffice.periods import FIRST, LAST
from promptadmin.backoffice.plugin_pages import plugin_pages
from promptadmin.backoffice.resent_forms import once_a_form
from promptadmin.backoffice.saved_views import delete_view, save_view, saved_views
from promptadmin.backoffice.search import search_view
from promptadmin.backoffice.session_state import session_view
from promptadmin.http.csp import PAGES
from promptadmin.http.error_responses import json_error, wants_json
from promptadmin.http.keys import with_keys
from promptadmin.http.refused_forms import form_address

#: Asks for the dashboard with its panels, which otherwise follow.
WHOLE = "whole"


class AdminSite(UnfoldAdminSite):
    """The back-office."""

    index_title = "Dashboard"
    site_url = None

    def __init__(self, name: str = "admin") -> None:
        super().__init__(name)
        self.add_action(delete_selected, "delete_selected")

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """All addresses; each row has one, whatever its key is."""
        return list(with_keys(super().get_urls()))

    def extra_urls(self) -> list[URLPattern | URLResolver]:
        """The pages that belong to no table."""
        return [
            *plugin_pages(self.admin_view),
            path("dashboard/panels/", self.admin_view(self.panels), name="dashboard_panels"),
            path(
                "set-password/<str:uidb64>/<str:token>/",
                csp(PAGES)(SetPasswordView.as_view()),
                name="set_password",
            ),
            path("session/", session_view, name="session"),
            path("views/", self.admin_view(saved_views), name="saved_views"),
            path("views/save/", self.admin_view(save_view), name="save_view"),
            path("views/<int:key>/delete/", self.admin_view(delete_view), name="delete_view"),
            path("operations/", self.admin_view(operations_view), name="operations"),
            path("operations/backup/", self.admin_view(make_backup_view), name="make_backup"),
            path("operations/backup/<str:name>/", self.admin_view(download_view), name="download_backup"),
            path("operations/step/", self.admin_view(run_step_view), name="run_step"),
        ]

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        """A page for staff, with what the theme needs of browsers. No cache keeps one, also no `cacheable` one."""
        checked: Callable[..., Any] = once_a_form(_telling_what_was_dropped(page_view(view)))
        guarded = super().admin_view(checked)

        @functools.wraps(view)
        def page(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            if request.method == "POST" and not self.has_permission(request):
                return self._sign_in_first(request)
            return guarded(request, *args, **kwargs)

        wrapped: Callable[..., Any] = csp(PAGES)(page)
        return wrapped

    def _sign_in_first(self, request: HttpRequest) -> HttpResponse:
        """Answer what was sent after the end of a session: sign in, and come back to the form."""
        if wants_json(request):
            return json_error("You aren't signed in any more: load the page anew to sign in", 401)
        if request.path == reverse("admin:logout"):
            return HttpResponseRedirect(reverse("admin:index"))
        return redirect_to_login(form_address(request), reverse("admin:login"))

    @method_decorator(csp(PAGES))
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page to sign in, which is for strangers; whoever is signed in goes on to where they wanted to be."""
        wanted = request.GET.get(REDIRECT_FIELD_NAME, "")
        if request.method == "GET" and self.has_permission(request) and _is_own_page(wanted, request):
            return HttpResponseRedirect(wanted)
        answer: HttpResponse = super().login(request, {**_other_way_in(wanted), **(extra_context or {})})
        return answer

    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page for a new password; who guesses the old one waits, before anything is hashed."""
        throttle = PasswordThrottle()
        if request.method == "POST" and not throttle.allow_request(request):
            return too_many_passwords(request, throttle.wait())
        answer: HttpResponse = super().password_change(request, extra_context)
        return answer

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """What the theme's templates are given: without colours, which it would write into each page as a style.

        And with what plugins show in the head of each page.
        """
        items = header_items(request) if self.has_permission(request) else []
        return {**super().each_context(request), "colors": None, "header_items": items}

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard, whose panels follow."""
        dashboard = Dashboard.of(request)
        if unknown := sorted(request.GET.keys() - {"period", FIRST, LAST, WHOLE, *dashboard.choices}):
            messages.warning(request, f"The dashboard has no choice named {', '.join(unknown)}: that was left out.")
        if dashboard.period.problem:
            messages.warning(request, dashboard.period.problem)
        context = {
            "choices": choices_of(dashboard),
            "panels": [panel for _, panel in declared_panels()],
            "rendered": render_panels(dashboard) if WHOLE in request.GET else None,
            "period": dashboard.period,
            "query": request.GET.urlencode(),
            **(extra_context or {}),
        }
        answer: TemplateResponse = super().index(request, context)
        return answer

    def search(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The search over all pages, in place of the theme's, which knows the names of tables alone."""
        return search_view(request)

    def panels(self, request: HttpRequest) -> HttpResponse:
        """The panels, as a fragment that the dashboard fetches."""
        answer = render(request, "promptadmin/panels.html", {"panels": render_panels(Dashboard.of(request))})
        answer["Cache-Control"] = "no-store"
        return answer


def _telling_what_was_dropped(view: Callable[..., Any]) -> Callable[..., Any]:
    """Say why a list shows all rows: Django drops every filter of an address where it can't use one of them."""

    @functools.wraps(view)
    def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        answer = view(request, *args, **kwargs)
        if answer.status_code == 302 and answer["Location"] == f"{request.path}?{ERROR_FLAG}=1":
            messages.warning(
                request,
                f"Of {', '.join(sorted(request.GET))}, something is no filter of this list, or can't be read: "
                "all filters were left out.",
            )
        return answer

    return wrapper


def _other_way_in(wanted: str) -> dict[str, str]:
    """The provider that people sign in through, for the page's button: what it is called, and the way there."""
    if not settings.OIDC:
        return {}
    query = {REDIRECT_FIELD_NAME: wanted} if wanted else {}
    return {"provider": settings.OIDC.title, "provider_address": reverse("oidc", query=query)}


def _is_own_page(address: str, request: HttpRequest) -> bool:
    """Whether the address is one of this site, other than that of the page to sign in."""
    own = url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())
    return own and urlsplit(address).path != request.path
