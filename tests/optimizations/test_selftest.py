"""`manage.py selftest`: a server that is killed loses nothing, and whatever were lost would be found."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import sqlite3
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from optimizations.management.commands import selftest
from optimizations.tools.selftest.evidence import Evidence
from optimizations.tools.selftest.killing import Report, kill_servers, look
from optimizations.tools.selftest.writers import KINDS, Ledger, Write
from tests.support.processes import Scratch
from tests.support.rounds import KILLS

#: What makes a write of each kind half, and what makes it lost as a whole; `{mark}` and `{subject}` are the write's.
HALF = {
    "record": ["DELETE FROM optimizations WHERE raw_prompt LIKE '%{mark}'"],
    "tag": ["UPDATE optimizations SET tags = '[]' WHERE id = '{subject}'"],
    "edit": ["DELETE FROM promptadmin_logentry WHERE changes LIKE '%{mark}%'"],
    "import": ["DELETE FROM optimizations WHERE id = '{mark}-3'"],
    "delete": ["DELETE FROM promptadmin_logentry WHERE object_pk = '{subject}' AND action = 2"],
}
LOST = {
    "record": [
        "DELETE FROM optimizations WHERE raw_prompt LIKE '%{mark}'",
        "UPDATE prompts SET content = 'other' WHERE content LIKE '%{mark}'",
        "UPDATE prompt_versions SET content = 'other' WHERE content LIKE '%{mark}'",
        "UPDATE projects SET name = 'other' WHERE name LIKE '%{mark}'",
    ],
    "import": ["DELETE FROM optimizations WHERE project = '{mark}'", "DELETE FROM projects WHERE name = '{mark}'"],
}


@pytest.mark.parametrize("durability", ["fast", *(["strict"] if KILLS > 1 else [])])  # the command, below, is strict
def test_nothing_is_lost_and_a_loss_would_be_found(tmp_path: Path, durability: str) -> None:
    """Kills, as many as PROMPTADMIN_TEST_KILLS says; then, in copies, parts of what was written are taken away."""
    kept, seen = tmp_path / "kept", list[int]()

    def on_kill(kills: int) -> None:
        seen.append(kills)
        [directory] = tmp_path.glob("promptadmin-selftest-*")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(directory, kept)

    report = kill_servers(KILLS, durability=durability, seed=5, on_kill=on_kill, folder=tmp_path)
    assert report.passed, report
    assert report.kills == seen[-1] >= KILLS
    assert report.acknowledged > 0
    assert list(tmp_path.iterdir()) == [kept]

    lines = [json.loads(line) for line in (kept / "acknowledged.jsonl").read_text().splitlines()]
    writes = [Write(line["kind"], line["mark"], line["subject"]) for line in lines if line["acknowledged"]]
    deleted = {write.subject for write in writes if write.kind == "delete"}
    for kind in KINDS:
        for write in [write for write in writes if write.kind == kind and write.subject not in deleted][-1:]:
            before = parts_after(kept, write, [])
            if all(before):
                assert any(half := parts_after(kept, write, HALF[kind]))
                assert not all(half)
                assert not any(parts_after(kept, write, LOST[kind])) if kind in LOST else True


def parts_after(kept: Path, write: Write, statements: list[str]) -> list[bool]:
    """Which parts of a write are found in a copy of the database after some statements."""
    copy = kept / "copy.db"
    with contextlib.closing(sqlite3.connect(kept / "selftest.db")) as raw:
        copy.unlink(missing_ok=True)
        raw.execute("VACUUM INTO ?", [str(copy)])
    with contextlib.closing(sqlite3.connect(copy, isolation_level=None)) as raw:
        for (trigger,) in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            raw.execute(f'DROP TRIGGER "{trigger}"')  # those of the versions would refuse the loss
        for statement in statements:
            assert raw.execute(statement.format(mark=write.mark, subject=write.subject)).rowcount >= 0
    return Evidence(copy).parts(write)


def test_damage_and_gaps_are_found(tmp_path: Path, new_file: bytes) -> None:
    """A prompt whose earlier version is missing, a broken link, and pages that SQLite finds wrong."""
    path = tmp_path / "x.db"
    path.write_bytes(new_file)
    now = "'2025-01-01 00:00:00.000000'"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as raw:
        raw.execute(f"INSERT INTO prompts VALUES ('p', 'text', 3, 'nowhere', 0, {now}, {now})")
        raw.execute(f"INSERT INTO prompt_versions VALUES ('v', 'p', 1, 'text', NULL, {now})")
        root = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_projects_status'").fetchone()[0]
    found = Evidence(path).problems
    assert "broken link in prompts" in found
    assert "prompt p is at version 3, with the earlier ones [1]" in found
    content = bytearray(path.read_bytes())
    content[(root - 1) * 4096 : root * 4096] = b"\xff" * 4096
    path.write_bytes(content)
    report, ledger = Report("fast", 1), Ledger(tmp_path / "ledger", synced=False)
    look(path, ledger, report)
    ledger.close()
    assert report.damaged
    assert not report.passed


def test_the_command_kills_a_server_and_gives_its_verdict(scratch: Scratch) -> None:
    """As an operator runs it, on a machine without a database."""
    done = scratch.manage("selftest", "--kill", "1", "--durability", "strict", timeout=200)
    assert done.returncode == 0, (done.stdout, done.stderr)
    verdict = re.search(
        r"^(\d+) kills?, (\d+) writes acknowledged: 0 lost, 0 half-written\.$", done.stdout, re.MULTILINE
    )
    assert verdict, done.stdout
    assert int(verdict[1]) >= 1
    assert int(verdict[2]) > 0
    assert "The integrity check found nothing" in done.stdout
    assert "PASSED" in done.stdout
    assert not scratch.database.exists()


def test_the_verdict_names_what_was_lost(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """And where to look; the exit code is an error's."""
    wrong = Report("fast", 7, kills=3, acknowledged=9, lost=["a tag"], folder=tmp_path)
    monkeypatch.setattr(selftest, "kill_servers", lambda *args, **options: wrong)
    with pytest.raises(CommandError, match=rf"FAILED.*{tmp_path}.*seed 7"):
        call_command("selftest", kill=3, seed=7)
    printed = capsys.readouterr()
    assert "1 lost" in printed.out
    assert "PASSED" not in printed.out
    assert "a tag" in printed.err
    with pytest.raises(CommandError, match="at least 1"):
        call_command("selftest", kill=0)
