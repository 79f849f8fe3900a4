"""Ports for servers of tests."""

from __future__ import annotations

import itertools
import os
import random

from optimizations.tools.selftest.ports import UNUSED_BY_CLIENTS, is_free

PROCESSES = 16


def _share() -> list[int]:
    """Every second port of the share of this process of the test run, from a random one on."""
    size = len(UNUSED_BY_CLIENTS) // PROCESSES
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % PROCESSES
    ports = UNUSED_BY_CLIENTS[number * size : (number + 1) * size : 2]
    start = random.Random().randrange(len(ports))
    return [*ports[start:], *ports[:start]]


_candidates = itertools.cycle(_share())


def free_port() -> int:
    """A port on which nothing listens, nor on the next one, which `serve --mcp` takes; no other test gets either."""
    return next(port for port in _candidates if is_free(port) and is_free(port + 1))
