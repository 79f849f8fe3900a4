"""Comments on prompts and versions, mentions, and what people are told."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from optimizations.repository import OptimizationRepository
from projects.contrib.comments.mentions import mentioned, nobodies
from projects.contrib.comments.models import Comment, Notification, Subscription
from projects.contrib.comments.notifications import Notifications
from projects.contrib.comments.notifying import KEPT_EACH, forget_old
from projects.models import MemberRole, ProjectMember, ProjectStatus
from projects.repository import ProjectRepository
from promptadmin.accounts import tokens
from promptadmin.conf.limits import COMMENT_LENGTH
from promptadmin.context import Actor, acting
from promptadmin.db.sessions import write_session
from promptadmin.deletions.work import restore
from promptadmin.models import Deletion, LogEntry
from tests.projects.making import make_project, make_prompt, make_version
from tests.support.people import make_staff
from tests.support.token_names import token_name

pytestmark = pytest.mark.django_db
JSON = "application/json"


def person(name: str, role: str = "editor") -> User:
    user = make_staff(role)
    user.username = name
    user.save()
    return user


def browser_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def with_token(user: User | None = None, *scopes: str) -> Client:
    secret = tokens.create_token(name=token_name(), scopes=scopes or ("read", "write"), created_by=user)[1]
    return Client(headers={"Authorization": f"Bearer {secret}"})


def comments_of(prompt: Any) -> str:
    return f"/api/projects/{prompt.project_id}/prompts/{prompt.pk}/comments"


def told(user: User) -> list[tuple[str, str]]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("event", "title"))


def test_the_api_lists_adds_edits_and_deletes_ones_own() -> None:
    """Own are those of the same person, with a session or a token of theirs; the change log keeps what was said."""
    ana, ben = person("ana"), person("ben")
    prompt = make_prompt(make_project(), version=2)
    make_version(prompt, 1)
    api = with_token(ana)
    made = api.post(comments_of(prompt), {"text": "@ben, why?", "version": 1}, JSON)
    assert made.status_code == 201
    comment = made.json()
    assert (comment["text"], comment["version"], comment["mentions"]) == ("@ben, why?", 1, ["ben"])
    assert api.post(comments_of(prompt), {"text": "of the prompt"}, JSON).json()["version"] is None
    listed = api.get(comments_of(prompt)).json()
    assert [item["text"] for item in listed["items"]] == ["of the prompt", "@ben, why?"]
    assert [item["text"] for item in api.get(f"{comments_of(prompt)}?version=1").json()["items"]] == ["@ben, why?"]
    page = api.get(f"{comments_of(prompt)}?limit=1").json()
    rest = api.get(f"{comments_of(prompt)}?limit=1&cursor={page['next_cursor']}").json()
    assert [item["text"] for item in rest["items"]] == ["@ben, why?"]

    address = f"/api/comments/{comment['id']}"
    other = with_token(ben)
    assert other.put(address, {"text": "mine"}, JSON).status_code == 403
    assert other.delete(address).status_code == 403
    edited = browser_of(ana).put(address, {"text": "@ben, why three?"}, JSON)
    assert (edited.status_code, edited.json()["text"]) == (200, "@ben, why three?")
    assert edited.json()["edited_at"] is not None
    stale = api.put(address, {"text": "late"}, JSON, headers={"If-Match": made.headers["ETag"]})
    assert stale.status_code == 412
    assert api.delete(address).status_code == 204
    assert api.get(address).status_code == 404
    entries = LogEntry.objects.filter(object_pk=str(comment["id"]), content_type__model="comment").order_by("pk")
    assert [entry.get_action_display() for entry in entries] == ["create", "update", "delete"]
    assert entries[2].changes["text"] == ["@ben, why three?", None]
    assert told(ben) == [("mentioned", prompt.content)]  # an edit tells nobody again


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"text": " \n"}, 400),
        ({"text": "x" * (COMMENT_LENGTH + 1)}, 422),
        ({"text": "a\u0000"}, 422),
        ({"text": "x", "version": 9}, 404),
        ({"text": "x", "versions": 1}, 422),
        ({}, 422),
    ],
)
def test_what_can_be_no_comment_is_refused(body: dict[str, Any], status: int) -> None:
    prompt = make_prompt(make_project())
    assert with_token().post(comments_of(prompt), body, JSON).status_code == status
    assert not Comment.objects.exists()


def test_who_may_read_and_write() -> None:
    """Viewers read; nobody writes in an archived project, nor without the scope; superusers delete any."""
    project = make_project()
    prompt = make_prompt(project)
    made = with_token().post(comments_of(prompt), {"text": "a"}, JSON).json()
    viewer = browser_of(person("kim", "viewer"))
    assert viewer.get(comments_of(prompt)).status_code == 200
    assert viewer.post(comments_of(prompt), {"text": "b"}, JSON).status_code == 403
    page = viewer.get(f"/admin/projects/prompt/{prompt.pk}/change/").content.decode()
    assert "Add the comment" not in page
    assert viewer.post(f"/admin/comments/comment/prompt/{prompt.pk}/add/", {"text": "b"}).status_code == 403
    assert with_token(None, "read").post(comments_of(prompt), {"text": "b"}, JSON).status_code == 403
    project.status = ProjectStatus.ARCHIVED
    project.save()
    assert with_token().post(comments_of(prompt), {"text": "b"}, JSON).status_code == 403
    assert with_token().delete(f"/api/comments/{made['id']}").status_code == 403
    project.status = ProjectStatus.ACTIVE
    project.save()
    root = User.objects.create_superuser("root", password="correct horse")
    assert browser_of(root).post(f"/admin/comments/comment/{made['id']}/remove/", follow=True).status_code == 200
    assert not Comment.objects.exists()


def test_mentions_are_members_of_staff_however_a_sentence_goes_on() -> None:
    for name in ("ana", "ben.b"):
        User.objects.create_user(name, is_staff=True)
    User.objects.create_user("gone", is_staff=True, is_active=False)
    User.objects.create_user("reader")
    text = "@ana, (@ben.b). ana@example.com @gone @reader @nobody @ANA @ana"
    assert mentioned(text, "default") == ["ana", "ben.b"]
    assert nobodies(f"{text} @nonesuch. @...", "default") == ["gone", "reader", "nobody", "ANA", "nonesuch"]


def said(client: Client, address: str, data: dict[str, str]) -> list[str]:
    """What the page says after a form was sent."""
    return [str(message) for message in client.post(address, data, follow=True).context["messages"]]


def test_who_comments_is_told_which_mentions_reach_nobody() -> None:
    """The comment is kept. A name that nobody has is named, and so is a colleague who can't see the project."""
    ana, _ben, _kim = person("ana"), person("ben"), person("kim")
    project = make_project()
    prompt = make_prompt(project)
    for name in ("ana", "ben"):
        user = User.objects.get(username=name)
        ProjectMember.objects.create(project=project, user=user, role=MemberRole.EDITOR)
    client, add = browser_of(ana), f"/admin/comments/comment/prompt/{prompt.pk}/add/"
    told = said(client, add, {"text": "@ana @ben and @kim: see @nonesuch, @zoe."})
    assert told == [
        "The comment was added. ben will be told.",
        "No member of staff is called “nonesuch” or “zoe”, so nobody is told by that mention.",
        "Not told, because the project has members, and they are none of them: kim.",
    ]
    comment = Comment.objects.get()
    edit = f"/admin/comments/comment/{comment.pk}/edit/"
    assert said(client, edit, {"text": "@ben, see @nonesuch"}) == [
        "The comment was changed.",
        "No member of staff is called “nonesuch”, so nobody is told by that mention.",
    ]
    changed = said(client, edit, {"text": "@kim, and mail to a@example.com"})
    assert changed == ["The comment was changed. Only a new comment tells those whom it mentions."]
    assert said(client, add, {"text": "of nobody"}) == ["The comment was added."]


