"""Who may see and use the pages: staff who may do the same in the API; and what they see where a prompt is missing."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from projects.contrib.registry.apps import RegistryConfig
from projects.models import Prompt
from promptadmin.compat import row_is_gone

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


def prompt_is_gone(request: HttpRequest, key: str) -> HttpResponse:
    """Back to the start, with a message that there is no such prompt, as from the prompt's own pages."""
    return row_is_gone(admin.site.get_model_admin(Prompt), request, key)
