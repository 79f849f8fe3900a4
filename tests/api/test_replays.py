"""PromptForge's recorded exchanges, replayed against a server: its clients find what they know."""

from __future__ import annotations

import gzip
import shutil
import subprocess
import sys
from contextlib import AbstractContextManager
from pathlib import Path

import psycopg
import pytest

from tests.conftest import Command
from tests.support.every_route.apps import ON_POSTGRESQL, ON_SQLITE
from tests.support.legacy_files import LAST_RELEASE_SAMPLE
from tests.support.moves import SMALL_BATCHES, kill_within_a_table
from tests.support.processes import REPOSITORY, Scratch
from tests.support.rounds import REPLAY_WORKERS, REPLAYS
from tests.support.servers import Site, serving
from tests.support.services import needs_legacy_files, needs_postgresql, postgresql_database

pytestmark = needs_legacy_files

EXCHANGES = LAST_RELEASE_SAMPLE.parent
TOKEN = "replayed"


def fresh_copy(path: Path) -> str:
    """A copy of the database before the recorded writes; the address of it."""
    with gzip.open(LAST_RELEASE_SAMPLE) as packed, path.open("wb") as file:
        shutil.copyfileobj(packed, file)
    return f"sqlite:///{path}"


def replay(site: Site, record: str) -> str:
    """The last line that the replay prints, after those that say what differs."""
    command = [sys.executable, str(EXCHANGES / "exchanges.py"), "replay", site.address, str(EXCHANGES / record)]
    command += ["--header", f"Authorization: Bearer {TOKEN}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=200, check=False).stdout.strip()


@pytest.mark.parametrize("workers", REPLAY_WORKERS)
def test_all_exchanges_agree_again_and_again(tmp_path: Path, workers: int) -> None:
    """Reads several times in a row without a pause: one changes nothing that a later one sees. Then the writes.

    The answer to each is committed before it is sent: the next request, at any worker, sees it.
    """
    with serving(tmp_path, fresh_copy(tmp_path / "start.db"), "--no-upkeep", workers=workers, AUTH_TOKEN=TOKEN) as site:
        assert [replay(site, "read.json.gz") for _ in range(REPLAYS)] == ["139 of 139 agree"] * REPLAYS
        assert replay(site, "write.json.gz") == "93 of 93 agree"


# Two recorded answers depend on which of several runs of one moment comes first. SQLite answers in the order of the
# file, as PromptForge did; PostgreSQL has no such order, and answers by id.
TIES = {"created asc", "project"}
WALKED = {"ix_optimizations_created_at"}
COLLECTED = {"promptadmin_derived_search_optimizations_parts", "promptadmin_derived_search_optimizations_escaped"}


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
        with serving(tmp_path, url, "--no-upkeep", AUTH_TOKEN=TOKEN) as site:
            assert_agree_but_for_ties(replay(site, "read.json.gz"))
            assert replay(site, "write.json.gz") == "93 of 93 agree"


def every_route(directory: Path) -> dict[str, str]:
    """Variables for processes in which what is meant for many rows begins at a handful, and each way taken is noted."""
    return {
        "DJANGO_SETTINGS_MODULE": "tests.support.every_route.settings",
        "PYTHONPATH": str(REPOSITORY),
        "TAKEN_ROUTES": str(directory / "taken"),
    }


def serving_every_route(directory: Path, url: str) -> AbstractContextManager[Site]:
    """A server of that kind."""
    return serving(directory, url, "--no-upkeep", workers=1, AUTH_TOKEN=TOKEN, **every_route(directory))


def taken(directory: Path) -> set[str]:
    """The ways that were taken."""
    return set((directory / "taken").read_text().splitlines())


def test_all_exchanges_agree_by_every_route(tmp_path: Path, scratch: Scratch) -> None:
    """Indexed, summed up, and with thresholds that a handful of rows pass: as PromptForge answered, the long way."""
    fresh_copy(scratch.database)
    scratch.variables = every_route(tmp_path)
    for command in ("startup", "--quiet"), ("upkeep", "--once"):
        done = scratch.manage(*command)
        assert done.returncode == 0, done.stderr
    with serving_every_route(tmp_path, f"sqlite:///{scratch.database}") as site:
        assert replay(site, "read.json.gz") == "139 of 139 agree"
        assert taken(tmp_path) >= ON_SQLITE
        assert replay(site, "write.json.gz") == "93 of 93 agree"


@needs_postgresql
def test_all_exchanges_agree_by_every_route_on_postgresql(tmp_path: Path, scratch: Scratch, command: Command) -> None:
    """With its search indexes, and a planner that walks an index, or collects rows from it, wherever one would do."""
    fresh_copy(scratch.database)
    with postgresql_database() as url:
        for arguments in ("startup", "--quiet"), ("move_to", url):
            done = command(*arguments)
            assert done.returncode == 0, done.stderr
        with psycopg.connect(url, autocommit=True) as server:  # ways that are off cost so much that all is compiled
            server.execute(f"ALTER DATABASE {server.info.dbname} SET jit = off")
        scratch.variables = {**every_route(tmp_path), "DATABASE_URL": url}
        done = scratch.manage("upkeep", "--once")
        assert done.returncode == 0, done.stderr
        # First without reading whole tables; then without walking indexes, which else wins on so few rows.
        for way, indexes in ("seqscan", WALKED), ("indexscan", COLLECTED):
            with psycopg.connect(url, autocommit=True) as server:
                server.execute(f"ALTER DATABASE {server.info.dbname} SET enable_{way} = off")
            with serving_every_route(tmp_path, url) as site:
                assert_agree_but_for_ties(replay(site, "read.json.gz"))
                if way == "indexscan":
                    assert replay(site, "write.json.gz") == "93 of 93 agree"
            assert used_indexes(url) >= indexes
        assert taken(tmp_path) >= ON_POSTGRESQL


def used_indexes(url: str) -> set[str]:
    """The indexes that anything was read from."""
    with psycopg.connect(url) as server:
        query = "SELECT indexrelname FROM pg_stat_user_indexes WHERE idx_scan > 0"
        return {name for (name,) in server.execute(query)}


def assert_agree_but_for_ties(printed: str) -> None:
    """All reads are as recorded, or equals are in another order."""
    *differing, agree = printed.splitlines()
    names = {line[2:].split(":")[0] for line in differing if line.startswith("- ")}
    assert names <= TIES, "\n".join(differing)
    assert agree == f"{139 - len(names)} of 139 agree"
