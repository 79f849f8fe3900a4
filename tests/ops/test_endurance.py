"""`python -m tests.support.endurance`, for seconds instead of minutes."""

from __future__ import annotations

import http.client
from pathlib import Path

from tests.support.endurance import Book, Endurance, is_of_a_restart, report


def test_clients_a_backup_and_a_restart(tmp_path: Path) -> None:
    """Nothing fails but what meets the restart, nothing is lost or stale; the first backup, due at once, is made."""
    book = Endurance(tmp_path, backup_every=10, restart_every=1, clients=3).run(2.5, backups=1)
    assert (book.errors, book.lost, book.stale) == ([], [], []), report(book)
    assert book.restarts == 1
    assert book.backups >= 1
    assert book.passed, report(book)
    assert sum(book.requests.values()) > 0


def test_the_verdict_names_what_went_wrong() -> None:
    """Losses, stale reads, errors and growing memory each fail it; without a backup nothing was proven."""
    assert Book(backups=1).passed
    for wrong in (
        Book(backups=1, errors=["GET /: 500"]),
        Book(backups=1, stale=["run"]),
        Book(backups=1, lost=["run 1"]),
        Book(backups=1, memory=[100, 100, 160, 100]),
        Book(backups=0),
    ):
        assert not wrong.passed
        assert "FAILED" in report(wrong)


def test_a_restart_excuses_refused_and_closed_connections_alone() -> None:
    for excused in (
        ConnectionRefusedError(),
        ConnectionResetError(),
        BrokenPipeError(),
        http.client.RemoteDisconnected("closed"),
    ):
        assert is_of_a_restart(excused)
    for wrong in (
        TimeoutError(),
        http.client.IncompleteRead(b""),
        http.client.BadStatusLine(""),
        OSError(113, "no route"),
    ):
        assert not is_of_a_restart(wrong)
