"""Backups by a schedule: when one is due, that it is made and proven, and what is told where none is kept."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from promptadmin.conf.environment import Environment
from promptadmin.db.process_locks import only_running
from promptadmin.ops.backups import schedule
from promptadmin.ops.backups.engines import store_of
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.making import make_backup
from promptadmin.ops.backups.process import LOCK
from promptadmin.ops.backups.store import Backup, open_backup, proven_backups
from promptadmin.ops.doctor.examining import examine
from promptadmin.ops.upkeep import finish, upkeep_jobs
from tests.conftest import OpenFile
from tests.support.django_databases import ALIAS
from tests.support.processes import environment

HOUR = dt.timedelta(hours=1)


def redated(backup: Backup, moment: dt.datetime) -> None:
    """As if it had been made then."""
    replace(backup.manifest, made_at=moment.isoformat()).write(backup.directory)


@pytest.mark.django_db
def test_one_is_due_when_the_last_is_as_old_as_the_schedule_says(settings: Settings, tmp_path: Path) -> None:
    """Without a schedule never; one that a clock put into the future counts as none; the doctor waits for two."""
    settings.DATA_DIR, settings.BACKUP_EVERY = tmp_path, None
    now = timezone.now()

    def told() -> str:
        [result] = examine(connections["default"], only=["D401"])
        return f"{result.severity} {result.messages[0].msg} {result.messages[0].hint}"

    assert not schedule.is_due("default", now)
    settings.BACKUP_EVERY = HOUR
    assert schedule.is_due("default", now)
    assert "warning there is none" in told()
    backup = make_backup(connections["default"]).backup
    assert not schedule.is_due("default", timezone.now())
    redated(backup, now - 0.99 * HOUR)
    assert not schedule.is_due("default", now)
    redated(backup, now - HOUR)
    assert schedule.is_due("default", now)
    assert told().startswith("ok")
    redated(backup, now - 2.01 * HOUR)
    assert "planned every 1:00:00" in told()
    assert told().startswith("warning")
    redated(backup, now + HOUR)
    assert schedule.is_due("default", now)


@pytest.mark.django_db
def test_a_clock_that_was_put_back_costs_no_backup(settings: Settings, tmp_path: Path) -> None:
    """The one just made is kept, although those from the future look newer."""
    settings.DATA_DIR = tmp_path
    future = make_backup(connections["default"]).backup
    ahead = future.directory.with_name(future.directory.name.replace("promptadmin-20", "promptadmin-90"))
    future.directory.rename(ahead)
    made = make_backup(connections["default"], keep=1)
    assert made.removed == [ahead]
    assert made.backup.file.exists()


@pytest.mark.django_db
def test_the_order_of_backups_is_that_in_which_they_were_made(settings: Settings, tmp_path: Path) -> None:
    """Of one dated in the future and one made after it, the latter is the newest: to restore, to keep and to health."""
    settings.DATA_DIR = tmp_path
    directory = tmp_path / "backups"
    now = timezone.now()
    first = make_backup(connections["default"]).backup
    redated(first, now - HOUR)
    ahead = make_backup(connections["default"]).backup
    redated(ahead, now + 1000 * HOUR)
    moved = ahead.directory.with_name(ahead.directory.name.replace("promptadmin-20", "promptadmin-90"))
    ahead.directory.rename(moved)
    with pytest.raises(BackupError, match="the clock was wrong") as refused:
        open_backup(directory)
    assert moved.name in str(refused.value)
    assert first.directory.name in str(refused.value)
    assert open_backup(moved).directory == moved
    told = store_of(connections["default"]).last_proven()
    assert told is not None
    assert told.manifest.number == 1
    [result] = examine(connections["default"], only=["D205"])
    assert "the last backup is of" in result.messages[0].msg
    made = make_backup(connections["default"], keep=2)
    assert [backup.manifest.number for backup in proven_backups(directory)] == [3, 2]
    assert made.removed == [first.directory]
    assert open_backup(directory).directory == made.backup.directory
    redated(made.backup, now - 2 * HOUR)  # a clock that was put back, and is right again
    redated(replace(ahead, directory=moved), now - HOUR)
    with pytest.raises(BackupError, match="Name the one that you mean"):
        open_backup(directory)


def test_the_upkeep_makes_it_once_and_waits_after_a_failure(
    open_file: OpenFile, new_file: bytes, tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process of its own makes a proven backup; while none is due, or one has just failed, nothing happens."""
    database, data = tmp_path / "x.db", tmp_path / "data"
    database.write_bytes(new_file)
    settings.DATA_DIR, settings.BACKUP_EVERY, settings.BACKUP_KEEP = data, 6 * HOUR, 1
    settings.BACKUP_BY_DEFAULT = False
    for name, value in environment(DATABASE_URL=f"sqlite:///{database}", PROMPTADMIN_DATA_DIR=str(data)).items():
        monkeypatch.setenv(name, value)
    data.mkdir()
    backups = data / "backups"
    backups.write_text("no directory")
    [job] = [owned.job for owned in upkeep_jobs() if owned.job.name == "scheduled_backup"]

    def upkeep() -> int:
        return finish(job, ALIAS, on_piece=lambda piece: None)

    with open_file(database):
        with pytest.raises(BackupError, match=r"backups can't be used .*: name another place"):
            upkeep()
        backups.unlink()
        assert upkeep() == 0
        monkeypatch.setattr(schedule._process, "not_before", 0.0)
        with only_running(LOCK):  # an operator has started one
            assert upkeep() == 0
        assert schedule._process.running is None
        assert upkeep() == 1
        [made] = proven_backups(backups)
        assert made.manifest.compression == "zstd"
        assert upkeep() == 0
        assert [backup.directory for backup in proven_backups(backups)] == [made.directory]


@pytest.mark.django_db
def test_health_tells_of_the_last_proven_one(admin_client: Client, settings: Settings, tmp_path: Path) -> None:
    """Only those with access, and also where there is none or the directory can't be read."""
    settings.DATA_DIR = tmp_path
    assert admin_client.get("/api/health").json()["last_proven_backup"] is None
    backup = make_backup(connections["default"]).backup
    told = admin_client.get("/api/health").json()["last_proven_backup"]
    assert dt.datetime.fromisoformat(told) == dt.datetime.fromisoformat(backup.manifest.made_at)
    assert json.loads(Client().get("/api/health").content) == {"status": "ok"}


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("30m", 1800), ("6h", 21600), ("2 d", 172800), (" 1H ", 3600), ("", None)]
)
def test_durations_have_a_unit(text: str, seconds: int | None) -> None:
    found = Environment({"X": text}).duration("X", minimum=dt.timedelta(seconds=10))
    assert (found and found.total_seconds()) == seconds


@pytest.mark.parametrize("text", ["6", "h", "1.5h", "9s", "-1h", "1w", "6h30m", "9999999h"])
def test_other_durations_are_refused(text: str) -> None:
    """The variable and an example are named."""
    with pytest.raises(ImproperlyConfigured, match=r"X=.*such as 6h; at least 10s"):
        Environment({"X": text}).duration("X", minimum=dt.timedelta(seconds=10))
