"""The key that signs sessions."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from promptadmin.conf.secret_key import FILE_NAME, read_or_make_secret_key
from tests.support.processes import REPOSITORY, environment

RACERS = 6
RACE = """
import sys, pathlib
from promptadmin.conf.secret_key import read_or_make_secret_key
print("ready", flush=True)
sys.stdin.readline()
print(read_or_make_secret_key("", pathlib.Path(sys.argv[1])))
"""


def test_made_once_for_its_owner_only(tmp_path: Path) -> None:
    """A long random key in a 0600 file of a 0700 directory; later starts read it."""
    data_dir = tmp_path / "new" / "data"
    key = read_or_make_secret_key("", data_dir)
    assert len(key) >= 50
    assert len(set(key)) > 10
    assert read_or_make_secret_key("", data_dir) == key
    assert (data_dir / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert data_dir.stat().st_mode & 0o777 == 0o700
    assert [file.name for file in data_dir.iterdir()] == [FILE_NAME]
    assert read_or_make_secret_key("", tmp_path / "other") != key


def test_a_given_key_touches_no_file(tmp_path: Path) -> None:
    assert read_or_make_secret_key("k" * 50, tmp_path / "data") == "k" * 50
    assert list(tmp_path.iterdir()) == []


def test_a_short_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="PROMPTADMIN_SECRET_KEY"):
        read_or_make_secret_key("short", tmp_path)


def test_a_damaged_key_file_is_refused(tmp_path: Path) -> None:
    """Not replaced: whoever cut it may have the whole one."""
    (tmp_path / FILE_NAME).write_text("cut")
    with pytest.raises(ImproperlyConfigured, match=FILE_NAME):
        read_or_make_secret_key("", tmp_path)
    assert (tmp_path / FILE_NAME).read_text() == "cut"


def test_processes_that_start_together_have_one_key(tmp_path: Path) -> None:
    """Six wait at the line; whoever makes the file first, all end up with its key, and nothing else lies around."""
    arguments = [sys.executable, "-c", RACE, str(tmp_path)]
    racers = [
        subprocess.Popen(
            arguments, cwd=REPOSITORY, env=environment(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for _ in range(RACERS)
    ]
    for racer in racers:
        assert racer.stdout is not None
        assert racer.stdout.readline() == "ready\n"
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    keys = {racer.communicate(timeout=30)[0].strip() for racer in racers}
    assert keys == {(tmp_path / FILE_NAME).read_text()}
    assert [file.name for file in tmp_path.iterdir()] == [FILE_NAME]
