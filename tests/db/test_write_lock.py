"""Writers of one SQLite file take turns: none waits in vain, whoever else writes and however they end."""

from __future__ import annotations

import fcntl
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import OperationalError, connection, connections, transaction

from projects.models import Project
from promptadmin.db.sessions import write_session
from promptadmin.db.sqlite import write_lock

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL's writers wait for rows only"),
]
WRITERS, TIMES = 6, 25


@contextmanager
def another_program(sql: str = "BEGIN IMMEDIATE") -> Iterator[sqlite3.Connection]:
    """One that knows nothing of turns, in a transaction."""
    name = connection.settings_dict["NAME"]
    with closing(sqlite3.connect(name, isolation_level=None, check_same_thread=False)) as other:
        other.execute(sql)
        yield other


def busy_timeout(milliseconds: int | None = None) -> Any:
    with connection.cursor() as cursor:
        change = "" if milliseconds is None else f"={milliseconds}"
        return cursor.execute(f"PRAGMA busy_timeout{change}").fetchone()[0]


def add_many(number: int) -> None:
    try:
        for at in range(TIMES):
            with write_session():
                Project.objects.create(name=f"{number} {at}")
    finally:
        connections.close_all()


def test_everybody_gets_a_turn_also_beside_another_program() -> None:
    """The other one takes none, and writes all the while."""
    stop = threading.Event()

    def write_without_turns() -> int:
        times = 0
        with another_program("CREATE TABLE IF NOT EXISTS elsewhere (number)") as other:
            while not stop.is_set():
                other.execute("INSERT INTO elsewhere VALUES (1)")
                times += 1
                time.sleep(0.0005)  # or a busy machine may leave no moment in which anybody finds the file free
        return times

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        other = pool.submit(write_without_turns)
        try:
            list(pool.map(add_many, range(WRITERS)))
        finally:
            stop.set()
        assert other.result() > 0
    assert Project.objects.count() == WRITERS * TIMES
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE elsewhere")


def test_what_is_done_on_commit_waits_for_no_turn() -> None:
    """The turn ends with the commit, although the session goes on; also where more is written, and that fails."""
    took = []

    def write_again() -> None:
        began = time.monotonic()
        with write_session():
            Project.objects.create(name="again")
        took.append(time.monotonic() - began)
        with write_session():
            transaction.on_commit(lambda: took.append(0))
            Project.objects.create(name="lost")
            raise ZeroDivisionError

    def write() -> None:
        with write_session():
            Project.objects.create(name="first")
            transaction.on_commit(write_again)

    with pytest.raises(ZeroDivisionError):
        write()
    assert len(took) == 1
    assert took[0] < 4, "it waited for its own turn, for as long as SQLite waits"
    assert set(Project.objects.values_list("name", flat=True)) == {"first", "again"}
    with write_session():
        Project.objects.create(name="next")


def test_waiting_ends_and_the_next_turn_is_free() -> None:
    """It ends as SQLite's own does, after `busy_timeout`, which is as it was then."""
    busy_timeout(100)
    try:
        began = time.monotonic()
        with another_program(), pytest.raises(OperationalError, match="locked"), write_session():
            pass
        assert 0.1 <= time.monotonic() - began < 5
        assert busy_timeout() == 100
        with write_session():
            Project.objects.create(name="after")
    finally:
        busy_timeout(5000)


def test_a_turn_begins_when_the_other_program_is_done() -> None:
    with another_program() as other:
        timer = threading.Timer(0.3, other.execute, ["ROLLBACK"])
        timer.start()
        with write_session():
            Project.objects.create(name="in time")
        timer.join()
    assert Project.objects.filter(name="in time").exists()


def test_a_failed_turn_and_one_inside_another_keep_nobody_waiting() -> None:
    with pytest.raises(ZeroDivisionError), write_session(), write_session():
        raise ZeroDivisionError
    add = threading.Thread(target=add_many, args=[0])
    add.start()
    add.join(5)
    assert Project.objects.count() == TIMES


def test_a_killed_writer_of_another_process_keeps_nobody_waiting() -> None:
    ready, tell = os.pipe()
    child = os.fork()
    if child == 0:
        with Path(f"{connection.settings_dict['NAME']}-writers").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            os.write(tell, b".")
            signal.pause()
    assert os.read(ready, 1) == b"."
    timer = threading.Timer(0.3, os.kill, [child, signal.SIGKILL])
    timer.start()
    began = time.monotonic()
    with write_session():
        took = time.monotonic() - began
    assert 0.3 <= took < 5, "the time that SQLite itself would wait"
    os.waitpid(child, 0)
    os.close(ready)
    os.close(tell)


def test_a_lock_file_that_cannot_be_opened_leaves_the_waiting_to_sqlite() -> None:
    file = Path(f"{connection.settings_dict['NAME']}-writers")
    file.unlink(missing_ok=True)
    file.mkdir()
    try:
        with write_session():
            Project.objects.create(name="without")
    finally:
        file.rmdir()
    assert Project.objects.filter(name="without").exists()


def test_a_fork_during_a_turn_keeps_no_lock() -> None:
    """The thread whose turn it was isn't in the new process, and can't end it there."""
    name = connection.settings_dict["NAME"]
    with write_session():
        assert write_lock._locks[str(name)].locked()
        child = os.fork()
        if child == 0:
            os._exit(int(write_lock._locks[str(name)].locked()))
        assert os.waitpid(child, 0)[1] == 0
