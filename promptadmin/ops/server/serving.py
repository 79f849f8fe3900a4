"""What every server that we start has in common: its bounds, and how signals stop it."""

from __future__ import annotations

import contextlib
import functools
import os
import signal
import socket
import sys
from typing import Any

CONNECTIONS = 1024
HEADER_SECONDS = 10
STOP_SECONDS = 45  # longer than reading may take by default


def bounds(workers: int) -> dict[str, Any]:
    """What Granian is told, whose workers are so many."""
    from granian.http import HTTP1Settings

    return {
        "workers": workers,
        "respawn_failed_workers": True,
        "websockets": False,
        # Connections beyond these wait in the system's queue: under overload everybody waits longer.
        "backlog": CONNECTIONS,
        "backpressure": max(1, CONNECTIONS // workers),
        "http1_settings": HTTP1Settings(header_read_timeout=HEADER_SECONDS * 1000),
        # What was accepted is answered before a process ends, but it doesn't wait for ever.
        "workers_kill_timeout": STOP_SECONDS,
    }


def serve(server: Any) -> None:
    """Run a Granian server until SIGINT or SIGTERM; a second one doesn't wait for requests under way.

    When its terminal is closed, it stops, too. Without a terminal SIGHUP renews the workers.
    """
    main = os.getpid()
    has_terminal = any(stream is not None and stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr))
    ignores_hangup = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN  # as under nohup

    def stop(number: int, frame: Any) -> None:
        if os.getpid() != main:  # a worker that was forked a moment ago, and has no handlers of its own yet
            if number == signal.SIGTERM:
                os._exit(0)
        elif server.interrupt_signal:
            for worker in server.wrks:
                worker.kill()
        else:
            server.signal_handler_interrupt()

    keep_signals_of_new_processes()

    @server.on_startup  # type: ignore[untyped-decorator]
    def set_signals() -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, stop)
        if ignores_hangup:
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
        elif has_terminal:
            signal.signal(signal.SIGHUP, stop)

    server.serve()
    if signal.getsignal(signal.SIGINT) is stop:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # the end is near: one more Ctrl-C is no failure


def keep_signals_of_new_processes() -> None:
    """From now on a process that is forked gets a SIGTERM that came at once: Python would forget it there."""
    hold, let_go = (
        functools.partial(signal.pthread_sigmask, how, {signal.SIGTERM})
        for how in (signal.SIG_BLOCK, signal.SIG_UNBLOCK)
    )
    os.register_at_fork(before=hold, after_in_parent=let_go, after_in_child=let_go)


def tell_systemd(state: str) -> None:
    """Tell a service manager what it waits for, as in `READY=1`; nothing where none has started this process."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # a name without a file, which Linux writes with a zero
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notified, contextlib.suppress(OSError):
        notified.sendto(state.encode(), address)


def prepare_worker() -> None:
    """Called first in each worker: its parent alone stops it, by one SIGTERM.

    A terminal sends SIGINT to the whole process group. Granian 2.8 hangs in a worker that gets a second signal, and its
    parent would wait for it until `workers_kill_timeout`. Granian sets its handlers when the application is loaded.
    """
    with contextlib.suppress(PermissionError):  # the leader of a session has a group of its own
        os.setpgid(0, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
