"""Backups of PostgreSQL databases: proven in a scratch database, restored under the old one's name."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import sql

from promptadmin.ops.backups.contents import Table
from promptadmin.ops.backups.errors import BackupError
from promptadmin.ops.backups.making import make_backup
from promptadmin.ops.backups.postgresql_server import proof_name
from promptadmin.ops.backups.restoring import restore
from promptadmin.ops.backups.store import proven_backups
from tests.conftest import OpenDatabase
from tests.ops.test_backup import killed
from tests.support.django_databases import postgresql_config
from tests.support.processes import Scratch
from tests.support.rounds import FLIPS, KILLS
from tests.support.services import needs_postgresql, postgresql_database, postgresql_url

pytestmark = needs_postgresql

SCHEMA = """
    CREATE TABLE parents (id integer PRIMARY KEY, name text COLLATE "C" NOT NULL);
    CREATE TABLE children (
        id bigserial PRIMARY KEY, parent integer REFERENCES parents ON DELETE CASCADE, at timestamptz, score float8,
        raw bytea, data jsonb, CHECK (score >= 0 AND (score <= 1 OR score IS NULL))
    );
    CREATE INDEX children_at ON children (parent, at) WHERE score > 0.5;
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
    CREATE TRIGGER refuse BEFORE UPDATE ON parents FOR EACH ROW
        WHEN (OLD.name IS DISTINCT FROM NEW.name OR OLD.id <> NEW.id OR NEW.id < 0) EXECUTE FUNCTION refuse();
    INSERT INTO parents SELECT n, 'name ' || n FROM generate_series(1, 100) n;
    INSERT INTO children (parent, at, score, raw, data)
        SELECT n, '2025-01-01 12:00+02'::timestamptz + n * interval '1 s', 1.0 / n, decode('00ff', 'hex'), '{"a": 1}'
        FROM generate_series(1, 100) n;
