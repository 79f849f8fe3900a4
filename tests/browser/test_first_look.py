"""What a newcomer sees: serve a legacy file, sign in, walk through the four tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from optimizations.demo import PROMPTS, make_demo_file
from tests.servers import Site, serving

pytestmark = pytest.mark.needs_chromium


def sign_in(browser: Chrome, site: Site) -> None:
    browser.get(f"{site.address}/")
    browser.find_element(By.NAME, "username").send_keys(site.user)
    browser.find_element(By.NAME, "password").send_keys(site.password)
    browser.find_element(By.CSS_SELECTOR, "[type=submit]").click()


def text_of(browser: Chrome) -> str:
    """What the page shows once it is loaded; a click that leaves a page returns before the next one is there."""
    waiting = WebDriverWait(browser, 20, ignored_exceptions=[StaleElementReferenceException])
    waiting.until(lambda driver: driver.execute_script("return document.readyState") == "complete")
    return waiting.until(lambda driver: driver.find_element(By.TAG_NAME, "body").text)


def test_a_legacy_file_is_served_and_its_rows_are_found_by_clicking(browser: Chrome, tmp_path: Path) -> None:
    """The printed password signs in; projects lead to prompts, prompts to runs; nothing comes from another host."""
    path = tmp_path / "old file.db"
    make_demo_file(path)
    with serving(tmp_path, f"sqlite:///{path}") as site:
        assert "Backup of the file as it was" in site.printed
        sign_in(browser, site)
        assert "Back-office" in text_of(browser)

        browser.find_element(By.LINK_TEXT, "Projects").click()
        for project in PROMPTS:
            assert project in text_of(browser)
        browser.find_element(By.LINK_TEXT, "Customer support").click()
        assert "Migrated from optimization history" in text_of(browser)

        browser.get(f"{site.address}/admin/projects/prompt/?q=refund+money")
        assert "Write an answer to a customer" not in text_of(browser)
        browser.get(f"{site.address}/admin/projects/prompt/?q=money+back")
        assert "Write an answer to a customer" in text_of(browser)
        browser.find_element(By.LINK_TEXT, "runs").click()
        assert "Refund reply" in text_of(browser)
        browser.find_element(By.LINK_TEXT, "Refund reply").click()
        assert "Write an answer to a customer" in text_of(browser)

        for page in ("projects/promptversion/", "optimizations/optimization/?status=error", "promptadmin/apitoken/"):
            browser.get(f"{site.address}/admin/{page}")
            assert browser.find_elements(By.ID, "changelist"), page
        loaded = browser.execute_script("return performance.getEntriesByType('resource').map(entry => entry.name)")
        assert loaded
        assert all(name.startswith(site.address) for name in loaded), loaded


def test_a_token_made_in_the_admin_opens_the_api(browser: Chrome, tmp_path: Path) -> None:
    """Its secret is shown once, works, and stops working when it is revoked."""
    with serving(tmp_path, f"sqlite:///{tmp_path / 'new.db'}") as site:
        sign_in(browser, site)
        browser.get(f"{site.address}/admin/promptadmin/apitoken/add/")
        browser.find_element(By.NAME, "name").send_keys("nightly job")
        browser.find_element(By.NAME, "_save").click()
        secret = text_of(browser).split("it is not shown again: ")[1].split()[0]

        def version() -> object:
            return browser.execute_async_script(
                "const done = arguments[1];"
                "fetch('/api/health', {credentials: 'omit', headers: {Authorization: 'Bearer ' + arguments[0]}})"
                ".then(answer => answer.json()).then(answer => done(answer.version))",
                secret,
            )

        assert version() == "0.1.0"
        browser.find_element(By.CSS_SELECTOR, "input.action-select").click()
        browser.find_element(By.CSS_SELECTOR, "select[name=action] option[value=revoke]").click()
        browser.find_element(By.NAME, "index").click()
        assert "Revoked 1 tokens" in text_of(browser)
        assert version() is None
