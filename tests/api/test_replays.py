"""PromptForge's recorded exchanges, replayed against a server: its clients find what they know."""

from __future__ import annotations

import gzip
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.legacy_files import LAST_RELEASE_SAMPLE
from tests.moves import SMALL_BATCHES, kill_within_a_table
from tests.processes import Scratch
from tests.servers import Site, serving
from tests.services import needs_legacy_files, needs_postgresql, postgresql_database

pytestmark = needs_legacy_files

EXCHANGES = LAST_RELEASE_SAMPLE.parent
TOKEN = "replayed"
ROUNDS = int(os.environ.get("PROMPTADMIN_TEST_ROUNDS", "3"))


def fresh_copy(path: Path) -> str:
    """A copy of the database before the recorded writes; the address of it."""
    with gzip.open(LAST_RELEASE_SAMPLE) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return f"sqlite:///{path}"


def replay(site: Site, record: str) -> str:
    """The last line that the replay prints, after those that say what differs."""
    command = [sys.executable, str(EXCHANGES / "exchanges.py"), "replay", site.address, str(EXCHANGES / record)]
    command += ["--header", f"Authorization: Bearer {TOKEN}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False).stdout.strip()


def test_all_reads_agree_again_and_again_with_four_workers(tmp_path: Path) -> None:
    """Several times in a row without a pause; a read changes nothing that a later one sees."""
    with serving(tmp_path, fresh_copy(tmp_path / "start.db"), workers=4, AUTH_TOKEN=TOKEN) as site:
        assert [replay(site, "read.json.gz") for _ in range(ROUNDS)] == ["139 of 139 agree"] * ROUNDS


@pytest.mark.parametrize("workers", [1, 4])
def test_all_writes_agree_without_a_pause_between_them(tmp_path: Path, workers: int) -> None:
    """Each answer is committed before it is sent: the next request, at any worker, sees it."""
    with serving(tmp_path, fresh_copy(tmp_path / "start.db"), workers=workers, AUTH_TOKEN=TOKEN) as site:
        assert replay(site, "write.json.gz") == "93 of 93 agree"


# Two recorded answers depend on which of several runs of one moment comes first. SQLite answers in the order of the
# file, as PromptForge did; PostgreSQL has no such order, and answers by id.
TIES = {"created asc", "project"}


@needs_postgresql
def test_all_exchanges_agree_on_postgresql_but_for_ties(tmp_path: Path, scratch: Scratch) -> None:
    """The data is moved there in two goes; 139 reads and 93 writes are as recorded, or equals are in another order."""
    fresh_copy(scratch.database)
    with postgresql_database() as url:
        done = scratch.manage("startup", "--quiet")
        assert done.returncode == 0, done.stderr
        kill_within_a_table(scratch, url, "optimizations")
        done = scratch.manage("move_to", url, *SMALL_BATCHES)
        assert done.returncode == 0, done.stderr
        with serving(tmp_path, url, AUTH_TOKEN=TOKEN) as site:
            *differing, agree = replay(site, "read.json.gz").splitlines()
            names = {line[2:].split(":")[0] for line in differing if line.startswith("- ")}
            assert names <= TIES, "\n".join(differing)
            assert agree == f"{139 - len(names)} of 139 agree"
            assert replay(site, "write.json.gz") == "93 of 93 agree"
