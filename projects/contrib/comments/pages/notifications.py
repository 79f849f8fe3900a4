"""The bell in the head of each page, and the page that lists what somebody was told and wants to be told."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.http import require_POST, require_safe

from projects.contrib.comments.models import Notification, Subscription
from projects.contrib.comments.notifications import Notifications
from projects.contrib.comments.notifying import MENTIONED, PROJECT, PROMPT, RUN
from projects.contrib.comments.pages.access import expect, may
from projects.contrib.comments.pages.commenting import came_from
from projects.models import Project, ProjectStatus, Prompt, paths_of
from projects.runs import run_model, run_permission
from projects.templatetags.prompt_texts import beginning
from promptadmin.db.fields import LARGEST_COUNT
from promptadmin.db.sessions import read_session, write_session
from promptadmin.errors import DomainError
from promptadmin.http.keys import row_page
from promptadmin.plugins.events import known_events

SHOWN, MOST_COUNTED = 50, 99
MOST_PROJECTS = 2000


class Pages(forms.Form):
    """From where on to list."""

    before = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_COUNT)


class ReadForm(forms.Form):
    """Which ones were read; none means all."""

    notification = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_COUNT)


def bell(request: HttpRequest) -> str:
    """A link to the page, with how many are unread."""
    if not may(request.user, "read"):
        return ""
    unread = Notifications(request.user.pk or 0).count_unread(most=MOST_COUNTED + 1)
    return render_to_string("comments/bell.html", {"unread": unread, "most": MOST_COUNTED})


@require_safe
def notifications_view(request: HttpRequest) -> HttpResponse:
    """What the user was told, newest first; what they want to be told; and what else they can be."""
    expect(request, "read")
    own, asked = Notifications(request.user.pk or 0), Pages(request.GET)
    before = asked.cleaned_data["before"] if asked.is_valid() else None
    with read_session():
        found = own.newest(limit=SHOWN + 1, before=before)
        unread = own.count_unread(most=MOST_COUNTED + 1)
        subscriptions = list(own.subscriptions.select_related("prompt", "project").order_by("pk"))
        active = Project.objects.filter(status=ProjectStatus.ACTIVE).order_by("-updated_at")[:MOST_PROJECTS]
        projects = sorted(paths_of(active, active.db).items(), key=lambda item: item[1].casefold())
    context = {
        **admin.site.each_context(request),
        "title": "Notifications",
        "notifications": [(row, _words(row), _address(row)) for row in found[:SHOWN]],
        "unread": unread,
        "last": found[SHOWN - 1].pk if len(found) > SHOWN else None,
        "is_first": before is None,
        "subscriptions": [_subscription(row) for row in subscriptions],
        "follows_failures": any(row.prompt_id is row.project_id is None for row in subscriptions),
        "may_see_runs": request.user.has_perm(run_permission("view")),
        "projects": projects,
    }
    return TemplateResponse(request, "comments/notifications.html", context)


@require_POST
def read_view(request: HttpRequest) -> HttpResponse:
    """Note that one was read, or all."""
    expect(request, "read")
    form = ReadForm(request.POST)
    if form.is_valid():
        key = form.cleaned_data["notification"]
        with write_session():
            count = Notifications(request.user.pk or 0).mark_read(None if key is None else [key])
        messages.success(request, f"{count:,} {'notification is' if count == 1 else 'notifications are'} read now.")
    return HttpResponseRedirect(reverse("admin:comments_notifications"))


@require_POST
def subscribe_view(request: HttpRequest) -> HttpResponse:
    """Begin or end to be told of a prompt, a project or failed runs."""
    expect(request, "read")
    kind, key = request.POST.get("kind", ""), request.POST.get("key", "")
    topics: dict[str, dict[str, Any]] = {PROMPT: {"prompt_id": key}, PROJECT: {"project_id": key}, RUN: {}}
    back = came_from(request) if "page" in request.POST else reverse("admin:comments_notifications")
    if kind not in topics or (kind == RUN and not request.user.has_perm(run_permission("view"))):
        messages.error(request, "Nothing was changed: choose what you want to be told of.")
        return HttpResponseRedirect(back)
    own = Notifications(request.user.pk or 0)
    try:
        with write_session():
            if request.POST.get("stop"):
                own.unsubscribe(**topics[kind])
            else:
                own.subscribe(**topics[kind])
    except DomainError as refused:
        messages.error(request, f"Nothing was changed. {refused}")
    else:
        told = {PROMPT: "of this prompt", PROJECT: "of this project", RUN: "when a run fails"}[kind]
        verb = "You won't be told" if request.POST.get("stop") else "You will be told"
        messages.success(request, f"{verb} {told}{' any more' if request.POST.get('stop') else ''}.")
    return HttpResponseRedirect(back)


def _words(row: Notification) -> str:
    """What has happened, in words."""
    if row.event == MENTIONED:
        return "mentioned you in a comment"
    if row.kind == RUN:
        return "failed"
    return known_events().get(row.event, row.event)


def _address(row: Notification) -> str:
    """The page of what it happened to."""
    models = {PROMPT: Prompt, PROJECT: Project, RUN: run_model()}
    return row_page(models[row.kind], row.key) if row.kind in models else ""


def _subscription(row: Subscription) -> dict[str, str]:
    if row.prompt_id:
        title = beginning(str(row.prompt), 100)
        return {"kind": PROMPT, "key": row.prompt_id, "title": title, "address": row_page(Prompt, row.prompt_id)}
    if row.project_id:
        title = beginning(row.project.name, 100)
        return {"kind": PROJECT, "key": row.project_id, "title": title, "address": row_page(Project, row.project_id)}
    return {"kind": RUN, "key": "", "title": "Runs that fail", "address": ""}
