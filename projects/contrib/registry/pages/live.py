"""The page with what is live: all prompts of a label, now or at a moment."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from projects.contrib.registry.names import PRODUCTION
from projects.contrib.registry.pages.access import may, needs
from projects.contrib.registry.pages.deciding import requests_to_decide
from projects.contrib.registry.pages.forms import LiveForm
from projects.contrib.registry.repository import RegistryRepository
from promptadmin.db.sessions import read_session


@require_safe
@needs("read")
def live_view(request: HttpRequest) -> HttpResponse:
    """A page of names, with the version that each means."""
    form, repository = LiveForm(request.GET), RegistryRepository()
    form.is_valid()
    given = form.values()
    with read_session():
        labels = sorted({*repository.known_labels(), PRODUCTION, given["label"]})
        page = (
            None
            if form.errors
            else repository.list_live(
                label=given["label"], at=given.get("at"), prefix=given.get("folder", ""), after=given.get("after", "")
            )
        )
        waiting = requests_to_decide(request.user)
    context = {
        **admin.site.each_context(request),
        "title": "What is live",
        "form": form,
        "given": given,
        "labels": labels,
        "page": page,
        "now": timezone.now(),
        "waiting": waiting,
        "may_write": may(request.user, "write"),
    }
    return TemplateResponse(request, "registry/live.html", context)
