"""PROMPTADMIN_DURABILITY: what it sets on either engine, and what the doctor tells of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import override_settings

from promptadmin.conf.environment import Environment
from promptadmin.db import durability
from promptadmin.db.sqlite import pragmas, system_checks
from promptadmin.ops.doctor.examining import examine
from tests.conftest import OpenDatabase, OpenFile
from tests.support.django_databases import ALIAS, postgresql_config
from tests.support.processes import Scratch
from tests.support.services import needs_postgresql, postgresql_database


def told(connection: BaseDatabaseWrapper) -> tuple[str, str]:
    """What the doctor says."""
    [result] = examine(connection, only=["D105"])
    return result.severity, result.messages[0].msg


@pytest.mark.parametrize(("chosen", "answer"), [("fast", 1), ("strict", 2)])
def test_each_connection_has_the_chosen_pragma(open_file: OpenFile, tmp_path: Path, chosen: str, answer: int) -> None:
    """A first connection and a later one; the checks find nothing wrong with it, and the doctor tells its promise."""
    with override_settings(DURABILITY=chosen):
        for _ in range(2):
            with open_file(tmp_path / "x.db") as connection:
                assert pragmas.read_pragmas(connection)["synchronous"] == answer
                assert system_checks.check_pragmas(databases=[ALIAS]) == []
                assert told(connection) == ("ok", f"{chosen}: {durability.PROMISES[chosen]}")


def test_a_pragma_that_somebody_weakened_is_found(
    open_file: OpenFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(durability.SYNCHRONOUS, "fast", ("OFF", 1))
    with open_file(tmp_path / "x.db") as connection:
        assert [message.id for message in system_checks.check_pragmas(databases=[ALIAS])] == ["promptadmin.E001"]
        assert told(connection)[0] == "error"


@needs_postgresql
@pytest.mark.parametrize(("chosen", "answer"), [("fast", "off"), ("strict", "on")])
def test_strict_waits_for_a_server_that_is_told_not_to(open_database: OpenDatabase, chosen: str, answer: str) -> None:
    """`fast` leaves the server's choice, and says what it promises; a server that waits is never told not to."""
    with postgresql_database() as url:
        name = url.rpartition("/")[2]
        with override_settings(DURABILITY=chosen), open_database(postgresql_config(url)) as connection:
            with connection.cursor() as cursor:
                cursor.execute("SHOW synchronous_commit")
                assert cursor.fetchone() == ("on",)
                cursor.execute(f'ALTER DATABASE "{name}" SET synchronous_commit = off')
            connection.close()
            with connection.cursor() as cursor:
                cursor.execute("SHOW synchronous_commit")
                assert cursor.fetchone() == (answer,)
            assert durability.PROMISES[chosen] in told(connection)[1]


def test_another_word_is_refused(scratch: Scratch) -> None:
    """One line that names the variable and the words."""
    with pytest.raises(ImproperlyConfigured, match="use one of fast, strict"):
        Environment({"X": "slow"}).choice("X", "fast", durability.CHOICES)
    failed = scratch.manage("startup", PROMPTADMIN_DURABILITY="slow")
    assert failed.returncode
    assert failed.stderr.count("\n") == 1
    assert "PROMPTADMIN_DURABILITY" in failed.stderr
