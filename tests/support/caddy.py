"""Caddy, with the site of `deploy/`."""

from __future__ import annotations

import subprocess

from tests.support.processes import REPOSITORY

#: The first release that has the words of our site.
OURS = (2, 6, 3)


def caddyfile() -> str:
    """The site, in the words of the release that is installed."""
    said = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout
    text = (REPOSITORY / "deploy/Caddyfile").read_text()
    release = tuple(map(int, said.split()[0].lstrip("v").split(".")))
    return text if release >= OURS else text.replace("request_buffers 66MB", "buffer_requests")
