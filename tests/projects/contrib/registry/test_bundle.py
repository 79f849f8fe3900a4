"""A bundle holds all prompts of a label, has the same bytes each time, and is refused when one of them is changed."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from projects.contrib.registry.bundle import bundle_key, read_bundle, write_bundle
from projects.contrib.registry.models import Label, PromptName, VersionDetail
from projects.models import Prompt
from promptadmin.errors import Invalid
from tests.clients.test_client import ours
from tests.projects.contrib.registry.naming import do, make_named, move
from tests.projects.contrib.registry.test_api import with_token
from tests.projects.making import make_project

pytestmark = pytest.mark.django_db
NOBODY = "http://127.0.0.1:9"  # nothing listens there


@pytest.fixture
def api() -> Client:
    return with_token("read")


def make_many(count: int) -> None:
    """Named prompts of one project, each with `production`."""
    project = make_project().id
    keys = [f"prompt-{number:05}" for number in range(count)]
    Prompt.objects.bulk_create(Prompt(id=key, project_id=project, content=f"Text of {key} – {{{{x}}}}") for key in keys)
    PromptName.objects.bulk_create(PromptName(prompt_id=key, name=f"Many/{key}", key=f"many/{key}") for key in keys)
    Label.objects.bulk_create(Label(prompt_id=key, label="production", version=1) for key in keys)
    VersionDetail.objects.bulk_create(
        VersionDetail(prompt_id=key, version=1, config='{"temperature":0.1}', sha256="0" * 64) for key in keys
    )


def test_ten_thousand_prompts_have_the_same_bytes_twice_and_no_byte_may_change(api: Client, tmp_path: Path) -> None:
    make_many(10_000)
    raw = api.get("/api/bundle").content
    assert api.get("/api/bundle").content == raw
    content = read_bundle(raw, bundle_key())
    assert [len(content["prompts"]), content["prompts"][-1]["name"]] == [10_000, "Many/prompt-09999"]
    chosen = random.Random(7)
    for place in [0, 20, 90, 100, len(raw) - 1, *(chosen.randrange(len(raw)) for _ in range(50))]:
        changed = raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :]
        with pytest.raises(Invalid, match="signature"):
            read_bundle(changed, bundle_key())
    file = tmp_path / "prompts.json"
    file.write_bytes(raw)
    programs = ours.PromptClient(NOBODY, "no token", bundle=file, bundle_key=bundle_key(), timeout=0.5)
    prompt = programs.get("many/prompt-00042")
    assert (prompt.source, prompt.compile(x="1")) == ("bundle", "Text of prompt-00042 – 1")
    file.write_bytes(raw.replace(b"00042", b"00043", 1))
    with pytest.raises(ValueError, match="signature"):
        ours.PromptClient(NOBODY, "no token", bundle=file, bundle_key=bundle_key())


def test_a_prompt_in_a_bundle_is_what_the_api_answers(api: Client) -> None:
    make_named("a/text", "one", "two {{x}}", description="what it is for", tags=["t"])
    make_named("b/split", "one", "two")
    do("save", name="c/chat", text="system:\nBe brief.\nuser:\n{{question}}", kind="chat")
    move("a/text", "production", 2)
    move("b/split", "production", {1: 10, 2: 90})
    move("c/chat", "production", 1)
    make_named("d/other")
    move("d/other", "staging", 1)
    answer = api.get("/api/bundle")
    assert api.get("/api/bundle", headers={"If-None-Match": answer["ETag"]}).status_code == 304
    prompts = answer.json()["prompts"]
    assert [(one["name"], one["version"]) for one in prompts] == [("a/text", 2), ("b/split", 2), ("c/chat", 1)]
    assert prompts == [api.get(f"/api/prompts/{one['name']}").json() for one in prompts]
    assert [one["name"] for one in api.get("/api/bundle?prefix=A/").json()["prompts"]] == ["a/text"]
    assert [one["name"] for one in api.get("/api/bundle?label=staging").json()["prompts"]] == ["d/other"]
    assert len(api.get("/api/bundle?label=latest").json()["prompts"]) == 4


def test_a_label_that_no_prompt_has_makes_no_bundle_and_those_that_there_are_are_named(
    api: Client, tmp_path: Path
) -> None:
    latest = api.get("/api/bundle?label=latest")
    assert (latest.status_code, latest.json()["detail"]) == (404, "There is no prompt with a name")
    make_named("a/one")
    make_named("b/two")
    move("a/one", "production", 1)
    move("b/two", "staging", 1)
    answer = api.get("/api/bundle?label=prodution")
    told = "No prompt with a name has the label 'prodution': there are production, staging, latest"
    assert (answer.status_code, answer.json()["detail"]) == (404, told)
    file = tmp_path / "prompts.json"
    file.write_bytes(b"the one before")
    with pytest.raises(CommandError, match=told):
        call_command("bundle", file, "--label", "prodution")
    with pytest.raises(CommandError, match="begins with 'b/' has the label 'production': there are staging, latest"):
        call_command("bundle", file, "--prefix", "b/")
    with pytest.raises(CommandError, match="There is no prompt whose name begins with 'c/'"):
        call_command("bundle", file, "--prefix", "c/", "--label", "latest")
    assert [path.name for path in tmp_path.iterdir()] == ["prompts.json"]
    assert file.read_bytes() == b"the one before"


def test_another_key_refuses_the_bundle() -> None:
    raw = write_bundle("production", None, [])
    assert read_bundle(raw, bundle_key())["prompts"] == []
    with pytest.raises(Invalid, match="has another key"):
        read_bundle(raw, "00" * 32)
    with pytest.raises(Invalid, match="no bundle"):
        read_bundle(b'{"prompts": []}', bundle_key())


def test_the_command_writes_checks_and_shows_the_key(
    api: Client, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_named("a")
    move("a", "production", 1)
    file = tmp_path / "prompts.json"
    call_command("bundle", file)
    call_command("bundle", file, "--check")
    call_command("bundle", "--key")
    assert capsys.readouterr().out.splitlines() == [
        f"Wrote 1 prompt of 'production' to {file}.",
        "1 prompt of 'production', as signed.",
        bundle_key(),
    ]
    assert file.read_bytes() == api.get("/api/bundle").content
    file.write_text(json.dumps(json.loads(file.read_text())))
    with pytest.raises(CommandError, match="signature"):
        call_command("bundle", file, "--check")
    with pytest.raises(CommandError, match="No such file"):
        call_command("bundle", tmp_path / "missing", "--check")
    with pytest.raises(CommandError, match="Say where"):
        call_command("bundle")


def test_a_program_without_a_bundle_is_told_that_nobody_answers() -> None:
    with pytest.raises(ours.Unavailable):
        ours.PromptClient(NOBODY, "no token", timeout=0.5).get("a")
