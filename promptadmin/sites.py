"""The admin site: apart from `admin`, which registers on it while it is imported."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.response import TemplateResponse
from django.templatetags.static import static
from django.urls import URLPattern, path
from unfold.sites import UnfoldAdminSite

from promptadmin.dashboard import Dashboard, choices_of, declared_panels, render_panels
from promptadmin.operations_page import make_backup_view, operations_view, run_step_view


class AdminSite(UnfoldAdminSite):
    """The back-office."""

    index_title = "Dashboard"
    site_url = None

    def extra_urls(self) -> list[URLPattern]:
        """The pages that belong to no table."""
        return [
            path("dashboard/panels/", self.admin_view(self.panels), name="dashboard_panels"),
            path("operations/", self.admin_view(operations_view), name="operations"),
            path("operations/backup/", self.admin_view(make_backup_view), name="make_backup"),
            path("operations/step/", self.admin_view(run_step_view), name="run_step"),
        ]

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The dashboard, whose panels follow."""
        dashboard = Dashboard.of(request)
        context = {
            "choices": choices_of(dashboard),
            "panels": declared_panels(),
            "query": request.GET.urlencode(),
            **(extra_context or {}),
        }
        answer: TemplateResponse = super().index(request, context)
        return answer

    def panels(self, request: HttpRequest) -> HttpResponse:
        """The panels, as a fragment that the dashboard fetches."""
        answer = render(request, "promptadmin/panels.html", {"panels": render_panels(Dashboard.of(request))})
        answer["Cache-Control"] = "no-store"
        return answer


def stylesheet(request: HttpRequest) -> str:
    """The address of what we add to the theme's styles."""
    return static("promptadmin/admin.css")


def keyboard_script(request: HttpRequest) -> str:
    """The address of what makes the theme's symbols usable without a mouse."""
    return static("promptadmin/keyboard.js")


def favicon(request: HttpRequest) -> str:
    """The address of the symbol in the browser's tab."""
    return static("promptadmin/favicon.svg")
