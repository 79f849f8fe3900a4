"""What becomes of events: notifications for those who want to be told. Nobody is told of what they did themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable

from django.db import DEFAULT_DB_ALIAS
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from projects.contrib.comments.mentions import staff
from projects.contrib.comments.models import Comment, Notification, Subscription
from projects.models import Project, Prompt
from projects.templatetags.prompt_texts import beginning
from promptadmin.context import current_actor
from promptadmin.db.sessions import write_session
from promptadmin.plugins import Event, JobResult

PROMPT, PROJECT, RUN = "prompt", "project", "run"
MENTIONED = "mentioned"
#: Notifications are kept for so long, and so many of each person.
KEPT, KEPT_EACH = dt.timedelta(days=30), 500
FORGOTTEN_AT_ONCE = 500
TITLE_LENGTH, NOTE_LENGTH = 120, 300


def tell_subscribers(event: Event) -> None:
    """A recorder: tell those who have subscribed to the prompt or the project that it happened to."""
    users = _subscribers(event)
    if users:
        _tell(event, users)


def tell_of_comment(event: Event) -> None:
    """A recorder: tell those whom a comment mentions, and the prompt's subscribers."""
    text = Comment.objects.using(event.using).values_list("text", flat=True).get(pk=event.data["comment_id"])
    called = set(staff(event.using).filter(username__in=event.data["mentions"]).values_list("pk", flat=True))
    note = beginning(text, NOTE_LENGTH)
    _tell(event, called, name=MENTIONED, note=note)
    _tell(event, _subscribers(event) - called, note=note)


def tell_failure(event: Event) -> None:
    """A receiver: tell those who want to know of runs that fail."""
    if event.data.get("status") != "error":
        return
    with write_session(event.using):
        wanted = Subscription.objects.using(event.using).filter(prompt=None, project=None)
        _tell(event, set(wanted.values_list("user_id", flat=True)))


def forget_old(using: str = DEFAULT_DB_ALIAS) -> JobResult:
    """Upkeep: remove some of the notifications that are over a month old, or more than 500 of one person."""
    rows = Notification.objects.using(using)
    old = list(rows.filter(created_at__lt=timezone.now() - KEPT).values_list("pk", flat=True)[:FORGOTTEN_AT_ONCE])
    if not old:
        many = rows.values("user_id").annotate(count=Count("pk")).filter(count__gt=KEPT_EACH).order_by()
        for user_id in many.values_list("user_id", flat=True)[:1]:
            own = rows.filter(user_id=user_id).order_by("-pk")
            old = list(own.values_list("pk", flat=True)[KEPT_EACH : KEPT_EACH + FORGOTTEN_AT_ONCE])
    if not old:
        return JobResult(0, 0)
    with write_session(using):
        rows.filter(pk__in=old).delete()
    return JobResult(len(old), 1)


def _subscribers(event: Event) -> set[int]:
    prompt, project = event.data.get("prompt_id"), event.data.get("project_id")
    wanted = Q(prompt_id=prompt) if prompt else Q()
    for key in filter(None, {project, event.data.get("former_project_id")}):
        wanted |= Q(project_id=key)
    rows: QuerySet[Subscription] = Subscription.objects.using(event.using).filter(wanted)
    return set(rows.values_list("user_id", flat=True)) if wanted else set()


def _tell(event: Event, users: Iterable[int], *, name: str = "", note: str = "") -> None:
    actor = current_actor()
    told = [user for user in sorted(users) if user != getattr(actor.user, "pk", None)]
    if not told:
        return
    kind, key, title = _subject(event)
    Notification.objects.using(event.using).bulk_create(
        Notification(
            user_id=user,
            event=name or event.name,
            by=actor.name,
            title=beginning(title, TITLE_LENGTH),
            note=note,
            kind=kind,
            key=key,
            created_at=event.at,
        )
        for user in told
    )


def _subject(event: Event) -> tuple[str, str, str]:
    """What it happened to: a run, a prompt or a project, its key, and what it is called."""
    data, using = event.data, event.using
    if run := data.get("optimization_id"):
        return RUN, run, f"a run of {data.get('project') or 'no project'}"
    if prompt := data.get("prompt_id"):
        row = Prompt.objects.using(using).filter(pk=prompt).first()
        return PROMPT, prompt, data.get("name") or (str(row) if row else "a prompt that is gone")
    project = str(data.get("project_id") or "")
    stored = Project.objects.using(using).filter(pk=project).values_list("name", flat=True).first()
    return PROJECT, project, stored or "a project"
