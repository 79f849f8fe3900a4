"""Two servers of two machines, each with a data directory of its own, on one PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from promptadmin.api import idempotency
from tests.api.requests_to import JsonClient
from tests.support.servers import Site, serving
from tests.support.services import needs_postgresql, postgresql_database

TOKEN = "of-both"
RUN = {"raw_prompt": "Number quartzite", "status": "completed", "overall_score": 0.5}


@pytest.fixture
def clients(tmp_path: Path) -> Iterator[list[JsonClient]]:
    """A client of each of two servers that were started at the same moment on an empty database."""
    directories = [tmp_path / "one", tmp_path / "two"]
    for directory in directories:
        directory.mkdir()
    with postgresql_database() as url, ExitStack() as stack, ThreadPoolExecutor(2) as starters:

        def start(directory: Path) -> Site:
            return stack.enter_context(
                serving(directory, url, AUTH_TOKEN=TOKEN, PROMPTADMIN_SECRET_KEY="of both machines " * 4)
            )

        sites = list(starters.map(start, directories))
        assert sum(bool(site.password) for site in sites) == 1  # one of them made the first administrator
        yield [stack.enter_context(JsonClient(site.address, TOKEN)) for site in sites]


@needs_postgresql
def test_two_servers_on_one_database_are_one(clients: list[JsonClient]) -> None:
    """What one writes the other answers at once, though both remember answers; a key is good at either, once."""
    for number in range(1, 5):
        writer, reader = clients[number % 2], clients[1 - number % 2]
        made = writer.send("POST", "/api/optimizations", RUN, **{"Idempotency-Key": f"run-{number}"})
        assert made.status == 201, made.content
        again = reader.send("POST", "/api/optimizations", RUN, **{"Idempotency-Key": f"run-{number}"})
        assert (again.status, again.json) == (201, made.json)
        assert idempotency.REPLAYED.lower() in again.headers
        for client in (reader, writer):
            assert client.send("GET", f"/api/optimize/{made.json['id']}").status == 200
            assert client.send("GET", "/api/history").json["total"] == number
            assert client.send("GET", "/api/history?search=artzi").json["total"] == number
            assert client.send("GET", "/api/history/stats").json["total_optimizations"] == number
            assert client.send("GET", "/api/search?q=quartzite&kind=run").json["total"] == number
    with ThreadPoolExecutor(2) as senders:
        at_once = list(
            senders.map(
                lambda client: client.send("POST", "/api/optimizations", RUN, **{"Idempotency-Key": "both"}), clients
            )
        )
    assert {answer.status for answer in at_once} <= {201, 409}
    assert clients[0].send("GET", "/api/history").json["total"] == 5
