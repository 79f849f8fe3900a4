"""`/metrics`, read by Prometheus' own parser, of a real server with two processes."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as openmetrics
from prometheus_client.parser import text_string_to_metric_families as plain

from tests.conftest import Command
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, Scratch
from tests.support.servers import Site, serving

TOKEN = "a-token-for-the-tests-of-metrics"
SHARED = "a-token-for-the-api-of-the-tests"
CLIENTS = 6
ROUNDS = 8
CALL = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "list", "arguments": {}}}
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


@pytest.fixture(scope="module")
def own_port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, new_file: bytes, own_port: int) -> Iterator[Site]:
    directory = tmp_path_factory.mktemp("metrics")
    scratch = Scratch(directory)
    scratch.database.write_bytes(new_file)
    with serving(
        directory,
        f"sqlite:///{scratch.database}",
        "--mcp",
        workers=2,
        AUTH_TOKEN=SHARED,
        PROMPTADMIN_METRICS_TOKEN=TOKEN,
        PROMPTADMIN_METRICS_ADDRESS=f"127.0.0.1:{own_port}",
        PROMPTADMIN_PLUGINS="projects,optimizations,registry,mcp,webhooks",
    ) as site:
        yield site


def ask(address: str, path: str, token: str = SHARED, body: Any = None, **headers: str) -> tuple[int, str]:
    sent = {"Authorization": f"Bearer {token}", **headers}
    data = None if body is None else json.dumps(body).encode()
    method = headers.pop("method", "GET" if data is None else "POST")
    sent.pop("method", None)
    request = urllib.request.Request(address + path, data, sent, method=method)
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def wait_for(port: int) -> None:
    """Its process starts with the server's, and takes a moment longer."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    pytest.fail(f"nothing listens on {port}")


def samples(text: str, parse: Any = plain) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample's value, by its name and labels; each stands once."""
    read = [sample for family in parse(text) for sample in family.samples]
    found = {(sample.name, frozenset(sample.labels.items())): sample.value for sample in read}
    assert len(found) == len(read)
    return found


def counted(text: str, name: str, *labels: str, parse: Any = plain) -> Counter[tuple[str, ...]]:
    """The values of a counter by these labels."""
    found: Counter[tuple[str, ...]] = Counter()
    for (sample, own), value in samples(text, parse).items():
        if sample == name:
            found[tuple(dict(own)[label] for label in labels)] += int(value)
    return found


def requests_in(text: str) -> Counter[tuple[str, ...]]:
    return counted(text, "promptadmin_requests_total", "method", "route", "status")


def test_counters_equal_what_was_sent_to_two_processes_while_they_are_read(site: Site) -> None:
    form = {"Content-Type": "application/json"}
    assert ask(site.address, "/api/prompts/counted", SHARED, {"text": "A text"}, method="PUT", **form)[0] == 201
    agents = f"http://127.0.0.1:{int(site.address.rpartition(':')[2]) + 1}"
    wait_for(int(agents.rpartition(":")[2]))
    before = ask(site.address, "/metrics", TOKEN)[1]
    sent: Counter[tuple[str, ...]] = Counter()
    problems: list[Any] = []
    lock, done = threading.Lock(), threading.Event()

    def client(number: int) -> None:
        for turn in range(ROUNDS):
            run = {"raw_prompt": f"Text {number} {turn}", "status": "completed"}
            for method, route, path, body, token, expected in (
                ("GET", "api/history", "/api/history", None, SHARED, 200),
                ("GET", "api/projects/<project_id>", "/api/projects/none", None, SHARED, 404),
                ("GET", "api/projects", "/api/projects", None, "wrong", 401),
                ("POST", "api/optimizations", "/api/optimizations", run, SHARED, 201),
                ("GET", "", "/nowhere", None, SHARED, 404),
                ("other", "api/history", "/api/history", None, SHARED, 405),
                ("GET", "api/prompts/<path:name>", "/api/prompts/counted?label=latest", None, SHARED, 200),
                ("GET", "api/prompts/<path:name>", "/api/prompts/counted?version=1", None, SHARED, 200),
                ("POST", "plugins/mcp/", "/plugins/mcp/", CALL, SHARED, 200),
            ):
                if expected == 401 and number:  # an address has 60 of these a minute
                    continue
                headers = {"Content-Type": "application/json"} | ({"method": "BREW"} if method == "other" else {})
                if body is CALL:
                    headers["Accept"] = "application/json, text/event-stream"
                there = agents if body is CALL else site.address
                status, text = ask(there, path, token, body, **headers)
                with lock:
                    sent[method, route, str(status)] += 1
                    if status != expected:
                        problems.append((path, status, text))

    def reader() -> None:
        """Prometheus, in a hurry: what it reads can always be parsed, and never runs backwards."""
        last: Counter[tuple[str, ...]] = Counter()
        while not done.is_set():
            now = requests_in(ask(site.address, "/metrics", TOKEN)[1])
            with lock:
                problems.extend((key, last[key], now[key]) for key in last if now[key] < last[key])
            last = now

    threads = [threading.Thread(target=client, args=[number]) for number in range(CLIENTS)]
    reading = threading.Thread(target=reader)
    for thread in (*threads, reading):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    reading.join()
    assert problems == []

    after = ask(site.address, "/metrics", TOKEN)[1]
    difference = requests_in(after) - requests_in(before)
    assert {key: value for key, value in difference.items() if key[1] != "metrics"} == dict(sent)

    def grown(name: str, *labels: str) -> Counter[tuple[str, ...]]:
        return counted(after, name, *labels) - counted(before, name, *labels)

    each = CLIENTS * ROUNDS
    assert grown("promptadmin_events_total", "event")["optimization_created",] == each
    timed = grown("promptadmin_request_duration_seconds_count", "method", "route")
    assert timed["GET", "api/history"] == sent["GET", "api/history", "200"]
    assert grown("promptadmin_registry_fetches_total", "label") == {("latest",): each, ("",): each}
    assert grown("promptadmin_mcp_calls_total", "tool", "outcome") == {("list", "ok"): each}
    assert grown("promptadmin_write_wait_seconds_count")[()] >= each
    assert counted(after, "promptadmin_writers_waiting")[()] < CLIENTS
    assert len(list(Path(site_directory(site)).glob("counter_*.db"))) >= 2, "one process answered everything"


