"""What is installed is what was looked at: pinned, hashed, complete."""

from __future__ import annotations

import importlib.util
import re
from importlib import metadata
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.support.processes import REPOSITORY

FILES = ("requirements", "requirements-mcp", "requirements-lint", "requirements-oidc", "requirements-dev")


def required(name: str) -> list[Requirement]:
    """What a requirements file asks for, and those that it includes."""
    found = []
    for line in (REPOSITORY / f"{name}.txt").read_text().splitlines():
        text = line.split("#", 1)[0].strip()
        if text.startswith("-r "):
            found += required(text.removeprefix("-r ").removesuffix(".txt"))
        elif text:
            found.append(Requirement(text))
    return found


def locked(name: str) -> dict[str, tuple[Requirement, list[str]]]:
    """What a lock file installs, with the hashes of the files that may be installed."""
    text = (REPOSITORY / f"{name}.lock").read_text()
    found: dict[str, tuple[Requirement, list[str]]] = {}
    for entry in text.replace("\\\n", " ").splitlines():
        requirement, *hashes = entry.split(" --hash=")
        found[canonicalize_name(Requirement(requirement.strip()).name)] = (
            Requirement(requirement.strip()),
            [text.strip() for text in hashes],
        )
    return found


@pytest.mark.parametrize("name", FILES)
def test_a_lock_file_holds_what_is_required_and_all_that_needs(name: str) -> None:
    """Each pin of the requirements, and whatever that requires, for this Python; `make lock` puts it right."""
    lock = locked(name)
    waiting = required(name)
    for requirement in waiting:
        assert str(requirement.specifier).startswith("=="), f"{requirement} is not pinned"
    seen: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        key = canonicalize_name(requirement.name)
        assert key in lock, f"{name}.lock lacks {requirement}: run make lock"
        version = str(lock[key][0].specifier).removeprefix("==")
        assert requirement.specifier.contains(version, prereleases=True), f"{name}.lock: {key} {version}: run make lock"
        if f"{key}{sorted(requirement.extras)}" in seen:
            continue
        seen.add(f"{key}{sorted(requirement.extras)}")
        for text in metadata.requires(key) or ():
            needed = Requirement(text)
            extras = [*requirement.extras, ""]
            if needed.marker is None or any(needed.marker.evaluate({"extra": extra}) for extra in extras):
                waiting.append(needed)


@pytest.mark.parametrize("name", FILES)
def test_a_lock_file_has_hashes_and_no_host(name: str) -> None:
    """One line of hashes at least for each; no address of an index, which differs from place to place."""
    for key, (requirement, hashes) in locked(name).items():
        assert hashes, key
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", text) for text in hashes), key
        assert str(requirement.specifier).startswith("=="), key
    assert "://" not in (REPOSITORY / f"{name}.lock").read_text()


def test_lock_files_agree_with_each_other_and_with_what_is_installed() -> None:
    """The tests run with what users get."""
    everything = locked("requirements-dev")
    for name in FILES:
        for key, (requirement, _) in locked(name).items():
            assert everything[key][0].specifier == requirement.specifier, key
            if requirement.marker is None or requirement.marker.evaluate():
                assert requirement.specifier.contains(metadata.version(key), prereleases=True), key


# ------------------------------------------------------------ the audit
@pytest.fixture(scope="module")
def audit() -> ModuleType:
    spec = importlib.util.spec_from_file_location("audit", REPOSITORY / ".ci" / "audit.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


GOOD = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


@pytest.mark.parametrize(
    ("dependencies", "code", "says"),
    [
        ([GOOD], 0, "1 of 1 looked up, 0 with weaknesses"),
        ([GOOD, BAD, SKIPPED], 1, "b 1: CVE-1; fixed in 2"),
        ([GOOD, SKIPPED], 3, "NOT AUDITED"),
        ([], 3, "NOT AUDITED"),
    ],
)
def test_an_audit_is_good_only_if_everything_was_looked_up(
    audit: ModuleType, dependencies: list[dict[str, object]], code: int, says: str
) -> None:
    found, lines = audit.verdict(dependencies)
    assert found == code
    assert says in "\n".join(lines)
