"""Compares statistics with a recomputation at the same moment, again and again; a process of its own."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "promptadmin.settings")
django.setup()

from django.db import connection  # noqa: E402  # after setup

from optimizations.stats import query, statistics  # noqa: E402
from optimizations.stats.rollups.reading import find_cover  # noqa: E402
from promptadmin.db import cache as unchanged  # noqa: E402
from promptadmin.db.sessions import read_session  # noqa: E402


def main(seconds: float) -> None:
    """Prints how many comparisons there were, how many of them read stored summaries, and each difference."""
    patched: Any = query  # a section reads from what the module says at the time
    has_rollups = patched.has_rollups
    compared = from_summaries = 0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for project in (None, "p"):
            with read_session():
                answer = statistics(project)
                from_summaries += bool(has_rollups(connection) and find_cover(connection, project).stored)
                unchanged._answers.clear()
                patched.has_rollups = lambda connection: False
                recomputed = statistics(project)
                unchanged._answers.clear()
                patched.has_rollups = has_rollups
            compared += 1
            if answer != recomputed:
                sys.stdout.write(
                    f"{ {key: (answer[key], recomputed[key]) for key in answer if answer[key] != recomputed[key]} }\n"
                )
    sys.stdout.write(f"{compared} {from_summaries}\n")


if __name__ == "__main__":
    main(float(sys.argv[1]))