def act(user: User) -> Any:
    return acting(Actor(f"user {user.username}", "admin", user))


def test_subscribers_are_told_of_what_others_do(django_capture_on_commit_callbacks: Any) -> None:
    """Of a prompt, of a project and its prompts, of failed runs; nobody of what they did themselves, nor twice."""
    ana, ben, kim = person("ana"), person("ben", "viewer"), person("kim", "operator")
    project, other = make_project(name="Support"), make_project()
    prompt = make_prompt(project, "Greet.")
    with write_session():
        Notifications(ana.pk).subscribe(prompt_id=prompt.pk)
        Notifications(ben.pk).subscribe(project_id=project.pk)
        Notifications(ben.pk).subscribe(prompt_id=prompt.pk)
        Notifications(kim.pk).subscribe()
        assert not Notifications(kim.pk).subscribe()
    with act(ana), write_session():
        ProjectRepository().update_prompt(prompt_id=prompt.pk, content="Greet them.")
        ProjectRepository().add_prompt(project_id=project.pk, content="Another.")
        ProjectRepository().move_prompts([prompt.pk], project_id=other.pk)
        ProjectRepository().update_project(project_id=other.pk, name="Else")
    assert told(ana) == []
    assert told(ben) == [
        ("prompt_version_created", "Greet them."),
        ("prompt_created", "Another."),
        ("prompt_moved", "Greet them."),
    ]
    with act(ana), django_capture_on_commit_callbacks(execute=True), write_session():
        for status in ("completed", "error"):
            run = {"raw_prompt": "x", "status": status, "project": "Support"}
            OptimizationRepository().record_run(run)
    assert told(kim) == [("optimization_finished", "a run of Support")]
    assert told(ben)[3:] == [("prompt_created", "x")]  # the first run of a text in a project makes its prompt


