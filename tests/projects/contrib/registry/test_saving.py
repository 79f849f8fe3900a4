"""Names and saving by them: what makes a prompt, a version or nothing."""

from __future__ import annotations

import hashlib
import json

import pytest

from projects.contrib.registry.models import PromptName, Redirect, VersionDetail
from projects.models import Project, Prompt, PromptVersion
from projects.repository import ProjectRepository
from promptadmin.errors import Conflict, Invalid, NotFound
from tests.projects.contrib.registry.naming import as_staff, do, make_named
from tests.projects.making import make_project, make_prompt

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "name",
    [
        *("", "/a", "a/", "a//b", "a b", "ä", "a\n", "x" * 201, "a/../b", "."),
        *("a/versions", "a/Labels/b", "a/events", "a/usage/x", "a/compile", "a/b/undo"),
    ],
)
def test_what_can_be_no_name_is_refused(name: str) -> None:
    with pytest.raises(Invalid):
        make_named(name or "/")


@pytest.mark.parametrize("name", ["a", "versions", "support/Refund.v2_x-1", "x" * 200])
def test_names_are_paths_and_mean_one_prompt_in_any_case(name: str) -> None:
    prompt = make_named(name)
    assert do("find", name=name.upper()).prompt_id == prompt.id
    with pytest.raises(Conflict, match="Another prompt is called"):
        make_named(name.upper())


def test_a_former_name_leads_on_until_somebody_takes_it() -> None:
    first, second = make_named("a"), make_named("b")
    do("give_name", prompt_id=first.id, name="c")
    do("give_name", prompt_id=first.id, name="d")
    assert [do("find", name=name).name for name in "acd"] == ["d", "d", "d"]
    do("give_name", prompt_id=second.id, name="a")
    assert [do("find", name=name).name for name in "abcd"] == ["a", "a", "d", "d"]
    do("give_name", prompt_id=first.id, name="D")
    assert sorted(Redirect.objects.values_list("key", flat=True)) == ["b", "c"]


def test_saving_makes_a_prompt_a_version_or_nothing() -> None:
    made = do("save", name="support/refund", text="one", reason="first", labels=["staging"])
    assert (made.outcome, made.prompt.version, made.prompt.labels, made.prompt.reason) == (
        *("created", 1, ["staging"], "first"),
    )
    assert Project.objects.get().name == "support"
    assert do("save", name="Support/Refund", text="one", reason="again").outcome == "unchanged"
    config = {"model": "m", "temperature": 0.3}
    second = do("save", name="support/refund", text="one", config=config)
    assert (second.outcome, second.prompt.version, second.prompt.config) == ("version", 2, config)
    third = do("save", name="support/refund", text="two")
    assert (third.outcome, third.prompt.config, third.prompt.labels) == ("version", config, [])
    assert do("save", name="support/refund", text="two", config=None).prompt.config is None
    assert list(PromptVersion.objects.order_by("version").values_list("version", "content")) == [
        *((1, "one"), (2, "one"), (3, "two")),
    ]
    assert do("resolve", name="support/refund", version=2).config == config
    assert do("save_version", name="support/refund", text="three").prompt.version == 5
    with pytest.raises(NotFound):
        do("save_version", name="support/none", text="three")


def test_a_prompt_in_no_folder_is_made_in_the_project_that_is_named() -> None:
    do("save", name="a", text="one")
    do("save", name="b", text="one", project="another")
    found = dict(Prompt.objects.values_list("project__name", "content"))
    assert found == {"prompts": "one", "another": "one"}


def test_what_is_wrong_with_a_save_writes_nothing() -> None:
    for wrong in (
        {"name": "a", "text": ""},
        {"name": "a/", "text": "one"},
        {"name": "a", "text": "one", "kind": "poem"},
        {"name": "a", "text": "one", "template_format": "jinja"},
        {"name": "a", "text": "one", "labels": ["latest"]},
        {"name": "a", "text": "one", "project": " "},
    ):
        with pytest.raises(Invalid):
            do("save", **wrong)
    assert not PromptName.objects.exists()
    assert not Prompt.objects.exists()


def test_the_digest_is_of_the_content_as_json() -> None:
    saved = do("save", name="a", text="täxt {{x}}", config={"b": 1, "a": [2.5]}).prompt
    whole = {"config": {"a": [2.5], "b": 1}, "kind": "text", "text": "täxt {{x}}", "variables": None}
    plain = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert saved.sha256 == hashlib.sha256(plain.encode()).hexdigest()


def test_a_version_made_at_another_door_has_details_too() -> None:
    prompt = make_named("a", "one")
    do("save", name="a", text="two", config={"model": "m"})
    with as_staff("ana"):
        ProjectRepository().update_prompt(prompt_id=prompt.id, content="three")
    found = do("resolve", name="a", label="latest")
    assert (found.version, found.author, found.config, found.reason) == (3, "user ana", {"model": "m"}, None)
    unnamed = make_prompt(make_project(), "text")
    ProjectRepository().update_prompt(prompt_id=unnamed.id, content="other")
    assert not VersionDetail.objects.filter(prompt_id=unnamed.id).exists()


def test_a_prompt_that_is_named_keeps_its_bytes() -> None:
    prompt = make_prompt(make_project(), "text")
    before = Prompt.objects.filter(id=prompt.id).values().get()
    do("give_name", prompt_id=prompt.id, name="a", description="what for", tags=["x", "y", "x"])
    assert Prompt.objects.filter(id=prompt.id).values().get() == before
    found = do("resolve", name="a", label="latest")
    assert (found.description, found.tags, found.author) == ("what for", ["x", "y"], None)


def test_the_reason_of_an_edit_is_kept_with_the_version() -> None:
    prompt = make_named("a", "one")
    ProjectRepository().update_prompt(prompt_id=prompt.id, content="two", reason="it was too short")
    ProjectRepository().restore_version(prompt_id=prompt.id, version=1)
    reasons = VersionDetail.objects.filter(prompt_id=prompt.id).order_by("version").values_list("version", "reason")
    assert [reason for reason in reasons if reason[0] > 1] == [(2, "it was too short"), (3, None)]
