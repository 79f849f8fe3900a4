"""`manage.py startplugin`: what it makes is installed by pip into a fresh environment, works there, and is sound."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.plugins.installed import install_package, run
from tests.support.processes import REPOSITORY, Scratch

NAME = "word_counts"


def test_a_new_plugin_works_and_passes_its_tests_and_our_lint(scratch: Scratch) -> None:
    made = scratch.manage("startplugin", NAME)
    assert made.returncode == 0, made.stderr
    folder = scratch.directory / NAME
    assert f"`{sys.executable} -m pip install -e {NAME}`" in made.stdout
    assert f"`{sys.executable} -m pytest {NAME}`" in made.stdout
    lint: list[str | Path] = [
        "ruff",
        "check",
        "--config",
        REPOSITORY / "pyproject.toml",
        "--config",
        "lint.per-file-ignores={}",
        folder,
    ]
    checked = run(sys.executable, "-m", *lint, "--ignore", "S101,D103", cwd=folder)
    assert checked.returncode == 0, checked.stdout
    formatted = run(sys.executable, "-m", "ruff", "format", "--check", folder, cwd=folder)
    assert formatted.returncode == 0, formatted.stdout

    python = install_package(folder, scratch.directory / "fresh")
    tested = run(python, "-m", "pytest", "-q", "-p", "no:cacheprovider", NAME, cwd=scratch.directory)
    assert tested.returncode == 0, tested.stdout[-3000:]
    assert "5 passed" in tested.stdout

    enabled = {"PROMPTADMIN_PLUGINS": f"projects,optimizations,{NAME}"}
    listed = run(python, REPOSITORY / "manage.py", "plugins", "--json", cwd=scratch.directory, **enabled)
    (plugin,) = (item for item in json.loads(listed.stdout) if item["name"] == NAME)
    assert plugin == {
        "name": NAME,
        "package": "promptadmin-word-counts",
        "version": "0.1.0",
        "enabled": True,
        "contributes": {"API": [f"{NAME}.api.router"], "dashboard panels": [NAME]},
    }
    again = run(python, REPOSITORY / "manage.py", "startplugin", NAME, cwd=scratch.directory)
    assert again.returncode != 0
    assert "installed already" in again.stderr


@pytest.mark.parametrize(
    ("name", "message"),
    [
        *(("Word-Counts", "no name for a plugin"), ("class", "no name for a plugin")),
        *(("lint", "installed already"), ("json", "conflicts")),
    ],
)
def test_names_that_cannot_work_are_refused(scratch: Scratch, name: str, message: str) -> None:
    done = scratch.manage("startplugin", name)
    assert done.returncode != 0
    assert message in done.stderr
    assert not (scratch.directory / name).exists()
