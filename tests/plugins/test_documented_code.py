"""The blocks of code in docs/plugins.md make a plugin that works, and its commands are there with their options."""

from __future__ import annotations

import json
import re
import tomllib

from django.core.management import get_commands, load_command_class

from tests.plugins.installed import install
from tests.support.processes import REPOSITORY, Scratch

DOCUMENT = (REPOSITORY / "docs" / "plugins.md").read_text()
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
#: What the blocks of the plugin name and leave to the reader.
LEFT_OUT = {
    "checks": "def find_wordiness(prompt):\n    return ()\n",
    "events": "def count_again(event):\n    pass\n",
}

USE = """
from django.test import Client
from optimizations.repository import OptimizationRepository
from projects.models import Prompt
from projects.declarations import NewText
from projects.repository import ProjectRepository
from promptadmin.accounts.tokens import create_token
from promptadmin.plugins import Conflict, write_session
from word_counts import guards
from word_counts.models import WordCount

with write_session():
    project = ProjectRepository().create_project(name="ours")
    prompt = ProjectRepository().add_prompt(project_id=project.id, content="FINAL one two three")
    WordCount.objects.create(prompt_id=prompt.id, words=4)
_, secret = create_token(name="test", scopes=["read", "write"])
client = Client(headers={"Authorization": f"Bearer {secret}", "host": "localhost"})
address = f"/api/word_counts/{prompt.id}"
read = client.get(address)
assert read.json() == {"words": 4}, read.content
assert client.get(address, headers={"If-None-Match": read["ETag"]}).status_code == 304
refused = client.put(f"{address}?words=2", headers={"If-Match": '"another"'})
assert refused.status_code == 412, refused.content
assert client.put(f"{address}?words=2", headers={"If-Match": read["ETag"]}).json() == {"words": 2}
for refused in (
    lambda: guards.expect_no_shouting(NewText("LOUD", None, None, "default")),
    lambda: guards.expect_unfinished(Prompt.objects.all(), False),
):
    try:
        refused()
    except Conflict:
        continue
    raise AssertionError("nothing was refused")
with write_session():
    ProjectRepository().delete_prompt(prompt_id=prompt.id)
    assert not WordCount.objects.exists()
    other = ProjectRepository().add_prompt(project_id=project.id, content="uncounted")
    WordCount.objects.create(prompt_id=other.id)
"""


def block_with(text: str, kind: str = "python") -> str:
    (found,) = (code for language, code in BLOCKS if language == kind and text in code)
    return str(found)


def test_the_blocks_make_a_plugin_that_works(scratch: Scratch) -> None:
    site = scratch.directory / "site"
    modules = {
        "models": block_with("class WordCount("),
        "doctor": block_with("def check_counts"),
        "api": block_with("@checks_if_match(WORDS)"),
        "guards": block_with("def expect_no_shouting"),
        **LEFT_OUT,
    }
    install(site, "word_counts", block_with("class WordCountsConfig"), "word_counts.apps:WordCountsConfig", **modules)
    announced = tomllib.loads(block_with("word_counts.apps", "toml"))["project"]["entry-points"]["promptadmin.plugins"]
    assert announced == {"word_counts": "word_counts.apps:WordCountsConfig"}
    (site / "word_counts" / "migrations").mkdir()
    (site / "word_counts" / "migrations" / "__init__.py").touch()
    scratch.variables |= {
        "PYTHONPATH": f"{site}:{REPOSITORY}",
        "PROMPTADMIN_PLUGINS": "projects,optimizations,word_counts",
    }
    written = block_with("record_changes(") + block_with('operation = grant("word_counts"')
    for arguments in (
        ("makemigrations", "word_counts"),
        ("check", "--fail-level", "WARNING"),
        ("startup",),
        ("shell", "--no-imports", "-c", USE + written),
    ):
        done = scratch.manage(*arguments)
        assert done.returncode == 0, done.stderr[-3000:]
    said = scratch.manage("doctor").stdout
    assert "1 are missing" in said
    assert "promptadmin.plugins.Link(" in (site / "word_counts" / "migrations" / "0001_initial.py").read_text()


def test_other_blocks_can_be_read() -> None:
    assert json.loads(block_with("mcpServers", "json"))["mcpServers"]["promptadmin"]["args"] == ["mcp"]
    known = {"toml", "json", "console", "python"}
    assert {language for language, _ in BLOCKS} <= known


def test_its_commands_are_there_with_their_options() -> None:
    """Those in blocks, and those in sentences."""
    console = "".join(code for language, code in BLOCKS if language == "console")
    inline = re.findall(r"`promptadmin ([^`]+)`", re.sub(r"^```.*?^```", "", DOCUMENT, flags=re.MULTILINE | re.DOTALL))
    lines = [*inline, *re.findall(r"^promptadmin ([^#\n]+)", console, re.MULTILINE)]
    assert len(lines) > 10
    applications = get_commands()
    for line in lines:
        name, *words = line.split()
        assert name in applications, line
        command = load_command_class(str(applications[name]), name)
        text = command.create_parser("promptadmin", name).format_help()
        for word in words:
            if word.strip("[]").startswith("--"):
                assert word.strip("[]").partition("=")[0] in text, line
