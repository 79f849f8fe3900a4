"""Which database commands act on when they are told of none, and what `make` makes of what people type."""

from __future__ import annotations

import shutil
import sqlite3
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured
from hypothesis import given
from hypothesis import strategies as st

from promptadmin.conf import places
from promptadmin.db.chosen_database import choose, file_url, remember, without_passwords
from promptadmin.db.database_url import database_config
from tests.support.ports import free_port
from tests.support.processes import REPOSITORY, environment

MAKE = shutil.which("make") or "make"
WILD = ["cost$5.db", "cost$$5.db", 'a"b.db', "a'b.db", "`touch x`.db", "$(touch x).db", "$(shell touch x).db", "a b.db"]
WILD += ["a\nb.db", "-x.db", "--help", "ä%20?#&+.db", "a\\b.db", "a;touch x", "#.db", "*.db"]


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout with nothing in it."""
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    return tmp_path


def served(data_dir: Path, url: str) -> None:
    config = database_config(url)
    if isinstance(config["NAME"], Path):
        config["NAME"].parent.mkdir(exist_ok=True)
        config["NAME"].touch()
    remember(data_dir, url, config)


def test_commands_find_what_the_server_of_the_data_directory_used(checkout: Path) -> None:
    served(checkout / "data", f"sqlite:///{checkout}/forge.db")
    variables: dict[str, str] = {}
    said = choose(["backupdb"], variables)
    assert variables == {"DATABASE_URL": f"sqlite:///{checkout}/forge.db"}
    assert said.startswith(f"Database: {checkout}/forge.db, which the server used last.")
    assert stat.S_IMODE((checkout / "data" / "database").stat().st_mode) == 0o600


def test_commands_find_the_other_data_directory_of_the_checkout_and_serve_does_not(checkout: Path) -> None:
    """As after `make demo`: the next server without a word is that of data/."""
    served(checkout / "demo", f"sqlite:///{checkout}/demo/promptforge.db")
    variables: dict[str, str] = {}
    assert f"{checkout}/demo/promptforge.db" in choose(["create_api_token", "x"], variables)
    assert variables["PROMPTADMIN_DATA_DIR"] == str(checkout / "demo")
    variables = {}
    assert choose(["serve"], variables) == f"Database: {checkout}/data/promptadmin.db"
    assert variables == {}
    served(checkout / "data", f"sqlite:///{checkout}/data/promptadmin.db")
    assert choose(["doctor"], variables) == f"Database: {checkout}/data/promptadmin.db"
    assert variables == {}


def test_a_data_directory_can_be_moved(checkout: Path) -> None:
    served(checkout / "demo", f"sqlite:///{checkout}/demo/a%20b.db")
    (checkout / "demo").rename(checkout / "els%where")
    variables = {"PROMPTADMIN_DATA_DIR": str(checkout / "els%where")}
    assert f"{checkout}/els%where/a b.db" in choose(["doctor"], variables)
    assert database_config(variables["DATABASE_URL"])["NAME"] == checkout / "els%where" / "a b.db"


def test_a_contradiction_names_both(checkout: Path) -> None:
    served(checkout / "data", f"sqlite:///{checkout}/forge.db")
    (checkout / "other.db").touch()
    variables = {"DATABASE_URL": f"sqlite:///{checkout}/other.db"}
    said = choose(["backupdb"], variables)
    assert f"{checkout}/other.db, as DATABASE_URL says" in said
    assert f"another one last: {checkout}/forge.db" in said
    assert choose(["backupdb"], {"DATABASE_URL": f"sqlite:///{checkout}/forge.db"}) == ""


@pytest.mark.parametrize("command", ["backupdb", "create_api_token", "upkeep", "mcp", "move_to", "createsuperuser"])
def test_a_file_that_is_not_there_is_refused_and_not_made(checkout: Path, command: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"no database .*/data/promptadmin\.db.*Set DATABASE_URL"):
        choose([command], {})
    served(checkout / "data", f"sqlite:///{checkout}/forge.db")
    (checkout / "forge.db").unlink()
    with pytest.raises(ImproperlyConfigured, match=r"forge\.db.*data/database says"):
        choose([command], {})
    with pytest.raises(ImproperlyConfigured, match=r"forge\.db"):
        choose(["serve"], {})
    assert not (checkout / "forge.db").exists()


@pytest.mark.parametrize("command", ["help", "version", "plugins", "selftest", "export_openapi", "--version"])
def test_commands_without_a_database_are_left_alone(checkout: Path, command: str) -> None:
    assert choose([command], {}) == ""
    assert choose([], {}) == ""
    assert choose(["backupdb", "--help"], {}) == ""


def test_a_password_is_not_kept(checkout: Path) -> None:
    served(checkout / "data", "postgresql://me:s3cret@db.example.com:5432/forge?sslpassword=s3cret&connect_timeout=2")
    kept = (checkout / "data" / "database").read_text()
    assert "s3cret" not in kept
    with pytest.raises(ImproperlyConfigured, match=r"me:\*\*\*@db.example.com:5432/forge.*set DATABASE_URL"):
        choose(["doctor"], {})
    served(checkout / "data", "postgresql://me@db.example.com/forge")
    variables: dict[str, str] = {}
    assert "postgresql://me@db.example.com/forge" in choose(["doctor"], variables)
    assert variables["DATABASE_URL"] == "postgresql://me@db.example.com/forge"


@given(password=st.text(alphabet="abc%2F.!~", min_size=1))
def test_no_password_is_shown(password: str) -> None:
    assert without_passwords(f"postgresql://u:{password}@h:1/n") == "postgresql://u:***@h:1/n"


@given(
    name=st.text(alphabet=st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=50)
)
def test_any_name_becomes_the_address_of_that_file(name: str) -> None:
    path = Path("/tmp") / name
    if len(name.encode()) > 200 or path.is_dir():
        return
    assert database_config(file_url(str(path), new=True))["NAME"] == path


def make(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [MAKE, "--silent", *words],
        cwd=REPOSITORY,
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("name", WILD)
def test_make_hands_on_what_was_typed(tmp_path: Path, name: str) -> None:
    """Also as `make` in a shell that isn't ours reads it; nothing in it is run."""
    rules = tmp_path / "rules.mk"
    rules.write_text(f"include {REPOSITORY}/Makefile\nshow:\n\t@{sys.executable} -m promptadmin.db.chosen_database\n")
    file = tmp_path / name.replace("/", "")
    file.touch()
    done = make("-f", str(rules), "show", f"DB={file}")
    assert done.returncode == 0, done.stderr
    assert database_config(done.stdout)["NAME"] == file
    assert {path.name for path in tmp_path.iterdir()} == {"rules.mk", file.name}


