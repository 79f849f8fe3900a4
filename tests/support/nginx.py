"""nginx with the site of `deploy/`, its ports and its certificate exchanged for ones that a test can have."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.support.processes import REPOSITORY

HOST = "prompts.example.com"
START_SECONDS = 20


def nginx_configuration(directory: Path, ports: Mapping[str, str] | None = None) -> Path:
    """A configuration that has the site. `ports` are words of the site, by what stands there instead."""
    line = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={HOST}"]
    line += ["-addext", f"subjectAltName=DNS:{HOST},IP:127.0.0.1"]
    line += ["-keyout", str(directory / "privkey.pem"), "-out", str(directory / "fullchain.pem")]
    subprocess.run(line, check=True, capture_output=True, timeout=60)
    site = (REPOSITORY / "deploy" / "nginx.conf").read_text()
    for there, instead in {f"/etc/letsencrypt/live/{HOST}": str(directory), **(ports or {})}.items():
        assert there in site
        site = site.replace(there, instead)
    (directory / "site.conf").write_text(site)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    whole = directory / "nginx.conf"
    whole.write_text(
        f"{user} pid {directory}/nginx.pid; daemon off; error_log {directory}/nginx.log; events {{}} "
        f"http {{ access_log off; {temporary} include {directory}/site.conf; }}"
    )
    return whole


def below_paths(ports: Mapping[str, int]) -> dict[str, str]:
    """What stands in the site, by what stands there instead where servers at these ports are below these paths."""
    site = (REPOSITORY / "deploy" / "nginx.conf").read_text()
    above = re.findall(r"^ +location /.*\n", site, re.MULTILINE)
    below = re.findall(r"^ +#(location /prompts/.*\n)", site, re.MULTILINE)
    assert (len(above), len(below)) == (2, 2)
    made = ""
    for prefix, port in ports.items():
        for line in below:
            made += (
                line.replace("/prompts/", f"{prefix}/").replace(":8000", f":{port}").replace(":8001", f":{port + 1}")
            )
    return {"".join(above): made}


@contextmanager
def nginx_before(
    directory: Path, port: int = 0, *, plain: int, secure: int, below: Mapping[str, int] | None = None
) -> Iterator[None]:
    """Let nginx listen on two ports of this machine, with TLS on one, before a server at another.

    `below` has the ports of servers by their prefixes, instead of one that has the host for itself.
    """
    configuration = nginx_configuration(
        directory,
        {
            **(below_paths(below) if below else {"127.0.0.1:8000": f"127.0.0.1:{port}"}),
            "listen [::]:80;": "",
            "listen [::]:443 ssl http2;": "",
            "listen 80;": f"listen 127.0.0.1:{plain};",
            "listen 443 ssl": f"listen 127.0.0.1:{secure} ssl",
        },
    )
    process = subprocess.Popen(["nginx", "-p", str(directory), "-c", str(configuration)])
    try:
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", secure), timeout=1).close()
                break
            except OSError:
                assert process.poll() is None
                assert time.monotonic() < until
                time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
