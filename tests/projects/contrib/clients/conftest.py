"""A server with the plugin `clients`, and programs that use other products' own packages against it."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.processes import SECONDS, environment
from tests.support.servers import Site, serving
from tests.support.services import CLIENTS_PYTHON, NODE_CLIENTS, needs_postgresql, postgresql_database

TOKEN = "token-of-the-tests-of-clients"
PLUGINS = "projects,optimizations,registry,clients"
PROGRAMS = Path(__file__).parent / "programs"
Run = Callable[..., str]


@pytest.fixture(scope="package", params=["sqlite", pytest.param("postgresql", marks=needs_postgresql)])
def site(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, new_file: bytes) -> Iterator[Site]:
    """One server an engine for the programs of all clients: each has prompts of its own."""
    directory = tmp_path_factory.mktemp("clients")
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = stack.enter_context(postgresql_database())
        else:
            (directory / "x.db").write_bytes(new_file)
            url = f"sqlite:///{directory / 'x.db'}"
        # Uncounted: what was fetched lately can't be deleted, and these clients have no word for `force`.
        yield stack.enter_context(
            serving(directory, url, AUTH_TOKEN=TOKEN, PROMPTADMIN_PLUGINS=PLUGINS, PROMPTADMIN_FETCH_SECONDS="0")
        )


def run_program(program: str, directory: Path, **variables: str) -> str:
    """Run one of the programs, a file in Python or JavaScript, to its end; fails if an assertion in it does."""
    ours = {"PYTHONDONTWRITEBYTECODE": "1", "NODE_PATH": str(NODE_CLIENTS), "HOME": str(directory)}
    done = subprocess.run(
        ["node" if program.endswith(".cjs") else str(CLIENTS_PYTHON), str(PROGRAMS / program)],
        env=environment(**ours, **variables), cwd=directory, capture_output=True, text=True, check=False,
        timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Run:
    """Run one of the programs against the server."""

    def ran(program: str, **variables: str) -> str:
        return run_program(program, tmp_path, ADDRESS=site.address, TOKEN=TOKEN, **variables)

    return ran
