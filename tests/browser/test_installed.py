"""docs/install.md, command for command, outside the checkout: what pip installs is all that is there, and enough."""

from __future__ import annotations

import contextlib
import re
import shlex
import stat
import subprocess
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By

from optimizations.tools.demo import PROMPTS, make_demo_file
from tests.browser.pages import foreign_resources, sign_in, text_of
from tests.support.packages import PACKAGES, Elsewhere, build, requirements
from tests.support.processes import REPOSITORY
from tests.support.servers import Site, running

PAGE = (REPOSITORY / "docs" / "install.md").read_text()
BLOCKS = re.findall(r"^```console\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
DATA = re.compile(r"/(templates|static|plugin_template)/|/py\.typed$")
EXTRAS = {"postgresql", "mcp", "lint", "oidc", "test"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The wheel and the sdist of this tree."""
    return build(tmp_path_factory.mktemp("packages"))


def test_both_packages_hold_every_module_template_and_static_file(packages: tuple[Path, Path]) -> None:
    """The wheel is built from the sdist: what that one lacked would be missing here."""
    wheel, _ = packages
    with zipfile.ZipFile(wheel) as archive:
        packed = set(archive.namelist())
    files = {file.relative_to(REPOSITORY).as_posix() for name in PACKAGES for file in (REPOSITORY / name).rglob("*.*")}
    wanted = {file for file in files if file.endswith(".py") or DATA.search(file)}
    assert len([file for file in wanted if DATA.search(file)]) > 50
    assert wanted - packed == set()
    assert {name.split("/")[0] for name in packed if ".dist-info" not in name} == set(PACKAGES)


def test_the_package_asks_for_what_is_pinned_or_newer(packages: tuple[Path, Path]) -> None:
    """Each lower bound is the release that the tests run with; setuptools is there to build, not to run."""
    pinned = {}
    for name in ("requirements", "requirements-mcp", "requirements-lint", "requirements-oidc", "requirements-dev"):
        for line in (REPOSITORY / f"{name}.txt").read_text().splitlines():
            if (text := line.split("#")[0].strip()) and not text.startswith("-r"):
                pin = Requirement(text)
                pinned[canonicalize_name(pin.name)] = (name, pin)
    asked = {canonicalize_name(each.name): each for each in requirements(packages[0], *EXTRAS)}
    product = {key for key, (name, _) in pinned.items() if name != "requirements-dev"}
    assert product - {"setuptools"} == set(asked) - {"pytest", "pytest-django"}
    for key, requirement in asked.items():
        (lowest,) = (each.version for each in requirement.specifier if each.operator == ">=")
        assert str(pinned[key][1].specifier) == f"=={lowest}", key
        assert requirement.extras == pinned[key][1].extras, key


@contextlib.contextmanager
def served(place: Elsewhere, line: str) -> Iterator[Site]:
    """The server of a line of the page, on a free port."""
    variables = place.variables()
    words = shlex.split(line)
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        variables[name] = value
    with running(words, place.directory / "serve.log", place.directory, variables) as site:
        yield site


def ran(place: Elsewhere, script: str) -> str:
    for line in script.splitlines():
        if found := re.search(r"pip install .*?promptadmin(?:\[([\w,]+)\])?", line):
            place.provide(*(found[1] or "").split(","))
    done = place.shell(script)
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.needs_chromium
@pytest.mark.timeout(900)
def test_every_command_of_the_page_does_what_it_says(
    packages: tuple[Path, Path], tmp_path: Path, browser: Chrome
) -> None:
    """From the first command to the last; between them the pages and files that a server has are looked at."""
    place = Elsewhere(tmp_path, packages[0])
    # A module of somebody else's, named like one of ours: no process of ours may take it.
    (tmp_path / "projects").mkdir()
    (tmp_path / "projects" / "__init__.py").write_text("raise SystemExit('the wrong projects')\n")
    make_demo_file(tmp_path / "promptforge.db")
    first, fetch, legacy, back_up, extras, leave = BLOCKS

    make_environment, install, serve = first.splitlines()
    ran(place, make_environment)
    ran(place, "promptadmin/bin/pip uninstall --quiet --yes setuptools")  # venv brings it with Python 3.11
    ran(place, install)
    there = {file.name for file in tmp_path.glob("promptadmin/lib/python*/site-packages/*")}
    assert "django" in there
    assert not {"setuptools", "psycopg", "mcp", "pytest"} & there
    with served(place, serve) as site:
        sign_in(browser, site)
        assert "Dashboard" in text_of(browser)
        assert not foreign_resources(browser, site)
        styles = browser.find_elements(By.CSS_SELECTOR, "link[rel=stylesheet]")
        for address in {style.get_attribute("href") or "" for style in styles}:
            with urllib.request.urlopen(address) as answer:
                assert answer.status == 200, address
        assert len(styles) > 1
        assert "Answer {question} in one sentence." in ran(place, fetch.replace("http://127.0.0.1:8000", site.address))
    assert stat.S_IMODE(place.data_dir.stat().st_mode) == 0o700
    assert {"promptadmin.db", "secret_key"} <= {file.name for file in place.data_dir.iterdir()}

    with served(place, legacy.strip()) as site:
        assert "Backup of the file as it was" in site.printed
        token = ran(place, "promptadmin/bin/promptadmin create_api_token reader").strip()
        asked = urllib.request.Request(f"{site.address}/api/projects", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(asked) as answer:
            told = answer.read().decode()
        assert all(project in told for project in PROMPTS)

    once = back_up.replace("selftest --kill 5", "selftest --kill 1")
    said = ran(place, once.replace("/promptadmin doctor", "/promptadmin doctor || test $? = 1"))  # with warnings
    assert "promptadmin startup" in said
    assert len(list((place.data_dir / "backups").iterdir())) == 1

    postgresql = "DATABASE_URL=postgresql://nobody@127.0.0.1:1/nothing promptadmin/bin/promptadmin doctor 2>&1 || true"
    assert "pip install 'promptadmin[postgresql]'" in ran(place, postgresql)
    said = ran(place, extras)
    assert (tmp_path / "word_counts" / "pyproject.toml").exists()
    assert "webhooks" in said
    assert "connection failed" in ran(place, postgresql)
    helped = subprocess.run(
        ["promptadmin/bin/python", "-P", "-m", "promptadmin", "help"],
        cwd=tmp_path,
        env=place.variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Type 'promptadmin help <subcommand>'" in helped.stdout
    assert ran(place, "promptadmin/bin/promptadmin help") == helped.stdout

    ran(place, leave)
    assert not (tmp_path / "promptadmin" / "bin" / "promptadmin").exists()
    assert {"secret_key", "promptadmin.db", "backups"} <= {file.name for file in place.data_dir.iterdir()}