"""


@pytest.fixture
def url() -> Iterator[str]:
    with postgresql_database() as url:
        with psycopg.connect(url) as server:
            server.execute(SCHEMA)
        yield url
        with psycopg.connect(postgresql_url(), autocommit=True) as server:
            for kept in kept_databases(url):
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(kept)))


@pytest.fixture
def connection(open_database: OpenDatabase, url: str) -> Iterator[BaseDatabaseWrapper]:
    with open_database(postgresql_config(url)) as connection:
        yield connection
        assert proof_name(connection) not in databases()


def ask(url: str, query: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as server:
        return server.execute(query).fetchall()


def ask_after_a_kill(url: str, query: str) -> list[Any]:
    """A statement of a killed command, such as a rename, may end after it, and refuses who connects meanwhile."""
    for pause in (0.05, 0.2, 1, 5):
        try:
            return ask(url, query)
        except psycopg.OperationalError:
            time.sleep(pause)
    return ask(url, query)


def back_up_after_a_kill(scratch: Scratch) -> CompletedProcess[str]:
    """The server notices that a killed command is gone when its statement ends, and frees its lock then."""
    for pause in (0.2, 1, 5):
        done = scratch.manage("backupdb")
        if "Another process makes or restores a backup" not in done.stderr:
            return done
        time.sleep(pause)
    return scratch.manage("backupdb")


def databases() -> list[str]:
    return [name for (name,) in ask(postgresql_url(), "SELECT datname FROM pg_database")]


def kept_databases(url: str) -> list[str]:
    return [name for name in databases() if name.startswith(f"{urlsplit(url).path[1:]}_before_")]


def test_a_backup_takes_the_place_of_the_database_which_is_kept(
    connection: BaseDatabaseWrapper, url: str, tmp_path: Path
) -> None:
    made = make_backup(connection, tmp_path, compression="zstd")
    tables = made.backup.manifest.contents.tables
    assert (tables["parents"].rows, tables["children"].rows) == (100, 100)
    assert made.backup.manifest.source.endswith(urlsplit(url).path)
    assert {path.stat().st_mode & 0o777 for path in made.backup.directory.iterdir()} == {0o600}
    with psycopg.connect(url) as server:
        server.execute("DELETE FROM parents WHERE id > 10")
        server.execute("DROP TRIGGER refuse ON parents")
    result = restore(connection, made.backup.directory)
    assert ask(url, "SELECT count(*), count(DISTINCT name) FROM parents") == [(100, 100)]
    assert ask(url, "SELECT count(*) FROM pg_trigger WHERE tgname = 'refuse'") == [(1,)]
    assert result.kept is not None
    assert ask(url.replace(urlsplit(url).path, f"/{result.kept}"), "SELECT count(*) FROM parents") == [(10,)]
    again = make_backup(connection, tmp_path)
    assert again.backup.manifest.contents == made.backup.manifest.contents

    connection.close()
    with psycopg.connect(postgresql_url(), autocommit=True) as server:
        server.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(urlsplit(url).path[1:])))
    assert restore(connection, again.backup.directory).kept is None
    assert ask(url, "SELECT count(*) FROM children") == [(100,)]


def test_what_must_not_be_restored_changes_nothing(
    connection: BaseDatabaseWrapper, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backup = make_backup(connection, tmp_path).backup

    with closing(psycopg.connect(url)):
        with pytest.raises(BackupError, match="in use"):
            restore(connection, backup.directory)
        with monkeypatch.context() as patch:  # as if they had come between the question and the renaming
            patch.setattr("promptadmin.ops.backups.postgresql_target.sessions_in", lambda cursor, name: [])
            with pytest.raises(BackupError, match="stop the server"):
                restore(connection, backup.directory)

    chance = random.Random("flips")
    for _ in range(1 + FLIPS // 10):
        place = chance.choice([backup.file, backup.directory / "manifest.json"])
        sound = place.read_bytes()
        content = bytearray(sound)
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        place.write_bytes(content)
        with pytest.raises(BackupError):
            restore(connection, backup.directory)
        place.write_bytes(sound)

    contents = backup.manifest.contents
    altered = {**contents.tables, "children": Table(100, "0" * 32)}
    replace(backup.manifest, contents=replace(contents, tables=altered)).write(backup.directory)
    with pytest.raises(BackupError, match="the table children has other values"):
        restore(connection, backup.directory)

    replace(backup.manifest, engine="sqlite").write(backup.directory)
    with pytest.raises(BackupError, match="backup of sqlite"):
        restore(connection, backup.directory)
    assert kept_databases(url) == []
    assert ask(url, "SELECT count(*) FROM parents") == [(100,)]


def test_a_drill_boots_the_application_and_changes_nothing(
    connection: BaseDatabaseWrapper, url: str, tmp_path: Path
) -> None:
    result = restore(connection, make_backup(connection, tmp_path).backup.directory, drill=True)
    assert [step.succeeded for step in result.boot] == [True, True, True], result.boot
    assert kept_databases(url) == []
    assert ask(url, "SELECT to_regclass('projects') IS NULL") == [(True,)]


@contextmanager
def role(url: str) -> Iterator[str]:
    """The URL as a user that may read and write the database, and nothing else."""
    name = f"promptadmin_test_{random.Random().randrange(10**9)}"
    with psycopg.connect(url, autocommit=True) as server:
        server.execute(sql.SQL("CREATE ROLE {} LOGIN").format(sql.Identifier(name)))
        server.execute(sql.SQL("GRANT ALL ON ALL TABLES IN SCHEMA public TO {}").format(sql.Identifier(name)))
        try:
            yield urlsplit(url)._replace(netloc=f"{name}@{urlsplit(url).netloc.rpartition('@')[2]}").geturl()
        finally:
            server.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(name)))
            server.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(name)))


def test_a_user_who_may_not_make_databases_is_told(open_database: OpenDatabase, url: str, tmp_path: Path) -> None:
    with role(url) as theirs:
        try:
            psycopg.connect(theirs).close()
        except psycopg.OperationalError:
            pytest.skip("this server asks other users for a password")
        config = postgresql_config(theirs)
        with open_database(config) as connection, pytest.raises(BackupError, match="CREATEDB"):
            make_backup(connection, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_machine_without_pg_dump_is_told(
    connection: BaseDatabaseWrapper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackupError, match="no pg_dump on the PATH"):
        make_backup(connection, tmp_path / "backups")


def test_killed_backups_and_restores_leave_nothing_that_counts(
    scratch: Scratch, open_database: OpenDatabase, url: str
) -> None:
    scratch.variables["DATABASE_URL"] = url
    chance = random.Random("postgresql")
    directory = scratch.data_dir / "backups"
    with open_database(postgresql_config(url)) as connection:
        make_backup(connection, directory)
    for arguments in (["backupdb", "--keep", "1"], ["restoredb", str(directory)]):
        kills = 0
        while kills < KILLS:
            place = directory if arguments[0] == "backupdb" else scratch.data_dir
            kills += killed(scratch, arguments, place, 0.6, chance)
            left = {path for path in directory.iterdir() if path.suffix != ".partial"}
            assert left == {backup.directory for backup in proven_backups(directory)}
            assert ask_after_a_kill(url, "SELECT count(*) FROM parents") == [(100,)]
    done = back_up_after_a_kill(scratch)
    assert done.returncode == 0, done.stderr
    assert not list(directory.glob("*.partial"))
    assert proof_name(connection) not in databases()
