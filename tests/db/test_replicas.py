"""Reads from a real streaming replica: who wrote reads it back, and a replica that is away or late does no harm."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import OperationalError, connections

from promptadmin.db.postgresql import replicas
from promptadmin.db.postgresql.replicas import ReplicaState
from promptadmin.db.sessions import read_session
from tests.api.requests_to import JsonClient
from tests.support.clusters import Cluster, cluster
from tests.support.processes import Scratch
from tests.support.servers import Site, serving
from tests.support.services import needs_clusters

MAX_LAG = 10  # seconds, within which a busy machine answers a few dozen requests
PATIENCE = 60.0
WRITER = "the-writer"


@pytest.fixture(scope="module")
def primary() -> Iterator[Cluster]:
    with cluster() as server:
        yield server


@pytest.fixture(scope="module")
def replica(primary: Cluster) -> Iterator[Cluster]:
    with cluster(of=primary) as server:
        yield server


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, primary: Cluster, replica: Cluster) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("replica")
    variables = {"DATABASE_REPLICA_URL": replica.url, "AUTH_TOKEN": WRITER, "PROMPTADMIN_REPLICA_MAX_LAG": str(MAX_LAG)}
    with serving(directory, primary.url, "--no-upkeep", workers=2, **variables) as server:
        yield server


@pytest.fixture(scope="module")
def reader_token(tmp_path_factory: pytest.TempPathFactory, primary: Cluster, site: Site) -> str:
    scratch = Scratch(tmp_path_factory.mktemp("token"))
    made = scratch.manage("create_api_token", "reader", "--scope", "read", DATABASE_URL=primary.url)
    assert made.returncode == 0, made.stderr
    return next(word for word in made.stdout.split() if word.startswith("pa_"))


@contextmanager
def paused(replica: Cluster) -> Iterator[None]:
    """The replica replays nothing during the block."""
    replica.ask("SELECT pg_wal_replay_pause()")
    until(lambda: replica.ask("SELECT pg_get_wal_replay_pause_state()") == [("paused",)])
    try:
        yield
    finally:
        replica.ask("SELECT pg_wal_replay_resume()")


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it didn't come to be so"
        time.sleep(0.05)


def get(site: Site, path: str, token: str) -> Any:
    """What is answered on a new connection, at whichever of the server's processes."""
    with JsonClient(site.address, token) as client:
        answer = client.send("GET", path)
    assert answer.status == 200, answer.content
    return answer.json


def names(site: Site, token: str) -> set[str]:
    return {project["name"] for project in get(site, "/api/projects?per_page=100", token)["items"]}


def create(site: Site, name: str) -> str:
    with JsonClient(site.address, WRITER) as client:
        answer = client.send("POST", "/api/projects", {"name": name})
    assert answer.status == 201, answer.content
    return str(answer.json["id"])


def replica_reads(replica: Cluster) -> int:
    """How often the replica was read from: it counts the scans of the table of projects."""
    (count,) = replica.ask(
        "SELECT COALESCE(seq_scan, 0) + COALESCE(idx_scan, 0) FROM pg_stat_user_tables WHERE relname = 'projects'"
    )[0]
    return int(count)


def all_read_there(site: Site, replica: Cluster, token: str) -> bool:
    """Whether twenty reads in a row are made on the replica, at whichever process."""
    before = replica_reads(replica)
    for _ in range(20):
        names(site, token)
    until_counted = time.monotonic() + 1
    while time.monotonic() < until_counted:
        if replica_reads(replica) >= before + 20:
            return True
        time.sleep(0.05)
    return False


@needs_clusters
def test_whoever_wrote_reads_it_back_while_the_replica_replays_nothing(
    site: Site, replica: Cluster, reader_token: str
) -> None:
    """At each of the server's processes, whichever kept the position; others read what the replica has."""
    until(lambda: all_read_there(site, replica, reader_token))
    before = names(site, reader_token)
    written = {f"written {number}" for number in range(10)}
    with paused(replica):
        create(site, "written 0")
        # A process that hasn't looked at the replica since it was complete reads from the primary.
        assert before in [names(site, reader_token) for _ in range(20)], "the replica isn't used at all"
        for number in range(1, 10):
            assert len(names(site, WRITER)) == len(before) + number
            create(site, f"written {number}")
        with ThreadPoolExecutor(8) as pool:
            seen = list(pool.map(lambda _: names(site, WRITER), range(24)))
        assert all(found == before | written for found in seen)
    until(lambda: names(site, reader_token) == before | written)
    reads = replica_reads(replica)
    until(lambda: names(site, WRITER) == before | written and replica_reads(replica) > reads)


