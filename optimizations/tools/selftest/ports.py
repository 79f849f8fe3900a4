"""Ports for servers that a program starts for itself."""

from __future__ import annotations

import random
import socket

# Below those that the kernel gives to outgoing connections (from 32,768 on Linux, 49,152 elsewhere): any client may
# take one of these between the moment when it is found free and the one when a server listens on it, or starts anew.
UNUSED_BY_CLIENTS = range(10_000, 32_000)


def is_free(port: int) -> bool:
    """Whether nothing has this port of 127.0.0.1."""
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    """Return a port of 127.0.0.1 on which nothing listens. Raises OSError where there is none."""
    for port in random.sample(UNUSED_BY_CLIENTS, len(UNUSED_BY_CLIENTS)):
        if is_free(port):
            return port
    raise OSError("No port is free.")
