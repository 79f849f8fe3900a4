"""The files of `deploy/`: each tool that reads one accepts it, and what they name is there."""

from __future__ import annotations

import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from promptadmin.contrib.webhooks.apps import WebhooksConfig
from tests.support.caddy import caddyfile
from tests.support.nginx import below_paths, nginx_configuration
from tests.support.processes import REPOSITORY, Scratch
from tests.support.servers import serving
from tests.support.services import needs_caddy, needs_nginx

DEPLOY = REPOSITORY / "deploy"
READS = re.compile(r'env\.\w+\(\s*"(\w+)"')
SETTINGS = set(READS.findall((REPOSITORY / "promptadmin" / "settings.py").read_text())) | {
    f"PROMPTADMIN_WEBHOOKS_{setting.name}" for setting in WebhooksConfig.settings
}


def run(*line: str) -> str:
    """What a tool says of a file that it must accept."""
    done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="no systemd-analyze")
def test_systemd_accepts_the_unit(tmp_path: Path) -> None:
    """With a program of this machine in the place of the one that an installation has."""
    text = (DEPLOY / "promptadmin.service").read_text()
    assert "ExecStart=/opt/promptadmin/.venv/bin/promptadmin serve" in text
    unit = tmp_path / "promptadmin.service"
    unit.write_text(
        text.replace("/opt/promptadmin/.venv/bin/promptadmin", str(Path(sys.executable).with_name("promptadmin")))
    )
    assert str(unit) not in run("systemd-analyze", "verify", "--man=no", str(unit))


@pytest.mark.skipif(not shutil.which("systemd-sysusers"), reason="no systemd-sysusers")
def test_systemd_makes_the_user_of_the_unit(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    run("systemd-sysusers", f"--root={tmp_path}", str(DEPLOY / "promptadmin.sysusers"))
    [user] = [
        line for line in (tmp_path / "etc" / "passwd").read_text().splitlines() if line.startswith("promptadmin:")
    ]
    assert ":/var/lib/promptadmin:" in user
    unit = (DEPLOY / "promptadmin.service").read_text()
    assert "\nUser=promptadmin\nGroup=promptadmin\nStateDirectory=promptadmin\n" in unit
    assert "DynamicUser" not in unit


@needs_nginx
@pytest.mark.parametrize("below", [{}, {"/prompts": 8000, "/more/prompts": 8010}], ids=["alone", "below paths"])
def test_nginx_accepts_the_site(below: dict[str, int], tmp_path: Path) -> None:
    """With a certificate of its own."""
    changed = below_paths(below) if below else {}
    run("nginx", "-t", "-q", "-p", str(tmp_path), "-c", str(nginx_configuration(tmp_path, changed)))


@needs_caddy
@pytest.mark.parametrize("is_below", [False, True], ids=["alone", "below a path"])
def test_caddy_accepts_the_site(is_below: bool, tmp_path: Path) -> None:
    """As it is, and with what is commented out for a site below a path; in the words of the release that runs here."""
    text = caddyfile()
    if is_below:
        text, changes = re.subn(r"^\t#(?=\S+ /prompts|\t|\})", "\t", text, flags=re.MULTILINE)
        assert changes == 7
    (tmp_path / "Caddyfile").write_text(text)
    run("caddy", "validate", "--adapter", "caddyfile", "--config", str(tmp_path / "Caddyfile"))


@pytest.mark.parametrize("file", sorted(DEPLOY.iterdir()), ids=lambda file: file.name)
def test_every_variable_is_a_setting(file: Path) -> None:
    text = file.read_text()
    named = set(re.findall(r"\bPROMPTADMIN_[A-Z_]+\b", text))
    if file.suffix == ".env":
        named |= {line.partition("=")[0].strip("# ") for line in text.splitlines() if re.match(r"#?[A-Z_]+=", line)}
    assert named <= SETTINGS


def test_the_container_is_made_of_what_is_there() -> None:
    """What is copied from here, what the commands name of it, and `pg_dump`, without which there is no backup."""
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    copied = [
        word for line in lines if line.startswith("COPY ") and "--from" not in line for word in line.split()[1:-1]
    ]
    assert {"promptadmin", "projects", "optimizations", "requirements.lock"} <= set(copied)
    ignored = (REPOSITORY / ".containerignore").read_text().splitlines()
    assert {line.removeprefix("!") for line in ignored if line.startswith("!")} == set(copied)
    assert [name for name in copied if not (REPOSITORY / name).exists()] == []
    commands = " ".join(line for line in lines if line.startswith(("RUN ", "CMD ")))
    for name in re.findall(r"compileall -q ([\w ]+?) +(?:FROM|RUN|CMD|&&)|-r ([\w.-]+)|\b(\w+\.py)\b", commands):
        assert all((REPOSITORY / part).exists() and part in copied for part in "".join(name).split()), name
    assert re.search(r"apt-get install [^&]*\bpostgresql-client\b", commands)


def test_compose_names_what_is_there() -> None:
    """Files beside it, volumes that it makes; the image's own limits are those of the unit."""
    alone, beside = (yaml.safe_load((DEPLOY / f"compose{name}.yaml").read_text()) for name in ("", ".postgresql"))
    server = alone["services"]["promptadmin"]
    assert (DEPLOY / server["build"]["context"] / server["build"]["dockerfile"]).is_file()
    assert (DEPLOY / server["env_file"]).is_file()
    image = (DEPLOY / "Containerfile").read_text()
    for composed in (alone, beside):
        mounted = [volume for service in composed["services"].values() for volume in service.get("volumes", [])]
        assert {volume.partition(":")[0] for volume in mounted} == set(composed["volumes"])
    assert f"VOLUME {server['volumes'][0].partition(':')[2]}" in image
    assert set(beside["services"]["promptadmin"]["depends_on"]) <= set(beside["services"])


def test_systemd_is_told_when_the_port_is_open(tmp_path: Path, new_file: bytes) -> None:
    scratch = Scratch(tmp_path)
    scratch.database.write_bytes(new_file)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(1)
        with serving(tmp_path, f"sqlite:///{scratch.database}", NOTIFY_SOCKET=str(tmp_path / "notify")):
            assert manager.recv(100) == b"READY=1"
            with pytest.raises(TimeoutError):
                manager.recv(100)
