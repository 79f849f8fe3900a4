"""clients/python/promptadmin_client.py against a stand-in: what it keeps, how stale that gets, what else it answers."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from tests.clients.stand_in import TOKEN, StandIn, prompt, standing_in
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY

FILE = REPOSITORY / "clients/python/promptadmin_client.py"
spec = spec_from_file_location("promptadmin_client", FILE)
assert spec
assert spec.loader
ours: Any = module_from_spec(spec)
sys.modules["promptadmin_client"] = ours
spec.loader.exec_module(ours)

NAME = "support/refund"


@pytest.fixture
def server() -> Iterator[StandIn]:
    with standing_in() as server:
        server.put(NAME, "Hello {{customer}}.")
        yield server


class Clock:
    """The time of the client's module, which passes where a test says so."""

    def __init__(self) -> None:
        self.now = time.time()

    def time(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(ours, "time", clock)
    return clock


def client(address: str, **options: Any) -> Any:
    return ours.PromptClient(address, TOKEN, **options)


def until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Fails the test after so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


def is_idle(prompts: Any) -> bool:
    """Whether none of its threads asks the server."""
    return not prompts._refreshing


def test_a_prompt_is_fetched_once_and_then_answered_from_memory(server: StandIn) -> None:
    prompts = client(server.address)
    first, again = prompts.get(NAME), prompts.get(NAME)
    assert (first.text, first.version, first.config, first.source) == (
        "Hello {{customer}}.",
        1,
        {"model": "m"},
        "server",
    )
    assert (again.text, again.source) == (first.text, "memory")
    assert [path for path, _ in server.requests] == ["/api/prompts/support/refund"]


def test_label_version_and_key_are_asked_for_and_kept_apart(server: StandIn) -> None:
    server.put(NAME, "staged", 2, "staging")
    prompts = client(server.address)
    assert prompts.get(NAME, "staging").text == "staged"
    assert prompts.get(NAME, version=1).text == "Hello {{customer}}."
    assert prompts.get(NAME, "staging", key="ü/1").text == "staged"
    assert [path.partition("?")[2] for path, _ in server.requests] == [
        "label=staging", "version=1", "label=staging&key=%C3%BC%2F1",
    ]  # fmt: skip


def test_a_moved_label_is_seen_after_the_time_to_live_and_nobody_waits_for_it(server: StandIn, clock: Clock) -> None:
    prompts = client(server.address, ttl=60)
    prompts.get(NAME)
    server.put(NAME, "Moved.", 2)
    clock.now += 59
    assert prompts.get(NAME).text == "Hello {{customer}}."
    assert is_idle(prompts)
    clock.now += 2
    server.let_answer.clear()
    assert prompts.get(NAME).text == "Hello {{customer}}."
    server.let_answer.set()
    until(lambda: prompts.get(NAME).text == "Moved.")
    assert len(server.requests) == 2


def test_what_has_not_changed_is_asked_by_its_etag_and_is_fresh_again(server: StandIn, clock: Clock) -> None:
    prompts = client(server.address, ttl=60)
    prompts.get(NAME)
    clock.now += 61
    prompts.get(NAME)
    until(lambda: is_idle(prompts))
    assert [status for _, status in server.requests] == [200, 304]
    clock.now += 59
    prompts.get(NAME)
    assert is_idle(prompts)
    assert len(server.requests) == 2


def test_a_version_is_never_asked_for_again(server: StandIn) -> None:
    prompts = client(server.address, ttl=0.0, max_stale=0.0)
    assert prompts.get(NAME, version=1).text == prompts.get(NAME, version=1).text
    assert len(server.requests) == 1


def test_a_program_that_did_not_ask_for_long_waits_for_the_server(server: StandIn, clock: Clock) -> None:
    prompts = client(server.address, ttl=60, max_stale=3600)
    prompts.get(NAME)
    server.put(NAME, "Moved.", 2)
    clock.now += 3601
    assert prompts.get(NAME).text == "Moved."


def test_many_threads_cause_one_request(server: StandIn, clock: Clock) -> None:
    prompts = client(server.address, ttl=60, timeout=30)
    prompts.get(NAME)
    clock.now += 61
    server.let_answer.clear()
    threads = [threading.Thread(target=prompts.get, args=(NAME,)) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    server.let_answer.set()
    until(lambda: is_idle(prompts))
    assert len(server.requests) == 2


def test_a_server_that_went_away_and_came_back_moved(clock: Clock) -> None:
    """The program goes on with what it has, and sees the new version when the server is back and the pause is over."""
    port = free_port()
    with standing_in(port) as server:
        server.put(NAME, "before")
        prompts = client(server.address, ttl=60)
        prompts.get(NAME)
    for _ in range(3):
        clock.now += 61
        assert prompts.get(NAME).text == "before"
        until(lambda: is_idle(prompts))
    with standing_in(port) as server:
        server.put(NAME, "after", 2)
        assert prompts.get(NAME).text == "before"
        assert is_idle(prompts)
        clock.now += ours.PAUSE + 1
        until(lambda: prompts.get(NAME).text == "after")


def test_a_server_that_hangs_costs_the_timeout_once(server: StandIn, clock: Clock) -> None:
    prompts = client(server.address, timeout=0.5)
    server.let_answer.clear()
    begin = time.monotonic()
    found = [prompts.get(NAME, fallback="Sorry.") for _ in range(20)]
    assert 0.4 < time.monotonic() - begin < 5  # twenty times would be ten seconds
    assert {(one.text, one.source, one.version) for one in found} == {("Sorry.", "fallback", None)}
    with pytest.raises(ours.Unavailable, match="doesn't answer"):
        prompts.get(NAME)


def test_a_new_process_without_a_server_answers_from_disk(server: StandIn, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    first = client(server.address, cache_dir=kept).get(NAME)
    assert oct(kept.stat().st_mode)[-3:] == "700"
    [file] = kept.iterdir()
    assert oct(file.stat().st_mode)[-3:] == "600"
    assert TOKEN not in file.read_text()
    # Young enough: the server isn't asked at all.
    assert client(server.address, cache_dir=kept).get(NAME).source == "disk"
    assert len(server.requests) == 1
    # Too old: it is asked first, by the ETag.
    server.failure = (503, b'{"detail": "The database doesn\'t answer"}', {})
    old = client(server.address, cache_dir=kept, ttl=0.0).get(NAME)
    assert (old.text, old.version, old.source) == (first.text, 1, "disk")
    server.failure = None
    assert client(server.address, cache_dir=kept, ttl=0.0).get(NAME).source == "server"
    assert [status for _, status in server.requests] == [200, 503, 304]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"prompt": {"name": 1}, "etag": "", "checked_at": 0}', "\x00"])
def test_a_broken_file_of_the_cache_is_none(content: str, server: StandIn, tmp_path: Path) -> None:
    client(server.address, cache_dir=tmp_path).get(NAME)
    [file] = tmp_path.iterdir()
    file.write_text(content)
    assert client(server.address, cache_dir=tmp_path).get(NAME).source == "server"
    assert json.loads(file.read_text())["prompt"]["name"] == NAME


def test_a_directory_that_cannot_be_written_is_no_reason_to_fail(server: StandIn) -> None:
    assert client(server.address, cache_dir="/proc/nowhere").get(NAME).source == "server"


def test_the_bundle_comes_before_the_fallback(tmp_path: Path) -> None:
    bundle = tmp_path / "bundle.json"
    bundle.write_text(json.dumps({"label": "production", "prompts": [prompt(NAME, "from the image", 7)]}))
    prompts = client(f"http://127.0.0.1:{free_port()}", bundle=bundle)
    for found in (prompts.get("Support/Refund", fallback="x"), prompts.get(NAME, version=7)):
        assert (found.text, found.version, found.source) == ("from the image", 7, "bundle")
    assert prompts.get(NAME, "staging", fallback="x").text == "x"
    with pytest.raises(ours.Unavailable):
        prompts.get(NAME, version=8)


def test_what_the_server_does_not_have_is_not_answered_from_memory(server: StandIn, clock: Clock) -> None:
    prompts = client(server.address, ttl=60)
    prompts.get(NAME)
    server.prompts.clear()
    clock.now += 61
    assert prompts.get(NAME).source == "memory"
    until(lambda: is_idle(prompts))
    with pytest.raises(ours.NotFound, match=f"Prompt not found: {NAME}"):
        prompts.get(NAME)
    assert prompts.get(NAME, fallback=[{"role": "user", "content": "Hi"}]).messages == [
        {"role": "user", "content": "Hi"}
    ]


@pytest.mark.parametrize(
    ("failure", "raised"),
    [
        ((401, b'{"detail": "Not authenticated"}', {}), "Refused"),
        ((403, b'{"detail": "This token has no scope"}', {}), "Refused"),
        ((302, b"", {"Location": "http://127.0.0.1:1/"}), "Refused"),
        ((404, b"<html>no such site</html>", {}), "Unavailable"),
        ((502, b"<html>bad gateway</html>", {}), "Unavailable"),
        ((429, b'{"detail": "Rate limit exceeded"}', {}), "Unavailable"),
        ((200, b"<html>log in</html>", {}), "Unavailable"),
        ((200, b'{"name": "x"}', {}), "Unavailable"),
    ],
)
def test_failures_are_told_apart_and_what_is_kept_stays(failure: Any, raised: str, server: StandIn) -> None:
    prompts = client(server.address, ttl=0.0, max_stale=100)
    prompts.get(NAME)
    server.failure = failure
    with pytest.raises(getattr(ours, raised)):
        prompts.get("another")
    assert prompts.get("another", fallback="x").source == "fallback"
    for _ in range(5):
        assert prompts.get(NAME).version == 1
        until(lambda: is_idle(prompts))


def test_memory_has_an_end(server: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ours, "MOST_KEPT", 10)
    prompts = client(server.address)
    for number in range(30):
        prompts.get(NAME, key=str(number))
    assert len(prompts._kept) == 10


def test_coroutines_do_not_hold_each_other_up(server: StandIn) -> None:
    prompts = client(server.address)
    server.let_answer.clear()

    async def use() -> Any:
        waiting = asyncio.create_task(prompts.get_async(NAME))
        await asyncio.sleep(0.05)
        server.let_answer.set()
        return await waiting

    assert asyncio.run(use()).text == "Hello {{customer}}."


def test_a_forked_child_goes_on(server: StandIn, clock: Clock) -> None:
    """Whatever the parent's threads did at that moment."""
    prompts = client(server.address, ttl=60, timeout=30)
    prompts.get(NAME)
    clock.now += 61
    server.let_answer.clear()
    prompts.get(NAME)  # a thread of the parent asks now
    with prompts._lock:
        child = os.fork()
        if child == 0:
            try:
                os._exit(0 if prompts.get(NAME).text == "Hello {{customer}}." else 1)
            finally:
                os._exit(2)
    server.let_answer.set()
    deadline = time.monotonic() + 30
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert os.waitstatus_to_exitcode(ended[1]) == 0


def test_it_needs_nothing_but_python(server: StandIn) -> None:
    program = (
        f"import sys; sys.path.insert(0, {str(FILE.parent)!r}); from promptadmin_client import PromptClient; "
        f"print(PromptClient({server.address!r}, {TOKEN!r}).get({NAME!r}).compile(customer='Ana'))"
    )
    command = [sys.executable, "-I", "-S", "-W", "error", "-c", program]
    run = subprocess.run(command, check=False, capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("Hello Ana.\n", "")


@pytest.mark.parametrize(
    ("template_format", "text", "filled"),
    [
        ("mustache", "{{customer}} {{ customer }} {{{customer}}} {customer}", "Ana Ana {{{customer}}} {customer}"),
        ("mustache", "{{missing}} {{data}} {{n}} {{none}}", '{{missing}} {"a": "ü"} 3 {{none}}'),
        ("mustache", "{{tricky}}", "{{customer}}"),
        ("mustache", "{{tone}}", "kind"),
        ("f-string", "{customer} {{customer}} {missing}", "Ana {customer} {missing}"),
        ("none", "{{customer}} {customer}", "{{customer}} {customer}"),
    ],
)
def test_values_are_filled_in_as_the_server_does(template_format: str, text: str, filled: str) -> None:
    values = {"customer": "Ana", "data": {"a": "ü"}, "n": 3, "none": None, "tricky": "{{customer}}", "unused": 1}
    variables = [{"name": "tone", "default": "kind"}, {"name": "customer"}]
    found = ours._prompt(prompt("x", text, template_format=template_format, variables=variables))
    assert found.compile(values) == found.compile(**values) == filled


def test_a_chat_takes_messages_in_the_place_of_a_placeholder() -> None:
    messages = [
        {"role": "system", "content": "Help {{customer}}."},
        {"type": "placeholder", "name": "history"},
        {"type": "placeholder", "name": "more"},
    ]
    found = ours._prompt(prompt("x", "", kind="chat", messages=messages))
    history = [{"role": "user", "content": "{{customer}}?"}]
    assert found.compile(customer="Ana", history=history, more="text") == [
        {"role": "system", "content": "Help Ana."},
        {"role": "user", "content": "{{customer}}?"},
        {"type": "placeholder", "name": "more"},
    ]
