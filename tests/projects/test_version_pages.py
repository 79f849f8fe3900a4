"""Versions: who made them, how and why; the page of each; restoring, with a reason, and undoing that."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from projects.models import Prompt, PromptVersion
from projects.repository import ProjectRepository
from promptadmin.conf.limits import REASON_LENGTH
from promptadmin.errors import Invalid
from promptadmin.models import LogEntry
from tests.projects.making import make_project, make_prompt, make_run, make_version
from tests.support.people import signed_in

pytestmark = pytest.mark.django_db

PROMPTS, VERSIONS = "/admin/projects/prompt/", "/admin/projects/promptversion/"


@pytest.fixture
def client() -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("ana"))
    return browser


def page(client: Client, address: str) -> str:
    answer = client.get(address)
    assert answer.status_code == 200, address
    return html.unescape(answer.content.decode())


def plain(markup: str) -> str:
    """The words of a part of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", markup).split())


def rows_of(markup: str) -> list[str]:
    return [plain(row) for row in re.findall(r"<tr>.*?</tr>", markup, re.DOTALL)]


def save(client: Client, prompt: Prompt, content: str, reason: str = "") -> Any:
    version = Prompt.objects.get(pk=prompt.pk).version
    fields = {"content": content, "reason": reason, "read_version": version}
    return client.post(f"{PROMPTS}{prompt.id}/change/", fields)


def test_a_prompt_tells_who_changed_it_how_and_why(client: Client) -> None:
    prompt = make_prompt(make_project(), "one")
    assert save(client, prompt, "two", "customers asked for it").status_code == 302
    run = make_run(prompt, raw_prompt="two", optimized_prompt="three", overall_score=0.87)
    ProjectRepository().update_prompt(prompt_id=prompt.id, content="three", optimization_id=run.id)
    client.post(f"{PROMPTS}{prompt.id}/restore/1/", {"read_version": 3, "reason": "three was too long"})
    rows = rows_of(page(client, f"{PROMPTS}{prompt.id}/change/"))
    shown = {row.split()[0]: row for row in rows if row[:1].isdigit() and "characters" not in row}
    assert "ana version 1, restored: three was too long" in shown["4"]
    assert "a run" in shown["3"]
    assert "ana an edit: customers asked for it" in shown["2"]
    assert "first text" in shown["1"]

    compared = page(client, f"{PROMPTS}{prompt.id}/compare/?old=2&new=3")
    first, second = [row for row in rows_of(compared) if re.match(r"[23] 2", row)]
    assert "ana - an edit: customers asked for it" in first
    assert "8.7 a run" in second


def test_a_restore_is_logged_as_one_and_can_be_undone(client: Client) -> None:
    prompt = make_prompt(make_project(), "one")
    save(client, prompt, "two")
    answer = client.post(f"{PROMPTS}{prompt.id}/restore/1/", {"read_version": 2, "reason": "  back  "}, follow=True)
    assert "The text of version 1 is version 3 now." in answer.content.decode()
    entry = LogEntry.objects.order_by("timestamp").last()
    assert entry is not None
    assert (entry.note, entry.changes["restored version"], entry.changes["version"]) == ("back", [None, 1], [2, 3])
    [undo] = re.findall(r'href="([^"]*)">Undo…', answer.content.decode())
    assert undo == f"{PROMPTS}{prompt.id}/restore/2/"
    assert "Undo" not in client.post(undo, {"read_version": 2}, follow=True).content.decode()  # read before the restore
    client.post(undo, {"read_version": 3})
    assert Prompt.objects.values_list("content", "version").get() == ("two", 4)
    assert "restored version" in page(client, f"{PROMPTS}{prompt.id}/history/")


def test_a_reason_that_cannot_be_kept_is_refused(client: Client) -> None:
    prompt = make_prompt(make_project(), "one", version=2)
    make_version(prompt, 1, "before")
    assert "no change that this could be the reason of" in save(client, prompt, "one", "why").content.decode()
    assert f"at most {REASON_LENGTH} characters" in save(client, prompt, "two", "w" * 501).content.decode()
    restored = client.post(f"{PROMPTS}{prompt.id}/restore/1/", {"read_version": 2, "reason": "nul \x00"})
    assert "Null characters" in restored.content.decode()
    with pytest.raises(Invalid):
        ProjectRepository().update_prompt(prompt_id=prompt.id, content="two", reason="w" * 501)
    assert (Prompt.objects.get().version, PromptVersion.objects.count()) == (2, 1)


def test_the_page_of_a_version_leads_to_the_others_and_to_what_can_be_done(client: Client) -> None:
    prompt = make_prompt(make_project(), "four </script>", version=4)
    run = make_run(prompt)
    rows = [make_version(prompt, number, f"text {number} </script>") for number in (1, 2, 3)]
    PromptVersion.objects.filter(pk=rows[0].pk).update(optimization_id=run.id)
    first, second, third = (page(client, f"{VERSIONS}{row.id}/change/") for row in rows)
    assert "← Version" not in first
    assert f'rel="next" href="{VERSIONS}{rows[1].id}/change/">Version 2' in first
    assert f'rel="prev" href="{VERSIONS}{rows[0].id}/change/">← Version 1' in second
    assert f"/optimization/{run.id}/change/" in second
    assert f'rel="next" href="{PROMPTS}{prompt.id}/change/">Version 4, current' in third
    for address in ("compare/?old=1&new=2", "compare/?old=2&new=4", "restore/2/"):
        assert f'href="{PROMPTS}{prompt.id}/{address}"' in second
        assert client.get(f"{PROMPTS}{prompt.id}/{address}").status_code == 200
    assert f"/api/projects/{prompt.project_id}/prompts/{prompt.id}/versions/2" in second
    assert f'data-copy="{rows[1].id}"' in second
    raw = client.get(f"{VERSIONS}{rows[1].id}/change/").content.decode()
    [stored] = re.findall(r'id="whole-text" type="application/json">(.*?)</script>', raw)
    assert json.loads(stored) == "text 2 </script>"


def test_a_viewer_copies_and_restores_nothing() -> None:
    prompt = make_prompt(make_project(), "two", version=2)
    version = make_version(prompt, 1, "one")
    viewer = signed_in("viewer")
    for address in (f"{VERSIONS}{version.id}/change/", f"{PROMPTS}{prompt.id}/change/"):
        shown = page(viewer, address)
        assert 'data-copy-from="whole-text"' in shown
        assert "Use in code" in shown
        assert "Restore…" not in shown


def test_each_run_of_a_prompt_shows_the_version_that_it_began_with(client: Client) -> None:
    """Also where two versions have the same text: the one of the time at which the run was made."""
    prompt = make_prompt(make_project(), "one", version=3)
    make_version(prompt, 1, "one", created_at="2026-03-01 00:00:00+00:00")
    make_version(prompt, 2, "two", created_at="2026-04-01 00:00:00+00:00")
    texts = {"2026-02-01": "one", "2026-03-10": "two", "2026-05-01": "one", "2026-05-02": "else"}
    for day, text in texts.items():
        make_run(prompt, raw_prompt=text, created_at=f"{day} 00:00:00+00:00", model_used=f"model of {text}")
    rows = [row for row in rows_of(page(client, f"{PROMPTS}{prompt.id}/change/")) if "model of" in row]
    assert [row.split()[4] for row in rows] == ["-", "3", "2", "1"]
    assert "model of two" in rows[2]
