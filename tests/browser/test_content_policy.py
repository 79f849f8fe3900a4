"""Every page of the back-office keeps within its content policy, and the policy holds against what is injected."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.urls import Resolver404, resolve
from selenium.webdriver import Chrome

from tests.browser.conftest import complaints
from tests.browser.pages import begin_session, is_loaded, open_page, wait_for
from tests.support.adopted_database import AdoptedDatabase
from tests.support.servers import Site, serving

pytestmark = pytest.mark.needs_chromium

LINKS = """
return [...document.querySelectorAll('a[href]')].map(link => new URL(link.getAttribute('href'), document.baseURI).href)
"""
LEFT_OUT = {"admin:logout", "admin:jsi18n"}
#: What pages without links to them are reached by; the rest is found by following links.
STARTS = ("/admin/", "/api/docs", "/admin/auth/user/1/password/", "/admin/password_change/")
FEWEST_PAGES = 45
ATTACKS = (
    "const script = document.createElement('script'); script.textContent = 'window.harmed = 1'",
    "const script = document.createElement('script'); script.src = 'https://example.com/x.js'",
    "const script = document.createElement('iframe'); script.src = 'https://example.com/'",
    "const script = document.createElement('style'); script.textContent = 'body { display: none }'",
)


def pages_of(browser: Chrome, site: Site) -> dict[str, str]:
    """One address of each page that links lead to: the page's name to its address, opened on the way."""
    waiting, seen = [f"{site.address}{path}" for path in STARTS], {}
    while waiting:
        address = waiting.pop(0)
        parts = urlsplit(address)
        try:
            name = resolve(parts.path).view_name
        except Resolver404:
            continue
        if name in seen or name in LEFT_OUT or not address.startswith(f"{site.address}/"):
            continue
        seen[name] = address
        browser.get(address)
        wait_for(browser, is_loaded)
        waiting += browser.execute_script(LINKS)
    return seen


def test_no_page_breaks_its_policy_and_no_attack_gets_past_it(
    browser: Chrome, tmp_path: Path, adopted_demo: bytes
) -> None:
    """Every page that links lead to, with every plugin, is silent; what is injected into a page is refused and seen."""
    database = AdoptedDatabase(tmp_path / "demo.db", adopted_demo)
    with serving(
        tmp_path, database.url, "--no-upkeep", PROMPTADMIN_PLUGINS="projects,optimizations,lint,webhooks"
    ) as site:
        open_page(browser, site, "/admin/login/")
        begin_session(browser, site)
        seen = pages_of(browser, site)
        assert len(seen) >= FEWEST_PAGES, sorted(seen)
        assert not complaints(browser)
        open_page(browser, site, "/admin/projects/project/")
        for attack in ATTACKS:
            browser.execute_script(f"{attack}; document.body.append(script)")
            assert wait_for(browser, complaints), attack
        assert browser.execute_script("return window.harmed") is None
