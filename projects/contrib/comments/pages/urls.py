"""The addresses of the pages, which stand below those of the list of comments."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from projects.contrib.comments.pages.commenting import add_view, delete_view, edit_view
from projects.contrib.comments.pages.notifications import notifications_view, read_view, subscribe_view


def addresses(wrap: Callable[[Any], Any]) -> list[URLPattern]:
    """All of them, each view wrapped as the site's pages are; `object_id` is a prompt's."""
    return [
        path("notifications/", wrap(notifications_view), name="comments_notifications"),
        path("notifications/read/", wrap(read_view), name="comments_read"),
        path("notifications/subscribe/", wrap(subscribe_view), name="comments_subscribe"),
        path("prompt/<path:object_id>/add/", wrap(add_view), name="comments_add"),
        path("<int:comment_id>/edit/", wrap(edit_view), name="comments_edit"),
        path("<int:comment_id>/remove/", wrap(delete_view), name="comments_remove"),
    ]
