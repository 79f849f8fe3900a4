"""Giving a colleague a role on one page, with a link for a password of their own; and what they did afterwards."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from pytest_django import Settings

from promptadmin.admin import activity
from promptadmin.models import LogEntry
from tests.projects.making import make_project, make_prompt, make_run
from tests.support.people import make_staff, signed_in

pytestmark = pytest.mark.django_db

ADD, ACTIVITY = "/admin/auth/user/add/", "/admin/promptadmin/logentry/activity/"
PASSWORD = "correct horse battery"


def administrator() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada"))
    return client


def give_role(client: Client, role: str) -> str:
    """The page that follows the form."""
    form = {"username": "vera", "email": "vera@example.com", "groups": [Group.objects.get(name=role).pk]}
    return client.post(ADD, {**form, "is_staff": "on"}, follow=True).content.decode()


def link_of(page: str) -> str:
    found = re.search(r'id="password-link"[^>]* value="([^"]+)"', page)
    assert found, page
    return urlsplit(found[1]).path


def set_password(client: Client, link: str) -> str:
    form = client.get(link, follow=True)
    assert form.status_code == 200
    address = form.redirect_chain[-1][0] if form.redirect_chain else link
    passwords = {"new_password1": PASSWORD, "new_password2": PASSWORD}
    return client.post(address, passwords, follow=True).content.decode()


def test_a_colleague_gets_a_role_and_sets_a_password_once() -> None:
    ada = administrator()
    page = ada.get(ADD).content.decode()
    assert re.search(r'name="is_staff"[^>]* checked', page)
    assert "What each role may do" in page
    link = link_of(give_role(ada, "viewer"))
    vera = User.objects.get(username="vera")
    assert (vera.is_staff, vera.has_usable_password(), [*vera.groups.values_list("name", flat=True)]) == (
        True,
        False,
        ["viewer"],
    )
    stranger = Client()
    assert "Your name to sign in is" in stranger.get(link, follow=True).content.decode()
    assert "Your password is set" in set_password(stranger, link)
    entry = LogEntry.objects.filter(object_pk=str(vera.pk)).latest("id")
    assert (entry.by, [*entry.changes]) == ("user vera", ["password"])
    vera.refresh_from_db()
    assert vera.check_password(PASSWORD)
    assert "Ask whoever gave it to you" in Client().get(link, follow=True).content.decode()


def test_a_password_may_be_typed_as_well_and_is_checked() -> None:
    ada = administrator()
    form = {"username": "vera", "is_staff": "on"}
    for first, second, problem in (
        ("short", "short", "too short"),
        (PASSWORD, "other", "match"),
        (PASSWORD, "", "required"),
    ):
        page = ada.post(ADD, {**form, "password1": first, "password2": second}).content.decode()
        assert problem in page, (first, second)
    assert not User.objects.filter(username="vera").exists()
    answer = ada.post(ADD, {**form, "password1": PASSWORD, "password2": PASSWORD})
    vera = User.objects.get(username="vera")
    assert answer["Location"] == f"/admin/auth/user/{vera.pk}/change/"
    assert vera.check_password(PASSWORD)


def test_links_end_and_are_for_active_accounts(settings: Settings) -> None:
    ada = administrator()
    link = link_of(give_role(ada, "viewer"))
    assert "Your name to sign in is" in Client().get(link, follow=True).content.decode()
    settings.PASSWORD_RESET_TIMEOUT = -1
    assert "Ask whoever gave it to you" in Client().get(link, follow=True).content.decode()
    settings.PASSWORD_RESET_TIMEOUT = 60
    User.objects.filter(username="vera").update(is_active=False)
    assert "Ask whoever gave it to you" in Client().get(link, follow=True).content.decode()
    assert "Ask whoever" in Client().get(link.replace("set-password/", "set-password/x"), follow=True).content.decode()


def test_only_superusers_make_links_for_superusers() -> None:
    root = User.objects.create_superuser("root")
    helper = make_staff("viewer")
    helper.user_permissions.set(Permission.objects.filter(codename__in=["view_user", "change_user", "add_user"]))
    client = Client()
    client.force_login(helper)
    assert client.get(f"/admin/auth/user/{root.pk}/link/").status_code == 403
    assert client.get(f"/admin/auth/user/{helper.pk}/link/").status_code == 200
    for role in ("editor", "operator"):
        assert signed_in(role).get(f"/admin/auth/user/{helper.pk}/link/").status_code == 403


def test_roles_are_a_table_of_what_they_may() -> None:
    ada = administrator()
    page = ada.get("/admin/auth/group/").content.decode()
    rows = dict(re.findall(r'<tr><th scope="row">([^<]+)</th>(.*?)</tr>', page))
    cells = {thing: re.findall(r"<td>([^<]*)</td>", row) for thing, row in rows.items()}
    assert cells["Prompts"] == ["see, add, change, delete", "see", "see"]  # editor, operator, viewer
    assert cells["The installation"] == ["–", "make backups and end stale runs, see the state of the installation", "–"]

    role = Group.objects.get(name="viewer")
    address = f"/admin/auth/group/{role.pk}/change/"
    form = ada.get(address).content.decode()
    assert form.count('type="checkbox" name="permissions"') < 70
    held = re.findall(r'name="permissions" value="(\d+)" checked', form)
    assert {int(key) for key in held} == {*role.permissions.values_list("pk", flat=True)}
    more = Permission.objects.get(codename="add_prompt")
    ada.post(address, {"name": "viewer", "permissions": [*held, more.pk]})
    assert {*role.permissions.values_list("pk", flat=True)} == {int(key) for key in held} | {more.pk}


def test_all_that_somebody_did_is_on_one_page_with_bulk_actions_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [make_run(make_prompt(make_project())) for _ in range(3)]
    editor = signed_in("editor")
    person = User.objects.get(username="editor")
    fields = {"action": "tag", "_selected_action": [run.pk for run in runs], "confirmed": "yes", "add": "checked"}
    editor.post("/admin/optimizations/optimization/", fields)
    editor.post("/admin/projects/project/add/", {"name": "Mine"})
    ada = administrator()
    page = ada.get(f"/admin/auth/user/{person.pk}/activity/", follow=True).content.decode()
    deeds = re.findall(r'<td class="pa-words">(\w+) <a href="([^"]+)">(.*?)</a>', page)
    assert [(verb, re.sub("<.*?>", "", text)) for verb, _, text in deeds] == [
        ("Create", "project Mine"),
        ("Update", "3 optimisation runs"),
    ]
    listed = ada.get(deeds[1][1].replace("&amp;", "&")).content.decode()
    assert listed.count("field-when") == 3
    assert "Mine" not in listed
    monkeypatch.setattr(activity, "SHOWN", 1)
    first = ada.get(f"{ACTIVITY}?person={person.pk}").content.decode()
    older = re.search(r'href="([^"]*before=[^"]*)">Older', first)
    assert older
    assert "3 optimisation runs" in ada.get(ACTIVITY + older[1].replace("&amp;", "&")).content.decode()
    assert ada.get(f"{ACTIVITY}?person=x").status_code == ada.get(f"{ACTIVITY}?person=999999").status_code == 404
    assert editor.get(ACTIVITY).status_code == 403
    assert signed_in("operator").get(ACTIVITY).status_code == 200
