"""Who may see and use the pages: staff who may do the same in the API."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from projects.contrib.registry.apps import RegistryConfig

View = Callable[..., HttpResponse]


def may(user: Any, scope: str) -> bool:
    """Whether somebody has a scope of the API's operations on names and labels."""
    return bool(user.has_perms(RegistryConfig.api_permissions[scope]))


def needs(scope: str) -> Callable[[View], View]:
    """Wrap a view, which is for those who have a scope."""

    def decorate(view: View) -> View:
        @wraps(view)
        def wrapper(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user, scope):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return wrapper

    return decorate
