"""The addresses of the pages, below those of the list of names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from projects.contrib.registry.pages.deciding import request_view
from projects.contrib.registry.pages.live import live_view
from projects.contrib.registry.pages.moving import promote_view, undo_view
from projects.contrib.registry.pages.naming import name_view


def addresses(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """All of them, each view wrapped as the site's pages are; `object_id` is a prompt's."""
    return [
        path("live/", wrap(live_view), name="registry_live"),
        path("request/<int:request_id>/", wrap(request_view), name="registry_request"),
        path("prompt/<path:object_id>/name/", wrap(name_view), name="registry_name"),
        path("prompt/<path:object_id>/promote/", wrap(promote_view), name="registry_promote"),
        path("prompt/<path:object_id>/undo/", wrap(undo_view), name="registry_undo"),
    ]
