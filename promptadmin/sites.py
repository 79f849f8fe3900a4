"""The admin site: apart from `admin.py`, which registers on it while it is imported."""

from __future__ import annotations

from django.http import HttpRequest
from django.templatetags.static import static
from unfold.sites import UnfoldAdminSite


class AdminSite(UnfoldAdminSite):
    """The back-office."""

    index_title = "Dashboard"
    site_url = None
    empty_value_display = "-"


def stylesheet(request: HttpRequest) -> str:
    """The address of what we add to the theme's styles."""
    return static("promptadmin/admin.css")