def test_a_change_that_is_rolled_back_tells_nobody() -> None:
    ana, ben = person("ana"), person("ben")
    prompt = make_prompt(make_project())
    with write_session():
        Notifications(ben.pk).subscribe(prompt_id=prompt.pk)
    with act(ana), write_session() as connection:
        ProjectRepository().update_prompt(prompt_id=prompt.pk, content="new")
        assert told(ben)
        connection.set_rollback(True)
    assert told(ben) == []


def test_comments_and_subscriptions_go_and_come_back_with_a_prompt() -> None:
    ana = person("ana")
    prompt = make_prompt(make_project())
    with_token(ana).post(comments_of(prompt), {"text": "kept"}, JSON)
    with write_session():
        Notifications(ana.pk).subscribe(prompt_id=prompt.pk)
        ProjectRepository().delete_prompt(prompt_id=prompt.pk)
    assert (Comment.objects.count(), Subscription.objects.count()) == (0, 0)
    with write_session():
        restore(Deletion.objects.get().pk, "default")
    assert (Comment.objects.get().text, Subscription.objects.get().user_id) == ("kept", ana.pk)
    with write_session():
        ana.delete()
    assert (Comment.objects.count(), Subscription.objects.count()) == (1, 0)


def test_old_notifications_and_too_many_of_one_person_are_removed() -> None:
    ana, ben = person("ana"), person("ben")

    def tell(user: User, count: int, **values: Any) -> None:
        row = {"event": "e", "by": "b", "title": "t", "note": "", "kind": "prompt", "key": "k", **values}
        Notification.objects.bulk_create(Notification(user=user, **row) for _ in range(count))

    tell(ana, 3, created_at=timezone.now() - dt.timedelta(days=31))
    tell(ana, KEPT_EACH + 2)
    tell(ben, 5)
    done = [forget_old() for _ in range(3)]
    assert [(piece.done, piece.left) for piece in done] == [(3, 1), (2, 1), (0, 0)]
    assert (Notification.objects.filter(user=ana).count(), Notification.objects.filter(user=ben).count()) == (
        *(KEPT_EACH, 5),
    )


