"""docs/admin.md keeps to what is there: pictures, links, roles, panels."""

from __future__ import annotations

import re

import pytest

from optimizations.apps import OptimizationsConfig
from promptadmin.accounts.roles import ROLES
from promptadmin.audit import LONGEST
from tests.support.processes import REPOSITORY

DOCS = REPOSITORY / "docs"
PAGE = (DOCS / "admin.md").read_text()
MOST_BYTES = 100_000


@pytest.mark.parametrize("page", [DOCS / "admin.md", REPOSITORY / "README.md"], ids=lambda path: path.name)
def test_every_link_leads_somewhere(page) -> None:
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", page.read_text()) if "://" not in link]
    assert links
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_picture_is_used_described_and_small() -> None:
    pages = "".join(page.read_text() for page in DOCS.glob("*.md"))
    used = dict(re.findall(r"!\[([^\]]+)\]\(images/([^)]+)\)", pages))
    pictures = {path.name: path for path in (DOCS / "images").iterdir()}
    assert set(used.values()) == set(pictures)
    assert [name for name, path in pictures.items() if path.stat().st_size > MOST_BYTES] == []


def test_roles_and_bounds_are_as_told() -> None:
    assert re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE) == list(ROLES)
    assert f"up to {LONGEST:,} characters" in PAGE
    assert (
        len(OptimizationsConfig.dashboard_panels) == 10
    )  # one for each of the questions of *Understand what works*, and Begin
