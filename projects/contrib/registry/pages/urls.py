"""The addresses of the pages, below those of the list of names; `object_id` is a prompt's."""

from __future__ import annotations

from django.urls import path

from projects.contrib.registry.pages.deciding import request_view
from projects.contrib.registry.pages.live import live_view
from projects.contrib.registry.pages.moving import promote_view, undo_view
from projects.contrib.registry.pages.naming import name_view

PAGES = [
    path("promptname/live/", live_view, name="registry_live"),
    path("promptname/request/<int:request_id>/", request_view, name="registry_request"),
    path("promptname/prompt/<path:object_id>/name/", name_view, name="registry_name"),
    path("promptname/prompt/<path:object_id>/promote/", promote_view, name="registry_promote"),
    path("promptname/prompt/<path:object_id>/undo/", undo_view, name="registry_undo"),
]
