"""Tags of many named prompts at once, on the list of names."""

from __future__ import annotations

from typing import Any

import pytest

from projects.contrib.registry.models import PromptName
from projects.models import Project, ProjectStatus
from promptadmin.models import LogEntry
from tests.projects.contrib.registry.naming import make_named
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db
LIST = "/admin/registry/promptname/"


def tag(client: Any, rows: list[PromptName], **given: str) -> str:
    """What the page says after the list's action."""
    sent = {"action": "tag_selected", "_selected_action": [row.pk for row in rows], "confirmed": "yes", **given}
    return str(client.post(LIST, sent, follow=True).content.decode())


def tags_of(row: PromptName) -> str | None:
    return PromptName.objects.values_list("tags", flat=True).get(pk=row.pk)


def test_tags_are_added_and_removed_with_one_line_of_the_log_for_each_prompt() -> None:
    client = signed_in("editor")
    for name in ("a", "b", "c"):
        make_named(name)
    rows = list(PromptName.objects.order_by("key"))
    asked = client.post(LIST, {"action": "tag_selected", "_selected_action": [row.pk for row in rows[:2]]})
    assert "Change the tags of 2 prompts" in asked.content.decode()
    assert "Changed the tags of 2 of 2 prompts" in tag(client, rows[:2], add="live, short")
    assert "Changed the tags of 1 of 2 prompts" in tag(client, rows[1:], remove="short", add="")
    assert [tags_of(row) for row in rows] == ['["live", "short"]', '["live"]', None]
    assert LogEntry.objects.filter(content_type__model="promptname", changes__has_key="tags").count() == 3
    assert "Name at least one tag" in tag(client, rows, add=" , ")
    assert "A tag may have 50 characters" in tag(client, rows, add="x" * 51)
    Project.objects.update(status=ProjectStatus.ARCHIVED)
    assert "Nothing was done" in tag(client, rows, add="new")
    assert [tags_of(row) for row in rows] == ['["live", "short"]', '["live"]', None]


def test_who_may_only_see_names_is_offered_no_tags() -> None:
    make_named("a")
    client = signed_in("viewer")
    assert "tag_selected" not in client.get(LIST).content.decode()
    tag(client, list(PromptName.objects.all()), add="new")
    assert not PromptName.objects.exclude(tags=None).exists()
