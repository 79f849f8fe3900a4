"""Who may see and use the pages: staff who may do the same in the API."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from projects.contrib.comments.apps import CommentsConfig


def may(user: Any, scope: str) -> bool:
    """Whether somebody has a scope of the API's operations on comments."""
    return bool(user.has_perms(CommentsConfig.api_permissions[scope]))


def expect(request: HttpRequest, scope: str) -> None:
    """Raises PermissionDenied for whoever hasn't that scope."""
    if not may(request.user, scope):
        raise PermissionDenied
