"""PostgreSQL is stopped under load and started again: every answer is one of those promised, and nobody restarts us."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.api.requests_to import JsonClient
from tests.support.clusters import Cluster, cluster
from tests.support.rounds import STOPPED_SECONDS
from tests.support.servers import Site, serving
from tests.support.services import needs_clusters

#: connect_timeout, and what a machine under load adds.
LONGEST_ANSWER = 15.0
CLIENTS = 4
TOKEN = "while-stopped"


class Load:
    """Clients that read and write as fast as they are answered, until `end`."""

    def __init__(self, site: Site, name: str) -> None:
        self.site, self.name = site, name
        self.answers: Counter[tuple[str, int]] = Counter()
        self.promised: set[str] = set()
        self.broken: list[str] = []
        self.slowest = 0.0
        self.end = threading.Event()

    def run(self, number: int) -> None:
        count = 0
        while not self.end.is_set():
            count += 1
            if count % 2:
                self.send("GET", "/api/projects?per_page=100")
            else:
                self.send("POST", "/api/projects", f"{self.name} {number}.{count}")

    def send(self, method: str, path: str, name: str = "") -> None:
        began = time.monotonic()
        with JsonClient(self.site.address, TOKEN, timeout=60) as client:
            answer = client.send(method, path, {"name": name} if name else None)
        self.slowest = max(self.slowest, time.monotonic() - began)
        self.answers[method, answer.status] += 1
        if answer.status == 201:
            self.promised.add(name)
        if answer.status == 503 and not (int(answer.headers.get("retry-after", 0)) and answer.json["detail"]):
            self.broken.append(f"{method}: {answer.headers} {answer.content!r}")


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with cluster() as made:
        yield made


def health(site: Site) -> int:
    with JsonClient(site.address, TOKEN) as client:
        return client.send("GET", "/api/health").status


def wait_until(is_so: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, f"not within 30 s: {what}"
        time.sleep(0.05)


@needs_clusters
@pytest.mark.parametrize("pool", [0, 4])
def test_postgresql_is_stopped_and_started_again_under_load(tmp_path: Path, server: Cluster, pool: int) -> None:
    """Meanwhile each request gets 503 with Retry-After, soon; afterwards all work, and nothing acknowledged is lost."""
    variables = {"AUTH_TOKEN": TOKEN, "PROMPTADMIN_DATABASE_POOL": str(pool)}
    with serving(tmp_path, server.url, "--no-upkeep", workers=2, **variables) as site:
        load = Load(site, f"pool of {pool}")
        with ThreadPoolExecutor(CLIENTS) as clients:
            running = [clients.submit(load.run, number) for number in range(CLIENTS)]
            try:
                time.sleep(0.5)
                server.stop("fast")
                wait_until(lambda: health(site) == 503, "health says so")
                time.sleep(STOPPED_SECONDS)
                # One that waits for a connection is refused later than the others.
                wait_until(lambda: load.answers["GET", 503] > 0, "a read is refused")
                wait_until(lambda: load.answers["POST", 503] > 0, "a write is refused")
                server.start()
                wait_until(lambda: health(site) == 200, "health is well again")
                since = Counter(load.answers)
                wait_until(lambda: load.answers["GET", 200] > since["GET", 200], "reads are answered again")
                wait_until(lambda: load.answers["POST", 201] > since["POST", 201], "writes are answered again")
            finally:
                load.end.set()
            for client in running:
                client.result()
        assert {status for _, status in load.answers} <= {200, 201, 503}, load.answers
        assert not load.broken
        assert load.slowest < LONGEST_ANSWER
        stored = {name for (name,) in server.ask("SELECT name FROM projects")}
        assert load.promised <= stored
