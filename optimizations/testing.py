"""Fixtures for the tests of plugins: `addopts = "-p optimizations.testing"` in a plugin's settings of pytest.

What they make goes through the repositories and tokens, as at any door. Nothing of the product is imported before a
fixture needs it: pytest loads this before Django's settings.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

#: Tells the names and texts of one test from each other.
_numbers = count(1)


@pytest.fixture
def make_project(db: None) -> Callable[..., Any]:
    """Makes a project, of a name or one of its own; answers what `ProjectRepository.create_project` does."""

    def made(name: str = "", **values: Any) -> Any:
        from projects.repository import ProjectRepository
        from promptadmin.plugins import write_session

        with write_session():
            return ProjectRepository().create_project(name=name or f"project {next(_numbers)}", **values)

    return made


@pytest.fixture
def make_prompt(make_project: Callable[..., Any]) -> Callable[..., Any]:
    """Makes a prompt, in a project of this id or in its own; answers what `ProjectRepository.add_prompt` does."""

    def made(content: str = "", *, project_id: str = "") -> Any:
        from projects.repository import ProjectRepository
        from promptadmin.plugins import write_session

        project_id = project_id or make_project().id
        with write_session():
            return ProjectRepository().add_prompt(project_id=project_id, content=content or f"prompt {next(_numbers)}")

    return made


@pytest.fixture
def make_run(db: None) -> Callable[..., Any]:
    """Records a run, as in `make_run(prompt_id=prompt.id, overall_score=0.7)`; answers its columns."""

    def made(raw_prompt: str = "", **values: Any) -> Any:
        from optimizations.repository import OptimizationRepository
        from promptadmin.plugins import write_session

        with write_session():
            return OptimizationRepository().record_run({"raw_prompt": raw_prompt or f"run {next(_numbers)}", **values})

    return made


@pytest.fixture
def make_api(db: None) -> Callable[..., Any]:
    """Makes a Django test client that has a token with these scopes: `make_api("read", "write")`."""

    def made(*scopes: str) -> Any:
        from django.test import Client

        from promptadmin.accounts.tokens import create_token

        _, secret = create_token(name=f"test {next(_numbers)}", scopes=scopes)
        return Client(headers={"Authorization": f"Bearer {secret}"})

    return made


@pytest.fixture
def make_staff(db: None) -> Callable[..., Any]:
    """Makes a test client of somebody who is signed in with permissions, as in `make_staff("notes.view_note")`."""

    def made(*permissions: str) -> Any:
        from django.contrib.auth.models import Permission, User
        from django.test import Client

        user = User.objects.create_user(f"staff {next(_numbers)}", is_staff=True)
        for permission in permissions:
            label, _, codename = permission.partition(".")
            user.user_permissions.add(Permission.objects.get(content_type__app_label=label, codename=codename))
        client = Client()
        client.force_login(user)
        return client

    return made


@pytest.fixture
def call_tool(transactional_db: None) -> Callable[..., Any]:
    """Calls an MCP tool: `call_tool("list_projects", limit=3)`; answers what it says, and raises what it refuses with.

    It needs the plugin `mcp`.
    """

    def called(tool: str, /, **arguments: Any) -> Any:
        from optimizations.contrib.mcp.server import build_server

        return asyncio.run(build_server().call_tool(tool, arguments)).structured_content

    return called
