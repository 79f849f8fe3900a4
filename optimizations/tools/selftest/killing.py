"""The test itself: start, write, kill, start again, look; as often as wanted."""

from __future__ import annotations

import random
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from optimizations.tools.selftest.evidence import Evidence
from optimizations.tools.selftest.servers import Servers
from optimizations.tools.selftest.writers import Ledger, Writers

MOST_WRITES = 20  # between a start and its kill, and the seconds after which none is waited for
LONGEST_SECONDS = 2.0
A_FEW_WRITES = 0.03  # seconds
WHOLE_EVERY = 20  # kills of `serve` with all that belongs to it, once in so many
EARLY = 0.1  # the share of kills that don't wait until the server answers
SHOWN = 10


@dataclass
class Report:
    """What was found. `folder` is kept, for a closer look, if something was wrong."""

    durability: str
    seed: int
    kills: int = 0
    acknowledged: int = 0
    unanswered_whole: int = 0
    unanswered_absent: int = 0
    lost: list[str] = field(default_factory=list)
    half: list[str] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    unexpected: list[str] = field(default_factory=list)
    seconds: float = 0.0
    folder: Path | None = None

    @property
    def passed(self) -> bool:
        """Whether nothing was lost, half-written, damaged, or answered with an error."""
        return not (self.lost or self.half or self.damaged or self.unexpected)


def kill_servers(
    kills: int,
    *,
    durability: str,
    seed: int,
    on_kill: Callable[[int], None] = lambda kills: None,
    folder: Path | None = None,
) -> Report:
    """Kill a server so many times, at moments that `seed` decides, and look for what is missing.

    Works in a temporary folder, in `folder` if given. Raises SelfTestError where a server doesn't start.
    """
    began = time.monotonic()
    report = Report(durability, seed)
    directory = Path(tempfile.mkdtemp(prefix="promptadmin-selftest-", dir=folder))
    chance = random.Random(seed)  # noqa: S311  # no secret
    try:
        with Servers(directory, durability) as servers:
            ledger = Ledger(directory / "acknowledged.jsonl", synced=durability == "strict")
            servers.start(whole=True)  # makes the database
            writers = Writers(servers.port, servers.token, ledger, seed)
            try:
                while report.kills < kills:
                    writers.let()
                    ledger.wait(chance.randint(0, MOST_WRITES), LONGEST_SECONDS)
                    time.sleep(chance.uniform(0, A_FEW_WRITES))
                    servers.kill()
                    report.kills += 1
                    writers.hold()
                    if chance.random() < EARLY and report.kills < kills:
                        servers.start(whole=False, wait=False)
                        time.sleep(chance.uniform(0, A_FEW_WRITES))
                        servers.kill()
                        report.kills += 1
                    servers.start(whole=not report.kills % WHOLE_EVERY)
                    look(servers.database, ledger, report)
                    on_kill(report.kills)
                    if not report.passed:
                        break
            finally:
                servers.kill()
                writers.stop()
                ledger.close()
    finally:
        if report.passed:
            shutil.rmtree(directory, ignore_errors=True)
        else:
            report.folder = directory
        report.seconds = time.monotonic() - began
    return report


def look(database: Path, ledger: Ledger, report: Report) -> None:
    """Hold every write ever sent against what is there now."""
    try:
        found = Evidence(database, ledger.doomed)
    except sqlite3.DatabaseError as error:  # too damaged to be read
        report.damaged = [str(error)]
        return
    report.damaged = found.problems
    report.unexpected = ledger.unexpected[:SHOWN]
    report.acknowledged, whole, absent = len(ledger.acknowledged), 0, 0
    for write in ledger.sent:
        parts = found.parts(write)
        acknowledged = write in ledger.acknowledged
        if any(parts) and not all(parts):
            report.half.append(str(write))
        elif acknowledged and not any(parts):
            report.lost.append(str(write))
        elif not acknowledged:
            whole += all(parts)
            absent += not any(parts)
    report.unanswered_whole, report.unanswered_absent = whole, absent
