"""Programs for other products' clients stand on a prompt's page where these are served, with its name and label."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from projects.contrib.clients.snippets import PROGRAMS, snippets


@pytest.mark.parametrize(("label", "kind"), [("production", "text"), ("latest", "chat")])
def test_each_client_gets_the_name_that_it_knows(label: str, kind: str) -> None:
    found = {one.key.removeprefix("client-"): one.text for one in snippets("https://x.example", 'a/"b"', label, kind)}
    assert found.keys() == PROGRAMS.keys()
    for name, text in found.items():
        if name != "litellm":
            ast.parse(text)
        assert "https://x.example" in text
        assert ('a.\\"b\\"' if name in ("mlflow", "phoenix") else 'a/\\"b\\"') in text
        assert label in text or name == "phoenix"
    assert ('type="chat"' in found["langfuse"]) == (kind == "chat")


def test_only_those_that_are_served(settings: Any) -> None:
    settings.CLIENTS = ["ofrep"]
    assert [one.key for one in snippets("https://x.example", "a", "production", "text")] == ["client-ofrep"]
