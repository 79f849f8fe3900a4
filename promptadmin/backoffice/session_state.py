"""What the pages' scripts ask while somebody types: who is signed in, for how long, and what became of sent forms."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, JsonResponse
from django.middleware.csrf import get_token
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from promptadmin.accounts.session_limits import seconds_left
from promptadmin.backoffice.resent_forms import outcomes

#: A page asks of no more forms at once.
MOST_FORMS = 50


@never_cache
@require_safe
def session_view(request: HttpRequest) -> JsonResponse:
    """Tell it to anybody. Asking is a sign of life, as every request is; the whole length of a session stays as it is.

    A stranger's answer is no redirection to the page to sign in, which a script would take for a success.
    """
    if not admin.site.has_permission(request):
        return JsonResponse({"user": None})
    idle, whole = seconds_left(request)
    return JsonResponse(
        {
            "user": str(request.user.pk),
            "idle_seconds": idle,
            "whole_seconds": whole,
            "csrf_token": get_token(request),
            "forms": outcomes(request.user, request.GET.getlist("form")[:MOST_FORMS]),
        }
    )
