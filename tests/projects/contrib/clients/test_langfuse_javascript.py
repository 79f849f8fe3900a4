"""Langfuse's clients for JavaScript against a real server."""

from __future__ import annotations

import pytest

from tests.projects.contrib.clients.conftest import Run
from tests.support.services import needs_node_clients


@needs_node_clients
@pytest.mark.parametrize("program", ["langfuse_client.cjs", "langfuse_3.cjs"])
def test_the_clients_work_unchanged(run: Run, program: str) -> None:
    run(program)
