"""At a million runs: what somebody signed in to the back-office waits for, a page at a time."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing

from bench.figures import Figure
from bench.files import Adopted
from bench.http import Client
from bench.process import ProcessError, run_python
from bench.servers import environment, serving

#: What a page may take, in milliseconds; until statistics are remembered, the first panels after a write may take more.
TARGET = 300
#: A user who may see everything, and a session of theirs: the cookie's name and value.
SIGN_IN = """
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client
user, _ = User.objects.get_or_create(username="bench", defaults={"is_staff": True, "is_superuser": True})
browser = Client()
browser.force_login(user)
print("cookie:", settings.SESSION_COOKIE_NAME + "=" + browser.cookies[settings.SESSION_COOKIE_NAME].value)
"""
RUNS, PANELS = "/admin/optimizations/optimization/", "/admin/dashboard/panels/"
PAGES = {
    "dashboard, all times": PANELS,
    "dashboard, last month by strategy": f"{PANELS}?period=last-month&by=strategy",
    "dashboard, 90 days by model": f"{PANELS}?period=90&by=model",
    "list of runs": RUNS,
    "list of runs, a common word": f"{RUNS}?q=prompt",
    "list of failed runs": f"{RUNS}?status=error",
    "list of prompts": "/admin/projects/prompt/",
    "list of prompts, a common word": "/admin/projects/prompt/?q=prompt",
    "list of projects by runs": "/admin/projects/project/?o=-4",
}


def measure(file: Adopted, *, times: int, say: Callable[[str], None]) -> list[Figure]:
    """The median of each page while nobody writes, with that of the page of a failed run."""
    made = run_python(["manage.py", "shell", "-c", SIGN_IN], environment=environment(file.database, file.data))
    found = re.search(r"cookie: (\S+)", made.output)
    if found is None:
        raise ProcessError(f"nobody was signed in: {made.output}")
    pages = dict(PAGES)
    with closing(sqlite3.connect(file.database)) as connection:
        failed = connection.execute("SELECT id FROM optimizations WHERE status = 'error' LIMIT 1").fetchone()
    if failed:
        pages["page of a failed run"] = f"{RUNS}{failed[0]}/change/"
    figures = []
    with (
        serving(file.database, file.data, file.token) as server,
        Client(server, headers={"Cookie": found[1]}) as client,
    ):
        for name, path in pages.items():
            say(name)
            first = client.timed(path)
            rounds = [client.timed(path) for _ in range(times)]
            target = TARGET if file.runs >= 1_000_000 else None
            figures.append(
                Figure(
                    f"{file.runs:,} runs, pages of the back-office",
                    name,
                    "ms p50",
                    rounds,
                    more_is_better=False,
                    target=target,
                    note=f"the first time: {first:.0f}",
                )
            )
    return figures
