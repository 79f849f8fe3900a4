"""PromptForge's recorded exchanges, replayed against a server: its clients find what they know."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.legacy_files import LAST_RELEASE_SAMPLE
from tests.servers import Site, serving
from tests.services import needs_legacy_files

pytestmark = needs_legacy_files

EXCHANGES = LAST_RELEASE_SAMPLE.parent
TOKEN = "replayed"
ROUNDS = 10


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
    """Ten times in a row without a pause; a read changes nothing that a later one sees."""
    with serving(tmp_path, fresh_copy(tmp_path / "start.db"), workers=4, AUTH_TOKEN=TOKEN) as site:
        assert [replay(site, "read.json.gz") for _ in range(ROUNDS)] == ["139 of 139 agree"] * ROUNDS


@pytest.mark.parametrize("workers", [1, 4])
def test_all_writes_agree_without_a_pause_between_them(tmp_path: Path, workers: int) -> None:
    """Each answer is committed before it is sent: the next request, at any worker, sees it."""
    with serving(tmp_path, fresh_copy(tmp_path / "start.db"), workers=workers, AUTH_TOKEN=TOKEN) as site:
        assert replay(site, "write.json.gz") == "93 of 93 agree"
