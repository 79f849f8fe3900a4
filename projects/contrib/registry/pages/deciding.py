"""Moves that wait for a second person: where they are listed, and the page on which one is approved or rejected."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from projects.contrib.registry.models import RequestState
from projects.contrib.registry.pages.access import may, needs
from projects.contrib.registry.pages.moving import comparison
from projects.contrib.registry.repository import RegistryRepository
from projects.contrib.registry.templatetags.registry_targets import pointing
from projects.models import Prompt
from promptadmin.backoffice.dashboard import Dashboard
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError, NotFound
from promptadmin.http.keys import row_page

REQUESTS_SHOWN = 10


def waiting_requests(dashboard: Dashboard) -> dict[str, Any] | None:
    """The panel with what waits for whoever looks; nothing where nothing does."""
    found = requests_to_decide(dashboard.user)
    return {"waiting": found} if found else None


def requests_to_decide(user: Any) -> list[Any]:
    """What waits for a member of staff."""
    return RegistryRepository().list_requests_to_decide(limit=REQUESTS_SHOWN) if may(user, "write") else []


@needs("read")
def request_view(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show what somebody wants to move and what that changes, and approve or reject it."""
    repository = RegistryRepository()
    try:
        with read_session():
            found = repository.get_request(request_id)
            is_mine = repository.may_decide(found.id)
            live = repository.labels_of(found.prompt_id).get(found.label)
            compared = comparison(repository, found.name or "", live, found.to_target)
    except NotFound as missing:
        messages.error(request, f"{missing}.")
        return HttpResponseRedirect(reverse("admin:registry_promotionrequest_changelist"))
    if request.method == "POST" and may(request.user, "write"):
        try:
            with write_session():
                if "approve" in request.POST:
                    moved = repository.approve(request_id)
                    told = f"Approved: “{moved.label}” points to {pointing(moved.target)} now."
                else:
                    told = f"Rejected: “{repository.reject(request_id).label}” stays where it is."
            messages.success(request, told)
            return HttpResponseRedirect(row_page(Prompt, found.prompt_id))
        except DomainError as refused:
            messages.error(request, f"Nothing was done. {refused}.")
            return HttpResponseRedirect(request.get_full_path())
    context = {
        **admin.site.each_context(request),
        **compared,
        "title": f"{found.name}: {found.label}",
        "found": found,
        "is_open": found.state == RequestState.OPEN,
        "may_decide": is_mine and may(request.user, "write"),
        "new_name": f"Asked for: {pointing(found.to_target)}",
        "back": row_page(Prompt, found.prompt_id),
    }
    return TemplateResponse(request, "registry/request.html", context)