def test_the_page_shows_ones_own_and_marks_them_as_read() -> None:
    ana, ben = person("ana"), person("ben")
    prompt = make_prompt(make_project(), "Greet <them>.")
    with_token(ana).post(comments_of(prompt), {"text": "@ben <look>"}, JSON)
    client, other = browser_of(ben), browser_of(ana)
    page = client.get("/admin/").content.decode()
    assert "Notifications, 1 unread" in page
    page = client.get("/admin/comments/comment/notifications/").content.decode()
    assert "mentioned you in a comment" in page
    assert "@ben &lt;look&gt;" in page
    key = Notification.objects.get().pk
    other.post("/admin/comments/comment/notifications/read/", {"notification": key})
    assert Notification.objects.get().read_at is None  # another's
    client.post("/admin/comments/comment/notifications/read/")
    assert Notification.objects.get().read_at is not None
    assert "unread" not in client.get("/admin/").content.decode()
    follow = "/admin/comments/comment/notifications/subscribe/"
    for sent, count in (
        ({"kind": "project", "key": prompt.project_id}, 1),
        ({"kind": "run"}, 2),
        ({"kind": "prompt", "key": "none such"}, 2),
        ({"kind": "other"}, 2),
        ({"kind": "run", "stop": "yes"}, 1),
    ):
        assert client.post(follow, sent).status_code == 302
        assert Subscription.objects.filter(user=ben).count() == count
    assert Client().get("/admin/comments/comment/notifications/").status_code == 302


def test_the_pages_of_comments() -> None:
    """Added on a prompt's page, also for a version, whose page shows it; edited and deleted by whoever wrote it."""
    ana, ben = person("ana"), person("ben")
    prompt = make_prompt(make_project(), version=2)
    version = make_version(prompt, 1)
    client = browser_of(ana)
    page, add = f"/admin/projects/prompt/{prompt.pk}/change/", f"/admin/comments/comment/prompt/{prompt.pk}/add/"
    shown = client.post(add, {"text": "of <one>", "version": "1", "page": page}, follow=True)
    assert "of &lt;one&gt;" in shown.content.decode()
    assert "of &lt;one&gt;" in client.get(f"/admin/projects/promptversion/{version.pk}/change/").content.decode()
    refused = client.post(add, {"text": " ", "page": page})
    assert refused.status_code == 200
    assert client.post(add, {"text": "x", "page": "https://example.com/"})["Location"].startswith("/admin/")
    comment = Comment.objects.get(version=1)
    edit, remove = (f"/admin/comments/comment/{comment.pk}/{verb}/" for verb in ("edit", "remove"))
    other = browser_of(ben)
    for address in (edit, remove):
        assert other.post(address, {"text": "mine"}).status_code == 403
        assert client.get(address).status_code == 200
    client.post(edit, {"text": "of two"})
    comment.refresh_from_db()
    assert (comment.text, comment.edited_at is not None) == ("of two", True)
    assert client.post(remove)["Location"] == f"{page}#box-comments"
    assert client.get(edit).status_code == 404
    assert "x" in client.get("/admin/comments/comment/").content.decode()


def test_who_is_no_member_of_a_project_reads_nothing_of_it_and_is_told_nothing() -> None:
    """Neither comments by their ids, nor by a mention, nor by a subscription from before it had members."""
    ana, ben = person("ana"), person("ben")
    project, open_one = make_project(), make_project()
    prompt, other = make_prompt(project), make_prompt(open_one)
    with write_session():
        Notifications(ben.pk).subscribe(project_id=project.pk)
    ProjectMember.objects.create(project=project, user=ana, role=MemberRole.EDITOR)
    client = browser_of(ana)
    made = client.post(comments_of(prompt), {"text": "@ben secret"}, JSON)
    assert made.status_code == 201
    assert told(ben) == []
    outside = browser_of(ben)
    assert outside.get(f"/api/comments/{made.json()['id']}").status_code == 404
    assert outside.get(comments_of(prompt)).status_code == 404
    assert project.name not in outside.get("/admin/comments/comment/notifications/").content.decode()
    assert "secret" not in outside.get("/admin/comments/comment/").content.decode()
    move = {"confirmed": "yes", "project": project.pk}
    assert project.pk not in outside.get(f"/admin/projects/prompt/{other.pk}/move/").content.decode()
    outside.post(f"/admin/projects/prompt/{other.pk}/move/", move)
    other.refresh_from_db()
    assert other.project_id == open_one.pk
    assert client.post(f"/admin/projects/prompt/{prompt.pk}/copy/", {**move, "project": open_one.pk}).status_code == 302