@needs_clusters
def test_a_late_replica_is_left_alone_until_it_has_caught_up(
    site: Site, primary: Cluster, replica: Cluster, reader_token: str, scratch: Scratch
) -> None:
    """After PROMPTADMIN_REPLICA_MAX_LAG everybody reads from the primary; health and the doctor say why."""
    with paused(replica):
        create(site, "late")
        until(lambda: "late" in names(site, reader_token))
        until(lambda: "behind" in get(site, "/api/health", WRITER)["replica"])
        doctor = scratch.manage(
            "doctor",
            "--json",
            DATABASE_URL=primary.url,
            DATABASE_REPLICA_URL=replica.url,
            PROMPTADMIN_REPLICA_MAX_LAG="1",
        )
        assert "it is more than 1 s behind" in doctor.stdout
    until(lambda: {get(site, "/api/health", WRITER)["replica"] for _ in range(8)} == {"ok"} or not names(site, WRITER))
    doctor = scratch.manage("doctor", "--json", DATABASE_URL=primary.url, DATABASE_REPLICA_URL=replica.url)
    assert "it had everything after" in doctor.stdout


@needs_clusters
def test_a_replica_that_is_away_costs_one_warning(
    site: Site, primary: Cluster, replica: Cluster, reader_token: str, scratch: Scratch
) -> None:
    """No request fails while it is stopped under load, and it is used again when it is back, without a restart."""
    create(site, "before it went")
    with ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(names, site, reader_token) for _ in range(60)]
        replica.stop()
        try:
            asked += [pool.submit(names, site, reader_token) for _ in range(60)]
            assert all(answer.result() for answer in asked)
            assert "before it went" in names(site, reader_token)
            doctor = scratch.manage("doctor", "--json", DATABASE_URL=primary.url, DATABASE_REPLICA_URL=replica.url)
            assert "it can't be used" in doctor.stdout
        finally:
            replica.start()
    before = replica_reads(replica)
    until(lambda: bool(names(site, reader_token)) and replica_reads(replica) > before)


def test_how_late_a_replica_is(monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    """As long as the primary has been where the replica is now; unknown until it has had everything once."""
    settings.REPLICA_MAX_LAG = 10
    clock = 100.0
    monkeypatch.setattr("promptadmin.db.postgresql.replicas.time.monotonic", lambda: clock)
    state = ReplicaState()
    assert not state.is_near(written=50, replayed=40)
    assert not state.is_near(written=60, replayed=49)
    clock += 1
    assert state.is_near(written=70, replayed=50), "it has what the primary had a second ago"
    clock += 9
    assert state.is_near(written=80, replayed=50)
    clock += 1.5
    assert not state.is_near(written=90, replayed=50)
    assert "more than 10 s behind" in state.problem
    assert state.is_near(written=90, replayed=90)
    assert state.problem == ""
    clock += 3600
    assert not state.is_near(written=1000, replayed=999), "nobody has looked for an hour: it may be an hour late"
    assert state.problem == ""
    clock += 0.01
    assert state.is_near(written=1010, replayed=1005)
    state.forget()
    assert not state.is_near(written=1010, replayed=1005)


def test_a_replica_that_fails_is_asked_again_by_one_thread_every_few_seconds(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """And warned of once."""
    clock = 100.0
    monkeypatch.setattr("promptadmin.db.postgresql.replicas.time.monotonic", lambda: clock)
    state = ReplicaState()
    assert state.may_be_asked()
    state.failed(OSError("refused"))
    assert [state.may_be_asked() for _ in range(3)] == [False] * 3
    clock += 6
    assert [state.may_be_asked() for _ in range(3)] == [True, False, False]
    state.failed(OSError("refused"))
    assert state.problem == "refused"
    state.is_near(written=5, replayed=5)
    assert state.problem == ""
    assert caplog.text.count("reads go to the primary") == 1


@pytest.mark.django_db
def test_a_replica_that_is_stopped_after_it_was_looked_at_costs_no_request(monkeypatch: pytest.MonkeyPatch) -> None:
    """The session is the primary's, and the state knows."""

    class Stopped:
        alias = replicas.ALIAS

        def ensure_connection(self) -> None:
            raise OperationalError("the server closed the connection unexpectedly")

    monkeypatch.setattr(replicas, "state", ReplicaState())
    monkeypatch.setattr(replicas, "reading_connection", lambda using: Stopped())
    with read_session() as connection:
        assert connection is connections["default"]
    assert "closed the connection" in replicas.state.problem
