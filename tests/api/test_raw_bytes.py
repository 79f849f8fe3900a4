"""What is no HTTP at all, and a stop in the middle of work: the server answers what it accepted, and nothing breaks."""

from __future__ import annotations

import http.client
import json
import random
import signal
import sqlite3
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from tests.api.raw_requests import broken_request, statuses_of_answers
from tests.api.requests_to import JsonClient
from tests.support.rounds import RAW_REQUESTS
from tests.support.servers import STOP_SECONDS, serving

TOKEN = "raw"
PROMISED = {501, 503, 507}
CLIENTS = 12


def test_broken_requests_get_no_unpromised_error_and_hang_nobody(tmp_path: Path, new_file: bytes) -> None:
    chance = random.Random(6)
    (tmp_path / "raw.db").write_bytes(new_file)
    with serving(tmp_path, f"sqlite:///{tmp_path / 'raw.db'}", "--no-upkeep", AUTH_TOKEN=TOKEN) as site:
        port = urlsplit(site.address).port or 0
        seen: Counter[int] = Counter()
        for _ in range(RAW_REQUESTS):
            request = broken_request(chance, TOKEN.encode())
            statuses = statuses_of_answers(port, request)
            assert not [status for status in statuses if status >= 500 and status not in PROMISED], request
            seen.update(statuses)
        with JsonClient(site.address, TOKEN) as client:
            assert client.send("GET", "/api/projects").status == 200
    assert seen[400], seen
    assert len(seen) > 3, seen  # not all were refused by the server itself


def test_a_stop_answers_everything_that_was_accepted(tmp_path: Path, new_file: bytes) -> None:
    """SIGTERM under load: no connection that was accepted ends without its answer, and each 201 is in the file."""
    path = tmp_path / "stop.db"
    path.write_bytes(new_file)
    outcomes: Counter[str] = Counter()
    stopped = threading.Event()

    def add_projects(number: int) -> None:
        for turn in range(10_000):
            client = http.client.HTTPConnection("127.0.0.1", port, timeout=STOP_SECONDS)
            try:
                client.connect()
            except (ConnectionRefusedError, ConnectionResetError):  # not accepted
                if stopped.wait(0.02):
                    return
                continue
            body = json.dumps({"name": f"{number} {turn}"})
            try:
                client.request(
                    "POST", "/api/projects", body, {"Authorization": f"Bearer {TOKEN}", "Connection": "close"}
                )
                outcomes[str(client.getresponse().status)] += 1
            except (OSError, http.client.HTTPException) as error:
                outcomes[repr(error)] += 1
            finally:
                client.close()

    with serving(tmp_path, f"sqlite:///{path}", "--no-upkeep", workers=2, AUTH_TOKEN=TOKEN) as site:
        port = urlsplit(site.address).port or 0
        threads = [threading.Thread(target=add_projects, args=[number]) for number in range(CLIENTS)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(STOP_SECONDS) == 0
        stopped.set()
        for thread in threads:
            thread.join()
    assert outcomes.keys() == {"201"}, outcomes
    with closing(sqlite3.connect(path)) as raw:
        assert raw.execute("SELECT count(*) FROM projects").fetchone()[0] == outcomes["201"]