def site_directory(site: Site) -> Path:
    """Where the processes of a server count."""
    variables = dict(
        line.split("=", 1) for line in Path(f"/proc/{site.process.pid}/environ").read_text().split("\0") if line
    )
    return Path(variables["PROMPTADMIN_DATA_DIR"]) / "metrics" / site.address.rpartition(":")[2]


@pytest.mark.parametrize("form", [plain, openmetrics])
def test_the_state_is_looked_up_at_both_addresses(site: Site, own_port: int, form: Any) -> None:
    accept = {"Accept": OPENMETRICS} if form is openmetrics else {}
    with_token = samples(ask(site.address, "/metrics", TOKEN, **accept)[1], form)
    wait_for(own_port)
    alone = samples(ask(f"http://127.0.0.1:{own_port}", "/metrics", "", **accept)[1], form)
    none: frozenset[tuple[str, str]] = frozenset()
    for found in (with_token, alone):
        assert found["promptadmin_database_up", none] == 1
        assert found["promptadmin_wal_bytes", none] >= 0
        assert found["promptadmin_webhooks_waiting", none] == 0
    names = {name for name, _ in with_token}
    assert {name for name, _ in alone} >= names


@pytest.mark.parametrize("token", ["", "wrong", SHARED, TOKEN[:-1]])
def test_whoever_has_no_token_reads_nothing(site: Site, token: str) -> None:
    status, text = ask(site.address, "/metrics", token)
    assert status == 401
    assert "promptadmin_requests" not in text


def test_without_a_setting_there_is_no_such_page(client: Any) -> None:
    assert client.get("/metrics").status_code == 404


def test_a_start_empties_the_counters_of_its_port_alone(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    from promptadmin.ops import metrics

    settings.DATA_DIR = tmp_path
    monkeypatch.setenv(metrics.DIRECTORY, "")
    for port in (8000, 8001):
        metrics.share_counters(port)
        (tmp_path / "metrics" / str(port) / "counter_1.db").touch()
    metrics.share_counters(8000)
    assert [str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.db")] == ["metrics/8001/counter_1.db"]


@pytest.mark.django_db
def test_a_process_that_was_killed_waits_no_more(tmp_path: Path, settings: Any, monkeypatch: Any) -> None:
    from promptadmin.ops import metrics

    settings.DATA_DIR = tmp_path
    monkeypatch.setenv(metrics.DIRECTORY, "")
    metrics.share_counters(8000)
    script = (
        "from promptadmin.conf.counters import WRITERS, EVENTS, waiting_to_write; WRITERS.inc(); "
        "EVENTS.labels('x').inc(); import os; os._exit(9)"
    )
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "promptadmin.settings"}
    subprocess.run([sys.executable, "-c", script], env=environment, check=False, timeout=60)
    text = generate_latest(metrics.registry()).decode()
    assert counted(text, "promptadmin_events_total", "event") == {("x",): 1}
    assert "promptadmin_writers_waiting" not in text


def test_an_address_that_is_taken_ends_the_start(command: Command, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings.METRICS_ADDRESS = taken.getsockname()
        done = command("serve", "--port", str(free_port()))
    assert done.returncode == 1
    assert "Give PROMPTADMIN_METRICS_ADDRESS another one" in done.stderr


def test_the_dashboard_and_the_document_name_what_there_is(site: Site) -> None:
    """Each metric of the dashboard and of docs/operations.md, and nothing else."""
    form = {"Content-Type": "application/json"}
    ask(site.address, "/api/optimizations", SHARED, {"raw_prompt": "A text"}, **form)
    ask(site.address, "/api/prompts/shown", SHARED, {"text": "A text"}, method="PUT", **form)
    ask(site.address, "/api/prompts/shown?label=latest", SHARED)
    agents = int(site.address.rpartition(":")[2]) + 1
    wait_for(agents)
    form["Accept"] = "application/json, text/event-stream"
    ask(f"http://127.0.0.1:{agents}", "/plugins/mcp/", SHARED, CALL, **form)
    there = {name for name, _ in samples(ask(site.address, "/metrics", TOKEN)[1]) if not name.endswith("_created")}
    there.add("promptadmin_last_proven_backup_timestamp_seconds")  # the first one is made later
    dashboard = json.loads((REPOSITORY / "deploy" / "grafana-dashboard.json").read_text())
    queries = " ".join(target["expr"] for panel in dashboard["panels"] for target in panel["targets"])
    shown = set(re.findall(r"\bpromptadmin_\w+", queries))
    assert shown <= there
    bare = {re.sub("_(bucket|count|sum)$", "", name) for name in there}
    assert {re.sub("_bucket$", "", name) for name in shown} == bare
    documented = (REPOSITORY / "docs" / "operations.md").read_text()
    assert set(re.findall(r"^\| `(promptadmin_\w+)", documented, re.MULTILINE)) == bare