def test_make_refuses_a_file_that_is_not_there(tmp_path: Path) -> None:
    missing = make("run", f"DB={tmp_path}/missing.db")
    assert missing.returncode != 0
    assert "add NEW=1" in missing.stderr


def test_what_is_typed_for_other_settings_is_not_run_either(tmp_path: Path) -> None:
    for words in (("run", f"PORT=1;touch {tmp_path}/x"), ("run", "PORT=1", f"HOST=`touch {tmp_path}/x`")):
        done = make(*words, DATABASE_URL=f"sqlite:///{tmp_path}/y.db", PROMPTADMIN_DATA_DIR=str(tmp_path / "data"))
        assert done.returncode != 0
        assert not (tmp_path / "x").exists()


def test_the_way_of_the_readme(tmp_path: Path) -> None:
    """`make demo`, `create_api_token`, curl: in a copy of the checkout, without a variable."""
    checkout = tmp_path / "checkout"
    ignored = shutil.ignore_patterns(".venv", ".git", "data", "demo", "__pycache__", ".*_cache", ".hypothesis", "bench")
    shutil.copytree(REPOSITORY, checkout, ignore=ignored)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    for stamp in (".installed", ".installed-dev"):
        (checkout / ".venv" / stamp).touch()
    port = free_port()
    variables = environment(PYTHONPATH=":".join([str(checkout), *sys.path]))

    def run(*command: str, **options: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command, cwd=checkout, env=variables, capture_output=True, text=True, check=False, timeout=200, **options
        )

    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [MAKE, "demo", f"PORT={port}"], cwd=checkout, env=variables, stdout=output, stderr=output, process_group=0
        )
    try:
        address = f"http://127.0.0.1:{port}"
        _wait(address, server, log)
        python = str(checkout / ".venv" / "bin" / "python")
        made = run(python, "manage.py", "create_api_token", "my-program")
        assert made.returncode == 0, made.stderr
        assert f"Database: {checkout}/demo/promptforge.db" in made.stderr
        asked = urllib.request.Request(
            f"{address}/api/projects", headers={"Authorization": f"Bearer {made.stdout.strip()}"}
        )
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status == 200
        backed_up = run(python, "manage.py", "backupdb")
        assert f"Backup: {checkout}/demo/backups/" in backed_up.stdout, backed_up.stderr
    finally:
        _interrupt(server)
    assert not (checkout / "data" / "promptadmin.db").exists()
    assert (
        sqlite3.connect(checkout / "demo" / "promptforge.db").execute("SELECT count(*) FROM optimizations").fetchone()
    )


def _wait(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    import time

    deadline = time.monotonic() + 120
    while True:
        assert server.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        try:
            urllib.request.urlopen(f"{address}/api/health", timeout=2).close()
        except OSError:
            time.sleep(0.1)
        else:
            return


def _interrupt(server: subprocess.Popen[bytes]) -> None:
    """Ctrl-C, which reaches make and what it started."""
    import os
    import signal

    os.killpg(server.pid, signal.SIGINT)
    server.wait(timeout=20)
