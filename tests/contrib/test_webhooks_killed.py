"""Webhooks when the delivering process is killed at random: nothing is lost, and each prompt's events stay in order."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections import defaultdict

from tests.contrib.webhook_receiver import Received, receiving
from tests.support.processes import REPOSITORY, Scratch
from tests.support.rounds import WEBHOOK_SECONDS

ENABLED = {
    "PROMPTADMIN_PLUGINS": "projects,optimizations,webhooks",
    "PROMPTADMIN_WEBHOOKS_HOSTS": "127.0.0.1",
    "PROMPTADMIN_WEBHOOKS_PRIVATE": "1",
}
MAKE_ENDPOINT = (
    "from promptadmin.contrib.webhooks.models import Endpoint;"
    "Endpoint.objects.create(name='all', url={!r}, events=['prompt_version_created'])"
)


def test_no_event_is_lost_and_none_overtakes_another(scratch: Scratch, new_file: bytes) -> None:
    scratch.variables |= ENABLED
    scratch.database.write_bytes(new_file)
    chance = random.Random()
    with receiving(lambda request: 500 if chance.random() < 0.02 else 204) as receiver:
        made = scratch.manage("shell", "-c", MAKE_ENDPOINT.format(receiver.address))
        assert made.returncode == 0, made.stderr
        editor = subprocess.Popen(
            [sys.executable, "-m", "tests.contrib.busy_editor", str(WEBHOOK_SECONDS)],
            cwd=REPOSITORY,
            env=scratch.environment(
                DJANGO_SETTINGS_MODULE="promptadmin.settings", PROMPTADMIN_WEBHOOKS_RETRY_SECONDS="1"
            ),
            stdout=subprocess.PIPE,
            text=True,
        )
        kills = 0
        try:
            while editor.poll() is None:
                deliverer = scratch.start("deliver_webhooks", PROMPTADMIN_WEBHOOKS_RETRY_SECONDS="1")
                time.sleep(chance.uniform(0.6, 2.5))
                deliverer.kill()
                deliverer.communicate()
                kills += 1
            versions: dict[str, int] = json.loads(editor.communicate()[0])
            arrived = expected(receiver.requests, versions, scratch)
        finally:
            if editor.poll() is None:
                editor.kill()
                editor.communicate()
    assert kills >= 2
    for prompt, last in versions.items():
        assert list(dict.fromkeys(arrived[prompt])) == list(range(2, last + 1)), prompt


def expected(requests: list[Received], versions: dict[str, int], scratch: Scratch) -> dict[str, list[int]]:
    """The versions of each prompt as they arrived, once every last one has."""
    deliverer = scratch.start("deliver_webhooks", PROMPTADMIN_WEBHOOKS_RETRY_SECONDS="1")
    try:
        deadline = time.monotonic() + 60
        while True:
            arrived: defaultdict[str, list[int]] = defaultdict(list)
            for request in list(requests):
                data = json.loads(request.body)["data"]
                arrived[data["prompt_id"]].append(data["version"])
            if all(last in arrived[prompt] for prompt, last in versions.items()):
                return arrived
            assert time.monotonic() < deadline, (versions, {key: max(seen) for key, seen in arrived.items()})
            time.sleep(0.2)
    finally:
        deliverer.kill()
        deliverer.communicate()
