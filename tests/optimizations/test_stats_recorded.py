"""The statistics of an adopted database, held against what PromptForge answered for it."""

from __future__ import annotations

import gzip
import json
import math
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.conftest import Command
from tests.support.legacy_files import LAST_RELEASE_SAMPLE, unpack_gzip
from tests.support.processes import Scratch

RECORD = LAST_RELEASE_SAMPLE.with_name("read.json.gz")
PROGRAM = """
import json, sys
from optimizations.stats import statistics
from promptadmin.db.sessions import read_session
with read_session():
    print(json.dumps([statistics(project) for project in json.loads({projects!r})]))
"""


def differences(got: Any, recorded: Any, path: str = "") -> Iterator[str]:
    """Where two answers differ by more than PromptForge's rounding of already rounded numbers explains."""
    if isinstance(got, dict) and isinstance(recorded, dict) and got.keys() == recorded.keys():
        for key in got:
            yield from differences(got[key], recorded[key], f"{path}.{key}")
    elif isinstance(got, float) and isinstance(recorded, float | int):
        if not math.isclose(got, recorded, rel_tol=0, abs_tol=2e-4):
            yield f"{path} is {got}, not {recorded}"
    elif got != recorded:
        yield f"{path} is {got!r}, not {recorded!r}"


@pytest.mark.skipif(not RECORD.exists(), reason="the recorded exchanges are not part of this repository")
def test_recorded_answers_agree(scratch: Scratch, command: Command) -> None:
    unpack_gzip(LAST_RELEASE_SAMPLE, scratch.database)
    startup = command("startup")
    assert startup.returncode == 0, startup.stderr
    with gzip.open(RECORD) as file:
        steps = [step for step in json.load(file) if urlsplit(step["path"]).path == "/api/history/stats"]
    assert len(steps) == 5
    projects = [parse_qs(urlsplit(step["path"]).query).get("project", [None])[0] for step in steps]
    shell = scratch.manage("shell", "--no-imports", "-c", PROGRAM.format(projects=json.dumps(projects)))
    assert shell.returncode == 0, shell.stderr
    for step, answer in zip(steps, json.loads(shell.stdout), strict=True):
        assert list(answer) == list(step["expect"]["body"])
        assert list(differences(answer, step["expect"]["body"])) == [], step["name"]
