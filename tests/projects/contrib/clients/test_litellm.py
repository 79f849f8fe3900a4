"""LiteLLM's generic prompt manager against a real server."""

from __future__ import annotations

from tests.projects.contrib.clients.conftest import Run
from tests.support.services import needs_clients


@needs_clients
def test_the_prompt_manager_works_unchanged(run: Run) -> None:
    run("litellm_manager.py")
