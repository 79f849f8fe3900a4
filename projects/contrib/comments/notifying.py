"""What becomes of events: notifications for those who want to be told. Nobody is told of what they did themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Count
from django.utils import timezone

from projects.contrib.comments.mentions import staff
from projects.contrib.comments.models import Comment, Notification, Subscription
from projects.contrib.comments.repository import CommentRecord
from projects.members import users_who_reach
from projects.models import Project, Prompt
from projects.namesakes import firsts_of_names
from projects.templatetags.prompt_texts import beginning
from promptadmin.context import current_actor
from promptadmin.db.raw import fetch_all
from promptadmin.db.sessions import write_session
from promptadmin.plugins import Event, JobResult

PROMPT, PROJECT, RUN = "prompt", "project", "run"
MENTIONED = "mentioned"
RUN_ID = "optimization_id"
#: Notifications are kept for so long, and so many of each person.
KEPT, KEPT_EACH = dt.timedelta(days=30), 500
FORGOTTEN_AT_ONCE = 500
TITLE_LENGTH, NOTE_LENGTH = 120, 300
#: As text: an import of prompts asks it for each, and Django takes longer to build it than it takes to run.
SUBSCRIBERS = "SELECT user_id FROM notification_subscriptions WHERE prompt_id = %s OR project_id IN (%s, %s)"


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


def told_of(comment: CommentRecord, names: Collection[str], using: str = DEFAULT_DB_ALIAS) -> list[str]:
    """Those of some members of staff who reach the prompt of a comment, and so are told of it."""
    people = dict(staff(using).filter(username__in=names).values_list("pk", "username"))
    project = Prompt._base_manager.using(using).filter(pk=comment.prompt_id).values_list("project_id", flat=True)
    reaching = users_who_reach(project.first(), people, using)
    return [name for pk, name in people.items() if pk in reaching]


def tell_failure(event: Event) -> None:
    """A receiver: tell those who want to know of runs that fail."""
    if event.data.get("status") != "error":
        return
    wanted = Subscription.objects.using(event.using).filter(prompt=None, project=None)
    users = set(wanted.values_list("user_id", flat=True))
    if users:
        with write_session(event.using):
            _tell(event, users)


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
    data = event.data
    asked = [data.get("prompt_id"), data.get("project_id"), data.get("former_project_id")]
    return {row[0] for row in fetch_all(connections[event.using], SUBSCRIBERS, asked)} if any(asked) else set()


def _tell(event: Event, users: set[int], *, name: str = "", note: str = "") -> None:
    actor = current_actor()
    others = {user for user in users if user != getattr(actor.user, "pk", None)}
    told = sorted(users_who_reach(_project_of(event), others, event.using)) if others else []
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


def _project_of(event: Event) -> str | None:
    """The project that it happened in."""
    data, using = event.data, event.using
    if project := data.get("project_id"):
        return str(project)
    if prompt := data.get("prompt_id"):
        return Prompt._base_manager.using(using).filter(pk=prompt).values_list("project_id", flat=True).first()
    named = firsts_of_names(Project._base_manager.using(using).filter(name=data.get("project") or ""))
    return named.values_list("pk", flat=True).first()


def _subject(event: Event) -> tuple[str, str, str]:
    """What it happened to: a run, a prompt or a project, its key, and what it is called."""
    data, using = event.data, event.using
    if run := data.get(RUN_ID):
        return RUN, run, f"a run of {data.get('project') or 'no project'}"
    if prompt := data.get("prompt_id"):
        row = Prompt.objects.using(using).filter(pk=prompt).first()
        return PROMPT, prompt, data.get("name") or (str(row) if row else "a prompt that is gone")
    project = str(data.get("project_id") or "")
    stored = Project.objects.using(using).filter(pk=project).values_list("name", flat=True).first()
    return PROJECT, project, stored or "a project"
